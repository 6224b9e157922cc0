"""Bias metrics equal the golden outputs, judge in three values, and never claim more than a disparity."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from modelward.analysis import CATALOGUE, BiasReport, bias_report
from modelward.analysis.bias.metrics import MEASURES
from modelward.kernel import codec
from modelward.kernel.errors import Invalid, NotFound
from modelward.kernel.outcome import Outcome

GOLDEN = Path(__file__).parents[4] / "shared" / "data" / "golden"


def golden(name: str) -> Path:
    folder = GOLDEN / name
    if not folder.exists():
        pytest.skip(f"the golden folder {folder} is not on this machine")
    return folder


def metrics_in(path: Path, stage: str, facet: str) -> tuple[str, dict[str, float]]:
    entry = json.loads(path.read_text())[f"{stage}_bias_metrics"]["facets"][facet][0]
    return entry["value_or_threshold"], {metric["name"]: metric["value"] for metric in entry["metrics"]}


def table_of(rows: list[list[float]], names: list[str]) -> pa.Table:
    return pa.table({name: [row[place] for row in rows] for place, name in enumerate(names)})


def test_the_golden_metrics_of_100_rows_are_reproduced():
    folder = golden("bias_sdk_100")
    rows = [[float(cell) for cell in line.split(",")] for line in (folder / "dataset.csv").read_text().split()]
    table = table_of(rows, ["Label", "F1", "F2", "F3", "F4"])

    comparison = bias_report(table, label="Label", facet="F1", threshold=0.5, favourable=1, group="F2").comparisons[0]

    name, expected = metrics_in(folder / "analysis.json", "pre_training", "F1")
    assert comparison.group == name
    for metric, value in expected.items():
        assert comparison.metric(metric).value == pytest.approx(value, abs=1e-15)


def test_the_golden_metrics_of_german_credit_are_reproduced():
    folder = golden("bias_german_1000")
    config = json.loads((folder / "analysis_config_summary.json").read_text())
    lines = (folder / "SouthGermanCredit.asc").read_text().splitlines()[1:]
    table = table_of([[int(cell) for cell in line.split()] for line in lines], config["columns"])

    report = bias_report(
        table, label="credit_risk", facet="age", threshold=40, favourable=1, group="personal_status_sex"
    )

    name, expected = metrics_in(folder / "analysis.json", "pre_training", "age")
    assert report.comparisons[0].group == name
    for metric, value in expected.items():
        assert report.comparisons[0].metric(metric).value == pytest.approx(value, abs=1e-15)


def adult_table(folder: Path) -> pa.Table:
    record = json.loads((folder / "monitor_input_merged_334.json").read_text())
    headers = json.loads((folder / "analysis_config_summary.json").read_text())["headers"]
    labels = [item["label"] for item in json.loads(record["groundTruthData"]["data"])["instances"]]
    output = json.loads(record["captureData"]["batchTransformOutput"]["data"])
    features = table_of([item["features"] for item in output["instances"]], headers[:-1])
    predicted = [item["predicted_label"] for item in output["SageMakerOutput"]["predictions"]]
    return features.append_column("Target", pa.array(labels)).append_column("predicted", pa.array(predicted))


def test_the_golden_post_training_metrics_of_adult_are_reproduced():
    table = adult_table(golden("bias_adult_chain"))

    report = bias_report(table, label="Target", facet="Sex", facet_value=0, prediction="predicted", group="Age")

    expected = {
        "CDDPL": 0.374894782529513, "DAR": -0.34693877551020413, "DCA": -36.69387755102041,
        "DCR": -0.07650793650793647, "GE": 0.9454985573866695, "RD": 0.17253086419753086, "SD": 0.27419354838709675,
    }  # fmt: skip
    for name, value in expected.items():
        assert report.comparisons[0].metric(name).value == pytest.approx(value, abs=1e-14)
    for name, value in {"AD": 0.0528409, "DI": 0.0831168, "DPPL": 0.2005682, "DRR": 0.0206349}.items():
        assert report.comparisons[0].metric(name).value == pytest.approx(value, abs=1e-7)
    assert (report.comparisons[0].metric("TE").value, report.comparisons[0].metric("TE").infinite) == (None, 1)
    assert report.outcome is Outcome.FAILED
    assert "nearest-neighbour" in dict(report.unchecked)["FT"]


def test_the_golden_pre_training_metrics_of_adult_are_reproduced():
    folder = golden("bias_adult_chain")
    headers = json.loads((folder / "analysis_config_summary.json").read_text())["headers"]
    instances = json.loads((folder / "baseline_input_666.json").read_text())["instances"]
    table = table_of([[*item["features"], item["label"]] for item in instances], headers)

    report = bias_report(table, label="Target", facet="Sex", facet_value=0, group="Age")

    _, expected = metrics_in(folder / "baseline_analysis.json", "pre_training", "Sex")
    for metric, value in expected.items():
        assert report.comparisons[0].metric(metric).value == pytest.approx(value, abs=1e-15)


def people(rows: int, seed: int, share_a: float, share_d: float) -> pa.Table:
    rng = np.random.default_rng(seed)
    group = rng.choice(["a", "d"], rows)
    label = (rng.random(rows) < 0.5).astype(int)
    guess = (rng.random(rows) < np.where(group == "a", share_a, share_d)).astype(int)
    return pa.table({"group": group, "label": label, "guess": guess})


def judged(table: pa.Table, **options) -> BiasReport:
    return bias_report(table, label="label", prediction="guess", facet="group", facet_value="d", **options)


def outcome_of(report: BiasReport, metric: str) -> Outcome | None:
    return report.comparisons[0].metric(metric).outcome


def test_a_large_disparity_with_many_rows_fails():
    assert outcome_of(judged(people(5_000, 0, 0.6, 0.3)), "DI") is Outcome.FAILED


def test_no_disparity_with_many_rows_passes():
    assert outcome_of(judged(people(20_000, 0, 0.5, 0.5)), "DPPL") is Outcome.PASSED


def test_what_chance_may_explain_is_undecided():
    assert outcome_of(judged(people(80, 3, 0.5, 0.4)), "DPPL") is Outcome.UNDECIDED


def test_a_small_group_is_undecided_with_its_size():
    table = pa.concat_tables([people(1_000, 0, 0.9, 0.1).filter(pa.compute.field("group") == "a"),
                              people(60, 1, 0.9, 0.1).filter(pa.compute.field("group") == "d").slice(0, 20)])  # fmt: skip

    metric = judged(table).comparisons[0].metric("DI")

    assert metric.outcome is Outcome.UNDECIDED
    assert "20 rows; 30 are needed" in metric.reason


def test_a_metric_without_an_agreed_tolerance_is_not_judged():
    assert outcome_of(judged(people(5_000, 0, 0.6, 0.3)), "TE") is None


def test_an_interval_holds_the_truth_about_95_times_in_100():
    held = 0
    for seed in range(100):
        metric = judged(people(600, seed, 0.6, 0.4)).comparisons[0].metric("DPPL")
        held += metric.low <= 0.2 <= metric.high
    assert 88 <= held <= 100


def test_the_same_seed_gives_the_same_report():
    table = people(500, 0, 0.6, 0.3)

    assert judged(table, seed=5) == judged(table, seed=5)
    assert judged(table, seed=5) != judged(table, seed=6)


def test_every_value_of_a_facet_is_compared_with_the_rest():
    table = pa.table({"group": ["x", "y", "z"] * 100, "label": [0, 1, 1] * 100})

    report = bias_report(table, label="label", facet="group")

    assert [comparison.group for comparison in report.comparisons] == ["x", "y", "z"]
    assert report.comparisons[0].metric("DPL").value == 1.0
    assert {name for name, _ in report.unchecked} == {"post_training", "CDDL"}


def test_several_values_form_one_group():
    table = pa.table({"group": ["x", "y", "z"] * 100, "label": [0, 1, 1] * 100})

    comparison = bias_report(table, label="label", facet="group", facet_value=["x", "y"]).comparisons[0]

    assert (comparison.group, comparison.group_rows, comparison.rest_rows) == ("x,y", 200, 100)


def test_scores_can_be_cut():
    table = pa.table({"group": ["a", "b"] * 50, "label": [1, 0] * 50, "guess": [0.9, 0.2] * 50})

    report = bias_report(
        table, label="label", prediction="guess", facet="group", facet_value="b", prediction_threshold=0.5
    )

    assert report.comparisons[0].metric("DPPL").value == 1.0


def test_rows_with_a_missing_value_are_left_out_and_counted():
    table = pa.table({"group": ["a", "b", None, "a"], "label": [1, 0, 1, None]})

    report = bias_report(table, label="label", facet="group", facet_value="b")

    assert (report.rows, report.incomplete) == (4, 2)
    assert "2 of 4 rows" in report.notes[0]


def test_an_empty_group_is_undecided_for_every_metric():
    table = pa.table({"age": [30.0, 40.0] * 50, "label": [1, 0] * 50})

    report = bias_report(table, label="label", facet="age", threshold=90)

    assert report.outcome is Outcome.UNDECIDED
    assert all(metric.value is None and metric.outcome is Outcome.UNDECIDED for metric in report.comparisons[0].metrics)


def test_an_empty_table_is_undecided():
    table = pa.table({"group": pa.array([], pa.string()), "label": pa.array([], pa.int64())})

    report = bias_report(table, label="label", facet="group")

    assert report.outcome is Outcome.UNDECIDED
    assert report.reason == "The data has no rows."


def test_reports_never_say_fair_or_safe_and_name_disparities():
    report = judged(people(5_000, 0, 0.6, 0.3))
    text = codec.encode(report).decode().lower()

    assert "disparity" in text
    assert "fair" not in text
    assert "safe" not in text
    assert "unbiased" not in text


def test_a_report_survives_json():
    report = judged(people(500, 0, 0.6, 0.3))

    assert codec.decode(codec.encode(report), BiasReport) == report


@pytest.mark.parametrize(
    "options, kind, words",
    [
        ({"facet": "none"}, NotFound, "no column 'none'"),
        ({"facet_value": "x"}, Invalid, "'group' does not hold 'x'; it holds 'a', 'd'"),
        ({"favourable": 7}, Invalid, "'label' does not hold 7"),
        ({"label": "group"}, Invalid, "which of them is favourable"),
        ({"threshold": 3, "facet_value": None}, Invalid, "no threshold can be set"),
        ({"prediction": "score"}, Invalid, "no value of the label.*|For scores"),
        ({"facet": "score", "facet_value": None}, Invalid, "more than 50 different values"),
        ({"facet": "list", "facet_value": None}, Invalid, "cannot be counted"),
    ],
)
def test_bad_questions_are_answered_in_plain_words(options, kind, words):
    table = people(200, 0, 0.5, 0.5)
    table = table.append_column("score", pa.array(np.random.default_rng(0).random(200)))
    table = table.append_column("list", pa.array([[1]] * 200))

    with pytest.raises(kind, match=words):
        bias_report(
            table, **({"label": "label", "prediction": "guess", "facet": "group", "facet_value": "d"} | options)
        )


def test_the_catalogue_has_one_row_for_every_measure_that_is_computed():
    names = [entry.name for entry in CATALOGUE]

    assert len(names) == len(set(names))
    assert {measure.name for measure in MEASURES} <= set(names)
    assert all(entry.source and entry.title and entry.lowest < entry.highest for entry in CATALOGUE)


def test_the_catalogue_knows_every_quality_and_drift_measure():
    from modelward.analysis import check, profile, quality_report, suggest

    names = {entry.name for entry in CATALOGUE}
    rng = np.random.default_rng(0)
    table = pa.table({"y": rng.integers(0, 2, 300), "g": rng.integers(0, 2, 300), "p": rng.random(300)})

    for problem_type in ("binary", "multiclass", "regression"):
        report = quality_report(table, problem_type=problem_type, label="y", prediction="g", probability="p")
        assert set(report.metrics) <= names
    found = profile(table)
    assert set(check(found, found, suggest(found)).drift[0].also) <= names
