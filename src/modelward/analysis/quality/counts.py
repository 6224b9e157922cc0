"""Quality metrics that counts determine: from a confusion matrix of two classes or of several, with bootstrap intervals."""

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from modelward.analysis.quality.shapes import Metric

Values: TypeAlias = Any
Read: TypeAlias = Callable[[Values], dict[str, Values]]

BOOTSTRAP_SAMPLES = 500
CONFIDENCE = 0.95
CLASSES_WITH_INTERVAL_MAX = 50


def as_counts(cells: npt.NDArray[Any]) -> tuple[tuple[int, ...], ...]:
    """A confusion matrix as whole numbers, row by row."""
    return tuple(tuple(int(count) for count in row) for row in cells)


def _ratio(above: Values, below: Values) -> Values:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(above, float) / np.asarray(below, float)


def binary_metrics(cells: Values) -> dict[str, Values]:
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


def denominators(cells: Values) -> dict[str, int]:
    """Of how many rows each figure is a share, for the figures that are one."""
    total = int(cells.sum())
    if cells.shape != (2, 2):
        return {"accuracy": total}
    (tn, fp), (fn, tp) = cells.tolist()
    return {
        "accuracy": total,
        "precision": int(tp + fp),
        "recall": int(tp + fn),
        "specificity": int(tn + fp),
        "false_positive_rate": int(tn + fp),
        "false_negative_rate": int(tp + fn),
        "label_share": total,
        "predicted_share": total,
    }


def exact_end(rows: int) -> float:
    """The lower end of the 95 % interval of a share when all rows have it (Clopper & Pearson 1934)."""
    return math.pow((1 - CONFIDENCE) / 2, 1 / rows)


def with_intervals(cells: npt.NDArray[Any], read: Read, seed: int) -> dict[str, Metric]:
    """Metrics of a confusion matrix with 95 % intervals, from matrices drawn anew (bootstrap).

    A share of no row or of every row has the interval of Clopper & Pearson: drawing anew never shows what was not seen.
    """
    points: dict[str, Values] = read(cells.astype(float))
    total = int(cells.sum())
    if total == 0:
        return {name: Metric(value=None, reason="There is no complete row.") for name in points}
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(total, cells.ravel() / total, BOOTSTRAP_SAMPLES).reshape(-1, *cells.shape)
    samples: dict[str, Values] = read(drawn.astype(float))
    shares = denominators(cells)
    return {name: _metric(float(value), samples[name], shares.get(name)) for name, value in points.items()}


def _metric(value: float, samples: Values, rows: int | None) -> Metric:
    if not math.isfinite(value):
        return Metric(value=None, reason="No row in the denominator.")
    if rows is not None and value in (0.0, 1.0):
        end = exact_end(rows)
        return Metric(value=value, low=value * end, high=1 - end if value == 0 else 1.0)
    finite = samples[np.isfinite(samples)]
    if finite.size < 0.98 * samples.size:
        return Metric(value=value, reason="Too few rows for an interval.")
    if finite.min() == finite.max():
        return Metric(value=value, reason="Too few different rows for an interval.")
    low, high = np.quantile(finite, (0.025, 0.975))
    return Metric(value=value, low=float(low), high=float(high))


def without_intervals(cells: npt.NDArray[np.int64]) -> dict[str, Metric]:
    """Metrics of a matrix of so many classes that drawing it anew would take too long."""
    return {
        name: Metric(value=float(value), reason="No interval for more than 50 classes.")
        for name, value in multiclass_metrics(cells.astype(float)).items()
    }


def multiclass_metrics(cells: Values) -> dict[str, Values]:
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
