"""A run of a monitor as evidence: how far each column has drifted is drawn beside how far it may, wherever a card is shown."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.governance.cards import schema
from modelward.governance.cards.documents import charts, drawing, html_page, markdown
from modelward.governance.cards.run_evidence import COLUMNS_DRAWN_MAX, Distance, RunEvidence, evidence_of
from modelward.interfaces.web import card_content
from modelward.kernel.refs import Digest, MonitorRef, RunRef
from support.card_contents import facts_of

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)


def evidence(*distances):
    told = [Distance(column=name, value=value, limit=limit) for name, value, limit in distances]
    run = RunEvidence(
        run=RunRef("run-1"), monitor=MonitorRef("inputs"), version=None, outcome="failed", reason="", drifted=[],
        report=Digest("sha256:" + "0" * 64), rows=10, violations=1, window_start=NOON, window_end=NOON, finished_at=NOON,
        distances=told,
    )  # fmt: skip
    return evidence_of(run, known_at=NOON)


def content_of(found):
    return {"evaluation_details": [{"name": "monitor", "metric_groups": found.groups}]}


def spec_in(found):
    [spec] = [
        spec
        for each, limits in charts.with_limits(found.groups[0]["metric_data"])
        if (spec := charts.spec_of(each, limits))
    ]
    return spec


@pytest.mark.parametrize("limits", [(0.1, 0.1), (0.1, 0.3)])
def test_each_column_is_a_bar_with_its_limit_the_one_nearest_to_it_first(limits):
    found = evidence(("hour", 0.05, limits[0]), ("amount", 0.31, limits[1]))

    schema.check_content(content_of(found))
    values = spec_in(found)["data"]["values"]

    assert [(each["name"], each["value"], each["limit"]) for each in values] == [
        ("amount", 0.31, limits[1]),
        ("hour", 0.05, limits[0]),
    ]


def test_a_run_without_distances_has_no_chart():
    assert {each["type"] for each in evidence().groups[0]["metric_data"]} == {"number", "string"}


def test_of_many_columns_those_nearest_to_their_limits_are_drawn_and_the_rest_is_counted():
    found = evidence(*((f"c{n:03}", n / 1000, 0.1) for n in range(100)))

    [chart] = [each for each in found.groups[0]["metric_data"] if each["type"] == "bar_chart"]

    assert len(chart["value"]) == COLUMNS_DRAWN_MAX
    assert chart["x_axis_name"][0] == "c099"
    assert f"{COLUMNS_DRAWN_MAX} of 100 columns" in chart["notes"]


def test_page_html_and_markdown_show_the_same_figures_and_limits():
    content = content_of(evidence(("<b>amount</b>", 0.31, 0.1), ("hour", 0.05, 0.2)))

    [told] = card_content.evaluations(content, {})
    [drawn] = [each for each in told.groups[0][2] if each.chart]
    page, text = html_page.render(facts_of(content)).decode(), markdown.render_text(facts_of(content))

    assert drawn.chart.rows == [["<b>amount</b>", 0.31, 0.1], ["hour", 0.05, 0.2]]
    assert "upright marks are the limits" in drawn.chart.note
    assert '"tick"' in drawn.chart.spec
    assert page.count('stroke-width="1.6"') == 2
    assert "<b>amount" not in page
    assert "| hour | 0.05 | 0.2 |" in text


@given(st.lists(st.tuples(st.floats(0, 1e308), st.floats(0, 1e308)), min_size=1, max_size=5))
def test_any_distances_and_limits_can_be_drawn(pairs):
    found = evidence(*((f"c{n}", value, limit) for n, (value, limit) in enumerate(pairs)))

    svg = drawing.svg_of(spec_in(found))

    assert svg.startswith("<svg")
    assert "nan" not in svg
    assert "inf" not in svg


def test_a_group_of_bias_metrics_is_drawn_and_kept_as_other_tools_keep_it():
    data = [{"name": name, "type": "number", "value": value} for name, value in (("DPPL", -0.2), ("DI", 0.7))]
    content = {"evaluation_details": [{"name": "b", "metric_groups": [
        {"name": "pre_training_bias_metrics - label y", "metric_data": data}]}]}  # fmt: skip

    page = html_page.render(facts_of(content)).decode()
    [told] = card_content.evaluations(content, {})

    assert "Bias metrics" in page
    assert [bar.label for bar in told.groups[0][2][0].bars] == ["DPPL", "DI"]
    assert markdown.render_text(facts_of(content)).count("DPPL") == 1
