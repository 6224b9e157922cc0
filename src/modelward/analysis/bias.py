"""Bias metrics of a table with labels and predictions: one pass of counts, intervals, judgements in plain words.

Speaks of disparities, never of fairness or safety: a number within tolerance does not prove that a model treats people well.
"""

import math
from typing import Any

import msgspec
import numpy as np

from modelward.analysis.bias_metrics import FLIP_TEST_REASON, MEASURES, BiasMeasure, Stage, Table, read_measures
from modelward.analysis.sources import Source
from modelward.analysis.tallies import Coder, Tally, favourable_mask, same_value, tally
from modelward.kernel.errors import Invalid
from modelward.kernel.outcome import Outcome, worst

GROUP_ROWS_MIN = 30
BOOTSTRAP_SAMPLES = 500
FACET_VALUES_MAX = 50
INTERVAL = (0.025, 0.975)


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


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """One group against everyone else. ``group_rows`` and ``rest_rows`` are n_d and n_a of the formulas."""

    group: str
    group_rows: int
    rest_rows: int
    label_share_group: float | None
    label_share_rest: float | None
    predicted_share_group: float | None
    predicted_share_rest: float | None
    metrics: tuple[BiasMetric, ...]

    def metric(self, name: str) -> BiasMetric:
        """One metric by its name; KeyError where it was not computed."""
        for metric in self.metrics:
            if metric.name == name:
                return metric
        raise KeyError(name)


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A judged metric in a sentence for people."""

    group: str
    metric: str
    outcome: Outcome
    sentence: str


class BiasReport(msgspec.Struct, frozen=True, kw_only=True):
    """Every metric of every group of a facet; ``unchecked`` lists (metric, reason)."""

    facet: str
    label: str
    prediction: str | None
    condition: str | None
    favourable: tuple[str, ...]
    rows: int
    incomplete: int
    outcome: Outcome
    reason: str
    comparisons: tuple[Comparison, ...]
    findings: tuple[Finding, ...]
    unchecked: tuple[tuple[str, str], ...]
    notes: tuple[str, ...] = ()


def bias_report(
    source: Source,
    *,
    label: str,
    facet: str,
    prediction: str | None = None,
    favourable: object = None,
    facet_value: object = None,
    threshold: float | None = None,
    group: str | None = None,
    prediction_threshold: float | None = None,
    group_rows_min: int = GROUP_ROWS_MIN,
    seed: int = 0,
) -> BiasReport:
    """Compute the pre-training and, with ``prediction``, the post-training bias metrics from one pass of counts.

    ``facet`` tells the groups. The group looked at is ``facet_value`` (a value or a list; every value in turn when None)
    or, in a numeric facet, everyone above ``threshold``. ``favourable``: the favourable value or values of label and
    prediction; by default 1 or true in columns of 0 and 1. Scores above ``prediction_threshold`` are favourable
    predictions. ``group`` is the column to condition on (CDDL, CDDPL). ``seed`` is that of the bootstrap.

    A metric with a tolerance failed when it lies outside and its interval leaves balance out; it passed when the whole
    interval lies inside; else, and with fewer than ``group_rows_min`` rows on either side, it is undecided.

    Raises:
        NotFound: a file or a column does not exist.
        Invalid: the favourable value does not occur, a facet has too many values, or a threshold is set on texts.
    """
    coders = [
        Coder(facet, above=threshold, values_max=FACET_VALUES_MAX if facet_value is None else 10_000),
        Coder(label),
    ]
    if prediction is not None:
        coders.append(Coder(prediction, above=prediction_threshold))
    if group is not None:
        coders.append(Coder(group))
    counts = tally(source, coders)
    table, favoured = _outcome_table(counts, label, prediction, favourable, prediction_threshold, group is not None)
    measures, rng = _measures(prediction is not None, group is not None), np.random.default_rng(seed)
    comparisons = tuple(
        _compare(name, _two_groups(table, mask), measures, group_rows_min, rng, prediction is not None)
        for name, mask in _groups(counts.coders[0], facet, facet_value)
    )
    findings = _findings(comparisons)
    outcome = worst([finding.outcome for finding in findings])
    return BiasReport(
        facet=facet,
        label=label,
        prediction=prediction,
        condition=group,
        favourable=tuple(favoured),
        rows=counts.rows,
        incomplete=counts.incomplete,
        outcome=outcome,
        reason=_reason(outcome, findings, counts),
        comparisons=comparisons,
        findings=findings,
        unchecked=_unchecked(prediction, group),
        notes=_notes(counts),
    )


def _measures(predicted: bool, conditioned: bool) -> tuple[BiasMeasure, ...]:
    return tuple(
        measure
        for measure in MEASURES
        if (predicted or measure.stage == "pre_training") and (conditioned or not measure.needs_condition)
    )


def _findings(comparisons: tuple[Comparison, ...]) -> tuple[Finding, ...]:
    return tuple(
        Finding(group=one.group, metric=metric.name, outcome=metric.outcome, sentence=metric.sentence)
        for one in comparisons
        for metric in one.metrics
        if metric.outcome is not None
    )


def _outcome_table(
    counts: Tally, label: str, prediction: str | None, favourable: object, cut: float | None, conditioned: bool
) -> tuple[Table, list[str]]:
    """Fold label and prediction to (not favourable, favourable): axes facet, label, prediction, condition."""
    table = counts.counts.astype(float)
    if prediction is None:
        table = table[:, :, np.newaxis]
    if not conditioned:
        table = table[..., np.newaxis]
    values = counts.coders[1].values
    # Without a single value the axis still has one place, in which nothing is counted.
    mask = favourable_mask(label, values, favourable) if values else np.zeros(1, bool)
    table = np.stack((table[:, ~mask].sum(axis=1), table[:, mask].sum(axis=1)), axis=1)
    if prediction is None:
        return np.concatenate((table, np.zeros_like(table)), axis=2), _named(values, mask)
    predicted = counts.coders[2].values
    if cut is not None:
        chosen = np.array([False, True])
    else:
        wanted = favourable if favourable is not None else [values[place] for place in np.flatnonzero(mask)]
        chosen = _predicted_mask(prediction, predicted, wanted, values)
    return np.stack((table[:, :, ~chosen].sum(axis=2), table[:, :, chosen].sum(axis=2)), axis=2), _named(values, mask)


def _predicted_mask(prediction: str, predicted: list[Any], wanted: object, labels: list[Any]) -> Any:
    several = wanted if isinstance(wanted, list | tuple | set | frozenset) else [wanted]
    mask = np.array([any(same_value(value, one) for one in several) for value in predicted] or [False], bool)
    strange = [value for value in predicted if not any(same_value(value, one) for one in [*labels, *several])]
    if strange and not mask.any():
        raise Invalid(
            f"Column {prediction!r} holds {strange[0]!r}, which is no value of the label.",
            field=prediction,
            hint="For scores give prediction_threshold.",
        )
    return mask


def _named(values: list[Any], mask: Any) -> list[str]:
    return [str(value) for value, yes in zip(values, mask, strict=False) if yes]


def _groups(coder: Coder, facet: str, wanted: object) -> list[tuple[str, Any]]:
    if coder.above is not None:
        top = (
            "" if coder.greatest is None else f"{coder.greatest:g}" if coder.greatest % 1 == 0 else repr(coder.greatest)
        )
        return [(f"({coder.above:g}, {top}]", np.array([False, True]))]
    values = coder.values
    if wanted is None:
        ordered = sorted(range(len(values)), key=lambda place: str(values[place]))
        return [(str(values[place]), np.arange(len(values)) == place) for place in ordered]
    several = list(wanted) if isinstance(wanted, list | tuple | set | frozenset) else [wanted]
    mask = favourable_mask(facet, values, several) if values else np.zeros(1, bool)
    return [(",".join(str(one) for one in several), mask)]


def _two_groups(table: Table, mask: Any) -> Table:
    return np.stack((table[~mask].sum(axis=0), table[mask].sum(axis=0)))


def _compare(
    name: str, table: Table, measures: tuple[BiasMeasure, ...], rows_min: int, rng: np.random.Generator, predicted: bool
) -> Comparison:
    rest, ours = (int(rows) for rows in table.sum(axis=(1, 2, 3)))
    points = read_measures(table, measures)
    samples: dict[str, Any] = {}
    if rest and ours:
        chances = table.ravel() / table.sum()
        drawn = rng.multinomial(rest + ours, chances, BOOTSTRAP_SAMPLES).reshape(-1, *table.shape)
        samples = read_measures(drawn, measures)
    labels, predictions = table.sum(axis=(2, 3)), table.sum(axis=(1, 3))
    facts = {
        "label_share_group": _share(labels[1]),
        "label_share_rest": _share(labels[0]),
        "predicted_share_group": _share(predictions[1]) if predicted else None,
        "predicted_share_rest": _share(predictions[0]) if predicted else None,
    }
    metrics = tuple(
        _judge(measure, float(points[measure.name]), samples.get(measure.name), name, (rest, ours, rows_min), facts)
        for measure in measures
    )
    return Comparison(group=name, group_rows=ours, rest_rows=rest, metrics=metrics, **facts)


def _share(outcomes: Any) -> float | None:
    total = float(outcomes.sum())
    return float(outcomes[1]) / total if total else None


def _judge(
    measure: BiasMeasure, value: float, samples: Any, group: str, sizes: tuple[int, int, int], facts: dict[str, Any]
) -> BiasMetric:
    rest, ours, rows_min = sizes
    low, high = _interval(samples)
    finite = math.isfinite(value)
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
        outcome, reason = None, measure.tolerance_source
    elif min(rest, ours) < rows_min:
        outcome, reason = Outcome.UNDECIDED, f"The smaller side has {min(rest, ours)} rows; {rows_min} are needed."
    else:
        outcome, reason = _verdict(measure, value, low, high)
    sentence = _sentence(metric, group, reason, outcome, facts)
    return msgspec.structs.replace(metric, outcome=outcome, reason=reason, sentence=sentence)


def _interval(samples: Any) -> tuple[float | None, float | None]:
    if samples is None:
        return None, None
    finite = samples[np.isfinite(samples)]
    # With more than a few infinite samples the ends of the interval are not known.
    if finite.size < 0.98 * samples.size:
        return None, None
    low, high = np.quantile(finite, INTERVAL)
    return float(low), float(high)


def _verdict(measure: BiasMeasure, value: float, low: float | None, high: float | None) -> tuple[Outcome, str]:
    assert measure.tolerance is not None
    least, most = measure.tolerance
    if math.isnan(value):
        return Outcome.UNDECIDED, "The metric is not defined for these counts."
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


def _reason(outcome: Outcome, findings: tuple[Finding, ...], counts: Tally) -> str:
    if counts.rows == 0:
        return "The data has no rows."
    if not findings:
        return "No complete row, so nothing could be compared."
    failed = sum(finding.outcome is Outcome.FAILED for finding in findings)
    unclear = sum(finding.outcome is Outcome.UNDECIDED for finding in findings)
    if outcome is Outcome.FAILED:
        return f"{failed} of {len(findings)} judged metrics show a disparity beyond tolerance; {unclear} are undecided."
    if outcome is Outcome.UNDECIDED:
        return f"{unclear} of {len(findings)} judged metrics are undecided at these row counts."
    return f"All {len(findings)} judged metrics lie within tolerance."


def _unchecked(prediction: str | None, group: str | None) -> tuple[tuple[str, str], ...]:
    missing = []
    if prediction is None:
        missing.append(("post_training", "no prediction column was given"))
    else:
        missing.append(("FT", FLIP_TEST_REASON))
    if group is None:
        names = "CDDL" if prediction is None else "CDDL, CDDPL"
        missing.append((names, "no column to condition on was given (group=)"))
    return tuple(missing)


def _notes(counts: Tally) -> tuple[str, ...]:
    if counts.incomplete == 0:
        return ()
    return (f"{counts.incomplete} of {counts.rows} rows lack a value in one of the columns and are left out.",)
