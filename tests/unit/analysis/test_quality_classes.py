"""Probabilities of several classes: the figures of scikit-learn, intervals that hold the truth, questions in plain words."""

import numpy as np
import pyarrow as pa
import pytest

from modelward.analysis import quality_report
from modelward.analysis.quality.class_probabilities import class_columns
from modelward.kernel import codec
from modelward.kernel.errors import Invalid

NAMES = ("ape", "bee", "cat", "dog")
COLUMNS = {name: f"p_{name}" for name in NAMES}


def drawn(rows, seed=0, digits=None, classes=4):
    rng = np.random.default_rng(seed)
    chances = rng.dirichlet(np.linspace(0.5, 1.5, classes), rows)
    if digits is not None:
        chances = np.round(chances, digits)
    # What happens follows probabilities that are flatter than those told.
    true = np.sqrt(chances + 1e-6)
    true /= true.sum(axis=1, keepdims=True)
    labels = (true.cumsum(axis=1) < rng.random((rows, 1))).sum(axis=1)
    return labels, chances


def table_of(labels, chances, names=NAMES, **more):
    columns = {"y": np.array(names)[labels].tolist()}
    columns |= {f"p_{name}": chances[:, place] for place, name in enumerate(names)}
    return pa.table(columns | more)


def reported(table, columns=COLUMNS, **options):
    options = {"prediction": None} | options
    return quality_report(table, problem_type="multiclass", label="y", probability=columns, **options)


@pytest.mark.parametrize("digits", [None, 1])
def test_figures_from_probabilities_are_those_of_scikit_learn(digits):
    m = pytest.importorskip("sklearn.metrics")
    labels, chances = drawn(3_000, digits=digits)
    ones = np.eye(4)[labels]

    report = reported(table_of(labels, chances))

    value = {name: metric.value for name, metric in report.metrics.items()}
    told = np.clip(chances[np.arange(3_000), labels], 2.220446049250313e-16, 1)
    areas = [m.roc_auc_score(ones[:, place], chances[:, place]) for place in range(4)]
    assert value["log_loss"] == pytest.approx(-np.log(told).mean(), rel=1e-12)
    assert value["brier_multiclass"] == pytest.approx(((chances - ones) ** 2).sum(axis=1).mean(), rel=1e-12)
    assert value["auc_macro"] == pytest.approx(np.mean(areas), rel=1e-12)
    assert value["auc_weighted"] == pytest.approx(ones.mean(axis=0) @ areas, rel=1e-12)
    assert value["average_precision_macro"] == pytest.approx(m.average_precision_score(ones, chances), rel=1e-12)
    for k in (2, 3):
        assert value[f"top_{k}_accuracy"] == pytest.approx(m.top_k_accuracy_score(labels, chances, k=k), abs=1e-12)
    assert value["accuracy"] == pytest.approx(m.accuracy_score(labels, chances.argmax(axis=1)), abs=1e-12)
    assert value["f1_macro"] == pytest.approx(m.f1_score(labels, chances.argmax(axis=1), average="macro"), abs=1e-12)
    assert [one.metrics["auc"].value for one in report.by_class] == pytest.approx(areas, rel=1e-12)
    assert all(one.curves.roc[-1][:2] == (1.0, 1.0) for one in report.by_class)


def test_scikit_learn_itself_says_the_same_where_probabilities_add_up():
    m = pytest.importorskip("sklearn.metrics")
    labels, chances = drawn(2_000, seed=5)

    metrics = reported(table_of(labels, chances)).metrics

    assert metrics["log_loss"].value == pytest.approx(m.log_loss(labels, chances), rel=1e-10)
    for average in ("macro", "weighted"):
        area = m.roc_auc_score(labels, chances, multi_class="ovr", average=average)
        assert metrics[f"auc_{average}"].value == pytest.approx(area, rel=1e-12)


def test_the_calibration_error_of_the_most_probable_class_and_of_every_class():
    labels, chances = drawn(4_000, seed=2)

    report = reported(table_of(labels, chances))

    def error(scores, hits):
        tenths = np.minimum((scores * 10).astype(int), 9)
        return sum(abs((scores - hits)[tenths == one].sum()) for one in range(10)) / len(scores)

    top = error(chances.max(axis=1), chances.argmax(axis=1) == labels)
    each = [error(chances[:, place], labels == place) for place in range(4)]
    assert report.metrics["calibration_error"].value == pytest.approx(top, rel=1e-10)
    assert report.metrics["calibration_error_classwise"].value == pytest.approx(np.mean(each), rel=1e-10)
    assert sum(one.rows for one in report.confidence) == 4_000


NAMED = ("log_loss", "brier_multiclass", "auc_macro", "auc_weighted", "top_2_accuracy", "calibration_error")


def test_an_interval_holds_the_truth_about_95_times_in_100():
    truth = {name: one.value for name, one in reported(table_of(*drawn(300_000, 99))).metrics.items()}
    held = dict.fromkeys(NAMED, 0)
    for seed in range(40):
        metrics = reported(table_of(*drawn(700, seed))).metrics
        for name in NAMED:
            held[name] += metrics[name].low <= truth[name] <= metrics[name].high
    assert all(count >= 33 for count in held.values()), held


def test_predictions_of_their_own_are_counted_beside_the_probabilities():
    labels, chances = drawn(500)
    table = table_of(labels, chances, guess=["ape"] * 499 + ["yak"])

    report = reported(table, prediction="guess")

    assert report.confusion.classes == ("ape", "bee", "cat", "dog", "yak")
    assert report.metrics["accuracy"].value == pytest.approx((labels[:499] == 0).sum() / 500)
    assert report.metrics["top_2_accuracy"].value > report.metrics["accuracy"].value


def test_rows_that_lack_a_probability_are_left_out_of_every_figure():
    labels, chances = drawn(300)
    holes = chances.copy()
    holes[:100, 1] = np.nan

    with_holes, without = reported(table_of(labels, holes)), reported(table_of(labels[100:], chances[100:]))

    assert (with_holes.rows, with_holes.incomplete) == (300, 100)
    assert with_holes.metrics == without.metrics
    assert "100 of 300 rows lack" in with_holes.notes[0]


def test_a_class_without_rows_leaves_the_mean_area_undefined_and_says_so():
    labels, chances = drawn(400)

    report = reported(table_of(np.where(labels == 3, 0, labels), chances))

    assert report.metrics["auc_macro"].value is None
    assert "'dog' has no rows" in report.metrics["auc_macro"].reason
    assert report.metrics["log_loss"].value is not None
    assert report.by_class[0].metrics["auc"].value is not None


def test_probabilities_that_do_not_add_up_are_told():
    labels, chances = drawn(100)
    assert "100 rows the probabilities add up to something other" in reported(table_of(labels, chances / 2)).notes[0]


def test_an_empty_table_gives_no_figures_and_no_error():
    report = reported(table_of(*drawn(0)))
    assert report.rows == 0
    assert all(metric.value is None and metric.reason for metric in report.metrics.values())


def test_a_report_survives_json():
    report = reported(table_of(*drawn(200)))
    assert codec.decode(codec.encode(report), type(report)) == report


def test_many_rows_are_counted_in_bins_and_the_areas_keep_six_digits(monkeypatch):
    from modelward.analysis.quality import scores

    table = table_of(*drawn(20_000))
    kept = reported(table, exact=True).metrics
    monkeypatch.setattr(scores, "EXACT_ROWS_MAX", 5_000)

    binned = reported(table)

    assert binned.metrics["auc_macro"].value == pytest.approx(kept["auc_macro"].value, abs=1e-6)
    assert binned.metrics["log_loss"].value == pytest.approx(kept["log_loss"].value, rel=1e-12)


@pytest.mark.parametrize(
    "columns, names",
    [
        (["p_cat", "p_cow"], ["cat", "cow"]),
        (["cat", "dog"], ["cat", "dog"]),
        (["p0", "p1", "p10"], ["0", "1", "10"]),
        (["score.10", "score.11"], ["10", "11"]),
        ({1: "one", 2: "two"}, ["1", "2"]),
    ],
)
def test_a_column_belongs_to_the_class_in_its_name(columns, names):
    assert list(class_columns(columns)) == names


def test_whole_numbers_are_classes_too():
    labels, chances = drawn(300, classes=3)
    table = pa.table({"y": labels, **{f"p{place}": chances[:, place] for place in range(3)}})
    assert reported(table, ["p0", "p1", "p2"]).metrics["auc_macro"].value > 0.5


@pytest.mark.parametrize(
    "columns, words",
    [
        ({"ape": "p_ape", "bee": "p_bee"}, "holds 'cat', and the probabilities are of ape, bee|holds 'dog'"),
        (["p_ape"], "a column of its own"),
        ({"ape": "p_ape", "bee": "p_ape"}, "a column of its own"),
        ({**COLUMNS, "dog": "y"}, "probabilities must be numbers"),
        ({**COLUMNS, "dog": "big"}, "of class 'dog' is 7 in a row"),
    ],
)
def test_bad_questions_are_answered_in_plain_words(columns, words):
    labels, chances = drawn(100)
    with pytest.raises(Invalid, match=words):
        reported(table_of(labels, chances, big=[7.0] * 100), columns)


def test_one_column_of_probabilities_is_not_used_and_that_is_told():
    labels, chances = drawn(100)
    report = reported(table_of(labels, chances, guess=["ape"] * 100), "p_ape", prediction="guess")
    assert "log_loss" not in report.metrics
    assert "give one for each class" in report.notes[-1]


def test_without_predictions_and_probabilities_nothing_can_be_said():
    with pytest.raises(Invalid, match="a prediction column, or a column of probabilities for each class"):
        quality_report(table_of(*drawn(10)), problem_type="multiclass", label="y", prediction=None)
