"""What one can do with captured records: store them singly or as a table, count them. Filing them stands in filing.py.

Records are rows of data, not changes of state: they are written straight to the connection, and a batch makes one event.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from modelward.governance.access.permissions import Permission, require
from modelward.governance.monitoring import capture_store as store
from modelward.governance.monitoring import rules
from modelward.governance.monitoring.entities import (
    CaptureFile,
    CaptureRecord,
    CapturesReceipt,
    CapturesStored,
    CaptureTableStored,
    FileKind,
    Traffic,
)
from modelward.kernel.clock import timestamp
from modelward.kernel.errors import Invalid
from modelward.kernel.refs import Digest, EndpointRef
from modelward.storage.work import Work

if TYPE_CHECKING:
    from modelward.governance.monitoring.tables import TableFacts


def store_captures(work: Work, endpoint: EndpointRef, records: list[CaptureRecord]) -> CapturesReceipt:
    """Keep a batch of records; those whose id was kept before are counted as duplicates. One event tells of the batch."""
    require(work, Permission.CAPTURE_WRITE, on=endpoint)
    stored = store.add_records(work, endpoint, records)
    if stored:
        times = [record.at for record in records]
        work.record(
            CapturesStored(
                endpoint=endpoint,
                records=stored,
                duplicates=len(records) - stored,
                first_at=min(times),
                last_at=max(times),
            )
        )
    return CapturesReceipt(endpoint=endpoint, stored=stored, duplicates=len(records) - stored)


def keep_invocation(work: Work, endpoint: EndpointRef, records: list[CaptureRecord]) -> int:
    """Keep what the gateway saw of one call; no event, since there is one for each prediction. Returns the new ones."""
    require(work, Permission.ENDPOINT_INVOKE, on=endpoint)
    return store.add_records(work, endpoint, records)


def check_table_request(*, time_column: str, at: datetime | None) -> None:
    """Refuse a table without a time, or with two.

    Raises:
        Invalid: neither or both are given.
    """
    if bool(time_column) == (at is not None):
        raise Invalid(
            "Give either time_column, the column that tells when each row happened, or at, one time for all rows.",
            field="query.time_column",
        )


def store_table(
    work: Work,
    endpoint: EndpointRef,
    *,
    digest: Digest,
    bytes: int,
    facts: "TableFacts",
    time_column: str = "",
    id_column: str = "",
    at: datetime | None = None,
) -> CaptureFile:
    """Keep a Parquet table of records whose bytes are stored and were read through; the same one twice is kept once."""
    require(work, Permission.CAPTURE_WRITE, on=endpoint)
    check_table_request(time_column=time_column, at=at)
    id = rules.file_id(endpoint, FileKind.TABLE, digest, time_column, timestamp(at) if at else "")
    known = store.find_file(work, id)
    if known:
        return known
    new = CaptureFile(
        id=id,
        endpoint=endpoint,
        kind=FileKind.TABLE,
        digest=digest,
        bytes=bytes,
        rows=facts.rows,
        first_at=facts.first_at,
        last_at=facts.last_at,
        time_column=time_column,
        id_column=id_column,
        at=at,
        columns=facts.columns,
        notes=facts.notes,
        stored_at=work.now,
        stored_by=work.actor.id,
    )
    store.add_file(work, new, facts.hours)
    work.record(
        CaptureTableStored(
            endpoint=endpoint, file=id, table=digest, rows=new.rows, first_at=new.first_at, last_at=new.last_at
        )
    )
    return new


def traffic(
    work: Work, endpoint: EndpointRef, *, start: datetime, end: datetime, by_day: bool = False
) -> list[Traffic]:
    """How many records each hour (or day, in UTC) of ``[start, end)`` holds; hours without any are left out.

    Hours are counted whole.
    """
    require(work, Permission.CAPTURE_READ, on=endpoint)
    rules.check_window(start, end)
    counts: dict[datetime, int] = {}
    for hour, rows in store.hour_counts(work, endpoint, start=rules.hour_of(start), end=end):
        key = hour.replace(hour=0) if by_day else hour
        counts[key] = counts.get(key, 0) + rows
    return [Traffic(start=key.astimezone(UTC), rows=counts[key]) for key in sorted(counts)]


def list_files(work: Work, endpoint: EndpointRef, *, limit: int = 100) -> list[CaptureFile]:
    """The files of an endpoint's records, the latest rows first."""
    require(work, Permission.CAPTURE_READ, on=endpoint)
    return store.list_files(work, endpoint, limit=limit)
