"""Judging rules over rows and tables: number of rows, freshness, uniqueness, patterns, conditions of the user."""

from modelward.analysis.checking.constraints import (
    ColumnConstraints,
    Constraints,
    expression_name,
    pattern_name,
    unique_name,
)
from modelward.analysis.checking.judging import Judged, number
from modelward.analysis.profiles import ColumnProfile, Kind, Profile
from modelward.analysis.rule_counts import RuleCount

ESTIMATE_SPREAD = 1 / 32
"""One standard error of an estimated number of different values, as a share of it."""
NOT_COUNTED = "the profile was made without this rule; give its plan the rules of these constraints"


def check_table(
    current: Profile, baseline: Profile | None, constraints: Constraints, at: float | None, judged: Judged
) -> None:
    """Judge all rules that are not about the distribution of one column."""
    _check_rows(current, baseline, constraints, judged)
    for rule in constraints.columns:
        column = current.columns.get(rule.name)
        if column is None:
            continue
        if rule.age_seconds_max is not None:
            _check_age(column, rule.age_seconds_max, at, judged)
        if rule.pattern is not None:
            _check_pattern(current, rule, judged)
        if rule.unique_share_min is not None:
            _check_unique(current, (rule.name,), rule.unique_share_min, judged)
    for columns in constraints.unique_together:
        _check_unique(current, columns, 1.0, judged)
    for condition in constraints.conditions:
        _check_condition(current, condition.name, condition.sql, condition.share_min, judged)


def _check_rows(current: Profile, baseline: Profile | None, constraints: Constraints, judged: Judged) -> None:
    rows, least, most = current.rows, constraints.rows_min, constraints.rows_max
    if least is not None:
        judged.rule(
            rows >= least,
            "",
            "rows",
            f"The data has {number(rows, 'row')}; at least {least} are expected.",
            rows,
            least,
        )
    if most is not None:
        judged.rule(
            rows <= most, "", "rows", f"The data has {number(rows, 'row')}; at most {most} are expected.", rows, most
        )
    if constraints.rows_change_max is None:
        return
    if baseline is None or baseline.rows == 0:
        judged.cannot("", "rows_change", "there is no baseline with rows to compare with")
        return
    change = rows / baseline.rows - 1
    judged.rule(
        abs(change) <= constraints.rows_change_max,
        "",
        "rows_change",
        f"The number of rows changed by {change:+.1%}, from {baseline.rows} to {rows}; "
        f"at most {constraints.rows_change_max:.1%} is expected.",
        change,
        constraints.rows_change_max,
    )


def _check_age(column: ColumnProfile, oldest: float, at: float | None, judged: Judged) -> None:
    if column.kind is not Kind.TIMESTAMP or column.maximum is None:
        judged.cannot(column.name, "freshness", f"the column holds no time (it is {column.kind})")
        return
    if at is None:
        judged.cannot(column.name, "freshness", "no moment was given to measure the age from (the argument `at`)")
        return
    age = at - column.maximum
    judged.rule(
        age <= oldest,
        column.name,
        "freshness",
        f"The newest time in column {column.name!r} is {age:.0f} s old; at most {oldest:.0f} s is expected.",
        age,
        oldest,
    )


def _count(current: Profile, name: str, column: str, check: str, judged: Judged) -> RuleCount | None:
    count = current.rules.get(name)
    if count is None:
        judged.cannot(column, check, NOT_COUNTED)
    elif count.share is None:
        judged.cannot(
            column, check, "in no row are the values there that it needs; a column may be missing or have another name"
        )
        return None
    return count


def _check_pattern(current: Profile, rule: ColumnConstraints, judged: Judged) -> None:
    count = _count(current, pattern_name(rule.name), rule.name, "pattern", judged)
    if count is None or count.share is None:
        return
    judged.rule(
        count.share >= rule.pattern_share_min,
        rule.name,
        "pattern",
        f"{count.broken} of {count.kept + count.broken} values of column {rule.name!r} ({1 - count.share:.4%}) do not match "
        f"{rule.pattern!r}, for example {count.example!r}.",
        count.share,
        rule.pattern_share_min,
    )


def _check_unique(current: Profile, columns: tuple[str, ...], least: float, judged: Judged) -> None:
    told = ", ".join(columns)
    count = _count(current, unique_name(columns), told, "unique", judged)
    if count is None or count.share is None or count.seen is None:
        return
    share, exact = count.share, count.seen.exact
    if not exact and share * (1 + 5 * ESTIMATE_SPREAD) >= least:
        judged.cannot(
            told, "unique", f"more than four million different values: about {share:.0%} of the rows, within 3 %"
        )
        return
    again = count.kept - round(count.seen.distinct)
    judged.rule(
        share >= least,
        told,
        "unique",
        f"{'' if exact else 'About '}{again} of {count.kept} rows repeat the {told} of another row; "
        f"at least {least:.2%} different values are expected.",
        share,
        least,
    )


def _check_condition(current: Profile, name: str, sql: str, least: float, judged: Judged) -> None:
    count = _count(current, expression_name(name), "", f"condition {name}", judged)
    if count is None or count.share is None:
        return
    judged.rule(
        count.share >= least,
        "",
        f"condition {name}",
        f"{count.broken} of {count.kept + count.broken} rows break {name!r} ({sql}), for example {count.example}.",
        count.share,
        least,
    )
