"""Violations of data quality: the service's in its words, and those that it does not see."""

import math

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as some

from formats.golden import golden, monitored_rows
from modelward.analysis.checking.drift import chi2_tail
from modelward.analysis.compatible.data_checks import check_table
from modelward.analysis.compatible.data_statistics import data_statistics, suggested_constraints
from modelward.analysis.compatible.distances import categorical_distance, chi_square, numeric_distance
from modelward.analysis.compatible.texts import read_texts
from modelward.analysis.formats.constraints_file import read_constraints
from modelward.analysis.formats.statistics_file import read_statistics
from modelward.analysis.formats.violations_file import read_violations
from modelward.kernel.outcome import Outcome


def checked(table, baseline, *, compatible=False, **changes):
    """Check a table against the baseline made of another."""
    statistics = data_statistics(baseline, compatible=compatible)
    constraints = suggested_constraints(statistics, compatible=compatible)
    if changes:
        rule = msgspec.structs.replace(constraints.monitoring_config.distribution_constraints, **changes)
        config = msgspec.structs.replace(constraints.monitoring_config, distribution_constraints=rule)
        constraints = msgspec.structs.replace(constraints, monitoring_config=config)
    return check_table(read_texts(table), constraints, statistics, compatible=compatible)


def kinds_of(found):
    return sorted((entry.feature_name, entry.constraint_check_type) for entry in found.violations)


def cookbook(compatible):
    """The monitored rows against the baseline, after the author's own edit of the constraints.

    Between the baseline (cell 13) and the run (cell 39) the notebook sets the type of the first feature, ``label``, to
    Fractional; the constraints beside the golden output are those from before. Without the edit ``label`` would violate.
    """
    constraints = read_constraints(golden("dq_cookbook_3000/constraints.json").read_bytes())
    label, *others = constraints.features
    edited = [msgspec.structs.replace(label, inferred_type="Fractional"), *others]
    baseline = read_statistics(golden("dq_cookbook_3000/statistics.json").read_bytes())
    constraints = msgspec.structs.replace(constraints, features=edited)
    return check_table(read_texts(monitored_rows()), constraints, baseline, compatible=compatible)


def test_the_violations_of_a_real_run_are_found_to_the_character():
    expected = read_violations(golden("dq_cookbook_3000/constraint_violations.json").read_bytes())

    found = cookbook(compatible=True)

    by_name = {entry.feature_name: entry for entry in found.violations}
    assert by_name == {entry.feature_name: entry for entry in expected.violations}
    assert found.outcome is Outcome.FAILED


def test_what_the_real_run_was_blind_to_is_seen_when_every_row_counts():
    drifted = {name for name, kind in kinds_of(cookbook(compatible=False)) if kind == "baseline_drift_check"}

    assert {"a", "b", "c", "d"} <= drifted


@pytest.mark.parametrize("name, violated", [("constraints", []), ("constraints_that_must_fail", ["_c5"])])
def test_the_rows_of_the_baseline_violate_only_the_type_that_was_made_to_fail(name, violated):
    constraints = read_constraints(golden(f"dq_sdk_100/{name}.json").read_bytes())
    baseline = read_statistics(golden("dq_sdk_100/statistics.json").read_bytes())
    table = read_texts(golden("dq_sdk_100/baseline_dataset.csv"), header=False)

    found = check_table(table, constraints, baseline, compatible=True)

    assert [entry.feature_name for entry in found.violations] == violated
    assert all("Observed: Only 0.0% of data is String." in entry.description for entry in found.violations)


CELLS = some.none() | some.sampled_from(["1", "-2", "2.5", "true", "text", "", "1e5"]) | some.text(max_size=3)


@given(some.lists(CELLS, min_size=1, max_size=30), some.booleans())
def test_a_table_never_violates_its_own_baseline(cells, compatible):
    table = pa.table({"a": pa.array(cells, pa.string()), "b": ["1"] * len(cells)})

    found = checked(table, table, compatible=compatible)

    assert found.violations == []
    assert found.outcome is Outcome.PASSED


def test_a_stuck_column_is_seen_when_every_row_counts_and_never_by_the_service():
    baseline, stuck = pa.table({"a": list(range(2_000))}), pa.table({"a": [0] * 500})

    assert kinds_of(checked(stuck, baseline, compatible=True)) == []
    assert kinds_of(checked(stuck, baseline)) == [("a", "baseline_drift_check")]


def test_no_rows_are_undecided():
    empty = pa.table({"a": pa.array([], pa.int64())})

    found = checked(empty, pa.table({"a": [1, 2]}))

    assert found.outcome is Outcome.UNDECIDED
    assert "no rows" in found.reason


def test_a_wrong_number_of_columns_is_told_in_the_words_of_the_service():
    baseline = pa.table({f"c{place}": [1] for place in range(9)})

    fewer = checked(baseline.drop_columns(["c0"]), baseline, compatible=True)
    more = checked(baseline.append_column("x", pa.array([1])), baseline, compatible=True)

    assert fewer.violations[0].description == (
        "There are missing columns in current dataset. Number of columns in current dataset: 8, "
        "Number of columns in baseline constraints: 9"
    )
    assert (more.violations[0].feature_name, more.violations[0].constraint_check_type) == (
        "Extra columns", "extra_column_check",
    )  # fmt: skip


def test_a_renamed_column_is_seen_by_name_and_not_by_count():
    baseline, renamed = pa.table({"a": [1, 2]}), pa.table({"z": [1, 2]})

    assert kinds_of(checked(renamed, baseline, compatible=True)) == []
    assert kinds_of(checked(renamed, baseline)) == [("a", "missing_column_check"), ("z", "extra_column_check")]


def test_completeness_and_domain_are_told_in_the_only_words_ever_seen():
    baseline = pa.table({"a": ["x", "y"] * 50})
    current = pa.table({"a": ["x"] * 50 + ["new"] * 25 + [None] * 25})

    found = {entry.constraint_check_type: entry.description for entry in checked(current, baseline).violations}

    assert found["completeness_check"] == "Value: 0.75 does not meet the constraint requirement! "
    assert found["categorical_values_check"] == "Value: 0.6666666666666666 does not meet the constraint requirement! "


def test_negative_numbers_violate_unless_the_service_is_followed():
    baseline, current = pa.table({"a": [1, 2, 3]}), pa.table({"a": [1, -2, 3]})

    assert kinds_of(checked(current, baseline)) == [("a", "non_negative_check")]
    assert kinds_of(checked(current, baseline, compatible=True)) == []


def test_whole_numbers_satisfy_fractional_unless_types_are_strict():
    baseline, current = pa.table({"a": ["1.5", "2.5"]}), pa.table({"a": ["1", "2.5"]})
    statistics = data_statistics(baseline)
    constraints = suggested_constraints(statistics)

    strict = check_table(read_texts(current), constraints, statistics, strict_types=True)

    assert kinds_of(checked(current, baseline)) == []
    assert kinds_of(strict) == [("a", "data_type_check")]


def test_a_switched_off_feature_is_not_judged_and_that_is_told():
    statistics = data_statistics(pa.table({"a": [1]}))
    constraints = read_constraints(
        b'{"features":[{"name":"a","inferred_type":"Integral","completeness":1.0,'
        b'"monitoringConfigOverrides":{"evaluate_constraints":"Disabled"}}]}'
    )

    found = check_table(read_texts(pa.table({"a": ["x"]})), constraints, statistics, compatible=True)

    assert found.violations == []
    assert ("a", "constraints", "switched off in the constraints") in found.unchecked


def test_distances_are_those_of_deequs_own_tests():
    left, right = {"a": 10, "b": 20, "c": 25, "d": 10, "e": 5}, {"a": 11, "b": 20, "c": 25, "d": 10, "e": 10}

    assert numeric_distance([[1.0, 2.0, 3.0, 4.0]], [[2.0, 3.0, 4.0, 5.0]], robust=False) == 0.25
    assert categorical_distance(left, right, robust=False) == 0.06015037593984962
    assert chi2_tail(28.175042782458068, 5) == pytest.approx(3.3640191298478506e-05, rel=1e-12)


def test_collapsing_counts_every_value_once_with_the_weight_of_its_last_level():
    stuck, spread = [[5.0] * 2_000], [[float(value) for value in range(1_000)]]

    blind = numeric_distance(stuck, spread, robust=False, collapse=True)
    seeing = numeric_distance(stuck, spread, robust=False)

    assert blind == pytest.approx(0.994)
    assert seeing == pytest.approx(0.994)
    assert numeric_distance(stuck, spread, collapse=True) == 0.0
    assert numeric_distance(stuck, spread) == pytest.approx(0.994 - 1.8 * math.sqrt(3_000 / 2_000_000))


def test_the_correction_with_alpha_is_that_of_deequ():
    simple = categorical_distance({"a": 50, "b": 50}, {"a": 90, "b": 10}, robust=False)

    corrected = categorical_distance({"a": 50, "b": 50}, {"a": 90, "b": 10}, alpha=0.003)

    assert corrected == pytest.approx(simple - math.sqrt(-math.log(0.0015) / 2) * math.sqrt(200 / 10_000))


def test_chi_square_joins_thin_categories_and_leaves_unknown_ones_out():
    baseline = {"a": 60, "b": 30, "c": 6, "d": 4}

    found = chi_square({"a": 6, "b": 3, "c": 1, "new": 99}, baseline)

    # c, d and then b with them: 4 of 10 expected beside 6, and two categories below 10 cannot be compared.
    assert math.isnan(found.p_value)


def test_chi_square_is_pearsons():
    found = chi_square({"a": 50, "b": 50}, {"a": 600, "b": 400})

    assert found.statistic == pytest.approx(100 / 60 + 100 / 40)
    assert found.p_value == pytest.approx(0.0412, abs=1e-4)


def test_a_small_chance_is_a_violation_under_chi_square():
    baseline, current = pa.table({"a": ["x", "y"] * 50}), pa.table({"a": ["x"] * 90 + ["y"] * 10})

    found = checked(current, baseline, categorical_drift_method="ChiSquared")

    assert kinds_of(found) == [("a", "baseline_drift_check")]
    assert found.violations[0].description.startswith("Baseline drift p-value: 1.2")
