"""Endpoints: which version serves under which name, and the gateway that forwards and captures."""
