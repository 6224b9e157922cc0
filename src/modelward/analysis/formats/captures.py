"""Capture, ground-truth and merged records as JSON lines; how a label finds its capture, and how a record becomes rows.

A label belongs to the capture whose inferenceId, or where it has none eventId, is the label's eventId; what finds no partner
is dropped, and what occurs twice stays twice (both seen in the hosted service).
"""

import base64
import csv
import json
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from modelward.analysis.formats.json_bodies import Cells, is_json, joined, json_rows
from modelward.analysis.formats.layout import java_double
from modelward.kernel.errors import Invalid


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    """A request or response body: ``data`` is a text; in base64 where ``encoding`` says so."""

    observed_content_type: str | UnsetType = msgspec.field(default=UNSET, name="observedContentType")
    mode: str | UnsetType = UNSET
    data: str
    encoding: str

    def plain(self) -> str:
        """The body as text.

        Raises:
            Invalid: the body is not text.
        """
        if self.encoding != "BASE64":
            return self.data
        try:
            return base64.b64decode(self.data, validate=True).decode()
        except ValueError as problem:
            raise Invalid(f"A captured body is no text in base64: {problem}.", field="data") from problem


class CaptureData(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The bodies of one request; either may be missing."""

    endpoint_input: Payload | UnsetType = UNSET
    endpoint_output: Payload | UnsetType = UNSET
    batch_transform_output: Payload | UnsetType = UNSET


class EventMetadata(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which request it was. ``inference_id`` and ``custom_attributes`` only where the caller gave them."""

    event_id: str
    inference_id: str | UnsetType = UNSET
    custom_attributes: list[str] | UnsetType = UNSET
    inference_time: str | UnsetType = UNSET

    @property
    def key(self) -> str:
        """What a label must carry to belong here."""
        return self.event_id if self.inference_id is UNSET else self.inference_id


class CaptureRecord(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One captured request."""

    capture_data: CaptureData
    event_metadata: EventMetadata
    event_version: str = "0"


class GroundTruthRecord(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One label."""

    ground_truth_data: Payload
    event_metadata: EventMetadata
    event_version: str = "0"


class MergedRecord(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A captured request with its label, keys in the order of the merge job."""

    event_metadata: EventMetadata
    event_version: str = "0"
    ground_truth_data: Payload
    capture_data: CaptureData


Record: TypeAlias = CaptureRecord | GroundTruthRecord | MergedRecord


def read_records(content: bytes, *, name: str = "capture") -> list[Record]:
    """Read JSON lines of capture, ground-truth or merged records.

    Raises:
        Invalid: a line is none of the three; the message names it.
    """
    return [
        _record(line, f"{name}, line {place}") for place, line in enumerate(content.splitlines(), 1) if line.strip()
    ]


def _record(line: bytes, where: str) -> Record:
    try:
        keys = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
        truth, capture = "groundTruthData" in keys, "captureData" in keys
        if truth and capture:
            return msgspec.json.decode(line, type=MergedRecord)
        if truth:
            return msgspec.json.decode(line, type=GroundTruthRecord)
        return msgspec.json.decode(line, type=CaptureRecord)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise Invalid(f"{where} is no record of a capture or a label: {problem}.", field=where) from problem


def write_records(records: Iterable[Record]) -> bytes:
    """Write records as compact JSON lines."""
    return b"".join(msgspec.json.encode(record) + b"\n" for record in records)


def merge(captures: Iterable[CaptureRecord], labels: Iterable[GroundTruthRecord]) -> Iterator[MergedRecord]:
    """Join captures with their labels, in the order of the captures; what has no partner is left out."""
    truths: dict[str, list[GroundTruthRecord]] = {}
    for label in labels:
        truths.setdefault(label.event_metadata.event_id, []).append(label)
    for capture in captures:
        for label in truths.get(capture.event_metadata.key, ()):
            yield MergedRecord(
                event_metadata=capture.event_metadata,
                event_version=capture.event_version,
                ground_truth_data=label.ground_truth_data,
                capture_data=capture.capture_data,
            )


def rows_of(record: CaptureRecord | MergedRecord, *, outputs_first: bool = True) -> list[dict[str, str | None]]:
    """The rows inside one record, each column as text: outputs before inputs as is the default of the service.

    CSV columns are ``_c0``, ``_c1``, ...; columns of a JSON body are named by the path of the value, and its lists are
    rows (see json_bodies.py).

    Raises:
        Invalid: no body, a body that is neither CSV nor JSON, or unequal numbers of rows on the two sides.
    """
    capture = record.capture_data
    output = next((one for one in (capture.endpoint_output, capture.batch_transform_output) if one is not UNSET), UNSET)
    names = ("output", "input") if outputs_first else ("input", "output")
    sides = (output, capture.endpoint_input) if outputs_first else (capture.endpoint_input, output)
    tables = [_rows(side) for side in sides if side is not UNSET]
    if not tables:
        raise Invalid("it holds neither an input nor an output.")
    rows = joined(tables, sides=names)
    return [{name: text_of(value) for name, value in row.items()} for row in rows]


def _rows(side: Payload) -> list[Cells]:
    text = side.plain()
    if is_json(text, side.encoding):
        try:
            return json_rows(json.loads(text))
        except ValueError as problem:
            raise Invalid(f"A captured body is no JSON: {problem}.", field="data") from problem
    try:
        return [[("", value) for value in line] for line in csv.reader(text.splitlines()) if line]
    except csv.Error as problem:
        raise Invalid(f"A captured body is no CSV: {problem}.", field="data") from problem


def text_of(value: Any) -> str | None:
    """A JSON value as the engine of the service turns it into text; None and the empty text are no value."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return java_double(value)
    return json.dumps(value) if isinstance(value, dict | list) else str(value)
