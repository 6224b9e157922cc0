"""The deterministic quantile sketch of deequ (``QuantileNonSample``), item by item the same, fed in batches.

Not Apache DataSketches' KLL: nothing is random. Source: deequ ``QuantileNonSample.scala``, ``NonSampleCompactor.scala``;
verified against files of the service (golden dq_sdk_100, and level sizes of dq_cookbook_3000 and dq_format_68385).
"""

import math
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from modelward.analysis.formats.statistics_file import Bucket, Kll, Sketch, SketchParameters

Floats: TypeAlias = npt.NDArray[np.float64]

SIZE, SHRINKING = 2048, 0.64
BUCKETS = 10


def capacity(level: int) -> int:
    """How many items a level holds before it may be compacted."""
    return 2 * (math.ceil(SIZE * SHRINKING**level / 2) + 1)


class KllSketch:
    """Levels of items; an item of level h stands for 2^h values. Level 0 keeps the order of the rows."""

    def __init__(self) -> None:
        self._levels: list[Floats] = []
        self._capacities: list[int] = []
        self._calls: list[int] = []
        self._offsets: list[int] = []
        self._free = 0
        self._open_level()

    def _open_level(self) -> None:
        self._capacities.append(capacity(len(self._levels)))
        self._levels.append(np.empty(0))
        self._calls.append(0)
        self._offsets.append(0)
        self._free += self._capacities[-1]

    def update(self, values: Floats) -> None:
        """Add values, in order: the same as adding them one by one.

        Nothing happens between two values until the levels are over-full, so as many as fit are appended at once.
        """
        place = 0
        while place < len(values):
            room = self._free + 1
            taken = values[place : place + max(1, room)]
            self._levels[0] = np.concatenate((self._levels[0], taken))
            self._free -= len(taken)
            place += len(taken)
            if len(taken) >= room:
                self._condense()

    def _condense(self) -> None:
        for level, items in enumerate(self._levels):
            if len(items) >= self._capacities[level]:
                if level + 1 == len(self._levels):
                    self._open_level()
                promoted = self._compact(level)
                self._levels[level + 1] = np.concatenate((self._levels[level + 1], promoted))
                self._free += len(promoted)
                return

    def _compact(self, level: int) -> Floats:
        items = self._levels[level]
        even = len(items) - len(items) % 2
        # The offset flips on every second call, so that neither the lower nor the upper of two neighbours is favoured.
        if self._calls[level] % 2:
            self._offsets[level] = 1 - self._offsets[level]
        self._calls[level] += 1
        # The odd last item stays; before the rest is sorted in its place.
        self._levels[level] = items[even:].copy()
        ordered = items[:even]
        # Above the rows themselves there are a few sorted runs, which a stable sort only merges.
        ordered.sort(kind="stable" if level else "quicksort")
        return ordered[self._offsets[level] :: 2]

    def merge(self, other: "KllSketch") -> None:
        """Add the items of another sketch, level by level."""
        while len(self._levels) < len(other._levels):
            self._open_level()
        for level, items in enumerate(other._levels):
            self._levels[level] = np.concatenate((self._levels[level], items))
            self._free -= len(items)
        while self._free <= 0:
            self._condense()

    @property
    def levels(self) -> list[list[float]]:
        """The items, level by level."""
        return [items.tolist() for items in self._levels]


def distribution(levels: list[list[float]], minimum: float, maximum: float) -> Kll:
    """The part of the file that tells the distribution: ten bins of equal width, and the sketch itself."""
    sketch = Sketch(SketchParameters(SHRINKING, float(SIZE)), levels)
    return Kll(buckets(levels, minimum, maximum), sketch)


def buckets(levels: list[list[float]], minimum: float, maximum: float) -> list[Bucket]:
    """Ten bins of equal width: the weight below the upper edge less that below the lower; the last bin is closed."""
    items, weights = weighted(levels)
    order = np.argsort(items, kind="stable")
    items, running = items[order], np.concatenate(([0], np.cumsum(weights[order])))
    edges = [minimum + (maximum - minimum) * place / BUCKETS for place in range(BUCKETS + 1)]
    below = running[np.searchsorted(items, edges, side="left")]
    below[-1] = running[np.searchsorted(items, edges[-1], side="right")]
    counts = np.diff(below)
    return [Bucket(low, high, float(count)) for (low, high), count in zip(pairwise(edges), counts, strict=True)]


def weighted(levels: list[list[float]]) -> tuple[Floats, npt.NDArray[np.int64]]:
    """All items of a sketch with the number of values that each stands for, lowest level first."""
    items = np.array([item for level in levels for item in level], float)
    weights = np.repeat(1 << np.arange(len(levels), dtype=np.int64), [len(level) for level in levels])
    return items, weights
