"""Disparities among all groups of a facet at once, and among the crossings of facets, with small groups pooled.

Definitions: demographic parity (Calders & Verwer 2010), equal opportunity and equalized odds (Hardt, Price & Srebro 2016),
as the largest distance or smallest ratio between any two groups.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from modelward.analysis.bias.judging import INTERVAL, BiasMetric, judge
from modelward.analysis.bias.metrics import BiasMeasure, Cells, Table, Values, read_measures
from modelward.kernel.outcome import Outcome

SMALL = "small groups"
ALL = "all groups"
_FOUR_FIFTHS = "four-fifths rule, 29 CFR 1607.4(D) (EEOC Uniform Guidelines 1978)"


class Grouped(msgspec.Struct, frozen=True, kw_only=True):
    """Counts with one group on each place of the first axis; ``pooled``: groups too small to stand alone."""

    names: tuple[str, ...]
    table: Table
    pooled: tuple[str, ...] = ()


def pooled(names: Sequence[str], table: Table, rows_min: int) -> Grouped:
    """Put groups with fewer than ``rows_min`` rows together; empty ones are left out."""
    rows = table.sum(axis=tuple(range(1, table.ndim)))
    large = rows >= rows_min
    small = (rows > 0) & ~large
    kept = [name for name, one in zip(names, large, strict=True) if one]
    parts = [table[large]]
    if small.any():
        # A small group by itself keeps its name: there is nothing to pool it with.
        alone = [name for name, one in zip(names, small, strict=True) if one]
        kept.append(alone[0] if len(alone) == 1 else f"{SMALL} ({len(alone)})")
        parts.append(table[small].sum(axis=0, keepdims=True))
    left = tuple(name for name, one in zip(names, small, strict=True) if one)
    return Grouped(names=tuple(kept), table=np.concatenate(parts), pooled=left if len(left) > 1 else ())


def _rate(above: Values, below: Values) -> Values:
    """A rate of each group; not a number, and so out of the comparison, where nothing is in the denominator."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below > 0, np.asarray(above, float) / np.asarray(below, float), np.nan)


def _ends(rates: Values) -> tuple[Values, Values]:
    known = np.isfinite(rates)
    low, high = np.where(known, rates, np.inf).min(axis=-1), np.where(known, rates, -np.inf).max(axis=-1)
    enough = known.sum(axis=-1) > 1
    return np.where(enough, low, np.nan), np.where(enough, high, np.nan)


def _distance(rates: Values) -> Values:
    low, high = _ends(rates)
    return high - low


def _ratio(rates: Values) -> Values:
    low, high = _ends(rates)
    with np.errstate(divide="ignore", invalid="ignore"):
        # Where no group gets anything all are alike.
        return np.where(high > 0, low / np.where(high > 0, high, 1.0), np.where(np.isnan(high), np.nan, 1.0))


def _selected(c: Cells) -> Values:
    return _rate(c.predicted_1, c.n)


def _recall(c: Cells) -> Values:
    return _rate(c.tp, c.label_1)


def _false_alarms(c: Cells) -> Values:
    return _rate(c.fp, c.label_0)


def _difference_measure(name: str, title: str, formula: str, read: Any) -> BiasMeasure:
    return BiasMeasure(
        name=name, title=title, stage="post_training", formula=formula, read=read, lowest=0, highest=1,
        tolerance=(0.0, 0.1),
    )  # fmt: skip


def _ratio_measure(name: str, title: str, formula: str, read: Any) -> BiasMeasure:
    return BiasMeasure(
        name=name, title=title, stage="post_training", formula=formula, read=read, lowest=0, highest=1, balanced=1.0,
        tolerance=(0.8, 1.0), tolerance_source=_FOUR_FIFTHS,
    )  # fmt: skip


GROUP_MEASURES: tuple[BiasMeasure, ...] = (
    _difference_measure(
        "demographic_parity_difference", "Demographic parity difference", "max q' - min q' over groups",
        lambda c: _distance(_selected(c)),
    ),
    _ratio_measure(
        "demographic_parity_ratio", "Demographic parity ratio", "min q' / max q' over groups",
        lambda c: _ratio(_selected(c)),
    ),
    _difference_measure(
        "equal_opportunity_difference", "Equal opportunity difference", "max TPR - min TPR over groups",
        lambda c: _distance(_recall(c)),
    ),
    _ratio_measure(
        "equal_opportunity_ratio", "Equal opportunity ratio", "min TPR / max TPR over groups",
        lambda c: _ratio(_recall(c)),
    ),
    _difference_measure(
        "equalized_odds_difference", "Equalized odds difference",
        "the larger of max TPR - min TPR and max FPR - min FPR over groups",
        lambda c: np.fmax(_distance(_recall(c)), _distance(_false_alarms(c))),
    ),
    _ratio_measure(
        "equalized_odds_ratio", "Equalized odds ratio",
        "the smaller of min TPR / max TPR and min FPR / max FPR over groups",
        lambda c: np.fmin(_ratio(_recall(c)), _ratio(_false_alarms(c))),
    ),
)  # fmt: skip


def group_gaps(groups: Grouped, rows_min: int, samples: int, rng: np.random.Generator) -> tuple[BiasMetric, ...]:
    """The disparities among all groups, judged with bootstrap intervals; none for fewer than two groups.

    Groups below ``rows_min`` rows (a pool that is still too small) take no part. The more groups there are, the larger is
    the largest distance by chance alone: the interval shows it.
    """
    rows = groups.table.sum(axis=(1, 2, 3))
    large = rows >= rows_min
    table = groups.table[large]
    names = [name for name, one in zip(groups.names, large, strict=True) if one]
    if len(names) < 2:
        return ()
    points = read_measures(table, GROUP_MEASURES)
    drawn = rng.multinomial(int(table.sum()), table.ravel() / table.sum(), samples).reshape(-1, *table.shape)
    sampled, alike = read_measures(drawn, GROUP_MEASURES), _alike(table, samples, rng)
    rates = {"demographic": _selected, "equal": _recall}
    facts = dict.fromkeys(f"{kind}_share_{side}" for kind in ("label", "predicted") for side in ("group", "rest"))
    sizes = (int(table.sum()), int(table.sum()), rows_min)
    found = []
    for measure in GROUP_MEASURES:
        value = float(points[measure.name])
        # The largest of several noisy distances is too large, and too large again when drawn anew: reflecting the
        # samples about the value (the basic bootstrap) takes that out.
        reflected = np.clip(2 * value - sampled[measure.name], 0, 1)
        metric = judge(measure, value, reflected, ALL, sizes, facts)
        if metric.outcome is Outcome.FAILED and not _beyond(value, alike[measure.name], measure):
            reason = "The value lies outside the tolerance, but groups that are alike would show as much by chance."
            sentence = metric.sentence.replace("Disparity. ", "", 1).replace(metric.reason, reason)
            metric = msgspec.structs.replace(metric, outcome=Outcome.UNDECIDED, reason=reason, sentence=sentence)
        by_group = rates.get(measure.name.split("_")[0])
        ends = f"Among {len(names)} groups" if by_group is None else _who(by_group(Cells(table)), names)
        found.append(msgspec.structs.replace(metric, sentence=metric.sentence.replace(f"For group {ALL!r}", ends, 1)))
    return tuple(found)


def _alike(table: Table, samples: int, rng: np.random.Generator) -> dict[str, Values]:
    """The measures of groups as large as these that are treated alike: predictions drawn with the rates of all together."""
    flat = table.sum(axis=-1)
    by_label, rows = flat.sum(axis=-1).astype(np.int64), flat.sum(axis=(-1, -2)).astype(np.int64)
    rates = np.divide(flat[..., 1].sum(axis=0), by_label.sum(axis=0), where=by_label.sum(axis=0) > 0, out=np.zeros(2))
    favoured = rng.binomial(by_label, rates, (samples, *by_label.shape))
    odds = read_measures(np.stack((by_label - favoured, favoured), axis=-1)[..., np.newaxis], GROUP_MEASURES)
    # Equal shares of favourable predictions do not care for labels, so there all rows stand under one label.
    selected = rng.binomial(rows, flat[..., 1].sum() / rows.sum(), (samples, len(rows)))
    under_one = np.zeros((samples, len(rows), 2, 2, 1))
    under_one[:, :, 1, 1, 0], under_one[:, :, 1, 0, 0] = selected, rows - selected
    parity = read_measures(under_one, GROUP_MEASURES)
    return {name: (parity if name.startswith("demographic") else odds)[name] for name in odds}


def _beyond(value: float, alike: Values, measure: BiasMeasure) -> bool:
    known = alike[np.isfinite(alike)]
    if not known.size:
        return False
    if measure.balanced == measure.highest:
        return value < float(np.quantile(known, INTERVAL[0]))
    return value > float(np.quantile(known, INTERVAL[1]))


def _who(rates: Any, names: list[str]) -> str:
    if not np.isfinite(rates).any():
        return f"Among {len(names)} groups"
    low, high = names[int(np.nanargmin(rates))], names[int(np.nanargmax(rates))]
    return f"Among {len(names)} groups, {low!r} having the least and {high!r} the most"
