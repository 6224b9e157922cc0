"""Quality metrics agree with scikit-learn and with the golden outputs; what is undefined says so."""

import csv
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from modelward.analysis import QualityReport, quality_report
from modelward.kernel import codec
from modelward.kernel.errors import Invalid, NotFound

GOLDEN = Path(__file__).parents[4] / "shared" / "data" / "golden"


def binary(y, guess=None, score=None, **options):
    columns = {"y": y} | ({} if guess is None else {"guess": guess}) | ({} if score is None else {"score": score})
    return quality_report(
        pa.table(columns),
        problem_type="binary",
        label="y",
        prediction=None if guess is None else "guess",
        probability=None if score is None else "score",
        **options,
    )


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("digits", [1, 3, 12])
def test_binary_metrics_are_those_of_scikit_learn(seed, digits):
    oracle = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(seed)
    y = (rng.random(3_000) < 0.3).astype(int)
    score = np.clip(0.3 * y + rng.random(3_000) * 0.6, 0, 1).round(digits)
    guess = (score > 0.5).astype(int)

    metrics = binary(y, guess, score).metrics

    expected = {
        "accuracy": oracle.accuracy_score(y, guess),
        "precision": oracle.precision_score(y, guess),
        "recall": oracle.recall_score(y, guess),
        "specificity": oracle.recall_score(y, guess, pos_label=0),
        "f1": oracle.f1_score(y, guess),
        "f0_5": oracle.fbeta_score(y, guess, beta=0.5),
        "f2": oracle.fbeta_score(y, guess, beta=2),
        "balanced_accuracy": oracle.balanced_accuracy_score(y, guess),
        "matthews": oracle.matthews_corrcoef(y, guess),
        "auc": oracle.roc_auc_score(y, score),
        "average_precision": oracle.average_precision_score(y, score),
        "brier": oracle.brier_score_loss(y, score),
        "log_loss": oracle.log_loss(y, score),
    }
    for name, value in expected.items():
        assert metrics[name].value == pytest.approx(value, abs=1e-12), name
        assert type(metrics[name].value) is float


def test_the_binned_ranking_errs_by_less_than_it_says(monkeypatch):
    oracle = pytest.importorskip("sklearn.metrics")
    monkeypatch.setattr("modelward.analysis.quality.scores.EXACT_ROWS_MAX", 1_000)
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 50_000)
    score = np.clip(rng.normal(0.4 + 0.2 * y, 0.2), 0, 1)

    report = binary(y, score=score)

    assert report.metrics["auc"].value == pytest.approx(oracle.roc_auc_score(y, score), abs=1e-6)
    assert report.metrics["average_precision"].value == pytest.approx(
        oracle.average_precision_score(y, score), abs=1e-4
    )
    assert any("counted in bins" in note for note in report.notes)


def test_multiclass_metrics_are_those_of_scikit_learn():
    oracle = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    y = rng.choice(list("abc"), 2_000, p=[0.6, 0.3, 0.1])
    guess = np.where(rng.random(2_000) < 0.7, y, rng.choice(list("abcd"), 2_000))

    report = quality_report(
        pa.table({"y": y, "guess": guess}), problem_type="multiclass", label="y", prediction="guess"
    )

    assert report.confusion.classes == ("a", "b", "c", "d")
    assert np.array_equal(report.confusion.counts, oracle.confusion_matrix(y, guess, labels=list("abcd")))
    for average in ("macro", "weighted"):
        found = oracle.precision_recall_fscore_support(y, guess, average=average, zero_division=0)
        for name, value in zip(("precision", "recall", "f1"), found, strict=False):
            assert report.metrics[f"{name}_{average}"].value == pytest.approx(value, abs=1e-12)
    assert report.metrics["kappa"].value == pytest.approx(oracle.cohen_kappa_score(y, guess), abs=1e-12)


def test_regression_metrics_are_those_of_scikit_learn():
    oracle = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    y = 1e6 + rng.normal(size=3_000)
    guess = y + rng.normal(size=3_000) * 0.5

    metrics = quality_report(
        pa.table({"y": y, "guess": guess}), problem_type="regression", label="y", prediction="guess"
    ).metrics

    assert metrics["mae"].value == pytest.approx(oracle.mean_absolute_error(y, guess), rel=1e-12)
    assert metrics["mse"].value == pytest.approx(oracle.mean_squared_error(y, guess), rel=1e-12)
    assert metrics["rmse"].value == pytest.approx(oracle.root_mean_squared_error(y, guess), rel=1e-12)
    assert metrics["r2"].value == pytest.approx(oracle.r2_score(y, guess), rel=1e-9)
    assert metrics["mae"].low < metrics["mae"].value < metrics["mae"].high


def test_the_golden_binary_auc_is_reproduced():
    path = GOLDEN / "mq_binary_201" / "validation_with_predictions.csv"
    if not path.exists():
        pytest.skip(f"the golden file {path} is not on this machine")
    with path.open() as file:
        rows = list(csv.DictReader(file))
    names = {name.lower(): name for name in rows[0]}
    table = pa.table(
        {
            "label": [int(row[names["label"]]) for row in rows],
            "prediction": [int(row[names["prediction"]]) for row in rows],
            "probability": [float(row[names["probability"]]) for row in rows],
        }
    )

    report = quality_report(
        table, problem_type="binary", label="label", prediction="prediction", probability="probability"
    )

    assert report.metrics["auc"].value == pytest.approx(0.9395127993393898, abs=1e-12)


def test_the_golden_regression_metrics_are_reproduced():
    import json

    folder = GOLDEN / "mq_regression_sdk_100"
    if not folder.exists():
        pytest.skip(f"the golden folder {folder} is not on this machine")
    expected = json.loads((folder / "statistics.json").read_text())["regression_metrics"]

    metrics = quality_report(
        folder / "baseline_dataset.csv", problem_type="regression", label="Prediction", prediction="Label"
    ).metrics

    for name in ("mae", "mse", "rmse", "r2"):
        assert metrics[name].value == pytest.approx(expected[name]["value"], rel=1e-12)


def test_the_same_seed_gives_the_same_intervals_and_they_hold_the_value():
    rng = np.random.default_rng(0)
    y, guess = rng.integers(0, 2, 500), rng.integers(0, 2, 500)

    first, second = binary(y, guess), binary(y, guess)

    assert first == second
    assert first.metrics["accuracy"].low < first.metrics["accuracy"].value < first.metrics["accuracy"].high


def test_texts_and_booleans_are_labels_too():
    assert binary([True, False, True], [True, True, True]).metrics["recall"].value == 1
    report = binary(["yes", "no", "yes"], ["no", "no", "yes"], positive="yes")
    assert report.metrics["recall"].value == 0.5
    assert report.confusion.classes == ("no", "yes")
    assert report.confusion.counts == ((1, 0), (1, 1))


def test_without_a_prediction_the_probability_is_cut():
    report = binary([0, 1, 1], score=[0.2, 0.5, 0.6])

    assert report.metrics["recall"].value == 0.5
    assert binary([0, 1, 1], score=[0.2, 0.5, 0.6], threshold=0.4).metrics["recall"].value == 1


def test_rows_without_a_label_or_a_prediction_are_left_out_and_counted():
    report = binary([1, None, 0, 1], [1, 1, None, 0], [0.5, 0.1, 0.2, None])

    assert (report.rows, report.incomplete) == (4, 2)
    assert "2 of 4 rows" in report.notes[0]
    assert report.metrics["accuracy"].value == 0.5


def test_what_is_not_defined_is_none_with_a_reason():
    metrics = binary([0, 0, 0], [0, 0, 0], [0.1, 0.2, 0.3], positive=0).metrics

    assert metrics["specificity"].value is None
    assert metrics["specificity"].reason
    assert metrics["auc"].value is None
    assert metrics["auc"].reason == "All labels are of one class."


def test_an_empty_table_gives_no_figures_and_no_error():
    empty = {"y": pa.array([], pa.int64()), "guess": pa.array([], pa.int64()), "score": pa.array([], pa.float64())}

    for problem_type in ("binary", "multiclass", "regression"):
        report = quality_report(pa.table(empty), problem_type=problem_type, label="y", prediction="guess")
        assert all(metric.value is None and metric.reason for metric in report.metrics.values())
    assert binary(empty["y"], empty["guess"], empty["score"]).rows == 0


def test_a_report_survives_json():
    rng = np.random.default_rng(0)
    report = binary(rng.integers(0, 2, 100), rng.integers(0, 2, 100), rng.random(100))

    assert codec.decode(codec.encode(report), QualityReport) == report


def test_curves_run_from_corner_to_corner_and_are_thinned():
    rng = np.random.default_rng(0)
    curves = binary(rng.integers(0, 2, 5_000), score=rng.random(5_000)).curves

    assert curves.roc[0][:2] == (0.0, 0.0)
    assert curves.roc[-1][:2] == (1.0, 1.0)
    assert len(curves.roc) <= 201
    assert sum(one.rows for one in curves.calibration) == 5_000


@pytest.mark.parametrize(
    "call, kind, words",
    [
        (lambda: binary(["yes", "no"], ["no", "no"]), Invalid, "'y' holds 'no', 'yes': which of them is favourable"),
        (lambda: binary(["yes", "no"], ["no", "no"], positive="ja"), Invalid, "does not hold 'ja'"),
        (lambda: binary([0, 1], score=[0.5, 1.5]), Invalid, "'score' holds 1.5; probabilities lie between 0 and 1"),
        (lambda: binary([0, 1], score=["a", "b"]), Invalid, "string"),
        (lambda: binary([0, 1]), Invalid, "needs a prediction or a probability"),
        (
            lambda: quality_report(pa.table({"y": [1]}), problem_type="binary", label="z", prediction="y"),
            NotFound,
            "no column 'z'",
        ),
        (
            lambda: quality_report(pa.table({"y": ["a"]}), problem_type="regression", label="y", prediction="y"),
            Invalid,
            "needs numbers",
        ),
        (
            lambda: quality_report(pa.table({"y": ["a"]}), problem_type="ranking", label="y", prediction="y"),
            Invalid,
            "'ranking' is not a problem type",
        ),
    ],
)
def test_bad_questions_are_answered_in_plain_words(call, kind, words):
    with pytest.raises(kind, match=words):
        call()
