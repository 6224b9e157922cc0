"""What a search expression says of a record; the order of what is found is that of the values."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.interfaces.aws import search_rules as rules
from modelward.interfaces.aws.errors import AwsError

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
RECORD = {
    "Name": "Fraud",
    "Number": 7,
    "At": NOON,
    "On": True,
    "Absent": None,
    "Deep": {"Stage": "QA"},
    "List": [{"Kind": "a", "Size": 1}, {"Kind": "b", "Size": 2}],
    "Tags.team": "credit",
}


def holds(name, operator, value=None):
    given = {"Name": name, "Operator": operator, **({"Value": value} if value is not None else {})}
    return rules.holds(RECORD, {"Filters": [given]})


@pytest.mark.parametrize(
    ("name", "operator", "value", "expected"),
    [
        ("Name", "Equals", "Fraud", True),
        ("name", "Equals", "Fraud", True),
        ("Name", "Equals", "fraud", False),
        ("Name", "NotEquals", "x", True),
        ("Absent", "NotEquals", "x", True),
        ("Absent", "Exists", None, False),
        ("Absent", "NotExists", None, True),
        ("Name", "Contains", "RAU", True),
        ("Name", "In", "a, Fraud", True),
        ("Name", "In", "Frau,d", False),
        ("Number", "Equals", "7.0", True),
        ("Number", "GreaterThan", "6.5", True),
        ("Number", "LessThan", "7", False),
        ("Number", "GreaterThan", "many", False),
        ("At", "GreaterThan", "2026-05-01T11:59:00Z", True),
        ("At", "LessThanOrEqualTo", "2026-05-01T12:00:00", True),
        ("On", "Equals", "true", True),
        ("Deep.Stage", "Equals", "QA", True),
        ("List.Kind", "Equals", "b", True),
        ("List.Size", "GreaterThan", "1", True),
        ("Tags.team", "Equals", "credit", True),
        ("Nobody.Knows", "Exists", None, False),
    ],
)
def test_a_filter_holds_as_its_operator_says(name, operator, value, expected):
    assert holds(name, operator, value) is expected


def test_all_filters_of_a_nested_one_hold_in_the_same_element():
    def nested(kind, size):
        filters = [
            {"Name": "List.Kind", "Operator": "Equals", "Value": kind},
            {"Name": "Size", "Operator": "Equals", "Value": size},
        ]
        return rules.holds(RECORD, {"NestedFilters": [{"NestedPropertyName": "List", "Filters": filters}]})

    assert nested("b", "2")
    assert not nested("a", "2")


def test_an_empty_expression_asks_for_everything_and_or_for_one_of_all():
    wrong, right = {"Name": "Name", "Value": "x"}, {"Name": "Name", "Value": "Fraud"}

    assert rules.holds(RECORD, {})
    assert rules.holds(RECORD, {"Filters": [wrong, right], "Operator": "Or"})
    assert not rules.holds(RECORD, {"Filters": [wrong, right]})
    assert rules.holds(RECORD, {"Filters": [right], "SubExpressions": [{"Filters": [right]}]})
    assert not rules.holds(RECORD, {"Filters": [right], "SubExpressions": [{"Filters": [wrong]}]})


def test_what_must_hold_is_told_only_where_nothing_else_may_do():
    one = {"Name": "ModelId", "Operator": "Equals", "Value": "m"}

    assert rules.demanded({"Filters": [one]}, "modelid") == "m"
    assert rules.demanded({"Filters": [{**one, "Operator": "Contains"}]}, "ModelId") is None
    assert rules.demanded({"Filters": [one], "Operator": "Or"}, "ModelId") is None
    assert rules.demanded({"SubExpressions": [{"Filters": [one]}]}, "ModelId") == "m"
    assert rules.demanded({"SubExpressions": [{"Filters": [one], "Operator": "Or"}]}, "ModelId") is None


def test_an_expression_too_deep_or_without_a_value_is_refused():
    deep = {}
    for _ in range(12):
        deep = {"SubExpressions": [deep]}

    with pytest.raises(AwsError, match="levels deep"):
        rules.check(deep)
    with pytest.raises(AwsError, match="needs a Value"):
        rules.check({"Filters": [{"Name": "a"}]})


@given(st.lists(st.floats(allow_nan=False), min_size=2, max_size=2))
def test_numbers_are_sorted_as_numbers(pair):
    one, other = (rules.sort_key({"Size": each}, "Size") for each in pair)

    assert (one < other) == (pair[0] < pair[1]) or pair[0] == pair[1] == 0


@given(st.lists(st.datetimes(timezones=st.just(UTC)), min_size=2, max_size=2))
def test_moments_are_sorted_as_moments(pair):
    one, other = (rules.sort_key({"At": each}, "At") for each in pair)

    assert (one < other) == (pair[0] < pair[1])


@given(st.integers(-1000, 1000), st.integers(0, 10**6))
def test_a_moment_is_compared_as_the_time_it_is_in_whatever_zone(minutes, beyond):
    from datetime import timezone

    elsewhere = (NOON + timedelta(microseconds=beyond)).astimezone(timezone(timedelta(minutes=minutes)))

    assert holds("At", "LessThanOrEqualTo", elsewhere.isoformat())


def nested(filters, *, size=20):
    """An expression with so many filters, as deep as it takes to hold no more than a few in one place."""
    kept = {"Filters": filters[:size]}
    return {**kept, "SubExpressions": [nested(filters[size:], size=size)]} if len(filters) > size else kept


@pytest.mark.parametrize("operator", ["And", "Or"])
def test_a_search_may_have_so_many_filters_wherever_they_stand_and_no_more(operator):
    one = {"Name": "Name", "Operator": "Equals", "Value": "x"}
    halves = [nested([one] * 120), {"NestedFilters": [{"NestedPropertyName": "List", "Filters": [one]}] * 10}]

    rules.check({"Operator": operator, "SubExpressions": [*halves, nested([one] * 120)]})

    with pytest.raises(AwsError, match="250 filters in all, not 251"):
        rules.check({"Operator": operator, "Filters": [one], "SubExpressions": [*halves, nested([one] * 120)]})


def test_a_search_may_list_so_many_values_wherever_they_stand_and_no_more():
    def listing(count):
        return {"Name": "Name", "Operator": "In", "Value": ",".join(["x"] * count)}

    within = [{"NestedPropertyName": "List", "Filters": [listing(1000)]}]

    rules.check({"NestedFilters": within, "SubExpressions": [nested([listing(100)] * 10, size=2)]})

    with pytest.raises(AwsError, match="2000 values in all, not 2001"):
        rules.check({"NestedFilters": within, "SubExpressions": [nested([listing(100)] * 9 + [listing(101)], size=2)]})
