"""Moments of numbers that arrive in pieces: file by file in the order of the rows, as the service adds them up.

Moments run over the rows of a file in order, in doubles, one value after the other, and those of several files are merged:
any other order changes the last digits. Verified to the last bit against golden dq_sdk_100 (one file) and dq_cookbook_3000
(two files, of 13 and 5 rows). How the rows of a file are cut into pieces changes nothing.
"""

import math

import msgspec
import numpy as np

from modelward.analysis.compatible.kll import Floats

# Spark reads a larger file in several partitions, by its cores, and merges them: the last digits are then not defined.
ONE_PARTITION_ROWS = 131_072
BLOCK = 32_768


class Moments(msgspec.Struct, frozen=True):
    """Sums over numbers in the order of the rows, that add up. An empty one changes nothing.

    Source: Welford 1962, Chan et al. 1979, in the order of operations of Spark's ``CentralMomentAgg``.
    """

    count: float = 0.0
    sum: float = 0.0
    average: float = 0.0
    squares: float = 0.0
    minimum: float = math.inf
    maximum: float = -math.inf

    @classmethod
    def of(cls, values: Floats) -> "Moments":
        """Those of the numbers of one file."""
        found = FileMoments()
        found.add(values)
        return found.finish()

    def __add__(self, other: "Moments") -> "Moments":
        count = self.count + other.count
        if not count:
            return self
        delta = other.average - self.average
        step = delta / count
        return Moments(
            count,
            self.sum + other.sum,
            self.average + step * other.count,
            self.squares + other.squares + delta * step * self.count * other.count,
            min(self.minimum, other.minimum),
            max(self.maximum, other.maximum),
        )

    @property
    def mean(self) -> float:
        """Sum over count, as the service divides."""
        return self.sum / self.count

    @property
    def std_dev(self) -> float:
        """Standard deviation of the population."""
        return math.sqrt(self.squares / self.count)


class FileMoments:
    """Moments of one file: one value after the other, of very many numbers in blocks, summed in pairs and merged.

    Which of the two it is shows only once there are too many for the first, so both go on until then.
    """

    def __init__(self, *, many: bool = False) -> None:
        """Begin a file. ``many``: it is known to hold more than ``ONE_PARTITION_ROWS`` numbers, which saves the first way."""
        self._count = 0
        self._in_order = None if many else _InOrder()
        self._blocks = _Blocks()

    def add(self, values: Floats) -> None:
        """Take the next numbers."""
        if not len(values):
            return
        self._count += len(values)
        if self._count > ONE_PARTITION_ROWS:
            self._in_order = None
        if self._in_order is not None:
            self._in_order.add(values)
        self._blocks.add(values)

    def finish(self) -> Moments:
        """The moments of all numbers of the file."""
        if not self._count:
            return Moments()
        return self._blocks.finish() if self._in_order is None else self._in_order.finish()


class _InOrder:
    """One value after the other."""

    def __init__(self) -> None:
        self.count = 0
        self.average = self.total = self.squares = 0.0
        self.minimum, self.maximum = math.inf, -math.inf

    def add(self, values: Floats) -> None:
        average, first = self.average, self.count + 1
        # Nothing but the running average needs a step for each value.
        averages = [
            average := average + (value - average) / count for count, value in enumerate(values.tolist(), first)
        ]
        delta = values - np.array([self.average, *averages[:-1]])
        further = delta * (delta - delta / np.arange(float(first), float(first + len(values))))
        self.total, self.squares = _after(self.total, values), _after(self.squares, further)
        self.minimum, self.maximum = min(self.minimum, float(values.min())), max(self.maximum, float(values.max()))
        self.count, self.average = self.count + len(values), average

    def finish(self) -> Moments:
        return Moments(self.count, self.total, self.average, self.squares, self.minimum, self.maximum)


def _after(total: float, values: Floats) -> float:
    # Accumulating adds one value after the other; a plain sum of numpy would add in pairs. Added to zero, minus zero is zero.
    return float(np.add.accumulate(np.concatenate(([total], values)))[-1])


class _Blocks:
    """Blocks of one size, wherever the pieces end."""

    def __init__(self) -> None:
        self.found = Moments()
        self.waiting: list[Floats] = []
        self.waiting_size = 0

    def add(self, values: Floats) -> None:
        start = 0
        if self.waiting_size:
            start = min(BLOCK - self.waiting_size, len(values))
            self._wait(values[:start])
            if self.waiting_size == BLOCK:
                self._take(np.concatenate(self.waiting))
                self.waiting, self.waiting_size = [], 0
        while len(values) - start >= BLOCK:
            self._take(values[start : start + BLOCK])
            start += BLOCK
        self._wait(values[start:])

    def _wait(self, values: Floats) -> None:
        if len(values):
            # A copy: a view would keep the whole piece in memory.
            self.waiting.append(values.copy())
            self.waiting_size += len(values)

    def _take(self, values: Floats) -> None:
        total = float(values.sum())
        average = total / len(values)
        apart = values - average
        squares = float(np.einsum("i,i->", apart, apart))
        self.found += Moments(len(values), total, average, squares, float(values.min()), float(values.max()))

    def finish(self) -> Moments:
        """The moments of all blocks, the last of which may be short."""
        if self.waiting_size:
            self._take(np.concatenate(self.waiting))
            self.waiting, self.waiting_size = [], 0
        return self.found
