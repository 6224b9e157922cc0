"""Words that people put on things: a key and a value on anything that has a name."""
