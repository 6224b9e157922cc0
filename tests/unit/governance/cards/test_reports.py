"""From reports to metric groups: what other tools make of the same files, and reports of ours."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.governance.cards import binding, reports, schema, use_cases
from modelward.governance.cards.entities import Curve, Matrix
from modelward.governance.cards.evidence import EvidenceKind, FieldBound
from modelward.kernel.errors import Invalid
from support.cards import ANA
from unit.governance.cards.cases import a_card, full

GOLDEN = Path(__file__).parents[5] / "shared" / "data" / "golden"
SAMPLES = {
    "clarify_bias.json": "translated_clarify_bias.json",
    "clarify_explanability.json": "translated_clarify_explanation.json",
    "model_monitor_model_quality_binary_classification.json": (
        "translated_model_monitor_model_quality_binary_classification.json"
    ),
    "model_monitor_model_quality_regression.json": "translated_model_monitor_model_quality_regression.json",
}
REGRESSION = {"regression_metrics": {"mae": {"value": 1.5, "standard_deviation": 0.1}, "r2": {"value": 0.4}}}


def sample(name):
    path = GOLDEN / "model_card_evaluation_metrics" / name
    if not path.exists():
        pytest.skip("the golden reports are not here")
    return path.read_bytes()


def take_up(workshop, card, report, **known):
    data = report if isinstance(report, bytes) else json.dumps(report).encode()
    return workshop.write(ANA, lambda work: binding.import_report(work, card, report=data, **known))


@pytest.mark.parametrize("report", SAMPLES)
def test_a_report_reads_in_a_card_as_other_tools_write_it(report):
    wanted = json.loads(sample(SAMPLES[report]))["metric_groups"]

    groups = {group["name"]: group for part in reports.read_report(sample(report)) for group in part.groups}

    schema.check_content({"evaluation_details": [{"name": "x", "metric_groups": list(groups.values())}]})
    for group in wanted:
        have = {each["name"]: each for each in groups[group["name"]]["metric_data"]}
        for each in group["metric_data"]:
            assert have[each["name"]] == each


@pytest.mark.parametrize("path", sorted(GOLDEN.rglob("analysis.json")) + sorted(GOLDEN.rglob("fraud_*analysis.json")))
def test_every_analysis_file_we_know_becomes_groups_that_keep_the_schema(path):
    parts = reports.read_report(path.read_bytes())

    assert parts
    for part in parts:
        schema.check_content({"evaluation_details": [{"name": "x", "metric_groups": part.groups}]})


def test_a_report_of_ours_brings_its_measures_matrix_and_curves():
    report = {
        "format": "modelward.evaluation/1", "kind": "quality", "outcome": "passed", "reason": "Well.", "dataset": "d",
        "reports": [{"metrics": {"auc": {"value": 0.9}, "lost": {"value": None}},
                     "confusion": {"classes": ["0", "1"], "counts": [[5, 1], [2, 9]]},
                     "curves": {"roc": [[0, 0, 1], [1, 1, 0]], "precision_recall": [[0, 1, 1], [1, 0.5, 0]]}}],
    }  # fmt: skip

    [part] = reports.read_report(json.dumps(report).encode())

    types = {each["name"]: each["type"] for each in part.groups[0]["metric_data"]}
    assert types == {
        "auc": "number",
        "confusion_matrix": "matrix",
        "receiver_operating_characteristic_curve": "linear_graph",
        "precision_recall_curve": "linear_graph",
    }
    assert (part.kind, part.outcome, part.dataset) == (EvidenceKind.QUALITY, "passed", "d")


@pytest.mark.parametrize(
    "report",
    [b"", b"[]", b"{}", b"nonsense", b'{"metric_groups": []}', b'{"explanations": 3}', b'{"regression_metrics": 3}',
     b'{"format": "modelward.evaluation/1"}', b'{"format": "modelward.evaluation/1", "kind": "q", "reports": 3}',
     b'{"metric_groups": [{"name": "x"}]}', b'{"metric_groups": [3]}',
     b'{"pre_training_bias_metrics": {"facets": 3}}', b"[" * 100_000],
)  # fmt: skip
def test_what_is_no_report_is_refused_and_nothing_is_written(workshop, report):
    card = a_card(workshop)

    with pytest.raises(Invalid):
        take_up(workshop, card, report)

    assert full(workshop, card).number == 1


def test_a_report_that_a_client_brings_is_told_bound_and_superseded_by_the_next(workshop):
    card = a_card(workshop)

    take_up(workshop, card, REGRESSION, title="Nightly")
    again = take_up(workshop, card, REGRESSION, title="Nightly")
    assert again.number == 2
    with pytest.raises(FieldBound):
        workshop.write(ANA, lambda work: use_cases.edit_card(work, card, patch={"evaluation_details": None}))
    take_up(workshop, card, {"regression_metrics": {"mae": {"value": 1.1}}}, title="Nightly")

    seen = full(workshop, card)
    [told] = seen.content["evaluation_details"]
    assert (told["name"], told["metric_groups"][0]["metric_data"][0]["value"]) == ("Nightly", 1.1)
    assert [(each.state, each.kind.value) for each in seen.bindings] == [("current", "quality")]
    assert "brought by ana" in seen.bindings[0].source


@given(st.lists(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=2), min_size=1, max_size=500))
def test_a_thinned_line_keeps_its_ends_and_its_order(points):
    told = reports.line(Curve(name="c", x="x", y="y", points=points))["value"]

    assert (told[0], told[-1]) == (points[0], points[-1])
    assert len(told) <= reports.POINTS_MAX + 2
    places = iter(points)
    assert all(each in places for each in told)


def test_a_matrix_too_large_for_a_card_is_left_out():
    labels = [str(each) for each in range(21)]
    large = Matrix(name="confusion_matrix", labels=labels, rows=[[0.0] * 21] * 21)

    assert reports._groups_from("quality", {"auc": 1.0}, [large], []) == [
        {"name": "quality", "metric_data": [{"name": "auc", "type": "number", "value": 1.0}]}
    ]
