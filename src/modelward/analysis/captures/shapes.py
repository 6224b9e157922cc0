"""The lines of a block sorted by shape, where not all are alike: records with other numbers of rows, or that are broken.

Lines of one shape have as many cells, and the rows of their bodies end in the same cells. Of each shape a block of its own
is made, in which every ``\\n`` of a body stands as a comma and a tab: cells are then cut at commas alone, and a tab says
where a row begins. (Bare tabs may not stand in a JSON text; lines of a block that has any are not cut so.)
"""

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modelward.analysis.buffers import indices
from modelward.analysis.sketches import Bits, mixed_bits

NEWLINE, COMMA, TAB, BACKSLASH, LETTER_N = b"\n,\t\\n"
SHAPES_MAX = 256

Bytes: TypeAlias = npt.NDArray[np.uint8]
Places: TypeAlias = npt.NDArray[np.int64]


class Shape(NamedTuple):
    """Lines of one shape: a number that tells it from others, which lines of the block, and these as a block.

    ``cut``: the rows of their bodies stand apart in the block.
    """

    number: int
    cut: bool
    lines: Places
    text: memoryview

    def head(self, count: int) -> list[bytes]:
        """At most so many of the first lines."""
        least = self.text[: 4 * count * (len(self.text) // self.lines.size + 1)]
        return bytes(least).splitlines()[: min(count, self.lines.size)]


def shapes_of(block: memoryview) -> tuple[int, list[Shape]]:
    """The number of lines, and the shapes among them; lines without a comma are in none."""
    data, cut = _rows_cut(np.frombuffer(block, np.uint8))
    ends = np.flatnonzero(data == NEWLINE)
    if not ends.size or ends[-1] != data.size - 1:
        ends = np.append(ends, data.size)
    numbers, cells = _numbers(data, ends)
    found, which = np.unique(numbers, return_inverse=True)
    starts = np.append(0, ends[:-1] + 1)
    shapes = []
    # Those of most lines first: very many shapes are no shapes.
    for place in np.argsort(-np.bincount(which), kind="stable")[:SHAPES_MAX].tolist():
        lines = np.flatnonzero(which == place)
        if cells[lines[0]]:
            shapes.append(Shape(int(found[place]), cut, lines, _text_of(data, starts, ends, lines)))
    return ends.size, shapes


def _rows_cut(data: Bytes) -> tuple[Bytes, bool]:
    places = np.flatnonzero(data[:-1] == BACKSLASH)
    places = places[data[places + 1] == LETTER_N]
    # A backslash before it would make it a backslash and an n.
    places = places[data[places - 1] != BACKSLASH]
    if not places.size or (data == TAB).any():
        return data, False
    cut = data.copy()
    cut[places], cut[places + 1] = COMMA, TAB
    return cut, True


def as_written(line: bytes) -> bytes:
    """A line of a cut shape as it was; all its bytes keep their places."""
    return line.replace(b",\t", b"\\n")


def _numbers(data: Bytes, ends: Places) -> tuple[Bits, Places]:
    """For each line a number of its shape, and how many commas it has."""
    commas = np.flatnonzero(data == COMMA)
    before = np.searchsorted(commas, np.append(0, ends))
    counts = np.diff(before)
    numbers = mixed_bits(counts.astype(np.uint64))
    tabs = np.flatnonzero(data == TAB)
    if tabs.size:
        lines = np.searchsorted(ends, tabs)
        cells = np.searchsorted(commas, tabs) - before[lines]
        with np.errstate(over="ignore"):
            np.add.at(numbers, lines, mixed_bits((cells + (1 << 32)).astype(np.uint64)))
    return numbers, counts


def _text_of(data: Bytes, starts: Places, ends: Places, lines: Places) -> memoryview:
    if lines.size == starts.size:
        return data.data
    edges = np.append(starts, min(int(ends[-1]) + 1, data.size))
    whole = pa.Array.from_buffers(pa.large_binary(), starts.size, [None, pa.py_buffer(edges), pa.py_buffer(data)])
    return memoryview(whole.take(indices(lines)).buffers()[2])


class Part(NamedTuple):
    """The rows of some lines of a block, so many of each, in order."""

    lines: Places
    rows: Places
    table: Any


def in_order(count: int, parts: list[Part]) -> Any:
    """The rows of all parts, in the order of their lines (tables of one schema)."""
    rows = np.zeros(count, np.int64)
    for part in parts:
        rows[part.lines] = part.rows
    first = np.cumsum(rows) - rows
    places = np.concatenate([_places(first[part.lines], part.rows) for part in parts])
    table = pa.concat_tables([part.table for part in parts])
    return table if (np.diff(places) > 0).all() else table.take(indices(np.argsort(places)))


def _places(first: Places, rows: Places) -> Places:
    """``first[i], first[i] + 1, ...``, so many of each."""
    begun = np.cumsum(rows) - rows
    return np.repeat(first - begun, rows) + np.arange(int(rows.sum()))


def lines_at(text: bytes, wanted: Places) -> Iterator[tuple[int, bytes]]:
    """Some lines of a block and their numbers, from 0."""
    lines = text.split(b"\n")
    return ((number, lines[number]) for number in wanted.tolist())
