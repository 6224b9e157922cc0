"""What the registry keeps beside models and versions."""

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Make the tables."""
