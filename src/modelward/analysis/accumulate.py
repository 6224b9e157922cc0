"""From Arrow columns to column profiles, batch by batch: the kernel of the one pass. Reads buffers, never pandas."""

import math
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from modelward.analysis.buffers import (
    fixed_width,
    indices,
    is_text,
    valid_bits,
    valid_mask,
    width_of,
)
from modelward.analysis.hashing import arrow_text_hashes, text_hashes
from modelward.analysis.profiles import ColumnProfile, Kind, Lengths
from modelward.analysis.sketches import (
    BINS_MAX,
    CATEGORIES_MAX,
    Bits,
    Categories,
    Counts,
    Distinct,
    DistinctGathering,
    Floats,
    Histogram,
    canonical,
    mixed_bits,
    sum_by_key,
)

# 32 Ki doubles are 256 KiB: every pass after the first reads from the processor's cache (measured: 1.3x faster than 64 Ki).
BLOCK_ROWS = 32_768
# Short first blocks find the resolution that is needed, so that the long ones never meet 32 Ki different keys.
FIRST_BLOCKS_ROWS = (4_096, 16_384)
DENSE_KEYS_MAX = 32_768
# Of a thousand columns or more each call counts, and sorting is the shortest.
FEW_KEYS = 2_048
PENDING_MAX = 8_192
EXACT_INTEGER_MAX = float(1 << 53)

NUMBER = r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$"

_ONE = np.uint64(1)
_SIGN_PLACE = np.uint64(63)
_LAST_BIT_OFF = ~np.uint64(1)
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


class Accumulator(Protocol):
    """Takes the arrays of one column in any number of parts, then tells its profile."""

    def add(self, array: Any) -> None:
        """Take a part of the column."""

    def finish(self, name: str) -> ColumnProfile:
        """Tell the profile of all parts."""


def accumulator_for(kind: Any) -> Accumulator:
    """Choose the accumulator for an Arrow type; kinds without one are only counted."""
    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    if is_text(inner):
        return TextAccumulator()
    if pa.types.is_boolean(inner):
        return BooleanAccumulator()
    if pa.types.is_integer(inner):
        return NumberAccumulator(Kind.INTEGRAL)
    if pa.types.is_floating(inner) or pa.types.is_decimal(inner) or pa.types.is_duration(inner):
        return NumberAccumulator(Kind.FRACTIONAL)
    if pa.types.is_timestamp(inner) or pa.types.is_date(inner):
        return NumberAccumulator(Kind.TIMESTAMP)
    return OpaqueAccumulator()


def doubles(array: Any) -> tuple[Floats, bool]:
    """The present values of a numeric or time column as doubles, and whether rounding was needed to make them so."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        array = array.dictionary_decode()
        kind = array.type
    if pa.types.is_date32(kind):
        scale, array = 86_400.0, array.view(pa.int32())
    elif pa.types.is_date64(kind):
        scale, array = 1e-3, array.view(pa.int64())
    elif pa.types.is_timestamp(kind) or pa.types.is_duration(kind):
        scale, array = 1 / _PER_SECOND[kind.unit], array.view(pa.int64())
    else:
        scale = 1.0
    if pa.types.is_decimal(array.type) or array.type == pa.float16():
        array = array.cast(pa.float64())
    values = fixed_width(array, width_of(array.type))
    mask = valid_mask(array)
    if mask is not None:
        values = values[mask]
    rounded = False
    if values.dtype.kind in "iu" and values.dtype.itemsize == 8 and values.size:
        rounded = int(values.max()) > 1 << 53 or int(values.min()) < -(1 << 53)
    numbers = values.astype(np.float64, copy=False)
    return (numbers if scale == 1.0 else numbers * scale), rounded and scale == 1.0


class NumberAccumulator:
    """Moments, extremes, histogram and distinct sketch of a numeric or time column."""

    def __init__(self, kind: Kind) -> None:
        """Begin with no rows."""
        self.kind = kind
        self.missing = self.not_a_number = self.infinite = self.present = 0
        self.whole = True
        self.rounded = False
        self.minimum, self.maximum = math.inf, -math.inf
        self.blocks: list[tuple[int, float, float]] = []
        self.shift = 0
        self.pending: list[tuple[Bits, Counts]] = []
        self.pending_size = 0
        self.sketch: DistinctGathering | None = None

    def add(self, array: Any) -> None:
        """Take a part of the column."""
        self.missing += array.null_count
        values, rounded = doubles(array)
        self.rounded |= rounded
        start = 0
        while start < values.size:
            seen = len(self.blocks)
            size = FIRST_BLOCKS_ROWS[seen] if seen < len(FIRST_BLOCKS_ROWS) else BLOCK_ROWS
            self._add_block(values[start : start + size])
            start += size

    def _add_block(self, x: Floats) -> None:
        low, high = float(x.min()), float(x.max())
        if not (math.isfinite(low) and math.isfinite(high)):
            x = self._without_special(x)
            if x.size == 0:
                return
            low, high = float(x.min()), float(x.max())
        if low <= 0.0 <= high:
            x = x + 0.0  # Minus zero and zero are one value.
        self.present += x.size
        self.minimum, self.maximum = min(self.minimum, low), max(self.maximum, high)
        with np.errstate(over="ignore", invalid="ignore"):
            total = float(x.sum())
            apart = x - total / x.size
            self.blocks.append((x.size, total, float(np.einsum("i,i->", apart, apart))))
        if self.whole and self.kind is not Kind.INTEGRAL:
            self.whole = float(x[0]).is_integer() and bool((np.rint(x) == x).all())
        bits = x.view(np.uint64)
        if self.sketch is not None:
            self.sketch.add(mixed_bits(bits))
        self._count(bits, x, low, high)

    def _without_special(self, x: Floats) -> Floats:
        missing = int(np.isnan(x).sum())
        finite = x[np.isfinite(x)]
        infinite = x.size - missing - finite.size
        self.not_a_number += missing
        self.missing += missing
        self.infinite += infinite
        self.present += infinite
        return finite

    def _count(self, bits: Bits, x: Floats, low: float, high: float) -> None:
        shift = np.uint64(self.shift)
        if (
            self.whole
            and high - low < (DENSE_KEYS_MAX if x.size > FEW_KEYS else 2 * x.size)
            and abs(low) < EXACT_INTEGER_MAX
        ):
            found = np.bincount((x - low).astype(np.int64))
            places = np.flatnonzero(found)
            keys, counts = (places + low).view(np.uint64) >> shift, found[places]
        elif low >= 0.0 or high < 0.0:
            keys, counts = counted(bits >> shift)
        else:
            # Sign last: magnitudes of both signs then lie close together, and the dense count stays small.
            folded, found = counted((((bits << _ONE) >> shift) & _LAST_BIT_OFF) | (bits >> _SIGN_PLACE))
            sign = (folded & _ONE) << (_SIGN_PLACE - shift)
            keys, counts = (folded >> _ONE) | sign, found
        self.pending.append((keys, counts))
        self.pending_size += keys.size
        if self.pending_size > PENDING_MAX or len(self.blocks) <= len(FIRST_BLOCKS_ROWS):
            self._consolidate()

    def _consolidate(self) -> None:
        keys = np.concatenate([keys for keys, _ in self.pending])
        counts = np.concatenate([counts for _, counts in self.pending])
        keys, counts = sum_by_key(keys, counts)
        if self.shift == 0 and keys.size > BINS_MAX:
            # The last moment at which every value so far is known.
            self.sketch = DistinctGathering(mixed_bits(keys))
        self.shift, keys, counts = canonical(self.shift, keys, counts)
        self.pending, self.pending_size = [(keys, counts)], keys.size

    def finish(self, name: str) -> ColumnProfile:
        """Tell the profile of all parts."""
        present = self.present > self.infinite
        if present:
            self._consolidate()
        finite = sum(size for size, _, _ in self.blocks)
        total = _fsum([total for _, total, _ in self.blocks])
        mean = total / finite if finite else 0.0
        within = _fsum([deviations for _, _, deviations in self.blocks])
        between = _fsum([size * (total / size - mean) * (total / size - mean) for size, total, _ in self.blocks])
        return ColumnProfile(
            name=name,
            kind=self.kind if self.present else Kind.UNKNOWN,
            present=self.present,
            missing=self.missing,
            not_a_number=self.not_a_number,
            infinite=self.infinite,
            whole=self.whole,
            rounded=self.rounded,
            sum=total,
            deviations=within + between,
            minimum=self.minimum if present else None,
            maximum=self.maximum if present else None,
            histogram=Histogram.of(self.shift, *self.pending[0]) if present else None,
            sketch=self.sketch.sketch() if self.sketch is not None else None,
        )


def _fsum(values: list[float]) -> float:
    try:
        total = math.fsum(values)
        return math.inf if math.isnan(total) else total
    except (OverflowError, ValueError):
        # Sums beyond 1e308 have no finite answer; infinity says so.
        return math.inf


def counted(keys: Bits) -> tuple[Bits, Counts]:
    """Count equal keys: few by sorting, many by a table when they lie close together, else by Arrow's hash table."""
    if keys.size <= FEW_KEYS:
        ordered = np.sort(keys)
        starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
        return ordered[starts], np.diff(starts, append=keys.size)
    low, high = keys.min(), keys.max()
    if low <= 1 and int(high) >= DENSE_KEYS_MAX:
        # Zeros lie far from all other keys, and are often many.
        others = keys[keys > 1]
        found, counts = counted(others) if others.size else (others, np.zeros(0, np.int64))
        small = np.bincount(keys[keys <= 1].view(np.int64))
        places = np.flatnonzero(small)
        return np.concatenate((places.view(np.uint64), found)), np.concatenate((small[places], counts))
    if int(high) - int(low) < DENSE_KEYS_MAX:
        table = np.bincount((keys - low).view(np.int64))
        places = np.flatnonzero(table)
        return places.view(np.uint64) + low, table[places]
    pairs = pc.value_counts(pa.Array.from_buffers(pa.uint64(), keys.size, [None, pa.py_buffer(keys)]))
    return fixed_width(pairs.field(0), np.uint64), fixed_width(pairs.field(1), np.int64)


class TextAccumulator:
    """Category counts, lengths and distinct sketch of a text column, by its dictionaries."""

    def __init__(self) -> None:
        """Begin with no rows."""
        self.present = self.missing = self.numeric = self.characters = 0
        self.shortest, self.longest = -1, -1
        self.counts: dict[str, int] = {}
        self.overflowed = Categories()
        self.sketch: Distinct | None = None

    def add(self, array: Any) -> None:
        """Take a part of the column."""
        if not pa.types.is_dictionary(array.type):
            array = pc.dictionary_encode(array.cast(pa.large_string()))
        texts = array.dictionary.cast(pa.large_string())
        codes = fixed_width(array.indices, width_of(array.indices.type))
        mask = valid_mask(array.indices)
        codes = codes if mask is None else codes[mask]
        counts = np.bincount(codes, minlength=len(texts))
        if texts.null_count:
            counts[~_texts_present(texts)] = 0
        self.missing += len(array) - int(counts.sum())
        used = np.flatnonzero(counts)
        if used.size == 0:
            return
        if used.size < len(texts):
            texts = texts.take(indices(used))
            counts = counts[used]
        self._add_counts(texts, counts)

    def _add_counts(self, texts: Any, counts: Counts) -> None:
        self.present += int(counts.sum())
        lengths = fixed_width(pc.utf8_length(texts), np.int64)
        self.characters += int(np.einsum("i,i->", lengths, counts))
        self.shortest = int(lengths.min()) if self.shortest < 0 else min(self.shortest, int(lengths.min()))
        self.longest = max(self.longest, int(lengths.max()))
        numeric = valid_bits(pc.match_substring_regex(texts, NUMBER))
        self.numeric += int(counts[numeric].sum())
        if self.sketch is not None:
            self.sketch = self.sketch.with_hashes(arrow_text_hashes(texts))
        known = self.counts
        for text, count in zip(texts.to_pylist(), counts.tolist(), strict=True):
            known[text] = known.get(text, 0) + count
        if len(known) > CATEGORIES_MAX:
            kept = Categories.of(known)
            if self.sketch is None:
                self.sketch = Distinct.of(text_hashes(list(known)))
            self.overflowed += Categories({}, kept.other, kept.error)
            self.counts = dict(kept.counts)

    def finish(self, name: str) -> ColumnProfile:
        """Tell the profile of all parts."""
        return ColumnProfile(
            name=name,
            kind=Kind.STRING if self.present else Kind.UNKNOWN,
            present=self.present,
            missing=self.missing,
            categories=Categories.of(self.counts, self.overflowed.other, self.overflowed.error)
            if self.present
            else None,
            lengths=Lengths(self.shortest, self.longest, self.characters) if self.present else None,
            numeric_texts=self.numeric,
            sketch=self.sketch,
        )


def _texts_present(texts: Any) -> npt.NDArray[np.bool_]:
    mask = valid_mask(texts)
    return np.ones(len(texts), bool) if mask is None else mask


class BooleanAccumulator:
    """Counts of true and false."""

    def __init__(self) -> None:
        """Begin with no rows."""
        self.true = self.false = self.missing = 0

    def add(self, array: Any) -> None:
        """Take a part of the column."""
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        present = len(array) - array.null_count
        mask = valid_mask(array)
        bits = valid_bits(array) if len(array) else np.zeros(0, bool)
        true = int((bits if mask is None else bits & mask).sum())
        self.true += true
        self.false += present - true
        self.missing += array.null_count

    def finish(self, name: str) -> ColumnProfile:
        """Tell the profile of all parts."""
        counts = {text: count for text, count in (("false", self.false), ("true", self.true)) if count}
        return ColumnProfile(
            name=name,
            kind=Kind.BOOLEAN if counts else Kind.UNKNOWN,
            present=self.true + self.false,
            missing=self.missing,
            categories=Categories.of(counts) if counts else None,
        )


class OpaqueAccumulator:
    """Counts of present and missing, for kinds that are not analysed."""

    def __init__(self) -> None:
        """Begin with no rows."""
        self.present = self.missing = 0

    def add(self, array: Any) -> None:
        """Take a part of the column."""
        self.missing += array.null_count
        self.present += len(array) - array.null_count

    def finish(self, name: str) -> ColumnProfile:
        """Tell the profile of all parts."""
        return ColumnProfile(name=name, present=self.present, missing=self.missing)
