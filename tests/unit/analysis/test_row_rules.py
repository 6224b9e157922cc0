"""Rules that are counted row by row: what keeps them, what breaks them, what cannot tell, and what may be asked at all."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from modelward.analysis import ColumnConstraints, Constraints, DriftSettings, Plan, check, profile
from modelward.analysis.checking.constraints import Condition, counted_rules
from modelward.analysis.expressions import understood
from modelward.analysis.row_rules import ExpressionRule, PatternRule, UniqueRule
from modelward.kernel.errors import Invalid
from modelward.kernel.outcome import Outcome

TABLE = pa.table(
    {
        "id": ["a1", "a2", "a2", None, "x"],
        "n": [1, 2, 3, 4, None],
        "m": [1.0, 1.0, 2.0, float("nan"), 2.0],
    }
)


def counted(*rules, table=TABLE):
    return profile(table, Plan(rules=rules)).rules


def test_each_rule_counts_what_keeps_it_what_breaks_it_and_what_cannot_tell():
    found = counted(
        PatternRule(name="pattern", column="id", pattern="^a[0-9]$"),
        UniqueRule(name="unique", columns=("id",)),
        UniqueRule(name="both", columns=("id", "n")),
        ExpressionRule(name="condition", sql="n > 1 and m < 2.5"),
    )

    assert (found["pattern"].kept, found["pattern"].broken, found["pattern"].unknown) == (3, 1, 1)
    assert found["pattern"].example == "x"
    assert found["unique"].share == 3 / 4
    assert (found["both"].share, found["both"].unknown) == (1.0, 2)
    # NaN is larger than every number in SQL.
    assert (found["condition"].kept, found["condition"].broken, found["condition"].unknown) == (2, 2, 1)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.none(), st.integers(0, 30)), max_size=60), st.integers(0, 60))
def test_counts_of_two_parts_add_up(values, cut):
    rules = (UniqueRule(name="u", columns=("x",)), ExpressionRule(name="e", sql="x % 3 = 0"))
    table = pa.table({"x": pa.array(values, pa.int64())})

    together = counted(*rules, table=table)
    parts = [profile(each, Plan(rules=rules)) for each in (table.slice(0, cut), table.slice(cut))]

    assert (parts[0] + parts[1]).rules == together
    present = [value for value in values if value is not None]
    assert together["u"].share == (len(set(present)) / len(present) if present else None)


def test_integers_beyond_the_doubles_stay_different():
    table = pa.table({"x": pa.array([2**60, 2**60 + 1, 2**60 + 2], pa.int64())})

    assert counted(UniqueRule(name="u", columns=("x",)), table=table)["u"].share == 1.0


ALLOWED = [
    "a > 3 and lower(b) like 'x%'",
    'a.b + 1 < "c d"',
    "x in (1, 2) or y between 1 and 2 or z is null",
    "case when a is null then true else a::integer > 1 end",
    "regexp_matches(b, '^x') and not starts_with(b, 'xx')",
    "d > timestamp '2026-01-01' - interval 3 day",
]
REFUSED = [
    "(select 1)", "a in (select b from c)", "exists(select 1)", "sum(a) > 1", "count(*) > 1", "sum(a) over () > 1",
    "read_text('/etc/passwd') = ''", "getenv('HOME') = ''", "current_setting('threads') = '1'", "nextval('s') = 1",
    "random() > 1", "now() > a", "main.abs(a) > 1", "cast(a as blob)", "a > $1", "*", "columns(*) > 1", "[1, 2]", "x[1]",
    "list_transform([1], x -> x) = 1", "1) from x --", "a) from (select 1", "a), (b", "a = 1) union select (2", "1; select 2",
    "a COLLATE nocase = 'b'", "repeat('x', 1000000000) = a", "", "a >", "a" * 5_000,
]  # fmt: skip


@pytest.mark.parametrize("sql", ALLOWED)
def test_plain_conditions_are_understood(sql):
    assert understood(sql).columns


@pytest.mark.parametrize("sql", REFUSED)
def test_what_reaches_beyond_a_row_is_refused(sql):
    with pytest.raises(Invalid, match="rule 'mine'"):
        understood(sql, name="mine")


def test_a_condition_that_does_not_fit_the_columns_is_named():
    with pytest.raises(Invalid, match="rule 'sum' must be true or false"):
        counted(ExpressionRule(name="sum", sql="n + 1"))
    with pytest.raises(Invalid, match="rule 'text' cannot be judged"):
        counted(ExpressionRule(name="text", sql="id > 3"))
    with pytest.raises(Invalid, match="no regular expression"):
        counted(PatternRule(name="p", column="id", pattern="("))
    with pytest.raises(Invalid, match="Two rules"):
        counted(UniqueRule(name="p", columns=("id",)), UniqueRule(name="p", columns=("n",)))


NOW = 1_800_000_000.0
GOOD = pa.table(
    {
        "id": [f"a{place}" for place in range(200)],
        "amount": np.arange(200) + 0.5,
        "at": pa.array([int(NOW) - 60 - place for place in range(200)], pa.timestamp("s")),
    }
)
RULES = Constraints(
    columns=(
        ColumnConstraints(name="id", unique_share_min=1.0, pattern="^a[0-9]+$"),
        ColumnConstraints(name="amount"),
        ColumnConstraints(name="at", age_seconds_max=3_600),
    ),
    conditions=(Condition(name="small", sql="amount < 500", share_min=0.9),),
    rows_min=100,
    rows_max=300,
    rows_change_max=0.2,
    drift=DriftSettings(enabled=False),
)


def judged(table, rules=RULES, at=NOW):
    return check(profile(table, Plan(rules=counted_rules(rules))), profile(GOOD), rules, at=at)


def replaced(name, values):
    return GOOD.set_column(GOOD.column_names.index(name), name, pa.array(values))


BROKEN = {
    "unique": replaced("id", ["a1", "a1", *(f"a{place}" for place in range(2, 200))]),
    "pattern": replaced("id", ["b1", *(f"a{place}" for place in range(1, 200))]),
    "condition small": replaced("amount", [600.0] * 50 + [1.0] * 150),
    "rows": GOOD.slice(0, 90),
    "rows_change": GOOD.slice(0, 150),
}


def test_good_rows_keep_all_rules():
    report = judged(GOOD)

    assert report.outcome is Outcome.PASSED
    assert not report.unchecked or {item.check for item in report.unchecked} == {"drift"}


@pytest.mark.parametrize("broken", BROKEN)
def test_each_rule_fires_on_what_it_is_for(broken):
    report = judged(BROKEN[broken])

    assert broken in {violation.check for violation in report.violations}
    assert {violation.check for violation in report.violations} <= {broken, "rows_change"}


def test_old_data_is_not_fresh_and_without_a_moment_nothing_is_said():
    assert {violation.check for violation in judged(GOOD, at=NOW + 7_200).violations} == {"freshness"}

    unsaid = judged(GOOD, at=None)

    assert unsaid.outcome is Outcome.UNDECIDED
    assert "freshness" in unsaid.reason


def test_a_rule_that_was_not_counted_leaves_the_verdict_undecided():
    report = check(profile(GOOD), profile(GOOD), RULES, at=NOW)

    assert report.outcome is Outcome.UNDECIDED
    assert {item.check for item in report.unchecked} >= {"unique", "pattern", "condition small"}


def test_a_condition_on_a_column_that_is_not_there_is_not_taken_as_kept():
    rules = replace(RULES, conditions=(Condition(name="gone", sql="nowhere > 1"),))

    report = judged(GOOD, rules)

    assert report.outcome is Outcome.UNDECIDED


def test_columns_together_are_unique_where_neither_is_alone():
    table = pa.table({"a": [1, 1, 2, 2], "b": ["x", "y", "x", "y"], "c": ["x", "y", "x", "x"]})

    found = counted(UniqueRule(name="ab", columns=("a", "b")), UniqueRule(name="ac", columns=("a", "c")), table=table)

    assert (found["ab"].share, found["ac"].share) == (1.0, 3 / 4)
