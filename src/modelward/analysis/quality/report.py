"""How good predictions are against labels: binary, multiclass and regression metrics with intervals, from one pass."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from modelward.analysis.accumulate import counted
from modelward.analysis.buffers import pieces
from modelward.analysis.quality.classes import multiclass_report
from modelward.analysis.quality.counts import as_counts, binary_metrics, with_intervals
from modelward.analysis.quality.errors import regression_report
from modelward.analysis.quality.scores import AUC_ERROR_MAX, Ranking, ScoreBook, auc_interval
from modelward.analysis.quality.shapes import Confusion, Curves, Metric, ProblemType, QualityReport
from modelward.analysis.sources import Source, batches_of
from modelward.analysis.tallies import Coder, favourable_mask, favours, same_value, tally
from modelward.kernel.errors import Invalid


def quality_report(
    source: Source,
    *,
    problem_type: ProblemType,
    label: str,
    prediction: str | None,
    probability: str | Sequence[str] | Mapping[Any, str] | None = None,
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
        prediction: column of predicted outcomes; None to cut the probability at ``threshold`` (binary), or to take the most
            probable class (multiclass).
        probability: column of the probability of the positive class, in [0, 1] (binary); of several classes a mapping from
            class to column, or a list of columns that are named after their classes, with or without a common prefix.
        positive: the positive label; 1 or true by default for columns of 0 and 1.
        threshold: probabilities above it are positive predictions where there is no prediction column.
        quantile: which quantile the predictions are meant to be, for ``quantile_loss`` (regression only).
        exact: keep every probability for the AUC, at 8 bytes a row; else more than a million rows are counted in bins
            so fine that it errs by less than 1e-6, or the report says by how much.
        seed: of the bootstrap.

    Metrics are those of scikit-learn by the same names (``specificity`` is recall of the negative class; ``f0_5``, ``f2``
    are F-beta). Intervals: bootstrap over the confusion matrix; Hanley & McNeil 1982 for the AUC, DeLong 1988 for its mean
    over classes; normal for errors; for the calibration error such as also hold where the model is calibrated.

    Raises:
        NotFound: a file or a column does not exist.
        Invalid: the positive label does not occur, probabilities lie outside [0, 1], texts where numbers are needed.
    """
    if problem_type == "regression":
        if prediction is None:
            raise Invalid("A regression report needs a prediction column.", field="prediction")
        return regression_report(source, label, prediction, quantile)
    if problem_type == "multiclass":
        return multiclass_report(source, label, prediction, probability, exact=exact, seed=seed)
    if problem_type != "binary":
        raise Invalid(
            f"{problem_type!r} is not a problem type: binary, multiclass or regression.", field="problem_type"
        )
    if probability is not None and not isinstance(probability, str):
        raise Invalid(
            "A binary report needs one column of probabilities, that of the positive class.", field="probability"
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
    metrics = with_intervals(cells, binary_metrics, seed) | (_ranking_metrics(ranking) if ranking else {})
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
        confusion=Confusion(classes=names, counts=as_counts(cells)),
        curves=Curves(roc=ranking.roc, precision_recall=ranking.precision_recall, calibration=ranking.calibration)
        if ranking
        else None,
        notes=_notes(rows, incomplete, ranking, scored_apart=prediction is not None),
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


def _notes(rows: int, incomplete: int, ranking: Ranking | None, *, scored_apart: bool) -> tuple[str, ...]:
    notes = []
    if incomplete:
        notes.append(f"{incomplete} of {rows} rows lack a label or a prediction and are left out.")
    scored = ranking.positives + ranking.negatives if ranking is not None else 0
    if ranking is not None and scored_apart and scored != rows - incomplete:
        notes.append(
            f"Areas, losses and calibration are of the {scored} rows with a label and a probability, "
            f"all else of the {rows - incomplete} rows with a label and a prediction."
        )
    if ranking is not None and ranking.auc_error:
        hint = "" if ranking.auc_error <= AUC_ERROR_MAX else " Ask for it exactly (exact=True) if that is too much."
        notes.append(f"Scores were counted in bins: the AUC errs by at most {ranking.auc_error:.1e}.{hint}")
    return tuple(notes)
