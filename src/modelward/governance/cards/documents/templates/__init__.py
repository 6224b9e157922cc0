"""What the documents are drawn with."""
