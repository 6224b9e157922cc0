"""Bias metrics and drift of bias equal those of the service, the order of the last digit included."""

import json

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from msgspec import UNSET

from formats.golden import golden
from modelward.analysis.bias.flip_test import flip_test
from modelward.analysis.compatible.analysis_tables import analysis_table, found, table_by_paths
from modelward.analysis.compatible.bias_analysis import analyzed, bias_violations
from modelward.analysis.compatible.texts import read_texts
from modelward.analysis.formats.analysis_config import AnalysisConfig, FacetConfig, read_analysis_config
from modelward.analysis.formats.analysis_file import read_analysis, write_analysis
from modelward.analysis.formats.captures import read_records
from modelward.analysis.formats.violations_file import read_violations
from modelward.kernel.errors import Invalid, NotImplementedYet

PRE = {"pre_training_bias": {"methods": "all"}}
POST = {"post_training_bias": {"methods": "all"}}


def config(facet, value, *, methods=PRE, label="y", **others):
    facets = [FacetConfig(name_or_index=facet, value_or_threshold=[value])]
    return AnalysisConfig(
        dataset_type="text/csv", label=label, label_values_or_threshold=[1], facet=facets, methods=methods, **others
    )


def sdk_100():
    asked = read_analysis_config(golden("bias_sdk_100/analysis_config.json").read_bytes())
    return analyzed(*analysis_table(asked, golden("bias_sdk_100/dataset.csv")))


def adult(**others):
    summary = json.loads(golden("bias_adult_chain/analysis_config_summary.json").read_text())
    kept = {name: summary[name] for name in ("headers", "features", "label", "group_variable")}
    asked = msgspec.structs.replace(config("Sex", 0), dataset_type="application/json", **kept)
    return msgspec.structs.replace(asked, **others)


def adult_monitored():
    """The merged record: inputs and predictions in the capture, labels in the ground truth, row by row."""
    record = read_records(golden("bias_adult_chain/monitor_input_merged_334.json").read_bytes())[0]
    output, truth = (
        json.loads(record.capture_data.batch_transform_output.data),
        json.loads(record.ground_truth_data.data),
    )
    rows = zip(output["instances"], truth["instances"], output["SageMakerOutput"]["predictions"], strict=True)
    document = {"instances": [{**given, **label, "guess": guess["predicted_label"]} for given, label, guess in rows]}
    asked = adult(predicted_label="instances[*].guess", methods=POST)
    return analyzed(*table_by_paths(asked, [document]))


def test_the_analysis_of_100_rows_is_that_of_the_service_to_the_byte():
    assert write_analysis(sdk_100()) == golden("bias_sdk_100/analysis.json").read_bytes()


def test_the_pre_training_metrics_of_1000_rows_are_those_of_the_service_to_the_last_bit():
    """The post-training metrics of this golden need the model, which is not public."""
    summary = json.loads(golden("bias_german_1000/analysis_config_summary.json").read_text())
    lines = [line.split() for line in golden("bias_german_1000/SouthGermanCredit.asc").read_text().splitlines()[1:]]
    table = pa.table({name: [line[place] for line in lines] for place, name in enumerate(summary["columns"])})
    asked = config("age", 40, label=summary["label"], group_variable=summary["group_variable"])

    made = analyzed(asked, read_texts(table))

    expected = read_analysis(golden("bias_german_1000/analysis.json").read_bytes())
    assert made.pre_training_bias_metrics == expected.pre_training_bias_metrics


def test_the_pre_training_metrics_of_666_rows_are_those_of_the_service_but_for_two_units_of_js():
    """JS is 0.04508199943437754 here and ...52 there: smclarify itself does not give the service's last digit again."""
    made = analyzed(*analysis_table(adult(), golden("bias_adult_chain/baseline_input_666.json")))

    expected = read_analysis(golden("bias_adult_chain/baseline_analysis.json").read_bytes()).pre_training_bias_metrics
    ours, theirs = (part.facets["Sex"][0] for part in (made.pre_training_bias_metrics, expected))
    assert [one for one in ours.metrics if one.name != "JS"] == [one for one in theirs.metrics if one.name != "JS"]
    assert ours.metric("JS").value == pytest.approx(theirs.metric("JS").value, rel=1e-13)
    assert (made.pre_training_bias_metrics.label, ours.value_or_threshold) == (
        expected.label,
        theirs.value_or_threshold,
    )


def test_the_drift_of_bias_of_334_merged_rows_is_told_to_the_character():
    baseline = read_analysis(golden("bias_adult_chain/baseline_analysis.json").read_bytes())
    expected = read_violations(golden("bias_adult_chain/constraint_violations.json").read_bytes())

    violations = bias_violations(adult_monitored(), baseline)

    assert violations == expected


def test_the_metrics_of_334_merged_rows_that_did_not_drift_are_those_of_the_referee():
    """Values of smclarify 0.5; those that drifted are in the violations."""
    metrics = {one.name: one.value for one in adult_monitored().post_training_bias_metrics.facets["Sex"][0].metrics}

    assert metrics["AD"] == pytest.approx(0.0528409, abs=1e-7)
    assert metrics["DI"] == pytest.approx(0.0831168, abs=1e-7)
    assert metrics["DPPL"] == pytest.approx(0.2005682, abs=1e-7)
    assert metrics["DRR"] == pytest.approx(0.0206349, abs=1e-7)
    assert metrics["FT"] == 0.0
    assert metrics["TE"] == "Infinity"


def test_bias_has_not_drifted_from_itself_and_only_where_the_baseline_was_lowered():
    made = sdk_100()
    lowered = read_analysis(golden("bias_sdk_100/analysis_that_must_fail.json").read_bytes())

    assert bias_violations(made, made).violations == []
    assert [entry.metric_name for entry in bias_violations(made, lowered).violations] == ["KS"]


def test_the_sign_of_the_flip_test_is_that_of_the_files():
    """A group refused where its neighbours are not counts as -1; the documents would say +1."""
    features = np.array([[0.0], [1.0], [0.1]])
    group, predicted = np.array([False, False, True]), np.array([True, False, False])

    assert flip_test(features, group, predicted) == -1.0


def small(**columns):
    return read_texts(pa.table({"f": [1, 0] * 6, "y": [1, 0, 0] * 4, **columns}))


def metrics_of(asked, table):
    made = analyzed(asked, table)
    part = (
        made.pre_training_bias_metrics if made.post_training_bias_metrics is UNSET else made.post_training_bias_metrics
    )
    return {one.name: one for one in part.facets["f"][0].metrics}


def test_without_a_group_variable_the_conditional_metric_is_null_and_the_rest_stands():
    # Two of twelve values are more than a twentieth, so by the rule of the service the column is cut at a threshold.
    metrics = metrics_of(config("f", 0.5), small())

    assert (metrics["CDDL"].value, metrics["CDDL"].error) == (None, "Group variable is empty or not provided")
    assert metrics["CI"].value == 0.0


def test_an_empty_group_is_an_error_of_its_metrics():
    metrics = metrics_of(config("f", 5), small())

    assert metrics["CI"].error == "CI: facet set is empty. Check that x[facet] has non-zero length."


def test_texts_among_the_features_leave_the_flip_test_out():
    asked = config("f", 0.5, methods=POST, predicted_label="p")

    metrics = metrics_of(asked, small(p=[1, 0, 1] * 4, t=["a", "b", "c"] * 4))

    assert metrics["FT"].error == "FlipTest does not support non-numeric columns"


def test_labels_of_0_and_1_are_values_in_a_short_table_too():
    """The service would look for labels above 1, since two of six values are more than a twentieth."""
    table = read_texts(pa.table({"f": [1, 1, 1, 0, 0, 0], "y": [1, 0, 0, 1, 1, 0]}))

    made = analyzed(config("f", 0), table).pre_training_bias_metrics

    assert made.label_value_or_threshold == "1"
    assert made.facets["f"][0].metric("DPL").value == 2 / 3 - 1 / 3


@pytest.mark.parametrize("method", ["shap", "pdp", "asymmetric_shapley_value"])
def test_explanations_are_refused_with_what_to_do(method):
    with pytest.raises((Invalid, NotImplementedYet), match=f"Remove '{method}' from methods"):
        analyzed(config("f", 0, methods={**PRE, method: {}}), small())


def test_without_predictions_and_a_model_post_training_metrics_are_refused():
    with pytest.raises(Invalid, match=r"[Nn]ame the column of predictions in predicted_label"):
        analyzed(config("f", 0, methods=POST), small())


def test_an_analysis_that_asks_for_nothing_is_refused():
    with pytest.raises(Invalid, match="nothing to compute"):
        analyzed(config("f", 0, methods={"report": {"name": "r"}}), small())


def test_every_value_of_a_facet_is_looked_at_in_turn():
    asked = msgspec.structs.replace(config("c", 0), facet=[FacetConfig(name_or_index="c")])

    made = analyzed(asked, small(c=["x", "y", "z"] * 4))

    assert [group.value_or_threshold for group in made.pre_training_bias_metrics.facets["c"]] == ["x", "y", "z"]


@pytest.mark.parametrize("path, value", [
    ("a", {"b": [{"c": 1}, {"c": 2}]}), ("a.b[*].c", [1, 2]), ("a.b[1].c", 2), ("a.b[*]", [{"c": 1}, {"c": 2}]),
])  # fmt: skip
def test_a_path_leads_where_it_says(path, value):
    assert found({"a": {"b": [{"c": 1}, {"c": 2}]}}, path) == value


@pytest.mark.parametrize("path, problem", [("a.x", Invalid), ("b[*]", Invalid), ("a | [0]", NotImplementedYet)])
def test_a_path_that_cannot_be_followed_is_refused(path, problem):
    with pytest.raises(problem):
        found({"a": {}}, path)
