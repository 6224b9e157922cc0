"""Does a table keep what its baseline promises? Constraints, distances, drift, and a budget of false alarms."""
