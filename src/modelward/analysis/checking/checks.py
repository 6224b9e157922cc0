"""Does a table keep its constraints, and does it still look like its baseline? Judges profiles; reads no data."""

import math

import msgspec

from modelward.analysis.checking.constraint_reading import must_make_sense
from modelward.analysis.checking.constraints import ColumnConstraints, Constraints, DriftSettings
from modelward.analysis.checking.drift import DriftVerdict, verdicts
from modelward.analysis.checking.judging import Judged, Unchecked, Violation, number
from modelward.analysis.checking.rules import check_table
from modelward.analysis.checking.segments import CHECK, SegmentVerdict, comparable, segment_verdicts, told
from modelward.analysis.checking.spending import (
    DRIFT,
    GROUPS,
    LIMITS,
    Budget,
    Levels,
    Share,
    divided,
    keeps_limit,
)
from modelward.analysis.profiles import NUMERIC, ColumnProfile, Kind, Profile
from modelward.kernel.outcome import Outcome, worst

__all__ = ["Budget", "CheckReport", "RunsVerdict", "SegmentVerdict", "Unchecked", "Violation", "check", "share_within"]


class RunsVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the last ``runs`` runs together say about drift, where they say that there is some."""

    runs: int
    rows: int
    drift: tuple[DriftVerdict, ...]


class CheckReport(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on one table: failed with a violation or a drift, undecided where something was too thin to judge."""

    outcome: Outcome
    reason: str
    rows: int
    baseline_rows: int | None
    violations: tuple[Violation, ...]
    drift: tuple[DriftVerdict, ...]
    unchecked: tuple[Unchecked, ...]
    checks_made: int
    over_runs: tuple[RunsVerdict, ...] = ()
    segments: tuple[SegmentVerdict, ...] = ()
    budget: Budget | None = None


def check(
    current: Profile,
    baseline: Profile | None,
    constraints: Constraints,
    *,
    at: float | None = None,
    level: float | None = None,
) -> CheckReport:
    """Judge a table against its constraints and, where there is one, its baseline.

    Checks: missing_column, extra_column, type, completeness, domain, range, non_negative, infinite, drift, and where asked
    for: rows, rows_change, freshness, pattern, unique, condition. No rows, or nothing that could be checked, is
    undecided; so is drift of a column with fewer values than ``drift.rows_min``, and a rule that could not be judged.

    Args:
        current: the table; its plan had ``counted_rules(constraints)``.
        baseline: what it is compared with.
        constraints: what it must keep.
        at: the moment of the check, in seconds since 1970; freshness is measured from it.
        level: the chance of a false drift alarm; that of the settings when None.

    Raises:
        Invalid: a rule that no table could keep, or two of one name.
    """
    must_make_sense(constraints)
    if current.rows == 0:
        return _no_rows(current, baseline)
    judged = Judged()
    grouped = comparable(current, baseline) and bool(current.segments)
    settings = constraints.drift
    budgeted = level is not None or settings.false_alarms_a_month is not None
    level = settings.level if level is None else level
    limits = sum(_limits(rule, current.columns.get(rule.name)) for rule in constraints.columns)
    levels = divided(level, limits=limits, segments=grouped, budgeted=budgeted)
    _check_columns(current, constraints, judged)
    for rule in constraints.columns:
        column = current.columns.get(rule.name)
        if column is not None:
            _check_column(column, rule, levels, judged)
    check_table(current, baseline, constraints, at, judged)
    drift: list[DriftVerdict] = []
    segments: tuple[SegmentVerdict, ...] = ()
    if baseline is None:
        judged.skip("", "drift", "no baseline was given")
    elif not settings.enabled:
        judged.skip("", "drift", "switched off in the constraints")
    else:
        drift, segments = _drift(current, baseline, constraints, levels, judged)
    report = _report(current, baseline, judged, drift)
    spent = _budget(settings, levels, limits, (len(drift), len(segments)))
    report = msgspec.structs.replace(report, budget=spent)
    return _with_segments(report, current, segments) if segments else report


def _drift(
    current: Profile, baseline: Profile, constraints: Constraints, levels: Levels, judged: Judged
) -> tuple[list[DriftVerdict], tuple[SegmentVerdict, ...]]:
    """The drift of the whole table and of its groups."""
    rules = {rule.name: rule for rule in constraints.columns}
    segments: tuple[SegmentVerdict, ...] = ()
    if comparable(current, baseline) and current.segments and baseline.segments:
        segments = segment_verdicts(
            current.segments, baseline.segments, constraints.drift, rules, levels.segments, judged
        )
    elif current.segments or baseline.segments:
        side = "current data" if baseline.segments else "baseline"
        judged.skip("", CHECK, f"the {side} was not profiled by the same columns")
    drift, skipped = verdicts(baseline, current, constraints.drift, rules, levels.drift)
    for name, reason in skipped:
        judged.skip(name, "drift", reason)
    for verdict in drift:
        if verdict.outcome is Outcome.UNDECIDED:
            judged.skip(verdict.column, "drift", verdict.reason)
    return drift, segments


def _limits(rule: ColumnConstraints, column: ColumnProfile | None) -> int:
    """How many limits of a share, short of all rows, a rule holds for this column."""
    if column is None:
        return 0
    shares = [1.0 if rule.completeness_min is None else rule.completeness_min]
    if rule.values is not None:
        shares.append(rule.values_share_min)
    if rule.minimum is not None or rule.maximum is not None:
        shares.append(rule.range_share_min)
    return sum(0 < share < 1 for share in shares)


def _budget(settings: DriftSettings, levels: Levels, limits: int, judged: tuple[int, int]) -> Budget:
    columns, groups = judged
    shares = [Share(kind=DRIFT, chance=levels.drift, questions=columns)] if columns else []
    if groups:
        shares.append(Share(kind=GROUPS, chance=levels.segments, questions=groups))
    if limits and levels.budgeted:
        shares.append(Share(kind=LIMITS, chance=levels.limit * limits, questions=limits))
    return Budget(
        false_alarms_a_month=settings.false_alarms_a_month,
        runs_a_month=settings.runs_a_month,
        columns=columns,
        spent=sum(share.chance for share in shares),
        shares=tuple(shares),
    )


def _with_segments(report: CheckReport, current: Profile, segments: tuple[SegmentVerdict, ...]) -> CheckReport:
    failed = [each for each in segments if each.outcome is Outcome.FAILED]
    if not failed:
        return msgspec.structs.replace(report, segments=segments)
    by = current.segments.by if current.segments else ()
    words = f"{len(failed)} of {len(segments)} groups drifted, first {told(by, failed[0].values)}."
    reason = f"{report.reason} {words}" if report.outcome is Outcome.FAILED else words
    return msgspec.structs.replace(report, segments=segments, outcome=Outcome.FAILED, reason=reason)


def _no_rows(current: Profile, baseline: Profile | None) -> CheckReport:
    reason = "The data has no rows, so nothing can be said."
    return CheckReport(
        outcome=Outcome.UNDECIDED,
        reason=reason,
        rows=0,
        baseline_rows=baseline.rows if baseline else None,
        violations=(),
        drift=(),
        unchecked=(Unchecked("", "all", reason),),
        checks_made=0,
    )


def _report(current: Profile, baseline: Profile | None, judged: Judged, drift: list[DriftVerdict]) -> CheckReport:
    outcomes = [verdict.outcome for verdict in drift]
    outcomes += judged.outcomes()
    outcome = worst(outcomes)
    drifted = sum(verdict.outcome is Outcome.FAILED for verdict in drift)
    thin = [verdict.column for verdict in drift if verdict.outcome is Outcome.UNDECIDED]
    if outcome is Outcome.FAILED:
        reason = f"{number(len(judged.violations), 'violation')}, {number(drifted, 'column')} drifted."
    elif not outcomes:
        reason = "No constraint and no baseline was given, so nothing was checked."
    elif judged.wanting:
        first = judged.wanting[0]
        of = f" of column {first.column!r}" if first.column else ""
        reason = f"{number(len(judged.wanting), 'rule')} could not be judged, first {first.check}{of}: {first.reason}."
    elif thin:
        reason = f"Too few values to judge the drift of {number(len(thin), 'column')}, first {thin[0]!r}."
    else:
        reason = f"All {judged.made + len(drift)} checks passed."
    return CheckReport(
        outcome=outcome,
        reason=reason,
        rows=current.rows,
        baseline_rows=baseline.rows if baseline else None,
        violations=tuple(judged.violations),
        drift=tuple(drift),
        unchecked=tuple(judged.unchecked),
        checks_made=judged.made + len(drift),
    )


def _check_columns(current: Profile, constraints: Constraints, judged: Judged) -> None:
    expected = {rule.name for rule in constraints.columns}
    for rule in constraints.columns:
        there = rule.name in current.columns
        judged.rule(there, rule.name, "missing_column", f"Column {rule.name!r} is missing.", "absent", "present")
    if constraints.extra_columns_allowed or not expected:
        return
    for name in current.columns:
        judged.rule(
            name in expected, name, "extra_column", f"Column {name!r} is not in the constraints.", "present", "absent"
        )


def _check_column(column: ColumnProfile, rule: ColumnConstraints, levels: Levels, judged: Judged) -> None:
    if rule.completeness_min is not None:
        _check_completeness(column, rule.completeness_min, levels, judged)
    if column.present == 0:
        _skip_all(rule, ("type", "domain", "range"), "the column holds no value", judged)
        return
    if rule.kind is not None and not _check_kind(column, rule.kind, judged):
        _skip_all(rule, ("domain", "range"), "the column has another type", judged)
        return
    if rule.values is not None:
        _check_domain(column, rule, levels, judged)
    if column.kind in NUMERIC:
        _check_numbers(column, rule, levels, judged)
    elif _asked(rule)["range"]:
        judged.cannot(rule.name, "range", f"the column holds no numbers (it is {column.kind})")


def _skip_all(rule: ColumnConstraints, checks: tuple[str, ...], reason: str, judged: Judged) -> None:
    """Tell of the checks that a rule asks for and that are not made."""
    for check in checks:
        if _asked(rule)[check]:
            judged.skip(rule.name, check, reason)


def _asked(rule: ColumnConstraints) -> dict[str, bool]:
    return {
        "type": rule.kind is not None,
        "domain": rule.values is not None,
        "range": rule.minimum is not None or rule.maximum is not None or rule.non_negative,
    }


def _check_completeness(column: ColumnProfile, least: float, levels: Levels, judged: Judged) -> None:
    share = column.completeness or 0.0
    # A share below the limit by chance alone is no violation; a limit of 1 allows no missing value at all.
    judged.rule(
        keeps_limit(column.present, column.rows, least, levels.limit),
        column.name,
        "completeness",
        f"Column {column.name!r} has a value in {share:.2%} of the rows; at least {least:.2%} is expected.",
        share,
        least,
    )


def _check_kind(column: ColumnProfile, expected: Kind, judged: Judged) -> bool:
    seen = column.kind
    kept = (
        seen is expected
        or (expected is Kind.FRACTIONAL and seen is Kind.INTEGRAL)
        or (expected is Kind.INTEGRAL and seen is Kind.FRACTIONAL and column.whole)
    )
    what = f"Column {column.name!r} is {seen}; {expected} is expected."
    if expected in NUMERIC and seen is Kind.STRING:
        odd = column.present - column.numeric_texts
        what += f" {odd} of {column.present} values are not numbers{_example(column)}."
    judged.rule(kept, column.name, "type", what, seen.value, expected.value)
    return kept


def _example(column: ColumnProfile) -> str:
    from modelward.analysis.accumulate import NUMBER
    from modelward.analysis.buffers import re2_matches

    texts = list(column.categories.counts) if column.categories else []
    odd = [text for text, numeric in zip(texts, re2_matches(texts, NUMBER), strict=True) if not numeric]
    return f", for example {min(odd)[:80]!r}" if odd else ""


def _check_domain(column: ColumnProfile, rule: ColumnConstraints, levels: Levels, judged: Judged) -> None:
    counts = column.categories.counts if column.categories is not None else _whole_counts(column)
    if counts is None or rule.values is None:
        judged.cannot(column.name, "domain", f"the single values of a column that is {column.kind} were not counted")
        return
    known = set(rule.values)
    inside = sum(count for text, count in counts.items() if text in known)
    share = inside / max(1, column.present)
    strange = sorted(text for text in counts if text not in known)
    shown = ", ".join(repr(text[:40]) for text in strange[:3]) + (" ..." if len(strange) > 3 else "")
    judged.rule(
        share >= rule.values_share_min
        or (levels.budgeted and keeps_limit(inside, column.present, rule.values_share_min, levels.limit)),
        column.name,
        "domain",
        f"{column.present - inside} values of column {column.name!r} ({1 - share:.4%}) are not among the known ones: {shown}.",
        share,
        rule.values_share_min,
    )


def _whole_counts(column: ColumnProfile) -> dict[str, int] | None:
    """How often each whole number occurs, where each was kept: 0 and 1 are a domain as much as no and yes are."""
    if column.kind not in NUMERIC or not column.whole or column.histogram is None or not column.histogram.exact:
        return None
    values, counts = column.histogram.points()
    return {f"{value:.0f}": int(count) for value, count in zip(values, counts, strict=True)}


def _check_numbers(column: ColumnProfile, rule: ColumnConstraints, levels: Levels, judged: Judged) -> None:
    name = column.name
    if rule.non_negative:
        low = column.minimum if column.minimum is not None else 0.0
        judged.rule(low >= 0, name, "non_negative", f"Column {name!r} holds the negative value {low:.6g}.", low, ">= 0")
    if column.infinite:
        judged.rule(
            False, name, "infinite", f"{column.infinite} values of column {name!r} are infinite.", column.infinite, 0
        )
    if rule.minimum is None and rule.maximum is None:
        return
    if column.minimum is None:
        judged.cannot(name, "range", "the column holds no finite number")
        return
    low = -math.inf if rule.minimum is None else rule.minimum
    high = math.inf if rule.maximum is None else rule.maximum
    share = share_within(column, low, high)
    kept = round(share * column.finite)
    judged.rule(
        share >= rule.range_share_min
        or (levels.budgeted and keeps_limit(kept, column.finite, rule.range_share_min, levels.limit)),
        name,
        "range",
        f"{1 - share:.2%} of column {name!r} lies outside {low:.6g} to {high:.6g}; "
        f"at most {1 - rule.range_share_min:.2%} is expected (seen: {column.minimum:.6g} to {column.maximum:.6g}).",
        share,
        rule.range_share_min,
    )


def share_within(column: ColumnProfile, low: float, high: float) -> float:
    """Share of the finite values from low to high; a bin that a limit cuts counts as within."""
    if column.histogram is None or column.minimum is None or column.maximum is None or not column.finite:
        return 1.0
    if column.minimum >= low and column.maximum <= high:
        return 1.0
    lowest, highest, counts = column.histogram.intervals()
    outside = int(counts[(highest < low) | (lowest > high)].sum())
    # At least the extreme itself is known to lie outside.
    return 1 - max(outside, 1) / column.finite
