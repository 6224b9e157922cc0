"""Statistics and constraints of model quality in the shape of the files: regression, binary and multiclass models.

Formulas as verified against golden mq_regression_sdk_100, mq_regression_299 and mq_binary_201. The standard deviation is
that over five random subsamples of 80 %; seed and manner of the service are not known, so ours are like its, never equal.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from modelward.analysis.compatible.class_quality import most_probable
from modelward.analysis.compatible.kinds import count_kinds
from modelward.analysis.compatible.text_columns import NumberColumn
from modelward.analysis.compatible.texts import Data, TextColumn, TextTable, columns_named, read_texts
from modelward.analysis.formats.layout import java_double
from modelward.analysis.formats.quality_files import (
    CONFUSION,
    GREATER,
    LESS,
    NOT_A_NUMBER,
    Family,
    Measured,
    QualityConstraints,
    QualityRule,
    QualityStatistics,
)  # fmt: skip
from modelward.analysis.formats.statistics_file import Dataset
from modelward.analysis.formats.violations_file import ViolationEntry
from modelward.kernel.errors import Invalid

Floats: TypeAlias = npt.NDArray[np.float64]
Codes: TypeAlias = npt.NDArray[np.int64]
Figures: TypeAlias = dict[str, float]

SUBSAMPLES, SUBSAMPLE_SHARE, ROWS_FOR_DEVIATION_MIN = 5, 0.8, 200
CONSTANT = "_best_constant_classifier"
BETAS = {"f0_5": 0.5, "f1": 1.0, "f2": 2.0}
RATES = ("true_positive_rate", "true_negative_rate", "false_positive_rate", "false_negative_rate")
ROC, PRECISION_RECALL = "receiver_operating_characteristic_curve", "precision_recall_curve"
BINARY_ORDER = (
    CONFUSION, "recall", "precision", "accuracy",
    *(name + CONSTANT for name in ("recall", "precision", "accuracy")),
    *RATES, ROC, PRECISION_RECALL, "auc", *BETAS, *(name + CONSTANT for name in BETAS),
)  # fmt: skip
WEIGHTED = ("accuracy", "weighted_recall", "weighted_precision", *(f"weighted_{name}" for name in BETAS))
WORSE_WHEN_LESS = {
    "regression": ("r2",),
    "binary_classification": (
        "recall", "precision", "accuracy", "true_positive_rate", "true_negative_rate", "auc", *BETAS,
    ),
    "multiclass_classification": WEIGHTED,
}  # fmt: skip
WORSE_WHEN_GREATER = {
    "regression": ("mae", "mse", "rmse"),
    "binary_classification": ("false_positive_rate", "false_negative_rate"),
    "multiclass_classification": (),
}


class Pairs(msgspec.Struct, frozen=True):
    """Labels and predictions as numbers of ``classes``, and scores where there are any; rows in order."""

    classes: list[str]
    labels: Codes
    predictions: Codes
    scores: Floats | None = None

    def at(self, rows: Codes) -> "Pairs":
        """Some of the rows."""
        scores = None if self.scores is None else self.scores[rows]
        return Pairs(self.classes, self.labels[rows], self.predictions[rows], scores)


def quality_statistics(
    data: Data,
    *,
    family: Family,
    label: str,
    prediction: str | None,
    probability: str | Mapping[str, str] | None = None,
    threshold: float = 0.5,
    positive: str = "1",
    header: bool = True,
    seed: int = 0,
) -> QualityStatistics:
    """Compute the statistics of predictions against labels; rows that lack one of the columns are left out.

    Without ``prediction``, rows whose ``probability`` is above ``threshold`` are predicted ``positive``; of several classes,
    with ``probability`` from class to column, the most probable one.

    Raises:
        NotFound: a file or column does not exist.
        Invalid: texts where numbers are needed, no complete row, or a label that is no class of two.
    """
    scored = [probability] if probability is None or isinstance(probability, str) else list(probability.values())
    table = read_texts(data, header=header, chosen=columns_named(label, prediction, *scored))
    table = _complete(table, [label, prediction, *scored])
    rows = table.rows
    if family == "regression":
        if prediction is None:
            raise Invalid("A regression needs a column of predictions.", field="prediction")
        pair = (_numbers(table.of(label)), _numbers(table.of(prediction)))
        metrics = _with_deviation(lambda at: regression_figures(pair[0][at], pair[1][at]), rows, seed)
        return QualityStatistics(family=family, dataset=Dataset(rows), metrics=metrics, order=tuple(metrics))
    pairs = _pairs(table, label, prediction, probability, threshold, positive)
    if family == "multiclass_classification":
        metrics = _with_deviation(lambda at: multiclass_figures(pairs.at(at)), rows, seed)
        plain: dict[str, Any] = {CONFUSION: confusion(pairs)}
        order: tuple[str, ...] = (CONFUSION, *metrics)
    else:
        if len(pairs.classes) > 2:
            raise Invalid(f"The labels {', '.join(pairs.classes[:5])} are more than two classes.", field=label)
        if len(pairs.classes) == 2 and positive not in pairs.classes:
            raise Invalid(
                f"The positive label {positive!r} does not occur; there are {' and '.join(pairs.classes)}.",
                field="positive",
                hint="Name the positive label.",
            )
        metrics = _with_deviation(lambda at: binary_figures(pairs.at(at), positive), rows, seed)
        plain = {CONFUSION: confusion(pairs), **_curves(pairs, positive)}
        order = tuple(name for name in BINARY_ORDER if name in metrics or name in plain)
    return QualityStatistics(family=family, dataset=Dataset(rows), metrics=metrics, plain=plain, order=order)


def _complete(table: TextTable, names: list[str | None]) -> TextTable:
    columns = [table.of(name) for name in dict.fromkeys(names) if name is not None]
    whole = np.all([column.there for column in columns], axis=0)
    if not whole.any():
        raise Invalid("No row has a value in every column that is needed.", hint="Check the names of the columns.")
    kept = [column.where(whole) for column in columns]
    return TextTable(rows=int(whole.sum()), columns=kept)


def _numbers(column: TextColumn) -> Floats:
    if isinstance(column, NumberColumn):
        return column.numbers()
    try:
        known = [float(text.replace(" ", "")) for text in column.texts]
    except ValueError as problem:
        raise Invalid(
            f"Column {column.name!r} holds texts that are no numbers: {problem}.", field=column.name
        ) from problem
    return np.asarray(column.in_order(known), np.float64)


def classes_of(column: TextColumn) -> list[str]:
    """The texts as classes; whole numbers written as fractions are the whole numbers (1.0 is the class 1)."""
    if not count_kinds(column).numeric:
        return column.texts
    numbers = [float(text.replace(" ", "")) for text in column.texts]
    return [str(int(number)) if number.is_integer() else java_double(number) for number in numbers]


def _pairs(
    table: TextTable,
    label: str,
    prediction: str | None,
    probability: str | Mapping[str, str] | None,
    threshold: float,
    positive: str,
) -> Pairs:
    labels = np.array(classes_of(table.of(label)))[table.of(label).codes]
    scores = _numbers(table.of(probability)) if isinstance(probability, str) else None
    if prediction is None and isinstance(probability, Mapping):
        by_column = {column: _numbers(table.of(column)) for column in probability.values()}
        predicted = most_probable(probability, by_column)
    elif prediction is not None:
        predicted = np.array(classes_of(table.of(prediction)))[table.of(prediction).codes]
    elif scores is not None:
        others = [one for one in dict.fromkeys(labels.tolist()) if one != positive]
        predicted = np.where(scores > threshold, positive, others[0] if others else "0")
    else:
        raise Invalid("A column of predictions or of probabilities is needed.", field="prediction")
    classes, codes = np.unique(np.concatenate((labels, predicted)), return_inverse=True)
    return Pairs(classes.tolist(), codes[: len(labels)], codes[len(labels) :], scores)


def regression_figures(labels: Floats, predictions: Floats) -> Figures:
    """Errors and r2 = 1 - SSE / sum (y - mean y)^2, sums in the order of the rows."""
    errors = labels - predictions
    rows = len(labels)
    mse = _in_order(errors * errors) / rows
    spread = labels - _in_order(labels) / rows
    total = _in_order(spread * spread)
    r2 = 1 - _in_order(errors * errors) / total if total else math.nan
    return {"mae": _in_order(np.abs(errors)) / rows, "mse": mse, "rmse": math.sqrt(mse), "r2": r2}


def _in_order(values: Floats) -> float:
    return float(np.add.accumulate(values)[-1])


def confusion(pairs: Pairs) -> dict[str, dict[str, int]]:
    """Rows by label, then by prediction."""
    size = len(pairs.classes)
    table = np.bincount(pairs.labels * size + pairs.predictions, minlength=size * size).reshape(size, size)
    return {
        label: {guess: int(table[row, place]) for place, guess in enumerate(pairs.classes)}
        for row, label in enumerate(pairs.classes)
    }


def binary_figures(pairs: Pairs, positive: str) -> Figures:
    """Metrics of two classes beside those of the best constant guess, which is the more frequent label."""
    yes = pairs.classes.index(positive) if positive in pairs.classes else -1
    actual, guessed = pairs.labels == yes, pairs.predictions == yes
    found = _rates(actual, guessed)
    often = np.full(len(actual), 2 * np.count_nonzero(actual) > len(actual))
    constant = _rates(actual, often)
    figures = {name: found[name] for name in ("recall", "precision", "accuracy", *RATES, *BETAS)}
    figures |= {name + CONSTANT: constant[name] for name in ("recall", "precision", "accuracy", *BETAS)}
    if pairs.scores is not None:
        rates = roc_points(actual, pairs.scores)
        figures["auc"] = _in_order(np.diff(rates[0]) * (rates[1][1:] + rates[1][:-1]) / 2)
    return figures


def _rates(actual: Any, guessed: Any) -> Figures:
    tp, fp = int(np.sum(actual & guessed)), int(np.sum(~actual & guessed))
    fn, tn = int(np.sum(actual & ~guessed)), int(np.sum(~actual & ~guessed))
    recall, precision, fall_out = _ratio(tp, tp + fn), _ratio(tp, tp + fp), _ratio(fp, fp + tn)
    return {
        "recall": recall,
        "precision": precision,
        "accuracy": _ratio(tp + tn, len(actual)),
        "true_positive_rate": recall,
        # As differences from 1: the printed thresholds have the last digit of these, not of the quotients.
        "true_negative_rate": 1 - fall_out if fp + tn else 0.0,
        "false_positive_rate": fall_out,
        "false_negative_rate": 1 - recall if tp + fn else 0.0,
        **{name: f_beta(precision, recall, beta) for name, beta in BETAS.items()},
    }


def _ratio(above: float, below: float) -> float:
    return above / below if below else 0.0


def f_beta(precision: float, recall: float, beta: float) -> float:
    """(1 + b^2) P R / (b^2 P + R); nothing found is 0."""
    square = beta * beta
    return _ratio((1 + square) * precision * recall, square * precision + recall)


def roc_points(actual: Any, scores: Floats) -> tuple[Floats, Floats]:
    """False and true positive rates over falling thresholds, from (0, 0) to (1, 1)."""
    hits, misses = _running(actual, scores)
    return _share(misses), _share(hits)


def _running(actual: Any, scores: Floats) -> tuple[Codes, Codes]:
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.concatenate((np.diff(scores[order]) != 0, [True])))
    hits = np.cumsum(actual[order])[ends]
    return hits, ends + 1 - hits


def _share(running: Codes) -> Floats:
    shares = running / running[-1] if running[-1] else np.zeros(len(running))
    return np.concatenate(([0.0], shares, [1.0]))


def _curves(pairs: Pairs, positive: str) -> dict[str, dict[str, list[float]]]:
    if pairs.scores is None or positive not in pairs.classes:
        return {}
    actual = pairs.labels == pairs.classes.index(positive)
    false_rates, true_rates = roc_points(actual, pairs.scores)
    hits, misses = _running(actual, pairs.scores)
    precisions = hits / (hits + misses)
    return {
        ROC: {"false_positive_rates": false_rates.tolist(), "true_positive_rates": true_rates.tolist()},
        PRECISION_RECALL: {
            "precisions": [float(precisions[0]), *precisions.tolist()],
            "recalls": true_rates[:-1].tolist(),
        },
    }


def multiclass_figures(pairs: Pairs) -> Figures:
    """Metrics weighted with the share of each label, beside those of always guessing the most frequent label."""
    often = np.full(len(pairs.labels), np.bincount(pairs.labels).argmax())
    own = _weighted(pairs.labels, pairs.predictions)
    constant = _weighted(pairs.labels, often)
    return {**own, **{name + CONSTANT: value for name, value in constant.items()}}


def _weighted(labels: Codes, guessed: Codes) -> Figures:
    sums = dict.fromkeys(WEIGHTED, 0.0)
    sums["accuracy"] = float(np.mean(labels == guessed))
    for one in np.unique(labels):
        rates = _rates(labels == one, guessed == one)
        share = float(np.mean(labels == one))
        for name in WEIGHTED[1:]:
            sums[name] += share * rates[name.removeprefix("weighted_")]
    return sums


def _with_deviation(figures: Callable[[Codes], Figures], rows: int, seed: int) -> dict[str, Measured]:
    found = figures(np.arange(rows))
    if rows < ROWS_FOR_DEVIATION_MIN:
        return {name: Measured(_finite(value), NOT_A_NUMBER) for name, value in found.items()}
    rng = np.random.default_rng(seed)
    size = int(rows * SUBSAMPLE_SHARE)
    samples = [figures(np.sort(rng.choice(rows, size, replace=False))) for _ in range(SUBSAMPLES)]
    return {
        name: Measured(_finite(value), _finite(float(np.std([sample[name] for sample in samples]))))
        for name, value in found.items()
    }


def _finite(value: float) -> float | str:
    return value if math.isfinite(value) else NOT_A_NUMBER


def suggested_quality_constraints(statistics: QualityStatistics) -> QualityConstraints:
    """Suggest that no metric gets worse than it is now, as the service does: without any margin."""
    operators = {
        **dict.fromkeys(WORSE_WHEN_GREATER[statistics.family], GREATER),
        **dict.fromkeys(WORSE_WHEN_LESS[statistics.family], LESS),
    }
    rules = {
        name: QualityRule(measured.value, operators[name])
        for name in statistics.order or statistics.metrics
        if name in operators and isinstance((measured := statistics.metrics[name]).value, float)
    }
    return QualityConstraints(family=statistics.family, rules=rules)


def quality_violations(statistics: QualityStatistics, constraints: QualityConstraints) -> list[ViolationEntry]:
    """Every metric that is strictly worse than its threshold, in the words of the service."""
    found = []
    for name, rule in constraints.rules.items():
        measured = statistics.metrics.get(name)
        if measured is None or not isinstance(measured.value, float):
            continue
        worse = (
            measured.value > rule.threshold if rule.comparison_operator == GREATER else measured.value < rule.threshold
        )
        if worse:
            found.append(_violation(name, measured, measured.value, rule))
    return found


def _violation(name: str, measured: Measured, value: float, rule: QualityRule) -> ViolationEntry:
    # The service writes the four rates in camel case here, and nowhere else.
    first, *rest = name.split("_")
    shown = first + "".join(word.title() for word in rest) if name in RATES else name
    deviation = measured.standard_deviation
    spread = java_double(deviation) if isinstance(deviation, float) else NOT_A_NUMBER
    told = (
        f"Metric {shown} with {java_double(value)} +/- {spread} was "
        f"{rule.comparison_operator} '{java_double(rule.threshold)}'"
    )
    return ViolationEntry(constraint_check_type=rule.comparison_operator, description=told, metric_name=shown)
