"""How many different values a column holds, from pieces of it: as the service estimates it, or counted up to a bound."""

from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from modelward.analysis.compatible.distinct import Registers
from modelward.analysis.compatible.text_columns import NumberColumn, TextColumn
from modelward.analysis.hashing import arrow_text_hashes
from modelward.analysis.sketches import Bits, DistinctGathering, mixed_bits

COUNTED_MAX = 32_768
"""So many different values of a column are counted, by hashes of 64 bits; of more the number is estimated within 3 %.

A column takes at most 400 KB for it: 12 MB of 30 columns, 400 MB of a thousand that are all just below the bound.
"""
_WAITING_MAX = 8_192


class DifferentValues(Protocol):
    """Takes the pieces of a column, then tells how many different values there are."""

    def add(self, piece: TextColumn) -> None:
        """Take a piece of the column."""

    def number(self) -> int:
        """The number of different values so far. It never falls while pieces are added, up to 400 of them."""


class Estimated:
    """The service's estimate: registers of HyperLogLog++. ``by_value``: numbers by their bytes instead of their texts."""

    def __init__(self, *, by_value: bool) -> None:
        """Begin with no value."""
        self._registers, self._by_value = Registers(), by_value

    def add(self, piece: TextColumn) -> None:
        """Take a piece of the column."""
        if self._by_value and isinstance(piece, NumberColumn):
            self._registers.add_numbers(piece.values())
        else:
            self._registers.add_words(piece.words)

    def number(self) -> int:
        """The estimate, rounded as Java rounds."""
        return self._registers.estimate()


class Counted:
    """The number itself up to ``COUNTED_MAX``, then the estimate of the profile's own sketch.

    ``by_value``: numbers by their bits, of which no two have one hash; else by their texts.
    """

    def __init__(self, *, by_value: bool) -> None:
        """Begin with no value."""
        self._by_value = by_value
        self._known: Bits = np.zeros(0, np.uint64)
        self._waiting: list[Bits] = []
        self._waiting_size = 0
        self._sketch: DistinctGathering | None = None

    def add(self, piece: TextColumn) -> None:
        """Take a piece of the column."""
        if self._by_value and isinstance(piece, NumberColumn):
            hashes = mixed_bits(_bits(piece.values()))
        else:
            hashes = arrow_text_hashes(piece.words)
        if self._sketch is not None:
            self._sketch.add(hashes)
            return
        self._waiting.append(hashes)
        self._waiting_size += hashes.size
        if self._waiting_size >= max(_WAITING_MAX, self._known.size // 2):
            self._consolidate()

    def _consolidate(self) -> None:
        if not self._waiting_size:
            return
        ordered = np.sort(np.concatenate((self._known, *self._waiting)))
        self._known = ordered[np.concatenate(([True], ordered[1:] != ordered[:-1]))]
        self._waiting, self._waiting_size = [], 0
        if self._known.size > COUNTED_MAX:
            self._sketch, self._known = DistinctGathering(self._known), np.zeros(0, np.uint64)

    def number(self) -> int:
        """The count, or the estimate where there are more than ``COUNTED_MAX``."""
        if self._sketch is None:
            self._consolidate()
        return self._known.size if self._sketch is None else round(self._sketch.sketch().estimate())


def _bits(values: Any) -> Bits:
    if values.dtype != np.float64 and values.dtype != np.uint64:
        values = values.astype(np.int64)
    return np.ascontiguousarray(values).view(np.uint64)


def can_be_by_value(kind: Any) -> bool:
    """Whether columns of an Arrow type are kept as numbers: doubles, which must then all be finite, and integers."""
    return bool(pa.types.is_integer(kind) or kind == pa.float64())
