"""Baselines, monitors and runs over REST."""

import asyncio
from datetime import datetime
from typing import Any

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.governance.monitoring import constraint_changes, use_cases
from modelward.governance.monitoring.entities import Baseline, Monitor, MonitorKind, Point, Run
from modelward.governance.registry import use_cases as registry
from modelward.governance.serving import use_cases as serving
from modelward.interfaces.http import read_body, respond
from modelward.interfaces.rest.dispatch import RawRequest
from modelward.interfaces.rest.operations import Operations
from modelward.kernel import codec
from modelward.kernel.clock import in_utc
from modelward.kernel.errors import Conflict, Invalid
from modelward.kernel.pages import PAGE_SIZE_DEFAULT, Page, PageRequest
from modelward.kernel.refs import BaselineRef, Digest, EndpointRef, MonitorRef, RunRef, VersionRef
from modelward.storage.work import Work

monitoring = Operations("monitoring")
POINTS_MAX = 20_000
CONSTRAINTS_BYTES_MAX = 16 << 20


class CreateBaseline(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A baseline to make from a stored data set (Parquet, CSV or JSON lines), by its digest."""

    name: str
    dataset: Digest
    version: VersionRef | None = None
    columns: list[str] | None = None


class ChangeConstraints(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All constraints, as they are read, changed; why; and the digest of those that were read, to lose no other change."""

    constraints: dict[str, Any]
    note: str = ""
    replaces: Digest | None = None


class CreateMonitor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A monitor to create. Without a cron line it runs on demand only."""

    name: str
    endpoint: EndpointRef
    baseline: BaselineRef
    kind: MonitorKind = MonitorKind.DATA_QUALITY
    cron: str = ""
    zone: str = "UTC"
    window_hours: int | None = 24
    lag_minutes: int = 0
    false_alarms_a_month: float | None = None
    segments: list[str] = []


class ChangeMonitor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change of a monitor; what is left out stays."""

    baseline: BaselineRef | msgspec.UnsetType = msgspec.UNSET
    cron: str | msgspec.UnsetType = msgspec.UNSET
    zone: str | msgspec.UnsetType = msgspec.UNSET
    window_hours: int | msgspec.UnsetType | None = msgspec.UNSET
    lag_minutes: int | msgspec.UnsetType = msgspec.UNSET
    false_alarms_a_month: float | msgspec.UnsetType | None = msgspec.UNSET
    segments: list[str] | msgspec.UnsetType = msgspec.UNSET
    enabled: bool | msgspec.UnsetType = msgspec.UNSET


class RunMonitor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The window to look at. ``again``: one more attempt at a window that was looked at before."""

    start: datetime
    end: datetime
    again: bool = False


class ListPage(msgspec.Struct, frozen=True, kw_only=True):
    """Which page of a list."""

    limit: int = PAGE_SIZE_DEFAULT
    cursor: str | None = None


class ListMonitors(msgspec.Struct, frozen=True, kw_only=True):
    """Which monitors to list."""

    endpoint: EndpointRef | None = None
    limit: int = PAGE_SIZE_DEFAULT
    cursor: str | None = None


class ShowSeries(msgspec.Struct, frozen=True, kw_only=True):
    """Which figures: of a column (empty: of the whole table), a measure, and a time."""

    column: str | None = None
    measure: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    limit: int = 1000


@monitoring.operation("POST", "/baselines", permission=Permission.MONITOR_MANAGE, status=201)
def create_baseline(work: Work, body: CreateBaseline) -> Baseline:
    """Make a baseline: a job profiles the data set and suggests constraints."""
    dataset = registry.get_artifact(work, body.dataset)
    if body.version is not None:
        registry.get_version(work, body.version)
    return use_cases.create_baseline(
        work, name=body.name, dataset=dataset.digest, version=body.version, columns=body.columns
    )


@monitoring.operation("GET", "/baselines", permission=Permission.MONITOR_READ)
def list_baselines(work: Work, query: ListPage) -> Page[Baseline]:
    """List baselines in the order of their names."""
    return use_cases.list_baselines(work, page=PageRequest(limit=query.limit, cursor=query.cursor))


@monitoring.operation("GET", "/baselines/{baseline}", permission=Permission.MONITOR_READ)
def get_baseline(work: Work, baseline: BaselineRef) -> Baseline:
    """Get a baseline: whether it is ready, and the digests of its profile and constraints."""
    return use_cases.get_baseline(work, baseline)


@monitoring.operation("GET", "/baselines/{baseline}/constraints", permission=Permission.MONITOR_READ, raw=True)
async def get_baseline_constraints(request: RawRequest, baseline: BaselineRef) -> None:
    """Get the constraints of a baseline: as they were suggested, or as somebody changed them."""

    def task(work: Work) -> bytes:
        found = use_cases.get_baseline(work, baseline)
        if found.constraints is None:
            raise Conflict(f"The baseline {baseline} is {found.state.value} and has no constraints.", field="baseline")
        return work.blobs.get(found.constraints)

    loop = asyncio.get_running_loop()
    await respond(request.send, 200, await loop.run_in_executor(None, request.workshop.read, request.actor, task))


@monitoring.operation("PUT", "/baselines/{baseline}/constraints", permission=Permission.MONITOR_MANAGE, raw=True)
async def change_baseline_constraints(request: RawRequest, baseline: BaselineRef) -> Baseline:
    """Change the constraints of a baseline: a new version of them, by which the next runs are judged.

    Send ``{"constraints": {...}, "note": "why", "replaces": "sha256:..."}``: all of them, as they are read; and the digest
    of those that were read, where no other change may be lost.
    """
    loop = asyncio.get_running_loop()
    data = await read_body(request.receive, bytes_max=CONSTRAINTS_BYTES_MAX)

    def read() -> tuple[ChangeConstraints, bytes]:
        body = codec.decode(data or b"{}", ChangeConstraints)
        profile = request.workshop.read(
            request.actor, lambda work: constraint_changes.profile_to_hold_against(work, baseline)
        )
        return body, constraint_changes.read_constraints(body.constraints, request.workshop.blobs.get(profile))

    # In a thread: trying many rules out must hold up neither the other requests nor the writer.
    body, written = await loop.run_in_executor(None, read)
    changed = await asyncio.wrap_future(
        request.workshop.submit(
            request.actor,
            lambda work: constraint_changes.change_constraints(
                work, baseline, written, note=body.note, replaces=body.replaces
            ),
        )
    )
    await respond(request.send, 200, codec.encode(changed))
    return changed


@monitoring.operation("POST", "/monitors", permission=Permission.MONITOR_MANAGE, status=201)
def create_monitor(work: Work, body: CreateMonitor) -> Monitor:
    """Create a monitor of an endpoint against a baseline."""
    endpoint = serving.get_endpoint(work, body.endpoint)
    if endpoint.removed_at:
        raise serving.EndpointGone(
            f"The endpoint {endpoint.name} was removed; there is nothing to watch.", field="endpoint"
        )
    return use_cases.create_monitor(
        work,
        name=body.name,
        endpoint=endpoint.name,
        baseline=body.baseline,
        kind=body.kind,
        cron=body.cron,
        zone=body.zone,
        window_hours=body.window_hours,
        lag_minutes=body.lag_minutes,
        false_alarms_a_month=body.false_alarms_a_month,
        segments=body.segments,
    )


@monitoring.operation("GET", "/monitors", permission=Permission.MONITOR_READ)
def list_monitors(work: Work, query: ListMonitors) -> Page[Monitor]:
    """List monitors in the order of their names."""
    page = PageRequest(limit=query.limit, cursor=query.cursor)
    return use_cases.list_monitors(work, page=page, endpoint=query.endpoint)


@monitoring.operation("GET", "/monitors/{monitor}", permission=Permission.MONITOR_READ)
def get_monitor(work: Work, monitor: MonitorRef) -> Monitor:
    """Get a monitor."""
    return use_cases.get_monitor(work, monitor)


@monitoring.operation("PATCH", "/monitors/{monitor}", permission=Permission.MONITOR_MANAGE)
def change_monitor(work: Work, monitor: MonitorRef, body: ChangeMonitor) -> Monitor:
    """Change a monitor, pause it or let it go on."""
    return use_cases.change_monitor(
        work,
        monitor,
        baseline=body.baseline,
        cron=body.cron,
        zone=body.zone,
        window_hours=body.window_hours,
        lag_minutes=body.lag_minutes,
        false_alarms_a_month=body.false_alarms_a_month,
        segments=body.segments,
        enabled=body.enabled,
    )


@monitoring.operation("DELETE", "/monitors/{monitor}", permission=Permission.MONITOR_MANAGE)
def remove_monitor(work: Work, monitor: MonitorRef) -> Monitor:
    """Remove a monitor; its runs stay."""
    return use_cases.remove_monitor(work, monitor)


@monitoring.operation("POST", "/monitors/{monitor}/runs", permission=Permission.MONITOR_MANAGE, status=201)
def run_monitor(work: Work, monitor: MonitorRef, body: RunMonitor) -> Run:
    """Look at a window now; one that was looked at before gives its run back, unless again is set."""
    return use_cases.run_monitor(work, monitor, start=in_utc(body.start), end=in_utc(body.end), again=body.again)


@monitoring.operation("GET", "/monitors/{monitor}/runs", permission=Permission.MONITOR_READ)
def list_runs(work: Work, monitor: MonitorRef, query: ListPage) -> Page[Run]:
    """List the runs of a monitor, the latest window first."""
    return use_cases.list_runs(work, monitor, page=PageRequest(limit=query.limit, cursor=query.cursor))


@monitoring.operation("GET", "/monitors/{monitor}/series", permission=Permission.MONITOR_READ)
def show_series(work: Work, monitor: MonitorRef, query: ShowSeries) -> list[Point]:
    """Show figures of a monitor's runs over time, the oldest first."""
    if not 1 <= query.limit <= POINTS_MAX:
        raise Invalid(f"limit is {query.limit}; it must be from 1 to {POINTS_MAX}.", field="query.limit")
    return use_cases.series(
        work,
        monitor,
        column=query.column,
        measure=query.measure,
        start=in_utc(query.start) if query.start else None,
        end=in_utc(query.end) if query.end else None,
        limit=query.limit,
    )


@monitoring.operation("GET", "/runs/{run}", permission=Permission.MONITOR_READ)
def get_run(work: Work, run: RunRef) -> Run:
    """Get a run: its window, its verdict and the worst of what it found."""
    return use_cases.get_run(work, run)


@monitoring.operation("GET", "/runs/{run}/report", permission=Permission.MONITOR_READ, raw=True)
async def read_report(request: RawRequest, run: RunRef) -> None:
    """Read the whole report of a run."""
    loop = asyncio.get_running_loop()
    report = await loop.run_in_executor(
        None, request.workshop.read, request.actor, lambda work: use_cases.read_report(work, run)
    )
    await respond(request.send, 200, report)
