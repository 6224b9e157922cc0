"""Captured records, baselines, monitors, runs and their figures."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the tables."""
    _make_captures()
    op.create_table(
        "baseline",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("version", sa.Text),
        sa.Column("dataset", sa.Text, nullable=False),
        sa.Column("columns", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("rows", sa.BigInteger),
        sa.Column("profile", sa.Text),
        sa.Column("constraints", sa.Text),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("ready_at", sa.Text),
    )
    op.create_table(
        "monitor",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("endpoint", sa.Text, sa.ForeignKey("endpoint.name"), nullable=False),
        sa.Column("baseline", sa.Text, sa.ForeignKey("baseline.name"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("cron", sa.Text, nullable=False),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("window_hours", sa.Integer),
        sa.Column("lag_minutes", sa.Integer, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("removed_at", sa.Text),
    )
    op.create_index("monitor_by_endpoint", "monitor", ["endpoint"])
    _make_runs()


def _make_captures() -> None:
    op.create_table(
        "capture",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("inference_id", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("received_at", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("file", sa.Text),
        sa.UniqueConstraint("endpoint", "inference_id", name="capture_once"),
        sqlite_autoincrement=True,
    )
    hot, filed = sa.text("file IS NULL"), sa.text("file IS NOT NULL")
    op.create_index("capture_hot", "capture", ["endpoint", "at"], sqlite_where=hot, postgresql_where=hot)
    op.create_index("capture_filed", "capture", ["received_at"], sqlite_where=filed, postgresql_where=filed)
    op.create_table(
        "capture_file",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("first_at", sa.Text, nullable=False),
        sa.Column("last_at", sa.Text, nullable=False),
        sa.Column("time_column", sa.Text, nullable=False),
        sa.Column("id_column", sa.Text, nullable=False),
        sa.Column("at", sa.Text),
        sa.Column("columns", sa.Text, nullable=False),
        sa.Column("notes", sa.Text, nullable=False),
        sa.Column("stored_at", sa.Text, nullable=False),
        sa.Column("stored_by", sa.Text, nullable=False),
    )
    op.create_index("capture_file_by_time", "capture_file", ["endpoint", "last_at"])
    op.create_table(
        "capture_hour",
        sa.Column("file", sa.Text, sa.ForeignKey("capture_file.id"), primary_key=True),
        sa.Column("hour", sa.Text, primary_key=True),
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
    )
    op.create_index("capture_hour_by_time", "capture_hour", ["endpoint", "hour"])


def _make_runs() -> None:
    op.create_table(
        "run",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("monitor", sa.Text, sa.ForeignKey("monitor.name"), nullable=False),
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("baseline", sa.Text, nullable=False),
        sa.Column("window_start", sa.Text, nullable=False),
        sa.Column("window_end", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("scheduled", sa.Boolean, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("rows", sa.BigInteger),
        sa.Column("violations", sa.Integer, nullable=False),
        sa.Column("drifted", sa.Text, nullable=False),
        sa.Column("findings", sa.Text, nullable=False),
        sa.Column("notes", sa.Text, nullable=False),
        sa.Column("failure", sa.Text),
        sa.Column("report", sa.Text),
        sa.Column("profile", sa.Text),
        sa.Column("requested_at", sa.Text, nullable=False),
        sa.Column("requested_by", sa.Text, nullable=False),
        sa.Column("started_at", sa.Text),
        sa.Column("finished_at", sa.Text),
        sa.UniqueConstraint("monitor", "window_start", "window_end", "attempt", name="run_of_window"),
    )
    op.create_index("run_by_window", "run", ["monitor", "window_end", "attempt"])
    op.create_table(
        "run_point",
        sa.Column("run", sa.Text, sa.ForeignKey("run.id"), primary_key=True),
        sa.Column("column", sa.Text, primary_key=True),
        sa.Column("measure", sa.Text, primary_key=True),
        sa.Column("monitor", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("value", sa.Double, nullable=False),
        sa.Column("threshold", sa.Double),
    )
    op.create_index("run_point_series", "run_point", ["monitor", "column", "measure", "at"])
