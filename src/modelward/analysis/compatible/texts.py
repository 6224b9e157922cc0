"""Tables as raw texts, since the service judges texts: CSV by DuckDB without types, JSON lines, Parquet, captures, Arrow.

Tables here are held whole, as dictionary codes, for what needs whole columns: quality, bias, explanations. Statistics and
checks read tables piece by piece (see table_parts.py). Numbers of typed sources become the texts that Java would write.
"""

import os
import re
import tempfile
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import msgspec
import numpy as np
import pyarrow as pa

from modelward.analysis.compatible.memory_needed import must_fit
from modelward.analysis.compatible.text_columns import TextColumn, column_of, joined_column
from modelward.analysis.compatible.text_reading import LINES_AT_ONCE, Row, csv_batches, pieces_of_lines
from modelward.analysis.left_out import LeftOut
from modelward.analysis.places import fetched, files_at, format_of
from modelward.analysis.sources import ParquetPart, broken, chosen_columns, open_parquet
from modelward.kernel.errors import Invalid, NotFound

__all__ = [
    "Chosen",
    "Data",
    "TextColumn",
    "TextTable",
    "columns_named",
    "columns_of_rows",
    "must_be_alike",
    "names_are_made_up",
    "read_texts",
]

Data: TypeAlias = Any
"""A path to a CSV, JSON lines, Parquet or capture file, a list of such paths, or an Arrow table."""

Chosen: TypeAlias = Callable[[list[str]], list[str]]
"""From the names of all columns to those that are read."""

BATCH_ROWS = 65_536


class TextTable(msgspec.Struct, frozen=True, kw_only=True):
    """A table of texts. ``named`` is false where the names ``_c0``, ``_c1``, ... were made up here.

    ``parts``: rows of each file, in order; the service computes file by file and merges. ``left_out``: lines that hold no
    record, and why. ``names``: of all columns, in order, those too that were not read.
    """

    rows: int
    columns: list[TextColumn]
    named: bool = True
    parts: tuple[int, ...] = ()
    left_out: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.parts:
            msgspec.structs.force_setattr(self, "parts", (self.rows,))
        if not self.names:
            msgspec.structs.force_setattr(self, "names", tuple(column.name for column in self.columns))

    def of(self, name: str) -> TextColumn:
        """One column.

        Raises:
            NotFound: there is none of that name.
        """
        for column in self.columns:
            if column.name == name:
                return column
        shown = ", ".join(repr(other) for other in self.names[:20])
        raise NotFound(f"There is no column {name!r}; there are: {shown}.", field=name)

    def renamed(self, names: Sequence[str]) -> "TextTable":
        """The same table with these names of all columns."""
        new = dict(zip(self.names, names, strict=True))
        columns = [column.renamed(new[column.name]) for column in self.columns]
        return TextTable(
            rows=self.rows, columns=columns, parts=self.parts, left_out=self.left_out, names=tuple(names)
        )  # fmt: skip

    def beside(self, column: TextColumn) -> "TextTable":
        """The same table with one more column, the last."""
        return msgspec.structs.replace(self, columns=[*self.columns, column], names=(*self.names, column.name))


def columns_named(*names: str | None) -> Chosen:
    """Those of these columns that there are."""
    return lambda there: [name for name in there if name in names]


def read_texts(data: Data, *, header: bool = True, chosen: Chosen | None = None) -> TextTable:
    """Read a table as texts, its rows in order. ``chosen``: which columns; all when None.

    Raises:
        NotFound: there is no such file.
        Invalid: a file cannot be read as a table, or the columns would not fit into memory.
        NotImplementedYet: captured JSON bodies that have no columns.
    """
    with tempfile.TemporaryDirectory(prefix="modelward-") as folder:
        given = _given(data, folder)
        must_fit([one for one in given if isinstance(one, str)], header=header, chosen=chosen)
        return _joined([_table(one, header, chosen) for one in given])


def _given(data: Data, folder: str) -> list[Any]:
    """Tables, and paths of files."""
    if isinstance(data, TextTable | pa.Table):
        return [data]
    if isinstance(data, list | tuple):
        return [file for one in data for file in _given(one, folder)]
    return [fetched(path, folder) for path in files_at(os.fspath(data))]


def _table(one: Any, header: bool, chosen: Chosen | None) -> TextTable:
    if isinstance(one, TextTable):
        return one
    if isinstance(one, pa.Table):
        return _of_arrow(one, chosen)
    kind = format_of(one)
    if kind == "parquet":
        return _of_parquet(one, chosen)
    return _of_csv(one, header, chosen) if kind == "csv" else _of_json_lines(one, chosen)


def _joined(tables: list[TextTable]) -> TextTable:
    if not tables:
        raise Invalid("The list of files is empty.", hint="Name at least one file.")
    if len(tables) == 1:
        return tables[0]
    for number, table in enumerate(tables[1:], 2):
        must_be_alike(list(tables[0].names), list(table.names), number)
    columns = [joined_column([table.columns[place] for table in tables]) for place in range(len(tables[0].columns))]
    parts = tuple(part for table in tables for part in table.parts)
    left_out = tuple(note for table in tables for note in table.left_out)
    return TextTable(
        rows=sum(parts), columns=columns, named=tables[0].named, parts=parts, left_out=left_out, names=tables[0].names
    )


def must_be_alike(names: list[str], found: list[str], number: int) -> None:
    """Refuse a file, by its number, that has other columns than the first.

    Raises:
        Invalid: it has.
    """
    if found != names:
        other = next((name for name in (*found, *names) if (name in found) != (name in names)), found[0])
        raise Invalid(
            f"The files do not have the same columns in the same order: file {number} differs in {other!r}.",
            field=other,
        )


def _of_parquet(path: str, chosen: Chosen | None) -> TextTable:
    file = open_parquet(ParquetPart(name=path, open=lambda: pa.OSFile(path)))
    columns, names = [], chosen_columns(file.schema_arrow, None, path)
    for name in names if chosen is None else chosen(names):
        try:
            # One by one: whole tables at once cost three times the CPU time, in page faults and in waiting.
            array = file.read(columns=[name], use_threads=False).column(name)
        except (pa.ArrowException, OSError) as problem:
            raise broken(path, problem) from problem
        columns.append(column_of(name, array))
    return TextTable(rows=file.metadata.num_rows, columns=columns, names=tuple(names))


def _of_csv(path: str, header: bool, chosen: Chosen | None) -> TextTable:
    all_names: list[str] = []

    def remembered(names: list[str]) -> list[str]:
        all_names.extend(names)
        return names if chosen is None else chosen(names)

    table = pa.Table.from_batches(csv_batches(path, header=header, rows_of=lambda _: BATCH_ROWS, chosen=remembered))
    return msgspec.structs.replace(_of_arrow(table), named=header, names=tuple(all_names))


def _of_json_lines(path: str, chosen: Chosen | None) -> TextTable:
    left_out = LeftOut()
    pieces: dict[str, list[TextColumn]] = {}
    names: dict[str, None] = {}
    rows = 0
    for listed in pieces_of_lines(path, left_out, LINES_AT_ONCE):
        found = columns_of_rows(listed)
        names |= dict.fromkeys(column.name for column in found)
        known = {column.name: column for column in found}
        for name in names if chosen is None else chosen(list(names)):
            pieces.setdefault(name, [_without_values(name, rows)])
        for name, column in pieces.items():
            column.append(known.get(name) or _without_values(name, len(listed)))
        rows += len(listed)
    columns = [joined_column(one) for one in pieces.values()]
    return TextTable(
        rows=rows, columns=columns, named=not names_are_made_up(list(names)), left_out=left_out.notes, names=tuple(names)
    )  # fmt: skip


def _without_values(name: str, rows: int) -> TextColumn:
    return TextColumn(name=name, texts=[], codes=np.full(rows, -1, np.int64))


def names_are_made_up(names: list[str]) -> bool:
    """Whether these are the names of captured CSV bodies, whose columns have none of their own."""
    return bool(names) and all(re.fullmatch(r"_c\d+", name) for name in names)


def columns_of_rows(rows: list[Row]) -> list[TextColumn]:
    """The columns of some rows, in the order in which they are first seen."""
    columns = []
    for name in dict.fromkeys(name for row in rows for name in row):
        known: dict[str, int] = {}
        values = [row.get(name) for row in rows]
        codes = [known.setdefault(value, len(known)) if value else -1 for value in values]
        columns.append(TextColumn(name=name, texts=list(known), codes=np.array(codes, np.int64)))
    return columns


def _of_arrow(table: Any, chosen: Chosen | None = None) -> TextTable:
    if table.num_columns:
        chosen_columns(table.schema, None, "The table")
    names = list(table.column_names)
    columns = [column_of(name, table.column(name)) for name in (names if chosen is None else chosen(names))]
    return TextTable(rows=table.num_rows, columns=columns, names=tuple(names))
