"""Modelward measured beside its peers, in the same run, on the same machine. See README.md."""
