"""Which blobs the rows of a database refer to: whatever a text column of any table writes as ``sha256:...``.

A table that is made tomorrow counts without anybody thinking of it; only what is named here as history does not.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
ROWS_AT_ONCE = 2000


def digests_mentioned(
    connection: Connection,
    *,
    apart: Mapping[str, str | None],
    columns: Mapping[str, Collection[str]] | None = None,
) -> set[str]:
    """The hexadecimal digests that rows refer to.

    ``apart`` names tables that only tell of what was (None), and others with the condition under which a row counts;
    ``columns`` names those that alone count in a table.
    """
    found: set[str] = set()
    for statement in _statements(connection, apart, columns or {}):
        for row in connection.execute(statement.execution_options(yield_per=ROWS_AT_ONCE)):
            for text in row:
                if text:
                    found.update(_DIGEST.findall(text))
    return found


def _statements(
    connection: Connection, apart: Mapping[str, str | None], only: Mapping[str, Collection[str]]
) -> Iterator[sa.Select[Any]]:
    inspected = sa.inspect(connection)
    indexes = _indexes_of_words(connection)
    names = [
        name
        for name in inspected.get_table_names()
        if not (name in apart and apart[name] is None)
        and not any(name == each or name.startswith(f"{each}_") for each in indexes)
    ]
    # All at once: PostgreSQL takes as long to tell of the columns of one table as of all.
    known = inspected.get_multi_columns(filter_names=names) if names else {}
    for name in names:
        texts = [each["name"] for each in known[(None, name)] if isinstance(each["type"], sa.String)]
        texts = [each for each in texts if each in only.get(name, texts)]
        if not texts:
            continue
        columns = [sa.column(each, sa.Text) for each in texts]
        query: Any = sa.select(*columns).select_from(sa.table(name))
        query = query.where(sa.or_(*(each.like("%sha256:%") for each in columns)))
        condition = apart.get(name)
        yield query.where(sa.text(condition)) if condition else query


def _indexes_of_words(connection: Connection) -> list[str]:
    """The full-text indexes of SQLite, which hold again what other tables hold."""
    if connection.dialect.name != "sqlite":
        return []
    found = connection.execute(sa.text("SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%'"))
    return [row.name for row in found]
