"""What one pass over a table yields: small, versioned, additive. No reading of files; see scan.py."""

import zlib

import msgspec

from modelward.analysis.columns import (
    NUMERIC,
    QUANTILES,
    ColumnProfile,
    Kind,
    Lengths,
    TypeChanged,
    added,
    columns_for_people,
    joined_columns,
)
from modelward.analysis.rule_counts import RuleCount, joined_counts
from modelward.analysis.segments import Segment, Segments, segments_for_people
from modelward.kernel import codec
from modelward.kernel.errors import Invalid

__all__ = [
    "NUMERIC", "QUANTILES", "ColumnProfile", "Kind", "Lengths", "Profile", "RuleCount", "Segment", "Segments", "TypeChanged",
]  # fmt: skip

MAGIC = b"MWPROF"
VERSION = 1


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What one pass over a table yields: rows, one ``ColumnProfile`` per column in table order, rejected records.

    ``segments``: the same per group of rows, where the plan asks for it. ``rules``: how many rows keep each rule that the
    plan names.

    ``p + q`` is the profile of both tables one after the other; a column that one of them lacks is missing in its rows.
    Counts, histograms, extremes, lengths, distinct sketches and (up to 4096 different texts) category counts add up
    exactly; sum and sd within 1e-12 of the magnitudes added.
    """

    rows: int
    columns: dict[str, ColumnProfile]
    rejected: int = 0
    notes: tuple[str, ...] = ()
    segments: Segments | None = None
    rules: dict[str, RuleCount] = {}

    def __add__(self, other: "Profile") -> "Profile":
        if not isinstance(other, Profile):
            return NotImplemented
        return Profile(
            rows=self.rows + other.rows,
            columns=joined_columns(self.columns, self.rows, other.columns, other.rows),
            rejected=self.rejected + other.rejected,
            notes=tuple(dict.fromkeys((*self.notes, *other.notes))),
            segments=_joined_segments(self, other),
            rules=joined_counts(self.rules, self.rows, other.rules, other.rows),
        )

    def to_bytes(self) -> bytes:
        """Write the profile in its own binary form.

        The form: the six bytes ``MWPROF``, the version as a big-endian 16-bit number (now 1), then a zlib stream of
        MessagePack: the fields of this type and its parts by name. Inside, ``Histogram.keys`` and ``.counts`` and
        ``Distinct.hashes`` are runs of little-endian 64-bit integers.
        """
        body = msgspec.msgpack.encode(self)
        return MAGIC + VERSION.to_bytes(2, "big") + zlib.compress(body, 6)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Profile":
        """Read what ``to_bytes`` wrote.

        Raises:
            Invalid: not a profile, a version this release does not know, or damaged bytes.
        """
        if data[:6] != MAGIC or len(data) < 8:
            raise Invalid("These bytes are not a profile: they do not begin with MWPROF.")
        version = int.from_bytes(data[6:8], "big")
        if version != VERSION:
            raise Invalid(
                f"This profile has version {version}; this release of Modelward reads version {VERSION}.",
                hint="Update Modelward, or profile the data again.",
            )
        try:
            return msgspec.msgpack.decode(zlib.decompress(data[8:]), type=cls)
        except (zlib.error, msgspec.DecodeError) as problem:
            raise Invalid(f"The profile is damaged: {problem}.", hint="Profile the data again.") from problem

    def to_json(self, *, top: int = 20) -> bytes:
        """Write the profile for people: figures, quantiles and the most frequent values, without the sketches."""
        return codec.encode(
            {
                "rows": self.rows,
                "rejected": self.rejected,
                "notes": self.notes,
                "columns": columns_for_people(self.columns, top),
                **({"segments": segments_for_people(self.segments, top)} if self.segments else {}),
                **({"rules": {name: count.figures() for name, count in self.rules.items()}} if self.rules else {}),
            }
        )


def _joined_segments(left: Profile, right: Profile) -> Segments | None:
    if (left.segments is None) != (right.segments is None):
        by = left.segments or right.segments
        raise Invalid(
            f"Only one of the two profiles is by {', '.join(by.by if by else ())}, so they cannot be added.",
            hint="Profile both with the same segments.",
        )
    return added(left.segments, right.segments)  # type: ignore[no-any-return]
