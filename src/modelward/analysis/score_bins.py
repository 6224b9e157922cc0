"""Scores counted in bins so fine that the area under the curve keeps six digits; the bins lie closer where scores do."""

from typing import Any

import numpy as np
import numpy.typing as npt

# A cell is a 512th of a power of two of the distance from 0 or from 1, whichever is nearer, down to 2 ** -64.
SHIFT = 43
INNER = float(1 << SHIFT)
FIRST_BITS = int(np.array(2.0**-64).view(np.int64)) >> SHIFT
HALF_CELLS = (int(np.array(0.5).view(np.int64)) >> SHIFT) - FIRST_BITS + 1
CELLS = 2 * HALF_CELLS
EVEN_BINS, DENSE_BINS, LEAST_BINS = 1 << 20, 1 << 20, 4
COUNTS_MAX = 1 << 25
BUFFER_ROWS = 1 << 22
FEW_DIFFERENT = 0.5

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]


class ScoreBins:
    """Counts of scores in [0, 1] by label code.

    Cells are narrower the nearer they are to 0 or 1. Each has bins by its width, and more the more of the first scores lie
    in it. Where many of the first scores are equal, a bin knows whether all its scores are: then counting them as one
    score loses nothing.
    """

    def __init__(self, first: Floats, codes: int) -> None:
        """Lay the bins out by the first scores; ``codes``: about how many label codes there are."""
        share = min(1.0, COUNTS_MAX / (max(1, codes) * (EVEN_BINS + DENSE_BINS)))
        inside = np.bincount(_cells(first)[0], minlength=CELLS)
        self.low, self.width = _edges()
        by_width = (self.width * EVEN_BINS * share).astype(np.int64)
        sizes = LEAST_BINS + by_width + (inside * (DENSE_BINS * share / max(1, first.size))).astype(np.int64)
        self.total = int(sizes.sum())
        # As floating point numbers, which are exact here: the place of a score is then one sum.
        self.starts = np.concatenate(([0.0], np.cumsum(sizes)[:-1]))
        self.sizes = sizes.astype(np.float64)
        self.counts = np.zeros((0, self.total), np.int64)
        self.waiting: list[Places] = []
        self.rows_waiting = 0
        self.known: Floats | None = None
        self.mixed = np.ones(self.total, np.bool_)
        if np.unique(first).size < FEW_DIFFERENT * first.size:
            self.known, self.mixed = np.full(self.total, np.nan), np.zeros(self.total, np.bool_)

    def add(self, codes: Any, values: Floats) -> None:
        """Take scores with their label codes."""
        cells, inner = _cells(values)
        inner *= self.sizes[cells]
        np.minimum(inner, self.sizes[cells] - 1, out=inner)
        inner += self.starts[cells]
        places = inner.astype(np.int64)
        if self.known is not None:
            self._note(self.known, places, values)
        self.waiting.append(places + codes.astype(np.int64) * self.total)
        self.rows_waiting += values.size
        if self.rows_waiting >= BUFFER_ROWS:
            self._count()

    def _note(self, known: Floats, places: Places, values: Floats) -> None:
        seen = known[places]
        fresh = np.isnan(seen)
        if fresh.any():
            known[places[fresh]] = values[fresh]
            seen = known[places]
        other = values != seen
        if other.any():
            self.mixed[places[other]] = True

    def _count(self) -> None:
        if not self.waiting:
            return
        counts = np.bincount(np.concatenate(self.waiting))
        self.waiting, self.rows_waiting = [], 0
        codes = max(len(self.counts), -(-counts.size // self.total))
        flat = np.zeros(codes * self.total, np.int64)
        flat[: self.counts.size] = self.counts.ravel()
        flat[: counts.size] += counts
        self.counts = flat.reshape(codes, self.total)

    def levels(self, positive: npt.NDArray[np.bool_]) -> tuple[Floats, Floats, Floats, npt.NDArray[np.bool_]]:
        """Scores from high to low, positives and negatives at each, and which stand for several different scores."""
        self._count()
        chosen = positive[: len(self.counts)]
        pos, neg = self.counts[chosen].sum(axis=0), self.counts[~chosen].sum(axis=0)
        used = np.flatnonzero(pos + neg)[::-1]
        levels = self._middles()[used] if self.known is None else self.known[used]
        return levels, pos[used].astype(float), neg[used].astype(float), self.mixed[used]

    def _middles(self) -> Floats:
        cells = np.repeat(np.arange(CELLS), self.sizes.astype(np.int64))
        inner = np.arange(self.total) - self.starts[cells] + 0.5
        middles: Floats = self.low[cells] + inner / self.sizes[cells] * self.width[cells]
        return middles


def _cells(values: Floats) -> tuple[Places, Floats]:
    """The cell of each score and how far into it the score lies, from 0 to 1."""
    upper = values > 0.5
    # Exact: the distance of a number in [0.5, 1] from 1 has no more digits than the number.
    bits = np.where(upper, 1 - values, values).view(np.int64)
    cells = (bits >> SHIFT) - FIRST_BITS
    inner = (bits & ((1 << SHIFT) - 1)) / INNER
    tiny = cells < 0
    if tiny.any():
        cells[tiny], inner[tiny] = 0, 0.0
    np.subtract(CELLS - 1, cells, out=cells, where=upper)
    np.subtract(1, inner, out=inner, where=upper)
    return cells, inner


def _edges() -> tuple[Floats, Floats]:
    """The lower end and the width of each cell."""
    ends = ((np.arange(HALF_CELLS + 1) + FIRST_BITS) << SHIFT).view(np.float64)
    low, width = ends[:-1].copy(), np.diff(ends)
    low[0], width[0] = 0.0, ends[1]
    return np.concatenate((low, 1 - (low + width)[::-1])), np.concatenate((width, width[::-1]))
