"""Which group each row of a batch belongs to, and the figures of every group beside those of the whole."""

from collections.abc import Iterable
from typing import Any, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from modelward.analysis.accumulate import Accumulator, accumulator_for
from modelward.analysis.buffers import fixed_width, indices, valid_mask, width_of
from modelward.analysis.columns import ColumnProfile
from modelward.analysis.segments import Segment, Segments
from modelward.kernel.errors import Invalid

Values: TypeAlias = tuple[str | None, ...]

POOL = -1
COUNTED_MAX = 100_000
_DENSE_MAX = 1 << 20


class Split(msgspec.Struct, frozen=True):
    """The rows of a batch put in order of their groups: places to take, and (group, from, to) of each run."""

    order: Any
    runs: tuple[tuple[int, int, int], ...]


class Grouping:
    """Gives each group of rows a number, up to a limit; what comes later belongs to the pool.

    Within one batch the larger groups come first; across batches those that came first, unless ``chosen`` says which.
    """

    def __init__(self, by: tuple[str, ...], limit: int, chosen: Iterable[Values] | None = None) -> None:
        """Begin with no groups, or with just the chosen ones."""
        self.by, self.limit = by, limit
        self.numbers: dict[Values, int] = {}
        self.rows: dict[int, int] = {}
        self.admits = chosen is None
        for values in chosen or ():
            self.numbers[values] = len(self.numbers)

    def split(self, arrays: list[Any]) -> Split:
        """Tell the groups of the rows of a batch, given its segment columns."""
        distinct, inverse, counts = groups_of(arrays, self.by)
        numbers = np.full(len(distinct), POOL, np.int32)
        for place in np.argsort(-counts, kind="stable"):
            values = distinct[place]
            if values not in self.numbers and self.admits and len(self.numbers) < self.limit:
                self.numbers[values] = len(self.numbers)
            numbers[place] = self.numbers.get(values, POOL)
            self.rows[int(numbers[place])] = self.rows.get(int(numbers[place]), 0) + int(counts[place])
        of_rows = numbers[inverse]
        order = np.argsort(of_rows, kind="stable")
        ordered = of_rows[order]
        starts = (
            np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1]))) if ordered.size else np.zeros(0, int)
        )
        ends = np.append(starts[1:], ordered.size)
        runs = tuple((int(ordered[a]), int(a), int(b)) for a, b in zip(starts, ends, strict=True))
        return Split(indices(order), runs)

    def finish(self, columns: dict[str, "GroupedAccumulator"]) -> Segments:
        """Tell the figures of every group."""
        groups, pooled = [], None
        for values, number in self.numbers.items():
            if number in self.rows:
                groups.append(Segment(values=values, rows=self.rows[number], columns=_finished(columns, number)))
        if POOL in self.rows:
            pooled = Segment(values=(), rows=self.rows[POOL], columns=_finished(columns, POOL))
        return Segments.of_groups(self.by, self.limit, groups, pooled)


def _finished(columns: dict[str, "GroupedAccumulator"], number: int) -> dict[str, ColumnProfile]:
    return {name: column.parts[number].finish(name) for name, column in columns.items()}


class GroupedAccumulator:
    """The accumulator of a column, and one more for each group."""

    def __init__(self, kind: Any) -> None:
        """Begin with no rows."""
        self.kind = kind
        self.whole = accumulator_for(kind)
        self.parts: dict[int, Accumulator] = {}

    def add(self, array: Any, split: Split) -> None:
        """Take a part of the column, with the groups of its rows."""
        self.whole.add(array)
        ordered = array.take(split.order)
        for number, start, end in split.runs:
            if number not in self.parts:
                self.parts[number] = accumulator_for(self.kind)
            self.parts[number].add(ordered.slice(start, end - start))


def groups_of(
    arrays: list[Any], by: tuple[str, ...]
) -> tuple[list[Values], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The different combinations of values, the place of each row among them, and their numbers of rows."""
    sides = [_coded(array, name) for array, name in zip(arrays, by, strict=True)]
    combined = np.zeros(len(arrays[0]), np.int64)
    for codes, texts in sides:
        # With at most three columns of fewer than 2^21 different values each, the product fits.
        combined = combined * len(texts) + codes
    size = int(np.prod([len(texts) for _, texts in sides], dtype=np.float64))
    if size <= _DENSE_MAX:
        table = np.bincount(combined, minlength=size)
        found = np.flatnonzero(table)
        places = np.zeros(size, np.int64)
        places[found] = np.arange(found.size)
        inverse, counts = places[combined], table[found]
    else:
        found, inverse, counts = np.unique(combined, return_inverse=True, return_counts=True)
    return [_values(int(code), sides) for code in found], inverse, counts


def _values(code: int, sides: list[tuple[npt.NDArray[np.int64], list[str | None]]]) -> Values:
    values: list[str | None] = []
    for _, texts in reversed(sides):
        code, place = divmod(code, len(texts))
        values.append(texts[place])
    return tuple(reversed(values))


def _coded(array: Any, name: str) -> tuple[npt.NDArray[np.int64], list[str | None]]:
    """Codes of the rows and the texts they stand for; the first stands for no value."""
    try:
        if not pa.types.is_dictionary(array.type):
            array = pc.dictionary_encode(array.cast(pa.large_string()))
        texts = array.dictionary.cast(pa.large_string()).to_pylist()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as problem:
        raise Invalid(f"Column {name!r} is {array.type}, by which no groups can be made.", field=name) from problem
    codes = fixed_width(array.indices, width_of(array.indices.type)).astype(np.int64) + 1
    mask = valid_mask(array.indices)
    if mask is not None:
        codes = np.where(mask, codes, 0)
    # A dictionary may hold a text twice, or a null.
    first: dict[str | None, int] = {None: 0}
    places = np.array([0, *(first.setdefault(text, len(first)) for text in texts)], np.int64)
    return places[codes], list(first)


def largest(batches: Iterable[Any], by: tuple[str, ...], limit: int) -> list[Values] | None:
    """The groups with the most rows; None where there are too many different ones to count."""
    counts: dict[Values, int] = {}
    for batch in batches:
        distinct, _, sizes = groups_of([batch.column(name) for name in by], by)
        for values, size in zip(distinct, sizes.tolist(), strict=True):
            counts[values] = counts.get(values, 0) + size
        if len(counts) > COUNTED_MAX:
            return None
    ranked = sorted(counts, key=lambda values: (-counts[values], tuple((v is not None, v or "") for v in values)))
    return ranked[:limit]
