"""Schedules: a cron line with a time zone, and the ledger of the slots it has fired. A slot is fired once."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import sqlalchemy as sa
from cronsim import CronSim, CronSimError
from sqlalchemy.engine import Connection

from modelward.jobs import queue
from modelward.kernel.clock import moment, timestamp
from modelward.kernel.errors import Invalid
from modelward.storage.upserts import insert_into

metadata = sa.MetaData()
schedule = sa.Table(
    "schedule",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("cron", sa.Text, nullable=False),
    sa.Column("zone", sa.Text, nullable=False),
    sa.Column("catch_up", sa.Text, nullable=False),
    sa.Column("next_at", sa.Text),
    sa.Index("schedule_due", "next_at"),
)

# Of the slots that were missed, as many as one transaction takes; the next one goes on from there.
CATCH_UP_SLOTS_MAX = 1000
ON_TIME = timedelta(minutes=1)
FOUR_YEARS = timedelta(days=1461)
SLOTS_COUNTED_MAX = 5000
LOOK_BACK_HOURS = (1, 24, 24 * 32, 24 * 367, 24 * 3660)
_NEXT = sa.select(sa.func.min(schedule.c.next_at)).execution_options(prepared=True)


class CatchUp(StrEnum):
    """What happens to slots that passed while nothing ran: run each, only the latest, or none that is a minute late."""

    ALL = "all"
    LATEST = "latest"
    NONE = "none"


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """A cron line in a time zone that makes a job of a kind at each of its slots; paused when ``next_at`` is None."""

    id: str
    kind: str
    payload: dict[str, Any]
    cron: str
    zone: str = "UTC"
    catch_up: CatchUp = CatchUp.LATEST
    next_at: datetime | None = None


def next_slot(cron: str, zone: str, after: datetime) -> datetime:
    """The first slot of a cron line strictly after a moment, in UTC; daylight saving is kept as Debian's cron does.

    A slot in the hour that spring skips is due when the hour has passed; one in the hour that autumn repeats, the first
    time only. A line with a star for the hour goes on by the minute through both.

    Raises:
        Invalid: the line is not a cron expression with a next date, or the zone is unknown.
    """
    try:
        place = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as problem:
        raise Invalid(f"{zone!r} is not a time zone: use a name such as Europe/Zurich.", field="zone") from problem
    try:
        # Twice-named and skipped hours make CronSim name a moment again, or one that has passed.
        slots = (slot.astimezone(UTC) for slot in CronSim(cron, after.astimezone(place)))
        return next(slot for slot in slots if slot > after)
    except (CronSimError, StopIteration) as problem:
        raise Invalid(
            f"{cron!r} is not a cron line with a next date: give minute, hour, day, month, weekday, as in '0 * * * *'.",
            field="cron",
        ) from problem


def slot_before(cron: str, zone: str, slot: datetime) -> datetime:
    """The slot of a cron line before a slot, in UTC; the slot itself where the line had none before."""
    try:
        return next(CronSim(cron, slot.astimezone(ZoneInfo(zone)), reverse=True)).astimezone(UTC)
    except StopIteration:
        return slot


def slots_a_month(cron: str, zone: str) -> float:
    """How many slots a cron line has in a month of 30.4 days: an average over up to four years, the same at any time."""
    first = datetime(2024, 1, 1, tzinfo=UTC)
    count, last = 0, first
    for slot in CronSim(cron, first.astimezone(ZoneInfo(zone))):
        if slot.astimezone(UTC) - first > FOUR_YEARS:
            last = first + FOUR_YEARS
            break
        count, last = count + 1, slot.astimezone(UTC)
        if count == SLOTS_COUNTED_MAX:
            break
    return max(1, count) / (max(last - first, timedelta(minutes=1)) / (FOUR_YEARS / 48))


def put(connection: Connection, wanted: Schedule, *, now: datetime, paused: bool = False) -> Schedule:
    """Make or replace a schedule. Its first slot is the next one after now, or the one that is due if the times stay."""
    next_at = None if paused else next_slot(wanted.cron, wanted.zone, now)
    known = get(connection, wanted.id)
    if next_at and known and known.next_at and (known.cron, known.zone) == (wanted.cron, wanted.zone):
        next_at = known.next_at
    kept = msgspec.structs.replace(wanted, next_at=next_at)
    row = {
        "id": kept.id,
        "kind": kept.kind,
        "payload": msgspec.json.encode(kept.payload).decode(),
        "cron": kept.cron,
        "zone": kept.zone,
        "catch_up": kept.catch_up,
        "next_at": timestamp(kept.next_at) if kept.next_at else None,
    }
    statement = insert_into(schedule, connection.dialect.name).values(row)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["id"], set_={k: row[k] for k in row if k != "id"})
    )
    return kept


def remove(connection: Connection, id: str) -> None:
    """End a schedule; jobs it has made go on."""
    connection.execute(sa.delete(schedule).where(schedule.c.id == id))


def get(connection: Connection, id: str) -> Schedule | None:
    """Find a schedule by its id."""
    row = connection.execute(sa.select(schedule).where(schedule.c.id == id)).first()
    return _schedule(row) if row else None


def fire_due(connection: Connection, *, now: datetime, limit: int = 1000) -> int:
    """Make a job for each slot that is due and move each schedule on, in one transaction. Returns the jobs made.

    The job's id is the schedule and the slot, so that two schedulers at once make one job.
    """
    due = sa.select(schedule).where(schedule.c.next_at <= timestamp(now)).order_by(schedule.c.next_at).limit(limit)
    made = 0
    for row in connection.execute(due).fetchall():
        found = _schedule(row)
        slots, following = _slots_until(found, now)
        for slot in slots:
            made += queue.enqueue(
                connection,
                id=f"{found.id}@{timestamp(slot)}",
                kind=found.kind,
                payload={**found.payload, "slot": timestamp(slot)},
                now=now,
            )
        moved = sa.update(schedule).where(schedule.c.id == found.id).values(next_at=timestamp(following))
        connection.execute(moved)
    return made


def _slots_until(found: Schedule, now: datetime) -> tuple[list[datetime], datetime]:
    assert found.next_at is not None
    if found.catch_up is CatchUp.ALL:
        slots = [found.next_at]
        while (following := next_slot(found.cron, found.zone, slots[-1])) <= now and len(slots) < CATCH_UP_SLOTS_MAX:
            slots.append(following)
        return slots, following
    latest = _latest_slot(found, found.next_at, now)
    wanted = found.catch_up is CatchUp.LATEST or now - latest <= ON_TIME
    return [latest] if wanted else [], next_slot(found.cron, found.zone, now)


def _latest_slot(found: Schedule, first: datetime, now: datetime) -> datetime:
    for hours in LOOK_BACK_HOURS:
        begin = now - timedelta(hours=hours)
        latest = first if begin <= first else next_slot(found.cron, found.zone, begin)
        if latest <= now:
            while (following := next_slot(found.cron, found.zone, latest)) <= now:
                latest = following
            return latest
    return first


def next_due(connection: Connection) -> datetime | None:
    """When the next slot of any schedule is."""
    text = connection.scalar(_NEXT)
    return moment(text) if text else None


def _schedule(row: sa.Row[Any]) -> Schedule:
    return Schedule(
        id=row.id,
        kind=row.kind,
        payload=msgspec.json.decode(row.payload),
        cron=row.cron,
        zone=row.zone,
        catch_up=CatchUp(row.catch_up),
        next_at=moment(row.next_at) if row.next_at else None,
    )
