"""Counting combinations of codes: in one small table where they fit, else one by one. No reading; see tallies.py."""

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from modelward.analysis.accumulate import counted
from modelward.analysis.buffers import pieces
from modelward.kernel.errors import Invalid

Codes = npt.NDArray[np.int64]

# Combinations that fit into 16 bits are counted in a table that stays in the processor's cache.
DENSE_CELLS_MAX = 1 << 16
CELLS_MAX = 50_000_000


class Coded(Protocol):
    """A column whose values have numbers."""

    column: str
    known: dict[Any, int]


class Part(msgspec.Struct, frozen=True):
    """A column of a batch: small numbers of its own, and which number each of them has in the whole (-1: missing)."""

    local: npt.NDArray[Any]
    names: Codes

    def codes(self) -> Codes:
        """The numbers in the whole."""
        return np.asarray(self.names[self.local], np.int64)


class Counter:
    """Counts the combinations of some columns; rows that lack one of them are kept apart."""

    def __init__(self, coders: Sequence[Coded]) -> None:
        """Begin with nothing counted."""
        self.coders = list(coders)
        # Place 0 of each axis is for missing values.
        self.table: npt.NDArray[np.int64] | None = np.zeros([1] * len(self.coders), np.int64)
        self.found: dict[tuple[int, ...], int] = {}
        self.rows = self.incomplete = 0

    def fits(self) -> bool:
        """Whether the values that are known by now leave a small table."""
        return _product(self._sizes()) <= DENSE_CELLS_MAX

    def _sizes(self) -> list[int]:
        return [len(coder.known) + 1 for coder in self.coders]

    def add(self, parts: list[Part], rows: int) -> None:
        """Take the columns of a batch.

        Raises:
            Invalid: there are too many combinations.
        """
        self.rows += rows
        if self.table is not None and not self.fits():
            self._spill(self.table)
        if self.table is None:
            self._add_apart([part.codes() for part in parts], rows)
        elif rows:
            self.table = _grown(self.table, self._sizes())
            _add_cells(self.table, parts, rows)

    def take(self, other: "Counter") -> None:
        """Take what another counter of more columns has counted in its table."""
        assert self.table is not None
        self.rows += other.rows
        self.table = other.marginal(self.coders)

    def marginal(self, coders: Sequence[Coded]) -> npt.NDArray[np.int64]:
        """The table of some of the columns, missing values first on each axis."""
        assert self.table is not None
        places = [next(at for at, one in enumerate(self.coders) if one is coder) for coder in coders]
        others = tuple(sorted(set(range(len(self.coders))) - set(places)))
        left = self.table.sum(axis=others)
        kept = sorted(places)
        return np.asarray(left.transpose([kept.index(place) for place in places]))

    def counts(self, coders: Sequence[Coded]) -> tuple[npt.NDArray[np.int64], int]:
        """Complete rows by the values of these columns (all of them where combinations were too many), and the others."""
        shape = [max(1, len(coder.known)) for coder in coders]
        table = np.zeros(shape, np.int64)
        if self.table is None:
            for cell, count in self.found.items():
                table[cell] = count
            return table, self.incomplete
        whole = self.marginal(coders)[(slice(1, None),) * len(coders)]
        if whole.size:
            table[tuple(slice(0, size) for size in whole.shape)] = whole
        return table, self.rows - int(whole.sum())

    def _spill(self, table: npt.NDArray[np.int64]) -> None:
        whole = table[(slice(1, None),) * table.ndim]
        for cell in zip(*(axis.tolist() for axis in np.nonzero(whole)), strict=True):
            self.found[cell] = int(whole[cell])
        self.incomplete += int(table.sum() - whole.sum())
        self.table = None

    def _add_apart(self, codes: list[Codes], rows: int) -> None:
        present = np.ones(rows, bool)
        for one in codes:
            present &= one >= 0
        complete = int(present.sum())
        self.incomplete += rows - complete
        if complete == 0:
            return
        sizes = [max(1, len(coder.known)) for coder in self.coders]
        if _product(sizes) > CELLS_MAX:
            columns = list(dict.fromkeys(coder.column for coder in self.coders))
            raise Invalid(f"The columns {', '.join(columns)} have too many combinations of values.")
        joined = np.zeros(complete, np.int64)
        for one, size in zip(codes, sizes, strict=True):
            joined *= size
            joined += one if complete == rows else one[present]
        keys, counts = counted(joined.view(np.uint64))
        places = np.unravel_index(keys.view(np.int64), sizes)
        for *place, count in zip(*(place.tolist() for place in places), counts.tolist(), strict=True):
            self.found[tuple(place)] = self.found.get(tuple(place), 0) + count


def _product(sizes: list[int]) -> float:
    return float(np.prod([float(size) for size in sizes]))


def _grown(table: npt.NDArray[np.int64], sizes: list[int]) -> npt.NDArray[np.int64]:
    if list(table.shape) == sizes:
        return table
    larger = np.zeros(sizes, np.int64)
    larger[tuple(slice(0, size) for size in table.shape)] = table
    return larger


def _add_cells(table: npt.NDArray[np.int64], parts: list[Part], rows: int) -> None:
    """Count by the batch's own numbers and carry only the cells over: rows are never translated."""
    sizes = [len(part.names) for part in parts]
    if _product(sizes) > DENSE_CELLS_MAX:
        parts = [Part(part.codes() + 1, np.arange(-1, size - 1)) for part, size in zip(parts, table.shape, strict=True)]
        sizes = list(table.shape)
    cells = int(_product(sizes))
    seen = np.zeros(cells, np.int64)
    for piece in pieces(rows):
        key = parts[0].local[piece].astype(np.uint16)
        for part, size in zip(parts[1:], sizes[1:], strict=True):
            key *= np.uint16(size)
            key += part.local[piece].astype(np.uint16, copy=False)
        seen += np.bincount(key, minlength=cells)
    used = np.flatnonzero(seen)
    places = [part.names[at] + 1 for part, at in zip(parts, np.unravel_index(used, sizes), strict=True)]
    # Several of the batch's numbers may stand for a missing value, so the same cell may come twice.
    np.add.at(table.reshape(-1), np.ravel_multi_index(tuple(places), table.shape), seen[used])
