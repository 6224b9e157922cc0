"""What cards are bound to, what they must have, every status they ever had, and the words a search looks through."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

# An index of letter triples, for SQLite built with it (FTS5); without it a search reads all words.
HAS_TRIGRAMS = "SELECT sqlite_compileoption_used('ENABLE_FTS5')"
SEARCH = (
    """CREATE VIRTUAL TABLE card_search USING fts5(words, content = 'card_words', content_rowid = 'id',
    tokenize = 'trigram')""",
    """CREATE TRIGGER card_search_add AFTER INSERT ON card_words
    BEGIN INSERT INTO card_search (rowid, words) VALUES (new.id, new.words); END""",
    """CREATE TRIGGER card_search_change AFTER UPDATE OF words ON card_words WHEN old.words <> new.words
    BEGIN
        INSERT INTO card_search (card_search, rowid, words) VALUES ('delete', old.id, old.words);
        INSERT INTO card_search (rowid, words) VALUES (new.id, new.words);
    END""",
    """CREATE TRIGGER card_search_drop AFTER DELETE ON card_words
    BEGIN INSERT INTO card_search (card_search, rowid, words) VALUES ('delete', old.id, old.words); END""",
)
# A database that was made at once by an earlier script has no word of changed descriptions in its index.
HEAL_MODELS = (
    "DROP TRIGGER IF EXISTS model_search_change",
    """CREATE TRIGGER model_search_change AFTER UPDATE OF words ON model WHEN old.words <> new.words
    BEGIN UPDATE model_search SET words = new.words WHERE name = new.name; END""",
    """UPDATE model_search SET words = (SELECT words FROM model WHERE model.name = model_search.name)
    WHERE words <> (SELECT words FROM model WHERE model.name = model_search.name)""",
)
TOLD = "SELECT name, subject, at, actor, detail FROM event WHERE name IN ({names}) ORDER BY sequence"
EVALUATIONS = """SELECT id, version, kind, dataset, outcome, reason, report, summary, finished_at FROM evaluation
WHERE state = 'finished' AND report IS NOT NULL AND outcome IS NOT NULL ORDER BY id"""
CARDS = "SELECT c.name, c.model, c.version, v.content FROM card c JOIN card_version v ON v.card = c.name AND v.number = c.number"


def upgrade() -> None:
    """Make the tables, and fill them from what is known of the cards there are."""
    op.add_column("card", sa.Column("subject", sa.Text))
    op.add_column("card", sa.Column("missing", sa.Integer, nullable=False, server_default="0"))
    op.add_column("card", sa.Column("stale", sa.Integer, nullable=False, server_default="0"))
    op.add_column("card", sa.Column("debt", sa.Integer, nullable=False, server_default="0"))
    op.add_column("card_version", sa.Column("bindings", sa.Text, nullable=False, server_default="{}"))
    op.create_index("card_by_subject", "card", ["subject"])
    op.create_index("card_by_debt", "card", ["debt", "name"])
    op.create_index("card_by_time", "card", ["modified_at", "name"])
    op.create_index("card_by_status", "card", ["status", "name"])
    op.create_index("card_by_risk", "card", ["risk_rating", "name"])
    _histories()
    _evidence()
    _fill()
    _fill_evidence()


def _histories() -> None:
    op.create_table(
        "card_status",
        sa.Column("card", sa.Text, sa.ForeignKey("card.name"), primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
    )
    op.create_table(
        "card_control",
        sa.Column("card", sa.Text, sa.ForeignKey("card.name"), primary_key=True),
        sa.Column("pack", sa.Text, primary_key=True),
        sa.Column("control", sa.Text, primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True),
        sa.Column("applies", sa.Boolean, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
    )
    op.create_table(
        "card_template",
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
    )
    op.create_table(
        "card_words",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("card", sa.Text, sa.ForeignKey("card.name"), nullable=False, unique=True),
        sa.Column("words", sa.Text, nullable=False),
    )
    if op.get_bind().dialect.name == "sqlite" and op.get_bind().scalar(sa.text(HAS_TRIGRAMS)):
        for statement in (*HEAL_MODELS, *SEARCH):
            op.execute(statement)


def _evidence() -> None:
    op.create_table(
        "evidence",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("series", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("model", sa.Text),
        sa.Column("version", sa.Text),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("dataset", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("known_at", sa.Text, nullable=False),
        sa.Column("measures", sa.Text, nullable=False),
        sa.Column("groups", sa.Text, nullable=False),
    )
    op.create_index("evidence_by_version", "evidence", ["version", "at"])
    op.create_index("evidence_by_model", "evidence", ["model", "at"])
    op.create_index("evidence_by_series", "evidence", ["series", "at"])
    op.create_table(
        "card_binding",
        sa.Column("card", sa.Text, sa.ForeignKey("card.name"), primary_key=True),
        sa.Column("path", sa.Text, primary_key=True),
        sa.Column("evidence", sa.Text, sa.ForeignKey("evidence.id"), nullable=False),
        sa.Column("series", sa.Text, nullable=False),
        sa.Column("expires_at", sa.Text),
        sa.Column("stale", sa.Text, nullable=False),
    )
    op.create_index("card_binding_by_series", "card_binding", ["series"])
    op.create_index("card_binding_by_time", "card_binding", ["expires_at"])


def _fill() -> None:
    """The statuses that the log tells of, and the words of the cards there are."""
    connection = op.get_bind()
    names = "'CardCreated', 'CardEdited', 'CardStatusChanged'"
    now: dict[str, tuple[int, str, int]] = {}
    kept = {row[0] for row in connection.exec_driver_sql("SELECT name FROM card")}
    rows = []
    for name, card, at, by, detail in connection.exec_driver_sql(TOLD.format(names=names)):
        if card not in kept:
            continue
        told = json.loads(detail)
        place, status, _ = now.get(card, (0, "draft", 0))
        # An approved card that is edited is a draft with its new version; the log tells so a moment later.
        edited = "draft" if status == "approved" else status
        status = told["after"] if name == "CardStatusChanged" else edited
        reason, number = told.get("reason", ""), told.get("number", 1)
        now[card] = (place + 1, status, number)
        row = {"card": card, "place": place + 1, "number": number, "status": status, "reason": reason, "at": at}
        rows.append({**row, "by": by})
    history = sa.table("card_status", *map(sa.column, ("card", "place", "number", "status", "reason", "at", "by")))
    if rows:
        connection.execute(sa.insert(history), rows)
    words = sa.table("card_words", sa.column("card"), sa.column("words"))
    for card, model, version, content in connection.exec_driver_sql(CARDS).fetchall():
        said = "\n".join(each for each in (card, model, version, *_texts(json.loads(content))) if each)
        connection.execute(sa.insert(words), {"card": card, "words": said.lower().replace("\0", " ")})


def _fill_evidence() -> None:
    """The evaluations there are, with their single values, so that fields can be bound to them as well."""
    connection, rows = op.get_bind(), []
    for id, version, kind, dataset, outcome, reason, report, summary, at in connection.exec_driver_sql(EVALUATIONS):
        metrics = {name[:255]: value for name, value in json.loads(summary).get("metrics", {}).items() if name}
        data = [{"name": name, "type": "number", "value": value} for name, value in list(metrics.items())[:50]]
        rows.append(
            {
                "id": id,
                "kind": kind if kind in ("quality", "bias", "explainability") else "other",
                "series": f"evaluation {version} {kind} {dataset}",
                "source": f"the {kind} evaluation {id}",
                "model": version.rpartition("@")[0],
                "version": version,
                "digest": report,
                "dataset": dataset,
                "outcome": outcome,
                "reason": reason,
                "at": at,
                "known_at": at,
                "measures": json.dumps({**metrics, "outcome": outcome}),
                "groups": json.dumps([{"name": kind, "metric_data": data}]),
            }
        )
    if rows:
        connection.execute(sa.insert(sa.table("evidence", *map(sa.column, rows[0]))), rows)


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for each in value.values() for text in _texts(each)]
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    return [value] if isinstance(value, str) else []
