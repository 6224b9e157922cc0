"""Doubles and JSON look as the service writes them, and nothing is lost on the way."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from modelward.analysis.formats.layout import indented, java_double, spread

JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False, allow_infinity=False) | some.text(),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    "value, text",
    [
        (1.0, "1.0"), (66.66666666666666, "66.66666666666666"), (0.001, "0.001"), (9999999.0, "9999999.0"),
        (11175931.250001853, "1.1175931250001853E7"), (8.080858763541535e-4, "8.080858763541535E-4"), (1e7, "1.0E7"),
        (-5e-324, "-4.9E-324"), (-0.0, "-0.0"), (float("nan"), "NaN"), (float("-inf"), "-Infinity"),
    ],
)  # fmt: skip
def test_a_double_is_written_as_java_writes_it(value, text):
    assert java_double(value) == text


@given(some.floats(allow_nan=False, allow_infinity=False))
def test_a_written_double_is_the_same_double(value):
    assert float(java_double(value)) == value


@given(some.dictionaries(some.text(), JSON, max_size=4))
def test_either_layout_is_json_of_the_same_value(value):
    assert json.loads(spread(value)) == value
    assert json.loads(indented(value)) == value
