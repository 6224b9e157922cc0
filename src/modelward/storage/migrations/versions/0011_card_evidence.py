"""What cards are bound to, and what they must have."""

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the tables."""
