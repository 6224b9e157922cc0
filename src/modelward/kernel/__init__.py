"""Words that every room shares: standard library and msgspec only, no I/O."""
