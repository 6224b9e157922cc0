"""CSV and JSON lines, read by DuckDB into Arrow batches; what DuckDB says about bad input is said again in plain words."""

import csv
import gzip
import io
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Any, TypeAlias

import duckdb
import msgspec
import pyarrow as pa

from modelward.analysis.profiles import TypeChanged
from modelward.kernel.errors import Invalid

BATCH_ROWS = 65_536
LINE_BYTES_MAX = 8 << 20
NAME_LENGTH_MAX = 1_000
REJECTED_SHOWN_MAX = 5

Opened: TypeAlias = tuple[Any, Iterable[Any], int, tuple[str, ...]]


@contextmanager
def read_csv(paths: list[str], folder: str, *, decimal: str, sure: bool) -> Iterator[Opened]:
    """Stream CSV files of one shape: schema, batches, rejected records, notes.

    Types come from the first 20 000 rows, or from all rows when ``sure`` (which reads twice).

    Raises:
        Invalid: no bytes, ragged rows, two columns of one name, a line over 8 MiB, not UTF-8, or a cut archive.
        TypeChanged: not ``sure``, and a late row does not fit.
    """
    with _connection() as connection:
        try:
            for path in paths:
                _check_header(connection, path)
            relation = connection.sql(
                "SELECT * FROM read_csv($paths, union_by_name=true, max_line_size=$line, decimal_separator=$decimal, "
                "sample_size=$sample)",
                params={"paths": paths, "line": LINE_BYTES_MAX, "decimal": decimal, "sample": -1 if sure else 20_480},
            )
            reader = relation.to_arrow_reader(BATCH_ROWS)
        except (duckdb.Error, OSError, pa.ArrowException) as problem:
            raise explained(paths, problem, sure) from problem
        yield reader.schema, _batches(reader, paths, sure), 0, ()


@contextmanager
def _connection() -> Iterator[Any]:
    connection = duckdb.connect(config={"threads": min(8, os.cpu_count() or 1)})
    try:
        yield connection
    finally:
        connection.close()


def _batches(reader: Any, paths: list[str], sure: bool) -> Iterator[Any]:
    try:
        yield from reader
    except (duckdb.Error, OSError, pa.ArrowException) as problem:
        raise explained(paths, problem, sure) from problem


def _check_header(connection: Any, path: str) -> None:
    first = _first_line(path)
    if not first.strip():
        raise Invalid(f"The file {path!r} has no header: its first line is empty.")
    found = connection.execute(
        "SELECT Delimiter, Quote, HasHeader FROM sniff_csv($path, max_line_size=$line)",
        {"path": path, "line": LINE_BYTES_MAX},
    ).fetchall()
    delimiter, quote, has_header = found[0]
    if not has_header:
        return
    quote = quote if len(quote) == 1 else None
    names = next(csv.reader(io.StringIO(first), delimiter=delimiter, quotechar=quote or "\0"))
    longest = max(names, key=len)
    if len(longest) > NAME_LENGTH_MAX:
        raise Invalid(
            f"The first line of {path!r} is {len(first)} characters long and holds a column name of {len(longest)}; "
            f"at most {NAME_LENGTH_MAX} are allowed.",
            hint="Is this a table with a header line?",
        )
    for name in names:
        if names.count(name) > 1:
            raise Invalid(f"{path} has more than one column named {name!r}.", field=name, hint="Rename one of them.")


def _first_line(path: str) -> str:
    try:
        with _binary(path) as file:
            line = file.readline(LINE_BYTES_MAX + 1)
        # The whole header may stand on several lines when a quoted name holds a line break; the first tells enough.
        return line.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise Invalid(
            f"The file {path!r} is not UTF-8: byte {problem.start + 1} of its first line is "
            f"0x{problem.object[problem.start]:02x}.",
            hint="Convert it to UTF-8, for example with iconv.",
        ) from problem
    except (EOFError, gzip.BadGzipFile) as problem:
        raise Invalid(f"The file {path!r} is a gzip archive that cannot be read: {problem}.") from problem


def _binary(path: str) -> IO[bytes]:
    return gzip.open(path) if path.lower().endswith(".gz") else open(path, "rb")  # type: ignore[return-value]


def explained(paths: list[str], problem: Exception, sure: bool) -> Exception:
    """Say in our words what DuckDB found wrong; a column of late-changing type is no error unless all rows were seen."""
    text = str(problem)
    name = _file_in(text, paths)
    line = re.search(r"CSV Error on Line: (\d+)", text)
    where = f"{name}, line {line[1]}" if line else name
    if "Could not convert string" in text or "Conversion Error" in text:
        if not sure:
            return TypeChanged(text[:500])
        found = re.search(r'converting column "(.*?)"\. Could not convert string "(.*?)" to \'(.*?)\'', text, re.DOTALL)
        if found:
            return Invalid(
                f"{where}: column {found[1]!r} holds {found[2][:80]!r}, which is not {found[3]}.", field=found[1]
            )
    columns = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", text)
    if columns:
        return Invalid(f"{where} has {columns[2]} values where the header has {columns[1]} columns.")
    if "Maximum line size" in text or "maximum_object_size" in text:
        return Invalid(f"{where}: a line is longer than {LINE_BYTES_MAX >> 20} MiB, the most that is read.")
    if "unicode" in text.lower() or "utf-8" in text.lower():
        return Invalid(f"{where} is not UTF-8.", hint="Convert it to UTF-8, for example with iconv.")
    if "gzip" in text.lower():
        return Invalid(f"{name} is a gzip archive that is cut short or damaged.", hint="Copy the file again.")
    return Invalid(f"{where} cannot be read as a table: {text.splitlines()[0][:200]}")


def _file_in(text: str, paths: list[str]) -> str:
    return next((path for path in paths if path in text), paths[0])


@contextmanager
def read_json(paths: list[str], folder: str, *, decimal: str, sure: bool) -> Iterator[Opened]:
    """Stream JSON lines: schema, batches, number of rejected records, notes that name their lines.

    A line that is not a JSON object is left out and counted; the first five are named.

    Raises:
        Invalid: not one line is a JSON object, or a record is over 8 MiB.
    """
    with _connection() as connection:
        rejected, notes = 0, []
        try:
            reader, schema = _open_json(connection, paths)
        except (duckdb.Error, OSError, pa.ArrowException):
            cleaned = [_without_rejects(path, folder, number) for number, path in enumerate(paths)]
            rejected = sum(count for _, count, _ in cleaned)
            notes = [note for _, _, some in cleaned for note in some]
            try:
                reader, schema = _open_json(connection, [path for path, _, _ in cleaned])
            except (duckdb.Error, OSError, pa.ArrowException) as problem:
                raise explained(paths, problem, sure=True) from problem
        yield schema, _batches(reader, paths, True), rejected, tuple(notes)


def _open_json(connection: Any, paths: list[str]) -> tuple[Any, Any]:
    # All records are looked at first: a broken line or a late change of type then shows before any batch is given out.
    relation = connection.sql(
        "SELECT * FROM read_json($paths, format=$format, records=true, sample_size=-1, union_by_name=true, "
        "maximum_object_size=$line)",
        params={"paths": paths, "format": _json_format(paths[0]), "line": LINE_BYTES_MAX},
    )
    reader = relation.to_arrow_reader(BATCH_ROWS)
    return reader, reader.schema


def _json_format(path: str) -> str:
    with _binary(path) as file:
        head = file.read(1024).lstrip(b"\xef\xbb\xbf \t\r\n")
    return "array" if head.startswith(b"[") else "newline_delimited"


def _without_rejects(path: str, folder: str, number: int) -> tuple[str, int, list[str]]:
    target = os.path.join(folder, f"clean-{number}.jsonl")
    decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
    rejected, kept, notes = 0, 0, []
    try:
        with _binary(path) as lines, open(target, "wb") as clean:
            for place, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                try:
                    decoder.decode(line if place > 1 else line.removeprefix(b"\xef\xbb\xbf"))
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
                    rejected += 1
                    if rejected <= REJECTED_SHOWN_MAX:
                        notes.append(f"{path}, line {place} was left out: {_plainly(problem)}.")
                    continue
                kept += 1
                clean.write(line if place > 1 else line.removeprefix(b"\xef\xbb\xbf"))
    except (EOFError, gzip.BadGzipFile) as problem:
        raise Invalid(
            f"{path} is a gzip archive that is cut short or damaged.", hint="Copy the file again."
        ) from problem
    if kept == 0:
        reason = notes[0] if notes else f"{path} holds only empty lines."
        raise Invalid(f"{path} holds no JSON object. {reason}", hint="Write one JSON object on each line.")
    return target, rejected, notes


def _plainly(problem: Exception) -> str:
    text = str(problem)
    return "it is JSON, but not an object" if "Expected `object`" in text else f"it is not JSON ({text[:100]})"
