"""Buckets and their objects: files by name, for programs that keep theirs in an object store."""
