"""A connection that runs prepared statements at the driver's speed; all others go the way of SQLAlchemy.

A statement that is made once and run a million times says so: ``sa.select(...).execution_options(prepared=True)``. It
is compiled at its first use and then handed to the driver as text and values. Statements whose types need a conversion
by SQLAlchemy, or whose text depends on the values, are run by SQLAlchemy as ever.
"""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData
from sqlalchemy.sql.compiler import SQLCompiler

# A statement and the names of its values -> its prepared form, or None when it needs SQLAlchemy.
Memory = dict[tuple[int, tuple[str, ...]], "Prepared | None"]


class Prepared:
    """A statement as the driver takes it: its text, the order of its values, and how its columns are called."""

    __slots__ = ("columns", "fixed", "names", "statement", "text")

    def __init__(self, statement: sa.Executable, compiled: SQLCompiler) -> None:
        self.statement = statement  # held, so that its identity is not given to another
        self.text = str(compiled)
        self.fixed = {name: bind.value for bind, name in compiled.bind_names.items() if not bind.required}
        self.names = tuple(compiled.positiontup or ()) if compiled.positional else None
        columns = [column.keyname for column in compiled._result_columns]
        self.columns = SimpleResultMetaData(columns) if columns else None

    def values(self, given: dict[str, Any]) -> list[Any] | dict[str, Any]:
        """The values in the form the driver wants."""
        known = {**self.fixed, **given} if self.fixed else given
        return known if self.names is None else [known[name] for name in self.names]


class QuickResult(IteratorResult[Any]):
    """The rows of a prepared statement, and the count of those it changed."""

    def __init__(self, columns: SimpleResultMetaData, rows: Iterator[Any], rowcount: int) -> None:
        super().__init__(columns, rows)
        self.rowcount = rowcount


class QuickConnection(Connection):
    """SQLAlchemy's connection with a short way for prepared statements."""

    _prepared: Memory

    @classmethod
    def on(cls, engine: sa.Engine, prepared: Memory) -> "QuickConnection":
        """Open a connection; ``prepared`` is the memory that the connections of one database share."""
        made = cls(engine)
        made._prepared = prepared
        return made

    def run_text(self, text: str) -> None:
        """Run a text without values or rows, such as BEGIN."""
        raw: Any = self.connection.dbapi_connection
        try:
            raw.execute(text)
        except Exception as problem:  # noqa: BLE001 - SQLAlchemy makes its own error of it and sees lost connections
            self._handle_dbapi_exception(problem, text, None, None, None)

    def execute(self, statement: Any, parameters: Any = None, **options: Any) -> Any:
        """Run a statement; see ``Connection.execute``."""
        if statement._execution_options.get("prepared") and not options:
            first = parameters[0] if isinstance(parameters, list) else parameters
            prepared = self._prepare(statement, tuple(first or ()))
            if prepared is not None:
                return self._run(prepared, parameters)
        return super().execute(statement, parameters, **options)

    def scalar(self, statement: Any, parameters: Any = None, **options: Any) -> Any:
        """Run a statement and return the first column of its first row; see ``Connection.scalar``."""
        return self.execute(statement, parameters, **options).scalar()

    def _prepare(self, statement: Any, names: tuple[str, ...]) -> Prepared | None:
        key = (id(statement), names)
        try:
            return self._prepared[key]
        except KeyError:
            compiled = statement.compile(dialect=self.dialect, column_keys=list(names) or None)
            made = Prepared(statement, compiled) if _is_plain(compiled, self.dialect) else None
            return self._prepared.setdefault(key, made)

    def _run(self, prepared: Prepared, parameters: Any) -> QuickResult:
        raw: Any = self.connection.dbapi_connection
        cursor: Any = None
        try:
            cursor = raw.cursor()
            if isinstance(parameters, list) and len(parameters) > 1:
                cursor.executemany(prepared.text, [prepared.values(each) for each in parameters])
            else:
                only = parameters[0] if isinstance(parameters, list) else parameters
                cursor.execute(prepared.text, prepared.values(only or {}))
            rows = cursor.fetchall() if prepared.columns else []
        except Exception as problem:  # noqa: BLE001 - as in ``run_text``
            self._handle_dbapi_exception(problem, prepared.text, parameters, cursor, None)
        return QuickResult(prepared.columns or _NO_COLUMNS, iter(rows), cursor.rowcount)


_NO_COLUMNS = SimpleResultMetaData([])


def _is_plain(compiled: SQLCompiler, dialect: Dialect) -> bool:
    if compiled.insert_prefetch or compiled.update_prefetch or compiled.post_compile_params:
        return False
    if compiled.literal_execute_params or compiled._bind_processors:
        return False
    return all(column.type._cached_result_processor(dialect, None) is None for column in compiled._result_columns)
