"""Model cards as documents: out as PDF, HTML, Markdown and the formats of others; in from those formats."""
