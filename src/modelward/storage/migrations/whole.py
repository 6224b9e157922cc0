"""The schema of a new SQLite database in one script, which does at once what all migrations do one after the other.

A third of a first start went into loading Alembic for tables nobody had yet. Migrations stay the truth: a test holds the
script to what they make, and `make schema` writes it anew after a change.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

SCRIPT = Path(__file__).with_name("sqlite_schema.sql")
HEAD_LINE = "-- Written by `make schema` from the migrations; never edited by hand.\n"
_HAS_TRIGRAMS = "SELECT sqlite_compileoption_used('ENABLE_FTS5')"
# FTS5 makes the tables behind its table by itself.
_TELLS = """SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
    AND NOT (type = 'table' AND (name GLOB 'model_search_[cdi]*' OR name GLOB 'card_search_[cdi]*')) ORDER BY rowid"""


def can_make(connection: Connection) -> bool:
    """Whether the script fits: an empty database of a SQLite that has all the script asks for."""
    if connection.dialect.name != "sqlite" or connection.scalar(sa.text("SELECT count(*) FROM sqlite_master")):
        return False
    return bool(connection.scalar(sa.text(_HAS_TRIGRAMS)))


def make(connection: Connection, head: str) -> None:
    """Make all tables and note the migration that the database stands at."""
    for statement in statements(SCRIPT.read_text()):
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql("INSERT INTO alembic_version (version_num) VALUES (?)", (head,))


def told(connection: Connection) -> str:
    """The script that makes the schema of a database anew."""
    rows = connection.exec_driver_sql(_TELLS).scalars()
    return HEAD_LINE + "".join(f"{statement.rstrip()};\n" for statement in rows)


def statements(script: str) -> Iterator[str]:
    """The statements of a script; a trigger has semicolons inside."""
    text = ""
    for line in script.splitlines(keepends=True):
        text += "" if line.startswith("--") else line
        if text.strip() and sqlite3.complete_statement(text):
            yield text.strip()
            text = ""
