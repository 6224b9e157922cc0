"""Tables as raw texts, since the service judges texts: CSV by DuckDB without types, JSON lines, Parquet, captures, Arrow.

The whole table is held as dictionary codes. Numbers of typed sources become the texts that Java would write.
"""

import os
import re
import tempfile
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import msgspec
import pyarrow as pa

from modelward.analysis.compatible.text_columns import TextColumn, column_of, joined_column
from modelward.analysis.compatible.text_reading import csv_table, must_fit, rows_of_lines
from modelward.analysis.left_out import LeftOut
from modelward.analysis.sources import (
    ParquetPart,
    broken,
    chosen_columns,
    fetched,
    files_at,
    format_of,
    open_parquet,
)
from modelward.kernel.errors import Invalid, NotFound

__all__ = ["Data", "TextColumn", "TextTable", "read_texts"]

Data: TypeAlias = Any
"""A path to a CSV, JSON lines, Parquet or capture file, a list of such paths, or an Arrow table."""


class TextTable(msgspec.Struct, frozen=True, kw_only=True):
    """A table of texts. ``named`` is false where the names ``_c0``, ``_c1``, ... were made up here.

    ``parts``: rows of each file, in order; the service computes file by file and merges. ``left_out``: lines that hold no
    record, and why.
    """

    rows: int
    columns: list[TextColumn]
    named: bool = True
    parts: tuple[int, ...] = ()
    left_out: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.parts:
            msgspec.structs.force_setattr(self, "parts", (self.rows,))

    def of(self, name: str) -> TextColumn:
        """One column.

        Raises:
            NotFound: there is none of that name.
        """
        for column in self.columns:
            if column.name == name:
                return column
        shown = ", ".join(repr(column.name) for column in self.columns[:20])
        raise NotFound(f"There is no column {name!r}; there are: {shown}.", field=name)

    def renamed(self, names: Sequence[str]) -> "TextTable":
        """The same table with these names."""
        columns = [column.renamed(name) for column, name in zip(self.columns, names, strict=True)]
        return TextTable(rows=self.rows, columns=columns, parts=self.parts, left_out=self.left_out)


def read_texts(data: Data, *, header: bool = True) -> TextTable:
    """Read a table as texts, its rows in order.

    Raises:
        NotFound: there is no such file.
        Invalid: the file cannot be read as a table.
        NotImplementedYet: captured JSON bodies that are not flat.
    """
    if isinstance(data, TextTable):
        return data
    if isinstance(data, pa.Table):
        return _of_arrow(data)
    if isinstance(data, list | tuple):
        return _joined([read_texts(one, header=header) for one in data])
    with tempfile.TemporaryDirectory(prefix="modelward-") as folder:
        files = [fetched(path, folder) for path in files_at(os.fspath(data))]
        must_fit(files)
        return _joined([_of_file(path, header) for path in files])


def _of_file(path: str, header: bool) -> TextTable:
    kind = format_of(path)
    if kind == "parquet":
        return _of_parquet(path)
    return _of_csv(path, header) if kind == "csv" else _of_json_lines(path)


def _joined(tables: list[TextTable]) -> TextTable:
    if not tables:
        raise Invalid("The list of files is empty.", hint="Name at least one file.")
    if len(tables) == 1:
        return tables[0]
    names = [column.name for column in tables[0].columns]
    for number, table in enumerate(tables[1:], 2):
        found = [column.name for column in table.columns]
        if found != names:
            other = next((name for name in (*found, *names) if (name in found) != (name in names)), found[0])
            raise Invalid(
                f"The files do not have the same columns in the same order: file {number} differs in {other!r}.",
                field=other,
            )
    columns = [joined_column([table.columns[place] for table in tables]) for place in range(len(names))]
    parts = tuple(part for table in tables for part in table.parts)
    left_out = tuple(note for table in tables for note in table.left_out)
    return TextTable(rows=sum(parts), columns=columns, named=tables[0].named, parts=parts, left_out=left_out)


def _of_parquet(path: str) -> TextTable:
    file = open_parquet(ParquetPart(name=path, open=lambda: pa.OSFile(path)))
    columns = []
    for name in chosen_columns(file.schema_arrow, None, path):
        try:
            # One by one: whole tables at once cost three times the CPU time, in page faults and in waiting.
            array = file.read(columns=[name], use_threads=False).column(name)
        except (pa.ArrowException, OSError) as problem:
            raise broken(path, problem) from problem
        columns.append(column_of(name, array))
    return TextTable(rows=file.metadata.num_rows, columns=columns)


def _of_csv(path: str, header: bool) -> TextTable:
    table, named = csv_table(path, header=header)
    return msgspec.structs.replace(_of_arrow(table), named=named)


def _of_json_lines(path: str) -> TextTable:
    left_out = LeftOut()
    table = _of_rows(rows_of_lines(path, left_out))
    # Columns of captured CSV bodies have no names of their own.
    named = not (table.columns and all(re.fullmatch(r"_c\d+", column.name) for column in table.columns))
    return msgspec.structs.replace(table, named=named, left_out=left_out.notes)


def _of_rows(rows: Iterable[dict[str, str | None]]) -> TextTable:
    listed = list(rows)
    names = list(dict.fromkeys(name for row in listed for name in row))
    arrays = {name: pa.array([row.get(name) for row in listed], pa.string()) for name in names}
    return _of_arrow(pa.table(arrays))


def _of_arrow(table: Any) -> TextTable:
    if table.num_columns:
        chosen_columns(table.schema, None, "The table")
    columns = [column_of(name, table.column(place)) for place, name in enumerate(table.column_names)]
    return TextTable(rows=table.num_rows, columns=columns)
