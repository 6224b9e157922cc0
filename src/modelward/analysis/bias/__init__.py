"""Bias before and after training: counts of groups, the metrics of them, intervals and verdicts."""
