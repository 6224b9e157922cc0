"""Monitors and their runs: what drifted, since when, by how much, and what was not checked and why."""

from typing import TYPE_CHECKING, Any

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.governance.alerts import use_cases as alerts
from modelward.governance.monitoring import use_cases
from modelward.governance.monitoring.entities import Point, Run
from modelward.interfaces.web import charts
from modelward.interfaces.web.budgets import Budget, spending_of
from modelward.interfaces.web.charts import Chart
from modelward.interfaces.web.history import history_of
from modelward.interfaces.web.views import Redirect, Shown, Views, show
from modelward.kernel.errors import ModelwardError
from modelward.kernel.pages import PageRequest
from modelward.kernel.refs import MonitorRef, RunRef
from modelward.storage.blobs import BlobMissing
from modelward.storage.work import Work

if TYPE_CHECKING:
    from modelward.interfaces.web.distributions import Distribution

views = Views()
RUNS_ON_A_PAGE = 30
LINES_MAX = 6
POINTS_MAX = 5000
PICTURES_MAX = 40


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """Which page of the runs."""

    cursor: str | None = None
    done: str = ""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on one column."""

    column: str
    measure: str = ""
    distance: float | None = None
    threshold: float | None = None
    p_value: float | None = None
    effect: float | None = None
    outcome: str = "undecided"
    reason: str = ""


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """A broken rule."""

    column: str
    check: str
    description: str
    observed: str
    expected: str


class Unchecked(msgspec.Struct, frozen=True, kw_only=True):
    """A check that was not made, and why."""

    column: str
    check: str
    reason: str


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """What a run has judged."""

    rows: int = 0
    baseline_rows: int | None = None
    violations: list[Violation] = []
    drift: list[Verdict] = []
    unchecked: list[Unchecked] = []
    checks_made: int = 0
    budget: Budget | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The kept report of a run, as far as it is shown."""

    check: Check = Check()
    unjudged: list[str] = []
    notes: list[str] = []
    budget: str = ""
    profile: dict[str, Any] = {}


class Declared(msgspec.Struct, frozen=True, kw_only=True):
    """Of a kept report only the budget."""

    class Check(msgspec.Struct, frozen=True, kw_only=True):
        """Of a check only the budget."""

        budget: Budget | None = None

    check: Check = Check()


@views.page("GET", "/monitors/{monitor}", permission=Permission.MONITOR_READ)
def show_monitor(work: Work, monitor: MonitorRef, query: Listed) -> Shown:
    """A monitor: drift over time, its rule, and its runs."""
    found = use_cases.get_monitor(work, monitor)
    page = use_cases.list_runs(work, monitor, page=PageRequest(limit=RUNS_ON_A_PAGE, cursor=query.cursor))
    drift = use_cases.series(work, monitor, measure="drift", limit=POINTS_MAX)
    spent = use_cases.series(work, monitor, column="", measure="budget_spent", limit=POINTS_MAX)
    may_see_alerts = Permission.ALERT_READ in work.actor.permissions
    return show(
        "monitor.html",
        monitor=found,
        baseline=use_cases.get_baseline(work, found.baseline),
        runs=page.items,
        next_cursor=page.next_cursor,
        drift=_over_time(drift),
        spending=spending_of(spent, page.items, _declared(work, page.items)) if spent else None,
        rule=alerts.get_rule(work, monitor) if may_see_alerts else None,
        alerts=alerts.list_alerts(work, page=PageRequest(limit=10), monitor=monitor).items if may_see_alerts else [],
        history=history_of(work, monitor, limit=12),
        done=query.done,
    )


def _declared(work: Work, runs: list[Run]) -> Budget | None:
    """The budget as the latest run on the page had it."""
    judged = next((run for run in runs if run.report), None)
    if judged is None:
        return None
    try:
        return msgspec.json.decode(use_cases.read_report(work, judged.id), type=Declared).check.budget
    except BlobMissing:
        return None


def _over_time(points: list[Point]) -> Chart | None:
    """The columns that came nearest to their limits, each as a multiple of its own limit."""
    lines: dict[str, list[tuple[Any, float]]] = {}
    for point in points:
        if point.threshold:
            lines.setdefault(point.column, []).append((point.at, point.value / point.threshold))
    if not lines:
        return None
    highest = sorted(lines, key=lambda name: -max(value for _, value in lines[name]))[:LINES_MAX]
    left_out = len(lines) - len(highest)
    note = "Each column as a multiple of its own limit."
    if left_out:
        note += f" Drawn are the {len(highest)} columns that went highest; {left_out} more stayed below them."
    return charts.over_time(
        {name: lines[name] for name in highest},
        label="Drift per column over the runs",
        of="drift / limit",
        limit=1,
        note=note,
    )


@views.page("GET", "/runs/{run}", permission=Permission.MONITOR_READ)
def show_run(work: Work, run: RunRef, query: Listed) -> Shown:
    """A run: the verdict on each column, what was broken, and what was not checked."""
    return _run(work, run, done=query.done, problem=None)


def run_again_refused(work: Work, run: RunRef, form: dict[str, str], problem: ModelwardError) -> Shown:
    """The run with the refusal of another attempt."""
    return _run(work, run, done="", problem=problem)


def _run(work: Work, ref: RunRef, *, done: str, problem: ModelwardError | None) -> Shown:
    found = use_cases.get_run(work, ref)
    report = msgspec.json.decode(use_cases.read_report(work, ref), type=Report) if found.report else None
    verdicts = sorted(report.check.drift, key=_severity) if report else []
    return show(
        "run.html",
        run=found,
        report=report,
        verdicts=verdicts,
        pictures=_pictures(work, found, [each.column for each in verdicts[:PICTURES_MAX]]),
        columns=report.profile.get("columns", {}) if report else {},
        done=done,
        problem=problem,
    )


def _severity(verdict: Verdict) -> tuple[int, float, str]:
    order = {"failed": 0, "undecided": 1, "passed": 2}
    ratio = (verdict.effect or 0.0) / verdict.threshold if verdict.threshold else 0.0
    return order.get(verdict.outcome, 3), -ratio, verdict.column


def _pictures(work: Work, run: Run, columns: list[str]) -> "dict[str, Distribution]":
    # Loaded at the first picture: the numbers cost time and memory that a server at rest need not spend.
    from modelward.interfaces.web.distributions import compare, read

    baseline = use_cases.get_baseline(work, run.baseline)
    if run.profile is None or baseline.profile is None:
        return {}
    try:
        base, now = (read(work.blobs.get(digest)) for digest in (baseline.profile, run.profile))
    except BlobMissing:
        # The verdict stands without the picture of it.
        return {}
    return {name: picture for name in columns if (picture := compare(base, now, name))}


@views.page("POST", "/runs/{run}/again", permission=Permission.MONITOR_MANAGE, again=run_again_refused)
def run_again(work: Work, run: RunRef) -> Redirect:
    """Look at the window of a run once more."""
    found = use_cases.get_run(work, run)
    new = use_cases.run_monitor(work, found.monitor, start=found.window_start, end=found.window_end, again=True)
    return Redirect(to=f"/runs/{new.id}?done=requested")
