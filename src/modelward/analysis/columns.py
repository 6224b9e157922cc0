"""What is known of one column: small, additive figures. No reading of files; see accumulate.py."""

import math
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import msgspec
import numpy as np

from modelward.analysis.sketches import Categories, Distinct, Histogram, mixed_bits
from modelward.kernel.errors import Invalid

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


class TypeChanged(Exception):
    """A late row does not fit the type that the first 20 000 rows gave a column; reading must begin again."""


class Kind(StrEnum):
    """What a column holds. ``unknown``: no value was seen, or a kind that is only counted (lists, structs, bytes)."""

    INTEGRAL = "integral"
    FRACTIONAL = "fractional"
    BOOLEAN = "boolean"
    STRING = "string"
    TIMESTAMP = "timestamp"
    UNKNOWN = "unknown"


NUMERIC = frozenset({Kind.INTEGRAL, Kind.FRACTIONAL})


class Lengths(msgspec.Struct, frozen=True):
    """Lengths of texts in characters: over all present rows."""

    shortest: int
    longest: int
    total: int

    def __add__(self, other: "Lengths") -> "Lengths":
        return Lengths(min(self.shortest, other.shortest), max(self.longest, other.longest), self.total + other.total)


class ColumnProfile(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one column.

    ``present`` + ``missing`` is the number of rows. Missing are nulls and NaN (``not_a_number`` tells how many NaN).
    Infinite values are present and counted in ``infinite``, but stand outside sum, sd, minimum, maximum and histogram.
    ``sum`` and ``deviations`` (the sum of squared distances to the mean) are the only figures that depend on the order
    of adding, by rounding alone: at most 1e-12 of the sum of magnitudes. Times are seconds since 1970 in UTC.
    """

    name: str
    kind: Kind = Kind.UNKNOWN
    present: int = 0
    missing: int = 0
    not_a_number: int = 0
    infinite: int = 0
    whole: bool = True
    rounded: bool = False
    sum: float = 0.0
    deviations: float = 0.0
    minimum: float | None = None
    maximum: float | None = None
    histogram: Histogram | None = None
    categories: Categories | None = None
    sketch: Distinct | None = None
    lengths: Lengths | None = None
    numeric_texts: int = 0

    @property
    def rows(self) -> int:
        """Number of rows, with and without a value."""
        return self.present + self.missing

    @property
    def completeness(self) -> float | None:
        """Share of rows with a value, in [0, 1]; None for no rows."""
        return self.present / self.rows if self.rows else None

    @property
    def finite(self) -> int:
        """Number of rows with a finite number."""
        return self.present - self.infinite if self.histogram is not None else 0

    @property
    def mean(self) -> float | None:
        """Arithmetic mean of the finite values; None where there are none."""
        return self.sum / self.finite if self.finite else None

    @property
    def sd(self) -> float | None:
        """Population standard deviation of the finite values; None where there are none."""
        return math.sqrt(max(0.0, self.deviations) / self.finite) if self.finite else None

    @property
    def distinct(self) -> int | None:
        """Number of different values: exact while all were kept, else within 3 % (one standard error) and no more than rows."""
        if self.sketch is not None:
            return min(round(self.sketch.estimate()), self.present)
        if self.histogram is not None:
            return len(self.histogram.keys) // 8
        if self.categories is not None:
            return len(self.categories.counts)
        return None

    @property
    def distinct_exact(self) -> bool:
        """Whether ``distinct`` is a count and not an estimate."""
        return self.sketch is None and self.distinct is not None

    def __repr__(self) -> str:
        """One line for people; the sketches are bytes that say nothing to the eye."""
        figures = [f"{self.kind}, {self.present:,} of {self.rows:,} present"]
        if self.distinct is not None:
            figures.append(f"{'' if self.distinct_exact else '~'}{self.distinct:,} distinct")
        if self.mean is not None and self.sd is not None and self.kind in NUMERIC:
            figures.append(f"mean {self.mean:.4g}, sd {self.sd:.4g}, {self.minimum:.6g} .. {self.maximum:.6g}")
        return f"<ColumnProfile {self.name!r}: {', '.join(figures)}>"

    def quantile(self, share: float) -> float | None:
        """The value below which this share of the finite values lies; errs by at most 1.6 % of the value."""
        return self.quantiles((share,))[0]

    def quantiles(self, shares: Sequence[float]) -> list[float | None]:
        """The same for several shares at once."""
        low, high = self.minimum, self.maximum
        if self.histogram is None or low is None or high is None:
            return [None] * len(shares)
        return [min(max(value, low), high) for value in self.histogram.quantiles(np.array(shares)).tolist()]

    def __add__(self, other: "ColumnProfile") -> "ColumnProfile":
        kind = joined_kind(self, other)
        return ColumnProfile(
            name=self.name,
            kind=kind,
            present=self.present + other.present,
            missing=self.missing + other.missing,
            not_a_number=self.not_a_number + other.not_a_number,
            infinite=self.infinite + other.infinite,
            whole=self.whole and other.whole,
            rounded=self.rounded or other.rounded,
            sum=self.sum + other.sum,
            deviations=joined_deviations(self, other),
            minimum=_pick(min, self.minimum, other.minimum),
            maximum=_pick(max, self.maximum, other.maximum),
            histogram=added(self.histogram, other.histogram),
            categories=added(self.categories, other.categories),
            sketch=joined_sketch(self, other),
            lengths=added(self.lengths, other.lengths),
            numeric_texts=self.numeric_texts + other.numeric_texts,
        )


def added(left: Any, right: Any) -> Any:
    """The sum, or the one that is there."""
    if left is None or right is None:
        return left if right is None else right
    return left + right


def _pick(choose: Any, left: float | None, right: float | None) -> float | None:
    known = [value for value in (left, right) if value is not None]
    return choose(known) if known else None


def joined_kind(left: ColumnProfile, right: ColumnProfile) -> Kind:
    """The kind of a column made of two parts.

    Raises:
        Invalid: one part holds numbers and the other texts, or any two kinds that do not mix.
    """
    kinds = {left.kind, right.kind} - {Kind.UNKNOWN}
    if len(kinds) <= 1:
        return kinds.pop() if kinds else Kind.UNKNOWN
    if kinds == NUMERIC:
        return Kind.FRACTIONAL
    raise Invalid(
        f"Column {left.name!r} is {left.kind} in one part and {right.kind} in the other, so they cannot be added.",
        field=left.name,
        hint="Give both files to one profile() call, or make the types equal.",
    )


def joined_deviations(left: ColumnProfile, right: ColumnProfile) -> float:
    """Sum of squared distances to the common mean (Chan, Golub, LeVeque 1979)."""
    if left.mean is None or right.mean is None:
        return left.deviations + right.deviations
    apart = left.mean - right.mean
    between = apart * apart * (left.finite / (left.finite + right.finite)) * right.finite
    total = left.deviations + right.deviations + between
    return math.inf if math.isnan(total) else total


def joined_sketch(left: ColumnProfile, right: ColumnProfile) -> Distinct | None:
    """The distinct sketch of both parts; None while all values of both together are kept exactly."""
    if left.histogram is not None or right.histogram is not None:
        histogram = added(left.histogram, right.histogram)
        if histogram.exact:
            return None
        return added(_hashed(left), _hashed(right))  # type: ignore[no-any-return]
    categories = added(left.categories, right.categories)
    if categories is None or categories.exact:
        return None
    return added(_hashed(left), _hashed(right))  # type: ignore[no-any-return]


def _hashed(column: ColumnProfile) -> Distinct | None:
    if column.sketch is not None:
        return column.sketch
    if column.histogram is not None:
        return Distinct.of(mixed_bits(column.histogram.bits()))
    if column.categories is not None:
        from modelward.analysis.hashing import text_hashes

        return Distinct.of(text_hashes(list(column.categories.counts)))
    return None


def joined_columns(
    left: dict[str, ColumnProfile], left_rows: int, right: dict[str, ColumnProfile], right_rows: int
) -> dict[str, ColumnProfile]:
    """The columns of both parts; one that a part lacks is missing in its rows."""
    columns = {}
    for name in [*left, *(name for name in right if name not in left)]:
        before = left.get(name) or ColumnProfile(name=name, missing=left_rows)
        columns[name] = before + (right.get(name) or ColumnProfile(name=name, missing=right_rows))
    return columns


def columns_for_people(columns: dict[str, ColumnProfile], top: int) -> dict[str, Any]:
    """Figures, quantiles and the most frequent values of columns, without the sketches."""
    return {name: _column_for_people(column, top) for name, column in columns.items()}


def _column_for_people(column: ColumnProfile, top: int) -> dict[str, Any]:
    figures: dict[str, Any] = {
        "kind": column.kind.value,
        "present": column.present,
        "missing": column.missing,
        "completeness": column.completeness,
        "distinct": column.distinct,
        "distinct_exact": column.distinct_exact,
    }
    if column.histogram is not None:
        figures |= {
            "mean": column.mean,
            "sum": column.sum,
            "sd": column.sd,
            "minimum": column.minimum,
            "maximum": column.maximum,
            "not_a_number": column.not_a_number,
            "infinite": column.infinite,
            "quantiles": dict(zip(map(str, QUANTILES), column.quantiles(QUANTILES), strict=True)),
        }
    if column.categories is not None:
        figures["top"] = [{"value": text, "count": count} for text, count in column.categories.top(top)]
        figures["other"] = column.categories.other
    if column.lengths is not None:
        figures["lengths"] = column.lengths
    return figures
