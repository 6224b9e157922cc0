"""Ranking and calibration of predicted probabilities: exact for up to a million rows (or always), then over fine bins."""

import math
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modelward.analysis.buffers import fixed_width, valid_mask
from modelward.analysis.score_bins import ScoreBins
from modelward.analysis.tallies import Codes
from modelward.kernel.errors import Invalid

EXACT_ROWS_MAX = 1_000_000
AUC_ERROR_MAX = 1e-6
BOOTSTRAP_SAMPLES, BOOTSTRAP_LEVELS = 200, 1_000
CURVE_POINTS = 200
PIECE_ROWS = 16_384
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
    """What a set of scores says: areas, losses, curves. ``roc``: (false positive rate, true positive rate, threshold).

    ``auc_error``: the most by which the areas may err, since different scores were counted as one. Intervals are at 95 %.
    """

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
    average_precision_interval: tuple[float, float] | None = None
    calibration_interval: tuple[float, float] | None = None
    brier_interval: tuple[float, float] | None = None
    log_loss_interval: tuple[float, float] | None = None


class ScoreBook:
    """Takes label codes and probabilities batch by batch."""

    def __init__(self, column: str, *, exact: bool = False) -> None:
        """Begin with no rows; ``exact``: keep every score, at 10 bytes a row, however many there are."""
        self.column, self.exact = column, exact
        self.rows = 0
        self.missing = 0
        self.kept: list[tuple[npt.NDArray[np.int16], Floats]] = []
        self.bins: ScoreBins | None = None
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
        self.kept.append((codes.astype(np.int16), values.copy()))
        if self.bins is None and self.rows > EXACT_ROWS_MAX and not self.exact:
            self.bins = ScoreBins(np.concatenate([one for _, one in self.kept]), len(self.sums))
        if self.bins is not None:
            for old_codes, old_values in self.kept:
                for start in range(0, old_values.size, PIECE_ROWS):
                    self.bins.add(old_codes[start : start + PIECE_ROWS], old_values[start : start + PIECE_ROWS])
            self.kept = []
        return scores

    def _sum(self, codes: Codes, values: Floats) -> None:
        # Pieces that stay in the cache of a processor.
        for start in range(0, codes.size, PIECE_ROWS):
            self._sum_piece(codes[start : start + PIECE_ROWS], values[start : start + PIECE_ROWS])

    def _sum_piece(self, codes: Codes, values: Floats) -> None:
        for code in np.flatnonzero(np.bincount(codes)):
            p = values[codes == code]
            clipped = np.clip(p, LOG_FLOOR, 1 - LOG_FLOOR)
            log_p, log_q, q = np.log(clipped), np.log1p(-clipped), 1 - p
            square, other = p * p, q * q
            sums = np.array(
                [
                    [square.sum(), np.einsum("i,i->", square, square), -log_p.sum(), np.einsum("i,i->", log_p, log_p)],
                    [other.sum(), np.einsum("i,i->", other, other), -log_q.sum(), np.einsum("i,i->", log_q, log_q)],
                ]
            )
            # Against a negative label the error of p is p, against a positive one it is 1 - p.
            ordered = np.array([[*sums[0, :2], *sums[1, 2:]], [*sums[1, :2], *sums[0, 2:]]])
            self.sums[int(code)] = self.sums.get(int(code), np.zeros((2, 4))) + ordered

    def ranking(self, positive: npt.NDArray[np.bool_]) -> Ranking | None:
        """Read everything from the scores; ``positive`` tells which label codes count. None for no rows."""
        if self.rows == 0:
            return None
        levels, pos, neg, mixed = self._levels(positive)
        return _ranking(levels, pos, neg, mixed, self._losses(positive))

    def _levels(self, positive: npt.NDArray[np.bool_]) -> tuple[Floats, Floats, Floats, npt.NDArray[np.bool_]]:
        """Different scores from high to low, positives and negatives at each, and which stand for several scores."""
        if self.bins is not None:
            return self.bins.levels(positive)
        hits = positive[np.concatenate([codes for codes, _ in self.kept])]
        values = np.concatenate([values for _, values in self.kept])
        sides = np.sort(values[hits]), np.sort(values[~hits])
        joined = np.concatenate(sides)
        joined.sort(kind="stable")
        last = np.append(joined[1:] != joined[:-1], True)
        levels = joined[last]
        pos, neg = (np.diff(np.searchsorted(side, levels, side="right"), prepend=0)[::-1] for side in sides)
        return levels[::-1], pos.astype(float), neg.astype(float), np.zeros(levels.size, np.bool_)

    def _losses(self, positive: npt.NDArray[np.bool_]) -> Floats:
        """Sums over the rows: squared error, its square, negative log-likelihood, its square."""
        return np.asarray(np.sum([sums[int(positive[code])] for code, sums in self.sums.items()], axis=0))


def _ranking(levels: Floats, pos: Floats, neg: Floats, mixed: npt.NDArray[np.bool_], losses: Floats) -> Ranking:
    positives, negatives = float(pos.sum()), float(neg.sum())
    rows = positives + negatives
    hits, misses = np.cumsum(pos), np.cumsum(neg)
    auc = precision = interval = None
    error = 0.0
    if positives and negatives:
        # A pair with equal scores counts half (Mann & Whitney 1947).
        auc = float((neg * (hits - pos / 2)).sum() / (positives * negatives))
        error = float((pos * neg)[mixed].sum() / (2 * positives * negatives))
    if positives:
        precision = _average_precision(pos, hits, misses)
    bins = _calibration(levels, pos, neg)
    gap = sum(one.rows * abs((one.predicted or 0.0) - (one.observed or 0.0)) for one in bins)
    if positives and negatives:
        interval, calibration_interval = _bootstrapped(levels, pos, neg, precision or 0.0, float(gap) / rows)
    else:
        calibration_interval = None
    picked = _picked(len(levels))
    return Ranking(
        positives=int(positives),
        negatives=int(negatives),
        auc=auc,
        average_precision=precision,
        brier=float(losses[0]) / rows,
        log_loss=float(losses[2]) / rows,
        calibration_error=float(gap) / rows,
        roc=((0.0, 0.0, 1.0), *_points(misses / max(1.0, negatives), hits / max(1.0, positives), levels, picked)),
        precision_recall=_points(hits / max(1.0, positives), hits / (hits + misses), levels, picked),
        calibration=bins,
        auc_error=error,
        average_precision_interval=interval,
        calibration_interval=calibration_interval,
        brier_interval=_around(losses[0], losses[1], rows),
        log_loss_interval=_around(losses[2], losses[3], rows),
    )


def _average_precision(pos: Floats, hits: Floats, misses: Floats) -> float:
    return float((pos * hits / (hits + misses)).sum() / hits[-1])


def _around(total: float, squares: float, rows: float) -> tuple[float, float]:
    mean = float(total) / rows
    half = 1.96 * math.sqrt(max(0.0, float(squares) / rows - mean * mean) / rows)
    return max(0.0, mean - half), mean + half


def _bootstrapped(
    levels: Floats, pos: Floats, neg: Floats, precision: float, gap: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Intervals of average precision and calibration error: the counts of at most 1,000 levels drawn again."""
    if levels.size > BOOTSTRAP_LEVELS:
        # Levels with about as many positives go together: they are what precision is averaged over.
        place = np.minimum((np.cumsum(pos + neg * 1e-9) / (pos + neg * 1e-9).sum() * BOOTSTRAP_LEVELS).astype(int), 999)
        rows = np.bincount(place, pos + neg, BOOTSTRAP_LEVELS)
        levels = np.asarray(np.bincount(place, levels * (pos + neg), BOOTSTRAP_LEVELS) / np.maximum(rows, 1))
        pos, neg = (np.asarray(np.bincount(place, one, BOOTSTRAP_LEVELS), np.float64) for one in (pos, neg))
    both = np.concatenate((pos, neg))
    total = int(both.sum())
    drawn = np.random.default_rng(0).multinomial(total, both / both.sum(), BOOTSTRAP_SAMPLES).astype(float)
    ups, downs = drawn[:, : pos.size], drawn[:, pos.size :]
    hits, misses = np.cumsum(ups, axis=1), np.cumsum(downs, axis=1)
    areas = (ups * hits / np.maximum(hits + misses, 1)).sum(axis=1) / np.maximum(hits[:, -1], 1)
    own = _average_precision(pos, np.cumsum(pos), np.maximum(np.cumsum(neg), 1e-300))
    low, high = np.quantile(areas, (0.025, 0.975)) - own + precision
    tenth = np.minimum((levels * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    folds = np.eye(CALIBRATION_BINS)[tenth]
    gaps = np.abs(((ups + downs) * levels - ups) @ folds).sum(axis=1) / total
    spread = float(gaps.std())
    return (max(0.0, float(low)), min(1.0, float(high))), (max(0.0, gap - 1.96 * spread), min(1.0, gap + 1.96 * spread))


def _picked(count: int) -> Any:
    if count <= CURVE_POINTS:
        return np.arange(count)
    return np.unique(np.linspace(0, count - 1, CURVE_POINTS).round().astype(int))


def _points(across: Floats, up: Floats, at: Floats, picked: Any) -> tuple[tuple[float, float, float], ...]:
    return tuple(zip(across[picked].tolist(), up[picked].tolist(), at[picked].tolist(), strict=True))


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
