"""Text files as tables of texts: CSV by DuckDB without types, JSON lines and captures line by line."""

import os
import tempfile
from collections.abc import Callable, Generator
from contextlib import closing
from typing import Any

import duckdb
import msgspec
import pyarrow as pa

from modelward.analysis.compatible.free_memory import must_fit_whole
from modelward.analysis.formats.captures import CaptureRecord, MergedRecord, read_records, rows_of, text_of
from modelward.analysis.formats.json_bodies import leaves, must_name_once
from modelward.analysis.left_out import LeftOut
from modelward.analysis.packed_files import BROKEN, damaged, lines_of, must_be_bytes_of_utf8, unpacked
from modelward.analysis.text_files import LINE_BYTES_MAX, MEMORY_MB_MAX, csv_lines, delimiter_of, plainly, ragged_line
from modelward.kernel.errors import Invalid, NotImplementedYet

Row = dict[str, str | None]

LINES_AT_ONCE = 16_384
BUFFER_BYTES = 2 * LINE_BYTES_MAX
"""DuckDB reads a CSV file by so many bytes; else it takes eight times as many, because lines may be long."""
_SETTINGS = (
    "SET enable_progress_bar=false",
    # The file is read once: what DuckDB would keep of it is memory that grows with the file.
    "SET enable_external_file_cache=false",
)
COLUMN_KB = 256
_BOM = b"\xef\xbb\xbf"


def csv_batches(
    path: str, *, header: bool, rows_of: Callable[[int], int], chosen: Callable[[list[str]], list[str]] | None = None
) -> Generator[Any]:
    """A CSV file as Arrow batches of texts, the rows in order; the first batch may be without rows.

    ``rows_of``: how many rows a batch has, by the number of columns. ``chosen``: which of the columns are read.

    Raises:
        Invalid: no bytes, ragged rows, two columns of one name, a line over 8 MiB, not UTF-8, or a cut archive.
    """
    with tempfile.TemporaryDirectory(prefix="modelward-") as folder:
        local = unpacked(path, folder, 0)
        delimiter = delimiter_at(path)
        first = first_row(path, delimiter)
        if header and (twice := sorted({name for name in first if first.count(name) > 1})):
            raise Invalid(
                f"{path} has more than one column named {twice[0]!r}.", field=twice[0], hint="Rename one of them."
            )
        # One thread: several would hold what they read until its turn comes.
        with closing(duckdb.connect(config={"threads": 1})) as connection:
            try:
                # Of each column DuckDB holds a few thousand texts, however few the rows.
                limit = MEMORY_MB_MAX + len(first) * COLUMN_KB // 1024
                for setting in (*_SETTINGS, f"SET memory_limit='{limit}MB'"):
                    connection.execute(setting)
                relation = connection.sql(
                    "SELECT * FROM read_csv($path, all_varchar=true, header=$header, delim=$delim, quote='\"', "
                    "escape='\"', nullstr='', skip=0, comment='', max_line_size=$line, buffer_size=$buffer)",
                    params={
                        "path": local,
                        "header": header,
                        "delim": delimiter,
                        "line": LINE_BYTES_MAX,
                        "buffer": BUFFER_BYTES,
                    },
                )
                yield from _batches(relation, header, rows_of, chosen)
            except (duckdb.Error, OSError, pa.ArrowException) as problem:
                raise Invalid(_broken(path, delimiter, problem)) from problem


def _batches(
    relation: Any, header: bool, rows_of: Callable[[int], int], chosen: Callable[[list[str]], list[str]] | None
) -> Generator[Any]:
    own: list[str] = list(relation.columns)
    names = own if header else [f"_c{place}" for place in range(len(own))]
    wanted = names if chosen is None else chosen(names)
    if wanted != names:
        quoted = ['"' + own[names.index(name)].replace('"', '""') + '"' for name in wanted]
        relation = relation.project(", ".join(quoted) or "NULL")
    schema = pa.schema([pa.field(name, pa.string()) for name in wanted])
    yield pa.RecordBatch.from_arrays([pa.nulls(0, pa.string()) for _ in wanted], schema=schema)
    for batch in relation.to_arrow_reader(rows_of(len(own))) if wanted else ():
        yield batch.rename_columns(wanted)


def delimiter_at(path: str) -> str:
    """A comma, as the service has it, unless the first line holds none and is parted by another sign."""
    try:
        with lines_of(path) as file:
            first = file.readline(LINE_BYTES_MAX).decode("utf-8", "replace")
    except BROKEN as problem:
        raise damaged(path, problem) from problem
    found = delimiter_of(first)
    return found if "," not in first or ".tsv" in os.path.basename(path) else ","


def first_row(path: str, delimiter: str) -> list[str]:
    """The values of the first line of a CSV file.

    Raises:
        Invalid: it holds none, or cannot be read.
    """
    with csv_lines(path, delimiter) as lines:
        first = next(lines, [])
    if not first:
        raise Invalid(f"The file {path!r} holds nothing in its first line.")
    return first


def _broken(path: str, delimiter: str, problem: Exception) -> str:
    return ragged_line(path, delimiter) or f"{path} cannot be read as CSV: {str(problem).splitlines()[0][:200]}"


def pieces_of_lines(path: str, left_out: LeftOut, rows_max: int) -> Generator[list[Row]]:
    """The rows of JSON lines, of a JSON list (read whole), or of capture records, so many at once or a few more.

    A line that holds no record is left out and told.

    Raises:
        Invalid: not one line can be read, a cut archive, or a JSON list that would not fit into memory.
        NotImplementedYet: captured JSON bodies that have no columns.
    """
    must_be_bytes_of_utf8(path)
    rows: list[Row] = []
    any_rows, first, read = False, "", None
    try:
        with lines_of(path) as lines:
            for place, line in enumerate(lines, 1):
                text = line.removeprefix(_BOM) if place == 1 else line
                if not text.strip():
                    continue
                if read is None and text.lstrip()[:1] == b"[":
                    must_fit_whole(path)
                    yield _listed(path, text + lines.read())
                    return
                read = read or (_captured if b'"captureData"' in text else _object)
                try:
                    rows += read(text)
                except NotImplementedYet:
                    raise
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Invalid) as problem:
                    cause = problem.__cause__ if isinstance(problem, Invalid) else problem
                    reason = plainly(cause) + "." if isinstance(cause, ValueError) else str(problem)
                    note = f"{path}, line {place} was left out: {reason}"
                    first = first or note
                    left_out.add(note)
                if len(rows) >= rows_max:
                    any_rows = True
                    yield rows
                    rows = []
    except BROKEN as problem:
        raise damaged(path, problem) from problem
    if rows:
        yield rows
    elif not any_rows and left_out.count:
        raise Invalid(f"{path} holds no JSON object. {first}", hint="Write one JSON object on each line.")


def _object(line: bytes) -> list[Row]:
    text = line.decode()
    values = msgspec.json.decode(line, type=dict[str, Any])
    must_name_once(text)
    return [_texts(values)]


def _listed(path: str, content: bytes) -> list[Row]:
    try:
        return [_texts(one) for one in msgspec.json.decode(content, type=list[dict[str, Any]])]
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise Invalid(f"{path} is neither JSON lines nor a list of JSON objects: {problem}.") from problem


def _texts(values: dict[str, Any]) -> Row:
    """Objects inside are columns by the path of the value; lists stay JSON, as they may be of any length."""
    return {name: text_of(value) for name, value in leaves(values)}


def _captured(line: bytes) -> list[Row]:
    (record,) = read_records(line.strip())
    if not isinstance(record, CaptureRecord | MergedRecord):
        raise Invalid("it is a label, not a capture record.")
    return rows_of(record)
