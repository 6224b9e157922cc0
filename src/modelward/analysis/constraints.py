"""What a column should look like, as suggested from a profile. Judging data against it stands in checking.py."""

import math

import msgspec

from modelward.analysis.profiles import NUMERIC, ColumnProfile, Kind, Profile

DOMAIN_SIZE_MAX = 120
DOMAIN_ONCE_SHARE_MAX = 0.1
RANGE_OUTSIDE_SHARE = 0.01
COMPLETENESS_MARGIN = 0.02
ROWS_FOR_SUGGESTION_MIN = 20


class ColumnConstraints(msgspec.Struct, frozen=True, kw_only=True):
    """What one column must keep. A rule that is None is not checked.

    ``kind``: integers satisfy ``fractional``; whole floating-point numbers satisfy ``integral``.
    ``completeness_min``: least share of rows with a value, in [0, 1].
    ``values`` with ``values_share_min``: at least this share of the present rows holds one of these texts.
    ``minimum``, ``maximum`` with ``range_share_min``: at least this share of the finite values lies within, inclusive.
    ``drift``: whether the distribution is compared with the baseline.
    """

    name: str
    kind: Kind | None = None
    completeness_min: float | None = None
    values: tuple[str, ...] | None = None
    values_share_min: float = 1.0
    non_negative: bool = False
    minimum: float | None = None
    maximum: float | None = None
    range_share_min: float = 1.0
    drift: bool = True
    drift_threshold: float | None = None


class DriftSettings(msgspec.Struct, frozen=True, kw_only=True):
    """When a changed distribution counts as drift: large enough to matter, and too large for chance.

    ``numeric_threshold``: largest Kolmogorov-Smirnov distance in [0, 1] that is let pass (0.05: no share of rows below
    any value moved by more than five points). ``shift_threshold``: largest Wasserstein distance in baseline standard
    deviations. ``categorical_threshold``: largest Jensen-Shannon distance (base 2, in [0, 1]). All are compared after
    what sampling alone would give has been taken off. ``false_share``: the share of false alarms among the alarms that
    is accepted over all columns (Benjamini & Hochberg 1995). ``rows_min``: fewer present rows leave a column undecided.
    """

    enabled: bool = True
    numeric_threshold: float = 0.05
    shift_threshold: float = 0.1
    categorical_threshold: float = 0.05
    false_share: float = 0.01
    rows_min: int = 100


class Constraints(msgspec.Struct, frozen=True, kw_only=True):
    """The rules a table must keep, column by column, and the settings of the drift comparison."""

    columns: tuple[ColumnConstraints, ...]
    drift: DriftSettings = DriftSettings()
    rows: int = 0
    extra_columns_allowed: bool = False
    version: int = 1

    def of(self, name: str) -> ColumnConstraints | None:
        """The rules of one column, or None."""
        return next((column for column in self.columns if column.name == name), None)


def suggest(profile: Profile) -> Constraints:
    """Suggest rules that the profiled table keeps, with room for chance: data of the same kind should keep them too.

    Completeness 1 is kept as 1 from 1000 rows on; below it a margin of 2 points or three standard errors is given. A
    domain is suggested for texts with at most 120 different values of which at most a tenth occur once (the rule of
    deequ); if the rarest occurs fewer than five times, the share outside may be five times the chance of a value not
    seen yet (Good-Turing: values seen once / rows). Ranges are the extremes seen, and 1 % of the values (more below
    2000 rows) may lie outside. Fewer than 20 rows give types only.
    """
    columns = tuple(_suggest_column(column) for column in profile.columns.values())
    return Constraints(columns=columns, rows=profile.rows)


def _suggest_column(column: ColumnProfile) -> ColumnConstraints:
    kind = None if column.kind is Kind.UNKNOWN else column.kind
    plain = ColumnConstraints(name=column.name, kind=kind, drift=kind is not None and kind is not Kind.TIMESTAMP)
    if column.rows < ROWS_FOR_SUGGESTION_MIN or kind is None:
        return plain
    plain = msgspec.structs.replace(plain, completeness_min=_completeness_min(column))
    if kind in NUMERIC and column.finite:
        return msgspec.structs.replace(
            plain,
            non_negative=column.minimum is not None and column.minimum >= 0,
            minimum=column.minimum,
            maximum=column.maximum,
            range_share_min=1 - max(RANGE_OUTSIDE_SHARE, min(0.2, 20 / column.finite)),
        )
    if column.categories is not None and _is_domain(column):
        once = sum(1 for count in column.categories.counts.values() if count == 1)
        rarest = min(column.categories.counts.values())
        unseen = 0.0 if rarest >= 5 else min(0.2, 5 * (once + 1) / column.present)
        return msgspec.structs.replace(
            plain, values=tuple(sorted(column.categories.counts)), values_share_min=round(1 - unseen, 6)
        )
    return plain


def _completeness_min(column: ColumnProfile) -> float:
    share = column.completeness or 0.0
    if column.missing == 0:
        return 1.0 if column.rows >= 1_000 else round(1 - 5 / column.rows, 6)
    spread = math.sqrt(share * (1 - share) / column.rows)
    return max(0.0, round(share - max(COMPLETENESS_MARGIN, 3 * spread), 6))


def _is_domain(column: ColumnProfile) -> bool:
    categories = column.categories
    if categories is None or not categories.exact or len(categories.counts) > DOMAIN_SIZE_MAX:
        return False
    once = sum(1 for count in categories.counts.values() if count == 1)
    return once <= DOMAIN_ONCE_SHARE_MAX * len(categories.counts)
