"""Counting rows by the values of a few columns, in one pass: what bias and quality metrics are made from."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from modelward.analysis.buffers import fixed_width, pieces, valid_mask, width_of
from modelward.analysis.sources import Source, batches_of
from modelward.analysis.tally_counts import Codes, Counter, Part
from modelward.kernel.errors import Invalid

VALUES_MAX = 10_000
UNKNOWN, BRIEF_MAX = -128, 127


class Coder:
    """Gives each value of a column a number, the same in every batch; a missing value has -1."""

    def __init__(self, column: str, *, above: float | None = None, values_max: int = VALUES_MAX) -> None:
        """Code the values of ``column``; with ``above``, code only whether a number is greater than it."""
        self.column, self.above, self.values_max = column, above, values_max
        self.known: dict[Any, int] = {} if above is None else {False: 0, True: 1}
        self.greatest: float | None = None
        # The codes of numbers from 0 to 127.
        self.brief = np.full(BRIEF_MAX + 1, UNKNOWN, np.int8)

    @property
    def values(self) -> list[Any]:
        """The values in the order of their numbers."""
        return list(self.known)

    def codes(self, array: Any) -> Codes:
        """Code one array.

        Raises:
            Invalid: more values than allowed, or texts where numbers are needed.
        """
        if pa.types.is_null(array.type):
            return np.full(len(array), -1, np.int64)
        if self.above is not None:
            return self._codes_above(array)
        indices, names = self._entries(array)
        codes = fixed_width(indices, width_of(indices.type)).astype(np.int64)
        mask = valid_mask(indices)
        return names[codes if mask is None else np.where(mask, codes, len(names) - 1)]

    def _entries(self, array: Any) -> tuple[Any, Codes]:
        """An array as places in a dictionary, and the number of each entry; the last stands for no value."""
        # Numbers of more than 128 bits come from DuckDB as an extension type, with which Arrow cannot count.
        if pa.types.is_nested(array.type) or isinstance(array.type, pa.BaseExtensionType):
            raise Invalid(
                f"Column {self.column!r} holds {array.type}, whose values cannot be counted.", field=self.column
            )
        if not pa.types.is_dictionary(array.type):
            array = pc.dictionary_encode(array)
        texts = array.dictionary.to_pylist()
        known = self.known
        for value in texts:
            if value is not None and value == value:
                known.setdefault(value, len(known))
        if len(known) > self.values_max:
            raise Invalid(
                f"Column {self.column!r} has more than {self.values_max} different values.",
                field=self.column,
                hint="Give a threshold, or choose a column with groups.",
            )
        return array.indices, np.array([known.get(value, -1) for value in texts] + [-1], np.int64)

    def part(self, array: Any) -> Part:
        """One array by small numbers of its own, and what they are in the whole: cheaper than ``codes``.

        Raises:
            Invalid: as ``codes``.
        """
        kind = array.type
        if self.above is not None or pa.types.is_null(kind) or pa.types.is_integer(kind):
            brief = self.brief_codes(array)
            if brief is not None and brief.min(initial=0) >= 0:
                return Part(brief.view(np.uint8), np.arange(max(len(self.known), 1)))
            codes = self.codes(array)
            return Part(codes + 1, np.arange(-1, len(self.known)))
        indices, names = self._entries(array)
        places = fixed_width(indices, width_of(indices.type))
        mask = valid_mask(indices)
        return Part(places if mask is None else np.where(mask, places, len(names) - 1), names)

    def brief_codes(self, array: Any) -> npt.NDArray[np.int8] | None:
        """Code one array of small integers, or of doubles to be cut, fast; None where ``codes`` has to do it."""
        kind = array.type
        if array.null_count or len(array) == 0:
            return None
        if self.above is not None:
            if kind != pa.float64():
                return None
            values = fixed_width(array, np.float64)
            top = float(values.max())
            if top != top:
                return None
            self.greatest = top if self.greatest is None else max(self.greatest, top)
            return (values > self.above).view(np.int8)
        if not pa.types.is_integer(kind):
            return None
        values = fixed_width(array, width_of(kind))
        if values.min() < 0 or values.max() > BRIEF_MAX:
            return None
        places = values.astype(np.uint8, copy=False)
        codes = self._looked_up(places)
        if codes.min() == UNKNOWN:
            # In their order, so that 0 and 1 mostly are their own codes.
            for value in np.flatnonzero(np.bincount(places)).tolist():
                self.brief[value] = min(self.known.setdefault(value, len(self.known)), BRIEF_MAX)
            if len(self.known) > BRIEF_MAX:
                self.brief[:] = UNKNOWN
                return None
            codes = self._looked_up(places)
        return codes

    def _looked_up(self, places: npt.NDArray[np.uint8]) -> npt.NDArray[np.int8]:
        top = int(places.max())
        if np.array_equal(self.brief[: top + 1], np.arange(top + 1)):
            return places.view(np.int8)
        codes = np.empty(places.size, np.int8)
        for piece in pieces(places.size):
            codes[piece] = self.brief.take(places[piece])
        return codes

    def _codes_above(self, array: Any) -> Codes:
        kind = array.type.value_type if pa.types.is_dictionary(array.type) else array.type
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
            raise Invalid(
                f"Column {self.column!r} holds {kind}, so no threshold can be set on it.",
                field=self.column,
                hint="Name a value instead.",
            )
        numbers = array.cast(pa.float64())
        mask = valid_mask(numbers)
        values = fixed_width(numbers, np.float64)
        present = ~np.isnan(values) if mask is None else mask & ~np.isnan(values)
        if present.any():
            top = float(values[present].max())
            self.greatest = top if self.greatest is None else max(self.greatest, top)
        return np.where(present, (values > self.above).astype(np.int64), -1)


class Tally:
    """Rows counted by the values of some columns; rows that lack one of them are counted apart."""

    def __init__(self, coders: list[Coder], counts: npt.NDArray[np.int64], rows: int, incomplete: int) -> None:
        """Keep the counts: one axis per coder."""
        self.coders, self.counts, self.rows, self.incomplete = coders, counts, rows, incomplete


def tally(source: Source, coders: list[Coder]) -> Tally:
    """Count the rows of a table by the values of the coders' columns.

    Raises:
        Invalid, NotFound: as for reading; or too many combinations of values.
    """
    return tallies(source, [coders])[0]


def tallies(source: Source, questions: list[list[Coder]]) -> list[Tally]:
    """Several counts in one pass; a coder that several of them hold codes each batch once.

    Raises:
        Invalid, NotFound: as for reading; or too many combinations of values.
    """
    coders = list({id(coder): coder for asked in questions for coder in asked}.values())
    columns = list(dict.fromkeys(coder.column for coder in coders))
    # One table of all columns answers every question; where it would be large, each question has its own.
    counters = [Counter(coders)]
    shared = True
    for batch in batches_of(source, columns, ahead=True):
        parts = {id(coder): coder.part(batch.column(columns.index(coder.column))) for coder in coders}
        if shared and not counters[0].fits():
            shared, joint = False, counters[0]
            counters = [Counter(asked) for asked in questions]
            for counter in counters:
                counter.take(joint)
        for counter in counters:
            counter.add([parts[id(coder)] for coder in counter.coders], batch.num_rows)
    found = []
    for place, asked in enumerate(questions):
        counter = counters[0 if shared else place]
        counts, incomplete = counter.counts(asked)
        found.append(Tally(asked, counts, counter.rows, incomplete))
    return found


def same_value(left: object, right: object) -> bool:
    """Whether two values are the same to a person: 1, 1.0, True and "1" are."""
    return left == right or str(left) == str(right)


def favourable_mask(column: str, values: list[Any], wanted: object) -> npt.NDArray[np.bool_]:
    """Which values count as favourable.

    Args:
        column: the column, for the message.
        values: the values it holds.
        wanted: a value, a list of values, or None for 1 or true where the column holds nothing but 0 and 1.

    Raises:
        Invalid: none of the wanted values occurs, or none was named and the column is not of 0 and 1.
    """
    if wanted is None:
        if values and all(isinstance(value, bool | int | float) and value in (0, 1) for value in values):
            return np.array([favours(value, None) for value in values], bool)
        raise Invalid(
            f"Column {column!r} holds {_listed(values)}: which of them is favourable must be said.",
            field=column,
            hint="Name it with favourable= (bias) or positive= (quality).",
        )
    several = list(wanted) if isinstance(wanted, list | tuple | set | frozenset) else [wanted]
    mask = np.array([favours(value, several) for value in values], bool)
    # Of 0 and 1 it is plain that one of them did not happen to occur; of other values it may be a slip of the pen.
    if values and not mask.any() and not _zeros_and_ones([*values, *several]):
        raise Invalid(f"Column {column!r} does not hold {_listed(several)}; it holds {_listed(values)}.", field=column)
    return mask


def _zeros_and_ones(values: list[Any]) -> bool:
    return all(any(same_value(value, one) for one in (0, 1, False, True)) for value in values)


def favours(value: object, wanted: object) -> bool:
    """Whether one value counts as favourable, without the checks of ``favourable_mask``."""
    if wanted is None:
        return isinstance(value, bool | int | float) and value == 1
    several = wanted if isinstance(wanted, list | tuple | set | frozenset) else [wanted]
    return any(same_value(value, one) for one in several)


def _listed(values: list[Any]) -> str:
    shown = ", ".join(sorted(repr(value)[:40] for value in values)[:8])
    return shown + (", ..." if len(values) > 8 else "") if values else "no value"


def is_number(kind: Any) -> bool:
    """Whether an Arrow type holds numbers, or nothing at all."""
    kinds = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_null)
    return any(is_kind(kind) for is_kind in kinds)
