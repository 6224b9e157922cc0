"""How far two columns lie apart, by six distances: pure figures, each with its effect, chance and interval. Every row counts.

The *effect* of a distance is what is left of it when what sampling alone would give has been taken off. The *interval* holds
the true distance in at least 95 of 100 cases. Numbers are compared on a common axis or on about twenty cells of equal
baseline mass, texts on the shares of each text; cells that few rows fall into are joined.
"""

import math

import msgspec
import numpy as np

from modelward.analysis.checking.chances import KS_MEAN_SQUARE, chi2_p_value, gamma_tail, ks_p_value
from modelward.analysis.sketches import Categories, Counts, Floats, Histogram

EXPECTED_MIN = 5.0
BINS = 20
PSI_FLOOR = 1e-4
PLACES_MAX = 48
BAND = 1.3581
"""The 95 % point of Kolmogorov's distribution."""
WIDE = 1.96
"""The 97.5 % point of the normal distribution."""


class Distance(msgspec.Struct, frozen=True, kw_only=True):
    """One distance between two columns.

    ``value`` as it is; ``effect`` without what sampling alone would give, at least 0; ``p_value``: the chance of at least
    this value if nothing differs; ``low``, ``high``: where the true distance lies (95 %), None where there is no interval.
    """

    measure: str
    value: float
    effect: float
    p_value: float
    low: float | None = None
    high: float | None = None


def shares(counts: Counts) -> Floats:
    """Counts as shares of their sum."""
    return np.divide(counts, max(1, int(counts.sum())), dtype=np.float64)


def side_by_side(left: Histogram, right: Histogram) -> tuple[Floats, Counts, Counts]:
    """Put two histograms on one axis: middles of the common bins in increasing order, and both counts."""
    shift = max(left.shift, right.shift)
    drop = (np.uint64(shift - left.shift), np.uint64(shift - right.shift))
    (left_keys, left_counts), (right_keys, right_counts) = left.arrays(), right.arrays()
    keys = np.concatenate((left_keys >> drop[0], right_keys >> drop[1]))
    if keys.size == 0:
        return np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.int64)
    # A stable sort finds the two runs that are in order already and only merges them.
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    new = np.empty(keys.size, bool)
    new[0] = True
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    starts = np.flatnonzero(new)
    counts = np.zeros((2, keys.size), np.int64)
    counts[0, : left_keys.size], counts[1, left_keys.size :] = left_counts, right_counts
    rows = np.add.reduceat(counts[:, order], starts, axis=1)
    axis = ordered[starts]
    negative = int(np.searchsorted(axis, np.uint64(1 << 63) >> np.uint64(shift)))
    values: Floats = ((axis << np.uint64(shift)) | np.uint64((1 << shift) >> 1)).view(np.float64)
    values[axis == 0] = 0.0
    if negative < axis.size:
        upwards = np.concatenate((np.arange(axis.size - 1, negative - 1, -1), np.arange(negative)))
        values, rows = values[upwards], rows[:, upwards]
    return values, rows[0], rows[1]


def gaps_of(left: Counts, right: Counts) -> Floats:
    """How far the running shares of counts on one increasing axis lie apart, at each place."""
    return np.abs(np.cumsum(shares(left)) - np.cumsum(shares(right)))


def ks_distance(left: Counts, right: Counts) -> float:
    """Kolmogorov-Smirnov distance of counts on one increasing axis: largest gap of the running shares, in [0, 1]."""
    return float(gaps_of(left, right).max(initial=0.0))


def wasserstein_distance(axis: Floats, left: Counts, right: Counts) -> float:
    """First Wasserstein distance (area between the running shares) in the unit of the axis, at least 0."""
    return area_of(gaps_of(left, right), axis)


def area_of(gaps: Floats, axis: Floats) -> float:
    """The area of the gaps of running shares, in the unit of the axis."""
    return float(np.einsum("i,i->", gaps[:-1], np.diff(axis))) if axis.size >= 2 else 0.0


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


def common_cells(baseline: Counts, current: Counts) -> tuple[Counts, Counts]:
    """Join neighbouring bins to about twenty cells of equal baseline mass, so that few rows do not look like change."""
    if baseline.size <= BINS:
        return baseline, current
    running = np.cumsum(baseline)
    before = running - baseline
    # Where each cell begins; bins of a cell stand side by side.
    first = np.searchsorted(before * BINS, np.arange(BINS) * int(running[-1]), side="left")
    starts = _each_once(np.minimum(first, baseline.size - 1))
    return np.add.reduceat(baseline, starts), np.add.reduceat(current, starts)


def _each_once(places: Counts) -> Counts:
    """The different ones of increasing places. Numpy's own way imports its masked arrays: half of a short comparison."""
    return places[np.concatenate(([True], places[1:] != places[:-1]))]


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


def moved_by_chance(axis: Floats, left: Counts, right: Counts) -> tuple[float, float]:
    """Mean and variance of the Wasserstein distance if nothing differs, in the unit of the axis.

    The gap of the running shares is then near a Brownian bridge, and the distance the area under its absolute value.
    """
    n, m = int(left.sum()), int(right.sum())
    running = np.cumsum(left + right)[:-1] / (n + m)
    spread = np.sqrt(running * (1 - running)) * np.diff(axis)
    running, spread = _fewer(running, spread)
    scale = math.sqrt(1 / n + 1 / m)
    mean = math.sqrt(2 / math.pi) * scale * float(spread.sum())
    odds = np.sqrt(running / (1 - running))
    link = np.minimum(odds[:, None] / odds[None, :], odds[None, :] / odds[:, None])
    both = np.sqrt(1 - link * link) + link * np.arcsin(link) - 1
    variance = 2 / math.pi * scale * scale * float(np.einsum("i,ij,j->", spread, both, spread))
    return mean, variance


def _fewer(running: Floats, spread: Floats) -> tuple[Floats, Floats]:
    """At most ``PLACES_MAX`` places of an axis, of about equal weight."""
    if running.size <= PLACES_MAX:
        return running, spread
    weight = np.cumsum(spread)
    if weight[-1] <= 0:
        return running[:1], spread[:1]
    marks = np.searchsorted(weight, weight[-1] * np.arange(PLACES_MAX) / PLACES_MAX, side="right")
    starts = _each_once(np.minimum(marks, running.size - 1))
    summed = np.add.reduceat(spread, starts)
    middle = np.add.reduceat(running * spread, starts) / np.maximum(summed, 1e-300)
    return np.clip(middle, running[0], running[-1]), summed


def all_distances(cells: tuple[Counts, Counts]) -> tuple[Distance, ...]:
    """The four distances that compare shares of cells: Jensen-Shannon, PSI, Hellinger and chi-square (as Cramér's V)."""
    left, right = cells
    n, m = int(left.sum()), int(right.sum())
    freedom = left.size - 1
    # Halves keep an empty cell from counting as infinitely far.
    p = np.divide(left + 0.5, n + left.size / 2, dtype=np.float64)
    q = np.divide(right + 0.5, m + left.size / 2, dtype=np.float64)
    middle = (p + q) / 2
    slopes: dict[str, tuple[Floats, Floats, float]] = {
        "js": (np.log2(p / middle) / 2, np.log2(q / middle) / 2, 1 / (8 * math.log(2))),
        "psi": (np.log(p / q) + 1 - q / p, 1 - p / q - np.log(p / q), 1.0),
        "hellinger": (-np.sqrt(q / p) / 2, -np.sqrt(p / q) / 2, 1 / 8),
    }
    values = {
        "js": js_divergence(left, right),
        "psi": psi(left, right),
        "hellinger": hellinger_distance(left, right) ** 2,
    }
    statistic, chance, _ = chi2_p_value(left, right)
    found = []
    # To second order all of them are the same statistic, so they share its chance: their own would be too small where cells
    # hold few rows.
    for measure, (before, now, scale) in slopes.items():
        unit = scale * (1 / n + 1 / m)
        spread = math.sqrt(_variance(before, p) / n + _variance(now, q) / m + 2 * freedom * unit * unit)
        rid = values[measure] - freedom * unit
        ends = (values[measure], max(0.0, rid), max(0.0, rid - WIDE * spread), max(0.0, rid + WIDE * spread))
        value, effect, low, high = ends if measure == "psi" else (math.sqrt(min(1.0, end)) for end in ends)
        found.append(Distance(measure=measure, value=value, effect=effect, p_value=chance, low=low, high=high))
    v = math.sqrt(statistic / (n + m))
    effect = math.sqrt(max(0.0, statistic - freedom) / (n + m))
    return (*found, Distance(measure="chi2", value=v, effect=effect, p_value=chance))


def _variance(slopes: Floats, weights: Floats) -> float:
    mean = float((slopes * weights).sum())
    return float((slopes * slopes * weights).sum()) - mean * mean


def ks_in_full(left: Counts, right: Counts) -> Distance:
    """The Kolmogorov-Smirnov distance; its interval is a band around the whole gap of the running shares."""
    n, m = int(left.sum()), int(right.sum())
    value = ks_distance(left, right)
    unit = math.sqrt(1 / n + 1 / m)
    return Distance(
        measure="ks",
        value=value,
        effect=math.sqrt(max(0.0, value * value - KS_MEAN_SQUARE * unit * unit)),
        p_value=ks_p_value(value, n, m),
        low=max(0.0, value - BAND * unit),
        high=min(1.0, value + BAND * unit),
    )


def moved_in_full(axis: Floats, left: Counts, right: Counts) -> Distance | None:
    """The Wasserstein distance in baseline standard deviations; None where the baseline has none."""
    n, m = int(left.sum()), int(right.sum())
    p, q = shares(left), shares(right)
    mean = float((axis * p).sum())
    sd = math.sqrt(max(0.0, float(((axis - mean) ** 2 * p).sum())))
    if axis.size < 2 or not 0 < sd < math.inf:
        return None
    distance = wasserstein_distance(axis, left, right)
    by_chance, variance = moved_by_chance(axis, left, right)
    if not math.isfinite(distance) or not math.isfinite(variance):
        return None
    square = by_chance * by_chance + variance
    effect = math.sqrt(max(0.0, distance * distance - square))
    # How much one row more at a place would move the distance; on the baseline's side it moves the unit too.
    signs = np.sign(np.cumsum(p) - np.cumsum(q))[:-1] * np.diff(axis)
    pull: Floats = np.append(np.cumsum(signs[::-1])[::-1], 0.0)
    unit: Floats = effect * ((axis - mean) ** 2 - sd * sd) / (2 * sd * sd)
    spread = math.sqrt(_variance(pull - unit, p) / n + _variance(pull, q) / m + variance)
    return Distance(
        measure="wasserstein",
        value=distance / sd,
        effect=effect / sd,
        p_value=gamma_tail(distance, by_chance, variance),
        low=max(0.0, effect - WIDE * spread) / sd,
        high=(max(effect, distance if effect == 0 else 0.0) + WIDE * spread) / sd,
    )
