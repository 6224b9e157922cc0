"""How good predictions are against labels: binary, multiclass and regression metrics with intervals, from one pass."""

import math
from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from modelward.analysis.accumulate import counted
from modelward.analysis.buffers import pieces
from modelward.analysis.quality_errors import regression_report
from modelward.analysis.quality_shapes import Confusion, Curves, Metric, ProblemType, QualityReport
from modelward.analysis.scores import AUC_ERROR_MAX, Ranking, ScoreBook, auc_interval
from modelward.analysis.sources import Source, batches_of
from modelward.analysis.tallies import Coder, favourable_mask, favours, same_value, tally
from modelward.kernel.errors import Invalid

Values: TypeAlias = Any

BOOTSTRAP_SAMPLES = 500
CLASSES_MAX = 1_000


def quality_report(
    source: Source,
    *,
    problem_type: ProblemType,
    label: str,
    prediction: str | None,
    probability: str | None = None,
    positive: object = None,
    threshold: float = 0.5,
    quantile: float | None = None,
    exact: bool = False,
    seed: int = 0,
) -> QualityReport:
    """Compare predictions with labels.

    Args:
        source: a table, as for ``profile``.
        problem_type: ``binary``, ``multiclass`` or ``regression``.
        label: column of observed outcomes.
        prediction: column of predicted outcomes; None (binary only) to cut the probability at ``threshold``.
        probability: column of the probability of the positive class, in [0, 1] (binary only).
        positive: the positive label; 1 or true by default for columns of 0 and 1.
        threshold: probabilities above it are positive predictions where there is no prediction column.
        quantile: which quantile the predictions are meant to be, for ``quantile_loss`` (regression only).
        exact: keep every probability for the AUC, at 8 bytes a row; else more than a million rows are counted in bins
            so fine that it errs by less than 1e-6, or the report says by how much.
        seed: of the bootstrap.

    Metrics are those of scikit-learn by the same names (``specificity`` is recall of the negative class; ``f0_5``, ``f2``
    are F-beta). Intervals: bootstrap over the confusion matrix; Hanley & McNeil 1982 for the AUC; normal for errors.

    Raises:
        NotFound: a file or a column does not exist.
        Invalid: the positive label does not occur, probabilities lie outside [0, 1], texts where numbers are needed.
    """
    if problem_type == "regression":
        if prediction is None:
            raise Invalid("A regression report needs a prediction column.", field="prediction")
        return regression_report(source, label, prediction, quantile)
    if problem_type == "multiclass":
        if prediction is None:
            raise Invalid("A multiclass report needs a prediction column.", field="prediction")
        return _multiclass(source, label, prediction, probability, seed)
    if problem_type != "binary":
        raise Invalid(
            f"{problem_type!r} is not a problem type: binary, multiclass or regression.", field="problem_type"
        )
    book = ScoreBook(probability, exact=exact) if probability is not None else None
    return _binary(source, label, prediction, probability, positive, threshold, seed, book)


def _binary(
    source: Source,
    label: str,
    prediction: str | None,
    probability: str | None,
    positive: object,
    cut: float,
    seed: int,
    book: ScoreBook | None,
) -> QualityReport:
    if prediction is None and probability is None:
        raise Invalid("A binary report needs a prediction or a probability column.", field="prediction")
    labels = Coder(label)
    predicted = Coder(prediction) if prediction is not None else Coder(str(probability), above=cut)
    pairs, rows, incomplete = _joined_counts(source, labels, predicted, positive, book)
    mask = favourable_mask(label, labels.values, positive) if labels.values else np.zeros(1, bool)
    if len(labels.values) > 2 and positive is None:
        raise Invalid(f"Column {label!r} has {len(labels.values)} classes; this is no binary problem.", field=label)
    chosen = np.array([False, True])
    if prediction is not None:
        wanted = [value for value, yes in zip(labels.values, mask, strict=False) if yes]
        chosen = np.array(
            [any(same_value(value, one) for one in wanted) for value in predicted.values] or [False], bool
        )
    folded = np.stack((pairs[~mask].sum(axis=0), pairs[mask].sum(axis=0)))
    cells = np.stack((folded[:, ~chosen].sum(axis=1), folded[:, chosen].sum(axis=1)), axis=1)
    ranking = book.ranking() if book is not None else None
    metrics = _with_intervals(cells, _binary_metrics, seed) | (_ranking_metrics(ranking) if ranking else {})
    names = _class_names(labels.values, mask)
    return QualityReport(
        problem_type="binary",
        label=label,
        prediction=prediction,
        probability=probability,
        positive=names[1],
        rows=rows,
        incomplete=incomplete,
        metrics=metrics,
        confusion=Confusion(classes=names, counts=_as_counts(cells)),
        curves=Curves(roc=ranking.roc, precision_recall=ranking.precision_recall, calibration=ranking.calibration)
        if ranking
        else None,
        notes=_notes(rows, incomplete, ranking),
    )


def _joined_counts(
    source: Source, labels: Coder, predicted: Coder, positive: object, book: ScoreBook | None
) -> tuple[npt.NDArray[np.int64], int, int]:
    """Count (label, prediction) pairs and fill the score book in the same pass."""
    if book is None:
        pair_tally = tally(source, [labels, predicted])
        return pair_tally.counts, pair_tally.rows, pair_tally.incomplete
    pairs: dict[tuple[int, int], int] = {}
    columns = list(dict.fromkeys([labels.column, predicted.column, book.column]))
    rows = complete = 0
    hit = np.array([-1], np.int8)
    for batch in batches_of(source, columns, ahead=True):
        rows += batch.num_rows
        arrays = [batch.column(columns.index(one.column)) for one in (labels, predicted, book)]
        observed, guessed = _coded(labels, arrays[0]), _coded(predicted, arrays[1])
        if hit.size != len(labels.known) + 1:
            # The last stands for a label that is missing, which has the code -1.
            hit = np.array([*(favours(value, positive) for value in labels.known), -1], np.int8)
        own = observed.dtype == np.int8 and np.array_equal(hit[:-1], np.arange(hit.size - 1))
        book.add(observed if own else hit.take(observed), arrays[2])
        for place, count in _pairs(observed, guessed, len(predicted.known)):
            pairs[place] = pairs.get(place, 0) + count
            complete += count
    table = np.zeros((max(1, len(labels.known)), max(1, len(predicted.known))), np.int64)
    for place, count in pairs.items():
        table[place] = count
    return table, rows, rows - complete


def _coded(coder: Coder, array: Any) -> npt.NDArray[Any]:
    brief = coder.brief_codes(array)
    return coder.codes(array) if brief is None else brief


def _pairs(observed: npt.NDArray[Any], guessed: npt.NDArray[Any], size: int) -> Iterator[tuple[tuple[int, int], int]]:
    """Count pairs of codes that are both there."""
    if not observed.size:
        return
    brief = observed.dtype == guessed.dtype == np.int8
    if brief and min(observed.min(), guessed.min()) >= 0 and max(observed.max(), guessed.max()) <= 1:
        yield from _pairs_of_two(observed.view(np.bool_), guessed.view(np.bool_))
        return
    if brief and max(observed.max(), guessed.max()) < 15:
        table = np.zeros(256, np.int64)
        for piece in pieces(observed.size):
            table += np.bincount(((observed[piece] + 1) * 16 + guessed[piece] + 1).view(np.uint8), minlength=256)
        for key in np.flatnonzero(table).tolist():
            if key >= 16 and key % 16:
                yield (key // 16 - 1, key % 16 - 1), int(table[key])
        return
    there = (observed >= 0) & (guessed >= 0)
    if there.any():
        keys, counts = counted((observed[there].astype(np.int64) * size + guessed[there]).view(np.uint64))
        for key, count in zip(keys.tolist(), counts.tolist(), strict=True):
            yield divmod(key, size), count


def _pairs_of_two(
    observed: npt.NDArray[np.bool_], guessed: npt.NDArray[np.bool_]
) -> Iterator[tuple[tuple[int, int], int]]:
    both, up, across = (int(np.count_nonzero(one)) for one in (observed & guessed, observed, guessed))
    counts = {(1, 1): both, (1, 0): up - both, (0, 1): across - both, (0, 0): observed.size - up - across + both}
    yield from ((place, count) for place, count in counts.items() if count)


def _class_names(values: list[Any], mask: npt.NDArray[np.bool_]) -> tuple[str, str]:
    positives = [str(value) for value, yes in zip(values, mask, strict=False) if yes]
    negatives = [str(value) for value, yes in zip(values, mask, strict=False) if not yes]
    return (negatives[0] if len(negatives) == 1 else "rest", ",".join(positives) or "positive")


def _as_counts(cells: npt.NDArray[Any]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(int(count) for count in row) for row in cells)


def _ratio(above: Values, below: Values) -> Values:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(above, float) / np.asarray(below, float)


def _binary_metrics(cells: Values) -> dict[str, Values]:
    """From counts on the last two axes (label, prediction); not a number where a denominator is 0."""
    tn, fp, fn, tp = cells[..., 0, 0], cells[..., 0, 1], cells[..., 1, 0], cells[..., 1, 1]
    recall, specificity = _ratio(tp, tp + fn), _ratio(tn, tn + fp)
    spread = np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    return {
        "accuracy": _ratio(tp + tn, tp + tn + fp + fn),
        "precision": _ratio(tp, tp + fp),
        "recall": recall,
        "specificity": specificity,
        "false_positive_rate": _ratio(fp, tn + fp),
        "false_negative_rate": _ratio(fn, tp + fn),
        "f1": _f_beta(tp, fp, fn, 1.0),
        "f0_5": _f_beta(tp, fp, fn, 0.5),
        "f2": _f_beta(tp, fp, fn, 2.0),
        "balanced_accuracy": (recall + specificity) / 2,
        "matthews": _ratio(tp * tn - fp * fn, spread),
        "label_share": _ratio(tp + fn, tp + tn + fp + fn),
        "predicted_share": _ratio(tp + fp, tp + tn + fp + fn),
        "accuracy_best_constant": _ratio(np.maximum(tp + fn, tn + fp), tp + tn + fp + fn),
    }


def _f_beta(tp: Values, fp: Values, fn: Values, beta: float) -> Values:
    square = beta * beta
    return _ratio((1 + square) * tp, (1 + square) * tp + square * fn + fp)


def _with_intervals(cells: npt.NDArray[Any], read: Any, seed: int) -> dict[str, Metric]:
    points: dict[str, Values] = read(cells.astype(float))
    total = int(cells.sum())
    if total == 0:
        return {name: Metric(value=None, reason="There is no complete row.") for name in points}
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(total, cells.ravel() / total, BOOTSTRAP_SAMPLES).reshape(-1, *cells.shape)
    samples: dict[str, Values] = read(drawn.astype(float))
    return {name: _metric(float(value), samples[name]) for name, value in points.items()}


def _metric(value: float, samples: Values) -> Metric:
    if not math.isfinite(value):
        return Metric(value=None, reason="No row in the denominator.")
    finite = samples[np.isfinite(samples)]
    if finite.size < 0.98 * samples.size:
        return Metric(value=value, reason="Too few rows for an interval.")
    low, high = np.quantile(finite, (0.025, 0.975))
    return Metric(value=value, low=float(low), high=float(high))


def _ranking_metrics(ranking: Ranking) -> dict[str, Metric]:
    found = {
        "brier": _within(ranking.brier, ranking.brier_interval),
        "log_loss": _within(ranking.log_loss, ranking.log_loss_interval),
        "calibration_error": _within(ranking.calibration_error, ranking.calibration_interval),
    }
    if ranking.auc is None:
        reason = "All labels are of one class."
        return found | {
            "auc": Metric(value=None, reason=reason),
            "average_precision": Metric(value=None, reason=reason),
        }
    low, high = auc_interval(ranking.auc, ranking.positives, ranking.negatives)
    return found | {
        "auc": Metric(value=ranking.auc, low=low, high=high),
        "average_precision": _within(ranking.average_precision, ranking.average_precision_interval),
    }


def _within(value: float | None, ends: tuple[float, float] | None) -> Metric:
    low, high = ends or (None, None)
    return Metric(value=value, low=low, high=high)


def _notes(rows: int, incomplete: int, ranking: Ranking | None = None) -> tuple[str, ...]:
    notes = []
    if incomplete:
        notes.append(f"{incomplete} of {rows} rows lack a label or a prediction and are left out.")
    if ranking is not None and ranking.auc_error:
        hint = "" if ranking.auc_error <= AUC_ERROR_MAX else " Ask for it exactly (exact=True) if that is too much."
        notes.append(f"Scores were counted in bins: the AUC errs by at most {ranking.auc_error:.1e}.{hint}")
    return tuple(notes)


def _multiclass(source: Source, label: str, prediction: str, probability: str | None, seed: int) -> QualityReport:
    labels, predicted = Coder(label, values_max=CLASSES_MAX), Coder(prediction, values_max=CLASSES_MAX)
    counts = tally(source, [labels, predicted])
    names = sorted({str(value) for value in [*labels.values, *predicted.values]})
    place = {name: number for number, name in enumerate(names)}
    cells = np.zeros((len(names), len(names)), np.int64)
    for row, observed in enumerate(labels.values):
        for column, guessed in enumerate(predicted.values):
            cells[place[str(observed)], place[str(guessed)]] += counts.counts[row, column]
    notes = _notes(counts.rows, counts.incomplete)
    if probability is not None:
        notes += ("Probabilities are not used for more than two classes.",)
    read = _multiclass_metrics
    metrics = _with_intervals(cells, read, seed) if len(names) <= 50 else _without_intervals(cells)
    return QualityReport(
        problem_type="multiclass",
        label=label,
        prediction=prediction,
        probability=probability,
        positive=None,
        rows=counts.rows,
        incomplete=counts.incomplete,
        metrics=metrics,
        confusion=Confusion(classes=tuple(names), counts=_as_counts(cells)),
        notes=notes,
    )


def _without_intervals(cells: npt.NDArray[np.int64]) -> dict[str, Metric]:
    return {
        name: Metric(value=float(value), reason="No interval for more than 50 classes.")
        for name, value in _multiclass_metrics(cells.astype(float)).items()
    }


def _multiclass_metrics(cells: Values) -> dict[str, Values]:
    """Macro and weighted averages; a class with a zero denominator counts 0, as in scikit-learn."""
    hits = np.diagonal(cells, axis1=-2, axis2=-1)
    observed, guessed = cells.sum(axis=-1), cells.sum(axis=-2)
    total = cells.sum(axis=(-1, -2))
    precision = np.nan_to_num(_ratio(hits, guessed))
    recall = np.nan_to_num(_ratio(hits, observed))
    weights = _ratio(observed, total[..., np.newaxis])
    used = np.maximum(((observed + guessed) > 0).sum(axis=-1), 1)
    found = {"accuracy": _ratio(hits.sum(axis=-1), total)}
    scores = {
        name: np.nan_to_num(_ratio((1 + square) * hits, square * observed + guessed))
        for name, square in (("f1", 1.0), ("f0_5", 0.25), ("f2", 4.0))
    }
    for name, values in {"precision": precision, "recall": recall, **scores}.items():
        found[f"{name}_macro"] = values.sum(axis=-1) / used
        found[f"{name}_weighted"] = (values * weights).sum(axis=-1)
    chance = _ratio((observed * guessed).sum(axis=-1), total * total)
    found["accuracy_best_constant"] = _ratio(observed.max(axis=-1, initial=0), total)
    found["kappa"] = _ratio(found["accuracy"] - chance, 1 - chance)
    return found
