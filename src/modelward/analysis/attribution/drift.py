"""What features add over many rows, and whether that has changed: global attributions, order drift, change by feature."""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from modelward.kernel.errors import Invalid
from modelward.kernel.outcome import Outcome, worst

Aggregation: TypeAlias = Literal["mean_abs", "median", "mean_sq"]
Attributions: TypeAlias = Mapping[str, float]
Floats: TypeAlias = npt.NDArray[np.float64]

NDCG_THRESHOLD = 0.9
CHANGE_TOLERANCE = 0.25
ROWS_MIN = 30
BOOTSTRAP_SAMPLES = 500
INTERVAL = (0.025, 0.975)
WEAKNESS = (
    "NDCG sees the order of the features alone: no change of size that keeps the order, and little of an exchange among "
    "features of nearly equal attribution."
)


class OrderDrift(msgspec.Struct, frozen=True, kw_only=True):
    """How far the order of features by attribution has moved from that of a baseline.

    ``ndcg``: 1 where the order is kept. ``least``: what the worst order gives with this baseline, ``chance`` what a random
    one gives in the mean: where they lie near 1, the measure is blind, and ``weakness`` says so. ``kendall`` (tau-b) and
    ``spearman``: rank correlations, None where all attributions of a side are equal.
    """

    ndcg: float
    low: float | None
    high: float | None
    least: float
    chance: float
    kendall: float | None
    spearman: float | None
    threshold: float
    outcome: Outcome
    reason: str
    weakness: str = WEAKNESS


class FeatureChange(msgspec.Struct, frozen=True, kw_only=True):
    """The mean absolute attribution of a feature before and now.

    ``change``: now less before, ``low`` and ``high`` its 95 % bootstrap interval, ``share``: the change in shares of the
    sum over all features before. The outcome judges the share against a tolerance.
    """

    feature: str
    before: float
    now: float
    change: float
    low: float
    high: float
    share: float
    outcome: Outcome
    reason: str


class AttributionDrift(msgspec.Struct, frozen=True, kw_only=True):
    """The drift of the order and of every feature, largest change first, from local attributions of two windows."""

    order: OrderDrift
    features: tuple[FeatureChange, ...]
    outcome: Outcome
    reason: str
    rows: tuple[int, int]


def global_attributions(values: Any, how: Aggregation = "mean_abs") -> Floats:
    """One number for each feature (and label) from local attributions with rows on the first axis.

    ``mean_abs``: mean of absolute values; ``median``: of the values with their sign; ``mean_sq``: mean of squares.

    Raises:
        Invalid: no rows, or another way to aggregate.
    """
    local = np.asarray(values, np.float64)
    if not len(local):
        raise Invalid("There are no rows to aggregate.", field="values")
    if how not in ("mean_abs", "median", "mean_sq"):
        raise Invalid(f"{how!r} is none of mean_abs, median, mean_sq.", field="agg_method")
    if how == "median":
        return np.asarray(np.median(local, axis=0))
    return np.asarray(np.mean(np.abs(local) if how == "mean_abs" else local * local, axis=0))


def ndcg(baseline: Any, live: Any) -> float:
    """Normalised discounted cumulative gain of the live order, gains being the baseline's attributions.

    Features of equal live attribution share the mean gain of their places (McSherry & Najork 2008).

    Raises:
        Invalid: no features, unequal numbers of them, negative or no gains.
    """
    gains, scores = _pair(baseline, live)
    best = _discounted(np.sort(gains)[::-1])
    return float((_tied_gains(gains, scores) * _discounts(len(gains))).sum() / best)


def _pair(baseline: Any, live: Any) -> tuple[Floats, Floats]:
    gains, scores = np.asarray(baseline, np.float64), np.asarray(live, np.float64)
    if gains.shape != scores.shape or gains.ndim != 1 or not gains.size:
        raise Invalid("Baseline and live attributions must be of the same features.", field="live")
    if not (np.isfinite(gains).all() and np.isfinite(scores).all()) or (gains < 0).any() or not gains.any():
        raise Invalid(
            "The baseline's attributions must be finite, none below 0 and not all 0.",
            field="baseline",
            hint="Aggregate with mean_abs or mean_sq.",
        )
    return gains, scores


def _discounts(count: int) -> Floats:
    return np.asarray(1 / np.log2(np.arange(2, count + 2)))


def _discounted(gains: Floats) -> float:
    return float((gains * _discounts(len(gains))).sum())


def _tied_gains(gains: Floats, scores: Floats) -> Floats:
    """The gains in descending order of the scores, equal scores with their mean gain."""
    _, places, counts = np.unique(-scores, return_inverse=True, return_counts=True)
    means = np.bincount(places, gains) / counts
    return np.asarray(np.repeat(means, counts))


def order_drift(baseline: Attributions, live: Attributions, *, threshold: float = NDCG_THRESHOLD) -> OrderDrift:
    """Compare global attributions of the same features by the order they give.

    Raises:
        Invalid: the features are not the same, or the baseline has negative attributions.
    """
    if set(baseline) != set(live):
        odd = sorted(set(baseline) ^ set(live))
        raise Invalid(f"These features have an attribution on one side only: {', '.join(odd[:10])}.", field="live")
    gains = np.array([baseline[name] for name in baseline], np.float64)
    scores = np.array([live[name] for name in baseline], np.float64)
    return _judged(gains, scores, threshold, None)


def _judged(gains: Floats, scores: Floats, threshold: float, samples: Floats | None) -> OrderDrift:
    value = ndcg(gains, scores)
    best = _discounted(np.sort(gains)[::-1])
    least = _discounted(np.sort(gains)) / best
    chance = float(gains.mean() * _discounts(len(gains)).sum() / best)
    low = high = None
    if samples is not None:
        low, high = (float(end) for end in np.quantile(samples, INTERVAL))
    outcome, reason = _order_verdict(value, (low, high), least, threshold)
    return OrderDrift(
        ndcg=value,
        low=low,
        high=high,
        least=least,
        chance=chance,
        kendall=kendall(gains, scores),
        spearman=spearman(gains, scores),
        threshold=threshold,
        outcome=outcome,
        reason=reason,
    )


def _order_verdict(
    value: float, ends: tuple[float | None, float | None], least: float, threshold: float
) -> tuple[Outcome, str]:
    if least >= threshold:
        return (
            Outcome.UNDECIDED,
            f"Even the worst order gives {least:.3f} with this baseline; see the change by feature.",
        )
    if value < threshold:
        if ends[1] is not None and ends[1] >= threshold:
            return Outcome.UNDECIDED, f"NDCG {value:.3f} is below {threshold:g}, but its interval is not."
        return Outcome.FAILED, f"NDCG {value:.3f} is below {threshold:g}."
    if ends[0] is not None and ends[0] < threshold:
        return Outcome.UNDECIDED, f"NDCG {value:.3f} is not below {threshold:g}, but its interval reaches there."
    return Outcome.PASSED, f"NDCG {value:.3f} is not below {threshold:g}."


def kendall(left: Any, right: Any) -> float | None:
    """Kendall's tau-b (1945) of two lists; None where all of one are equal."""
    one, two = (np.asarray(side, np.float64) for side in (left, right))
    upper = np.triu_indices(len(one), 1)
    first = np.sign(one[:, np.newaxis] - one)[upper]
    second = np.sign(two[:, np.newaxis] - two)[upper]
    scale = np.sqrt((first != 0).sum() * float((second != 0).sum()))
    return float((first * second).sum() / scale) if scale else None


def spearman(left: Any, right: Any) -> float | None:
    """Spearman's rank correlation, equal values with their mean rank; None where all of one are equal."""
    one, two = (_ranks(np.asarray(side, np.float64)) for side in (left, right))
    one, two = one - one.mean(), two - two.mean()
    scale = float(np.sqrt((one * one).sum() * (two * two).sum()))
    return float((one * two).sum()) / scale if scale else None


def _ranks(values: Floats) -> Floats:
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    means = np.cumsum(counts) - (counts - 1) / 2
    return np.asarray(means[places], np.float64)


def attribution_drift(
    baseline: Any,
    live: Any,
    names: list[str] | tuple[str, ...],
    *,
    threshold: float = NDCG_THRESHOLD,
    tolerance: float = CHANGE_TOLERANCE,
    rows_min: int = ROWS_MIN,
    seed: int = 0,
) -> AttributionDrift:
    """Compare local attributions (rows by features, of one label) of two windows.

    The order is judged by NDCG with a bootstrap interval. A feature failed where its mean absolute attribution has changed
    by more than ``tolerance`` of the sum over all features before, and the interval leaves the tolerance out; it passed
    where the whole interval lies inside; else, and below ``rows_min`` rows, it is undecided.

    Raises:
        Invalid: shapes do not fit, a window is empty, or all attributions of the baseline are 0.
    """
    sides = [np.abs(np.asarray(side, np.float64)) for side in (baseline, live)]
    if any(side.ndim != 2 or side.shape[1] != len(names) or not len(side) for side in sides):
        raise Invalid(f"Both windows must be rows of {len(names)} attributions.", field="live")
    before, now = (side.mean(axis=0) for side in sides)
    rng = np.random.default_rng(seed)
    drawn = [_resampled(side, rng) for side in sides]
    orders = np.array([ndcg(one, two) if one.any() else 1.0 for one, two in zip(*drawn, strict=True)])
    order = _judged(before, now, threshold, orders)
    ends = np.quantile(drawn[1] - drawn[0], INTERVAL, axis=0)
    scarce = min(len(side) for side in sides)
    few = f"The shorter window has {scarce} rows; {rows_min} are needed." if scarce < rows_min else ""
    total = float(before.sum())
    changes = []
    for place, name in enumerate(names):
        low, high = float(ends[0][place]), float(ends[1][place])
        outcome, reason = (Outcome.UNDECIDED, few) if few else _change_verdict(low / total, high / total, tolerance)
        change = float(now[place] - before[place])
        changes.append(
            FeatureChange(
                feature=name,
                before=float(before[place]),
                now=float(now[place]),
                change=change,
                low=low,
                high=high,
                share=change / total,
                outcome=outcome,
                reason=reason,
            )
        )
    if few:
        order = msgspec.structs.replace(order, outcome=Outcome.UNDECIDED, reason=few)
    outcome = worst([order.outcome, *(one.outcome for one in changes)])
    return AttributionDrift(
        order=order,
        features=tuple(sorted(changes, key=lambda one: -abs(one.share))),
        outcome=outcome,
        reason=_reason(order, changes),
        rows=(len(sides[0]), len(sides[1])),
    )


def _resampled(local: Floats, rng: np.random.Generator) -> Floats:
    """Means over rows drawn with replacement: each row weighs as often as it was drawn."""
    rows = len(local)
    weights = rng.multinomial(rows, np.full(rows, 1 / rows), BOOTSTRAP_SAMPLES)
    return np.asarray(weights @ local / rows)


def _change_verdict(low: float, high: float, tolerance: float) -> tuple[Outcome, str]:
    if low > tolerance or high < -tolerance:
        return Outcome.FAILED, "The attribution has changed beyond the tolerance, and chance does not explain it."
    if -tolerance <= low and high <= tolerance:
        return Outcome.PASSED, "The whole interval of the change lies within the tolerance."
    return Outcome.UNDECIDED, "The interval of the change reaches beyond the tolerance."


def _reason(order: OrderDrift, changes: list[FeatureChange]) -> str:
    moved = [one.feature for one in changes if one.outcome is Outcome.FAILED]
    told = f" Changed beyond tolerance: {', '.join(moved[:10])}." if moved else ""
    return f"{order.reason}{told}"
