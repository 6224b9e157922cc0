"""The AWS-compatible interface: unmodified AWS clients reach Modelward here. AWS words live in this folder only."""
