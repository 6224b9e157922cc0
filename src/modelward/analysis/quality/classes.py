"""The quality report of a model of several classes: from counts of pairs, and from probabilities where there are any."""

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from modelward.analysis.buffers import fixed_width, pieces, valid_mask
from modelward.analysis.quality.class_probabilities import ClassBook, class_columns
from modelward.analysis.quality.counts import (
    CLASSES_WITH_INTERVAL_MAX,
    as_counts,
    binary_metrics,
    multiclass_metrics,
    with_intervals,
    without_intervals,
)
from modelward.analysis.quality.scores import AUC_ERROR_MAX, Ranking, auc_interval
from modelward.analysis.quality.shapes import ClassQuality, Confusion, Curves, Metric, QualityReport
from modelward.analysis.sources import Source, batches_of
from modelward.analysis.tallies import Coder, is_number, tally
from modelward.kernel.errors import Invalid

CLASSES_MAX = 1_000
BY_CLASS = ("precision", "recall", "specificity", "f1")


def multiclass_report(
    source: Source, label: str, prediction: str | None, probability: Any, *, exact: bool, seed: int
) -> QualityReport:
    """Compare predicted with observed classes; see ``quality_report``.

    Raises:
        NotFound: a file or a column does not exist.
        Invalid: neither predictions nor probabilities, probabilities that are none, or a label without a column.
    """
    if probability is None or isinstance(probability, str):
        if prediction is None:
            raise Invalid(
                "A multiclass report needs a prediction column, or a column of probabilities for each class.",
                field="prediction",
            )
        found = _counted_report(source, label, prediction, seed)
        if probability is None:
            return found
        note = "One column of probabilities says nothing of several classes: give one for each class."
        return msgspec.structs.replace(found, probability=probability, notes=(*found.notes, note))
    counts = _Pass(source, label, prediction, class_columns(probability), exact, seed)
    names, cells = counts.confusion()
    rankings = counts.book.rankings()
    metrics, confidence = counts.book.metrics(rankings, seed)
    notes = [*_left_out(counts.rows, counts.rows - counts.book.rows), *counts.notes(rankings)]
    return QualityReport(
        problem_type="multiclass",
        label=label,
        prediction=prediction,
        probability=None,
        positive=None,
        rows=counts.rows,
        incomplete=counts.rows - counts.book.rows,
        metrics=_count_metrics(cells, seed) | metrics,
        confusion=Confusion(classes=tuple(names), counts=as_counts(cells)),
        notes=tuple(notes),
        probabilities=counts.columns,
        by_class=_by_class(names, cells, dict(zip(counts.columns, rankings, strict=False)), seed),
        confidence=confidence,
    )


def _counted_report(source: Source, label: str, prediction: str, seed: int) -> QualityReport:
    labels, predicted = Coder(label, values_max=CLASSES_MAX), Coder(prediction, values_max=CLASSES_MAX)
    counts = tally(source, [labels, predicted])
    names = sorted({str(value) for value in [*labels.values, *predicted.values]})
    place = {name: number for number, name in enumerate(names)}
    cells = np.zeros((len(names), len(names)), np.int64)
    for row, observed in enumerate(labels.values):
        for column, guessed in enumerate(predicted.values):
            cells[place[str(observed)], place[str(guessed)]] += counts.counts[row, column]
    return QualityReport(
        problem_type="multiclass",
        label=label,
        prediction=prediction,
        probability=None,
        positive=None,
        rows=counts.rows,
        incomplete=counts.incomplete,
        metrics=_count_metrics(cells, seed),
        confusion=Confusion(classes=tuple(names), counts=as_counts(cells)),
        notes=_left_out(counts.rows, counts.incomplete),
        by_class=_by_class(names, cells, {}, seed),
    )


def _left_out(rows: int, incomplete: int) -> tuple[str, ...]:
    if not incomplete:
        return ()
    return (f"{incomplete} of {rows} rows lack a label, a prediction or a probability and are left out.",)


def _count_metrics(cells: npt.NDArray[np.int64], seed: int) -> dict[str, Metric]:
    few = len(cells) <= CLASSES_WITH_INTERVAL_MAX
    return with_intervals(cells, multiclass_metrics, seed) if few else without_intervals(cells)


class _Pass:
    """One pass over labels, predictions and probabilities; only rows that have all of them count."""

    def __init__(
        self, source: Source, label: str, prediction: str | None, columns: dict[str, str], exact: bool, seed: int
    ) -> None:
        self.label, self.columns, self.rows = label, columns, 0
        self.book = ClassBook(list(columns), exact=exact, seed=seed)
        self.labels = Coder(label, values_max=CLASSES_MAX)
        self.predicted = None if prediction is None else Coder(prediction, values_max=CLASSES_MAX)
        self.pairs: dict[tuple[str, str], int] = {}
        wanted = [label, *([prediction] if prediction is not None else []), *columns.values()]
        order = list(dict.fromkeys(wanted))
        for batch in batches_of(source, order, ahead=True):
            self.rows += batch.num_rows
            self._add({name: batch.column(place) for place, name in enumerate(order)})

    def _add(self, arrays: dict[str, Any]) -> None:
        observed = self.labels.codes(arrays[self.label])
        guessed = None if self.predicted is None else self.predicted.codes(arrays[self.predicted.column])
        places = self._places()
        scores = [_numbers(arrays[column], column) for column in self.columns.values()]
        for piece in pieces(observed.size):
            chances = np.stack([one[piece] for one in scores], axis=1)
            there = (observed[piece] >= 0) & np.isfinite(chances).all(axis=1)
            if guessed is not None:
                there &= guessed[piece] >= 0
            if not there.all():
                chances = chances[there]
            labels = places[observed[piece][there]]
            if labels.min(initial=0) < 0:
                raise self._no_column(observed[piece][there][labels < 0])
            top = self.book.add(labels, chances)
            self._count(labels, top if guessed is None else guessed[piece][there], guessed is None)

    def _places(self) -> npt.NDArray[np.int64]:
        known = {name: place for place, name in enumerate(self.columns)}
        return np.array([known.get(str(value), -1) for value in self.labels.values] or [-1], np.int64)

    def _no_column(self, codes: npt.NDArray[np.int64]) -> Invalid:
        value = str(self.labels.values[int(codes[0])])
        return Invalid(
            f"Column {self.label!r} holds {value!r}, and the probabilities are of {', '.join(list(self.columns)[:20])}.",
            field="probability",
            hint="Give a mapping from class to column, with every class that occurs.",
        )

    def _count(self, labels: npt.NDArray[np.int64], guessed: npt.NDArray[np.int64], own: bool) -> None:
        names = list(self.columns)
        others = names if own or self.predicted is None else [str(value) for value in self.predicted.values]
        table = np.bincount(labels * len(others) + guessed, minlength=len(names) * len(others))
        for cell in np.flatnonzero(table).tolist():
            pair = (names[cell // len(others)], others[cell % len(others)])
            self.pairs[pair] = self.pairs.get(pair, 0) + int(table[cell])

    def confusion(self) -> tuple[list[str], npt.NDArray[np.int64]]:
        """Classes that have a column or were predicted, and rows by label and prediction."""
        names = sorted({*self.columns, *(guess for _, guess in self.pairs)})
        cells = np.zeros((len(names), len(names)), np.int64)
        for (observed, guess), count in self.pairs.items():
            cells[names.index(observed), names.index(guess)] = count
        return names, cells

    def notes(self, rankings: list[Ranking | None]) -> list[str]:
        """What a reader should know of the probabilities."""
        notes = []
        if self.book.uneven:
            notes.append(f"In {self.book.uneven} rows the probabilities add up to something other than 1.")
        if not self.book.books:
            notes.append(f"Areas by class are not computed for {len(self.columns)} classes.")
        error = max((one.auc_error for one in rankings if one is not None), default=0.0)
        if error:
            hint = "" if error <= AUC_ERROR_MAX else " Ask for it exactly (exact=True) if that is too much."
            notes.append(f"Scores were counted in bins: the AUC of a class errs by at most {error:.1e}.{hint}")
        return notes


def _numbers(array: Any, column: str) -> npt.NDArray[np.float64]:
    if not is_number(array.type):
        raise Invalid(f"Column {column!r} holds {array.type}; probabilities must be numbers.", field=column)
    numbers = array.cast("float64")
    mask = valid_mask(numbers)
    values = fixed_width(numbers, np.float64)
    return values if mask is None else np.where(mask, values, np.nan)


def _by_class(
    names: list[str], cells: npt.NDArray[np.int64], rankings: dict[str, Ranking | None], seed: int
) -> tuple[ClassQuality, ...]:
    if len(names) > CLASSES_WITH_INTERVAL_MAX:
        return ()
    found = []
    for place, name in enumerate(names):
        hit, row, column = int(cells[place, place]), int(cells[place].sum()), int(cells[:, place].sum())
        folded = np.array([[int(cells.sum()) - row - column + hit, column - hit], [row - hit, hit]])
        metrics = {key: one for key, one in with_intervals(folded, binary_metrics, seed).items() if key in BY_CLASS}
        ranking = rankings.get(name)
        if ranking is not None:
            metrics |= _area_metrics(ranking)
        found.append(ClassQuality(name=name, rows=row, metrics=metrics, curves=_curves(ranking)))
    return tuple(found)


def _area_metrics(ranking: Ranking) -> dict[str, Metric]:
    if ranking.auc is None:
        return dict.fromkeys(("auc", "average_precision"), Metric(value=None, reason="All labels are of one class."))
    low, high = auc_interval(ranking.auc, ranking.positives, ranking.negatives)
    ends = ranking.average_precision_interval or (None, None)
    calibration = ranking.calibration_interval or (None, None)
    return {
        "auc": Metric(value=ranking.auc, low=low, high=high),
        "average_precision": Metric(value=ranking.average_precision, low=ends[0], high=ends[1]),
        "calibration_error": Metric(value=ranking.calibration_error, low=calibration[0], high=calibration[1]),
    }


def _curves(ranking: Ranking | None) -> Curves | None:
    if ranking is None:
        return None
    return Curves(roc=ranking.roc, precision_recall=ranking.precision_recall, calibration=ranking.calibration)
