"""Evaluations of a version on a table of data: the evidence that reviews are decided on."""
