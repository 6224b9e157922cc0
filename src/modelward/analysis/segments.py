"""The same figures per group of rows: a bounded number of groups, the rest pooled. Finding the groups: grouping.py."""

from typing import Any

import msgspec

from modelward.analysis.columns import ColumnProfile, added, columns_for_people, joined_columns
from modelward.kernel.errors import Invalid


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """The rows that share these values of the segment columns; ``values`` as texts, None for no value.

    ``unsure``: at most so many more rows of this group stand among the pooled ones. 0: the group is complete.
    """

    values: tuple[str | None, ...]
    rows: int
    columns: dict[str, ColumnProfile]
    unsure: int = 0

    def __repr__(self) -> str:
        return f"<Segment {self.values}: {self.rows:,} rows, {len(self.columns)} columns>"

    def __add__(self, other: "Segment") -> "Segment":
        columns = joined_columns(self.columns, self.rows, other.columns, other.rows)
        unsure = self.unsure + other.unsure
        return Segment(values=self.values, rows=self.rows + other.rows, columns=columns, unsure=unsure)


class Segments(msgspec.Struct, frozen=True, kw_only=True):
    """The same figures per group of rows, for at most ``limit`` groups; the rows of all others stand in ``pooled``.

    Groups stand in the order of their values. Up to ``limit`` groups in all parts together add up exactly; beyond it
    the groups with the most rows are kept, and each tells by ``unsure`` how much of it the pool may hold.
    """

    by: tuple[str, ...]
    limit: int
    groups: tuple[Segment, ...] = ()
    pooled: Segment | None = None

    @property
    def complete(self) -> bool:
        """Whether every group was kept."""
        return self.pooled is None

    def of(self, *values: str | None) -> Segment | None:
        """The group with these values, or None."""
        return next((group for group in self.groups if group.values == values), None)

    def __add__(self, other: "Segments") -> "Segments":
        if self.by != other.by:
            raise Invalid(f"Profiles by {', '.join(self.by)} and by {', '.join(other.by)} cannot be added.")
        return Segments.of_groups(
            self.by, min(self.limit, other.limit), _joined_groups(self, other), added(self.pooled, other.pooled)
        )

    @classmethod
    def of_groups(cls, by: tuple[str, ...], limit: int, groups: list[Segment], pooled: Segment | None) -> "Segments":
        """Keep the groups with the most rows and pool the rest."""
        ranked = sorted(groups, key=lambda group: (-group.rows, _order(group.values)))
        for group in ranked[limit:]:
            pooled = added(pooled, msgspec.structs.replace(group, values=(), unsure=0))
        kept = tuple(sorted(ranked[:limit], key=lambda group: _order(group.values)))
        return cls(by=by, limit=limit, groups=kept, pooled=pooled)


def _order(values: tuple[str | None, ...]) -> tuple[tuple[bool, str], ...]:
    return tuple((value is not None, value or "") for value in values)


def _joined_groups(left: Segments, right: Segments) -> list[Segment]:
    groups = {group.values: group for group in left.groups}
    others = {group.values: group for group in right.groups}
    found = []
    for values in dict.fromkeys((*groups, *others)):
        sides = [side.get(values) for side in (groups, others)]
        # What one side did not keep, it may have pooled.
        pools = [pool.rows for side, pool in zip(sides, (left.pooled, right.pooled), strict=True) if not side and pool]
        group: Segment = added(*sides)
        found.append(msgspec.structs.replace(group, unsure=group.unsure + sum(pools)))
    return found


def segments_for_people(segments: Segments, top: int) -> dict[str, Any]:
    """Groups with their values and figures, and the pool."""
    return {
        "by": segments.by,
        "groups": [
            {
                "values": dict(zip(segments.by, group.values, strict=True)),
                "rows": group.rows,
                "unsure": group.unsure,
                "columns": columns_for_people(group.columns, top),
            }
            for group in segments.groups
        ],
        "pooled": segments.pooled
        and {"rows": segments.pooled.rows, "columns": columns_for_people(segments.pooled.columns, top)},
    }
