"""Small summaries of many values that add up exactly: a histogram over float bits, a distinct count, category counts.

Each summary is canonical: it depends on the set of rows only, not on their order or on how they were cut into parts.
That is what makes ``profile(a) + profile(b) == profile(a ++ b)`` true. The one exception is ``Categories`` after it
has overflowed, which states its error.
"""

import msgspec
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bits = npt.NDArray[np.uint64]
Counts = npt.NDArray[np.int64]

# 2048 bins give a resolution far below 1.6 % for any column that spans less than sixty octaves.
BINS_MAX = 2048
# Dropping 47 bits leaves sign, exponent and 5 bits of the mantissa: bins 1/32 wide, so the middle errs by at most 1.6 %.
SHIFT_MAX = 47
DISTINCT_HASHES = 1024
CATEGORIES_MAX = 4096

_SIGN = np.uint64(1 << 63)


def sum_by_key(keys: Bits, counts: Counts) -> tuple[Bits, Counts]:
    """Sort keys and add the counts of equal ones; as they are where they increase already."""
    if keys.size == 0 or bool((keys[1:] > keys[:-1]).all()):
        return keys, counts
    order = np.argsort(keys, kind="stable")
    keys, counts = keys[order], counts[order]
    starts = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
    return keys[starts], np.add.reduceat(counts, starts)


def canonical(shift: int, keys: Bits, counts: Counts) -> tuple[int, Bits, Counts]:
    """Drop as few low bits as needed for at most ``BINS_MAX`` bins, but never more than ``SHIFT_MAX`` bits.

    The needed shift never falls when rows are added, so every part of a table is kept at least as fine as the whole.
    """
    keys, counts = sum_by_key(keys, counts)
    if keys.size <= BINS_MAX or shift >= SHIFT_MAX:
        return shift, keys, counts
    # Two neighbours fall into one bin once all bits in which they differ are dropped.
    differences = np.sort(keys[1:] ^ keys[:-1])[::-1]
    drop = min(int(differences[BINS_MAX - 1]).bit_length(), SHIFT_MAX - shift)
    return shift + drop, *sum_by_key(keys >> np.uint64(drop), counts)


def mixed_bits(bits: Bits) -> Bits:
    """Scatter 64-bit words evenly (the finaliser of SplitMix64, Steele et al. 2014)."""
    z = bits + np.uint64(0x9E3779B97F4A7C15)
    shifted = np.empty_like(z)
    for distance, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        np.right_shift(z, np.uint64(distance), out=shifted)
        z ^= shifted
        z *= np.uint64(factor)
    np.right_shift(z, np.uint64(31), out=shifted)
    z ^= shifted
    return z


def middles(keys: Bits, shift: int) -> Floats:
    """The middle of each bin; zero for the bin that holds zero."""
    values: Floats = ((keys << np.uint64(shift)) | np.uint64((1 << shift) >> 1)).view(np.float64)
    values[keys == 0] = 0.0
    return values


class Histogram(msgspec.Struct, frozen=True):
    """Counts of numbers by the top bits of their IEEE-754 double, without edges to choose.

    ``keys`` are increasing little-endian uint64: the bits of the value without its ``shift`` low bits; ``counts`` are
    int64 of the same length. At ``shift`` 0 every value is kept exactly. At most 2048 bins unless ``shift`` is 47,
    where a bin is at most 1/32 of its value wide: quantiles err by at most 1.6 % of the value.
    """

    shift: int = 0
    keys: bytes = b""
    counts: bytes = b""

    @classmethod
    def of(cls, shift: int, keys: Bits, counts: Counts) -> "Histogram":
        """Make the canonical histogram of these bins."""
        shift, keys, counts = canonical(shift, keys, counts)
        return cls(shift, keys.astype("<u8").tobytes(), counts.astype("<i8").tobytes())

    @property
    def exact(self) -> bool:
        """Whether every value is kept as it was."""
        return self.shift == 0

    def arrays(self) -> tuple[Bits, Counts]:
        """The bins as arrays: keys and counts."""
        return np.frombuffer(self.keys, "<u8"), np.frombuffer(self.counts, "<i8")

    def bits(self) -> Bits:
        """The bits of the edge of each bin that lies nearest to zero; for an exact histogram the values themselves."""
        return self.arrays()[0] << np.uint64(self.shift)

    def __repr__(self) -> str:
        return f"<Histogram of {len(self.keys) // 8:,} bins, {'exact' if self.exact else f'shift {self.shift}'}>"

    def __add__(self, other: "Histogram") -> "Histogram":
        shift = max(self.shift, other.shift)
        left, right = self.arrays(), other.arrays()
        keys = np.concatenate((left[0] >> np.uint64(shift - self.shift), right[0] >> np.uint64(shift - other.shift)))
        return Histogram.of(shift, keys, np.concatenate((left[1], right[1])))

    def points(self) -> tuple[Floats, Counts]:
        """The middle of each bin in increasing order, with its count."""
        keys, counts = self.arrays()
        values = middles(keys, self.shift)
        negative = int(np.searchsorted(keys, _SIGN >> np.uint64(self.shift)))
        return (
            np.concatenate((values[negative:][::-1], values[:negative])),
            np.concatenate((counts[negative:][::-1], counts[:negative])),
        )

    def intervals(self) -> tuple[Floats, Floats, Counts]:
        """The least and greatest value of each bin, with its count, in no particular order."""
        keys, counts = self.arrays()
        near = (keys << np.uint64(self.shift)).view(np.float64)
        far = ((keys << np.uint64(self.shift)) | np.uint64((1 << self.shift) - 1)).view(np.float64)
        return np.minimum(near, far), np.maximum(near, far), counts

    def quantiles(self, shares: Floats) -> Floats:
        """Values below which these shares of the rows lie (lower quantile); not a number where there are no rows."""
        values, counts = self.points()
        if values.size == 0:
            return np.full(len(shares), np.nan)
        running = np.cumsum(counts)
        places = np.searchsorted(running, np.asarray(shares) * running[-1], side="left")
        found: Floats = values[np.minimum(places, values.size - 1)]
        return found


def aligned(left: Histogram, right: Histogram) -> tuple[Floats, Counts, Counts]:
    """Put two histograms on one axis: middles of the common bins in increasing order, and both counts."""
    shift = max(left.shift, right.shift)
    sides = []
    for side in (left, right):
        keys, counts = side.arrays()
        sides.append(sum_by_key(keys >> np.uint64(shift - side.shift), counts))
    # Not numpy's union: it imports its masked arrays first, which costs more than the whole comparison.
    axis = np.sort(np.concatenate((sides[0][0], sides[1][0])))
    axis = axis[np.concatenate(([True], axis[1:] != axis[:-1]))] if axis.size else axis
    rows = []
    for keys, counts in sides:
        row = np.zeros(axis.size, np.int64)
        row[np.searchsorted(axis, keys)] = counts
        rows.append(row)
    negative = int(np.searchsorted(axis, _SIGN >> np.uint64(shift)))
    order = np.concatenate((np.arange(axis.size - 1, negative - 1, -1), np.arange(negative)))
    return middles(axis, shift)[order], rows[0][order], rows[1][order]


class Distinct(msgspec.Struct, frozen=True):
    """The 1024 smallest of the hashes of all values: the number of distinct values within 3 % (one standard error).

    Source: Bar-Yossef et al. 2002 and Beyer et al. 2007 (k minimum values): (k - 1) / (k-th smallest hash as a share).
    """

    hashes: bytes = b""

    @classmethod
    def of(cls, hashes: Bits) -> "Distinct":
        """Keep the smallest hashes."""
        # Sorting is quicker here than numpy's unique, which builds a hash table first.
        ordered = np.sort(hashes)
        kept = ordered[np.concatenate(([True], ordered[1:] != ordered[:-1]))] if ordered.size else ordered
        return cls(kept[:DISTINCT_HASHES].astype("<u8").tobytes())

    def array(self) -> Bits:
        """The hashes, increasing."""
        return np.frombuffer(self.hashes, "<u8")

    def with_hashes(self, hashes: Bits) -> "Distinct":
        """Add hashes; those that cannot be among the smallest cost one comparison each."""
        kept = self.array()
        if kept.size == DISTINCT_HASHES:
            hashes = hashes[hashes < kept[-1]]
        return Distinct.of(np.concatenate((kept, hashes))) if hashes.size else self

    def __repr__(self) -> str:
        return f"<Distinct of {self.estimate():,.0f} values>"

    def __add__(self, other: "Distinct") -> "Distinct":
        return self.with_hashes(other.array())

    def estimate(self) -> float:
        """The number of distinct values; exact below 1024."""
        kept = self.array()
        if kept.size < DISTINCT_HASHES:
            return float(kept.size)
        return (DISTINCT_HASHES - 1) / (float(kept[-1]) / 2.0**64)


class DistinctGathering:
    """Gathers hashes into a ``Distinct``: many are looked at before the smallest are sorted out again."""

    def __init__(self, hashes: Bits) -> None:
        """Begin with these hashes."""
        self._kept = Distinct.of(hashes).array()
        self._pending: list[Bits] = []
        self._pending_size = 0

    def add(self, hashes: Bits) -> None:
        """Add hashes; those that cannot be among the smallest cost one comparison each."""
        if self._kept.size == DISTINCT_HASHES:
            hashes = hashes[hashes < self._kept[-1]]
        if hashes.size:
            self._pending.append(hashes)
            self._pending_size += hashes.size
        if self._pending_size >= DISTINCT_HASHES:
            self._consolidate()

    def _consolidate(self) -> None:
        self._kept = Distinct.of(np.concatenate((self._kept, *self._pending))).array()
        self._pending, self._pending_size = [], 0

    def sketch(self) -> Distinct:
        """The sketch of all hashes so far."""
        self._consolidate()
        return Distinct(self._kept.tobytes())


class Categories(msgspec.Struct, frozen=True):
    """How often each text occurs: exact up to 4096 different texts, then the frequent half is kept.

    ``other`` is the number of rows whose text was let go; ``error`` is the most by which any single count can be too
    low (Misra & Gries 1982). ``error`` 0 means exact. After an overflow the sum of all counts and ``other`` stays exact,
    single counts hold within ``error``, and the order in which parts are added may change them within it.
    """

    counts: dict[str, int] = {}
    other: int = 0
    error: int = 0

    @classmethod
    def of(cls, counts: dict[str, int], other: int = 0, error: int = 0) -> "Categories":
        """Keep what fits, in the order of the texts so that equal contents are equal bytes."""
        if len(counts) > CATEGORIES_MAX:
            ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
            half = CATEGORIES_MAX // 2
            error += ranked[half][1]
            other += sum(count for _, count in ranked[half:])
            counts = dict(ranked[:half])
        return cls(dict(sorted(counts.items())), other, error)

    @property
    def exact(self) -> bool:
        """Whether every text was kept."""
        return self.error == 0

    @property
    def total(self) -> int:
        """Number of rows counted."""
        return sum(self.counts.values()) + self.other

    def __repr__(self) -> str:
        shown = sorted(self.counts.items(), key=lambda one: (-one[1], one[0]))[:10]
        more = ", ..." if len(self.counts) > len(shown) or self.other else ""
        return f"<Categories {', '.join(f'{text!r}: {count:,}' for text, count in shown)}{more}>"

    def __add__(self, other: "Categories") -> "Categories":
        counts = dict(self.counts)
        for text, count in other.counts.items():
            counts[text] = counts.get(text, 0) + count
        return Categories.of(counts, self.other + other.other, self.error + other.error)

    def top(self, limit: int) -> list[tuple[str, int]]:
        """The most frequent texts with their counts; ties in the order of the texts."""
        return sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))[:limit]
