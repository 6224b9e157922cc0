"""Alerts and their rules."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "alert",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("monitor", sa.Text, nullable=False),
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("version", sa.Text),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("runs", sa.Text, nullable=False),
        sa.Column("runs_count", sa.Integer, nullable=False),
        sa.Column("opened_at", sa.Text, nullable=False),
        sa.Column("last_failed_at", sa.Text, nullable=False),
        sa.Column("recovered_at", sa.Text),
        sa.Column("acknowledged_by", sa.Text, nullable=False),
        sa.Column("acknowledged_at", sa.Text),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("closed_by", sa.Text, nullable=False),
        sa.Column("closed_at", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_index("alert_by_opening", "alert", ["opened_at", "id"])
    op.create_index("alert_by_state", "alert", ["state", "opened_at"])
    unclosed = sa.text("state != 'closed'")
    op.create_index(
        "alert_one_unclosed", "alert", ["monitor"], unique=True, sqlite_where=unclosed, postgresql_where=unclosed
    )
    op.create_table(
        "alert_rule",
        sa.Column("monitor", sa.Text, primary_key=True),
        sa.Column("runs_failed", sa.Integer, nullable=False),
        sa.Column("runs_judged", sa.Integer, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
    )
