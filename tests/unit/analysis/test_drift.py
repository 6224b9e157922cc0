"""Distances agree with scipy; verdicts find what was planted and little else."""

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelward.analysis import Constraints, DriftSettings, check, profile, suggest
from modelward.analysis.checking import chances, distances, drift
from modelward.analysis.sketches import Categories
from modelward.kernel.outcome import Outcome

CARDINALITIES = (2, 3, 5, 10, 20, 50, 100, 200, 500, 1000)
PLANTED = {"n0", "n6", "n10", "c2", "c8"}


def benchmark_table(rows: int, seed: int, *, drifted: bool) -> pa.Table:
    """20 numeric columns with 3 % nulls, 10 categorical of cardinality 2 to 1000 (zipf); drift in five of them."""
    rng = np.random.default_rng(seed)
    draws = (rng.normal, rng.lognormal, rng.exponential, rng.uniform)
    columns = {}
    for number in range(20):
        values = draws[number % 4](size=rows)
        if drifted:
            values = {0: values + 0.2, 6: values * 1.2, 10: values * 1.2}.get(number, values)
        columns[f"n{number}"] = pa.array(values, mask=rng.random(rows) < 0.03)
    for number, size in enumerate(CARDINALITIES):
        weights = 1 / np.arange(1, size + 1)
        if drifted and number == 2:
            weights[0] *= 1.4
        if drifted and number == 8:
            weights = weights**1.2
        codes = rng.choice(size, rows, p=weights / weights.sum()).astype(np.int32)
        columns[f"c{number}"] = pa.DictionaryArray.from_arrays(codes, [f"value {code}" for code in range(size)])
    return pa.table(columns)


def failed_columns(report) -> set[str]:
    return {verdict.column for verdict in report.drift if verdict.outcome is Outcome.FAILED}


@pytest.mark.parametrize("rows, seeds", [(10_000, range(8)), (100_000, range(2))])
def test_all_planted_drifts_are_found_with_at_most_one_false_alarm(rows, seeds):
    false = 0
    for seed in seeds:
        baseline = profile(benchmark_table(rows, 2 * seed, drifted=False))
        current = profile(benchmark_table(rows, 2 * seed + 1, drifted=True))

        found = failed_columns(check(current, baseline, suggest(baseline)))

        assert found >= PLANTED, (seed, PLANTED - found)
        assert len(found - PLANTED) <= 1, (seed, found - PLANTED)
        false += len(found - PLANTED)
    assert false / len(seeds) <= 0.5


@pytest.mark.parametrize("rows", [150, 500, 2_000, 10_000])
def test_data_of_the_same_kind_keeps_the_suggested_constraints(rows):
    alarms = 0
    for seed in range(6):
        baseline = profile(benchmark_table(rows, 100 + seed, drifted=False))
        current = profile(benchmark_table(rows, 200 + seed, drifted=False))

        report = check(current, baseline, suggest(baseline))

        alarms += len(report.violations) + len(failed_columns(report))
    assert alarms <= 2


def test_a_table_never_drifts_from_itself_nor_breaks_its_own_suggestions():
    found = profile(benchmark_table(1_000, 7, drifted=True))

    report = check(found, found, suggest(found))

    assert report.outcome is Outcome.PASSED
    assert report.violations == ()
    assert all(verdict.distance == 0 for verdict in report.drift)


def test_a_feature_stuck_at_one_value_is_drift():
    baseline = profile(pa.table({"x": np.random.default_rng(0).normal(size=3_000)}))

    report = check(profile(pa.table({"x": np.full(1_000, 0.1)})), baseline, suggest(baseline))

    assert failed_columns(report) == {"x"}


def test_a_change_of_year_is_seen_although_the_numbers_lie_close_together():
    rng = np.random.default_rng(0)
    baseline = profile(pa.table({"year": rng.integers(2010, 2020, 5_000)}))

    report = check(profile(pa.table({"year": rng.integers(2011, 2021, 5_000)})), baseline, Constraints(columns=()))

    assert failed_columns(report) == {"year"}


def test_a_few_far_outliers_are_drift_by_the_distance_that_values_moved():
    rng = np.random.default_rng(0)
    values = rng.normal(size=20_000)
    baseline = profile(pa.table({"x": values}))
    moved = np.where(rng.random(20_000) < 0.02, 40.0, rng.normal(size=20_000))

    report = check(profile(pa.table({"x": moved})), baseline, Constraints(columns=()))

    assert failed_columns(report) == {"x"}
    assert report.drift[0].measure == "wasserstein"


@pytest.mark.parametrize("rows, outcome", [(0, Outcome.UNDECIDED), (99, Outcome.UNDECIDED), (100, Outcome.FAILED)])
def test_too_few_rows_leave_the_verdict_undecided(rows, outcome):
    baseline = profile(pa.table({"x": np.random.default_rng(0).normal(size=1_000)}))

    report = check(profile(pa.table({"x": np.full(rows, 9.0)})), baseline, Constraints(columns=()))

    assert report.outcome is outcome
    assert report.reason


def test_times_identifiers_lists_and_switched_off_columns_are_reported_as_unchecked():
    from datetime import datetime, timedelta

    rows = 300

    def made(start):
        return pa.table(
            {
                "at": [datetime(2026, 1, 1) + timedelta(hours=start + i) for i in range(rows)],
                "id": list(range(start, start + rows)),
                "name": [f"n{start + i}" for i in range(rows)],
                "list": [[1]] * rows,
                "off": np.random.default_rng(start).normal(size=rows),
            }
        )

    baseline = profile(made(0))
    rules = suggest(baseline)
    columns = tuple(
        type(rule)(name=rule.name, kind=rule.kind, drift=rule.name != "off" and rule.drift) for rule in rules.columns
    )

    report = check(profile(made(1_000)), baseline, Constraints(columns=columns))

    assert {item.column for item in report.unchecked if item.check == "drift"} == {"at", "id", "name", "list", "off"}
    assert report.drift == ()


def test_the_false_discovery_rule_is_that_of_scipy():
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(0)
    for _ in range(50):
        drawn = {str(place): float(chance) for place, chance in enumerate(rng.random(20) ** 4)}
        adjusted = stats.false_discovery_control(list(drawn.values()))

        assert drift.significant(drawn, 0.05) == {
            name for name, value in zip(drawn, adjusted, strict=True) if value <= 0.05
        }


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 50), min_size=2, max_size=30), st.lists(st.integers(0, 50), min_size=2, max_size=30))
def test_distances_agree_with_scipy(left, right):
    stats = pytest.importorskip("scipy.stats")
    distance = pytest.importorskip("scipy.spatial.distance")
    a, b = profile(pa.table({"x": left})).columns["x"], profile(pa.table({"x": right})).columns["x"]

    axis, p, q = distances.side_by_side(a.histogram, b.histogram)

    assert distances.ks_distance(p, q) == pytest.approx(stats.ks_2samp(left, right).statistic, abs=1e-12)
    assert distances.wasserstein_distance(axis, p, q) == pytest.approx(
        stats.wasserstein_distance(left, right), abs=1e-9
    )
    # scipy subtracts near-equal numbers here: tiny distances have few digits.
    assert distances.js_distance(p, q) == pytest.approx(distance.jensenshannon(p, q, base=2), abs=1e-7)
    hellinger = np.sqrt(((np.sqrt(p / p.sum()) - np.sqrt(q / q.sum())) ** 2).sum() / 2)
    assert distances.hellinger_distance(p, q) == pytest.approx(hellinger, abs=1e-7)


@pytest.mark.parametrize("freedom", [1, 2, 9, 99, 999])
@pytest.mark.parametrize("factor", [0.01, 0.5, 1.0, 1.5, 4.0])
def test_the_chi_square_tail_is_that_of_scipy(freedom, factor):
    stats = pytest.importorskip("scipy.stats")

    assert chances.chi2_tail(freedom * factor, freedom) == pytest.approx(
        stats.chi2.sf(freedom * factor, freedom), rel=1e-9, abs=1e-300
    )


def test_the_chi_square_test_is_that_of_scipy():
    stats = pytest.importorskip("scipy.stats")
    left, right = np.array([30, 50, 20, 0]), np.array([40, 30, 25, 0])

    statistic, chance, freedom = chances.chi2_p_value(left, right)

    expected = stats.chi2_contingency(np.array([left[:3], right[:3]]), correction=False)
    assert (statistic, freedom) == pytest.approx((expected.statistic, expected.dof))
    # The chance knows of the margins, which scipy's does not.
    assert chance == pytest.approx(expected.pvalue, abs=0.002)


@pytest.mark.parametrize("distance", [0.01, 0.02, 0.03, 0.05])
def test_the_ks_chance_is_near_that_of_scipy(distance):
    stats = pytest.importorskip("scipy.stats")

    assert chances.ks_p_value(distance, 5_000, 5_000) == pytest.approx(
        stats.kstwobign.sf(distance * math.sqrt(2_500)), abs=0.01
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 100), min_size=3, max_size=8), st.lists(st.integers(0, 100), min_size=3, max_size=8))
def test_every_distance_is_symmetric_or_zero_only_for_equals_and_keeps_its_range(left, right):
    size = min(len(left), len(right))
    p, q = np.array(left[:size]) + 1, np.array(right[:size]) + 1

    for measure in (distances.ks_distance, distances.js_distance, distances.hellinger_distance):
        assert 0 <= measure(p, q) <= 1
        assert measure(p, q) == pytest.approx(measure(q, p), abs=1e-12)
        assert measure(p, p) == pytest.approx(0, abs=1e-7)
    assert distances.psi(p, q) >= 0


def test_texts_that_were_let_go_count_as_one():
    baseline = Categories({"a": 10, "b": 1}, other=5, error=2)

    left, right = distances.common_texts(baseline, Categories({"a": 8, "z": 9}))

    assert left.tolist() == [10, 0, 6]
    assert right.tolist() == [8, 9, 0]


def test_a_change_from_a_constant_is_drift_with_finite_figures():
    baseline = profile(pa.table({"x": np.full(1_000, 5.0)}))

    report = check(profile(pa.table({"x": np.full(1_000, 6.0)})), baseline, Constraints(columns=()))

    assert failed_columns(report) == {"x"}
    assert all(math.isfinite(value) for value in report.drift[0].also.values())


def test_a_column_that_the_current_data_lacks_is_reported_as_unchecked():
    baseline = profile(pa.table({"x": [1.0] * 200, "y": [1.0] * 200}))

    report = check(profile(pa.table({"x": [1.0] * 200})), baseline, Constraints(columns=()))

    assert ("y", "the current data has no such column") in {(item.column, item.reason) for item in report.unchecked}


def test_a_stricter_threshold_for_one_column_is_kept():
    rng = np.random.default_rng(0)
    baseline = profile(pa.table({"x": rng.normal(size=200_000)}))
    current = profile(pa.table({"x": rng.normal(size=200_000) + 0.05}))
    rule = suggest(baseline).columns[0]

    from msgspec.structs import replace

    assert not failed_columns(check(current, baseline, Constraints(columns=(rule,))))
    assert failed_columns(check(current, baseline, Constraints(columns=(replace(rule, drift_threshold=0.01),)))) == {
        "x"
    }
    assert not check(current, baseline, Constraints(columns=(rule,), drift=DriftSettings(enabled=False))).drift
