"""Evaluations of versions."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "evaluation",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("version", sa.Text, sa.ForeignKey("version.ref"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("dataset", sa.Text, sa.ForeignKey("artifact.digest"), nullable=False),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("report", sa.Text),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("finished_at", sa.Text),
    )
    op.create_index("evaluation_by_version", "evaluation", ["version", "id"])
