"""Tables as raw texts, since the service judges texts: CSV by DuckDB without types, JSON lines, Parquet, captures, Arrow.

The whole table is held as dictionary codes. Numbers of typed sources become the texts that Java would write.
"""

import csv
import gzip
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import duckdb
import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from modelward.analysis.formats.captures import CaptureRecord, MergedRecord, read_records, rows_of, text_of
from modelward.analysis.formats.layout import java_double
from modelward.analysis.sources import chosen_columns, format_of
from modelward.kernel.errors import Invalid, NotFound

Data: TypeAlias = Any
"""A path to a CSV, JSON lines, Parquet or capture file, a list of such paths, or an Arrow table."""

Codes: TypeAlias = npt.NDArray[np.int64]


class TextColumn(msgspec.Struct, frozen=True, kw_only=True):
    """One column: its different texts in the order of their first row, and for each row which it is; -1 is no value."""

    name: str
    texts: list[str]
    codes: Codes

    @property
    def rows(self) -> int:
        """All rows."""
        return len(self.codes)

    @property
    def present(self) -> int:
        """Rows with a value."""
        return int(np.count_nonzero(self.codes >= 0))

    @property
    def counts(self) -> Codes:
        """Rows of each text."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.texts)).astype(np.int64)

    def in_order(self, values: Sequence[Any]) -> Any:
        """Look the present rows up in ``values``, which are given text by text."""
        return np.asarray(values)[self.codes[self.codes >= 0]]


class TextTable(msgspec.Struct, frozen=True, kw_only=True):
    """A table of texts. ``named`` is false where the names ``_c0``, ``_c1``, ... were made up here.

    ``parts``: rows of each file, in order; the service computes file by file and merges.
    """

    rows: int
    columns: list[TextColumn]
    named: bool = True
    parts: tuple[int, ...] = ()

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
        columns = [msgspec.structs.replace(column, name=name) for column, name in zip(self.columns, names, strict=True)]
        return TextTable(rows=self.rows, columns=columns, parts=self.parts)


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
    path = os.fspath(data)
    if not os.path.isfile(path):
        raise NotFound(f"There is no file {path!r}.", hint="Name one CSV, JSON lines, Parquet or capture file.")
    kind = format_of(path)
    if kind == "parquet":
        try:
            return _of_arrow(pq.read_table(path))
        except (pa.ArrowInvalid, OSError) as problem:
            raise Invalid(f"{path} is not a readable Parquet file: {str(problem)[:200]}") from problem
    return _of_csv(path, header) if kind == "csv" else _of_json_lines(path)


def _joined(tables: list[TextTable]) -> TextTable:
    if not tables:
        raise Invalid("The list of files is empty.", hint="Name at least one file.")
    names = [column.name for column in tables[0].columns]
    for table in tables[1:]:
        if [column.name for column in table.columns] != names:
            raise Invalid("The files do not have the same columns in the same order.")
    columns = [_joined_column([table.columns[place] for table in tables]) for place in range(len(names))]
    parts = tuple(part for table in tables for part in table.parts)
    return TextTable(rows=sum(parts), columns=columns, named=tables[0].named, parts=parts)


def _joined_column(columns: list[TextColumn]) -> TextColumn:
    known: dict[str, int] = {}
    codes = []
    for column in columns:
        places = [known.setdefault(text, len(known)) for text in column.texts]
        codes.append(np.array([*places, -1], np.int64)[column.codes])
    return TextColumn(name=columns[0].name, texts=list(known), codes=np.concatenate(codes))


def _of_csv(path: str, header: bool) -> TextTable:
    delimiter = "\t" if ".tsv" in os.path.basename(path) else ","
    first = _first_row(path, delimiter)
    if header and (twice := sorted({name for name in first if first.count(name) > 1})):
        raise Invalid(
            f"{path} has more than one column named {twice[0]!r}.", field=twice[0], hint="Rename one of them."
        )
    with closing(duckdb.connect(config={"threads": 1})) as connection:
        try:
            relation = connection.sql(
                "SELECT * FROM read_csv($path, all_varchar=true, header=$header, delim=$delim, quote='\"', escape='\"', "
                "nullstr='', skip=0, comment='', max_line_size=8388608)",
                params={"path": path, "header": header, "delim": delimiter},
            )
            table = relation.to_arrow_table()
        except (duckdb.Error, pa.ArrowException) as problem:
            raise Invalid(_broken(path, delimiter, problem)) from problem
    if header:
        return _of_arrow(table)
    made_up = [f"_c{place}" for place in range(table.num_columns)]
    return msgspec.structs.replace(_of_arrow(table.rename_columns(made_up)), named=False)


@contextmanager
def _lines(path: str, delimiter: str) -> Iterator[Iterator[list[str]]]:
    opened = gzip.open if path.endswith(".gz") else open
    try:
        with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
            yield csv.reader(file, delimiter=delimiter)
    except (UnicodeDecodeError, EOFError, gzip.BadGzipFile, csv.Error) as problem:
        raise Invalid(f"{path} is no CSV in UTF-8: {problem}.") from problem


def _first_row(path: str, delimiter: str) -> list[str]:
    with _lines(path, delimiter) as lines:
        first = next(lines, [])
    if not first:
        raise Invalid(f"The file {path!r} holds nothing in its first line.")
    return first


def _broken(path: str, delimiter: str, problem: Exception) -> str:
    with _lines(path, delimiter) as lines:
        width = len(next(lines, []))
        for place, line in enumerate(lines, 2):
            if line and len(line) != width:
                return f"{path}, line {place} has {len(line)} values where the first has {width}."
    return f"{path} cannot be read as CSV: {str(problem).splitlines()[0][:200]}"


def _of_json_lines(path: str) -> TextTable:
    content = Path(path).read_bytes()
    first = content.lstrip(b"\xef\xbb\xbf \t\r\n").split(b"\n", 1)[0]
    if b'"captureData"' in first:
        records = [one for one in read_records(content, name=path) if isinstance(one, CaptureRecord | MergedRecord)]
        rows: Iterable[dict[str, str | None]] = (row for record in records for row in rows_of(record))
        table = _of_rows(rows)
        return msgspec.structs.replace(table, named=not all(column.name.startswith("_c") for column in table.columns))
    try:
        lines = [msgspec.json.decode(line, type=dict[str, Any]) for line in content.splitlines() if line.strip()]
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise Invalid(f"{path} does not hold one JSON object on each line: {problem}.") from problem
    return _of_rows({name: text_of(value) for name, value in line.items()} for line in lines)


def _of_rows(rows: Iterable[dict[str, str | None]]) -> TextTable:
    listed = list(rows)
    names = list(dict.fromkeys(name for row in listed for name in row))
    arrays = {name: pa.array([row.get(name) for row in listed], pa.string()) for name in names}
    return _of_arrow(pa.table(arrays))


def _of_arrow(table: Any) -> TextTable:
    chosen_columns(table.schema, None, "The table")
    columns = [_column(name, table.column(place).combine_chunks()) for place, name in enumerate(table.column_names)]
    return TextTable(rows=table.num_rows, columns=columns)


def _column(name: str, array: Any) -> TextColumn:
    if pa.types.is_null(array.type):
        return TextColumn(name=name, texts=[], codes=np.full(len(array), -1, np.int64))
    if pa.types.is_nested(array.type):
        raise Invalid(f"Column {name!r} holds {array.type}, which has no text.", field=name)
    if not pa.types.is_dictionary(array.type):
        array = pc.dictionary_encode(array)
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    texts = [_text(value) for value in _values(array.dictionary)]
    known: dict[str, int] = {}
    places = [-1 if text is None else known.setdefault(text, len(known)) for text in texts]
    indices = np.asarray(pc.fill_null(array.indices.cast(pa.int64()), len(texts)))
    return TextColumn(name=name, texts=list(known), codes=np.array([*places, -1], np.int64)[indices])


def _values(dictionary: Any) -> list[Any]:
    kind = dictionary.type
    if pa.types.is_floating(kind) and kind.bit_width < 64:
        # The shortest digits of the narrow number, not those of the double nearest to it.
        return [float(str(value)) for value in dictionary.to_numpy(zero_copy_only=False)]
    plain = (pa.types.is_floating, pa.types.is_integer, pa.types.is_boolean)
    if any(is_kind(kind) for is_kind in plain):
        return list(dictionary.to_pylist())
    return list(dictionary.cast(pa.string()).to_pylist())


_WRITTEN: dict[type, Callable[[Any], str | None]] = {
    bool: lambda value: "true" if value else "false",
    int: str,
    float: java_double,
    str: lambda value: value or None,
}


def _text(value: Any) -> str | None:
    return None if value is None else _WRITTEN[type(value)](value)
