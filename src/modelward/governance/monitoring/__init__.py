"""Captured records, baselines, monitors and their runs: is the model still behaving?"""
