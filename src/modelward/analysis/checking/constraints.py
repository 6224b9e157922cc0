"""What a column should look like, as suggested from a profile. Judging data against it stands in checks.py."""

import math

import msgspec

from modelward.analysis.profiles import NUMERIC, ColumnProfile, Kind, Profile
from modelward.analysis.row_rules import ExpressionRule, PatternRule, RowRule, UniqueRule
from modelward.kernel.errors import Invalid

DOMAIN_SIZE_MAX = 120
DOMAIN_ONCE_SHARE_MAX = 0.1
RANGE_OUTSIDE_SHARE = 0.01
COMPLETENESS_MARGIN = 0.02
ROWS_FOR_SUGGESTION_MIN = 20
LEVEL_MAX = 0.25


class ColumnConstraints(msgspec.Struct, frozen=True, kw_only=True):
    """What one column must keep. A rule that is None is not checked.

    ``kind``: integers satisfy ``fractional``; whole floating-point numbers satisfy ``integral``.
    ``completeness_min``: least share of rows with a value, in [0, 1].
    ``values`` with ``values_share_min``: at least this share of the present rows holds one of these texts.
    ``minimum``, ``maximum`` with ``range_share_min``: at least this share of the finite values lies within, inclusive.
    ``drift``: whether the distribution is compared with the baseline.
    ``unique_share_min``: least number of different values as a share of the present ones; 1 allows no repetition.
    ``pattern`` with ``pattern_share_min``: at least this share of the present texts holds what the regular expression
    finds (RE2). ``age_seconds_max``: how old the newest time in the column may be.
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
    unique_share_min: float | None = None
    pattern: str | None = None
    pattern_share_min: float = 1.0
    age_seconds_max: float | None = None


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """A condition on the values of one row, as an SQL expression; at least ``share_min`` of the rows must keep it.

    Rows in which it is NULL, because a value is missing, do not count.
    """

    name: str
    sql: str
    share_min: float = 1.0


class DriftSettings(msgspec.Struct, frozen=True, kw_only=True):
    """When a changed distribution counts as drift: large enough to matter, and too large for chance.

    ``numeric_threshold``: largest Kolmogorov-Smirnov distance in [0, 1] that is let pass (0.05: no share of rows below
    any value moved by more than five points). ``shift_threshold``: largest Wasserstein distance in baseline standard
    deviations. ``categorical_threshold``: largest Jensen-Shannon distance (base 2, in [0, 1]). ``missing_threshold``:
    largest difference of the share of missing rows. All are compared after what sampling alone would give has been taken
    off. ``false_share``: the share of false alarms among the alarms that is accepted over all columns (Benjamini &
    Hochberg 1995). ``rows_min``: fewer present rows leave a column undecided.

    ``false_alarms_a_month`` with ``runs_a_month``: a budget of runs that may raise a drift alarm though nothing changed.
    It takes the place of ``false_share``; see budget.py.

    Raises:
        Invalid: only one of the two is given, or one is not above 0.
    """

    enabled: bool = True
    numeric_threshold: float = 0.05
    shift_threshold: float = 0.1
    categorical_threshold: float = 0.05
    missing_threshold: float = 0.05
    false_share: float = 0.01
    rows_min: int = 100
    false_alarms_a_month: float | None = None
    runs_a_month: float | None = None

    def __post_init__(self) -> None:
        given = (self.false_alarms_a_month, self.runs_a_month)
        if given == (None, None):
            return
        if None in given or not all(value is not None and 0 < value < math.inf for value in given):
            raise Invalid(
                f"A budget of {given[0]} false alarms over {given[1]} runs a month says nothing.",
                field="drift.false_alarms_a_month",
                hint="Give false_alarms_a_month and runs_a_month, both above 0.",
            )

    @property
    def level(self) -> float:
        """The chance of a false drift alarm that one run may take."""
        if self.false_alarms_a_month is None or self.runs_a_month is None:
            return self.false_share
        return min(LEVEL_MAX, self.false_alarms_a_month / self.runs_a_month)


class Constraints(msgspec.Struct, frozen=True, kw_only=True):
    """The rules a table must keep, column by column and as a whole, and the settings of the drift comparison.

    ``unique_together``: no two rows share their values in all columns of a group. ``conditions``: SQL expressions over the
    columns of a row. ``rows_min``, ``rows_max``: the number of rows, inclusive. ``rows_change_max``: by how large a share
    of the baseline's rows the number of rows may differ.
    """

    columns: tuple[ColumnConstraints, ...]
    drift: DriftSettings = DriftSettings()
    rows: int = 0
    extra_columns_allowed: bool = False
    version: int = 1
    unique_together: tuple[tuple[str, ...], ...] = ()
    conditions: tuple[Condition, ...] = ()
    rows_min: int | None = None
    rows_max: int | None = None
    rows_change_max: float | None = None

    def of(self, name: str) -> ColumnConstraints | None:
        """The rules of one column, or None."""
        return next((column for column in self.columns if column.name == name), None)


def pattern_name(column: str) -> str:
    """The name of the rule of a pattern in a profile."""
    return f"pattern {column}"


def unique_name(columns: tuple[str, ...]) -> str:
    """The name of the rule of uniqueness in a profile."""
    return f"unique {', '.join(columns)}"


def expression_name(name: str) -> str:
    """The name of the rule of a condition in a profile."""
    return f"condition {name}"


def counted_rules(constraints: Constraints) -> tuple[RowRule, ...]:
    """What must be counted row by row to judge these constraints; give it to the plan of the profile."""
    rules: list[RowRule] = []
    for column in constraints.columns:
        if column.pattern is not None:
            rules.append(PatternRule(name=pattern_name(column.name), column=column.name, pattern=column.pattern))
        if column.unique_share_min is not None:
            rules.append(UniqueRule(name=unique_name((column.name,)), columns=(column.name,)))
    rules += [UniqueRule(name=unique_name(columns), columns=columns) for columns in constraints.unique_together]
    rules += [ExpressionRule(name=expression_name(each.name), sql=each.sql) for each in constraints.conditions]
    return tuple({rule.name: rule for rule in rules}.values())


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
