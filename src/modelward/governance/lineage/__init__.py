"""Lineage: what was made from what, drawn from the event log."""
