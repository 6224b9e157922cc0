"""How many rows keep a rule: counts that add up. The rules themselves stand in row_rules.py."""

from typing import Any

import msgspec
import numpy as np

from modelward.analysis.sketches import Bits, Distinct

UNIQUE_EXACT_MAX = 4_000_000
"""Up to so many different values a rule of uniqueness is exact (8 bytes each)."""


class Seen(msgspec.Struct, frozen=True):
    """The different values of a column by their 64-bit hashes, increasing; an estimate beyond four million.

    Two different values share a hash with a chance of 4e-7 at four million; two different numbers never do.
    """

    hashes: bytes = b""
    sketch: Distinct | None = None

    @property
    def exact(self) -> bool:
        """Whether every different value is kept."""
        return self.sketch is None

    @property
    def distinct(self) -> float:
        """The number of different values; within 3 % (one standard error) where not exact."""
        return self.sketch.estimate() if self.sketch is not None else float(len(self.hashes) // 8)

    def __add__(self, other: "Seen") -> "Seen":
        if self.sketch is not None or other.sketch is not None:
            return Seen(sketch=self.sketched() + other.sketched())
        return Seen.of(np.concatenate((self.array(), other.array())))

    @classmethod
    def of(cls, hashes: Bits) -> "Seen":
        """Keep each hash once."""
        ordered = np.sort(hashes)
        kept = ordered[np.concatenate(([True], ordered[1:] != ordered[:-1]))] if ordered.size else ordered
        if kept.size > UNIQUE_EXACT_MAX:
            return cls(sketch=Distinct.of(kept))
        return cls(kept.astype("<u8").tobytes())

    def array(self) -> Bits:
        """The hashes."""
        return np.frombuffer(self.hashes, "<u8")

    def sketched(self) -> Distinct:
        """The same as a sketch."""
        return self.sketch if self.sketch is not None else Distinct.of(self.array())


class RuleCount(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a rule over all rows: ``kept`` and ``broken`` rows, and ``unknown`` ones, where a value is missing.

    Of a rule of uniqueness ``seen`` tells the different values; its rows are all kept. ``example``: a row or a value that
    breaks the rule, the least one.
    """

    kept: int = 0
    broken: int = 0
    unknown: int = 0
    example: str = ""
    seen: Seen | None = None

    @property
    def share(self) -> float | None:
        """Share of rows that keep the rule among those that can tell; None for none."""
        told = self.kept + self.broken
        if self.seen is not None:
            return min(1.0, self.seen.distinct / told) if told else None
        return self.kept / told if told else None

    def figures(self) -> dict[str, Any]:
        """The counts for people."""
        return {
            "kept": self.kept, "broken": self.broken, "unknown": self.unknown, "share": self.share, "example": self.example,
            **({"distinct": round(self.seen.distinct), "exact": self.seen.exact} if self.seen else {}),
        }  # fmt: skip

    def __add__(self, other: "RuleCount") -> "RuleCount":
        seen = self.seen + other.seen if self.seen and other.seen else self.seen or other.seen
        return RuleCount(
            kept=self.kept + other.kept,
            broken=self.broken + other.broken,
            unknown=self.unknown + other.unknown,
            example=min(filter(None, (self.example, other.example)), default=""),
            seen=seen,
        )


def joined_counts(
    left: dict[str, RuleCount], left_rows: int, right: dict[str, RuleCount], right_rows: int
) -> dict[str, RuleCount]:
    """The counts of both parts; a rule that was not asked of a part leaves its rows unknown."""
    return {
        name: left.get(name, RuleCount(unknown=left_rows)) + right.get(name, RuleCount(unknown=right_rows))
        for name in dict.fromkeys((*left, *right))
    }
