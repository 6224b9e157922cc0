"""Computing a run: profile its window, look up what it is compared with, judge. Nothing is kept here."""

from typing import Any

import msgspec
from msgspec.structs import replace

from modelward.analysis import (
    CheckReport,
    Constraints,
    Plan,
    Profile,
    RunHistory,
    check,
    check_run,
    counted_rules,
    profile,
)
from modelward.analysis.checking.budget import Standing
from modelward.analysis.row_rules import RowRule
from modelward.governance.access.entities import SYSTEM
from modelward.governance.monitoring import history, history_store, reporting, store, use_cases
from modelward.governance.monitoring.entities import Baseline, BaselineState, Monitor, Run
from modelward.governance.monitoring.history_store import KeptHistory
from modelward.governance.monitoring.windows import local_file, open_window
from modelward.jobs import schedules
from modelward.kernel import codec
from modelward.kernel.errors import Invalid, ModelwardError, Unavailable
from modelward.storage.work import Workshop

COUNTED_BEFORE = (
    "Records of this window were judged before, so the run is judged for itself and not with those before it."
)


class BaselineUnusable(Invalid):
    """The baseline of this monitor could not be made."""


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """All that a run is judged by. ``monitor`` is None when it was removed meanwhile."""

    run: Run
    monitor: Monitor | None
    baseline: Baseline
    before: Profile
    constraints: Constraints
    seen: Profile
    current: Profile
    unjudged: list[str]
    notes: list[str]


def profile_of(workshop: Workshop, baseline: Baseline, segments: list[str] | None = None) -> Profile:
    """Profile the data set of a baseline, also by groups where segment columns are given.

    Raises:
        Invalid: it cannot be read, lacks a segment column, or holds no rows.
    """
    plan = Plan(columns=tuple(baseline.columns) if baseline.columns else None, segments=tuple(segments or ()))
    with local_file(workshop.blobs, baseline.dataset) as path:
        try:
            seen = profile(str(path), plan)
        except ModelwardError as problem:
            # The reader of the message knows the data set by its digest, not by where the server keeps it.
            problem.message = problem.message.replace(repr(str(path)), "the data set").replace(
                str(path), "the data set"
            )
            problem.args = (problem.message,)
            raise
    if seen.rows == 0:
        raise Invalid("The data set holds no rows, so it cannot be a baseline.", field="dataset")
    return seen


def look(workshop: Workshop, run: Run) -> Look:
    """Read the window of a run and what it is compared with.

    Raises:
        BaselineUnusable: the baseline could not be made.
        Unavailable: the baseline is still being prepared.
    """
    baseline, monitor = workshop.read(
        SYSTEM, lambda work: (use_cases.get_baseline(work, run.baseline), store.find_monitor(work, run.monitor))
    )
    if baseline.state is BaselineState.PREPARING:
        raise Unavailable(f"The baseline {baseline.name} is still being prepared.")
    if baseline.profile is None or baseline.constraints is None:
        raise BaselineUnusable(
            f"The baseline {baseline.name} could not be made: {baseline.reason}",
            hint="Make another baseline and let the monitor use it.",
        )
    constraints = codec.decode(workshop.blobs.get(baseline.constraints), Constraints, field="constraints")
    seen, notes = _window(workshop, run, list(counted_rules(constraints)), monitor.segments if monitor else [])
    before = _before(workshop, baseline, list(seen.segments.by) if seen.segments else [])
    current, unjudged = reporting.judged_columns(seen, {rule.name for rule in constraints.columns})
    return Look(
        run=run,
        monitor=monitor,
        baseline=baseline,
        before=before,
        constraints=_with_budget(constraints, monitor, workshop.false_alarms_a_month),
        seen=seen,
        current=current,
        unjudged=unjudged,
        notes=notes,
    )


def _with_budget(constraints: Constraints, monitor: Monitor | None, usual: float) -> Constraints:
    """The constraints with the budget of the monitor, else their own, else the usual one of this installation."""
    if monitor is None or not monitor.cron:
        return constraints
    alarms = monitor.false_alarms_a_month
    if alarms is None:
        if constraints.drift.false_alarms_a_month is not None or not usual:
            return constraints
        alarms = usual
    runs = schedules.slots_a_month(monitor.cron, monitor.zone)
    drift = replace(constraints.drift, false_alarms_a_month=alarms, runs_a_month=runs)
    return replace(constraints, drift=drift)


def _window(workshop: Workshop, run: Run, rules: list[RowRule], segments: list[str]) -> tuple[Profile, list[str]]:
    """Profile a window; a rule that does not fit the types it meets is left out and noted, so it is undecided."""
    notes: list[str] = []
    while True:
        with open_window(workshop, SYSTEM, run.endpoint, start=run.window_start, end=run.window_end) as window:
            if not len(window.schema):
                return Profile(rows=0, columns={}), [*window.notes, *notes]
            lacking = [name for name in segments if name not in window.schema.names]
            plan = Plan(rules=tuple(rules), segments=() if lacking else tuple(segments))
            try:
                seen = profile(window.reader(), plan)
            except Invalid as problem:
                unfit = [rule for rule in rules if rule.name == _rule_of(problem)]
                if not unfit:
                    raise
                rules = [rule for rule in rules if rule not in unfit]
                notes.append(problem.message)
                continue
            notes += [f"There are no groups: the records have no column {name!r}." for name in lacking]
            return seen, [*window.notes, *notes]


def _rule_of(problem: Invalid) -> Any:
    return problem.field


def _before(workshop: Workshop, baseline: Baseline, segments: list[str]) -> Profile:
    """The profile of a baseline; by groups it is made when it is first needed."""
    assert baseline.profile is not None
    if not segments:
        return Profile.from_bytes(workshop.blobs.get(baseline.profile))
    name = baseline.name
    made = workshop.read(SYSTEM, lambda work: history_store.find_segments(work, name, segments))
    if made is not None:
        return Profile.from_bytes(workshop.blobs.get(made))
    found = profile_of(workshop, baseline, segments)
    kept, _ = workshop.blobs.put(found.to_bytes())
    workshop.write(SYSTEM, lambda work: history_store.note_segments(work, name, segments, kept))
    return found


def judge(workshop: Workshop, found: Look) -> tuple[reporting.Report, KeptHistory | None]:
    """Judge a run, with those before it where there is a budget; tell the history to keep with the verdict, if it changed."""
    told: KeptHistory | None = None
    notes: list[str] = []
    at = found.run.window_end.timestamp()
    if found.constraints.drift.false_alarms_a_month is None or found.monitor is None:
        checked = check(found.current, found.before, found.constraints, at=at)
        return _report(found, checked, notes), None
    run, name = found.run, found.monitor.name
    kept = workshop.read(SYSTEM, lambda work: history_store.find_history(work, name))
    entered = history.history_for(run, found.monitor.baseline, kept)
    # A run against a baseline that the monitor has left stands alone.
    same = kept if kept is not None and kept.baseline == run.baseline == found.monitor.baseline else None
    before = entered or same
    earlier = RunHistory.from_bytes(before.profiles) if before and before.profiles else RunHistory()
    standing = history.standing_of(run, entered, before)
    checked, later = check_run(found.current, found.before, found.constraints, earlier, at=at, standing=standing)
    if standing is not Standing.NEW:
        notes.append(COUNTED_BEFORE)
    if before is not None and later is not earlier:
        counted = history.with_run(before, run) if standing is Standing.NEW else before
        told = replace(counted, runs=later.runs, profiles=later.to_bytes())
    return _report(found, checked, notes), told


def _report(found: Look, checked: CheckReport, notes: list[str]) -> reporting.Report:
    return reporting.Report(
        run=found.run,
        profile=found.seen,
        check=checked,
        constraints=found.constraints,
        constraints_digest=found.baseline.constraints,
        unjudged=found.unjudged,
        notes=[*found.notes, *notes],
    )
