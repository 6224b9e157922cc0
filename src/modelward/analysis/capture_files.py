"""Capture records as tables: plain CSV bodies by DuckDB at full speed, everything else record by record.

Outputs stand before inputs, as is the default of the hosted service. Columns of CSV bodies are ``_c0``, ``_c1``, ...; those
of JSON bodies have the path of the value (``address.city``, ``instances[0]``).
"""

import csv
import itertools
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import duckdb
import msgspec
import pyarrow as pa

from modelward.analysis.columns import TypeChanged
from modelward.analysis.formats.captures import CaptureData, Payload
from modelward.analysis.text_files import (
    BATCH_ROWS,
    LINE_BYTES_MAX,
    REJECTED_SHOWN_MAX,
    Opened,
    batches_from,
    connected,
    lines_of,
    plainly,
    read_json,
)
from modelward.kernel.errors import Invalid

ODD = "modelward: not a plain capture record"
SAMPLE_ROWS = 2_048
WHOLE = r"[-+]?[0-9]{1,15}"
ELEMENTS_MAX = 10_000

Cell: TypeAlias = str | int | float | bool | None
Row: TypeAlias = dict[str, Any]

_BODY = "STRUCT(data VARCHAR, encoding VARCHAR)"
_SIDES = ("endpointOutput", "batchTransformOutput", "endpointInput")


class _Odd(Exception):
    """Some record is not plain: it must be read record by record."""


class _Side(msgspec.Struct, frozen=True):
    """A body: its key, its number of values, whether it ends in a line break, whether values are missing in it."""

    key: str
    values: int
    ends: bool
    empties: bool

    @property
    def text(self) -> str:
        """The SQL of the body."""
        data = f"captureData.{self.key}.data"
        return f"rtrim({data}, chr(10) || chr(13))" if self.ends else data


class _Shape(msgspec.Struct, frozen=True):
    """The bodies of every record, and the type of each value."""

    sides: tuple[_Side, ...]
    types: tuple[str, ...]


def looks_like_captures(path: str) -> bool:
    """Whether a JSON lines file begins with a capture record."""
    try:
        with lines_of(path) as lines:
            head = lines.read(1 << 16)
    except (EOFError, OSError):
        # Who reads the file says what is wrong with it.
        return False
    return b'"captureData"' in head and b'"eventMetadata"' in head and head.lstrip()[:1] == b"{"


@contextmanager
def read_captures(paths: list[str], folder: str, *, decimal: str, sure: bool) -> Iterator[Opened]:
    """Stream the rows inside capture records: schema, batches, rejected records, notes.

    Types come from the first 2000 records, or from all when ``sure``.

    Raises:
        Invalid: no record can be read.
        TypeChanged: not ``sure``, and a late record does not fit.
    """
    with connected() as connection:
        try:
            shape = _shape(connection, paths if sure else [_sample(paths[0], folder)])
            reader = connection.sql(_query(shape, paths)).to_arrow_reader(BATCH_ROWS)
        except (_Odd, duckdb.Error, OSError, pa.ArrowException):
            reader = None
        if reader is not None:
            schema = pa.schema([(f"_c{place}", _ARROW[kind]()) for place, kind in enumerate(shape.types)])
            yield schema, _typed(reader, schema, sure), 0, ()
            return
    target = os.path.join(folder, "captures.jsonl")
    rejected, notes = _written_out(paths, target)
    with read_json([target], folder, decimal=decimal, sure=True) as (schema, batches, more, _):
        yield schema, batches, rejected + more, notes


_ARROW = {"whole": pa.int64, "number": pa.float64, "boolean": pa.bool_, "text": pa.string}
_CASTS = {"whole": "DOUBLE", "number": "DOUBLE", "boolean": "BOOLEAN"}


def _records(paths: list[str], keys: Iterable[str] = _SIDES) -> str:
    bodies = ", ".join(f"{key} {_BODY}" for key in keys)
    listed = ", ".join("'" + path.replace("'", "''") + "'" for path in paths)
    return (
        f"read_json([{listed}], format='newline_delimited', columns={{captureData: 'STRUCT({bodies})'}}, "
        f"maximum_object_size={LINE_BYTES_MAX})"
    )


def _sample(path: str, folder: str) -> str:
    target = os.path.join(folder, "sample.jsonl")
    with lines_of(path) as lines, open(target, "wb") as sample:
        sample.writelines(itertools.islice(lines, SAMPLE_ROWS))
    return target


def _shape(connection: Any, paths: list[str]) -> _Shape:
    records = _records(paths)
    asked = []
    for key in _SIDES:
        side, data = f"captureData.{key}", f"captureData.{key}.data"
        odd = f"{side}.encoding <> 'CSV' OR contains({data}, '\"') OR contains(rtrim({data}, chr(10) || chr(13)), chr(10))"
        length = f"len(string_split({data}, ','))"
        asked += [f"count({data}), min({length}), max({length}), bool_or({odd}), bool_or(contains({data}, chr(10)))"]
        asked += [f"bool_or(contains(',' || rtrim({data}, chr(10) || chr(13)) || ',', ',,'))"]
    rows, *counted = connection.execute(f"SELECT count(*), {', '.join(asked)} FROM {records}").fetchall()[0]
    sides = []
    for place, key in enumerate(_SIDES):
        number, least, most, odd, ends, empties = counted[6 * place : 6 * place + 6]
        if number not in (0, rows) or odd or least != most:
            raise _Odd
        if number:
            sides.append(_Side(key, least, bool(ends), bool(empties)))
    if not sides or (len(sides) > 1 and sides[1].key == _SIDES[1]):
        raise _Odd
    values = " || ".join(f"string_split({side.text}, ',')" for side in sides)
    found = connection.execute(
        "SELECT place, count(x), count(*) FILTER (WHERE regexp_full_match(x, $whole)), count(TRY_CAST(x AS DOUBLE)), "
        "count(*) FILTER (WHERE lower(x) IN ('true', 'false')) FROM (SELECT place, nullif(trim(raw), '') AS x FROM (SELECT "
        f"unnest(range(len(v))) AS place, unnest(v) AS raw FROM (SELECT {values} AS v FROM {records}))) "
        "GROUP BY place ORDER BY place",
        {"whole": WHOLE},
    ).fetchall()
    return _Shape(tuple(sides), tuple(_type(*counts) for _, *counts in found))


def _type(present: int, whole: int, number: int, boolean: int) -> str:
    if present == 0:
        return "text"
    kinds = {"whole": whole, "number": number, "boolean": boolean}
    return next((kind for kind, count in kinds.items() if count == present), "text")


def _query(shape: _Shape, paths: list[str]) -> str:
    """One statement that ends in an error where a record is not of the shape."""
    odd = [f"len(v{number}) IS DISTINCT FROM {side.values}" for number, side in enumerate(shape.sides)]
    odd += [f"captureData.{side.key}.encoding <> 'CSV'" for side in shape.sides]
    if "text" in shape.types:
        # Where all values are numbers, such signs end the cast.
        signs = [f"contains({side.text}, {sign})" for side in shape.sides for sign in ("'\"'", "chr(10)")]
        odd += signs
    places = [(number, place, side) for number, side in enumerate(shape.sides) for place in range(side.values)]
    columns = ", ".join(
        f'{_cell(f"v{number}[{place + 1}]", kind, side.empties)} AS "_c{column}"'
        for column, ((number, place, side), kind) in enumerate(zip(places, shape.types, strict=True))
    )
    split = ", ".join(f"string_split({side.text}, ',') AS v{number}" for number, side in enumerate(shape.sides))
    records = _records(paths, [side.key for side in shape.sides])
    return (
        f"SELECT {columns} FROM (SELECT captureData, {split} FROM {records}) "
        f"WHERE CASE WHEN {' OR '.join(odd)} THEN error('{ODD}') ELSE true END"
    )


def _cell(cell: str, kind: str, empties: bool) -> str:
    if kind == "text":
        return f"nullif(trim({cell}), '')"
    present = f"nullif({cell}, '')" if empties else cell
    return f"CAST({present} AS {_CASTS[kind]})"


def _typed(reader: Any, schema: Any, sure: bool) -> Iterator[Any]:
    try:
        for batch in batches_from(reader, [], sure):
            yield batch.cast(schema)
    except (pa.ArrowInvalid, Invalid, TypeChanged) as problem:
        if sure:
            raise
        raise TypeChanged(str(problem)[:500]) from problem


def _written_out(paths: list[str], target: str) -> tuple[int, tuple[str, ...]]:
    """Write the rows of all records as JSON lines; tell the rejected records and what was wrong with the first five."""
    rejected, kept, notes = 0, 0, []
    with open(target, "wb") as out:
        for path in paths:
            with lines_of(path) as lines:
                for place, line in enumerate(lines, 1):
                    if not line.strip():
                        continue
                    try:
                        rows = rows_in(line)
                    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Invalid) as problem:
                        rejected += 1
                        if rejected <= REJECTED_SHOWN_MAX:
                            reason = problem.message if isinstance(problem, Invalid) else plainly(problem) + "."
                            notes.append(f"{path}, line {place} was left out: {reason}")
                        continue
                    kept += len(rows)
                    out.writelines(msgspec.json.encode(row) + b"\n" for row in rows)
    if kept == 0:
        raise Invalid(f"{paths[0]} holds no capture record with rows. {notes[0] if notes else ''}")
    return rejected, tuple(notes)


class _Record(msgspec.Struct, frozen=True, rename="camel"):
    capture_data: CaptureData


_RECORDS = msgspec.json.Decoder(_Record)


def rows_in(line: bytes) -> list[Row]:
    """The rows inside one capture record.

    Raises:
        Invalid: no body, a body that is neither CSV nor JSON, or unequal numbers of rows on the two sides.
    """
    capture = _RECORDS.decode(line).capture_data
    outputs = (capture.endpoint_output, capture.batch_transform_output)
    sides = [next((one for one in outputs if isinstance(one, Payload)), None), capture.endpoint_input]
    tables = [_rows(side) for side in sides if isinstance(side, Payload)]
    if not tables:
        raise Invalid("it holds neither an input nor an output.")
    if len({len(table) for table in tables}) > 1:
        raise Invalid(f"its {len(tables[0])} rows of output stand against {len(tables[1])} rows of input.")
    rows: list[Row] = []
    for parts in zip(*tables, strict=True):
        row: Row = {}
        for part in parts:
            for name, value in part:
                called = name or f"_c{len(row)}"
                # Outputs come first: what an input calls the same is told apart.
                row[called if called not in row else f"input.{called}"] = value
        rows.append(row)
    return rows


def _rows(side: Payload) -> list[list[tuple[str, Cell]]]:
    text = side.plain()
    if side.encoding == "JSON" or text.lstrip()[:1] in ("{", "["):
        try:
            return _json_rows(msgspec.json.decode(text))
        except msgspec.DecodeError as problem:
            raise Invalid(f"a body is not JSON: {problem}.") from problem
    return [[("", _value(cell)) for cell in line] for line in csv.reader(text.splitlines()) if line]


_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")


def _value(cell: str) -> Cell:
    text = cell.strip()
    if re.fullmatch(WHOLE, text):
        return int(text)
    if _NUMBER.fullmatch(text) and len(text) < 40:
        return float(text)
    return {"": None, "true": True, "false": False}.get(text.lower(), text)


def _json_rows(value: Any) -> list[list[tuple[str, Cell]]]:
    if isinstance(value, list):
        return [_flat(one, "") for one in value]
    if not isinstance(value, dict):
        return [_flat(value, "")]
    lists = list(_lists_in(value))
    alone = sum(1 for _ in _leaves(value)) == len(lists)
    tables = [each for _, each in lists if alone or all(isinstance(one, dict) for one in each)]
    if not tables or len(tables) != len(lists) or len({len(each) for each in tables}) != 1:
        return [_flat(value, "")]
    # {"instances": [...]}, and {"output": {"predictions": [...]}, "instances": [...]}: one row for each element.
    outside = [(name, one) for name, one in _leaves(value) if not isinstance(one, list)]
    rows: list[list[tuple[str, Cell]]] = []
    for place in range(len(tables[0])):
        row = list(outside)
        for name, each in lists:
            row += _flat(each[place], "" if isinstance(each[place], dict) else name)
        rows.append(row)
    return rows


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Everything in nested objects that is no object, with its path."""
    for name, one in value.items():
        inside = f"{path}.{name}" if path else str(name)
        if isinstance(one, dict):
            yield from _leaves(one, inside)
        else:
            yield inside, one


def _lists_in(value: Any) -> Iterator[tuple[str, list[Any]]]:
    return ((name, one) for name, one in _leaves(value) if isinstance(one, list))


def _flat(value: Any, path: str) -> list[tuple[str, Cell]]:
    inner: Iterable[tuple[str, Any]]
    if isinstance(value, dict):
        inner = ((f"{path}.{name}" if path else str(name), one) for name, one in value.items())
    elif isinstance(value, list):
        if len(value) > ELEMENTS_MAX:
            raise Invalid(f"a list in a body has {len(value)} elements; at most {ELEMENTS_MAX} become columns.")
        inner = ((f"{path}[{place}]" if path else "", one) for place, one in enumerate(value))
    else:
        return [(path, value)]
    return [cell for name, one in inner for cell in _flat(one, name)]
