"""Ranking and calibration of predicted probabilities: exact for up to a million rows (or always), then over fine bins."""

import math
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modelward.analysis.buffers import fixed_width, pieces, valid_mask
from modelward.analysis.quality.calibration import (
    CALIBRATION_BINS,
    CalibrationBin,
    calibration_bins,
    calibration_interval,
    gaps_of,
)
from modelward.analysis.quality.score_bins import ScoreBins
from modelward.kernel.errors import Invalid

EXACT_ROWS_MAX = 1_000_000
AUC_ERROR_MAX = 1e-6
BOOTSTRAP_SAMPLES, BOOTSTRAP_LEVELS = 200, 1_000
CURVE_POINTS = 200
LOG_FLOOR = 2.220446049250313e-16

Floats = npt.NDArray[np.float64]
Keys = npt.NDArray[np.int64]


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
    """Takes labels and probabilities batch by batch."""

    def __init__(self, column: str, *, exact: bool = False, losses: bool = True) -> None:
        """Begin with no rows; ``exact``: keep every score, at 8 bytes a row, however many there are."""
        self.column, self.exact, self.losses = column, exact, losses
        self.rows = 0
        self.missing = 0
        self.kept: list[Keys] = []
        self.bins: ScoreBins | None = None
        self.sums: list[tuple[float, float, float, float]] = []

    def add(self, hits: npt.NDArray[np.int8], array: Any) -> None:
        """Take a batch; ``hits`` is 1 where the label is positive, 0 where it is not, -1 where there is none.

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
        self.add_scores(hits, scores)

    def add_scores(self, hits: npt.NDArray[np.int8], scores: Floats) -> None:
        """The same of a plain array, which holds not-a-number where there is no score.

        Raises:
            Invalid: a probability lies outside [0, 1].
        """
        for piece in pieces(scores.size):
            self._add_piece(hits[piece], scores[piece])
        if self.bins is None and self.rows > EXACT_ROWS_MAX and not self.exact:
            self._begin_bins()

    def _add_piece(self, hits: npt.NDArray[np.int8], scores: Floats) -> None:
        low, high = float(scores.min()), float(scores.max())
        if low != low or hits.min() < 0:
            there = (hits >= 0) & ~np.isnan(scores)
            hits, scores = hits[there], scores[there]
            self.missing += there.size - scores.size
            if scores.size == 0:
                return
            low, high = float(scores.min()), float(scores.max())
        if low < 0 or high > 1:
            raise Invalid(
                f"Column {self.column!r} holds {low if low < 0 else high:g}; probabilities lie between 0 and 1.",
                field=self.column,
                hint="Give the probability of the positive class.",
            )
        if low == 0:
            scores = scores + 0.0  # Minus zero and zero are one value.
        self.rows += scores.size
        if self.losses:
            self.sums.append(_losses(hits, scores))
        if self.bins is not None:
            self.bins.add(hits, scores)
        else:
            # In the order of the scores: the bits of a number in [0, 1] leave room for the label.
            self.kept.append((scores.view(np.int64) << 1) | hits)

    def _begin_bins(self) -> None:
        keys = np.concatenate(self.kept)
        self.kept = []
        self.bins = ScoreBins(_scores_of(keys), (keys & 1).astype(np.int8))

    def ranking(self) -> Ranking | None:
        """Read everything from the scores; None for no rows."""
        if self.rows == 0:
            return None
        levels, pos, neg, mixed = self.bins.levels() if self.bins is not None else _exact_levels(self.kept)
        losses = [math.fsum(one) for one in zip(*self.sums, strict=True)] or [0.0] * 4
        return _ranking(levels, pos, neg, mixed, np.array(losses))


def _scores_of(keys: Keys) -> Floats:
    return (keys >> 1).view(np.float64)


def _losses(hits: npt.NDArray[np.int8], scores: Floats) -> tuple[float, float, float, float]:
    """Sums over the rows: squared error, its square, negative log-likelihood, its square."""
    positive = hits.astype(np.float64)
    error = positive - scores
    error *= error
    # The probability that was given to what happened, to its last digit: p itself or 1 - p.
    told = np.subtract(1.0, positive, out=positive)
    told -= scores
    np.abs(told, out=told)
    np.maximum(told, LOG_FLOOR, out=told)
    logs = np.log(told, out=told)
    return (
        float(error.sum()),
        float(np.einsum("i,i->", error, error)),
        -float(logs.sum()),
        float(np.einsum("i,i->", logs, logs)),
    )


def _exact_levels(kept: list[Keys]) -> tuple[Floats, Floats, Floats, npt.NDArray[np.bool_]]:
    """Different scores from high to low, positives and negatives at each; none stands for several scores."""
    keys = np.concatenate(kept)
    keys.sort()
    ends = np.append(np.flatnonzero((keys[1:] ^ keys[:-1]) > 1), keys.size - 1)
    if ends.size == keys.size:
        pos = (keys[::-1] & 1).astype(np.float64)
        neg = 1 - pos
    else:
        pos = _steps(np.cumsum(keys & 1)[ends], 0.0)
        neg = _steps(ends, -1.0)
        neg -= pos
        pos, neg, keys = pos[::-1], neg[::-1], keys[ends]
    return _scores_of(keys)[::-1], pos, neg, np.zeros(pos.size, np.bool_)


def _steps(through: npt.NDArray[np.int64], before: float) -> Floats:
    steps = np.empty(through.size)
    steps[0] = through[0] - before
    np.subtract(through[1:], through[:-1], out=steps[1:])
    return steps


def _ranking(levels: Floats, pos: Floats, neg: Floats, mixed: npt.NDArray[np.bool_], losses: Floats) -> Ranking:
    positives, negatives = float(pos.sum()), float(neg.sum())
    rows = positives + negatives
    hits, misses = np.cumsum(pos), np.cumsum(neg)
    auc = precision = interval = None
    error = 0.0
    if positives and negatives:
        # A pair with equal scores counts half (Mann & Whitney 1947).
        pairs = positives * negatives
        auc = float((np.einsum("i,i->", neg, hits) - np.einsum("i,i->", neg, pos) / 2) / pairs)
        error = float(np.einsum("i,i,i->", pos, neg, mixed) / (2 * pairs)) if mixed.any() else 0.0
    if positives:
        precision = _average_precision(pos, hits, misses)
    scores = levels * (pos + neg)
    bins = calibration_bins(levels, scores, hits, misses)
    gaps, ends = gaps_of(bins), None
    if positives and negatives:
        interval, drawn = _bootstrapped(*_thinned(scores, hits, misses), precision or 0.0)
        ends = calibration_interval(gaps, drawn)
    picked = _picked(len(levels))
    return Ranking(
        positives=int(positives),
        negatives=int(negatives),
        auc=auc,
        average_precision=precision,
        brier=float(losses[0]) / rows,
        log_loss=float(losses[2]) / rows,
        calibration_error=float(np.abs(gaps).sum()),
        roc=((0.0, 0.0, 1.0), *_points(misses / max(1.0, negatives), hits / max(1.0, positives), levels, picked)),
        precision_recall=_points(hits / max(1.0, positives), hits / (hits + misses), levels, picked),
        calibration=bins,
        auc_error=error,
        average_precision_interval=interval,
        calibration_interval=ends,
        brier_interval=_around(losses[0], losses[1], rows),
        log_loss_interval=_around(losses[2], losses[3], rows),
    )


def _average_precision(pos: Floats, hits: Floats, misses: Floats) -> float:
    return float((pos * hits / (hits + misses)).sum() / hits[-1])


def _around(total: float, squares: float, rows: float) -> tuple[float, float] | None:
    if rows < 2:
        return None
    mean = float(total) / rows
    half = 1.96 * math.sqrt(max(0.0, float(squares) / rows - mean * mean) / rows)
    return max(0.0, mean - half), mean + half


def _thinned(scores: Floats, hits: Floats, misses: Floats) -> tuple[Floats, Floats, Floats]:
    """At most a thousand levels from running counts: their mean scores, their positives and negatives."""
    ends = np.arange(1, hits.size + 1)
    if hits.size > BOOTSTRAP_LEVELS:
        # Levels with about as many positives go together: they are what precision is averaged over.
        weight = hits + misses * 1e-9
        parts = np.linspace(0, weight[-1], BOOTSTRAP_LEVELS + 1)[1:-1]
        ends = np.append(np.searchsorted(weight, parts) + 1, hits.size)
        ends = ends[np.append(ends[1:] > ends[:-1], True)]
    pos, neg = (np.diff(through[ends - 1], prepend=0.0) for through in (hits, misses))
    totals = np.add.reduceat(scores, np.concatenate(([0], ends[:-1])))
    return totals / (pos + neg), pos, neg


def _bootstrapped(levels: Floats, pos: Floats, neg: Floats, precision: float) -> tuple[tuple[float, float], Floats]:
    """The counts of at most 1,000 levels drawn again: an interval of average precision, and calibration gaps by draw."""
    both = np.concatenate((pos, neg))
    total = int(both.sum())
    drawn = np.random.default_rng(0).multinomial(total, both / both.sum(), BOOTSTRAP_SAMPLES).astype(float)
    ups, downs = drawn[:, : pos.size], drawn[:, pos.size :]
    hits, misses = np.cumsum(ups, axis=1), np.cumsum(downs, axis=1)
    areas = (ups * hits / np.maximum(hits + misses, 1)).sum(axis=1) / np.maximum(hits[:, -1], 1)
    own = _average_precision(pos, np.cumsum(pos), np.maximum(np.cumsum(neg), 1e-300))
    low, high = np.quantile(areas, (0.025, 0.975)) - own + precision
    tenth = np.minimum((levels * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    gaps = ((ups + downs) * levels - ups) @ np.eye(CALIBRATION_BINS)[tenth] / total
    return (max(0.0, float(low)), min(1.0, float(high))), gaps


def _picked(count: int) -> Any:
    if count <= CURVE_POINTS:
        return np.arange(count)
    return np.unique(np.linspace(0, count - 1, CURVE_POINTS).round().astype(int))


def _points(across: Floats, up: Floats, at: Floats, picked: Any) -> tuple[tuple[float, float, float], ...]:
    return tuple(zip(across[picked].tolist(), up[picked].tolist(), at[picked].tolist(), strict=True))


def auc_interval(auc: float, positives: int, negatives: int) -> tuple[float, float]:
    """95 % interval of an area under the ROC curve (Hanley & McNeil 1982).

    Where the scores part the classes wholly there is no variance to see; then that of Clopper & Pearson for the rarer
    class: so large a share of it might stand on the other side without one row of it having been drawn.
    """
    if auc in (0.0, 1.0):
        end = 0.025 ** (1 / min(positives, negatives))
        return (end, 1.0) if auc == 1.0 else (0.0, 1 - end)
    q1, q2 = auc / (2 - auc), 2 * auc * auc / (1 + auc)
    variance = auc * (1 - auc) + (positives - 1) * (q1 - auc * auc) + (negatives - 1) * (q2 - auc * auc)
    half = 1.96 * math.sqrt(max(0.0, variance) / (positives * negatives))
    return max(0.0, auc - half), min(1.0, auc + half)
