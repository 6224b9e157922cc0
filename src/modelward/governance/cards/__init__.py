"""Model cards: what a version is, for whom, on what evidence; every content is a version of its own."""
