"""Webhooks: events sent to addresses outside, signed, at least once, each under an id of its own."""
