"""Every file that the service wrote is read, and written again without loss."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from formats.golden import golden, normalised
from modelward.analysis.formats import analysis_file, constraints_file, quality_files, statistics_file, violations_file
from modelward.kernel.errors import Invalid

DATA_STATISTICS = (statistics_file.read_statistics, statistics_file.write_statistics)
DATA_CONSTRAINTS = (constraints_file.read_constraints, constraints_file.write_constraints)
VIOLATIONS = (violations_file.read_violations, violations_file.write_violations)
ANALYSIS = (analysis_file.read_analysis, analysis_file.write_analysis)
QUALITY_STATISTICS = (quality_files.read_quality_statistics, quality_files.write_quality_statistics)
QUALITY_CONSTRAINTS = (quality_files.read_quality_constraints, quality_files.write_quality_constraints)

FILES = {
    "dq_sdk_100/statistics.json": DATA_STATISTICS,
    "dq_sdk_100/constraints.json": DATA_CONSTRAINTS,
    "dq_sdk_100/constraints_that_must_fail.json": DATA_CONSTRAINTS,
    "dq_cookbook_3000/statistics.json": DATA_STATISTICS,
    "dq_cookbook_3000/monitoring_statistics.json": DATA_STATISTICS,
    "dq_cookbook_3000/constraints.json": DATA_CONSTRAINTS,
    "dq_cookbook_3000/constraint_violations.json": VIOLATIONS,
    "dq_format_68385/statistics.json": DATA_STATISTICS,
    "dq_format_68385/constraints.json": DATA_CONSTRAINTS,
    "legacy_2019_fixtures/statistics.json": DATA_STATISTICS,
    "legacy_2019_fixtures/constraint_violations.json": VIOLATIONS,
    "mq_regression_sdk_100/statistics.json": QUALITY_STATISTICS,
    "mq_regression_sdk_100/constraints.json": QUALITY_CONSTRAINTS,
    "mq_regression_sdk_100/constraints_that_must_fail.json": QUALITY_CONSTRAINTS,
    "bias_sdk_100/analysis.json": ANALYSIS,
    "bias_sdk_100/analysis_that_must_fail.json": ANALYSIS,
    "bias_german_1000/analysis.json": ANALYSIS,
    "bias_adult_chain/baseline_analysis.json": ANALYSIS,
    "bias_adult_chain/constraint_violations.json": VIOLATIONS,
    "shap_german_100/analysis.json": ANALYSIS,
    "feature_attribution_drift/baseline_analysis.json": ANALYSIS,
    "feature_attribution_drift/constraint_violations.json": VIOLATIONS,
    "clarify_format_only/fraud_bias_1_analysis.json": ANALYSIS,
    "clarify_format_only/fraud_bias_2_analysis.json": ANALYSIS,
    "clarify_format_only/fraud_explainability_analysis.json": ANALYSIS,
}
BY_HAND = {
    "model_card_evaluation_metrics/model_monitor_model_quality_binary_classification.json": QUALITY_STATISTICS,
    "model_card_evaluation_metrics/model_monitor_model_quality_regression.json": QUALITY_STATISTICS,
    "model_card_evaluation_metrics/clarify_bias.json": ANALYSIS,
    "model_card_evaluation_metrics/clarify_explanability.json": ANALYSIS,
}
AS_THE_SERVICE_LEFT_THEM = [
    "dq_sdk_100/statistics.json", "dq_sdk_100/constraints.json", "dq_sdk_100/constraints_that_must_fail.json",
    "dq_format_68385/statistics.json", "dq_format_68385/constraints.json", "bias_sdk_100/analysis.json",
    "bias_german_1000/analysis.json", "mq_regression_sdk_100/statistics.json", "mq_regression_sdk_100/constraints.json",
]  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_the_service_is_written_again_without_loss(name):
    content = golden(name).read_bytes()
    read, write = FILES[name]

    assert normalised(write(read(content))) == normalised(content)


@pytest.mark.parametrize("name", BY_HAND)
def test_an_excerpt_made_by_hand_is_read_and_every_number_kept(name):
    """The SDK's own test data, not files of the service: no version, keys in the alphabet, 1 where the service writes 1.0."""
    read, write = BY_HAND[name]
    once = read(golden(name).read_bytes())

    assert read(write(once)) == once


@pytest.mark.parametrize("name", AS_THE_SERVICE_LEFT_THEM)
def test_a_file_that_nobody_touched_is_written_again_to_the_byte(name):
    content = golden(name).read_bytes()
    read, write = FILES[name]

    assert write(read(content)) == content


def test_constraints_of_2019_are_read_and_written_in_the_present_spelling():
    """Not byte-equal on purpose: ``enable_comparisons`` and ``min_domain_mass`` are no longer written."""
    old = constraints_file.read_constraints(golden("legacy_2019_fixtures/constraints.json").read_bytes())

    assert old.monitoring_config.distribution_constraints.perform_comparison == "Enabled"
    assert old.monitoring_config.domain_content_threshold == 1.0
    assert old.features[0].evaluated
    assert constraints_file.read_constraints(constraints_file.write_constraints(old)) == old


@pytest.mark.parametrize("place", ["feature", "string_constraints", "num_constraints"])
@pytest.mark.parametrize("spelling", ["monitoringConfigOverrides", "monitoring_config_overrides"])
def test_an_override_is_honoured_wherever_and_however_it_is_written(place, spelling):
    feature: dict = {"name": "a", "inferred_type": "String", "completeness": 1.0}
    (feature if place == "feature" else feature.setdefault(place, {}))[spelling] = {"evaluate_constraints": "Disabled"}

    read = constraints_file.read_constraints(msgspec.json.encode({"version": 0.0, "features": [feature]}))

    assert not read.features[0].evaluated


def test_the_method_names_of_the_documents_are_those_of_the_files():
    rule = {"comparison_method": "linf_simple"}
    content = msgspec.json.encode({"features": [], "monitoring_config": {"distribution_constraints": rule}})

    read = constraints_file.read_constraints(content)

    assert read.monitoring_config.distribution_constraints.comparison_method == "Simple"


@pytest.mark.parametrize("read", [pair[0] for pair in {id(pair): pair for pair in FILES.values()}.values()])
@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff\xfe", b'{"version": 0.0, "dataset": 3}'])
def test_what_is_no_such_file_is_refused_with_the_name_of_the_file(read, content):
    with pytest.raises(Invalid, match="some file"):
        # An analysis without any part is an analysis all the same.
        read(content if read is not analysis_file.read_analysis else content.replace(b"0.0", b"[]"), name="some file")


def test_a_missing_file_of_violations_means_none(tmp_path):
    assert violations_file.read_violations_at(tmp_path / "constraint_violations.json").violations == []


NUMBERS = some.floats(allow_nan=False, allow_infinity=False)
COMMON = some.builds(statistics_file.Common, some.integers(0, 10**9), some.integers(0, 10**9))
KLL = some.builds(
    statistics_file.Kll,
    some.lists(some.builds(statistics_file.Bucket, NUMBERS, NUMBERS, NUMBERS), max_size=3),
    some.just(msgspec.UNSET)
    | some.builds(
        statistics_file.Sketch,
        some.builds(statistics_file.SketchParameters, NUMBERS, NUMBERS),
        some.lists(some.lists(NUMBERS, max_size=4), max_size=3),
    ),
)
NUMERIC = some.builds(
    statistics_file.NumericalStatistics, common=COMMON, mean=NUMBERS, sum=NUMBERS, std_dev=NUMBERS, min=NUMBERS,
    max=NUMBERS, completeness=NUMBERS | some.just(msgspec.UNSET),
    distribution=some.builds(statistics_file.NumericDistribution, KLL) | some.just(msgspec.UNSET),
)  # fmt: skip
FEATURES = some.lists(
    some.builds(
        statistics_file.FeatureStatistics, name=some.text(), inferred_type=some.text(),
        numerical_statistics=NUMERIC | some.just(msgspec.UNSET),
        string_statistics=some.just(msgspec.UNSET)
        | some.builds(
            statistics_file.StringStatistics, common=COMMON, distinct_count=NUMBERS,
            distribution=some.just(msgspec.UNSET),
        ),
    ),
    max_size=3,
)  # fmt: skip


@given(FEATURES, some.integers(0, 10**12))
def test_statistics_written_and_read_are_the_same(features, rows):
    statistics = statistics_file.Statistics(dataset=statistics_file.Dataset(rows), features=features)

    assert statistics_file.read_statistics(statistics_file.write_statistics(statistics)) == statistics


RULES = some.lists(
    some.builds(
        constraints_file.FeatureRule, name=some.text(), inferred_type=some.text(), completeness=NUMBERS,
        num_constraints=some.builds(constraints_file.NumericRule, some.booleans()) | some.just(msgspec.UNSET),
        string_constraints=some.builds(constraints_file.TextRule, some.lists(some.text(), max_size=3))
        | some.just(msgspec.UNSET),
        monitoring_config_overrides=some.builds(constraints_file.Overrides, some.sampled_from(["Enabled", "Disabled"]))
        | some.just(msgspec.UNSET),
    ),
    max_size=3,
)  # fmt: skip


@given(RULES, NUMBERS)
def test_constraints_written_and_read_are_the_same(features, threshold):
    config = constraints_file.MonitoringConfig(datatype_check_threshold=threshold)
    constraints = constraints_file.ConstraintsFile(features=features, monitoring_config=config)

    assert constraints_file.read_constraints(constraints_file.write_constraints(constraints)) == constraints


@given(some.dictionaries(some.text(), some.builds(quality_files.QualityRule, NUMBERS, some.text()), max_size=4))
def test_quality_constraints_written_and_read_are_the_same(rules):
    constraints = quality_files.QualityConstraints(family="regression", rules=rules)

    assert quality_files.read_quality_constraints(quality_files.write_quality_constraints(constraints)) == constraints


@given(some.floats(allow_nan=False))
def test_a_metric_written_and_read_is_the_same_number(value):
    group = analysis_file.GroupMetrics("1", [analysis_file.metric_entry("CI", "Class Imbalance (CI)", value)])
    part = analysis_file.BiasMetrics("y", {"x": [group]}, "1")

    read = analysis_file.read_analysis(
        analysis_file.write_analysis(analysis_file.AnalysisFile(pre_training_bias_metrics=part))
    )

    assert read.bias[0].facets["x"][0].metrics[0].number == value
