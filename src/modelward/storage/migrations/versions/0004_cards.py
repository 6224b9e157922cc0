"""Model cards and their versions; a version is never changed."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

SQLITE_GUARD = """
CREATE TRIGGER card_version_is_never_{verb}d BEFORE {verb_upper} ON card_version
BEGIN SELECT RAISE(ABORT, 'A version of a card is never changed.'); END
"""
POSTGRES_GUARD = """
CREATE FUNCTION card_version_is_kept() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'A version of a card is never changed.'; END $$
"""
POSTGRES_TRIGGER = """
CREATE TRIGGER card_version_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON card_version
FOR EACH STATEMENT EXECUTE FUNCTION card_version_is_kept()
"""


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "card",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("model", sa.Text, sa.ForeignKey("model.name")),
        sa.Column("version", sa.Text, sa.ForeignKey("version.ref")),
        sa.Column("version_number", sa.Integer),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("risk_rating", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("modified_at", sa.Text, nullable=False),
        sa.Column("modified_by", sa.Text, nullable=False),
    )
    op.create_index("card_by_version", "card", ["version"])
    op.create_index("card_by_model", "card", ["model", "version_number"])
    op.create_table(
        "card_version",
        sa.Column("card", sa.Text, sa.ForeignKey("card.name"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("origins", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(SQLITE_GUARD.format(verb="update", verb_upper="UPDATE"))
        op.execute(SQLITE_GUARD.format(verb="delete", verb_upper="DELETE"))
    else:
        op.execute(POSTGRES_GUARD)
        op.execute(POSTGRES_TRIGGER)
