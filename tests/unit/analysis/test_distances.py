"""Chances are even where nothing differs, intervals hold the truth, and what a run may say by chance is told."""

import math

import numpy as np
import pyarrow as pa
import pytest
from msgspec.structs import replace

from modelward.analysis import Constraints, DriftSettings, Plan, check, profile, suggest
from modelward.analysis.checking.budget import SPENT, RunHistory, Standing, check_run, level_of
from modelward.analysis.checking.chances import binomial_tail, chi2_p_value, rank_p_values, share_p_value
from modelward.analysis.checking.distances import moved_by_chance
from modelward.analysis.checking.drift import distances_of
from modelward.analysis.checking.spending import divided, keeps_limit
from modelward.kernel.outcome import Outcome

ONE = Plan(threads=1)
BUDGET = DriftSettings(false_alarms_a_month=1, runs_a_month=30)


def column(values):
    return profile(pa.table({"x": values}), ONE).columns["x"]


def counts(values, axis):
    return np.bincount(np.searchsorted(axis, values), minlength=len(axis))


@pytest.mark.parametrize("zeros", [0.0, 0.9])
def test_chances_by_ranks_are_even_for_a_bell_and_for_a_lump_of_zeros(zeros):
    rng = np.random.default_rng(5)
    chances = []
    for _ in range(400):
        left, right = (np.where(rng.random(n) < zeros, 0.0, rng.lognormal(size=n)) for n in (1_000, 200))
        axis = np.unique(np.concatenate((left, right)))
        chances.append(rank_p_values(counts(left, axis), counts(right, axis)))

    # Four standard errors of 400 draws.
    assert np.all(np.mean(np.array(chances) <= 0.05, axis=0) <= 0.05 + 4 * math.sqrt(0.05 * 0.95 / 400))
    assert np.all(np.abs(np.mean(chances, axis=0) - 0.5) < 0.08)


def test_the_chance_by_ranks_is_that_of_scipy_for_equal_sides():
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(6)
    left, right = np.round(rng.normal(size=300), 1), np.round(rng.normal(size=300) + 0.1, 1)
    axis = np.unique(np.concatenate((left, right)))

    moved, spread = rank_p_values(counts(left, axis), counts(right, axis))

    assert moved == pytest.approx(stats.mannwhitneyu(left, right, use_continuity=False).pvalue, rel=2e-3)
    assert spread == pytest.approx(stats.mood(left, right).pvalue, rel=0.02)


def test_many_small_cells_do_not_make_the_chance_of_chi_square_too_small():
    rng = np.random.default_rng(7)
    weights = 1 / np.arange(1, 21)
    weights /= weights.sum()
    pairs = zip(rng.multinomial(20_000, weights, 4_000), rng.multinomial(300, weights, 4_000), strict=True)

    chances = np.array([chi2_p_value(left, right)[1] for left, right in pairs])

    for level in (0.05, 0.01, 0.002):
        assert np.mean(chances <= level) <= level + 4 * math.sqrt(level / 4_000)
    assert abs(np.mean(chances) - 0.5) < 0.03


def test_a_share_of_few_rows_never_seems_rarer_than_it_is():
    stats = pytest.importorskip("scipy.stats")

    assert binomial_tail(8, 100, 0.01) == pytest.approx(stats.binom.sf(7, 100, 0.01), rel=1e-9)
    assert share_p_value(100, 10_000, 8, 100) >= stats.binom.sf(7, 100, 0.0108)


def test_the_distance_that_values_move_by_chance_is_known():
    rng = np.random.default_rng(8)
    found, known = [], []
    for _ in range(150):
        left, right = np.sort(rng.normal(size=400)), np.sort(rng.normal(size=400))
        found.append(float(np.abs(left - right).mean()))
        axis = np.unique(np.concatenate((left, right)))
        known.append(moved_by_chance(axis, counts(left, axis), counts(right, axis)))

    mean, variance = np.mean(known, axis=0)
    assert np.mean(found) == pytest.approx(mean, rel=0.1)
    assert np.var(found) == pytest.approx(variance, rel=0.5)


def test_intervals_hold_the_true_distance():
    rng = np.random.default_rng(9)
    p, q = np.array([0.4, 0.3, 0.2, 0.1]), np.array([0.3, 0.35, 0.2, 0.15])
    truth = {
        "psi": float(((p - q) * np.log(p / q)).sum()),
        "hellinger": math.sqrt(1 - float(np.sqrt(p * q).sum())),
        "ks": math.erf(0.15 / math.sqrt(2)),
        "wasserstein": 0.3,
    }
    held = {name: [] for name in truth}
    for _ in range(120):
        texts = distances_of(*(column(rng.choice(list("abcd"), 600, p=each)) for each in (p, q)))
        numbers = distances_of(*(column(rng.normal(size=600) + shift) for shift in (0.0, 0.3)))
        told = {each.measure: each for each in (*numbers, *texts)}
        for name, true in truth.items():
            held[name].append(told[name].low <= true <= told[name].high)

    # Four standard errors below 95 %.
    assert {
        name: np.mean(each) > 0.95 - 4 * math.sqrt(0.05 * 0.95 / 120) for name, each in held.items()
    } == dict.fromkeys(truth, True)


def test_every_distance_has_an_effect_and_a_chance_and_only_chi_square_no_interval():
    rng = np.random.default_rng(1)

    found = distances_of(column(rng.normal(size=500)), column(rng.normal(size=500) + 1))

    assert [each.measure for each in found] == ["ks", "wasserstein", "js", "psi", "hellinger", "chi2"]
    assert all(0 < each.effect <= each.value and each.p_value < 1e-6 for each in found)
    assert [each.measure for each in found if each.low is None] == ["chi2"]
    assert all(each.low < each.value <= each.high for each in found if each.low is not None)


def table(rng, rows=400, shift=0.0, missing=0.0):
    return pa.table({"x": pa.array(rng.normal(size=rows) + shift, mask=rng.random(rows) < missing)})


def test_another_share_of_missing_rows_is_drift_even_where_no_value_is_left():
    rng = np.random.default_rng(2)
    baseline = profile(table(rng, 4_000, missing=0.05), ONE)

    more, none = (profile(table(rng, missing=share), ONE) for share in (0.25, 1.0))

    for current in (more, none):
        (verdict,) = check(current, baseline, Constraints(columns=())).drift
        assert (verdict.outcome, verdict.measure) == (Outcome.FAILED, "missing")
    (same,) = check(profile(table(rng, missing=0.05), ONE), baseline, Constraints(columns=())).drift
    assert same.outcome is Outcome.PASSED


def test_the_chances_of_all_kinds_of_verdicts_add_up_to_the_chance_of_the_run():
    for limits, segments in ((0, False), (7, False), (0, True), (7, True)):
        levels = divided(0.01, limits=limits, segments=segments, budgeted=True)
        assert levels.drift + levels.segments + (levels.limit * limits if limits else 0) == pytest.approx(0.01)


def test_a_limit_of_a_share_lets_chance_pass_and_a_limit_for_every_row_does_not():
    assert keeps_limit(94, 100, 0.95, 0.01)
    assert not keeps_limit(80, 100, 0.95, 0.01)
    assert not keeps_limit(9_400, 10_000, 0.95, 0.01)
    assert not keeps_limit(9_999, 10_000, 1.0, 0.01)


def test_what_is_spent_never_exceeds_what_was_earned_whoever_asks_how_often():
    rng = np.random.default_rng(3)
    baseline, history = profile(table(rng, 4_000), ONE), RunHistory()
    rules = replace(suggest(baseline), drift=BUDGET)
    standings = [
        Standing.NEW,
        Standing.AGAIN,
        Standing.EXTRA,
        Standing.EXTRA,
        Standing.PLANNED,
        Standing.NEW,
        Standing.NEW,
    ]

    for standing in standings * 3:
        report, history = check_run(profile(table(rng), ONE), baseline, rules, history, standing=standing)
        assert history.spent <= history.earned + 1e-9
        assert report.budget is not None
        if standing is Standing.AGAIN:
            assert report.budget.spent == 0

    assert history.earned == pytest.approx(12 / 30)


def test_a_look_beyond_the_plan_is_undecided_once_nothing_is_left_and_broken_rules_are_still_told():
    rng = np.random.default_rng(4)
    baseline = profile(table(rng, 4_000), ONE)
    rules = replace(suggest(baseline), drift=BUDGET)
    spent = RunHistory(earned=0.1, spent=0.1)

    report, after = check_run(profile(table(rng, shift=9.0), ONE), baseline, rules, spent, standing=Standing.EXTRA)

    assert any(each.reason == SPENT for each in report.unchecked)
    assert (report.drift, after.spent) == ((), 0.1)
    assert report.outcome is Outcome.FAILED
    quiet, _ = check_run(profile(table(rng), ONE), baseline, rules, spent, standing=Standing.EXTRA)
    assert (quiet.outcome, SPENT in quiet.reason) == (Outcome.UNDECIDED, True)


def test_a_report_tells_its_budget_in_a_sentence():
    rng = np.random.default_rng(5)
    baseline = profile(table(rng, 4_000), ONE)

    report, _ = check_run(profile(table(rng), ONE), baseline, Constraints(columns=(), drift=BUDGET), RunHistory())
    alone = check(profile(table(rng), ONE), baseline, Constraints(columns=()))

    assert report.budget.sentence.startswith(
        "Budget: at most 1 false alarm a month over 1 column; this run spent 0.017."
    )
    assert report.budget.spent == pytest.approx(level_of(BUDGET, 1))
    assert "a chance of 1 %" in alone.budget.sentence


def test_every_path_tells_what_was_not_checked_and_why():
    rng = np.random.default_rng(6)
    groups = pa.table({"x": rng.normal(size=900), "g": ["a"] * 800 + ["b"] * 50 + ["c"] * 50})
    by_group = replace(ONE, segments=("g",))
    baseline, current = profile(groups, by_group), profile(groups.slice(0, 850), by_group)

    told = {
        (each.column, each.check): each.reason for each in check(current, baseline, Constraints(columns=())).unchecked
    }
    thin = check(profile(groups.slice(0, 50), ONE), baseline, Constraints(columns=()))
    nothing = check(current, None, suggest(baseline))
    disabled = check(current, baseline, Constraints(columns=(), drift=DriftSettings(enabled=False)))
    empty = check(profile(groups.slice(0, 0), ONE), baseline, Constraints(columns=()))

    assert "at least 100 are needed" in told["g = b", "drift by segment"]
    assert "no row of the current data" in told["g = c", "drift by segment"]
    assert "at least 100 are needed" in {each.column: each.reason for each in thin.unchecked}["x"]
    assert any("was not profiled by the same columns" in each.reason for each in thin.unchecked)
    assert tuple(
        next(each.reason for each in report.unchecked if each.check == "drift") for report in (nothing, disabled)
    ) == ("no baseline was given", "switched off in the constraints")
    assert empty.unchecked[0].check == "all"
