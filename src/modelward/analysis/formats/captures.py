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

from modelward.analysis.formats.layout import java_double
from modelward.kernel.errors import Invalid, NotImplementedYet


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

    CSV columns are ``_c0``, ``_c1``, ...; a JSON body must be a flat object, whose keys name the columns.

    Raises:
        Invalid: inputs and outputs differ in number of rows.
        NotImplementedYet: a JSON body is not flat.
    """
    capture = record.capture_data
    output = next((one for one in (capture.endpoint_output, capture.batch_transform_output) if one is not UNSET), UNSET)
    sides = [output, capture.endpoint_input] if outputs_first else [capture.endpoint_input, output]
    tables = [_rows(side) for side in sides if side is not UNSET]
    if len({len(table) for table in tables}) > 1:
        raise Invalid(f"Record {record.event_metadata.event_id} has unequal numbers of input and output rows.")
    rows: list[dict[str, str | None]] = []
    for parts in zip(*tables, strict=True):
        row: dict[str, str | None] = {}
        for part in parts:
            for name, value in part:
                row[name or f"_c{len(row)}"] = value
        rows.append(row)
    return rows


def _rows(side: Payload) -> list[list[tuple[str, str | None]]]:
    text = side.plain()
    if side.encoding == "JSON" or text.lstrip()[:1] == "{":
        return [_flat(text)]
    lines = csv.reader(text.splitlines())
    return [[("", value or None) for value in line] for line in lines if line]


def _flat(text: str) -> list[tuple[str, str | None]]:
    try:
        value = json.loads(text)
    except ValueError as problem:
        raise Invalid(f"A captured body is no JSON: {problem}.", field="data") from problem
    if not isinstance(value, dict) or any(isinstance(one, dict | list) for one in value.values()):
        raise NotImplementedYet(
            "A captured JSON body is not a flat object, so it has no columns.",
            hint="Give the table itself as CSV, JSON lines or Parquet.",
        )
    return [(str(name), text_of(one)) for name, one in value.items()]


def text_of(value: Any) -> str | None:
    """A JSON value as the engine of the service turns it into text; None and the empty text are no value."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return java_double(value)
    return json.dumps(value) if isinstance(value, dict | list) else str(value)
