"""Where things are kept: rows, blobs, the event log, and the unit of work that joins them. Knows no capability."""
