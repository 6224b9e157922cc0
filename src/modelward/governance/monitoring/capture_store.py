"""The tables of captured records: single ones, files of them, and how many rows an hour of a file holds.

A single record stays as a row of ``capture`` after it was filed, without its content: so its id is known when it is sent
again. ``number`` grows with the order of commits, since there is one writer.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from modelward.governance.monitoring import rules
from modelward.governance.monitoring.entities import CaptureFile, CaptureRecord, FileKind, Scalar
from modelward.kernel.clock import moment, timestamp
from modelward.kernel.refs import Digest, EndpointRef
from modelward.storage.upserts import insert_into
from modelward.storage.work import Work

metadata = sa.MetaData()
capture = sa.Table(
    "capture",
    metadata,
    sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("endpoint", sa.Text, nullable=False),
    sa.Column("inference_id", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("received_at", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("file", sa.Text),
    sa.UniqueConstraint("endpoint", "inference_id", name="capture_once"),
    sqlite_autoincrement=True,
)
_HOT = capture.c.file.is_(None)
# Its partial indexes capture_hot and capture_filed are declared by the migration alone, as in ``alerts.store``.
capture_file = sa.Table(
    "capture_file",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("endpoint", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("first_at", sa.Text, nullable=False),
    sa.Column("last_at", sa.Text, nullable=False),
    sa.Column("time_column", sa.Text, nullable=False),
    sa.Column("id_column", sa.Text, nullable=False),
    sa.Column("at", sa.Text),
    sa.Column("columns", sa.Text, nullable=False),
    sa.Column("notes", sa.Text, nullable=False),
    sa.Column("stored_at", sa.Text, nullable=False),
    sa.Column("stored_by", sa.Text, nullable=False),
    sa.Index("capture_file_by_time", "endpoint", "last_at"),
)
capture_hour = sa.Table(
    "capture_hour",
    metadata,
    sa.Column("file", sa.Text, sa.ForeignKey("capture_file.id"), primary_key=True),
    sa.Column("hour", sa.Text, primary_key=True),
    sa.Column("endpoint", sa.Text, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Index("capture_hour_by_time", "endpoint", "hour"),
)
# Ids are remembered this long after a record was filed; a record sent again later than this would count twice.
REMEMBERED_FOR = timedelta(days=2)
CHUNK_ROWS = 20_000


class Body(msgspec.Struct, frozen=True):
    """What a row of ``capture`` holds of a record besides its id and its time."""

    features: dict[str, Scalar]
    prediction: Scalar = None
    probability: float | None = None


class HotRecord(msgspec.Struct, frozen=True):
    """A record that is not filed yet."""

    inference_id: str
    at: str
    body: Body


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Body)
_LAST_NUMBER = sa.select(sa.func.max(capture.c.number))
_COUNT_AFTER = (
    sa.select(sa.func.count())
    .select_from(capture)
    .where(capture.c.endpoint == sa.bindparam("endpoint"), capture.c.number > sa.bindparam("before"))
)


def add_records(work: Work, endpoint: EndpointRef, records: list[CaptureRecord]) -> int:
    """Keep the records whose ids are new; return how many these are."""
    received = timestamp(work.now)
    rows = [
        {
            "endpoint": str(endpoint),
            "inference_id": record.inference_id,
            "at": timestamp(record.at),
            "received_at": received,
            "body": _encoder.encode(Body(record.features, record.prediction, record.probability)).decode(),
        }
        for record in records
    ]
    add = insert_into(capture, work.connection.dialect.name).on_conflict_do_nothing(
        index_elements=["endpoint", "inference_id"]
    )
    if len(rows) == 1:
        return int(work.connection.execute(add.returning(capture.c.number), rows[0]).first() is not None)
    # Not every driver tells how many rows of many were inserted; the numbers that they were given do.
    before = work.connection.scalar(_LAST_NUMBER) or 0
    work.connection.execute(add, rows)
    return int(work.connection.scalar(_COUNT_AFTER, {"endpoint": str(endpoint), "before": before}) or 0)


def hot_hours(connection: Connection, *, before: datetime) -> list[tuple[EndpointRef, datetime]]:
    """The endpoints and full hours that hold records not filed yet, of hours that ended before a moment."""
    hour = sa.func.substr(capture.c.at, 1, 13)
    query = (
        sa.select(capture.c.endpoint, hour)
        .where(_HOT, capture.c.at < timestamp(rules.hour_of(before)))
        .group_by(capture.c.endpoint, hour)
        .order_by(capture.c.endpoint, hour)
    )
    return [(EndpointRef(name), moment(f"{text}:00:00Z")) for name, text in connection.execute(query)]


def hot_records(
    connection: Connection, endpoint: EndpointRef, *, start: datetime, end: datetime, limit: int | None = None
) -> tuple[list[HotRecord], int]:
    """Records of ``[start, end)`` not filed yet in the order they came, and the number of the last."""
    query = _hot_query(endpoint, start, end).limit(limit)
    rows = connection.execute(query).fetchall()
    return [HotRecord(row.inference_id, row.at, _decoder.decode(row.body)) for row in rows], rows[
        -1
    ].number if rows else 0


def hot_chunks(
    connection: Connection, endpoint: EndpointRef, *, start: datetime, end: datetime
) -> Iterator[list[HotRecord]]:
    """As ``hot_records``, some thousand at a time."""
    result = connection.execute(_hot_query(endpoint, start, end))
    while rows := result.fetchmany(CHUNK_ROWS):
        yield [HotRecord(row.inference_id, row.at, _decoder.decode(row.body)) for row in rows]


def _hot_query(endpoint: EndpointRef, start: datetime, end: datetime) -> sa.Select[Any]:
    columns = (capture.c.number, capture.c.inference_id, capture.c.at, capture.c.body)
    within = (capture.c.at >= timestamp(start), capture.c.at < timestamp(end))
    return sa.select(*columns).where(_HOT, capture.c.endpoint == str(endpoint), *within).order_by(capture.c.number)


def mark_filed(work: Work, endpoint: EndpointRef, *, start: datetime, end: datetime, up_to: int, file: str) -> int:
    """Note that the records of ``[start, end)`` up to a number are in a file, and drop their content here."""
    statement = (
        sa.update(capture)
        .where(
            _HOT,
            capture.c.endpoint == str(endpoint),
            capture.c.at >= timestamp(start),
            capture.c.at < timestamp(end),
            capture.c.number <= up_to,
        )
        .values(file=file, body="")
    )
    return work.execute(statement).rowcount


def forget_ids(connection: Connection, *, now: datetime) -> int:
    """Drop the ids of records that were filed long ago."""
    statement = sa.delete(capture).where(~_HOT, capture.c.received_at < timestamp(now - REMEMBERED_FOR))
    return connection.execute(statement).rowcount


def add_file(work: Work, new: CaptureFile, hours: dict[datetime, int]) -> None:
    """Keep what is known of a file, and how many rows each hour of it holds."""
    work.execute(
        sa.insert(capture_file),
        {
            "id": new.id,
            "endpoint": str(new.endpoint),
            "kind": new.kind.value,
            "digest": str(new.digest),
            "bytes": new.bytes,
            "rows": new.rows,
            "first_at": timestamp(new.first_at),
            "last_at": timestamp(new.last_at),
            "time_column": new.time_column,
            "id_column": new.id_column,
            "at": timestamp(new.at) if new.at else None,
            "columns": msgspec.json.encode(new.columns).decode(),
            "notes": msgspec.json.encode(new.notes).decode(),
            "stored_at": timestamp(new.stored_at),
            "stored_by": new.stored_by,
        },
    )
    rows = [
        {"file": new.id, "hour": timestamp(hour), "endpoint": str(new.endpoint), "rows": count}
        for hour, count in hours.items()
    ]
    work.execute(sa.insert(capture_hour), rows)


def find_file(work: Work, id: str) -> CaptureFile | None:
    """Find a file."""
    row = work.execute(sa.select(capture_file).where(capture_file.c.id == id)).first()
    return _file(row) if row else None


def files_of_window(
    connection: Connection, endpoint: EndpointRef, *, start: datetime, end: datetime
) -> list[CaptureFile]:
    """The files that hold rows between two moments (and perhaps others)."""
    query = (
        sa.select(capture_file)
        .where(
            capture_file.c.endpoint == str(endpoint),
            capture_file.c.last_at >= timestamp(start),
            capture_file.c.first_at < timestamp(end),
        )
        .order_by(capture_file.c.first_at, capture_file.c.id)
    )
    return [_file(row) for row in connection.execute(query)]


def list_files(work: Work, endpoint: EndpointRef, *, limit: int) -> list[CaptureFile]:
    """The files of an endpoint, the latest rows first."""
    query = sa.select(capture_file).where(capture_file.c.endpoint == str(endpoint))
    return [_file(row) for row in work.execute(query.order_by(capture_file.c.last_at.desc()).limit(limit))]


def hour_counts(work: Work, endpoint: EndpointRef, *, start: datetime, end: datetime) -> list[tuple[datetime, int]]:
    """How many records each full hour of ``[start, end)`` holds, filed or not."""
    filed = (
        sa.select(capture_hour.c.hour, sa.func.sum(capture_hour.c.rows).label("rows"))
        .where(
            capture_hour.c.endpoint == str(endpoint),
            capture_hour.c.hour >= timestamp(start),
            capture_hour.c.hour < timestamp(end),
        )
        .group_by(capture_hour.c.hour)
    )
    hour = sa.func.substr(capture.c.at, 1, 13)
    hot = (
        sa.select(hour.label("hour"), sa.func.count().label("rows"))
        .where(
            _HOT,
            capture.c.endpoint == str(endpoint),
            capture.c.at >= timestamp(start),
            capture.c.at < timestamp(end),
        )
        .group_by(hour)
    )
    counts = [(moment(row.hour), int(row.rows)) for row in work.execute(filed)]
    return counts + [(moment(f"{row.hour}:00:00Z"), int(row.rows)) for row in work.execute(hot)]


def _file(row: sa.Row[Any]) -> CaptureFile:
    return CaptureFile(
        id=row.id,
        endpoint=EndpointRef(row.endpoint),
        kind=FileKind(row.kind),
        digest=Digest(row.digest),
        bytes=row.bytes,
        rows=row.rows,
        first_at=moment(row.first_at),
        last_at=moment(row.last_at),
        time_column=row.time_column,
        id_column=row.id_column,
        at=moment(row.at) if row.at else None,
        columns=msgspec.json.decode(row.columns),
        notes=msgspec.json.decode(row.notes),
        stored_at=moment(row.stored_at),
        stored_by=row.stored_by,
    )
