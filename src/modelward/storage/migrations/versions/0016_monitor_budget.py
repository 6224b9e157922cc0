"""Monitors keep a budget of false alarms and compare groups of rows; constraints of baselines have versions."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add the columns and make the tables."""
    op.add_column("baseline", sa.Column("constraints_version", sa.Integer, nullable=False, server_default="1"))
    op.add_column("monitor", sa.Column("false_alarms_a_month", sa.Double))
    op.add_column("monitor", sa.Column("segments", sa.Text, nullable=False, server_default="[]"))
    op.create_table(
        "monitor_history",
        sa.Column("monitor", sa.Text, primary_key=True),
        sa.Column("baseline", sa.Text, nullable=False),
        sa.Column("edition", sa.Integer, nullable=False),
        sa.Column("covered", sa.Text, nullable=False),
        sa.Column("runs", sa.Integer, nullable=False),
        sa.Column("profiles", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "baseline_segments",
        sa.Column("baseline", sa.Text, primary_key=True),
        sa.Column("columns", sa.Text, primary_key=True),
        sa.Column("profile", sa.Text, nullable=False),
    )
