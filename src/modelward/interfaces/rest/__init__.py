"""The native JSON API under /api/v1: one file per capability, each operation declared with its permission."""
