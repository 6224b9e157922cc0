"""Whether a column of a table differs from its baseline's, and whether that is drift. Every row counts, repeated values too.

A column raises two questions: do its values lie elsewhere, and is another share of its rows missing? Each has an effect, to
be held against a threshold, and a chance, to be weighed over all questions of a table together.
"""

import math
from typing import Literal, TypeAlias, TypeVar

import msgspec

from modelward.analysis.checking.chances import (
    KS_MEAN_SQUARE,
    chi2_p_value,
    ks_p_value,
    rank_p_values,
    share_p_value,
)
from modelward.analysis.checking.chances import chi2_tail as chi2_tail
from modelward.analysis.checking.constraints import ColumnConstraints, DriftSettings
from modelward.analysis.checking.distances import (
    Distance,
    all_distances,
    area_of,
    common_cells,
    common_texts,
    gaps_of,
    hellinger_distance,
    js_divergence,
    ks_in_full,
    moved_by_chance,
    moved_in_full,
    psi,
    side_by_side,
    without_rare,
)
from modelward.analysis.checking.judging import number
from modelward.analysis.profiles import NUMERIC, ColumnProfile, Kind, Profile
from modelward.analysis.sketches import Categories, Counts, Floats
from modelward.kernel.outcome import Outcome

Measure: TypeAlias = Literal["ks", "wasserstein", "js", "psi", "hellinger", "chi2", "missing"]

VALUES, MISSING = "values", "missing"
Name = TypeVar("Name")
Question: TypeAlias = tuple[str, str]
"""A column, and whether its values or its missing rows are asked about."""


class DriftVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on one column.

    ``distance`` of the deciding ``measure`` as it is; ``effect`` is the distance without what sampling alone would
    give, and is what is compared with ``threshold``. ``p_value``: how likely at least this distance is by chance.
    ``also``: the other distances, for the reader. ``distances``: all of them in full, of a column that drifted.
    """

    column: str
    measure: Measure
    distance: float | None
    threshold: float
    p_value: float | None
    effect: float | None
    outcome: Outcome
    reason: str
    also: dict[str, float] = {}
    distances: tuple[Distance, ...] = ()


class _Found(msgspec.Struct, frozen=True):
    measure: Measure
    distance: float
    effect: float
    threshold: float
    p_value: float
    also: dict[str, float]


def distances_of(baseline: ColumnProfile, current: ColumnProfile) -> tuple[Distance, ...]:
    """All distances between two columns, each with its effect, chance and interval; nothing where they cannot be compared."""
    if incomparable(baseline, current) or min(_comparable_rows(baseline), _comparable_rows(current)) < 2:
        return ()
    if baseline.histogram is not None and current.histogram is not None and baseline.kind in NUMERIC:
        axis, left, right = side_by_side(baseline.histogram, current.histogram)
        moved = moved_in_full(axis, left, right)
        cells = without_rare(*common_cells(left, right))
        return (ks_in_full(left, right), *((moved,) if moved else ()), *all_distances(cells))
    if baseline.categories is not None and current.categories is not None:
        return all_distances(without_rare(*common_texts(baseline.categories, current.categories)))
    return ()


def compare_numbers(
    baseline: ColumnProfile, current: ColumnProfile, settings: DriftSettings, threshold: float | None = None
) -> _Found:
    """Compare two numeric columns: the largest gap of the running shares, or the mean way values moved."""
    assert baseline.histogram is not None
    assert current.histogram is not None
    axis, left, right = side_by_side(baseline.histogram, current.histogram)
    n, m = int(left.sum()), int(right.sum())
    cells = without_rare(*common_cells(left, right))
    gaps = gaps_of(left, right)
    ks = float(gaps.max(initial=0.0))
    ks_effect = math.sqrt(max(0.0, ks * ks - KS_MEAN_SQUARE * (1 / n + 1 / m)))
    statistic, chi2_chance, _ = chi2_p_value(*cells)
    # Four tests are asked, so the smallest chance is taken four times. The ranks see a move or another spread with far
    # fewer rows than the gap of the running shares does, which sees whatever it is; the cells see the tails best.
    chance = min(1.0, 4 * min(ks_p_value(ks, n, m), chi2_chance, *rank_p_values(left, right)))
    moved = _moved(baseline.sd or 0.0, area_of(gaps, axis))
    also = {
        "ks": ks, "wasserstein": moved, "js": math.sqrt(js_divergence(*cells)), "psi": psi(*cells),
        "hellinger": hellinger_distance(*cells), "chi2": statistic,
    }  # fmt: skip
    limit = threshold if threshold is not None else settings.numeric_threshold
    if moved > settings.shift_threshold and ks_effect <= limit and threshold is None:
        moved_effect = _moved_effect(moved, baseline.sd or 0.0, (axis, left, right))
        if moved_effect > settings.shift_threshold:
            return _Found("wasserstein", moved, moved_effect, settings.shift_threshold, chance, also)
    return _Found("ks", ks, ks_effect, limit, chance, also)


def _moved(sd: float, distance: float) -> float:
    """The Wasserstein distance in baseline standard deviations."""
    # A constant baseline has no scale to measure by; the gap of the running shares judges it alone.
    moved = distance / sd if 0 < sd < math.inf else 0.0
    return moved if math.isfinite(moved) else 0.0


def _moved_effect(moved: float, sd: float, axis: tuple[Floats, Counts, Counts]) -> float:
    mean, variance = moved_by_chance(*axis)
    square = (mean * mean + variance) / (sd * sd)
    return math.sqrt(max(0.0, moved * moved - square)) if math.isfinite(square) else moved


def compare_texts(
    baseline: Categories, current: Categories, settings: DriftSettings, threshold: float | None = None
) -> _Found:
    """Compare two categorical columns by the Jensen-Shannon distance of their shares."""
    cells = without_rare(*common_texts(baseline, current))
    n, m = int(cells[0].sum()), int(cells[1].sum())
    divergence = js_divergence(*cells)
    statistic, chance, freedom = chi2_p_value(*cells)
    # To second order the divergence of two samples is chi-square / (8 ln 2) times (1/n + 1/m) / ... of its freedom.
    noise = freedom * (1 / n + 1 / m) / (8 * math.log(2))
    effect = math.sqrt(max(0.0, divergence - noise))
    limit = threshold if threshold is not None else settings.categorical_threshold
    also = {
        "js": math.sqrt(divergence), "psi": psi(*cells),
        "hellinger": hellinger_distance(*cells), "chi2": statistic,
    }  # fmt: skip
    return _Found("js", math.sqrt(divergence), effect, limit, chance, also)


def compare_missing(baseline: ColumnProfile, current: ColumnProfile, settings: DriftSettings) -> _Found:
    """Compare the shares of missing rows: the difference in [0, 1]."""
    n, m = baseline.rows, current.rows
    distance = abs(current.missing / m - baseline.missing / n)
    both = (baseline.missing + current.missing) / (n + m)
    noise = both * (1 - both) * (1 / n + 1 / m)
    effect = math.sqrt(max(0.0, distance * distance - noise))
    chance = share_p_value(baseline.missing, n, current.missing, m)
    return _Found("missing", distance, effect, settings.missing_threshold, chance, {})


def incomparable(baseline: ColumnProfile, current: ColumnProfile) -> str:
    """Why two columns are not compared, or nothing."""
    if Kind.TIMESTAMP in (baseline.kind, current.kind):
        return "a time moves by its nature"
    if baseline.kind is Kind.UNKNOWN and baseline.present == 0:
        return "the baseline holds no value"
    if baseline.histogram is None and baseline.categories is None:
        return f"lists and bytes are only counted; an element of a list is a column where it is named, as {baseline.name}[0]"
    numbers = baseline.kind in NUMERIC
    if current.kind is not Kind.UNKNOWN and numbers != (current.kind in NUMERIC):
        return f"the kind changed from {baseline.kind} to {current.kind}"
    if looks_like_identifier(baseline):
        return "nearly every row has its own value, as in an identifier"
    return ""


def looks_like_identifier(column: ColumnProfile) -> bool:
    """Whether a column numbers or names its rows, so that a new batch always holds other values."""
    distinct = column.distinct or 0
    if column.present < 100 or distinct < 0.9 * column.present:
        return False
    if column.kind is Kind.STRING:
        return True
    if column.kind is not Kind.INTEGRAL or column.minimum is None or column.maximum is None:
        return False
    return column.maximum - column.minimum + 1 <= 1.5 * column.present


def verdicts(
    baseline: Profile,
    current: Profile,
    settings: DriftSettings,
    rules: dict[str, ColumnConstraints],
    level: float | None = None,
) -> tuple[list[DriftVerdict], list[tuple[str, str]]]:
    """Judge every column that both tables have; also tell which were not compared, and why.

    Drift is: the effect exceeds its threshold, and the chance of it, weighed over all questions together, is small: below
    ``level``, that of the settings when None.
    """
    found: dict[Question, _Found] = {}
    thin: dict[str, DriftVerdict] = {}
    skipped: list[tuple[str, str]] = []
    for name, before in baseline.columns.items():
        now, rule = current.columns.get(name), rules.get(name)
        reason = _not_compared(before, now, rule)
        if reason or now is None:
            skipped.append((name, reason))
            continue
        if (before.missing or now.missing) and min(before.rows, now.rows) >= settings.rows_min:
            found[name, MISSING] = compare_missing(before, now, settings)
        if min(_comparable_rows(before), _comparable_rows(now)) < settings.rows_min:
            thin[name] = _too_few(name, before, now, settings)
        else:
            values = _compare_values(before, now, settings, rule.drift_threshold if rule is not None else None)
            if values is None:
                skipped.append((name, "its texts were not counted on both sides"))
            else:
                found[name, VALUES] = values
    alarms = significant({key: one.p_value for key, one in found.items()}, settings.level if level is None else level)
    judged = {key: _judge(key[0], one, key in alarms) for key, one in found.items()}
    merged = [
        _merged(judged.get((name, VALUES), thin.get(name)), judged.get((name, MISSING))) for name in baseline.columns
    ]
    return [_in_full(each, baseline, current) for each in merged if each is not None], skipped


def _not_compared(before: ColumnProfile, now: ColumnProfile | None, rule: ColumnConstraints | None) -> str:
    if now is None:
        return "the current data has no such column"
    reason = incomparable(before, now)
    return "switched off in the constraints" if rule is not None and not rule.drift and not reason else reason


def _compare_values(
    before: ColumnProfile, now: ColumnProfile, settings: DriftSettings, threshold: float | None
) -> _Found | None:
    if before.kind in NUMERIC:
        return compare_numbers(before, now, settings, threshold)
    if before.categories is None or now.categories is None:
        return None
    return compare_texts(before.categories, now.categories, settings, threshold)


def _merged(values: DriftVerdict | None, missing: DriftVerdict | None) -> DriftVerdict | None:
    """One verdict per column: that on its values, unless only the missing rows tell of drift."""
    if values is None or missing is None:
        return values
    if missing.outcome is Outcome.FAILED and values.outcome is not Outcome.FAILED:
        return msgspec.structs.replace(missing, also={**values.also, **missing.also})
    told = {"missing": missing.distance} if missing.distance is not None else {}
    return msgspec.structs.replace(values, also={**values.also, **told})


def _in_full(verdict: DriftVerdict, baseline: Profile, current: Profile) -> DriftVerdict:
    if verdict.outcome is not Outcome.FAILED:
        return verdict
    told = distances_of(baseline.columns[verdict.column], current.columns[verdict.column])
    return msgspec.structs.replace(verdict, distances=told)


def _comparable_rows(column: ColumnProfile) -> int:
    return column.finite if column.histogram is not None else column.present


def _too_few(name: str, before: ColumnProfile, now: ColumnProfile, settings: DriftSettings) -> DriftVerdict:
    numeric = before.kind in NUMERIC
    side, count = ("current data", _comparable_rows(now))
    if _comparable_rows(before) < settings.rows_min:
        side, count = ("baseline", _comparable_rows(before))
    return DriftVerdict(
        column=name,
        measure="ks" if numeric else "js",
        distance=None,
        threshold=settings.numeric_threshold if numeric else settings.categorical_threshold,
        p_value=None,
        effect=None,
        outcome=Outcome.UNDECIDED,
        reason=f"The {side} has {number(count, 'value')}; at least {settings.rows_min} are needed.",
    )


def significant(chances: dict[Name, float], false_share: float) -> set[Name]:
    """Names whose chance passes the step-up rule of Benjamini & Hochberg (1995) at this false discovery share."""
    ranked = sorted(chances.items(), key=lambda item: item[1])
    passing = [place for place, (_, chance) in enumerate(ranked, 1) if chance <= false_share * place / len(ranked)]
    return {name for name, _ in ranked[: max(passing, default=0)]}


def _judge(name: str, found: _Found, alarm: bool) -> DriftVerdict:
    large = found.effect > found.threshold
    if large and alarm:
        outcome, reason = Outcome.FAILED, "The change is larger than the threshold and than chance explains."
    elif large:
        outcome, reason = (
            Outcome.PASSED,
            "The change is larger than the threshold, but chance explains it at these row counts.",
        )
    elif alarm:
        outcome, reason = Outcome.PASSED, "A real change, but smaller than the threshold."
    else:
        outcome, reason = Outcome.PASSED, "No more change than chance explains."
    return DriftVerdict(
        column=name,
        measure=found.measure,
        distance=found.distance,
        threshold=found.threshold,
        p_value=found.p_value,
        effect=found.effect,
        outcome=outcome,
        reason=reason,
        also=found.also,
    )
