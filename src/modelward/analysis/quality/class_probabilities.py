"""What a probability of each class says of a model of several classes: losses, areas, calibration, the k most probable."""

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from modelward.analysis.quality.calibration import CalibrationBin
from modelward.analysis.quality.counts import BOOTSTRAP_SAMPLES
from modelward.analysis.quality.scores import LOG_FLOOR, Ranking, ScoreBook
from modelward.analysis.quality.shapes import Metric
from modelward.kernel.errors import Invalid

Floats: TypeAlias = npt.NDArray[np.float64]
Places: TypeAlias = npt.NDArray[np.int64]

AREAS_CLASSES_MAX = 50
SAMPLE_ROWS = 20_000
ROUNDING = 1e-6
SUM_TOLERANCE = 0.01
TOP_PLACES = (2, 3, 5)


class ClassBook:
    """Takes places of labels among the classes and their probabilities, piece by piece; all of them are there."""

    def __init__(self, names: Sequence[str], *, exact: bool, seed: int) -> None:
        """Begin with no rows; ``names``: of the classes, in the order of the columns."""
        self.names, self.rows, self.uneven = list(names), 0, 0
        many = len(self.names) > AREAS_CLASSES_MAX
        self.books = [] if many else [ScoreBook(name, exact=exact, losses=False) for name in self.names]
        self.confidence = ScoreBook("confidence", exact=exact, losses=False)
        self.sums = np.zeros(4)
        self.places = np.zeros(len(self.names), np.int64)
        self.labels = np.zeros(len(self.names), np.int64)
        self.rng = np.random.default_rng([seed, 1])
        self.kept: list[tuple[Floats, Floats, Places]] = []
        self.kept_rows = 0

    def add(self, labels: Places, chances: Floats) -> Places:
        """Take some rows; the place of the most probable class of each is returned, of equals the first.

        Raises:
            Invalid: a probability lies outside [0, 1].
        """
        if not labels.size:
            return labels.astype(np.int64)
        low, high = float(chances.min()), float(chances.max())
        if low < -ROUNDING or high > 1 + ROUNDING:
            column = int(np.flatnonzero((chances < -ROUNDING).any(axis=0) | (chances > 1 + ROUNDING).any(axis=0))[0])
            raise Invalid(
                f"The probability of class {self.names[column]!r} is {low if low < -ROUNDING else high:g} in a row; "
                "probabilities lie between 0 and 1.",
                field="probability",
            )
        chances = np.clip(chances, 0.0, 1.0)
        rows = np.arange(labels.size)
        told = chances[rows, labels]
        guessed: Places = np.asarray(chances.argmax(axis=1), np.int64)
        self.rows += labels.size
        self.labels += np.bincount(labels, minlength=len(self.names))
        self.uneven += int(np.count_nonzero(np.abs(chances.sum(axis=1) - 1) > SUM_TOLERANCE))
        logs = -np.log(np.maximum(told, LOG_FLOOR))
        squares = np.einsum("ij,ij->i", chances, chances) - 2 * told + 1
        self.sums += (logs.sum(), (logs * logs).sum(), squares.sum(), (squares * squares).sum())
        # Of equal probabilities the class of the later column comes first, as in scikit-learn.
        later = np.arange(len(self.names)) > labels[:, np.newaxis]
        before = (chances > told[:, np.newaxis]) | ((chances == told[:, np.newaxis]) & later)
        self.places += np.bincount(before.sum(axis=1), minlength=len(self.names))
        for place, book in enumerate(self.books):
            book.add_scores((labels == place).astype(np.int8), np.ascontiguousarray(chances[:, place]))
        self.confidence.add_scores((guessed == labels).astype(np.int8), chances[rows, guessed])
        if self.books:
            self._keep(labels, chances)
        return guessed

    def _keep(self, labels: Places, chances: Floats) -> None:
        """Keep a random sample of the rows: those with the smallest random numbers."""
        self.kept.append((self.rng.random(labels.size), chances, labels))
        self.kept_rows += labels.size
        if self.kept_rows > 4 * SAMPLE_ROWS:
            self._thin()

    def _thin(self) -> None:
        draw, chances, labels = (np.concatenate([one[at] for one in self.kept]) for at in range(3))
        if draw.size > SAMPLE_ROWS:
            chosen = np.argpartition(draw, SAMPLE_ROWS)[:SAMPLE_ROWS]
            draw, chances, labels = draw[chosen], chances[chosen], labels[chosen]
        self.kept, self.kept_rows = [(draw, chances, labels)], draw.size

    def rankings(self) -> list[Ranking | None]:
        """What the probabilities of each class say of that class against all others; nothing for too many classes."""
        return [book.ranking() for book in self.books]

    def metrics(
        self, rankings: Sequence[Ranking | None], seed: int
    ) -> tuple[dict[str, Metric], tuple[CalibrationBin, ...]]:
        """The figures, and the tenths of the probability of the most probable class."""
        top = self.confidence.ranking()
        if top is None:
            empty = Metric(value=None, reason="There is no complete row.")
            return dict.fromkeys(self._names(), empty), ()
        found = {
            "log_loss": self._mean(self.sums[0], self.sums[1]),
            "brier_multiclass": self._mean(self.sums[2], self.sums[3]),
            "calibration_error": _within(top.calibration_error, top.calibration_interval),
            **self._top_places(seed),
        }
        if self.books:
            found |= self._areas([one for one in rankings if one is not None])
        return found, top.calibration

    def _names(self) -> list[str]:
        areas = ["auc_macro", "auc_weighted", "average_precision_macro", "calibration_error_classwise"]
        tops = [f"top_{place}_accuracy" for place in TOP_PLACES if place < len(self.names)]
        return ["log_loss", "brier_multiclass", "calibration_error", *tops, *(areas if self.books else [])]

    def _mean(self, total: float, squares: float) -> Metric:
        mean = float(total) / self.rows
        half = 1.96 * math.sqrt(max(0.0, float(squares) / self.rows - mean * mean) / self.rows)
        return Metric(value=mean, low=max(0.0, mean - half), high=mean + half)

    def _top_places(self, seed: int) -> dict[str, Metric]:
        within = np.cumsum(self.places) / self.rows
        drawn = np.random.default_rng([seed, 2]).multinomial(self.rows, self.places / self.rows, BOOTSTRAP_SAMPLES)
        samples = np.cumsum(drawn, axis=1) / self.rows
        found = {}
        for place in TOP_PLACES:
            if place < len(self.names):
                low, high = np.quantile(samples[:, place - 1], (0.025, 0.975))
                found[f"top_{place}_accuracy"] = Metric(
                    value=float(within[place - 1]), low=float(low), high=float(high)
                )
        return found

    def _areas(self, rankings: Sequence[Ranking]) -> dict[str, Metric]:
        by_class = [_within(one.calibration_error, one.calibration_interval) for one in rankings]
        found = {"calibration_error_classwise": _mean_of(by_class)}
        lacking = [name for name, count in zip(self.names, self.labels, strict=True) if count in (0, self.rows)]
        if lacking:
            reason = (
                f"Class {lacking[0]!r} has {'no' if not self.labels[self.names.index(lacking[0])] else 'all'} rows."
            )
            missing = Metric(value=None, reason=reason)
            return found | dict.fromkeys(("auc_macro", "auc_weighted", "average_precision_macro"), missing)
        areas, shares = np.array([one.auc for one in rankings]), self.labels / self.rows
        spread = self._spread(areas, shares)
        for name, value, error in (
            ("auc_macro", float(areas.mean()), spread and spread[0]),
            ("auc_weighted", float(shares @ areas), spread and spread[1]),
        ):
            ends = (max(0.0, value - 1.96 * error), min(1.0, value + 1.96 * error)) if error is not None else None
            found[name] = _within(value, ends, "" if ends else "A class is too rare for an interval.")
        precision = [_within(one.average_precision, one.average_precision_interval) for one in rankings]
        return found | {"average_precision_macro": _mean_of(precision)}

    def _spread(self, areas: Floats, shares: Floats) -> tuple[float, float] | None:
        """Standard errors of the two mean areas by the influence of each row of a sample (DeLong et al. 1988)."""
        self._thin()
        _, chances, labels = self.kept[0]
        macro, weighted = np.zeros(labels.size), np.zeros(labels.size)
        for place, area in enumerate(areas):
            mine = labels == place
            if not mine.any() or mine.all():
                return None
            influence = np.empty(labels.size)
            scores, share = chances[:, place], mine.mean()
            influence[mine] = (_below(scores[~mine], scores[mine]) - area) / share
            influence[~mine] = (1 - _below(scores[mine], scores[~mine]) - area) / (1 - share)
            macro += influence / len(areas)
            weighted += shares[place] * influence + (mine - shares[place]) * area
        root = math.sqrt(self.rows)
        return float(macro.std()) / root, float(weighted.std()) / root


def _below(scores: Floats, at: Floats) -> Floats:
    """The share of scores below each of some values; equals count half."""
    ordered = np.sort(scores)
    both = np.searchsorted(ordered, at, "left") + np.searchsorted(ordered, at, "right")
    return np.asarray(both / (2 * ordered.size), np.float64)


def _within(value: float | None, ends: tuple[float, float] | None, reason: str = "") -> Metric:
    low, high = ends or (None, None)
    return Metric(value=value, low=low, high=high, reason=reason)


def _mean_of(metrics: Sequence[Metric]) -> Metric:
    """The mean; its interval is that of the means of the ends, which is too wide rather than too narrow."""

    def mean(values: Sequence[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return float(np.mean(known)) if known and len(known) == len(values) else None

    return Metric(
        value=mean([one.value for one in metrics]),
        low=mean([one.low for one in metrics]),
        high=mean([one.high for one in metrics]),
    )


def class_columns(probability: Any) -> dict[str, str]:
    """The columns of probabilities by the name of their class.

    Of a list of columns, each is named after its class, or all begin alike and end in the class (``p_cat``, ``p_dog``).

    Raises:
        Invalid: two columns are of one class, or there is one alone.
    """
    if hasattr(probability, "items"):
        found = {str(name): str(column) for name, column in probability.items()}
    else:
        columns = [str(column) for column in probability]
        found = dict(zip(_without_prefix(columns), columns, strict=True))
    if len(found) < 2 or len(set(found.values())) < len(found):
        raise Invalid(
            "Each class needs a column of its own with its probability, and there are at least two.",
            field="probability",
            hint="Give a list of columns, or a mapping from class to column.",
        )
    return found


def _without_prefix(columns: list[str]) -> list[str]:
    shared = 0
    while shared < min(map(len, columns)) and len({column[shared] for column in columns}) == 1:
        shared += 1
    numbered = all(column[shared:].isdigit() for column in columns) and not columns[0][:shared].endswith(
        tuple("0123456789")
    )
    while shared and not numbered and columns[0][shared - 1].isalnum():
        shared -= 1
    return [column[shared:] for column in columns]
