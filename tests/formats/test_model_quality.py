"""Model quality equals that of the service: figures, thresholds, files, and the words of violations."""

import re

import pyarrow as pa
import pytest

from formats.golden import golden
from modelward.analysis.compatible.model_quality import (
    quality_statistics,
    quality_violations,
    suggested_quality_constraints,
)
from modelward.analysis.formats.quality_files import (
    Measured,
    QualityConstraints,
    QualityRule,
    QualityStatistics,
    read_quality_constraints,
    write_quality_constraints,
    write_quality_statistics,
)  # fmt: skip
from modelward.kernel.errors import Invalid


def regression_100():
    """The SDK's test gives Label as the prediction and Prediction as the label; only so r2 is that of the file."""
    data = golden("mq_regression_sdk_100/baseline_dataset.csv")
    return quality_statistics(data, family="regression", label="Prediction", prediction="Label")


def binary_201(seed=0):
    data = golden("mq_binary_201/validation_with_predictions.csv")
    names = {"label": "label", "prediction": "prediction", "probability": "probability"}
    return quality_statistics(data, family="binary_classification", seed=seed, **names)


def test_the_files_of_a_regression_are_those_of_the_service_to_the_byte():
    made = regression_100()

    folder = golden("mq_regression_sdk_100")
    assert write_quality_statistics(made) == (folder / "statistics.json").read_bytes()
    constraints = suggested_quality_constraints(made)
    assert write_quality_constraints(constraints) == (folder / "constraints.json").read_bytes()


def test_only_the_metric_that_was_made_to_fail_violates():
    made = regression_100()
    folder = golden("mq_regression_sdk_100")
    kept = read_quality_constraints((folder / "constraints.json").read_bytes())
    failing = read_quality_constraints((folder / "constraints_that_must_fail.json").read_bytes())

    assert quality_violations(made, kept) == []
    assert [entry.metric_name for entry in quality_violations(made, failing)] == ["mse"]


def test_the_figures_of_299_rows_are_those_printed():
    """Six printed digits, r2 to 13; the standard deviations are ours alone, see the test of their size."""
    data = golden("mq_regression_299/baseline.csv")

    made = quality_statistics(data, family="regression", label="label", prediction="prediction").metrics

    assert {name: round(measured.value, 6) for name, measured in made.items()} == {
        "mae": 3.955825, "mse": 18.548753, "rmse": 4.306826, "r2": -7.741915,
    }  # fmt: skip
    assert made["r2"].value == pytest.approx(-7.7419149776821, rel=1e-13)


def test_the_thresholds_of_201_rows_are_those_in_the_texts_of_the_service_to_the_last_bit():
    texts = golden("mq_binary_201/printed_violations_first10.txt").read_text()
    rules = suggested_quality_constraints(binary_201()).rules

    for shown, operator, threshold in re.findall(r"Metric (\S+) with \S+ \+/- \S+ was (\w+) '([^']+)'", texts):
        name = re.sub(r"([A-Z])", lambda upper: "_" + upper[1].lower(), shown)
        assert rules[name] == QualityRule(float(threshold), operator), name


def test_the_constraints_stand_in_the_order_of_the_service():
    printed = golden("mq_binary_201/printed_constraints.txt").read_text().splitlines()[1:]

    rules = suggested_quality_constraints(binary_201()).rules

    assert [(name, rule.comparison_operator) for name, rule in rules.items()] == [
        (line.split()[0], line.split()[-1]) for line in printed
    ]


def test_the_figures_of_201_rows_are_those_printed():
    made = binary_201()
    printed = golden("mq_binary_201/printed_statistics.txt").read_text()

    figures = dict(re.findall(r"^([a-z_0-9]+)\.value +(\S+)$", printed, re.MULTILINE))
    assert set(figures) == set(made.metrics)
    for name, text in figures.items():
        assert made.metrics[name].value == pytest.approx(float(text), abs=5e-7), name
    assert made.plain["confusion_matrix"] == {"0": {"0": 173, "1": 0}, "1": {"0": 12, "1": 16}}
    assert made.metrics["auc"].value == 0.9395127993393898
    precisions, recalls = made.plain["precision_recall_curve"].values()
    assert (precisions[:3], recalls[:3]) == ([1.0] * 3, [0.0, 0.03571428571428571, 0.07142857142857142])


def test_standard_deviations_are_of_the_size_of_those_of_the_service():
    """Within a factor of 2, averaged over seeds: five random subsamples of the service cannot be drawn again."""
    printed = golden("mq_binary_201/printed_statistics.txt").read_text()
    wanted = {name: float(text) for name, text in re.findall(r"^([a-z_0-9]+)\.standard_dev\S* +(\S+)$", printed, re.M)}
    runs = [binary_201(seed).metrics for seed in range(20)]

    for name, deviation in wanted.items():
        ours = sum(run[name].standard_deviation for run in runs if name in run) / len(runs)
        assert deviation / 2 <= ours <= deviation * 2, name


def test_violations_are_told_in_the_words_of_the_service_to_the_character():
    texts = golden("mq_binary_201/printed_violations_first10.txt").read_text()
    told = re.findall(r"(Metric (\S+) with (\S+) \+/- (\S+) was (\w+) '([^']+)')", texts)
    metrics, rules = {}, {}
    for _, shown, value, deviation, operator, threshold in told:
        name = re.sub(r"([A-Z])", lambda upper: "_" + upper[1].lower(), shown)
        metrics[name] = Measured(float(value), float(deviation))
        rules[name] = QualityRule(float(threshold), operator)
    statistics = QualityStatistics(family="binary_classification", dataset=None, metrics=metrics)

    found = quality_violations(statistics, QualityConstraints(family="binary_classification", rules=rules))

    assert len(told) == 10
    assert [(entry.description, entry.metric_name) for entry in found] == [(text, shown) for text, shown, *_ in told]


def test_a_metric_never_violates_its_own_suggestion():
    made = binary_201()

    assert quality_violations(made, suggested_quality_constraints(made)) == []


def test_a_constant_guess_is_that_of_the_more_frequent_label():
    table = pa.table({"y": ["a", "a", "b", "c"], "p": ["a", "b", "b", "a"]})

    made = quality_statistics(table, family="multiclass_classification", label="y", prediction="p").metrics

    assert made["accuracy"].value == 0.5
    assert made["accuracy_best_constant_classifier"].value == 0.5
    assert made["weighted_recall"].value == pytest.approx(0.5 * 0.5 + 0.25 * 1 + 0.25 * 0)
    assert made["weighted_precision"].value == pytest.approx(0.5 * 0.5 + 0.25 * 0.5 + 0.25 * 0)
    assert made["weighted_f1"].standard_deviation == "NaN"


def test_a_probability_above_the_threshold_is_a_positive_prediction():
    table = pa.table({"y": [1, 0, 1, 0], "score": [0.9, 0.5, 0.6, 0.7]})

    made = quality_statistics(table, family="binary_classification", label="y", prediction=None, probability="score")

    assert made.plain["confusion_matrix"] == {"0": {"0": 1, "1": 1}, "1": {"0": 0, "1": 2}}


def test_a_positive_label_that_does_not_occur_is_refused():
    table = pa.table({"y": ["yes", "no"], "p": ["no", "no"]})

    with pytest.raises(Invalid, match="no and yes"):
        quality_statistics(table, family="binary_classification", label="y", prediction="p")


def test_rows_without_label_or_prediction_are_left_out():
    table = pa.table({"y": [1.0, None, 2.0], "p": [1.5, 2.0, None]})

    made = quality_statistics(table, family="regression", label="y", prediction="p")

    assert made.dataset.item_count == 1
    with pytest.raises(Invalid, match="No row"):
        quality_statistics(table.slice(1), family="regression", label="y", prediction="p")
