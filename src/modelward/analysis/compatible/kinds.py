"""What kind of values a column of texts holds, by deequ's rules: Integral, Fractional, Boolean, String or Unknown.

Source: deequ ``DataType.scala`` and ``StatefulDataType.scala`` (2.0.2: exponents allowed). The older container, seen until
2021-08, took numbers with exponents for texts; ``exponents=False`` is that rule.
"""

from enum import StrEnum

import msgspec
import numpy as np
import pyarrow.compute as pc

from modelward.analysis.buffers import indices, valid_bits
from modelward.analysis.compatible.text_columns import NumberColumn, TextColumn

_INTEGRAL = r"^(?:-|\+)? ?\d+$"
_FRACTIONAL = r"^(?:-|\+)? ?\d+(?:(?:\.\d+)|(?:(?:\.\d+)?[Ee][-+]?\d+))$"
_FRACTIONAL_OLD = r"^(?:-|\+)? ?\d+\.\d+$"
_BOOLEAN = r"^(?:true|false)$"


class TextKind(StrEnum):
    """The kinds as the files spell them."""

    INTEGRAL = "Integral"
    FRACTIONAL = "Fractional"
    BOOLEAN = "Boolean"
    STRING = "String"
    UNKNOWN = "Unknown"


class KindCounts(msgspec.Struct, frozen=True):
    """Rows of each kind; rows without a value are not counted."""

    integral: int = 0
    fractional: int = 0
    boolean: int = 0
    string: int = 0

    def __add__(self, other: "KindCounts") -> "KindCounts":
        return KindCounts(
            self.integral + other.integral,
            self.fractional + other.fractional,
            self.boolean + other.boolean,
            self.string + other.string,
        )

    @property
    def kind(self) -> TextKind:
        """The kind of the whole column: one text, or booleans among numbers, make it String."""
        if self.string or (self.boolean and (self.integral or self.fractional)):
            return TextKind.STRING
        if self.boolean:
            return TextKind.BOOLEAN
        if self.fractional:
            return TextKind.FRACTIONAL
        return TextKind.INTEGRAL if self.integral else TextKind.UNKNOWN

    @property
    def numeric(self) -> bool:
        """Whether every value is a number."""
        return self.kind in (TextKind.INTEGRAL, TextKind.FRACTIONAL)

    def share(self, expected: str, *, strict_types: bool = False) -> float | None:
        """Share of the values that are of the expected kind; None without values or for an unknown kind.

        Integers satisfy Fractional unless ``strict_types`` (the rule seen in 2019, by which many a baseline violates
        itself). In a column of texts every value is a text; numbers alone are none.
        """
        total = self.integral + self.fractional + self.boolean + self.string
        if not total:
            return None
        if expected == TextKind.STRING:
            texts = total if self.kind in (TextKind.STRING, TextKind.BOOLEAN) else 0
            return texts / total
        whole = 0 if strict_types else self.integral
        matching = {
            TextKind.INTEGRAL.value: self.integral,
            TextKind.FRACTIONAL.value: self.fractional + whole,
            TextKind.BOOLEAN.value: self.boolean,
        }
        return matching[expected] / total if expected in matching else None


def count_kinds(column: TextColumn, *, exponents: bool = True) -> KindCounts:
    """Count the rows of each kind."""
    if isinstance(column, NumberColumn) and (exponents or column.whole):
        return KindCounts(integral=column.present) if column.whole else KindCounts(fractional=column.present)
    texts, counts = column.words, column.counts
    found = dict.fromkeys(KindCounts.__struct_fields__, 0)
    # No text is of two kinds, and most columns are of one alone: whoever is counted is not looked at again.
    for kind, pattern in (
        ("fractional", _FRACTIONAL if exponents else _FRACTIONAL_OLD), ("integral", _INTEGRAL), ("boolean", _BOOLEAN),
    ):  # fmt: skip
        if len(texts) == 0:
            break
        matches = valid_bits(pc.match_substring_regex(texts, pattern))
        found[kind] = int(counts[matches].sum())
        texts, counts = texts.take(indices(np.flatnonzero(~matches))), counts[~matches]
    return KindCounts(**(found | {"string": int(counts.sum())}))
