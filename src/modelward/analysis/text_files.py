"""CSV, read by DuckDB into Arrow batches; what DuckDB says about bad input is said again in plain words."""

import csv
import io
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeAlias

import duckdb
import pyarrow as pa

from modelward.analysis.columns import TypeChanged
from modelward.analysis.left_out import LeftOut
from modelward.analysis.packed_files import BROKEN, damaged, lines_of, unpacked
from modelward.kernel.errors import Invalid

BATCH_ROWS = 65_536
LINE_BYTES_MAX = 8 << 20
NAME_LENGTH_MAX = 1_000
MEMORY_MB_MAX = 640
"""DuckDB holds read-ahead up to here, however large the file."""
WIDE = 500
"""A CSV file of more columns is read by what one look at it found."""

Opened: TypeAlias = tuple[Any, Iterable[Any], LeftOut]
"""The schema, the batches, and what is left out on the way."""


@contextmanager
def read_csv(paths: list[str], folder: str, *, decimal: str, sure: bool) -> Iterator[Opened]:
    """Stream CSV files of one shape: schema, batches, nothing left out.

    Types come from the first 20 000 rows, or from all rows when ``sure`` (which reads twice).

    Raises:
        Invalid: no bytes, ragged rows, two columns of one name, a line over 8 MiB, not UTF-8, or a cut archive.
        TypeChanged: not ``sure``, and a late row does not fit.
    """
    files = [File(path, unpacked(path, folder, number)) for number, path in enumerate(paths)]
    with connected() as connection:
        try:
            headers = [_check_header(connection, file, decimal, sure) for file in files]
            columns = max(header.columns for header in headers)
            if len({header.delimiter for header in headers}) > 1:
                raise Invalid(f"{paths[0]} and other files of the same table have different delimiters.")
            if columns > WIDE and len(paths) == 1:
                # DuckDB takes seconds to find out about so many columns, and would do so three times.
                relation = connection.sql(headers[0].query)
            else:
                connection.execute(f"SET memory_limit='{MEMORY_MB_MAX}MB'")
                relation = connection.sql(
                    "SELECT * FROM read_csv($paths, union_by_name=true, max_line_size=$line, decimal_separator=$decimal, "
                    f"sample_size=$sample, delim=$delim, {_types(headers)}{_AS_WRITTEN})",
                    params={
                        "paths": [file.path for file in files],
                        "line": LINE_BYTES_MAX,
                        "decimal": decimal,
                        "sample": -1 if sure else 20_480,
                        "delim": headers[0].delimiter,
                    },
                )
            reader = relation.to_arrow_reader(BATCH_ROWS)
        except (duckdb.Error, OSError, pa.ArrowException) as problem:
            raise explained(files, problem, sure) from problem
        yield reader.schema, gathered(batches_from(reader, files, sure)), LeftOut()


# Nothing is passed over: no comments, no lines before the header, no values beyond or short of it.
_AS_WRITTEN = "quote='\"', escape='\"', comment='', skip=0, null_padding=false, ignore_errors=false, strict_mode=true"


class File(NamedTuple):
    """A file by the name that the user gave it, and where it is read."""

    name: str
    path: str


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


def batches_from(reader: Any, files: list[File], sure: bool) -> Iterator[Any]:
    """The batches of a reader; what goes wrong is said in our words."""
    try:
        yield from reader
    except (duckdb.Error, OSError, pa.ArrowException) as problem:
        raise explained(files, problem, sure) from problem


def gathered(batches: Iterable[Any]) -> Iterator[Any]:
    """The same rows in fewer batches where they are short: a batch costs something for every column, however few its rows."""
    waiting: list[Any] = []
    for batch in batches:
        rows = sum(each.num_rows for each in waiting)
        if waiting and rows + batch.num_rows > max(1_024, min(16_384, 8_000_000 // max(1, batch.num_columns))):
            yield _joined(waiting)
            waiting = []
        waiting.append(batch)
    if waiting:
        yield _joined(waiting)


def _joined(batches: list[Any]) -> Any:
    return batches[0] if len(batches) == 1 else pa.concat_batches(batches)


class _Header(NamedTuple):
    columns: int
    delimiter: str
    query: str
    texts: tuple[str, ...]


def delimiter_of(first: str) -> str:
    """The sign that parts the first line into the most values; a comma where none does."""
    bare = re.sub(r'"[^"]*"', "", first)
    return max(",;\t|", key=bare.count)


def _check_header(connection: Any, file: File, decimal: str, sure: bool) -> _Header:
    """Look at the names in the header; tell how many columns there are, and the statement that reads them."""
    path, first = file.name, _first_line(file.name)
    if not first.strip():
        raise Invalid(f"The file {path!r} has no header: its first line is empty.")
    wide, delimiter = len(first) > 4 * WIDE, delimiter_of(first)
    sample = -1 if sure and wide else 2_048
    found = connection.execute(
        "SELECT HasHeader, DateFormat, TimestampFormat, Columns FROM "
        f"sniff_csv($path, max_line_size=$line, decimal_separator=$decimal, sample_size=$sample, delim=$delim, {_AS_WRITTEN})",
        {
            "path": file.path, "line": LINE_BYTES_MAX, "decimal": decimal, "sample": sample, "delim": delimiter,
        },
    ).fetchall()  # fmt: skip
    has_header, dates, times, columns = found[0]
    given = {"delim": delimiter, "decimal_separator": decimal, "dateformat": dates, "timestampformat": times}
    texts = _no_truths(connection, file.path, delimiter, columns)
    types = {column["name"]: "VARCHAR" if column["name"] in texts else column["type"] for column in columns}
    names_and_types = ", ".join(f"{_text(name)}: {_text(kind)}" for name, kind in types.items())
    settings = "".join(f", {name}={_text(value)}" for name, value in given.items() if value is not None)
    query = (
        f"SELECT * FROM read_csv({_text(file.path)}, auto_detect=false, header={has_header}, {_AS_WRITTEN}, "
        f"max_line_size={LINE_BYTES_MAX}, columns={{{names_and_types}}}{settings})"
    )
    header = _Header(len(columns), delimiter, query, texts)
    if not has_header:
        return header
    names = next(csv.reader(io.StringIO(first), delimiter=delimiter))
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


def _types(headers: list[_Header]) -> str:
    """What is known better of all files than DuckDB would guess."""
    texts = sorted({name for header in headers for name in header.texts})
    return "types={" + ", ".join(f"{_text(name)}: 'VARCHAR'" for name in texts) + "}, " if texts else ""


def _no_truths(connection: Any, path: str, delimiter: str, columns: list[dict[str, str]]) -> tuple[str, ...]:
    """Columns that DuckDB takes for truths, but that hold ``f`` or ``t``: a sex, say, of which one occurs."""
    names = [column["name"] for column in columns if column["type"] == "BOOLEAN"]
    if not names:
        return ()
    odd = ", ".join(f"""bool_or(lower({_named(name)}) NOT IN ('true', 'false'))""" for name in names)
    found = connection.sql(
        f"SELECT {odd} FROM (FROM read_csv($path, all_varchar=true, delim=$delim, max_line_size=$line, {_AS_WRITTEN}) LIMIT 20480)",
        params={"path": path, "delim": delimiter, "line": LINE_BYTES_MAX},
    ).fetchall()[0]
    return tuple(name for name, is_odd in zip(names, found, strict=True) if is_odd)


def _named(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


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
    except BROKEN as problem:
        raise damaged(path, problem) from problem


BOM = b"\xef\xbb\xbf"


@contextmanager
def csv_lines(path: str, delimiter: str) -> Iterator[Iterator[list[str]]]:
    """The records of a CSV file one by one, slowly: to say where one is broken.

    Raises:
        Invalid: a line is not UTF-8 or no CSV, or a cut archive.
    """
    # Each line is decoded apart, so that the number of a bad one is known.
    number = 0

    def texts(file: Iterable[bytes]) -> Iterator[str]:
        nonlocal number
        for number, line in enumerate(file, 1):
            yield (line.removeprefix(BOM) if number == 1 else line).decode()

    before = csv.field_size_limit(LINE_BYTES_MAX)
    try:
        with lines_of(path) as file:
            yield csv.reader(texts(file), delimiter=delimiter)
    except UnicodeDecodeError as problem:
        raise Invalid(
            f"{path}, line {number} is not UTF-8: byte {problem.start + 1} is 0x{problem.object[problem.start]:02x}.",
            hint="Convert it to UTF-8, for example with iconv.",
        ) from problem
    except csv.Error as problem:
        raise Invalid(f"{path}, line {number} is no CSV: {problem}.") from problem
    except BROKEN as problem:
        raise damaged(path, problem) from problem
    finally:
        csv.field_size_limit(before)


def ragged_line(path: str, delimiter: str) -> str | None:
    """Which record of a CSV file has another number of values than the first; None where all have the same."""
    with csv_lines(path, delimiter) as lines:
        width = len(next(lines, []))
        for place, line in enumerate(lines, 2):
            if line and len(line) != width:
                return f"{path}, line {place} has {len(line)} values where the first has {width}."
    return None


def explained(files: list[File], problem: Exception, sure: bool) -> Exception:
    """Say in our words what DuckDB found wrong; a column of late-changing type is no error unless all rows were seen."""
    text = str(problem)
    name = _file_in(text, files)
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
    if "sniffing" in text:
        told = ragged_line(name, delimiter_of(_first_line(name)))
        return Invalid(told or f"{name} cannot be read as a table: it is no CSV by its first lines.")
    columns = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", text)
    if columns:
        return Invalid(f"{where} has {columns[2]} values where the header has {columns[1]} columns.")
    if "Maximum line size" in text or "maximum_object_size" in text:
        return Invalid(f"{where}: a line is longer than {LINE_BYTES_MAX >> 20} MiB, the most that is read.")
    if "unicode" in text.lower() or "utf-8" in text.lower():
        return Invalid(f"{where} is not UTF-8.", hint="Convert it to UTF-8, for example with iconv.")
    if any(sign in text.lower() for sign in ("gzip", "zstd", "compressed stream")):
        return damaged(name, problem)
    for file in files:
        text = text.replace(file.path, file.name)
    return Invalid(f"{where} cannot be read as a table: {text.splitlines()[0][:200]}")


def _file_in(text: str, files: list[File]) -> str:
    return next((file.name for file in files if file.path in text), files[0].name if files else "The file")


def plainly(problem: Exception) -> str:
    """What is wrong with a line, in our words."""
    text = str(problem)
    if isinstance(problem, UnicodeDecodeError):
        return f"it is not UTF-8 (byte {problem.start + 1} is 0x{problem.object[problem.start]:02x})"
    return "it is JSON, but not an object" if "Expected `object`" in text else f"it is not JSON ({text[:100]})"
