"""Reviews of versions, and the approval policies that were ever in force."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the tables. One version has at most one open review."""
    op.create_table(
        "policy",
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
    )
    op.create_table(
        "review",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("version", sa.Text, sa.ForeignKey("version.ref"), nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("because", sa.Text, nullable=False),
        sa.Column("checks", sa.Text, nullable=False),
        sa.Column("dossier", sa.Text, nullable=False),
        sa.Column("opened_at", sa.Text, nullable=False),
        sa.Column("checked_at", sa.Text, nullable=False),
        sa.Column("decided_at", sa.Text),
        sa.Column("decided_by", sa.Text),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("bound", sa.Text),
    )
    op.create_index("review_by_version", "review", ["version", "id"])
    op.create_index("review_by_state", "review", ["state", "id"])
    only_open = sa.text("state = 'open'")
    op.create_index(
        "review_open_once", "review", ["version"], unique=True, sqlite_where=only_open, postgresql_where=only_open
    )
