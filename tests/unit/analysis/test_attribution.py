"""Drift of attributions: the documented figures, the referee's figures, three outcomes, and where the measure is blind."""

import json
from pathlib import Path

import numpy as np
import pytest

from modelward.analysis.attribution.drift import (
    attribution_drift,
    global_attributions,
    kendall,
    ndcg,
    order_drift,
    spearman,
)
from modelward.kernel.errors import Invalid
from modelward.kernel.outcome import Outcome

GOLDEN = Path(__file__).parents[4] / "shared" / "data" / "golden"
NAMES = ["a", "b", "c", "d", "e"]


def test_ndcg_of_the_documented_example():
    assert ndcg([0.70, 0.50, 0.05], [0.10, 0.20, 0.70]) == pytest.approx(0.6876396241226223)


def test_the_worst_and_the_chance_order_of_the_golden_baseline_are_told():
    path = GOLDEN / "feature_attribution_drift" / "baseline_analysis.json"
    if not path.exists():
        pytest.skip(f"the golden file {path} is not on this machine")
    known = json.loads(path.read_text())["explanations"]["kernel_shap"]["label0"]["global_shap_values"]

    tied = order_drift(known, dict.fromkeys(known, 1.0))
    turned = order_drift(known, {name: -value for name, value in known.items()})

    assert round(tied.ndcg, 3) == round(tied.chance, 3) == 0.770
    assert round(turned.ndcg, 3) == round(tied.least, 3) == 0.666
    assert "equal attribution" in tied.weakness
    assert order_drift(known, known).ndcg == 1


def test_the_figures_are_those_of_scikit_learn_and_scipy_ties_included():
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed (extra: demo)")
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(0)
    for _ in range(30):
        gains, scores = rng.random(8), rng.integers(0, 4, 8).astype(float)
        assert ndcg(gains, scores) == pytest.approx(metrics.ndcg_score([gains], [scores]), abs=1e-12)
        assert kendall(gains, scores) == pytest.approx(stats.kendalltau(gains, scores).statistic, abs=1e-12)
        assert spearman(gains, scores) == pytest.approx(stats.spearmanr(gains, scores).statistic, abs=1e-12)


def test_rank_correlations_of_a_constant_are_not_defined():
    assert kendall([1, 1], [1, 2]) is None
    assert spearman([1, 1], [1, 2]) is None


def test_a_baseline_of_nearly_equal_attributions_cannot_be_judged_by_order():
    drift = order_drift(dict.fromkeys(NAMES, 1.0), {name: float(at) for at, name in enumerate(NAMES)})

    assert drift.outcome is Outcome.UNDECIDED
    assert "worst order" in drift.reason


def window(rows, scales, seed):
    return np.random.default_rng(seed).normal(size=(rows, len(scales))) * scales


def test_the_same_model_passes_and_a_turned_one_fails_with_the_features_that_moved():
    before = window(2_000, [16, 8, 4, 2, 1], 0)

    same = attribution_drift(before, window(2_000, [16, 8, 4, 2, 1], 1), NAMES)
    turned = attribution_drift(before, window(2_000, [1, 2, 4, 8, 16], 2), NAMES)

    assert same.outcome is Outcome.PASSED
    assert turned.outcome is Outcome.FAILED
    assert turned.order.outcome is Outcome.FAILED
    assert {one.feature for one in turned.features if one.outcome is Outcome.FAILED} == {"a", "e"}
    assert turned.features[0].low < turned.features[0].change < turned.features[0].high


def test_a_change_of_size_that_keeps_the_order_is_seen_by_feature_alone():
    drift = attribution_drift(window(2_000, [8, 4, 2, 1, 0.5], 0), window(2_000, [32, 4, 2, 1, 0.5], 1), NAMES)

    assert drift.order.outcome is Outcome.PASSED
    assert drift.features[0].feature == "a"
    assert drift.outcome is Outcome.FAILED


def test_few_rows_are_undecided_with_their_number():
    drift = attribution_drift(window(2_000, [8, 4, 2, 1, 0.5], 0), window(10, [1, 2, 4, 8, 9], 1), NAMES)

    assert drift.outcome is Outcome.UNDECIDED
    assert "10 rows; 30 are needed" in drift.features[0].reason


def test_the_interval_of_a_change_holds_the_truth_about_95_times_in_100():
    held = 0
    for seed in range(100):
        drift = attribution_drift(window(200, [1, 1], seed), window(200, [1, 1.5], seed + 1_000), ["a", "b"])
        one = next(change for change in drift.features if change.feature == "b")
        held += one.low <= 0.5 * np.sqrt(2 / np.pi) <= one.high
    assert 88 <= held <= 100


def test_aggregations_are_the_three_of_the_files():
    values = np.array([[1.0, -2], [-3, 0]])

    assert global_attributions(values).tolist() == [2, 1]
    assert global_attributions(values, "median").tolist() == [-1, -1]
    assert global_attributions(values, "mean_sq").tolist() == [5, 2]


@pytest.mark.parametrize("call, words", [
    (lambda: order_drift({"a": 1.0}, {"b": 1.0}), "one side only"),
    (lambda: order_drift({"a": -1.0, "b": 1.0}, {"a": 1.0, "b": 1.0}), "below 0"),
    (lambda: attribution_drift(np.zeros((3, 2)), np.ones((3, 2)), ["a", "b"]), "not all 0"),
    (lambda: attribution_drift(np.ones((3, 2)), np.ones((3, 3)), ["a", "b"]), "rows of 2"),
    (lambda: global_attributions(np.zeros((0, 2))), "no rows"),
    (lambda: global_attributions(np.ones((1, 2)), "max"), "none of"),
])  # fmt: skip
def test_bad_questions_are_refused(call, words):
    with pytest.raises(Invalid, match=words):
        call()
