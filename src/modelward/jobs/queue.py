"""The job queue: enqueue once by id, claim under a lease, finish under a fence.

A job is run at least once; its effect is kept once, because the results and ``finish`` are one transaction that is
refused when the lease has passed to another worker.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from modelward.kernel.clock import moment, timestamp
from modelward.kernel.errors import Conflict
from modelward.storage.upserts import insert_into

metadata = sa.MetaData()
job = sa.Table(
    "job",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("run_at", sa.Text, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("attempts_max", sa.Integer, nullable=False),
    sa.Column("owner", sa.Text),
    sa.Column("lease_until", sa.Text),
    sa.Column("error", sa.Text),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("finished_at", sa.Text),
    sa.Index("job_due", "state", "run_at"),
)

LEASE = timedelta(seconds=30)
# How often, beyond its attempts, a job may lose its worker: often, for it may be innocent of that.
VANISHED_MAX = 20
LONG_AGO = "1970-01-01T00:00:00.000000Z"
VANISHED = "The worker vanished again and again while it ran this job."
# Statements of the hot path are made once and prepared.
_PREPARED = {"prepared": True}
_NEXT = sa.select(
    sa.select(sa.func.min(job.c.run_at)).where(job.c.state == "waiting").scalar_subquery(),
    sa.select(sa.func.min(job.c.lease_until)).where(job.c.state == "running").scalar_subquery(),
).execution_options(**_PREPARED)
RETRY_PAUSES = (timedelta(seconds=1), timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=5))


@cache
def _enqueuing(dialect: str) -> sa.Executable:
    return insert_into(job, dialect).on_conflict_do_nothing(index_elements=["id"]).execution_options(**_PREPARED)


class JobState(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"


class LeaseLost(Conflict):
    """The lease of this job has passed to another worker, so the results of this attempt are not kept."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of work that waits, runs or has run. ``attempt`` counts from 1 and is the fence."""

    id: str
    kind: str
    payload: dict[str, Any]
    state: JobState
    run_at: datetime
    attempt: int
    attempts_max: int
    owner: str | None = None
    error: str | None = None


def enqueue(
    connection: Connection,
    *,
    id: str,
    kind: str,
    payload: dict[str, Any],
    now: datetime,
    run_at: datetime | None = None,
    attempts_max: int = 5,
) -> bool:
    """Add a job; a second one with the same id changes nothing. Returns whether it is new."""
    row = {
        "id": id,
        "kind": kind,
        "payload": msgspec.json.encode(payload).decode(),
        "state": JobState.WAITING,
        "run_at": timestamp(run_at or now),
        "attempt": 0,
        "attempts_max": attempts_max,
        "created_at": timestamp(now),
    }
    return connection.execute(_enqueuing(connection.dialect.name), row).rowcount == 1


def claim(connection: Connection, *, owner: str, now: datetime, limit: int, lease: timedelta = LEASE) -> list[Job]:
    """Take up to ``limit`` due jobs, among them those whose lease has run out, and lease them to ``owner``."""
    values = {"taker": owner, "at": timestamp(now), "until": timestamp(now + lease)}
    statements = _CLAIM[connection.dialect.name]
    rows = list(connection.execute(statements["lost"], {**values, "most": limit}))
    if len(rows) < limit:
        rows += connection.execute(statements["waiting"], {**values, "most": limit - len(rows)})
    return sorted((_job(row) for row in rows), key=lambda each: each.run_at)


def _claiming(chosen: sa.Select[Any], *, skip_locked: bool) -> sa.Executable:
    chosen = chosen.limit(sa.bindparam("most", type_=sa.Integer))
    if skip_locked:
        # Chosen once: as a mere subquery PostgreSQL may choose again for each row it joins, and take more than wanted.
        once = chosen.with_for_update(skip_locked=True).cte("chosen").prefix_with("MATERIALIZED", dialect="postgresql")
        chosen = sa.select(once.c.id)
    return (
        sa.update(job)
        .where(job.c.id.in_(chosen))
        .values(
            state=sa.literal_column("'running'"),
            owner=sa.bindparam("taker"),
            lease_until=sa.bindparam("until"),
            attempt=job.c.attempt + 1,
        )
        .returning(job)
        .execution_options(**_PREPARED)
    )


_LOST = sa.and_(job.c.state == "running", job.c.lease_until < sa.bindparam("at"))
# Each of the two follows the index, so that a long queue is no slower than a short one.
_CLAIM = {
    dialect: {
        "lost": _claiming(
            sa.select(job.c.id).where(_LOST, job.c.attempt < job.c.attempts_max + VANISHED_MAX), skip_locked=locks
        ),
        "waiting": _claiming(
            sa.select(job.c.id)
            .where(job.c.state == "waiting", job.c.run_at <= sa.bindparam("at"))
            .order_by(job.c.run_at),
            skip_locked=locks,
        ),
    }
    for dialect, locks in (("sqlite", False), ("postgresql", True))
}
_BURY = (
    sa.update(job)
    .where(_LOST, job.c.attempt >= job.c.attempts_max + VANISHED_MAX)
    .values(state="dead", lease_until=None, finished_at=None, error=VANISHED)
    .returning(job)
    .execution_options(**_PREPARED)
)


def bury(connection: Connection, *, now: datetime) -> list[Job]:
    """Give up the jobs whose workers vanished again and again: such a job may be what kills them.

    A dead job is finished only when who wanted it was told (``note_told``).
    """
    return [_job(row) for row in connection.execute(_BURY, {"at": timestamp(now)})]


def extend(connection: Connection, *, owner: str, ids: list[str], now: datetime, lease: timedelta = LEASE) -> None:
    """Keep the leases of running jobs alive."""
    connection.execute(
        sa.update(job)
        .where(job.c.id.in_(ids), job.c.owner == owner, job.c.state == JobState.RUNNING)
        .values(lease_until=timestamp(now + lease))
    )


def finish(connection: Connection, done: Job, *, now: datetime) -> None:
    """Close a job in the transaction that keeps its results.

    Raises:
        LeaseLost: the job has been taken over; the whole transaction must not be kept.
    """
    _close(connection, done, state=JobState.DONE, now=now, error=None)


def fail(connection: Connection, failed: Job, *, error: str, now: datetime, retry: bool = True) -> JobState:
    """Note a failed attempt: try again after a pause that grows, or give up and keep the job as dead."""
    if retry and failed.attempt < failed.attempts_max:
        pause = RETRY_PAUSES[min(failed.attempt, len(RETRY_PAUSES)) - 1]
        _close(connection, failed, state=JobState.WAITING, run_at=now + pause, error=error)
        return JobState.WAITING
    # Not finished yet: who wanted it has to be told, also when this process ends before it comes to that.
    _close(connection, failed, state=JobState.DEAD, error=error)
    return JobState.DEAD


def untold(connection: Connection) -> list[Job]:
    """The jobs that were given up while nobody was told of it yet."""
    query = sa.select(job).where(job.c.state == JobState.DEAD.value, job.c.finished_at.is_(None)).order_by(job.c.id)
    return [_job(row) for row in connection.execute(query)]


def note_told(connection: Connection, dead: Job, *, now: datetime) -> None:
    """Finish a job that was given up: who wanted it knows."""
    connection.execute(sa.update(job).where(job.c.id == dead.id).values(finished_at=timestamp(now)))


# By the fence: who has lost the lease, or took the job up anew, finds nothing to close.
_CLOSE = (
    sa.update(job)
    .where(
        job.c.id == sa.bindparam("held"),
        job.c.owner == sa.bindparam("holder"),
        job.c.attempt == sa.bindparam("fence"),
        job.c.state == "running",
    )
    .values(
        lease_until=None,
        state=sa.bindparam("after"),
        run_at=sa.bindparam("next_run"),
        finished_at=sa.bindparam("ended"),
        error=sa.bindparam("reason"),
    )
    .execution_options(**_PREPARED)
)


def _close(
    connection: Connection,
    held: Job,
    *,
    state: JobState,
    error: str | None,
    now: datetime | None = None,
    run_at: datetime | None = None,
) -> None:
    values = {
        "held": held.id,
        "holder": held.owner,
        "fence": held.attempt,
        "after": state,
        "next_run": timestamp(run_at or held.run_at),
        "ended": timestamp(now) if now else None,
        "reason": error,
    }
    if connection.execute(_CLOSE, values).rowcount != 1:
        raise LeaseLost(f"Job {held.id}, attempt {held.attempt}, is no longer leased to {held.owner}.")


def postpone(connection: Connection, held: Job, *, until: datetime, error: str | None = None) -> None:
    """Let a job wait until a moment that its handler chose, in the transaction that keeps what it has done so far.

    Raises:
        LeaseLost: the job has been taken over; the whole transaction must not be kept.
    """
    _close(connection, held, state=JobState.WAITING, run_at=until, error=error)


def release_all(connection: Connection) -> int:
    """Let all leases run out; right only where this process is known to be the one worker (SQLite holds a file lock)."""
    statement = sa.update(job).where(job.c.state == JobState.RUNNING).values(lease_until=LONG_AGO)
    return connection.execute(statement).rowcount


def next_due(connection: Connection) -> datetime | None:
    """When the next waiting job is due or the next lease runs out; None when there is nothing to wait for."""
    known = [moment(text) for text in connection.execute(_NEXT).one() if text]
    return min(known) if known else None


def get(connection: Connection, id: str) -> Job | None:
    """Find a job by its id."""
    row = connection.execute(sa.select(job).where(job.c.id == id)).first()
    return _job(row) if row else None


def counts(connection: Connection) -> dict[str, int]:
    """How many jobs stand in each state."""
    rows = connection.execute(sa.select(job.c.state, sa.func.count()).group_by(job.c.state))
    return {str(state): int(count) for state, count in rows}


def count_due(connection: Connection, *, now: datetime) -> int:
    """How many jobs run, or wait although their time has come."""
    due = sa.or_(
        job.c.state == JobState.RUNNING, sa.and_(job.c.state == JobState.WAITING, job.c.run_at <= timestamp(now))
    )
    return connection.scalar(sa.select(sa.func.count()).select_from(job).where(due)) or 0


def list_jobs(
    connection: Connection, *, state: JobState | None = None, kind: str | None = None, limit: int = 100
) -> list[Job]:
    """The newest jobs first."""
    query = sa.select(job).order_by(job.c.created_at.desc(), job.c.id.desc()).limit(limit)
    if state:
        query = query.where(job.c.state == state)
    if kind:
        query = query.where(job.c.kind == kind)
    return [_job(row) for row in connection.execute(query)]


def _job(row: sa.Row[Any]) -> Job:
    return Job(
        id=row.id,
        kind=row.kind,
        payload=msgspec.json.decode(row.payload),
        state=JobState(row.state),
        run_at=moment(row.run_at),
        attempt=row.attempt,
        attempts_max=row.attempts_max,
        owner=row.owner,
        error=row.error,
    )
