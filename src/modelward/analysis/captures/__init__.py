"""Capture records as tables: what the gateway and the hosted service write, JSON lines with bodies inside."""
