"""The tables of baselines, monitors, runs and their figures."""

from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from modelward.governance.monitoring.entities import (
    Baseline,
    BaselineState,
    Failure,
    Finding,
    Monitor,
    MonitorKind,
    Point,
    Run,
    RunState,
)
from modelward.kernel import codec
from modelward.kernel.clock import moment, timestamp
from modelward.kernel.outcome import Outcome
from modelward.kernel.pages import Page, PageRequest, cursor_after
from modelward.kernel.refs import BaselineRef, Digest, EndpointRef, MonitorRef, RunRef, VersionRef
from modelward.storage.work import Work

metadata = sa.MetaData()
baseline = sa.Table(
    "baseline",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("version", sa.Text),
    sa.Column("dataset", sa.Text, nullable=False),
    sa.Column("columns", sa.Text),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("rows", sa.BigInteger),
    sa.Column("profile", sa.Text),
    sa.Column("constraints", sa.Text),
    sa.Column("constraints_version", sa.Integer, nullable=False, server_default="1"),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("ready_at", sa.Text),
)
monitor = sa.Table(
    "monitor",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("endpoint", sa.Text, nullable=False),
    sa.Column("baseline", sa.Text, sa.ForeignKey("baseline.name"), nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("cron", sa.Text, nullable=False),
    sa.Column("zone", sa.Text, nullable=False),
    sa.Column("window_hours", sa.Integer),
    sa.Column("lag_minutes", sa.Integer, nullable=False),
    sa.Column("false_alarms_a_month", sa.Double),
    sa.Column("segments", sa.Text, nullable=False, server_default="[]"),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("removed_at", sa.Text),
    sa.Index("monitor_by_endpoint", "endpoint"),
)
run = sa.Table(
    "run",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("monitor", sa.Text, sa.ForeignKey("monitor.name"), nullable=False),
    sa.Column("endpoint", sa.Text, nullable=False),
    sa.Column("baseline", sa.Text, nullable=False),
    sa.Column("window_start", sa.Text, nullable=False),
    sa.Column("window_end", sa.Text, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("scheduled", sa.Boolean, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("rows", sa.BigInteger),
    sa.Column("violations", sa.Integer, nullable=False),
    sa.Column("drifted", sa.Text, nullable=False),
    sa.Column("findings", sa.Text, nullable=False),
    sa.Column("notes", sa.Text, nullable=False),
    sa.Column("failure", sa.Text),
    sa.Column("report", sa.Text),
    sa.Column("profile", sa.Text),
    sa.Column("requested_at", sa.Text, nullable=False),
    sa.Column("requested_by", sa.Text, nullable=False),
    sa.Column("started_at", sa.Text),
    sa.Column("finished_at", sa.Text),
    sa.UniqueConstraint("monitor", "window_start", "window_end", "attempt", name="run_of_window"),
    sa.Index("run_by_window", "monitor", "window_end", "attempt"),
)
run_point = sa.Table(
    "run_point",
    metadata,
    sa.Column("run", sa.Text, sa.ForeignKey("run.id"), primary_key=True),
    sa.Column("column", sa.Text, primary_key=True),
    sa.Column("measure", sa.Text, primary_key=True),
    sa.Column("monitor", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("value", sa.Double, nullable=False),
    sa.Column("threshold", sa.Double),
    sa.Index("run_point_series", "monitor", "column", "measure", "at"),
)
DECIDED = (Outcome.PASSED.value, Outcome.FAILED.value)


def find_baseline(work: Work, name: BaselineRef) -> Baseline | None:
    """Find a baseline."""
    row = work.execute(sa.select(baseline).where(baseline.c.name == name)).first()
    return _baseline(row) if row else None


def add_baseline(work: Work, new: Baseline) -> None:
    """Keep a new baseline."""
    work.execute(sa.insert(baseline), _plain(new))


def put_baseline(work: Work, changed: Baseline) -> None:
    """Keep a changed baseline."""
    work.execute(sa.update(baseline).where(baseline.c.name == changed.name).values(_plain(changed)))


def list_baselines(work: Work, *, page: PageRequest) -> Page[Baseline]:
    """Baselines in the order of their names."""
    query = sa.select(baseline).order_by(baseline.c.name).limit(page.limit + 1)
    if page.after:
        query = query.where(baseline.c.name > page.after[0])
    found = [_baseline(row) for row in work.execute(query)]
    items = found[: page.limit]
    return Page(items=items, next_cursor=cursor_after(items[-1].name) if len(found) > page.limit else None)


def find_monitor(work: Work, name: MonitorRef) -> Monitor | None:
    """Find a monitor that was not removed."""
    query = sa.select(monitor).where(monitor.c.name == name, monitor.c.removed_at.is_(None))
    row = work.execute(query).first()
    return _monitor(row) if row else None


def monitor_name_taken(work: Work, name: str) -> bool:
    """Whether a monitor has or had this name."""
    return work.execute(sa.select(monitor.c.name).where(monitor.c.name == name)).first() is not None


def add_monitor(work: Work, new: Monitor) -> None:
    """Keep a new monitor."""
    work.execute(sa.insert(monitor), _monitor_row(new))


def put_monitor(work: Work, changed: Monitor) -> None:
    """Keep a changed monitor."""
    work.execute(sa.update(monitor).where(monitor.c.name == changed.name).values(_monitor_row(changed)))


def remove_monitor(work: Work, name: MonitorRef) -> None:
    """Mark a monitor as removed."""
    work.execute(sa.update(monitor).where(monitor.c.name == name).values(removed_at=timestamp(work.now), enabled=False))


def list_monitors(work: Work, *, page: PageRequest, endpoint: EndpointRef | None) -> Page[Monitor]:
    """Monitors in the order of their names."""
    query = sa.select(monitor).where(monitor.c.removed_at.is_(None)).order_by(monitor.c.name).limit(page.limit + 1)
    if page.after:
        query = query.where(monitor.c.name > page.after[0])
    if endpoint:
        query = query.where(monitor.c.endpoint == endpoint)
    found = [_monitor(row) for row in work.execute(query)]
    items = found[: page.limit]
    return Page(items=items, next_cursor=cursor_after(items[-1].name) if len(found) > page.limit else None)


def monitors_of(work: Work, endpoint: EndpointRef) -> list[Monitor]:
    """All monitors of an endpoint."""
    query = sa.select(monitor).where(monitor.c.endpoint == endpoint, monitor.c.removed_at.is_(None))
    return [_monitor(row) for row in work.execute(query.order_by(monitor.c.name))]


def add_run(work: Work, new: Run) -> None:
    """Keep a new run."""
    work.execute(sa.insert(run), _run_row(new))


def put_run(work: Work, changed: Run) -> None:
    """Keep a changed run."""
    work.execute(sa.update(run).where(run.c.id == changed.id).values(_run_row(changed)))


def note_start(work: Work, ref: RunRef) -> None:
    """Show that a run is being computed. Not a fact to keep for ever, so it has no event."""
    started = {"state": RunState.RUNNING.value, "started_at": timestamp(work.now)}
    work.connection.execute(sa.update(run).where(run.c.id == ref).values(started))


def find_run(work: Work, ref: RunRef) -> Run | None:
    """Find a run."""
    row = work.execute(sa.select(run).where(run.c.id == ref)).first()
    return _run(row) if row else None


def run_of_window(work: Work, name: MonitorRef, *, start: datetime, end: datetime) -> Run | None:
    """The last attempt at a window."""
    same = (run.c.monitor == name, run.c.window_start == timestamp(start), run.c.window_end == timestamp(end))
    row = work.execute(sa.select(run).where(*same).order_by(run.c.attempt.desc()).limit(1)).first()
    return _run(row) if row else None


def last_scheduled_end(work: Work, name: MonitorRef) -> datetime | None:
    """Where the last window that the schedule asked for ended."""
    query = sa.select(sa.func.max(run.c.window_end)).where(run.c.monitor == name, run.c.scheduled)
    text = work.execute(query).scalar()
    return moment(text) if text else None


def list_runs(work: Work, name: MonitorRef, *, page: PageRequest) -> Page[Run]:
    """The runs of a monitor, the latest window first, the last attempt first."""
    order = (run.c.window_end, run.c.attempt, run.c.id)
    query = sa.select(run).where(run.c.monitor == name).order_by(*(key.desc() for key in order)).limit(page.limit + 1)
    if page.after:
        end, attempt, id = page.after
        query = query.where(sa.tuple_(*order) < sa.tuple_(sa.literal(end), sa.literal(int(attempt)), sa.literal(id)))
    found = [_run(row) for row in work.execute(query)]
    items = found[: page.limit]
    if len(found) <= page.limit:
        return Page(items=items)
    last = items[-1]
    return Page(items=items, next_cursor=cursor_after(timestamp(last.window_end), str(last.attempt), last.id))


def last_decided_runs(work: Work, name: MonitorRef, *, limit: int) -> list[Run]:
    """The last runs with a verdict that is not undecided, the last attempt of each window, the latest window first."""
    newer = run.alias("newer")
    replaced = sa.exists().where(
        newer.c.monitor == run.c.monitor,
        newer.c.window_start == run.c.window_start,
        newer.c.window_end == run.c.window_end,
        newer.c.attempt > run.c.attempt,
        newer.c.outcome.in_(DECIDED),
    )
    query = (
        sa.select(run)
        .where(run.c.monitor == name, run.c.outcome.in_(DECIDED), ~replaced)
        .order_by(run.c.window_end.desc(), run.c.window_start.desc())
        .limit(limit)
    )
    return [_run(row) for row in work.execute(query)]


def add_points(work: Work, name: MonitorRef, points: list[Point]) -> None:
    """Keep the figures of a run."""
    if points:
        rows = [{**_plain(each), "monitor": name} for each in points]
        work.execute(sa.insert(run_point), rows)


def series(
    work: Work,
    name: MonitorRef,
    *,
    column: str | None,
    measure: str | None,
    start: datetime | None,
    end: datetime | None,
    limit: int,
) -> list[Point]:
    """Figures over time, the oldest first, at most the newest so many."""
    query = sa.select(run_point).where(run_point.c.monitor == name)
    if column is not None:
        query = query.where(run_point.c.column == column)
    if measure is not None:
        query = query.where(run_point.c.measure == measure)
    if start is not None:
        query = query.where(run_point.c.at >= timestamp(start))
    if end is not None:
        query = query.where(run_point.c.at < timestamp(end))
    order = (run_point.c.at, run_point.c.column, run_point.c.measure, run_point.c.run)
    rows = work.execute(query.order_by(*(key.desc() for key in order)).limit(limit)).fetchall()
    return [
        Point(
            run=RunRef(row.run), at=moment(row.at), column=row.column, measure=row.measure, value=row.value,
            threshold=row.threshold,
        )
        for row in reversed(rows)
    ]  # fmt: skip


def _plain(one: msgspec.Struct) -> dict[str, Any]:
    """The fields of an entity as a row holds them: times, lists and structs as text."""
    row = {}
    for name in one.__struct_fields__:
        value = getattr(one, name)
        if isinstance(value, datetime):
            value = timestamp(value)
        elif isinstance(value, list | msgspec.Struct):
            value = codec.encode(value).decode()
        row[name] = value
    return row


def _monitor_row(one: Monitor) -> dict[str, Any]:
    return {name: value for name, value in _plain(one).items() if name != "next_at"}


def _run_row(one: Run) -> dict[str, Any]:
    return _plain(one)


def _when(text: str | None) -> datetime | None:
    return moment(text) if text else None


def _digest(text: str | None) -> Digest | None:
    return Digest(text) if text else None


def _baseline(row: sa.Row[Any]) -> Baseline:
    return Baseline(
        name=BaselineRef(row.name),
        version=VersionRef(row.version) if row.version else None,
        dataset=Digest(row.dataset),
        columns=msgspec.json.decode(row.columns) if row.columns else None,
        state=BaselineState(row.state),
        reason=row.reason,
        rows=row.rows,
        profile=_digest(row.profile),
        constraints=_digest(row.constraints),
        constraints_version=row.constraints_version,
        created_at=moment(row.created_at),
        created_by=row.created_by,
        ready_at=_when(row.ready_at),
    )


def _monitor(row: sa.Row[Any]) -> Monitor:
    return Monitor(
        name=MonitorRef(row.name),
        endpoint=EndpointRef(row.endpoint),
        baseline=BaselineRef(row.baseline),
        kind=MonitorKind(row.kind),
        cron=row.cron,
        zone=row.zone,
        window_hours=row.window_hours,
        lag_minutes=row.lag_minutes,
        false_alarms_a_month=row.false_alarms_a_month,
        segments=msgspec.json.decode(row.segments, type=list[str]),
        enabled=bool(row.enabled),
        created_at=moment(row.created_at),
        created_by=row.created_by,
    )


def _run(row: sa.Row[Any]) -> Run:
    return Run(
        id=RunRef(row.id),
        monitor=MonitorRef(row.monitor),
        endpoint=EndpointRef(row.endpoint),
        baseline=BaselineRef(row.baseline),
        window_start=moment(row.window_start),
        window_end=moment(row.window_end),
        attempt=row.attempt,
        scheduled=bool(row.scheduled),
        state=RunState(row.state),
        outcome=Outcome(row.outcome) if row.outcome else None,
        reason=row.reason,
        rows=row.rows,
        violations=row.violations,
        drifted=msgspec.json.decode(row.drifted),
        findings=msgspec.json.decode(row.findings, type=list[Finding]),
        notes=msgspec.json.decode(row.notes),
        failure=msgspec.json.decode(row.failure, type=Failure) if row.failure else None,
        report=_digest(row.report),
        profile=_digest(row.profile),
        requested_at=moment(row.requested_at),
        requested_by=row.requested_by,
        started_at=_when(row.started_at),
        finished_at=_when(row.finished_at),
    )
