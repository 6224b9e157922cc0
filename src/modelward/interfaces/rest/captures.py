"""Captured records over REST: send them singly or as a table, see how many there are."""

import asyncio
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.governance.monitoring import captures as use_cases
from modelward.governance.monitoring import rules
from modelward.governance.monitoring.entities import CaptureFile, CapturesReceipt, Traffic
from modelward.governance.serving import use_cases as serving
from modelward.interfaces.http import read_body, respond
from modelward.interfaces.rest.dispatch import RawRequest
from modelward.interfaces.rest.operations import Operations
from modelward.interfaces.rest.uploads import PREFIX, chunks, receive_into
from modelward.kernel import codec
from modelward.kernel.clock import in_utc
from modelward.kernel.refs import EndpointRef
from modelward.storage.work import Work

captures = Operations("captures")
BATCH_BYTES_MAX = 64 << 20
TABLE_BYTES_MAX = 16 << 30


class StoreCaptures(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Records to store: inference_id, at, features, and where known prediction and probability."""

    records: list[dict[str, Any]]


class StoreTable(msgspec.Struct, frozen=True, kw_only=True):
    """When the rows of a table happened: as a column tells, or all at one time."""

    time_column: str = ""
    id_column: str = ""
    at: datetime | None = None


class ShowTraffic(msgspec.Struct, frozen=True, kw_only=True):
    """From when to when, and whether by day rather than by hour."""

    start: datetime
    end: datetime
    by_day: bool = False


@captures.operation("POST", "/endpoints/{endpoint}/captures", permission=Permission.CAPTURE_WRITE, status=201, raw=True)
async def store_captures(request: RawRequest, endpoint: EndpointRef) -> CapturesReceipt:
    """Store a batch of records, all or none: ``{"records": [{"inference_id", "at", "features": {...}, ...}]}``.

    At most 10,000 at once. A record whose inference_id is known already is counted as a duplicate and not stored again.
    """
    loop = asyncio.get_running_loop()
    body = await read_body(request.receive, bytes_max=BATCH_BYTES_MAX)
    # Checked in a thread: thousands of records must hold up neither the other requests nor the writer.
    records = await loop.run_in_executor(
        None, lambda: rules.read_records(codec.decode(body or b"{}", StoreCaptures).records)
    )

    def task(work: Work) -> CapturesReceipt:
        found = serving.endpoint_to_capture(work, endpoint)
        return use_cases.store_captures(work, found.name, records)

    receipt = await asyncio.wrap_future(request.workshop.submit(request.actor, task))
    await respond(request.send, 201, codec.encode(receipt))
    return receipt


@captures.operation(
    "PUT", "/endpoints/{endpoint}/captures/table", permission=Permission.CAPTURE_WRITE, status=201, raw=True
)
async def store_table(request: RawRequest, endpoint: EndpointRef, query: StoreTable) -> CaptureFile:
    """Store a Parquet table of records: features, and where known prediction, probability, label and inference_id.

    It is read to its end before it is acknowledged. The same table with the same time is kept once.
    """
    loop = asyncio.get_running_loop()
    at = in_utc(query.at) if query.at else None
    use_cases.check_table_request(time_column=query.time_column, at=at)
    await loop.run_in_executor(
        None, request.workshop.read, request.actor, lambda work: serving.endpoint_to_capture(work, endpoint)
    )
    with tempfile.NamedTemporaryFile(prefix=PREFIX) as file:
        await receive_into(file, request, bytes_max=TABLE_BYTES_MAX)
        facts = await loop.run_in_executor(None, lambda: _read_through(Path(file.name), query, at))
        digest, size = await loop.run_in_executor(None, request.workshop.blobs.put, chunks(file))

    def task(work: Work) -> CaptureFile:
        found = serving.endpoint_to_capture(work, endpoint)
        return use_cases.store_table(
            work,
            found.name,
            digest=digest,
            bytes=size,
            facts=facts,
            time_column=query.time_column,
            id_column=query.id_column,
            at=at,
        )

    kept = await asyncio.wrap_future(request.workshop.submit(request.actor, task))
    await respond(request.send, 201, codec.encode(kept))
    return kept


def _read_through(path: Path, query: StoreTable, at: datetime | None) -> Any:
    # Loaded at the first table: Arrow costs a quarter of a second, and not every server sees tables.
    from modelward.governance.monitoring.tables import read_through

    return read_through(str(path), time_column=query.time_column, id_column=query.id_column, at=at)


@captures.operation("GET", "/endpoints/{endpoint}/traffic", permission=Permission.CAPTURE_READ)
def show_traffic(work: Work, endpoint: EndpointRef, query: ShowTraffic) -> list[Traffic]:
    """Count the records of each hour or day; hours without any are left out."""
    serving.get_endpoint(work, endpoint)
    return use_cases.traffic(work, endpoint, start=in_utc(query.start), end=in_utc(query.end), by_day=query.by_day)


@captures.operation("GET", "/endpoints/{endpoint}/captures/files", permission=Permission.CAPTURE_READ)
def list_capture_files(work: Work, endpoint: EndpointRef) -> list[CaptureFile]:
    """List the newest files of an endpoint's records."""
    serving.get_endpoint(work, endpoint)
    return use_cases.list_files(work, endpoint)
