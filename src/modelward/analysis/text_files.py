"""CSV and JSON lines, read by DuckDB into Arrow batches; what DuckDB says about bad input is said again in plain words."""

import csv
import gzip
import io
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Any, NamedTuple, TypeAlias

import duckdb
import msgspec
import pyarrow as pa

from modelward.analysis.columns import TypeChanged
from modelward.kernel.errors import Invalid

BATCH_ROWS = 65_536
LINE_BYTES_MAX = 8 << 20
NAME_LENGTH_MAX = 1_000
REJECTED_SHOWN_MAX = 5
MEMORY_MB_MAX = 640
"""DuckDB holds read-ahead up to here, however large the file."""
WIDE = 500
"""A CSV file of more columns is read by what one look at it found."""

Opened: TypeAlias = tuple[Any, Iterable[Any], int, tuple[str, ...]]


@contextmanager
def read_csv(paths: list[str], folder: str, *, decimal: str, sure: bool) -> Iterator[Opened]:
    """Stream CSV files of one shape: schema, batches, rejected records, notes.

    Types come from the first 20 000 rows, or from all rows when ``sure`` (which reads twice).

    Raises:
        Invalid: no bytes, ragged rows, two columns of one name, a line over 8 MiB, not UTF-8, or a cut archive.
        TypeChanged: not ``sure``, and a late row does not fit.
    """
    with connected() as connection:
        try:
            headers = [_check_header(connection, path, decimal, sure) for path in paths]
            columns = max(header.columns for header in headers)
            if columns > WIDE and len(paths) == 1:
                # DuckDB takes seconds to find out about so many columns, and would do so three times.
                relation = connection.sql(headers[0].query)
            else:
                connection.execute(f"SET memory_limit='{MEMORY_MB_MAX}MB'")
                relation = connection.sql(
                    "SELECT * FROM read_csv($paths, union_by_name=true, max_line_size=$line, decimal_separator=$decimal, "
                    "sample_size=$sample)",
                    params={
                        "paths": paths,
                        "line": LINE_BYTES_MAX,
                        "decimal": decimal,
                        "sample": -1 if sure else 20_480,
                    },
                )
            reader = relation.to_arrow_reader(BATCH_ROWS)
        except (duckdb.Error, OSError, pa.ArrowException) as problem:
            raise explained(paths, problem, sure) from problem
        yield reader.schema, batches_from(reader, paths, sure), 0, ()


@contextmanager
def connected() -> Iterator[Any]:
    """A DuckDB in memory for the time of a read."""
    connection = duckdb.connect(config={"threads": min(8, os.cpu_count() or 1)})
    try:
        # DuckDB draws its progress on the output, which may be JSON.
        connection.execute("SET enable_progress_bar=false")
        # Each file is read once: what DuckDB would keep of it is memory that grows with the file.
        connection.execute("SET enable_external_file_cache=false")
        yield connection
    finally:
        connection.close()


def batches_from(reader: Any, paths: list[str], sure: bool) -> Iterator[Any]:
    """The batches of a reader; what goes wrong is said in our words."""
    try:
        yield from reader
    except (duckdb.Error, OSError, pa.ArrowException) as problem:
        raise explained(paths, problem, sure) from problem


class _Header(NamedTuple):
    columns: int
    query: str


def _check_header(connection: Any, path: str, decimal: str, sure: bool) -> _Header:
    """Look at the names in the header; tell how many columns there are, and the statement that reads them."""
    first = _first_line(path)
    if not first.strip():
        raise Invalid(f"The file {path!r} has no header: its first line is empty.")
    wide = len(first) > 4 * WIDE
    found = connection.execute(
        "SELECT Delimiter, Quote, HasHeader, Escape, SkipRows, DateFormat, TimestampFormat, Columns FROM "
        "sniff_csv($path, max_line_size=$line, decimal_separator=$decimal, sample_size=$sample)",
        {"path": path, "line": LINE_BYTES_MAX, "decimal": decimal, "sample": -1 if sure and wide else 2_048},
    ).fetchall()
    delimiter, quote, has_header, escape, skipped, dates, times, columns = found[0]
    # DuckDB says "(empty)" for no sign at all.
    given = {"delim": delimiter, "quote": _sign(quote), "escape": _sign(escape), "decimal_separator": decimal}
    given |= {"dateformat": dates, "timestampformat": times}
    names_and_types = ", ".join(f"{_text(column['name'])}: {_text(column['type'])}" for column in columns)
    settings = "".join(f", {name}={_text(value)}" for name, value in given.items() if value is not None)
    query = (
        f"SELECT * FROM read_csv({_text(path)}, auto_detect=false, header={has_header}, skip={skipped}, "
        f"max_line_size={LINE_BYTES_MAX}, columns={{{names_and_types}}}{settings})"
    )
    header = _Header(len(columns), query)
    if not has_header:
        return header
    quote = quote if len(quote) == 1 else None
    names = next(csv.reader(io.StringIO(first), delimiter=delimiter, quotechar=quote or "\0"))
    longest = max(names, key=len)
    if len(longest) > NAME_LENGTH_MAX:
        raise Invalid(
            f"The first line of {path!r} is {len(first)} characters long and holds a column name of {len(longest)}; "
            f"at most {NAME_LENGTH_MAX} are allowed.",
            hint="Is this a table with a header line?",
        )
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise Invalid(
            f"{path} has more than one column named {twice[0]!r}.", field=twice[0], hint="Rename one of them."
        )
    return header


def _sign(value: str) -> str:
    return value if len(value) == 1 and value != "\0" else ""


def _text(value: str) -> str:
    """A text as SQL."""
    return "'" + value.replace("'", "''") + "'"


def _first_line(path: str) -> str:
    try:
        with lines_of(path) as file:
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


def lines_of(path: str) -> IO[bytes]:
    """A file as bytes, unpacked where its name ends in .gz."""
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
    return next((path for path in paths if path in text), paths[0] if paths else "The file")


@contextmanager
def read_json(paths: list[str], folder: str, *, decimal: str, sure: bool) -> Iterator[Opened]:
    """Stream JSON lines: schema, batches, number of rejected records, notes that name their lines.

    A line that is not a JSON object is left out and counted; the first five are named.

    Raises:
        Invalid: not one line is a JSON object, or a record is over 8 MiB.
    """
    with connected() as connection:
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
        yield schema, batches_from(reader, paths, True), rejected, tuple(notes)


def _open_json(connection: Any, paths: list[str]) -> tuple[Any, Any]:
    # All records are looked at first: a broken line or a late change of type then shows before any batch is given out.
    relation = connection.sql(
        "SELECT * FROM read_json($paths, format=$format, records=true, sample_size=-1, union_by_name=true, "
        "map_inference_threshold=-1, maximum_object_size=$line)",
        params={"paths": paths, "format": _json_format(paths[0]), "line": LINE_BYTES_MAX},
    )
    reader = relation.to_arrow_reader(BATCH_ROWS)
    return reader, reader.schema


def _json_format(path: str) -> str:
    with lines_of(path) as file:
        head = file.read(1024).lstrip(b"\xef\xbb\xbf \t\r\n")
    return "array" if head.startswith(b"[") else "newline_delimited"


def _without_rejects(path: str, folder: str, number: int) -> tuple[str, int, list[str]]:
    target = os.path.join(folder, f"clean-{number}.jsonl")
    decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
    rejected, kept, notes = 0, 0, []
    try:
        with lines_of(path) as lines, open(target, "wb") as clean:
            for place, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                try:
                    decoder.decode(line if place > 1 else line.removeprefix(b"\xef\xbb\xbf"))
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
                    rejected += 1
                    if rejected <= REJECTED_SHOWN_MAX:
                        notes.append(f"{path}, line {place} was left out: {plainly(problem)}.")
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


def plainly(problem: Exception) -> str:
    """What is wrong with a line, in our words."""
    text = str(problem)
    return "it is JSON, but not an object" if "Expected `object`" in text else f"it is not JSON ({text[:100]})"
