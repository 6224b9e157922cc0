"""Control packs of one's own, version by version; indexes for searches in cards on PostgreSQL and for unread notices."""

import logging

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

log = logging.getLogger("modelward.storage")
UNREAD = "CREATE INDEX card_notice_unread ON card_notice (person) WHERE read_at IS NULL"
# Without a list of what is to be entered later, which every search would have to read through.
SEARCH = "CREATE INDEX card_search_words ON card_words USING gin (words gin_trgm_ops) WITH (fastupdate = off)"


def upgrade() -> None:
    """Make the table and the indexes."""
    op.create_table(
        "card_pack",
        sa.Column("pack", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("retired", sa.Boolean, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
    )
    op.execute(UNREAD)
    if op.get_bind().dialect.name == "postgresql":
        _index_words()


def _index_words() -> None:
    """An index of letter triples. Where the extension is not to be had, or not for this role, searches read all words."""
    connection = op.get_bind()
    try:
        with connection.begin_nested():
            connection.execute(sa.text("CREATE EXTENSION IF NOT EXISTS pg_trgm"))
            connection.execute(sa.text(SEARCH))
    except sa.exc.DBAPIError as problem:
        log.warning("Searches in cards have no index, for the extension pg_trgm cannot be made: %s", problem.orig)
