"""From a check to a run's verdict: the report, the findings for people, the figures for drawing. Pure."""

import math

import msgspec
from msgspec.structs import replace

from modelward.analysis import CheckReport, Constraints, DriftVerdict, Profile, Violation
from modelward.analysis.checking.segments import told
from modelward.governance.monitoring.entities import Finding, Point, Run, RunState
from modelward.governance.monitoring.rules import OUTCOME_COLUMNS
from modelward.kernel import codec
from modelward.kernel.outcome import Outcome
from modelward.kernel.refs import Digest

FINDINGS_MAX = 10
BREAK = 1e9
FORM = 1


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All that a run has found. ``unjudged`` are outcome columns that the baseline does not know.

    ``constraints``: what it was judged by, with the budget; ``constraints_digest`` names them as the baseline has them.
    """

    run: Run
    profile: Profile
    check: CheckReport
    constraints: Constraints
    constraints_digest: Digest | None = None
    unjudged: list[str]
    notes: list[str]

    def to_json(self) -> bytes:
        """The report as it is kept: the window, the check, and the profile in figures. The sketches are kept apart."""
        run = self.run
        facts = {
            "form": FORM,
            "run": run.id,
            "monitor": run.monitor,
            "endpoint": run.endpoint,
            "baseline": run.baseline,
            "window_start": run.window_start,
            "window_end": run.window_end,
            "attempt": run.attempt,
            "constraints": self.constraints_digest,
            "check": self.check,
            "findings": findings_of(self),
            "budget": self.check.budget.sentence if self.check.budget else "",
            "unjudged": self.unjudged,
            "notes": self.notes,
            "profile": msgspec.Raw(self.profile.to_json()),
        }
        return codec.encode(facts)

    def judged_run(self, *, report: Digest, profile: Digest) -> Run:
        """The run with its verdict."""
        check = self.check
        return replace(
            self.run,
            state=RunState.FINISHED,
            outcome=check.outcome,
            reason=_reason(self),
            rows=self.profile.rows,
            violations=len(check.violations),
            drifted=_drifted(check),
            findings=findings_of(self)[:FINDINGS_MAX],
            notes=self.notes,
            report=report,
            profile=profile,
        )


def _drifted(check: CheckReport) -> list[str]:
    """The columns that drifted: in the whole table, over runs together, or in a group."""
    found = [verdict.column for verdict in check.drift if verdict.outcome is Outcome.FAILED]
    found += [verdict.column for several in check.over_runs for verdict in several.drift]
    found += [verdict.column for group in check.segments for verdict in group.drift]
    return list(dict.fromkeys(found))


def _reason(report: Report) -> str:
    if report.profile.rows == 0:
        return "No records were captured in this window, so nothing can be said."
    return report.check.reason


def judged_columns(seen: Profile, known: set[str]) -> tuple[Profile, list[str]]:
    """Leave out what the baseline cannot judge: outcome columns it does not know, and unknown columns without any value."""
    left_out = [
        name
        for name, column in seen.columns.items()
        if name not in known and (name in OUTCOME_COLUMNS or column.present == 0)
    ]
    kept = {name: column for name, column in seen.columns.items() if name not in left_out}
    return replace(seen, columns=kept), left_out


def findings_of(report: Report) -> list[Finding]:
    """What was found, the worst first: structural breaks, then by how many times the limit was exceeded."""
    found = [_of_violation(each) for each in report.check.violations]
    found += [_of_drift(each, report) for each in report.check.drift if each.outcome is Outcome.FAILED]
    found += _over_runs(report.check)
    found += _of_segments(report)
    return sorted(found, key=lambda each: (-each.severity, each.column, each.check))


def _of_violation(violation: Violation) -> Finding:
    return Finding(
        column=violation.column,
        check=violation.check,
        text=violation.description,
        observed=violation.observed,
        expected=violation.expected,
        severity=BREAK if violation.check in ("missing_column", "extra_column", "type") else _shortfall(violation),
    )


def _shortfall(violation: Violation) -> float:
    """How far below its least share a share lies, as a ratio of what may lack; other violations count as 1."""
    try:
        observed, expected = float(violation.observed), float(violation.expected)
    except ValueError:
        return 1.0
    if not (0 <= observed <= 1 and 0 <= expected <= 1):
        return 1.0
    return min(BREAK, (1 - observed) / max(1 - expected, 0.01))


def _of_drift(verdict: DriftVerdict, report: Report) -> Finding:
    effect = verdict.effect or 0.0
    ratio = effect / verdict.threshold if verdict.threshold else BREAK
    moved = _moved(verdict.column, report)
    return Finding(
        column=verdict.column,
        check="drift",
        text=f"Column {verdict.column!r} drifted: {verdict.measure} {_figure(effect)}, allowed {_figure(verdict.threshold)}{moved}.",
        observed=_figure(effect),
        expected=_figure(verdict.threshold),
        severity=min(BREAK, ratio) if math.isfinite(ratio) else BREAK,
    )


def _over_runs(check: CheckReport) -> list[Finding]:
    """What only many runs together show: per column the most runs that say so."""
    known = {verdict.column for verdict in check.drift if verdict.outcome is Outcome.FAILED}
    found = {verdict.column: (several, verdict) for several in check.over_runs for verdict in several.drift}
    return [
        _drift(verdict, "drift_over_runs", f"over the last {several.runs} runs together ({several.rows:,} rows)")
        for column, (several, verdict) in found.items()
        if column not in known
    ]


def _of_segments(report: Report) -> list[Finding]:
    by = report.profile.segments.by if report.profile.segments else ()
    return [
        _drift(verdict, "drift_by_segment", f"in the group {told(by, group.values)} ({group.rows:,} rows)")
        for group in report.check.segments
        for verdict in group.drift
    ]


def _drift(verdict: DriftVerdict, check: str, where: str) -> Finding:
    effect = verdict.effect or 0.0
    ratio = effect / verdict.threshold if verdict.threshold else BREAK
    return Finding(
        column=verdict.column,
        check=check,
        text=f"Column {verdict.column!r} drifted {where}: {verdict.measure} {_figure(effect)}, allowed {_figure(verdict.threshold)}.",
        observed=_figure(effect),
        expected=_figure(verdict.threshold),
        severity=min(BREAK, ratio) if math.isfinite(ratio) else BREAK,
    )


def _moved(name: str, report: Report) -> str:
    mean = report.profile.columns[name].mean
    return f"; the mean is now {_figure(mean)}" if mean is not None else ""


def _figure(value: float) -> str:
    """Four significant digits, written out as a person would: 1,020 and not 1.02e+03."""
    rounded = float(f"{value:.4g}")
    return f"{rounded:,.10g}" if rounded == 0 or 1e-4 <= abs(rounded) < 1e9 else f"{value:.3g}"


def points_of(report: Report) -> list[Point]:
    """The figures of a run that pages draw over time."""
    run, check = report.run, report.check
    found: list[tuple[str, str, float | None, float | None]] = [
        ("", "rows", float(report.profile.rows), None),
        ("", "violations", float(len(check.violations)), 0.0),
    ]
    if check.budget is not None and check.budget.earned is not None and check.budget.spent_before is not None:
        found.append(("", "budget_spent", check.budget.spent_before + check.budget.spent, check.budget.earned))
    for verdict in check.drift:
        found.append((verdict.column, "drift", verdict.effect, verdict.threshold))
        found.append((verdict.column, "distance", verdict.distance, None))
    for name, column in report.profile.columns.items():
        rule = report.constraints.of(name)
        found.append((name, "completeness", column.completeness, rule.completeness_min if rule else None))
        found.append((name, "mean", column.mean, None))
    return [
        Point(run=run.id, at=run.window_end, column=name, measure=measure, value=value, threshold=threshold)
        for name, measure, value, threshold in found
        if value is not None and math.isfinite(value)
    ]
