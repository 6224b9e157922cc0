"""A table as parts (files, mostly), each of which gives its columns piece by piece: no part is ever held whole.

Parquet files and Arrow tables know their types and rows beforehand and give any of their columns alone; CSV, JSON lines and
captures give all columns at once, as texts, and of JSON they show only while it is read.
"""

import os
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import pyarrow as pa

from modelward.analysis.compatible import moments
from modelward.analysis.compatible.different_values import can_be_by_value
from modelward.analysis.compatible.text_columns import NumberColumn, TextColumn, column_of
from modelward.analysis.compatible.text_reading import LINES_AT_ONCE, csv_batches, pieces_of_lines
from modelward.analysis.compatible.texts import Data, TextTable, columns_of_rows, names_are_made_up
from modelward.analysis.decimal_commas import LOOKED_AT, are_decimal_commas
from modelward.analysis.left_out import LeftOut
from modelward.analysis.places import fetched, files_at, format_of
from modelward.analysis.sources import ParquetPart, broken, chosen_columns, open_parquet
from modelward.kernel.errors import Invalid

PIECE_ROWS = 131_072
TEXT_ROWS = 32_768
PIECE_CELLS = 4_000_000
READ_AHEAD_BYTES = 1 << 20

Piece = tuple[int, list[TextColumn]]
"""Rows, and the columns that hold any of them."""


def rows_of_piece(columns: int) -> int:
    """So many rows of so many columns are looked at together."""
    return max(1_024, min(PIECE_ROWS, PIECE_CELLS // max(1, columns)))


def rows_of_texts(columns: int) -> int:
    """So many rows of so many columns of texts are looked at together."""
    return max(2_048, min(TEXT_ROWS, PIECE_CELLS // max(1, columns)))


class TablePart(Protocol):
    """Some rows of a table, in pieces."""

    @property
    def named(self) -> bool:
        """Whether the names of the columns are its own."""

    @property
    def left_out(self) -> tuple[str, ...]:
        """What was left out, and why."""

    def pieces(self) -> Iterator[Piece]:
        """All columns, piece by piece, the rows in order."""


class TypedPart(TablePart, Protocol):
    """A part whose columns and rows are known beforehand."""

    names: list[str]
    rows: int

    def kind(self, name: str) -> Any:
        """What tells two kinds of columns apart, where they are kept as numbers; None where as texts."""

    def many(self, name: str) -> bool:
        """Whether the column surely holds more numbers than one partition."""

    def pieces(self, names: Sequence[str] | None = None) -> Iterator[Piece]:
        """Some of the columns, piece by piece, the rows in order."""


class ParquetFile:
    """A Parquet file, however large its row groups are."""

    named = True
    left_out: tuple[str, ...] = ()

    def __init__(self, path: str) -> None:
        """Read what the file says of itself."""
        self._part = ParquetPart(name=path, open=lambda: pa.OSFile(path))
        file = open_parquet(self._part)
        self._metadata, self._schema = file.metadata, file.schema_arrow
        self.names = chosen_columns(self._schema, None, path)
        self.rows: int = self._metadata.num_rows

    def kind(self, name: str) -> Any:
        """The type of a column of numbers."""
        return _number_kind(self._schema.field(name).type)

    def many(self, name: str) -> bool:
        """Whether the file says so: its statistics tell how many rows have no value."""
        if self.rows <= moments.ONE_PARTITION_ROWS:
            return False
        missing, column = 0, self._schema.get_field_index(name)
        for place in range(self._metadata.num_row_groups):
            group = self._metadata.row_group(place)
            if group.num_columns != len(self.names):
                return False
            statistics = group.column(column).statistics
            if statistics is None or not statistics.has_null_count:
                return False
            missing += statistics.null_count
        return self.rows - missing > moments.ONE_PARTITION_ROWS

    def pieces(self, names: Sequence[str] | None = None) -> Iterator[Piece]:
        """Some of the columns, piece by piece.

        Raises:
            Invalid: the file is damaged.
        """
        wanted = list(self.names if names is None else names)
        file = open_parquet(self._part, self._metadata, buffer_bytes=READ_AHEAD_BYTES)
        try:
            for batch in file.iter_batches(rows_of_piece(len(wanted)), columns=wanted, use_threads=False):
                yield batch.num_rows, [column_of(name, batch.column(name)) for name in wanted]
        except (pa.ArrowException, OSError) as problem:
            raise broken(self._part.name, problem) from problem


class ArrowTable:
    """An Arrow table."""

    named = True
    left_out: tuple[str, ...] = ()

    def __init__(self, table: Any) -> None:
        """Keep the table."""
        if table.num_columns:
            chosen_columns(table.schema, None, "The table")
        self._table, self.names, self.rows = table, list(table.column_names), table.num_rows

    def kind(self, name: str) -> Any:
        """The type of a column of numbers."""
        return _number_kind(self._table.schema.field(name).type)

    def many(self, name: str) -> bool:
        """Whether there are."""
        return bool(self.rows - self._table.column(name).null_count > moments.ONE_PARTITION_ROWS)

    def pieces(self, names: Sequence[str] | None = None) -> Iterator[Piece]:
        """Some of the columns, piece by piece."""
        wanted = list(self.names if names is None else names)
        for batch in self._table.select(wanted).to_batches(rows_of_piece(len(wanted))):
            yield batch.num_rows, [column_of(name, batch.column(name)) for name in wanted]


class HeldTable:
    """A part of a table that is held as texts."""

    def __init__(self, table: TextTable, start: int, rows: int) -> None:
        """Keep the table and where the part lies."""
        self._table, self._start, self.rows = table, start, rows
        self.named, self.left_out = table.named, () if start else table.left_out
        self.names = [column.name for column in table.columns]

    def kind(self, name: str) -> Any:
        """The type of a column of numbers."""
        column = self._table.of(name)
        return column.array.type if isinstance(column, NumberColumn) else None

    def many(self, name: str) -> bool:
        """Whether there are."""
        return self._table.of(name).piece(self._start, self.rows).present > moments.ONE_PARTITION_ROWS

    def pieces(self, names: Sequence[str] | None = None) -> Iterator[Piece]:
        """Some of the columns, whole."""
        wanted = self.names if names is None else names
        yield self.rows, [self._table.of(name).piece(self._start, self.rows) for name in wanted]


class CsvFile:
    """A CSV file: texts. Numbers with a decimal comma stay texts, as the service has them, which is told."""

    def __init__(self, path: str, *, header: bool) -> None:
        """Remember the file. Without a header its columns are named ``_c0``, ``_c1``, ..."""
        self.path, self.named = path, header
        self.left_out: tuple[str, ...] = ()

    def pieces(self) -> Iterator[Piece]:
        """All columns, piece by piece.

        Raises:
            Invalid: the file is no CSV; told where it is met.
        """
        # The first batch may be without rows: it tells the names.
        looked = False
        for batch in csv_batches(self.path, header=self.named, rows_of=rows_of_texts):
            columns = [column_of(name, batch.column(name)) for name in batch.schema.names]
            if batch.num_rows and not looked:
                looked = True
                self.left_out = tuple(self._mistaken(columns))
            yield batch.num_rows, columns

    def _mistaken(self, columns: list[TextColumn]) -> Iterator[str]:
        for column in columns:
            texts = column.words.slice(0, LOOKED_AT).to_pylist()
            if are_decimal_commas(texts):
                yield (
                    f"{self.path}: column {column.name!r} holds {texts[0]!r}: numbers with a decimal comma are texts here. "
                    "Write them with a point."
                )


class LinesFile:
    """A file of JSON lines, a JSON list, or captures: texts."""

    def __init__(self, path: str) -> None:
        """Remember the file."""
        self.path, self._left_out = path, LeftOut()
        self._names: dict[str, None] = {}

    @property
    def named(self) -> bool:
        """Whether the names are its own; columns of captured CSV bodies have none. Known after the last piece."""
        return not names_are_made_up(list(self._names))

    @property
    def left_out(self) -> tuple[str, ...]:
        """Lines that hold no record, and why. Known after the last piece."""
        return self._left_out.notes

    def pieces(self) -> Iterator[Piece]:
        """The columns that occur in each piece.

        Raises:
            Invalid: not one line can be read, or a cut archive.
        """
        for rows in pieces_of_lines(self.path, self._left_out, LINES_AT_ONCE):
            columns = columns_of_rows(rows)
            self._names |= dict.fromkeys(column.name for column in columns)
            yield len(rows), columns


def all_typed(parts: Sequence[TablePart]) -> list[TypedPart] | None:
    """The parts, where the columns and rows of all are known beforehand."""
    typed = [part for part in parts if isinstance(part, ParquetFile | ArrowTable | HeldTable)]
    return list(typed) if len(typed) == len(parts) else None


def _number_kind(kind: Any) -> Any:
    return kind if can_be_by_value(kind) else None


def parts_of(data: Data, folder: str, *, header: bool = True) -> list[TablePart]:
    """The parts of a table, in order; what lies elsewhere is copied into the folder.

    Raises:
        NotFound: there is no such file.
        Invalid: a file is empty, or there is none.
    """
    if isinstance(data, TextTable):
        starts = [sum(data.parts[:place]) for place in range(len(data.parts))]
        return [HeldTable(data, start, rows) for start, rows in zip(starts, data.parts, strict=True)]
    if isinstance(data, pa.Table):
        return [ArrowTable(data)]
    if isinstance(data, list | tuple):
        found = [part for one in data for part in parts_of(one, folder, header=header)]
        if not found:
            raise Invalid("The list of files is empty.", hint="Name at least one file.")
        return found
    return [_file(fetched(path, folder), header) for path in files_at(os.fspath(data))]


def _file(path: str, header: bool) -> TablePart:
    kind = format_of(path)
    if kind == "parquet":
        return ParquetFile(path)
    return CsvFile(path, header=header) if kind == "csv" else LinesFile(path)
