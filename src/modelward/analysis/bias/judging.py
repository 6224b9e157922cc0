"""When a bias metric passed, failed or is undecided, in plain words. Speaks of disparities, never of fairness or safety."""

import math
from typing import Any

import msgspec
import numpy as np

from modelward.analysis.bias.metrics import BiasMeasure, Stage
from modelward.kernel.outcome import Outcome

INTERVAL = (0.025, 0.975)
UNDEFINED = "On one side there is no row of which the metric could tell a share."


class BiasMetric(msgspec.Struct, frozen=True, kw_only=True):
    """One metric of one comparison.

    ``value`` is None where it is undefined or infinite (then ``infinite`` is 1 or -1). ``low`` and ``high``: 95 %
    bootstrap interval. ``outcome`` is None for metrics without an agreed tolerance; ``reason`` then says so.
    """

    name: str
    title: str
    stage: Stage
    value: float | None
    infinite: int = 0
    low: float | None = None
    high: float | None = None
    tolerance: tuple[float, float] | None = None
    tolerance_source: str = ""
    outcome: Outcome | None = None
    reason: str = ""
    sentence: str = ""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A judged metric in a sentence for people."""

    group: str
    metric: str
    outcome: Outcome
    sentence: str


def judge(
    measure: BiasMeasure, value: float, samples: Any, group: str, sizes: tuple[int, int, int], facts: dict[str, Any]
) -> BiasMetric:
    """Judge one metric. ``sizes``: rows of the rest, of the group, and how many each must have."""
    rest, ours, rows_min = sizes
    low, high = interval(samples)
    finite = math.isfinite(value)
    if finite and low is not None and high is not None:
        # Samples of a distance lie above it where it is near 0; an interval without its own value helps nobody.
        low, high = min(low, value), max(high, value)
    empty = rest == 0 or ours == 0
    metric = BiasMetric(
        name=measure.name,
        title=measure.title,
        stage=measure.stage,
        value=value if finite and not empty else None,
        infinite=0 if finite or math.isnan(value) or empty else int(math.copysign(1, value)),
        low=low,
        high=high,
        tolerance=measure.tolerance,
        tolerance_source=measure.tolerance_source,
    )
    outcome: Outcome | None
    if empty:
        which = f"group {group!r}" if ours == 0 else "rest"
        outcome, reason = Outcome.UNDECIDED, f"The {which} has no rows."
    elif measure.tolerance is None:
        outcome, reason = None, UNDEFINED if math.isnan(value) else measure.tolerance_source
    elif min(rest, ours) < rows_min:
        outcome, reason = Outcome.UNDECIDED, f"The smaller side has {min(rest, ours)} rows; {rows_min} are needed."
    else:
        outcome, reason = verdict(measure, value, low, high)
    sentence = _sentence(metric, group, reason, outcome, facts)
    return msgspec.structs.replace(metric, outcome=outcome, reason=reason, sentence=sentence)


def interval(samples: Any) -> tuple[float | None, float | None]:
    """The ends of the 95 % bootstrap interval; None where they are not known."""
    if samples is None:
        return None, None
    finite = samples[np.isfinite(samples)]
    # With more than a few infinite samples the ends of the interval are not known.
    if finite.size < 0.98 * samples.size:
        return None, None
    finite.sort()
    return _quantile(finite, INTERVAL[0]), _quantile(finite, INTERVAL[1])


def _quantile(ordered: Any, share: float) -> float:
    """As ``np.quantile``, which takes ten times as long to look at what it is given."""
    place = share * (ordered.size - 1)
    below = int(place)
    least, most = float(ordered[below]), float(ordered[min(below + 1, ordered.size - 1)])
    return float(least + (most - least) * (place - below))


def verdict(measure: BiasMeasure, value: float, low: float | None, high: float | None) -> tuple[Outcome, str]:
    """Whether a value with its interval lies within the tolerance of its measure, and why."""
    assert measure.tolerance is not None
    least, most = measure.tolerance
    if math.isnan(value):
        return Outcome.UNDECIDED, UNDEFINED
    inside = least <= value <= most
    if low is None or high is None:
        if inside or math.isfinite(value):
            return Outcome.UNDECIDED, "The counts are too thin for an interval."
        return Outcome.FAILED, "The metric is infinite."
    if inside and least <= low and high <= most:
        return Outcome.PASSED, "The whole interval lies within the tolerance."
    if inside:
        return Outcome.UNDECIDED, "The value lies within the tolerance, but its interval does not."
    # Distances are never negative, so their interval cannot leave zero out by its lower end alone.
    if measure.highest == measure.balanced:
        # The same of ratios of the least to the most, which are never above 1.
        if high < (least + measure.balanced) / 2:
            return Outcome.FAILED, "The value lies outside the tolerance, and chance does not explain it."
        return Outcome.UNDECIDED, "The value lies outside the tolerance, but chance may explain it."
    one_sided = measure.lowest == 0 and measure.balanced == 0
    if (one_sided and low > most / 2) or (not one_sided and (low > measure.balanced or high < measure.balanced)):
        return Outcome.FAILED, "The value lies outside the tolerance, and chance does not explain it."
    return Outcome.UNDECIDED, "The value lies outside the tolerance, but chance may explain it."


def _sentence(metric: BiasMetric, group: str, reason: str, outcome: Outcome | None, facts: dict[str, Any]) -> str:
    shown = "undefined" if metric.value is None else f"{metric.value:.3f}"
    if metric.infinite:
        shown = "infinite" if metric.infinite > 0 else "minus infinite"
    interval = "" if metric.low is None else f" (95 % interval {metric.low:.3f} to {metric.high:.3f})"
    kind = "predicted" if metric.stage == "post_training" else "label"
    ours, rest = facts[f"{kind}_share_group"], facts[f"{kind}_share_rest"]
    what = f"{metric.title} is {shown}{interval}"
    if metric.name in ("DPL", "DPPL", "DI") and ours is not None and rest is not None:
        verb = "is predicted to get" if kind == "predicted" else "got"
        what = (
            f"Group {group!r} {verb} the favourable outcome in {ours:.1%} of its rows, the rest in {rest:.1%}: {what}"
        )
    else:
        what = f"For group {group!r}: {what}"
    if outcome is Outcome.FAILED:
        return f"Disparity. {what}. {reason}"
    if outcome is Outcome.PASSED:
        return f"No disparity beyond tolerance seen. {what}. {reason}"
    return f"{what}. {reason[:1].upper()}{reason[1:]}"
