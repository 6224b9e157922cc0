"""Scores counted in bins so fine that the area under the curve keeps six digits; the bins lie closer where scores do."""

from typing import Protocol

import numpy as np
import numpy.typing as npt

from modelward.analysis.buffers import pieces

EVEN_BINS = 1 << 20
# A cell is a 512th of a power of two of the distance from 0 or from 1, whichever is nearer, down to 2 ** -64.
SHIFT = 43
FIRST_BITS = int(np.array(2.0**-64).view(np.int64)) >> SHIFT
HALF_CELLS = (int(np.array(0.5).view(np.int64)) >> SHIFT) - FIRST_BITS + 1
CELLS = 2 * HALF_CELLS
WIDTH_BINS, DENSE_BINS, LEAST_BINS = 1 << 19, 1 << 20, 4
# Bins keep this far from the ends of their cell, so that rounding never carries a score into the next cell.
MARGIN = 2.0**-12
# Counts of 32 bits stay in the processor's cache; they move to counts of 64 bits before they can overflow.
COUNT_MAX = 1 << 30
# The error that the first scores may forebode; twice what a million even bins have of evenly spread scores.
ERROR_MAX = 8e-7

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]


class Layout(Protocol):
    """Where a score is counted: a higher score never at a lower place."""

    total: int

    def places(self, values: Floats) -> Places:
        """The place of each score."""

    def middles(self) -> Floats:
        """A score of each place."""

    def single(self) -> npt.NDArray[np.bool_]:
        """Which places can hold one score only."""


class Even:
    """Bins of equal width: the cheapest, and enough wherever scores are spread over some part of [0, 1]."""

    total = EVEN_BINS + 1

    def places(self, values: Floats) -> Places:
        """The place of each score; 1 has one of its own."""
        return (values * EVEN_BINS).astype(np.int64)

    def middles(self) -> Floats:
        """The middle of each bin."""
        return np.minimum((np.arange(self.total) + 0.5) / EVEN_BINS, 1.0)

    def single(self) -> npt.NDArray[np.bool_]:
        """Only the last."""
        return np.equal(np.arange(self.total), EVEN_BINS)


class Graded:
    """Cells narrower the nearer they are to 0 or 1, each with bins by its width and by the first scores in it."""

    def __init__(self, first: Floats) -> None:
        """Lay the bins out by the first scores."""
        self.low, self.width = _edges()
        inside = np.zeros(CELLS, np.int64)
        for piece in pieces(first.size):
            inside += np.bincount(_cells(first[piece])[0], minlength=CELLS)
        by_width = (self.width * WIDTH_BINS).astype(np.int64)
        sizes = LEAST_BINS + by_width + (inside * (DENSE_BINS / max(1, first.size))).astype(np.int64)
        self.total = int(sizes.sum())
        self.sizes = sizes
        self.starts = np.cumsum(sizes) - sizes
        # In the place of a score = start + slope * distance from the nearer end: one product and one sum.
        self.slope = (sizes - 2 * MARGIN) / self.width
        self.start = self.starts + MARGIN - self.slope * self.low
        upper = np.arange(CELLS) >= HALF_CELLS
        self.start[upper] = (self.starts + sizes - MARGIN + self.slope * _nearest())[upper]
        self.slope[upper] *= -1

    def places(self, values: Floats) -> Places:
        """The place of each score."""
        cells, distance = _cells(values)
        distance *= self.slope.take(cells)
        distance += self.start.take(cells)
        return distance.astype(np.int64)

    def middles(self) -> Floats:
        """The middle of each bin."""
        cells = np.repeat(np.arange(CELLS), self.sizes)
        inner = (np.arange(self.total) - self.starts[cells] + 0.5) / self.sizes[cells]
        middles: Floats = self.low[cells] + inner * self.width[cells]
        return middles

    def single(self) -> npt.NDArray[np.bool_]:
        """None."""
        return np.zeros(self.total, np.bool_)


class Ranked:
    """A bin for each of the first scores and two between neighbours: for whatever defeats the cheaper layouts."""

    def __init__(self, first: Floats) -> None:
        """Take the first scores as edges."""
        self.edges = np.unique(np.concatenate((first, [0.0, 1.0])))
        self.total = 3 * self.edges.size

    def places(self, values: Floats) -> Places:
        """The place of each score: two bins below its edge, then that of the edge itself."""
        above = np.searchsorted(self.edges, values)
        edges = self.edges[above]
        below = self.edges[np.maximum(above - 1, 0)]
        second = values - below >= edges - values
        places: Places = 3 * above + second + (values == edges)
        return places

    def middles(self) -> Floats:
        """The edge, or a place between edges."""
        below = np.concatenate(([0.0], self.edges[:-1]))
        gap = self.edges - below
        return np.stack((below + 0.25 * gap, below + 0.75 * gap, self.edges), axis=1).ravel()

    def single(self) -> npt.NDArray[np.bool_]:
        """The edges."""
        return np.equal(np.arange(self.total) % 3, 2)


class ScoreBins:
    """Counts of scores in [0, 1] with a positive and with a negative label.

    The cheapest layout is taken whose bins hold few enough pairs of different scores among the first. Where bins are
    crowded by equal scores, each notes whether all its scores are equal: then counting them as one loses nothing.
    """

    def __init__(self, first: Floats, hits: npt.NDArray[np.int8]) -> None:
        """Lay the bins out by the first scores and count these; ``hits`` as for ``add``."""
        self._lay(Even(), noting=False)
        if not self._fine_enough(first, hits):
            self._lay(Even(), noting=True)
            if not self._fine_enough(first, hits):
                self._lay(Graded(first), noting=True)
                if not self._fine_enough(first, hits):
                    self._lay(Ranked(first), noting=False)
                    self._fine_enough(first, hits)

    def _lay(self, layout: Layout, *, noting: bool) -> None:
        self.layout = layout
        self.recent = np.zeros(2 * layout.total, np.int32)
        self.recent_rows = 0
        self.counts: Places | None = None
        self.mixed = ~layout.single()
        self.known: Floats | None = None
        if noting:
            self.known, self.mixed = np.full(layout.total, np.nan), np.zeros(layout.total, np.bool_)

    def _fine_enough(self, first: Floats, hits: npt.NDArray[np.int8]) -> bool:
        """Count the first scores; tell whether few pairs of different ones share a bin."""
        for piece in pieces(first.size):
            self.add(hits[piece], first[piece])
        total = self.layout.total
        inside = (self.recent[:total] + self.recent[total:]).astype(np.float64)
        inside *= self.mixed
        pairs = float(np.einsum("i,i->", inside, inside) - inside.sum())
        return pairs <= 2 * ERROR_MAX * first.size * first.size

    def add(self, hits: npt.NDArray[np.int8], values: Floats) -> None:
        """Take scores; ``hits`` is 1 where the label is positive, else 0. A few thousand at a time are fastest."""
        places = self.layout.places(values)
        if self.known is not None:
            self._note(self.known, places, values)
        places += np.multiply(hits, self.layout.total, dtype=np.int64)
        if self.recent_rows + values.size >= COUNT_MAX:
            self._count()
        np.add.at(self.recent, places, np.int32(1))
        self.recent_rows += values.size

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
        self.counts = self.recent.astype(np.int64) if self.counts is None else self.counts + self.recent
        self.recent[:] = 0
        self.recent_rows = 0

    def levels(self) -> tuple[Floats, Floats, Floats, npt.NDArray[np.bool_]]:
        """Scores from high to low, positives and negatives at each, and which stand for several different scores."""
        counts = self.recent if self.counts is None else self.counts + self.recent
        neg, pos = counts.reshape(2, -1)
        used = np.flatnonzero(pos + neg)[::-1]
        levels = self.layout.middles()[used] if self.known is None else self.known[used]
        return levels, pos[used].astype(float), neg[used].astype(float), self.mixed[used]


def _cells(values: Floats) -> tuple[Places, Floats]:
    """The cell of each score, and how far the score lies from 0 or from 1."""
    upper = values > 0.5
    # Exact: the distance of a number in [0.5, 1] from 1 has no more digits than the number.
    distance = np.abs(upper - values)
    cells = distance.view(np.int64) >> SHIFT
    cells -= FIRST_BITS
    np.maximum(cells, 0, out=cells)
    np.subtract(CELLS - 1, cells, out=cells, where=upper)
    return cells, distance


def _edges() -> tuple[Floats, Floats]:
    """The lower end and the width of each cell."""
    low, width = _half()
    return np.concatenate((low, 1 - (low + width)[::-1])), np.concatenate((width, width[::-1]))


def _nearest() -> Floats:
    """How far each cell begins from 0 or from 1."""
    low, _ = _half()
    return np.concatenate((low, low[::-1]))


def _half() -> tuple[Floats, Floats]:
    ends = ((np.arange(HALF_CELLS + 1) + FIRST_BITS) << SHIFT).view(np.float64)
    low, width = ends[:-1].copy(), np.diff(ends)
    low[0], width[0] = 0.0, ends[1]
    return low, width
