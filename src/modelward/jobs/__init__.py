"""Leases, retries and schedules on the database that holds everything else. Knows no capability."""
