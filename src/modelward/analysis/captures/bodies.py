"""The rows inside one capture record, value by value. No files; see files.py for these."""

import csv
from typing import Any, TypeAlias

import msgspec

from modelward.analysis.captures.kinds import Raw, token_value
from modelward.analysis.formats.captures import CaptureData, Payload
from modelward.analysis.formats.json_bodies import Cells, is_json, joined, json_rows, must_name_once
from modelward.kernel.errors import Invalid

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
    """The rows of bodies (text and encoding), side by side: outputs come first."""
    return joined([_rows(text, encoding) for text, encoding in bodies])


def _rows(text: str, encoding: str) -> list[Cells]:
    if is_json(text, encoding):
        try:
            rows = json_rows(msgspec.json.decode(text))
            must_name_once(text)
            return rows
        except msgspec.DecodeError as problem:
            raise Invalid(f"a body is not JSON: {problem}.") from problem
    try:
        return [[("", Raw(cell)) for cell in line] for line in csv.reader(text.splitlines()) if line]
    except csv.Error as problem:
        raise Invalid(f"a body is not CSV: {problem}.") from problem
