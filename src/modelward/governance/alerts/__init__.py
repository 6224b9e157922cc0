"""Alerts: rules of m out of n runs, what they opened, and what people did about it."""
