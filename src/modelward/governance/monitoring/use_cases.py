"""What one can do with baselines, monitors and runs. Captured records stand in captures.py, the computing in running.py.

Endpoints live in serving and data sets in the registry: who calls has looked them up there.
"""

from datetime import datetime

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from modelward.governance.access.permissions import Permission, require
from modelward.governance.monitoring import rules, store
from modelward.governance.monitoring.entities import (
    Baseline,
    BaselineCreated,
    Monitor,
    MonitorChanged,
    MonitorCreated,
    MonitorKind,
    MonitorRemoved,
    Point,
    Run,
    RunRequested,
)
from modelward.jobs import queue, schedules
from modelward.jobs.schedules import CatchUp, Schedule
from modelward.kernel.errors import Conflict, NotFound
from modelward.kernel.pages import Page, PageRequest
from modelward.kernel.refs import BaselineRef, Digest, EndpointRef, MonitorRef, RunRef, VersionRef, checked_name
from modelward.storage.work import Work

BASELINE_JOB = "baseline"
RUN_JOB = "monitor-run"
SLOT_JOB = "monitor-slot"
ATTEMPTS_MAX = 5


class BaselineExists(Conflict):
    """A baseline of this name exists already."""


class MonitorExists(Conflict):
    """A monitor of this name exists already."""


class NoReport(Conflict):
    """This run has no report."""


def create_baseline(
    work: Work,
    *,
    name: str,
    dataset: Digest,
    version: VersionRef | None = None,
    columns: list[str] | None = None,
) -> Baseline:
    """Ask for a baseline: a job profiles the data set and suggests constraints. Only these can be changed later.

    Raises:
        BaselineExists: the name is taken.
    """
    require(work, Permission.MONITOR_MANAGE, on=name)
    ref = BaselineRef(checked_name(name))
    if columns is not None:
        rules.check_columns(columns)
    if store.find_baseline(work, ref):
        raise BaselineExists(f"A baseline named {name} exists already.", field="name", hint="Take another name.")
    new = Baseline(
        name=ref, dataset=dataset, version=version, columns=columns, created_at=work.now, created_by=work.actor.id
    )
    store.add_baseline(work, new)
    queue.enqueue(
        work.connection, id=f"baseline-{ref}", kind=BASELINE_JOB, payload={"baseline": str(ref)}, now=work.now,
        attempts_max=ATTEMPTS_MAX,
    )  # fmt: skip
    work.record(BaselineCreated(baseline=ref, dataset=dataset, version=version))
    return new


def get_baseline(work: Work, name: BaselineRef) -> Baseline:
    """A baseline.

    Raises:
        NotFound: there is none.
    """
    require(work, Permission.MONITOR_READ, on=name)
    found = store.find_baseline(work, name)
    if found is None:
        raise NotFound(f"There is no baseline {name}.", field="baseline", hint="Create it: POST /api/v1/baselines.")
    return found


def list_baselines(work: Work, *, page: PageRequest) -> Page[Baseline]:
    """Baselines in the order of their names."""
    require(work, Permission.MONITOR_READ)
    return store.list_baselines(work, page=page)


def create_monitor(
    work: Work,
    *,
    name: str,
    endpoint: EndpointRef,
    baseline: BaselineRef,
    kind: MonitorKind = MonitorKind.DATA_QUALITY,
    cron: str = "",
    zone: str = "UTC",
    window_hours: int | None = 24,
    lag_minutes: int = 0,
    false_alarms_a_month: float | None = None,
    segments: list[str] | None = None,
) -> Monitor:
    """Watch an endpoint against a baseline, by a cron line or (without one) on demand.

    Raises:
        MonitorExists: the name is taken.
        NotFound: there is no such baseline.
        Invalid: the cron line, the zone or a number breaks its rule.
    """
    require(work, Permission.MONITOR_MANAGE, on=name)
    ref = MonitorRef(checked_name(name))
    get_baseline(work, baseline)
    if store.monitor_name_taken(work, ref):
        raise MonitorExists(
            f"A monitor named {name} exists already, or did; its runs are kept under that name.",
            field="name",
            hint="Take another name.",
        )
    new = Monitor(
        name=ref, endpoint=endpoint, baseline=baseline, kind=kind, cron=cron, zone=zone, window_hours=window_hours,
        lag_minutes=lag_minutes, false_alarms_a_month=false_alarms_a_month, segments=segments or [],
        created_at=work.now, created_by=work.actor.id,
    )  # fmt: skip
    rules.check_monitor(new)
    store.add_monitor(work, new)
    scheduled = _schedule(work, new)
    work.record(MonitorCreated(monitor=ref, endpoint=endpoint, baseline=baseline, cron=cron))
    return scheduled


def change_monitor(
    work: Work,
    name: MonitorRef,
    *,
    baseline: BaselineRef | UnsetType = UNSET,
    cron: str | UnsetType = UNSET,
    zone: str | UnsetType = UNSET,
    window_hours: int | UnsetType | None = UNSET,
    lag_minutes: int | UnsetType = UNSET,
    false_alarms_a_month: float | UnsetType | None = UNSET,
    segments: list[str] | UnsetType = UNSET,
    enabled: bool | UnsetType = UNSET,
) -> Monitor:
    """Change the settings of a monitor, pause it (``enabled`` false) or let it go on; what is not given stays."""
    require(work, Permission.MONITOR_MANAGE, on=name)
    found = get_monitor(work, name)
    wanted = {
        "baseline": baseline, "cron": cron, "zone": zone, "window_hours": window_hours, "lag_minutes": lag_minutes,
        "false_alarms_a_month": false_alarms_a_month, "segments": segments, "enabled": enabled,
    }  # fmt: skip
    changes = {key: value for key, value in wanted.items() if value is not UNSET and value != getattr(found, key)}
    if not changes:
        return found
    changed: Monitor = replace(found, **changes)
    rules.check_monitor(changed)
    get_baseline(work, changed.baseline)
    store.put_monitor(work, changed)
    changed = _schedule(work, changed)
    work.record(MonitorChanged(monitor=name, changed=sorted(changes)))
    return changed


def _schedule(work: Work, monitor: Monitor) -> Monitor:
    id = _schedule_id(monitor.name)
    if not monitor.cron:
        schedules.remove(work.connection, id)
        return replace(monitor, next_at=None)
    # A window that starts where the last one ended covers what was missed; fixed windows must each have their run.
    catch_up = CatchUp.LATEST if monitor.window_hours is None else CatchUp.ALL
    wanted = Schedule(
        id=id,
        kind=SLOT_JOB,
        payload={"monitor": str(monitor.name)},
        cron=monitor.cron,
        zone=monitor.zone,
        catch_up=catch_up,
    )
    # The line is checked also while the monitor is paused.
    schedules.next_slot(monitor.cron, monitor.zone, work.now)
    kept = schedules.put(work.connection, wanted, now=work.now, paused=not monitor.enabled)
    return replace(monitor, next_at=kept.next_at)


def _schedule_id(name: MonitorRef) -> str:
    """The id of a monitor's schedule."""
    return f"monitor:{name}"


def get_monitor(work: Work, name: MonitorRef) -> Monitor:
    """A monitor, with its next slot.

    Raises:
        NotFound: there is none.
    """
    require(work, Permission.MONITOR_READ, on=name)
    found = store.find_monitor(work, name)
    if found is None:
        raise NotFound(f"There is no monitor {name}.", field="monitor", hint="List them with `modelward monitor list`.")
    return _with_next(work, found)


def list_monitors(work: Work, *, page: PageRequest, endpoint: EndpointRef | None = None) -> Page[Monitor]:
    """Monitors in the order of their names, all or those of an endpoint."""
    require(work, Permission.MONITOR_READ)
    found = store.list_monitors(work, page=page, endpoint=endpoint)
    return Page(items=[_with_next(work, each) for each in found.items], next_cursor=found.next_cursor)


def _with_next(work: Work, monitor: Monitor) -> Monitor:
    planned = schedules.get(work.connection, _schedule_id(monitor.name)) if monitor.cron else None
    return replace(monitor, next_at=planned.next_at) if planned else monitor


def remove_monitor(work: Work, name: MonitorRef) -> Monitor:
    """End a monitor; its runs stay, and its name is not used again for another."""
    require(work, Permission.MONITOR_MANAGE, on=name)
    found = get_monitor(work, name)
    store.remove_monitor(work, name)
    schedules.remove(work.connection, _schedule_id(name))
    work.record(MonitorRemoved(monitor=name, endpoint=found.endpoint))
    return replace(found, enabled=False, next_at=None)


def pause_monitors(work: Work, endpoint: EndpointRef) -> list[Monitor]:
    """Pause the monitors of an endpoint; called when it was removed."""
    require(work, Permission.MONITOR_MANAGE, on=endpoint)
    active = [each for each in store.monitors_of(work, endpoint) if each.enabled]
    return [change_monitor(work, each.name, enabled=False) for each in active]


def run_monitor(work: Work, name: MonitorRef, *, start: datetime, end: datetime, again: bool = False) -> Run:
    """Look at a window now. A window that was looked at gives its run back, unless ``again`` asks for one more attempt.

    Raises:
        Invalid: the window is empty, backwards or too long.
    """
    require(work, Permission.MONITOR_MANAGE, on=name)
    rules.check_window(start, end)
    return request_run(work, get_monitor(work, name), start=start, end=end, again=again)


def request_run(
    work: Work, monitor: Monitor, *, start: datetime, end: datetime, again: bool = False, scheduled: bool = False
) -> Run:
    """Note a run and put it in the queue, in this transaction; see ``run_monitor``."""
    require(work, Permission.MONITOR_MANAGE, on=monitor.name)
    before = store.run_of_window(work, monitor.name, start=start, end=end)
    if before and not again:
        return before
    attempt = before.attempt + 1 if before else 1
    new = Run(
        id=rules.run_id(monitor.name, start, end, attempt),
        monitor=monitor.name,
        endpoint=monitor.endpoint,
        baseline=monitor.baseline,
        window_start=start,
        window_end=end,
        attempt=attempt,
        scheduled=scheduled,
        requested_at=work.now,
        requested_by=work.actor.id,
    )
    store.add_run(work, new)
    queue.enqueue(
        work.connection, id=new.id, kind=RUN_JOB, payload={"run": str(new.id)}, now=work.now, attempts_max=ATTEMPTS_MAX
    )
    work.record(
        RunRequested(
            run=new.id, monitor=monitor.name, window_start=start, window_end=end, attempt=attempt, scheduled=scheduled
        )
    )
    return new


def get_run(work: Work, ref: RunRef) -> Run:
    """A run.

    Raises:
        NotFound: there is none.
    """
    require(work, Permission.MONITOR_READ, on=ref)
    found = store.find_run(work, ref)
    if found is None:
        raise NotFound(f"There is no run {ref}.", field="run")
    return found


def list_runs(work: Work, name: MonitorRef, *, page: PageRequest) -> Page[Run]:
    """The runs of a monitor, the latest window first; those of a removed monitor too."""
    require(work, Permission.MONITOR_READ, on=name)
    return store.list_runs(work, name, page=page)


def last_decided_runs(work: Work, name: MonitorRef, *, limit: int) -> list[Run]:
    """The last runs of a monitor that passed or failed, the latest window first, one per window: its last attempt."""
    require(work, Permission.MONITOR_READ, on=name)
    return store.last_decided_runs(work, name, limit=limit)


def read_report(work: Work, ref: RunRef) -> bytes:
    """The report of a run, as JSON.

    Raises:
        NoReport: the run has reached no verdict.
    """
    found = get_run(work, ref)
    if found.report is None:
        raise NoReport(f"The run {ref} is {found.state.value} and has no report.", field="run")
    return work.blobs.get(found.report)


def series(
    work: Work,
    name: MonitorRef,
    *,
    column: str | None = None,
    measure: str | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    limit: int = 1000,
) -> list[Point]:
    """Figures of a monitor's runs over time, the oldest first and at most the newest ``limit``; of one column or measure."""
    require(work, Permission.MONITOR_READ, on=name)
    return store.series(work, name, column=column, measure=measure, start=start, end=end, limit=limit)
