"""Every check fires on what it is for, stays quiet otherwise, and says what was not checked."""

import pyarrow as pa
import pytest
from msgspec.structs import replace

from modelward.analysis import CheckReport, ColumnConstraints, Constraints, Kind, check, profile, suggest
from modelward.kernel import codec
from modelward.kernel.outcome import Outcome

ROWS = 200
BASE = pa.table(
    {
        "amount": [float(i % 50) + 0.5 for i in range(ROWS)],
        "count": [i % 7 for i in range(ROWS)],
        "city": [("Rome", "Oslo", "Bern")[i % 3] for i in range(ROWS)],
        "note": [None if i % 4 == 0 else "x" for i in range(ROWS)],
    }
)


def judged(**changed) -> CheckReport:
    columns = {name: BASE.column(name) for name in BASE.column_names} | changed
    table = pa.table({name: column for name, column in columns.items() if column is not None})
    return check(profile(table), None, suggest(profile(BASE)))


def kinds_of(report: CheckReport) -> set[tuple[str, str]]:
    return {(violation.column, violation.check) for violation in report.violations}


CASES = {
    "a missing column": ({"city": None}, {("city", "missing_column")}),
    "an extra column": ({"more": [1] * ROWS}, {("more", "extra_column")}),
    "a text for a number": ({"amount": ["12"] * (ROWS - 1) + ["abc"]}, {("amount", "type")}),
    "a fraction for an integer": ({"count": [1.5] * ROWS}, {("count", "type")}),
    "whole floating-point numbers for integers": ({"count": [1.0] * ROWS}, set()),
    "integers for fractions": ({"amount": [3] * ROWS}, set()),
    "missing values where there were none": (
        {"city": [None] * 20 + ["Rome"] * (ROWS - 20)},
        {("city", "completeness")},
    ),
    "many more missing values": ({"note": [None] * 150 + ["x"] * 50}, {("note", "completeness")}),
    "a few more missing values": ({"note": [None] * 55 + ["x"] * 145}, set()),
    "a value outside the domain": ({"city": ["Rome"] * (ROWS - 1) + ["Paris"]}, {("city", "domain")}),
    "a negative value": ({"amount": [-1.0] + [1.0] * (ROWS - 1)}, {("amount", "non_negative")}),
    "many values out of range": ({"amount": [500.0] * 60 + [1.0] * (ROWS - 60)}, {("amount", "range")}),
    "one value out of range": ({"amount": [500.0] + [1.0] * (ROWS - 1)}, set()),
    "an infinite value": ({"amount": [float("inf")] + [1.0] * (ROWS - 1)}, {("amount", "infinite")}),
    "all values missing": ({"city": pa.nulls(ROWS)}, {("city", "completeness")}),
    "nothing": ({}, set()),
}


@pytest.mark.parametrize("case", CASES)
def test_each_check_fires_on_what_it_is_for_and_on_nothing_else(case):
    changed, expected = CASES[case]

    report = judged(**changed)

    assert kinds_of(report) == expected
    assert report.outcome is (Outcome.FAILED if expected else Outcome.PASSED)
    assert all(violation.description.startswith(("Column", "1 ", "60 ")) or "column" in violation.description
               for violation in report.violations)  # fmt: skip


def test_a_type_violation_names_a_value_that_is_no_number():
    violation = judged(amount=["12"] * (ROWS - 1) + ["abc"]).violations[0]

    assert violation.description == (
        "Column 'amount' is string; fractional is expected. 1 of 200 values are not numbers, for example 'abc'."
    )
    assert (violation.observed, violation.expected) == ("string", "fractional")


def test_no_rows_are_undecided_never_passed():
    report = check(profile(BASE.slice(0, 0)), profile(BASE), suggest(profile(BASE)))

    assert report.outcome is Outcome.UNDECIDED
    assert "no rows" in report.reason


def test_no_constraints_and_no_baseline_are_undecided():
    report = check(profile(BASE), None, Constraints(columns=()))

    assert report.outcome is Outcome.UNDECIDED
    assert report.unchecked[0].reason == "no baseline was given"


def test_a_column_without_values_is_listed_as_unchecked():
    report = judged(city=pa.nulls(ROWS))

    assert ("city", "type") in {(item.column, item.check) for item in report.unchecked}


def test_suggestions_and_reports_survive_json():
    rules = suggest(profile(BASE))
    report = check(profile(BASE), profile(BASE), rules)

    assert codec.decode(codec.encode(rules), Constraints) == rules
    assert codec.decode(codec.encode(report), CheckReport) == report


def test_suggestions_name_what_was_seen():
    rules = suggest(profile(BASE))

    assert rules.of("city").values == ("Bern", "Oslo", "Rome")
    assert rules.of("city").completeness_min == 0.975
    assert 0.6 < rules.of("note").completeness_min < 0.75
    assert rules.of("count").kind is Kind.INTEGRAL
    assert rules.of("count").non_negative
    assert (rules.of("amount").minimum, rules.of("amount").maximum) == (0.5, 49.5)
    assert rules.of("none") is None


def test_few_rows_give_types_only():
    rules = suggest(profile(BASE.slice(0, 10)))

    assert rules.of("city") == ColumnConstraints(name="city", kind=Kind.STRING)


def test_texts_with_many_values_get_no_domain():
    table = pa.table({"x": [f"v{i}" for i in range(500)]})

    assert suggest(profile(table)).of("x").values is None


def test_extra_columns_can_be_allowed():
    rules = replace(suggest(profile(BASE.select(["city"]))), extra_columns_allowed=True)

    assert check(profile(BASE), None, rules).outcome is Outcome.PASSED
