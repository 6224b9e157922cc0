"""The command line: what a person or a script types. Commands are loaded when they are called."""
