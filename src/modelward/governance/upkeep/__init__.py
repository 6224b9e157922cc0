"""What keeps the house in order: stored bytes that nothing refers to any more are deleted after a while."""
