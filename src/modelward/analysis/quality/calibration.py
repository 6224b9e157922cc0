"""How far probabilities are from what happened: bins of tenths, and an interval of the calibration error that holds."""

from collections.abc import Callable

import msgspec
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

CALIBRATION_BINS = 10
NOISES, SCALE_MAX, STEPS = 2_000, 4.0, 30
TAIL = 0.025


class CalibrationBin(msgspec.Struct, frozen=True):
    """Rows with a probability in a tenth of [0, 1]: how many, their mean probability, their share of positives."""

    low: float
    high: float
    rows: int
    predicted: float | None
    observed: float | None


def calibration_bins(levels: Floats, scores: Floats, hits: Floats, misses: Floats) -> tuple[CalibrationBin, ...]:
    """From levels that fall: their summed scores, and running counts of positives and negatives."""
    ends = levels.size - np.searchsorted(levels[::-1], np.arange(CALIBRATION_BINS) / CALIBRATION_BINS)
    begins = np.append(ends[1:], 0)
    found = []
    for number, (begin, end) in enumerate(zip(begins.tolist(), ends.tolist(), strict=True)):
        up, down = (float((one[end - 1] if end else 0) - (one[begin - 1] if begin else 0)) for one in (hits, misses))
        rows = up + down
        found.append(
            CalibrationBin(
                number / CALIBRATION_BINS,
                (number + 1) / CALIBRATION_BINS,
                int(rows),
                float(scores[begin:end].sum()) / rows if rows else None,
                up / rows if rows else None,
            )
        )
    return tuple(found)


def gaps_of(bins: tuple[CalibrationBin, ...]) -> Floats:
    """What each bin adds to the calibration error, with its sign: mean probability less share of positives, by weight."""
    rows = max(1, sum(one.rows for one in bins))
    return np.array([one.rows * ((one.predicted or 0.0) - (one.observed or 0.0)) / rows for one in bins])


def calibration_interval(gaps: Floats, drawn: Floats) -> tuple[float, float]:
    """95 % interval of the sum of absolute gaps, from the gaps of bootstrap samples (on the first axis).

    Chance alone makes the sum larger than it is: of a perfectly calibrated model it is never 0. So the question is turned
    round: which multiples of the gaps, with noise as the bootstrap shows it, give a sum such as the one that was seen.
    """
    spread = np.atleast_2d(np.cov(drawn, rowvar=False))
    noise = np.random.default_rng(0).multivariate_normal(np.zeros(gaps.size), spread, NOISES, method="svd")
    seen = float(np.abs(gaps).sum())

    def share_above(scale: float) -> float:
        return float(np.mean(np.abs(scale * gaps + noise).sum(axis=1) >= seen))

    low = _crossing(share_above, TAIL)
    high = max(1.0, _crossing(share_above, 1 - TAIL))
    return min(1.0, low) * seen, min(1.0, high * seen)


def _crossing(share_above: Callable[[float], float], share: float) -> float:
    """The multiple at which a rising share is reached; 0 where it is from the start."""
    low, high = 0.0, SCALE_MAX
    if share_above(low) >= share:
        return low
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if share_above(middle) >= share else (middle, high)
    return high
