"""How the output and the errors of a model depend on one feature: partial dependence and permutation importance."""

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias

import msgspec
import numpy as np

from modelward.analysis.attribution.asking import Asker, Floats, Predict, Rows
from modelward.analysis.attribution.explain import BATCH_ROWS, known_feature, matrix_of, names_of
from modelward.kernel.errors import Invalid

Loss: TypeAlias = Literal["brier", "log_loss", "error_rate", "mae", "mse"]

GRID = 10
CATEGORIES_MAX = 100
REPEATS = 5
LOG_FLOOR = 2.220446049250313e-16
# Two-sided 95 % quantiles of Student's t by degrees of freedom from 1 on.
_STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)


class Dependence(msgspec.Struct, frozen=True, kw_only=True):
    """The mean output with a feature set to each of some values.

    ``values``: centres of buckets of equal width, or the categories. ``outputs``: by label, then by value; ``low`` and
    ``high`` hold 80 % of the rows. ``shares``: of the rows in each bucket or category.
    """

    feature: str
    kind: Literal["numerical", "categorical"]
    values: tuple[Any, ...]
    outputs: tuple[tuple[float, ...], ...]
    low: tuple[tuple[float, ...], ...]
    high: tuple[tuple[float, ...], ...]
    shares: tuple[float, ...]


class Importance(msgspec.Struct, frozen=True, kw_only=True):
    """How much the loss grows when a feature is shuffled among the rows, with a 95 % interval over the shuffles."""

    feature: str
    increase: float
    low: float
    high: float


def partial_dependence(
    predict: Predict,
    rows: Rows,
    feature: str,
    *,
    names: Sequence[str] | None = None,
    grid: int = GRID,
    batch_rows: int = BATCH_ROWS,
) -> Dependence:
    """Set a feature to each of ``grid`` values in every row and average what the model says.

    Where features go together, this asks the model about rows that never occur; the spread between ``low`` and ``high``
    shows how far the average speaks for single rows.

    Raises:
        Invalid: no rows, no such feature, fewer than 2 values in the grid, or more than 100 categories.
    """
    matrix = matrix_of(rows, "rows")
    if not len(matrix) or grid < 2:
        raise Invalid("Partial dependence needs a row and a grid of at least 2.", field="grid")
    listed = names_of(names, matrix.shape[1])
    place = listed.index(known_feature(feature, listed))
    kind, values, shares = _grid(matrix[:, place], feature, grid)
    asker = Asker(predict, batch_rows, "identity")
    outputs, low, high = [], [], []
    for value in values:
        changed = matrix.copy()
        changed[:, place] = value
        answers = asker.answers(changed)
        outputs.append(answers.mean(axis=0))
        ends = np.quantile(answers, (0.1, 0.9), axis=0)
        low.append(ends[0])
        high.append(ends[1])
    return Dependence(
        feature=feature,
        kind=kind,
        values=tuple(values),
        outputs=_by_label(outputs),
        low=_by_label(low),
        high=_by_label(high),
        shares=tuple(float(share) for share in shares),
    )


def _by_label(by_value: list[Floats]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(one) for one in label) for label in np.array(by_value).T)


def _grid(column: Any, feature: str, grid: int) -> tuple[Literal["numerical", "categorical"], list[Any], Any]:
    try:
        numbers = column.astype(np.float64)
    except (TypeError, ValueError):
        texts = [str(value) for value in column.tolist()]
        known = sorted(set(texts))
        if len(known) > CATEGORIES_MAX:
            raise Invalid(
                f"Feature {feature!r} has {len(known)} categories; at most {CATEGORIES_MAX} can be shown.",
                field=feature,
            ) from None
        return "categorical", list(known), np.array([texts.count(one) for one in known]) / len(texts)
    finite = numbers[np.isfinite(numbers)]
    if not finite.size:
        raise Invalid(f"Feature {feature!r} has no finite value.", field=feature)
    low, high = float(finite.min()), float(finite.max())
    if low == high:
        return "numerical", [low], np.ones(1)
    counts, edges = np.histogram(finite, bins=grid, range=(low, high))
    return "numerical", [float(one) for one in (edges[1:] + edges[:-1]) / 2], counts / counts.sum()


def permutation_importance(
    predict: Predict,
    rows: Rows,
    labels: Any,
    *,
    loss: Loss,
    names: Sequence[str] | None = None,
    repeats: int = REPEATS,
    seed: int = 0,
    batch_rows: int = BATCH_ROWS,
) -> tuple[Importance, ...]:
    """How much worse the model is without what a feature tells: shuffle it, ask again, compare the loss (Breiman 2001).

    ``loss``: ``brier``, ``log_loss`` and ``error_rate`` (cut at 0.5) for labels 0 and 1 and a probability; ``mae`` and
    ``mse`` for numbers. Features that say the same share their importance, and each alone may seem to have none.

    Raises:
        Invalid: another loss, labels that do not fit, fewer than 2 repeats, or a model with several outputs.
    """
    matrix, truth = matrix_of(rows, "rows"), np.asarray(labels, np.float64)
    if loss not in _LOSSES:
        raise Invalid(f"{loss!r} is none of {', '.join(_LOSSES)}.", field="loss")
    if truth.shape != (len(matrix),) or not len(matrix) or repeats < 2:
        raise Invalid(f"{len(matrix)} rows need as many labels, and at least 2 repeats.", field="labels")
    if loss in ("brier", "log_loss", "error_rate") and not np.isin(truth, (0, 1)).all():
        raise Invalid(f"The loss {loss!r} needs labels 0 and 1.", field="labels")
    asker, rng = Asker(predict, batch_rows, "identity"), np.random.default_rng(seed)
    before = _LOSSES[loss](truth, _one_output(asker.answers(matrix)))
    found = []
    for place, name in enumerate(names_of(names, matrix.shape[1])):
        grown = []
        for _ in range(repeats):
            shuffled = matrix.copy()
            shuffled[:, place] = rng.permutation(shuffled[:, place])
            grown.append(_LOSSES[loss](truth, _one_output(asker.answers(shuffled))) - before)
        mean = float(np.mean(grown))
        times = _STUDENT[repeats - 2] if repeats - 2 < len(_STUDENT) else 1.96 + 2.6 / (repeats - 1)
        half = times * float(np.std(grown, ddof=1)) / math.sqrt(repeats)
        found.append(Importance(feature=name, increase=mean, low=mean - half, high=mean + half))
    return tuple(found)


def _one_output(answers: Floats) -> Floats:
    if answers.shape[1] != 1:
        raise Invalid(f"The model has {answers.shape[1]} outputs; a loss needs one.", field="predict")
    return answers[:, 0]


def _log_loss(truth: Floats, said: Floats) -> float:
    kept = np.clip(said, LOG_FLOOR, 1 - LOG_FLOOR)
    return float(-np.mean(truth * np.log(kept) + (1 - truth) * np.log1p(-kept)))


_LOSSES: dict[str, Callable[[Floats, Floats], float]] = {
    "brier": lambda truth, said: float(np.mean((said - truth) ** 2)),
    "log_loss": _log_loss,
    "error_rate": lambda truth, said: float(np.mean((said > 0.5) != truth)),
    "mae": lambda truth, said: float(np.mean(np.abs(said - truth))),
    "mse": lambda truth, said: float(np.mean((said - truth) ** 2)),
}
