"""Models, their versions and the artifacts of these."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

# An index of letter triples, for SQLite built with it (FTS5); without it a search reads all models.
HAS_TRIGRAMS = "SELECT sqlite_compileoption_used('ENABLE_FTS5')"
SEARCH = (
    "CREATE VIRTUAL TABLE model_search USING fts5(name UNINDEXED, words, tokenize = 'trigram')",
    """CREATE TRIGGER model_search_add AFTER INSERT ON model
    BEGIN INSERT INTO model_search (name, words) VALUES (new.name, new.words); END""",
    """CREATE TRIGGER model_search_change AFTER UPDATE OF words ON model WHEN old.words <> new.words
    BEGIN UPDATE model_search SET words = new.words WHERE name = new.name; END""",
)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "model",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("versions", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
    )
    op.create_table(
        "version",
        sa.Column("ref", sa.Text, primary_key=True),
        sa.Column("model", sa.Text, sa.ForeignKey("model.name"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("artifact", sa.Text),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("status_reason", sa.Text, nullable=False),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.UniqueConstraint("model", "number", name="version_number"),
    )
    op.create_table(
        "artifact",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
    )
    if op.get_bind().dialect.name == "sqlite" and op.get_bind().scalar(sa.text(HAS_TRIGRAMS)):
        for statement in SEARCH:
            op.execute(statement)
