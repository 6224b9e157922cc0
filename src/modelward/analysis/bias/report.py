"""Bias metrics of a table with labels and predictions: one pass of counts, intervals, judgements in plain words.

Speaks of disparities, never of fairness or safety: a number within tolerance does not prove that a model treats people well.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from modelward.analysis.bias.flips import FLIP_NOT_ASKED, FlipRows
from modelward.analysis.bias.groups import ALL, Grouped, group_gaps, pooled
from modelward.analysis.bias.judging import BiasMetric, Finding, judge
from modelward.analysis.bias.metrics import MEASURES, BiasMeasure, Table, read_measures, without_base
from modelward.analysis.sources import Source
from modelward.analysis.tallies import Coder, Tally, favourable_mask, same_value, tally
from modelward.kernel.errors import Invalid
from modelward.kernel.outcome import Outcome, worst

GROUP_ROWS_MIN = 30
BOOTSTRAP_SAMPLES = 500
FACET_VALUES_MAX = 50


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


class BiasReport(msgspec.Struct, frozen=True, kw_only=True):
    """Every metric of every group of a facet; ``unchecked`` lists (metric, reason); ``gaps`` are among all groups at once."""

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
    gaps: tuple[BiasMetric, ...] = ()


def bias_report(
    source: Source,
    *,
    label: str,
    facet: "str | Facet",
    prediction: str | None = None,
    favourable: object = None,
    facet_value: object = None,
    threshold: float | None = None,
    group: str | None = None,
    prediction_threshold: float | None = None,
    features: Sequence[str] = (),
    group_rows_min: int = GROUP_ROWS_MIN,
    seed: int = 0,
) -> BiasReport:
    """Compute the pre-training and, with ``prediction``, the post-training bias metrics from one pass of counts.

    ``facet`` tells the groups: a column, or a ``Facet`` that holds the next two too. The group looked at is ``facet_value``
    (a value or a list; every value in turn when None) or, in a numeric facet, everyone above ``threshold``.
    ``favourable``: the favourable value or values of label and prediction; by default 1 or true in columns of 0 and 1.
    Scores above ``prediction_threshold`` are favourable predictions. ``group`` is the column to condition on (CDDL, CDDPL).
    ``features``: numeric columns for the flip test (a second pass; distances in standard deviations). ``seed`` is that of
    the bootstrap.

    A metric with a tolerance failed when it lies outside and its interval leaves balance out; it passed when the whole
    interval lies inside; else, and with fewer than ``group_rows_min`` rows on either side, it is undecided.

    Raises:
        NotFound: a file or a column does not exist.
        Invalid: the favourable value does not occur, a facet has too many values, or a threshold is set on texts.
    """
    question = Question(
        label=label,
        prediction=prediction,
        favourable=favourable,
        group=group,
        prediction_threshold=prediction_threshold,
        features=tuple(features),
        group_rows_min=group_rows_min,
        seed=seed,
    )
    chosen = facet if isinstance(facet, Facet) else Facet(column=facet, value=facet_value, threshold=threshold)
    coders = [chosen.coder(), *question.coders()]
    counts = tally(source, coders)
    groups = named_groups(counts.coders[0], chosen.column, chosen.value)
    flip = question.flip_rows(source, coders)
    turned = chosen.value is None and chosen.threshold is None
    return report_of(counts, question, chosen.column, groups, turned=turned, flip=flip)


class Facet(msgspec.Struct, frozen=True, kw_only=True):
    """A column that tells groups, and which of them is looked at: a value, values, above a threshold, or each in turn."""

    column: str
    value: Any = None
    threshold: float | None = None

    def coder(self) -> Coder:
        """What numbers its values."""
        return Coder(self.column, above=self.threshold, values_max=FACET_VALUES_MAX if self.value is None else 10_000)


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of every facet alike; the words are those of ``bias_report``."""

    label: str
    prediction: str | None = None
    favourable: Any = None
    group: str | None = None
    prediction_threshold: float | None = None
    features: tuple[str, ...] = ()
    group_rows_min: int = GROUP_ROWS_MIN
    seed: int = 0

    def coders(self) -> list[Coder]:
        """What numbers the values of label, prediction and condition."""
        found = [Coder(self.label)]
        if self.prediction is not None:
            found.append(Coder(self.prediction, above=self.prediction_threshold))
        if self.group is not None:
            found.append(Coder(self.group))
        return found

    def flip_rows(self, source: Source, coders: list[Coder]) -> FlipRows | None:
        """The rows of the flip test, None where it is not asked for."""
        if not self.features or self.prediction is None:
            return None
        return FlipRows(source, self.features, coders[0], coders[2], scaled=True, seed=self.seed)


def report_of(
    counts: Tally,
    question: Question,
    facet: str,
    groups: list[tuple[str, Any]],
    *,
    turned: bool,
    flip: FlipRows | None = None,
) -> BiasReport:
    """The report of a facet from counts with the facet on the first axis; ``groups``: names, and masks over that axis.

    ``turned``: each group is looked at in turn, so together they are everyone.
    """
    prediction = question.prediction
    table, favoured, chosen = _outcome_table(counts, question)
    measures, rng = _measures(prediction is not None, question.group is not None), np.random.default_rng(question.seed)
    comparisons = tuple(
        _compare(name, _two_groups(table, mask), measures, question.group_rows_min, rng, prediction is not None)
        for name, mask in groups
    )
    if flip is not None and chosen is not None:
        comparisons = tuple(
            msgspec.structs.replace(one, metrics=(*one.metrics, flip.metric(mask, chosen, name)))
            for one, (name, mask) in zip(comparisons, groups, strict=True)
        )
    gaps: tuple[BiasMetric, ...] = ()
    if prediction is not None:
        sides = _sides(table, groups, question.group_rows_min, turned)
        gaps = group_gaps(sides, question.group_rows_min, BOOTSTRAP_SAMPLES, rng)
    findings = _findings(comparisons, gaps)
    outcome = worst([finding.outcome for finding in findings])
    return BiasReport(
        facet=facet,
        label=question.label,
        prediction=prediction,
        condition=question.group,
        favourable=tuple(favoured),
        rows=counts.rows,
        incomplete=counts.incomplete,
        outcome=outcome,
        reason=_reason(outcome, findings, counts),
        comparisons=comparisons,
        findings=findings,
        unchecked=_unchecked(question),
        notes=_notes(counts, flip),
        gaps=gaps,
    )


def _sides(table: Table, groups: list[tuple[str, Any]], rows_min: int, turned: bool) -> Grouped:
    if turned:
        parts = np.stack([table[mask].sum(axis=0) for _, mask in groups]) if groups else table[:0]
        return pooled([name for name, _ in groups], parts, rows_min)
    name, mask = groups[0]
    return pooled(["the rest", name], _two_groups(table, mask), rows_min)


def _measures(predicted: bool, conditioned: bool) -> tuple[BiasMeasure, ...]:
    return tuple(
        measure
        for measure in MEASURES
        if (predicted or measure.stage == "pre_training") and (conditioned or not measure.needs_condition)
    )


def _findings(comparisons: tuple[Comparison, ...], gaps: tuple[BiasMetric, ...]) -> tuple[Finding, ...]:
    judged = [(one.group, metric) for one in comparisons for metric in one.metrics]
    judged += [(ALL, metric) for metric in gaps]
    return tuple(
        Finding(group=group, metric=metric.name, outcome=metric.outcome, sentence=metric.sentence)
        for group, metric in judged
        if metric.outcome is not None
    )


def _outcome_table(counts: Tally, question: Question) -> tuple[Table, list[str], Any]:
    """Fold label and prediction to (not favourable, favourable): axes facet, label, prediction, condition.

    With it the favourable values and which codes of the prediction are favourable.
    """
    label, prediction, favourable = question.label, question.prediction, question.favourable
    table = counts.counts.astype(float)
    if prediction is None:
        table = table[:, :, np.newaxis]
    if question.group is None:
        table = table[..., np.newaxis]
    values = counts.coders[1].values
    # Without a single value the axis still has one place, in which nothing is counted.
    mask = favourable_mask(label, values, favourable) if values else np.zeros(1, bool)
    table = np.stack((table[:, ~mask].sum(axis=1), table[:, mask].sum(axis=1)), axis=1)
    if prediction is None:
        return np.concatenate((table, np.zeros_like(table)), axis=2), _named(values, mask), None
    predicted = counts.coders[2].values
    if question.prediction_threshold is not None:
        chosen = np.array([False, True])
    else:
        wanted = favourable if favourable is not None else [values[place] for place in np.flatnonzero(mask)]
        chosen = _predicted_mask(prediction, predicted, wanted, values)
    table = np.stack((table[:, :, ~chosen].sum(axis=2), table[:, :, chosen].sum(axis=2)), axis=2)
    return table, _named(values, mask), chosen


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


def named_groups(coder: Coder, facet: str, wanted: object) -> list[tuple[str, Any]]:
    """The groups that are looked at, each with a mask over the values of the facet.

    Raises:
        Invalid: a wanted value does not occur.
    """
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
    undefined = without_base(table)
    points |= dict.fromkeys(undefined & points.keys(), np.asarray(np.nan))
    samples = {key: drawn for key, drawn in samples.items() if key not in undefined}
    metrics = tuple(
        judge(measure, float(points[measure.name]), samples.get(measure.name), name, (rest, ours, rows_min), facts)
        for measure in measures
    )
    return Comparison(group=name, group_rows=ours, rest_rows=rest, metrics=metrics, **facts)


def _share(outcomes: Any) -> float | None:
    total = float(outcomes.sum())
    return float(outcomes[1]) / total if total else None


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


def _unchecked(question: Question) -> tuple[tuple[str, str], ...]:
    missing = []
    if question.prediction is None:
        missing.append(("post_training", "no prediction column was given"))
    elif not question.features:
        missing.append(("FT", FLIP_NOT_ASKED))
    if question.group is None:
        names = "CDDL" if question.prediction is None else "CDDL, CDDPL"
        missing.append((names, "no column to condition on was given (group=)"))
    return tuple(missing)


def _notes(counts: Tally, flip: FlipRows | None) -> tuple[str, ...]:
    notes = []
    if counts.incomplete:
        notes.append(f"{counts.incomplete} of {counts.rows} rows lack a value in one of the columns and are left out.")
    if flip is not None and flip.rows < counts.rows:
        notes.append(
            f"The flip test looked at {flip.rows} of {counts.rows} rows, a random sample of the complete ones."
        )
    return tuple(notes)
