"""Intervals hold the truth, fine bins keep six digits, and the constants to compare with are there."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelward.analysis import quality_report
from modelward.analysis.quality.score_bins import Even, Graded, Ranked, ScoreBins
from modelward.kernel.errors import Invalid


def binary(rows, seed=0, **options):
    rng = np.random.default_rng(seed)
    score = rng.beta(2, 3, rows)
    table = pa.table({"y": (rng.random(rows) < score).astype(int), "p": score})
    return quality_report(table, problem_type="binary", label="y", prediction=None, probability="p", **options)


def numbers(rows, seed=0, noise=1.0, **options):
    rng = np.random.default_rng(seed)
    y = rng.normal(50, 2, rows)
    table = pa.table({"y": y, "p": y + rng.normal(0, noise, rows)})
    return quality_report(table, problem_type="regression", label="y", prediction="p", **options)


TRUTH = {name: binary(400_000, 99).metrics[name].value for name in ("brier", "log_loss", "average_precision", "auc")}


@pytest.mark.parametrize("name", TRUTH)
def test_an_interval_of_a_binary_figure_holds_the_truth_about_95_times_in_100(name):
    held = 0
    for seed in range(60):
        metric = binary(800, seed).metrics[name]
        held += metric.low <= TRUTH[name] <= metric.high
    assert 51 <= held <= 60


@pytest.mark.parametrize("name, truth", [("r2", 1 - 1 / 4), ("mse", 1), ("mse_best_constant", 4), ("mean_error", 0)])
def test_an_interval_of_an_error_holds_the_truth_about_95_times_in_100(name, truth):
    held = 0
    for seed in range(100):
        metric = numbers(400, seed).metrics[name]
        held += metric.low <= truth <= metric.high
    assert 87 <= held <= 100


def test_r2_far_from_zero_keeps_its_digits():
    rng = np.random.default_rng(0)
    y = rng.normal(0, 1, 10_000)
    far = pa.table({"y": y + 1e6, "p": y * 0.5 + 1e6})
    near = pa.table({"y": y, "p": y * 0.5})

    one, other = (
        quality_report(table, problem_type="regression", label="y", prediction="p").metrics["r2"]
        for table in (far, near)
    )

    assert one.value == pytest.approx(other.value, abs=1e-8)
    assert one.low == pytest.approx(other.low, abs=1e-6)


def test_the_quantile_loss_is_that_of_scikit_learn_and_only_where_asked_for():
    oracle = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed (extra: demo)")
    rng = np.random.default_rng(0)
    y, guess = rng.normal(size=500), rng.normal(size=500)
    table = pa.table({"y": y, "p": guess})

    report = quality_report(table, problem_type="regression", label="y", prediction="p", quantile=0.9)

    expected = oracle.mean_pinball_loss(y, guess, alpha=0.9)
    assert report.metrics["quantile_loss"].value == pytest.approx(expected, abs=1e-14)
    assert "quantile_loss" not in numbers(50).metrics
    with pytest.raises(Invalid, match="between 0 and 1"):
        numbers(50, quantile=1.0)


def test_the_best_constants_are_those_of_the_majority_and_the_mean():
    table = pa.table({"y": ["a"] * 70 + ["b"] * 20 + ["c"] * 10, "g": ["a"] * 100})

    report = quality_report(table, problem_type="multiclass", label="y", prediction="g")

    assert report.metrics["accuracy_best_constant"].value == report.metrics["accuracy"].value == 0.7
    two = binary(1_000)
    share = two.metrics["label_share"].value
    assert two.metrics["accuracy_best_constant"].value == pytest.approx(max(share, 1 - share))


def test_multiclass_f_beta_are_those_of_scikit_learn():
    oracle = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed (extra: demo)")
    rng = np.random.default_rng(0)
    y, guess = rng.choice(list("abc"), 900, p=[0.6, 0.3, 0.1]), rng.choice(list("abc"), 900)

    metrics = quality_report(
        pa.table({"y": y, "g": guess}), problem_type="multiclass", label="y", prediction="g"
    ).metrics

    for name, beta in (("f0_5", 0.5), ("f2", 2.0)):
        for average in ("macro", "weighted"):
            expected = oracle.fbeta_score(y, guess, beta=beta, average=average)
            assert metrics[f"{name}_{average}"].value == pytest.approx(expected, abs=1e-14)


SHAPES = {
    "even": lambda rng, rows: rng.random(rows),
    "at one end": lambda rng, rows: rng.random(rows) * 1e-6,
    "two heaps": lambda rng, rows: np.where(rng.random(rows) < 0.5, 1e-9, 1 - 1e-9) * rng.random(rows),
    "few values": lambda rng, rows: rng.integers(0, 50, rows) / 49,
    "single floats": lambda rng, rows: rng.random(rows).astype(np.float32).astype(float),
    "sorted": lambda rng, rows: np.sort(rng.random(rows)),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_bins_err_by_less_than_they_say_and_that_is_less_than_a_millionth(shape, monkeypatch):
    monkeypatch.setattr("modelward.analysis.quality.scores.EXACT_ROWS_MAX", 100_000)
    rng = np.random.default_rng(0)
    score = np.clip(SHAPES[shape](rng, 400_000), 0, 1)
    label = (rng.random(400_000) < 0.3 + 0.4 * (np.argsort(np.argsort(score)) / 400_000)).astype(int)
    table = pa.table({"y": label, "p": score})
    batches = pa.Table.from_batches(table.to_batches(max_chunksize=50_000))

    def auc(exact):
        return quality_report(batches, problem_type="binary", label="y", prediction=None, probability="p", exact=exact)

    exact, binned = auc(True), auc(False)

    assert abs(exact.metrics["auc"].value - binned.metrics["auc"].value) <= 1e-6
    assert exact.metrics["average_precision"].value == pytest.approx(
        binned.metrics["average_precision"].value, abs=2e-6
    )
    assert exact.metrics["brier"] == binned.metrics["brier"]
    assert exact.notes == ()
    if shape == "few values":
        assert binned.metrics["auc"].value == pytest.approx(exact.metrics["auc"].value, abs=1e-14)
        assert binned.notes == ()


LAYOUTS = {
    "even": lambda first: Even(),
    "graded": Graded,
    "ranked": Ranked,
}


@settings(max_examples=25, deadline=None)
@given(
    values=st.lists(st.floats(0, 1).map(abs), min_size=1, max_size=200),
    hits=st.lists(st.integers(0, 1), min_size=200, max_size=200),
    first=st.lists(st.floats(0, 1).map(abs), min_size=1, max_size=50),
)
def test_bins_keep_the_order_of_scores_and_every_row(values, hits, first):
    bins = ScoreBins(np.array(first), np.ones(len(first), np.int8))
    given_hits = np.array(hits[: len(values)], np.int8)
    bins.add(given_hits, np.array(values))

    levels, pos, neg, _ = bins.levels()

    assert (np.diff(levels) < 0).all()
    assert pos.sum() == given_hits.sum() + len(first)
    assert pos.sum() + neg.sum() == len(values) + len(first)


@pytest.mark.parametrize("layout", LAYOUTS)
@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1).map(abs), min_size=2, max_size=200))
def test_higher_scores_are_never_in_lower_bins(layout, values):
    laid = LAYOUTS[layout](np.linspace(0.6, 0.9, 1_000))

    places = laid.places(np.sort(values))

    assert (np.diff(places) >= 0).all()
    assert places[0] >= 0
    assert places[-1] < laid.total


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("low, high", [(0.7, 0.71), (0.5, 0.5 + 1e-12), (1 - 1e-12, 1.0), (0.0, 1e-300)])
def test_within_a_cell_the_order_of_scores_is_kept(layout, low, high):
    laid = LAYOUTS[layout](np.linspace(0.6, 0.9, 1_000))

    assert (np.diff(laid.places(np.linspace(low, high, 5_000))) >= 0).all()


def test_a_bin_with_two_scores_is_known_for_it():
    bins = ScoreBins(np.full(1_000, 0.25), np.zeros(1_000, np.int8))
    bins.add(np.zeros(3, np.int8), np.array([0.7601, np.nextafter(0.7601, 1), 0.5]))

    levels, _, _, mixed = bins.levels()

    assert dict(zip(levels.round(3).tolist(), mixed.tolist(), strict=True)) == {0.76: True, 0.5: False, 0.25: False}
