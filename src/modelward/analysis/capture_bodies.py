"""The rows inside one capture record, value by value. No files; see capture_files.py for these."""

import csv
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import msgspec

from modelward.analysis.capture_kinds import Raw, token_value
from modelward.analysis.formats.captures import CaptureData, Payload
from modelward.kernel.errors import Invalid

ELEMENTS_MAX = 10_000

Cell: TypeAlias = str | int | float | bool | None
Row: TypeAlias = dict[str, Any]


class _Record(msgspec.Struct, frozen=True, rename="camel"):
    capture_data: CaptureData


_RECORDS = msgspec.json.Decoder(_Record)


def sides_of(line: bytes) -> list[Payload]:
    """The bodies of one record: the output, then the input.

    Raises:
        Invalid: there is none.
        msgspec.DecodeError: the line is no capture record.
    """
    capture = _RECORDS.decode(line).capture_data
    outputs = (capture.endpoint_output, capture.batch_transform_output)
    sides = [next((one for one in outputs if isinstance(one, Payload)), None), capture.endpoint_input]
    found = [side for side in sides if isinstance(side, Payload)]
    if not found:
        raise Invalid("it holds neither an input nor an output.")
    return found


def rows_in(line: bytes) -> list[Row]:
    """The rows inside one capture record: numbers, truths and texts.

    Raises:
        Invalid: no body, a body that is neither CSV nor JSON, or unequal numbers of rows on the two sides.
    """
    return [
        {name: token_value(value) if isinstance(value, Raw) else value for name, value in row.items()}
        for row in raw_rows_in(line)
    ]


def raw_rows_in(line: bytes) -> list[Row]:
    """The same, the values of CSV bodies as they were written."""
    return joined_rows([(side.plain(), side.encoding) for side in sides_of(line)])


def joined_rows(bodies: list[tuple[str, str]]) -> list[Row]:
    """The rows of bodies (text and encoding), side by side."""
    tables = [_rows(text, encoding) for text, encoding in bodies]
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


def is_json(text: str, encoding: str) -> bool:
    """Whether a body is read as JSON."""
    return encoding == "JSON" or text.lstrip()[:1] in ("{", "[")


def _rows(text: str, encoding: str) -> list[list[tuple[str, Cell]]]:
    if is_json(text, encoding):
        try:
            return _json_rows(msgspec.json.decode(text))
        except msgspec.DecodeError as problem:
            raise Invalid(f"a body is not JSON: {problem}.") from problem
    try:
        return [[("", Raw(cell)) for cell in line] for line in csv.reader(text.splitlines()) if line]
    except csv.Error as problem:
        raise Invalid(f"a body is not CSV: {problem}.") from problem


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
