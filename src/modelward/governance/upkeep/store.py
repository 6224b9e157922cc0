"""The table of the upkeep: since when nothing refers to a blob."""

from collections.abc import Iterator
from datetime import datetime

import sqlalchemy as sa

from modelward.kernel.clock import moment, timestamp
from modelward.storage.work import Work

metadata = sa.MetaData()
# Digests without "sha256:" before them: to be on this list is not to be referred to (``storage/mentions``).
blob_idle = sa.Table(
    "blob_idle",
    metadata,
    sa.Column("hex", sa.Text, primary_key=True),
    sa.Column("since", sa.Text, nullable=False),
)
ROWS_AT_ONCE = 500


def idle_since(work: Work) -> dict[str, datetime]:
    """The blobs on the list, by the hexadecimal digest, and since when nothing refers to them."""
    return {row.hex: moment(row.since) for row in work.connection.execute(sa.select(blob_idle))}


def note_idle(work: Work, idle: set[str]) -> None:
    """Let the list be exactly this: what is new on it counts from now. No change that an event should tell of."""
    known = set(work.connection.scalars(sa.select(blob_idle.c.hex)))
    for some in _some(known - idle):
        work.connection.execute(sa.delete(blob_idle).where(blob_idle.c.hex.in_(some)))
    since = timestamp(work.now)
    for some in _some(idle - known):
        work.connection.execute(sa.insert(blob_idle), [{"hex": each, "since": since} for each in some])


def _some(of: set[str]) -> Iterator[list[str]]:
    every = sorted(of)
    for start in range(0, len(every), ROWS_AT_ONCE):
        yield every[start : start + ROWS_AT_ONCE]
