"""Text files as tables of texts: CSV by DuckDB without types, JSON lines and captures line by line."""

import os
import tempfile
from contextlib import closing
from typing import Any

import duckdb
import msgspec
import pyarrow as pa

from modelward.analysis.formats.captures import CaptureRecord, MergedRecord, read_records, rows_of, text_of
from modelward.analysis.left_out import LeftOut
from modelward.analysis.packed_files import BROKEN, damaged, lines_of, unpacked
from modelward.analysis.text_files import LINE_BYTES_MAX, csv_lines, delimiter_of, plainly, ragged_line
from modelward.kernel.errors import Invalid, NotImplementedYet

Row = dict[str, str | None]

TEXTS_OVER_FILE = 6
"""How much more memory a table of texts takes than its file, for numbers that hardly repeat."""
_BOM = b"\xef\xbb\xbf"


def must_fit(paths: list[str]) -> None:
    """Refuse tables that would not fit into memory, as texts, before reading them.

    Raises:
        Invalid: they would not.
    """
    with open("/proc/meminfo") as lines:
        free = next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable"))
    size = sum(os.path.getsize(path) for path in paths)
    if size * TEXTS_OVER_FILE > free:
        raise Invalid(
            f"{paths[0]}{' and others' if len(paths) > 1 else ''}: {size / 1e9:.1f} GB of data would take more than the "
            f"{free / 1e9:.1f} GB of memory that are free, since texts are held whole.",
            hint="Give fewer rows, or use `modelward watch`, which holds none.",
        )


def csv_table(path: str, *, header: bool) -> tuple[Any, bool]:
    """A CSV file as an Arrow table of texts, and whether the names of its columns are its own.

    Raises:
        Invalid: no bytes, ragged rows, two columns of one name, a line over 8 MiB, not UTF-8, or a cut archive.
    """
    with tempfile.TemporaryDirectory(prefix="modelward-") as folder:
        local = unpacked(path, folder, 0)
        delimiter = _delimiter(path)
        first = _first_row(path, delimiter)
        if header and (twice := sorted({name for name in first if first.count(name) > 1})):
            raise Invalid(
                f"{path} has more than one column named {twice[0]!r}.", field=twice[0], hint="Rename one of them."
            )
        with closing(duckdb.connect(config={"threads": 1})) as connection:
            try:
                relation = connection.sql(
                    "SELECT * FROM read_csv($path, all_varchar=true, header=$header, delim=$delim, quote='\"', "
                    "escape='\"', nullstr='', skip=0, comment='', max_line_size=$line)",
                    params={"path": local, "header": header, "delim": delimiter, "line": LINE_BYTES_MAX},
                )
                table = relation.to_arrow_table()
            except (duckdb.Error, pa.ArrowException) as problem:
                raise Invalid(_broken(path, delimiter, problem)) from problem
    if header:
        return table, True
    return table.rename_columns([f"_c{place}" for place in range(table.num_columns)]), False


def _delimiter(path: str) -> str:
    """A comma, as the service has it, unless the first line holds none and is parted by another sign."""
    try:
        with lines_of(path) as file:
            first = file.readline(LINE_BYTES_MAX).decode("utf-8", "replace")
    except BROKEN as problem:
        raise damaged(path, problem) from problem
    found = delimiter_of(first)
    return found if "," not in first or ".tsv" in os.path.basename(path) else ","


def _first_row(path: str, delimiter: str) -> list[str]:
    with csv_lines(path, delimiter) as lines:
        first = next(lines, [])
    if not first:
        raise Invalid(f"The file {path!r} holds nothing in its first line.")
    return first


def _broken(path: str, delimiter: str, problem: Exception) -> str:
    return ragged_line(path, delimiter) or f"{path} cannot be read as CSV: {str(problem).splitlines()[0][:200]}"


def rows_of_lines(path: str, left_out: LeftOut) -> list[Row]:
    """The rows of JSON lines, of a JSON list, or of capture records; a line that holds none is left out and told.

    Raises:
        Invalid: not one line can be read, or a cut archive.
        NotImplementedYet: a captured JSON body is not flat.
    """
    with tempfile.TemporaryDirectory(prefix="modelward-") as folder:
        unpacked(path, folder, 0)
    rows: list[Row] = []
    first, read = "", None
    try:
        with lines_of(path) as lines:
            for place, line in enumerate(lines, 1):
                text = line.removeprefix(_BOM) if place == 1 else line
                if not text.strip():
                    continue
                if read is None and text.lstrip()[:1] == b"[":
                    return _listed(path, text + lines.read())
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
    except BROKEN as problem:
        raise damaged(path, problem) from problem
    if not rows and left_out.count:
        raise Invalid(f"{path} holds no JSON object. {first}", hint="Write one JSON object on each line.")
    return rows


def _object(line: bytes) -> list[Row]:
    line.decode()
    return [_texts(msgspec.json.decode(line, type=dict[str, Any]))]


def _listed(path: str, content: bytes) -> list[Row]:
    try:
        return [_texts(one) for one in msgspec.json.decode(content, type=list[dict[str, Any]])]
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise Invalid(f"{path} is neither JSON lines nor a list of JSON objects: {problem}.") from problem


def _texts(values: dict[str, Any]) -> Row:
    return {name: text_of(value) for name, value in values.items()}


def _captured(line: bytes) -> list[Row]:
    (record,) = read_records(line.strip())
    if not isinstance(record, CaptureRecord | MergedRecord):
        raise Invalid("it is a label, not a capture record.")
    return rows_of(record)
