"""How far two profiles of a column lie apart, and whether that is drift. Every row counts, repeated values too."""

import math
from typing import Literal, TypeAlias

import msgspec
import numpy as np

from modelward.analysis.constraints import ColumnConstraints, DriftSettings
from modelward.analysis.profiles import NUMERIC, ColumnProfile, Kind, Profile
from modelward.analysis.sketches import Categories, Counts, Floats, aligned
from modelward.kernel.outcome import Outcome

Measure: TypeAlias = Literal["ks", "wasserstein", "js", "psi", "hellinger", "chi2"]

EXPECTED_MIN = 5.0
BINS = 20
PSI_FLOOR = 1e-4


class DriftVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on one column.

    ``distance`` of the deciding ``measure`` as it is; ``effect`` is the distance without what sampling alone would
    give, and is what is compared with ``threshold``. ``p_value``: how likely at least this distance is by chance.
    ``also``: the other distances, for the reader.
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


def shares(counts: Counts) -> Floats:
    """Counts as shares of their sum."""
    return np.divide(counts, max(1, int(counts.sum())), dtype=np.float64)


def ks_distance(left: Counts, right: Counts) -> float:
    """Kolmogorov-Smirnov distance of counts on one increasing axis: largest gap of the running shares, in [0, 1]."""
    return float(np.abs(np.cumsum(shares(left)) - np.cumsum(shares(right))).max(initial=0.0))


def ks_p_value(distance: float, n: int, m: int) -> float:
    """Chance of at least this distance for two samples of one distribution (asymptotic; Stephens 1970 for small n).

    With repeated values the true chance is smaller, so the verdict errs on the side of no alarm.
    """
    size = math.sqrt(n * m / (n + m))
    x = (size + 0.12 + 0.11 / size) * distance
    if x < 0.2:
        return 1.0
    terms: float = sum((-1) ** (k - 1) * math.exp(-2 * k * k * x * x) for k in range(1, 101))
    return min(1.0, max(0.0, 2 * terms))


def wasserstein_distance(axis: Floats, left: Counts, right: Counts) -> float:
    """First Wasserstein distance (area between the running shares) in the unit of the axis, at least 0."""
    if axis.size < 2:
        return 0.0
    gaps = np.abs(np.cumsum(shares(left)) - np.cumsum(shares(right)))[:-1]
    return float(np.einsum("i,i->", gaps, np.diff(axis)))


def js_distance(left: Counts, right: Counts) -> float:
    """Jensen-Shannon distance: root of the divergence in bits, in [0, 1] (Endres & Schindelin 2003)."""
    return math.sqrt(js_divergence(left, right))


def js_divergence(left: Counts, right: Counts) -> float:
    """Jensen-Shannon divergence in bits, in [0, 1] (Lin 1991)."""
    p, q = shares(left), shares(right)
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(p > 0, p * np.log2(p / middle), 0.0) + np.where(q > 0, q * np.log2(q / middle), 0.0)
    return min(1.0, max(0.0, float(terms.sum()) / 2))


def psi(left: Counts, right: Counts) -> float:
    """Population stability index, at least 0; empty cells count as 0.01 % (usual reading: 0.1 small, 0.25 large)."""
    p, q = np.maximum(shares(left), PSI_FLOOR), np.maximum(shares(right), PSI_FLOOR)
    return float(((p - q) * np.log(p / q)).sum())


def hellinger_distance(left: Counts, right: Counts) -> float:
    """Hellinger distance, in [0, 1]."""
    return math.sqrt(max(0.0, 1 - float(np.sqrt(shares(left) * shares(right)).sum())))


def chi2_p_value(left: Counts, right: Counts) -> tuple[float, float, int]:
    """Chi-square test of homogeneity over a 2 x k table: statistic, chance, degrees of freedom (Pearson 1900)."""
    kept = (left + right) > 0
    a, b = left[kept].astype(float), right[kept].astype(float)
    if a.size < 2 or a.sum() == 0 or b.sum() == 0:
        return 0.0, 1.0, 0
    total = a.sum() + b.sum()
    expected = (a + b) * (a.sum() / total)
    statistic = float(
        ((a - expected) ** 2 / expected).sum() + ((b - (a + b - expected)) ** 2 / (a + b - expected)).sum()
    )
    return statistic, chi2_tail(statistic, a.size - 1), a.size - 1


def chi2_tail(statistic: float, freedom: int) -> float:
    """Chance that a chi-square variable exceeds the statistic (regularised upper incomplete gamma function)."""
    if statistic <= 0 or freedom <= 0:
        return 1.0
    a, x = freedom / 2, statistic / 2
    scale = math.exp(-x + a * math.log(x) - math.lgamma(a))
    if x < a + 1:
        term = total = 1 / a
        n = a
        while abs(term) > abs(total) * 1e-15:
            n += 1
            term *= x / n
            total += term
        return min(1.0, max(0.0, 1 - total * scale))
    # Continued fraction of Lentz, as in Numerical Recipes 6.2.
    b = x + 1 - a
    c, d = 1e300, 1 / b
    h = d
    for i in range(1, 10_000):
        step = -i * (i - a)
        b += 2
        d = 1 / (step * d + b)
        c = b + step / c
        h *= d * c
        if abs(d * c - 1) < 1e-15:
            break
    return min(1.0, max(0.0, scale * h))


def common_cells(baseline: Counts, current: Counts) -> tuple[Counts, Counts]:
    """Join neighbouring bins to about twenty cells of equal baseline mass, so that few rows do not look like change."""
    if baseline.size <= BINS:
        return baseline, current
    running = np.cumsum(baseline)
    total = int(running[-1])
    cell = np.minimum((np.concatenate(([0], running[:-1])) * BINS // max(1, total)), BINS - 1)
    return (
        np.bincount(cell, baseline, BINS).astype(np.int64),
        np.bincount(cell, current, BINS).astype(np.int64),
    )


def common_texts(baseline: Categories, current: Categories) -> tuple[Counts, Counts]:
    """Counts of both sides over the same texts; texts that either side let go of count as one, the last."""
    texts = sorted(set(baseline.counts) | set(current.counts))
    if not (baseline.exact and current.exact):
        floor = max(baseline.error, current.error)
        texts = [text for text in texts if max(baseline.counts.get(text, 0), current.counts.get(text, 0)) > floor]
    left = [baseline.counts.get(text, 0) for text in texts]
    right = [current.counts.get(text, 0) for text in texts]
    left.append(baseline.total - sum(left))
    right.append(current.total - sum(right))
    return np.array(left, np.int64), np.array(right, np.int64)


def without_rare(left: Counts, right: Counts) -> tuple[Counts, Counts]:
    """Join cells with an expected count below 5 on either side into one: rare values alone never raise an alarm."""
    both = left + right
    total = max(1, int(both.sum()))
    smaller = min(int(left.sum()), int(right.sum())) / total
    rare = both * smaller < EXPECTED_MIN
    if not rare.any():
        return left, right
    return np.append(left[~rare], left[rare].sum()), np.append(right[~rare], right[rare].sum())


class _Found(msgspec.Struct, frozen=True):
    measure: Measure
    distance: float
    effect: float
    threshold: float
    p_value: float
    also: dict[str, float]


def compare_numbers(
    baseline: ColumnProfile, current: ColumnProfile, settings: DriftSettings, threshold: float | None = None
) -> _Found:
    """Compare two numeric columns: the largest gap of the running shares, or the mean way values moved."""
    assert baseline.histogram is not None
    assert current.histogram is not None
    axis, left, right = aligned(baseline.histogram, current.histogram)
    n, m = int(left.sum()), int(right.sum())
    cells = without_rare(*common_cells(left, right))
    ks = ks_distance(left, right)
    # 0.75 (n + m) / (n m) is about the mean square of the distance between two samples of one distribution.
    noise = 0.75 * (n + m) / (n * m)
    ks_effect = math.sqrt(max(0.0, ks * ks - noise))
    sd = baseline.sd or 0.0
    # A constant baseline has no scale to measure by; the gap of the running shares judges it alone.
    moved = wasserstein_distance(axis, left, right) / sd if 0 < sd < math.inf else 0.0
    moved = moved if math.isfinite(moved) else 0.0
    moved_effect = math.sqrt(max(0.0, moved * moved - 1.3 * noise))
    statistic, chi2_chance, _ = chi2_p_value(*cells)
    # Two tests are asked, so the smaller chance is doubled: one sees the middle best, the other the tails.
    chance = min(1.0, 2 * min(ks_p_value(ks, n, m), chi2_chance))
    also = {
        "ks": ks, "wasserstein": moved, "js": js_distance(*cells), "psi": psi(*cells),
        "hellinger": hellinger_distance(*cells), "chi2": statistic,
    }  # fmt: skip
    limit = threshold if threshold is not None else settings.numeric_threshold
    if moved_effect > settings.shift_threshold and ks_effect <= limit and threshold is None:
        return _Found("wasserstein", moved, moved_effect, settings.shift_threshold, chance, also)
    return _Found("ks", ks, ks_effect, limit, chance, also)


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


def incomparable(baseline: ColumnProfile, current: ColumnProfile) -> str:
    """Why two columns are not compared, or nothing."""
    if Kind.TIMESTAMP in (baseline.kind, current.kind):
        return "a time moves by its nature"
    if baseline.kind is Kind.UNKNOWN:
        return "the baseline holds no value that can be compared"
    if baseline.histogram is None and baseline.categories is None:
        return "lists, structs and bytes are only counted"
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

    Drift is: the effect exceeds its threshold, and the chance of it, weighed over all columns together, is small: below
    ``level``, that of the settings when None.
    """
    found: dict[str, _Found] = {}
    undecided: list[DriftVerdict] = []
    skipped: list[tuple[str, str]] = []
    for name, before in baseline.columns.items():
        if name not in current.columns:
            skipped.append((name, "the current data has no such column"))
            continue
        now, rule = current.columns[name], rules.get(name)
        reason = incomparable(before, now)
        if rule is not None and not rule.drift and not reason:
            reason = "switched off in the constraints"
        if reason:
            skipped.append((name, reason))
            continue
        least = min(_comparable_rows(before), _comparable_rows(now))
        if least < settings.rows_min:
            undecided.append(_too_few(name, before, now, settings))
            continue
        threshold = rule.drift_threshold if rule is not None else None
        if before.kind in NUMERIC:
            found[name] = compare_numbers(before, now, settings, threshold)
        elif before.categories is not None and now.categories is not None:
            found[name] = compare_texts(before.categories, now.categories, settings, threshold)
    alarms = significant({name: one.p_value for name, one in found.items()}, settings.level if level is None else level)
    judged = {name: _judge(name, one, name in alarms) for name, one in found.items()}
    judged |= {verdict.column: verdict for verdict in undecided}
    return [judged[name] for name in baseline.columns if name in judged], skipped


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
        reason=f"The {side} has {count} values; at least {settings.rows_min} are needed.",
    )


def significant(chances: dict[str, float], false_share: float) -> set[str]:
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
