"""Ranking and calibration of predicted probabilities: exact for up to a million rows, then over 65 536 equal bins."""

import math
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modelward.analysis.buffers import fixed_width, valid_mask
from modelward.analysis.tallies import Codes
from modelward.kernel.errors import Invalid

EXACT_ROWS_MAX = 1_000_000
BINS = 65_536
CURVE_POINTS = 200
CALIBRATION_BINS = 10
LOG_FLOOR = 2.220446049250313e-16

Floats = npt.NDArray[np.float64]


class CalibrationBin(msgspec.Struct, frozen=True):
    """Rows with a probability in a tenth of [0, 1]: how many, their mean probability, their share of positives."""

    low: float
    high: float
    rows: int
    predicted: float | None
    observed: float | None


class Ranking(msgspec.Struct, frozen=True, kw_only=True):
    """What a set of scores says: areas, losses, curves. ``roc``: (false positive rate, true positive rate, threshold)."""

    positives: int
    negatives: int
    auc: float | None
    average_precision: float | None
    brier: float
    log_loss: float
    calibration_error: float
    roc: tuple[tuple[float, float, float], ...]
    precision_recall: tuple[tuple[float, float, float], ...]
    calibration: tuple[CalibrationBin, ...]
    auc_error: float


class ScoreBook:
    """Takes label codes and probabilities batch by batch."""

    def __init__(self, column: str) -> None:
        """Begin with no rows."""
        self.column = column
        self.rows = 0
        self.missing = 0
        self.kept: list[tuple[Codes, Floats]] = []
        self.binned: dict[int, npt.NDArray[np.int64]] = {}
        self.sums: dict[int, Floats] = {}

    def add(self, labels: Codes, array: Any) -> Floats:
        """Take a batch; returns the probabilities with NaN where there is none.

        Raises:
            Invalid: a probability lies outside [0, 1], or the column holds no numbers.
        """
        kind = array.type
        if not (
            pa.types.is_floating(kind)
            or pa.types.is_integer(kind)
            or pa.types.is_decimal(kind)
            or pa.types.is_null(kind)
        ):
            raise Invalid(f"Column {self.column!r} holds {kind}; probabilities must be numbers.", field=self.column)
        numbers = array.cast(pa.float64())
        mask = valid_mask(numbers)
        scores = fixed_width(numbers, np.float64)
        if mask is not None:
            scores = np.where(mask, scores, np.nan)
        there = (labels >= 0) & ~np.isnan(scores)
        self.missing += int((~there).sum())
        codes, values = labels[there], scores[there]
        if values.size and (values.min() < 0 or values.max() > 1):
            worst = float(values.min() if values.min() < 0 else values.max())
            raise Invalid(
                f"Column {self.column!r} holds {worst:g}; probabilities lie between 0 and 1.",
                field=self.column,
                hint="Give the probability of the positive class.",
            )
        self._sum(codes, values)
        self.rows += values.size
        if self.rows > EXACT_ROWS_MAX:
            for old_codes, old_values in self.kept:
                self._bin(old_codes, old_values)
            self.kept = []
            self._bin(codes, values)
        else:
            self.kept.append((codes, values.copy()))
        return scores

    def _sum(self, codes: Codes, values: Floats) -> None:
        for code in np.unique(codes):
            p = values[codes == code]
            clipped = np.clip(p, LOG_FLOOR, 1 - LOG_FLOOR)
            sums = np.array(
                [p.size, p.sum(), np.einsum("i,i->", p, p), np.log(clipped).sum(), np.log1p(-clipped).sum()]
            )
            self.sums[int(code)] = self.sums.get(int(code), np.zeros(5)) + sums

    def _bin(self, codes: Codes, values: Floats) -> None:
        places = np.minimum((values * BINS).astype(np.int64), BINS - 1)
        for code in np.unique(codes):
            counts = np.bincount(places[codes == code], minlength=BINS)
            self.binned[int(code)] = self.binned.get(int(code), np.zeros(BINS, np.int64)) + counts

    def ranking(self, positive: npt.NDArray[np.bool_]) -> Ranking | None:
        """Read everything from the scores; ``positive`` tells which label codes count. None for no rows."""
        if self.rows == 0:
            return None
        levels, pos, neg = self._levels(positive)
        return _ranking(levels, pos, neg, self._losses(positive), exact=not self.binned)

    def _levels(self, positive: npt.NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
        """Different scores from high to low, with positives and negatives at each."""
        if self.binned:
            pos = sum((counts for code, counts in self.binned.items() if positive[code]), np.zeros(BINS, np.int64))
            neg = sum((counts for code, counts in self.binned.items() if not positive[code]), np.zeros(BINS, np.int64))
            used = np.flatnonzero(pos + neg)[::-1]
            return (used + 0.5) / BINS, pos[used].astype(float), neg[used].astype(float)
        codes = np.concatenate([codes for codes, _ in self.kept])
        values = np.concatenate([values for _, values in self.kept])
        levels, places = np.unique(values, return_inverse=True)
        hits = positive[codes]
        pos = np.bincount(places[hits], minlength=levels.size)[::-1]
        neg = np.bincount(places[~hits], minlength=levels.size)[::-1]
        return levels[::-1], pos.astype(float), neg.astype(float)

    def _losses(self, positive: npt.NDArray[np.bool_]) -> tuple[float, float]:
        squares = logs = 0.0
        for code, (rows, total, square, log_p, log_q) in self.sums.items():
            squares += square - 2 * total + rows if positive[code] else square
            logs -= log_p if positive[code] else log_q
        return float(squares / self.rows), float(logs / self.rows)


def _ranking(levels: Floats, pos: Floats, neg: Floats, losses: tuple[float, float], *, exact: bool) -> Ranking:
    positives, negatives = float(pos.sum()), float(neg.sum())
    hits, misses = np.cumsum(pos), np.cumsum(neg)
    auc = precision = None
    error = 0.0
    if positives and negatives:
        # A pair with equal scores counts half (Mann & Whitney 1947).
        auc = float((neg * (hits - pos / 2)).sum() / (positives * negatives))
        error = 0.0 if exact else float((pos * neg).sum() / (2 * positives * negatives))
    if positives:
        precision = float((pos / positives * hits / (hits + misses)).sum())
    roc = np.column_stack((misses / max(1.0, negatives), hits / max(1.0, positives), levels))
    curve = np.column_stack((hits / max(1.0, positives), hits / (hits + misses), levels))
    bins = _calibration(levels, pos, neg)
    gap = sum(one.rows * abs((one.predicted or 0.0) - (one.observed or 0.0)) for one in bins)
    return Ranking(
        positives=int(positives),
        negatives=int(negatives),
        auc=auc,
        average_precision=precision,
        brier=losses[0],
        log_loss=losses[1],
        calibration_error=float(gap) / (positives + negatives),
        roc=((0.0, 0.0, 1.0), *_thinned(roc)),
        precision_recall=_thinned(curve),
        calibration=bins,
        auc_error=error,
    )


def _thinned(points: Floats) -> tuple[tuple[float, float, float], ...]:
    if len(points) > CURVE_POINTS:
        points = points[np.unique(np.linspace(0, len(points) - 1, CURVE_POINTS).round().astype(int))]
    return tuple((float(x), float(y), float(at)) for x, y, at in points)


def _calibration(levels: Floats, pos: Floats, neg: Floats) -> tuple[CalibrationBin, ...]:
    place = np.minimum((levels * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    rows = np.bincount(place, pos + neg, CALIBRATION_BINS)
    hits = np.bincount(place, pos, CALIBRATION_BINS)
    scores = np.bincount(place, levels * (pos + neg), CALIBRATION_BINS)
    return tuple(
        CalibrationBin(
            number / CALIBRATION_BINS,
            (number + 1) / CALIBRATION_BINS,
            int(rows[number]),
            float(scores[number] / rows[number]) if rows[number] else None,
            float(hits[number] / rows[number]) if rows[number] else None,
        )
        for number in range(CALIBRATION_BINS)
    )


def auc_interval(auc: float, positives: int, negatives: int) -> tuple[float, float]:
    """95 % interval of an area under the ROC curve (Hanley & McNeil 1982)."""
    q1, q2 = auc / (2 - auc), 2 * auc * auc / (1 + auc)
    variance = auc * (1 - auc) + (positives - 1) * (q1 - auc * auc) + (negatives - 1) * (q2 - auc * auc)
    half = 1.96 * math.sqrt(max(0.0, variance) / (positives * negatives))
    return max(0.0, auc - half), min(1.0, auc + half)
