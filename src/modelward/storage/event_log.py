"""The event log: what happened, hash-chained, written in the same transaction as the change it tells of.

It is the audit trail, the outbox for reactions and the source of lineage. Rows are never changed or deleted; the schema
forbids it, and ``verify`` shows it when somebody went round the schema.
"""

import hashlib
from collections.abc import Iterator
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from modelward.kernel import codec
from modelward.kernel.clock import moment, timestamp
from modelward.kernel.events import Event, Happening, name_of, subject_of
from modelward.kernel.ids import new_id
from modelward.kernel.refs import Digest

metadata = sa.MetaData()
event = sa.Table(
    "event",
    metadata,
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("id", sa.Text, nullable=False, unique=True),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("previous", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Index("event_by_subject", "subject", "sequence"),
    sa.Index("event_by_name", "name", "sequence"),
)

GENESIS = Digest("sha256:" + "0" * 64)
_HEAD = (
    sa.select(event.c.sequence, event.c.hash)
    .order_by(event.c.sequence.desc())
    .limit(1)
    .execution_options(prepared=True)
)
_GET = sa.select(event).where(event.c.id == sa.bindparam("of")).execution_options(prepared=True)
_INSERT = sa.insert(event).execution_options(prepared=True)


class LogBreak(msgspec.Struct, frozen=True, kw_only=True):
    """A place where the log does not hold together: which entry, and what is wrong with it."""

    sequence: int
    problem: str


class LogReport(msgspec.Struct, frozen=True, kw_only=True):
    """What ``verify`` found: how many entries hold, the last hash, and the first breaks (none: the log is whole)."""

    events: int
    head: Digest
    breaks: list[LogBreak]

    @property
    def whole(self) -> bool:
        """Whether no break was found."""
        return not self.breaks


def entry_hash(
    sequence: int, id: str, at: str, actor: str, name: str, subject: str, detail: str, previous: str
) -> Digest:
    """SHA-256 over the canonical JSON array of an entry's fields as stored, the previous hash first."""
    body = msgspec.json.encode([previous, sequence, id, at, actor, name, subject, detail])
    return Digest("sha256:" + hashlib.sha256(body).hexdigest())


def append(connection: Connection, happenings: list[Happening], *, actor: str, at: datetime) -> list[Event]:
    """Add entries at the end of the chain and return them as kept. The caller holds the write lock of the database."""
    head = connection.execute(_HEAD).first()
    sequence, previous = (int(head[0]), Digest(head[1])) if head else (0, GENESIS)
    rows, events = [], []
    when = timestamp(at)
    for happening in happenings:
        sequence += 1
        detail = codec.canonical(happening).decode()
        row = {
            "sequence": sequence,
            "id": new_id("event"),
            "at": when,
            "actor": actor,
            "name": name_of(happening),
            "subject": subject_of(happening),
            "detail": detail,
            "previous": str(previous),
        }
        previous = entry_hash(**row)  # type: ignore[arg-type]
        row["hash"] = str(previous)
        rows.append(row)
        events.append(_event(row))
    connection.execute(_INSERT, rows)
    return events


def _event(row: dict[str, object]) -> Event:
    return Event(
        sequence=int(row["sequence"]),  # type: ignore[call-overload]
        id=str(row["id"]),
        at=moment(str(row["at"])),
        actor=str(row["actor"]),
        name=str(row["name"]),
        subject=str(row["subject"]),
        detail=msgspec.json.decode(str(row["detail"])),
        previous=Digest(str(row["previous"])),
        hash=Digest(str(row["hash"])),
    )


def read(
    connection: Connection,
    *,
    subjects: list[str] | None = None,
    names: list[str] | None = None,
    actor: str | None = None,
    before: int | None = None,
    after: int | None = None,
    limit: int = 100,
) -> list[Event]:
    """Read entries, the newest first; ``after`` turns it round and reads on from there, the oldest first."""
    query = sa.select(event)
    if subjects:
        query = query.where(event.c.subject.in_(subjects))
    if names:
        query = query.where(event.c.name.in_(names))
    if actor:
        query = query.where(event.c.actor == actor)
    if before is not None:
        query = query.where(event.c.sequence < before)
    if after is not None:
        query = query.where(event.c.sequence > after).order_by(event.c.sequence)
    else:
        query = query.order_by(event.c.sequence.desc())
    return [_event(dict(row._mapping)) for row in connection.execute(query.limit(limit))]


def get(connection: Connection, event_id: str) -> Event | None:
    """Find an entry by its id."""
    row = connection.execute(_GET, {"of": event_id}).first()
    return _event(dict(row._mapping)) if row else None


def verify(connection: Connection, *, breaks_max: int = 20) -> LogReport:
    """Recompute the whole chain from its rows and report each entry that does not fit: changed, missing or moved."""
    count, expected, previous = 0, 1, GENESIS
    breaks: list[LogBreak] = []
    for row in _all_rows(connection):
        sequence, id, at, actor, name, subject, detail, prev, kept = row
        if sequence != expected:
            breaks.append(LogBreak(sequence=expected, problem=f"Entries {expected} to {sequence - 1} are missing."))
        if prev != previous:
            breaks.append(LogBreak(sequence=sequence, problem="It does not continue the entry before it."))
        if entry_hash(sequence, id, at, actor, name, subject, detail, prev) != kept:
            breaks.append(LogBreak(sequence=sequence, problem="Its content does not match its hash: it was changed."))
        previous, expected, count = Digest(kept), sequence + 1, count + 1
        if len(breaks) >= breaks_max:
            break
    return LogReport(events=count, head=previous, breaks=breaks)


def _all_rows(connection: Connection) -> Iterator[tuple[int, str, str, str, str, str, str, str, str]]:
    after = -1
    while True:
        rows = connection.execute(
            sa.select(event).where(event.c.sequence > after).order_by(event.c.sequence).limit(5000)
        ).fetchall()
        if not rows:
            return
        for row in rows:
            yield tuple(row)
        after = rows[-1].sequence
