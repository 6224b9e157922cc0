"""Endpoints."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "endpoint",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("version", sa.Text, sa.ForeignKey("version.ref"), nullable=False),
        sa.Column("version_status", sa.Text, nullable=False),
        sa.Column("unapproved", sa.Boolean, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("capture_share", sa.Double, nullable=False),
        sa.Column("capture_required", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("removed_at", sa.Text),
    )
    op.create_index("endpoint_by_version", "endpoint", ["version"])
