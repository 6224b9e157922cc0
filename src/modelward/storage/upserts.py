"""Inserting that minds what is there already: the INSERT with ON CONFLICT of each dialect."""

from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite.dml import Insert
from sqlalchemy.sql.expression import TableClause


def insert_into(table: TableClause, dialect: str) -> Insert:
    """An INSERT that knows ``on_conflict_do_nothing`` and ``on_conflict_do_update`` in this dialect.

    PostgreSQL's, whose import takes a twentieth of a start on SQLite, is loaded where it is used.
    """
    if dialect == "sqlite":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql

    # Both have the same two methods, though no base in common.
    return postgresql.insert(table)  # type: ignore[return-value]
