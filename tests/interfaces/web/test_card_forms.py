"""The form of a card without a browser: what goes in comes out, faults are told, two editors can both keep their work."""

import tempfile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelward.governance.cards import rules
from modelward.interfaces.web import card_difference, card_form, card_merge, card_schema, uploads
from modelward.interfaces.web.card_parse import ABSENT, to_form, to_value, with_row, without_row
from modelward.kernel.errors import Invalid
from support import card_contents

DEPTH = "training_details.training_job_details.hyper_parameters"


def through_the_form(content: dict[str, Any]) -> dict[str, Any]:
    """A content after a person opened its forms and saved them untouched."""
    given = card_form.sections_form(content)
    found, faults = card_form.sections_content(given, content)
    assert faults == {}
    told = []
    for each in content.get("evaluation_details", []):
        faults = {}
        value = to_value(
            card_schema.evaluation(), to_form(card_schema.evaluation(), each, "evaluation"), "evaluation", each, faults
        )
        assert faults == {}
        told.append(value)
    return {**found, **({"evaluation_details": told} if "evaluation_details" in content else {})}


@settings(max_examples=80, deadline=None)
@given(content=card_contents.contents())
def test_a_form_saved_untouched_changes_nothing(content: dict[str, Any]):
    assert rules.difference(content, through_the_form(content)) == []


@pytest.mark.parametrize("start", [0, 100, 250])
def test_rows_that_a_form_does_not_show_are_not_lost(start: int):
    numbers = [{"name": f"m{place}", "type": "number", "value": place} for place in range(303)]
    evaluation = {"name": "long", "metric_groups": [{"name": "all", "metric_data": numbers}]}
    given = to_form(card_schema.evaluation(), evaluation, "evaluation", start=start)
    given["evaluation.metric_groups.0.metric_data.1.value"] = "7.5"

    found = to_value(card_schema.evaluation(), given, "evaluation", evaluation, {})

    changed = rules.difference(evaluation, found)
    assert [(each.path, each.after) for each in changed] == [
        (f"$.metric_groups[0].metric_data[{start + 1}].value", 7.5)
    ]


def test_a_removed_row_takes_only_itself_away():
    content = {"training_details": {"training_job_details": {"hyper_parameters": [{"name": n} for n in "abc"]}}}
    given = without_row(card_form.sections_form(content), DEPTH, 1)

    found, faults = card_form.sections_content(given, content)

    assert faults == {}
    rows = found["training_details"]["training_job_details"]["hyper_parameters"]
    assert [each["name"] for each in rows] == ["a", "c"]


def test_a_row_added_and_left_empty_is_not_kept():
    given = with_row(with_row(card_form.sections_form({}), DEPTH), "additional_information.custom_details")

    assert card_form.sections_content(given, {}) == ({}, {})


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("business_details.line_of_business", "x" * 2049, "at most 2048"),
        ("model_overview.model_version", "many", "Write a number"),
        ("model_overview.model_version", "0", "too small"),
        ("intended_uses.risk_rating", "Huge", "Choose one of"),
        (f"{DEPTH}.0.value", "4", "needed"),
        ("additional_information.custom_details.0.value", "4", "name is needed"),
        ("model_package_details.inference_specification.containers.0.base_model", "[", "JSON object"),
    ],
)
def test_a_fault_is_told_at_its_field(name: str, text: str, told: str):
    given = card_form.sections_form({})
    for listed in (DEPTH, "additional_information.custom_details", name.rpartition(".containers")[0] + ".containers"):
        given = with_row(given, listed)

    _, faults = card_form.sections_content({**given, name: text}, {})

    at = name.replace(".value", ".name").replace("details.0.name", "details.0.key") if "need" in told else name
    assert told in faults[at]


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        ("number", "1e999", "Write a number"),
        ("boolean", "perhaps", "true or false"),
        ("bar_chart", "1\nx", "one number on each line"),
        ("linear_graph", "1, 2, 3", "two numbers"),
        ("matrix", "1 2\n3", "equally many"),
        ("string", "x" * 64, "at most 63"),
    ],
)
def test_a_metric_that_cannot_be_read_is_told_in_words(kind: str, value: str, told: str):
    root = "evaluation.metric_groups.0.metric_data.0"
    given = to_form(card_schema.evaluation(), {"name": "e"}, "evaluation")
    given = with_row(with_row(given, "evaluation.metric_groups"), "evaluation.metric_groups.0.metric_data")
    given |= {"evaluation.metric_groups.0.name": "g", f"{root}.name": "m", f"{root}.type": kind, f"{root}.value": value}
    faults: dict[str, str] = {}

    to_value(card_schema.evaluation(), given, "evaluation", None, faults)

    assert told in faults[f"{root}.value"]


def test_nothing_written_is_nothing():
    assert to_value(card_schema.evaluation(), {}, "evaluation", None, {}) is ABSENT


@settings(max_examples=50, deadline=None)
@given(before=card_contents.contents(), after=card_contents.contents())
def test_a_patch_leads_from_one_content_to_the_other(before: dict[str, Any], after: dict[str, Any]):
    patch = card_merge.patch_of(before, after)

    assert rules.difference(rules.merged(before, patch), after) == []


def test_two_editors_both_keep_their_work_and_a_clash_is_named():
    base = {"intended_uses": {"purpose_of_model": "a"}, "business_details": {"business_problem": "b"}}
    mine = {"intended_uses": {"purpose_of_model": "mine"}, "business_details": {"business_problem": "b"}}
    theirs = {"intended_uses": {"purpose_of_model": "a"}, "business_details": {"business_problem": "theirs"}}

    assert card_merge.merged(base, mine, theirs) == {**mine, "business_details": theirs["business_details"]}
    assert card_merge.clashes(base, mine, theirs) == []
    both = {"intended_uses": {"purpose_of_model": "other"}}
    assert [each.path for each in card_merge.clashes(base, mine, both)] == ["$.intended_uses.purpose_of_model"]


def test_a_difference_is_told_by_names_not_by_places():
    def content(*metrics: tuple[str, float]) -> dict[str, Any]:
        told = [{"name": name, "value": value} for name, value in metrics]
        return {"training_details": {"training_job_details": {"training_metrics": told}}}

    found = card_difference.parts(
        content(("auc", 0.9), ("loss", 0.2)), content(("new", 1), ("auc", 0.9), ("loss", 0.3))
    )

    rows = {row.title: (row.what, "".join(each.text for each in row.after)) for row in found[0].rows}
    assert rows == {"Training metrics › New": ("added", "1"), "Training metrics › Loss": ("changed", "0.3")}


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=3000), name=st.sampled_from(["a.pdf", "C:\\docs\\b.txt", "../c", 'q"uote.md']))
def test_an_uploaded_file_arrives_byte_for_byte(data: bytes, name: str):
    escaped = name.replace('"', "%22")
    body = (
        b'--B\r\nContent-Disposition: form-data; name="title"\r\n\r\nA\r\nB\r\n--B\r\n'
        b'Content-Disposition: form-data; name="file"; filename="' + escaped.encode() + b'"\r\n'
        b"Content-Type: application/pdf\r\n\r\n" + data + b"\r\n--B--\r\n"
    )
    if b"\r\n--B" in data:
        return
    with tempfile.TemporaryFile() as file:
        file.write(body)
        fields, found = uploads.take_apart(file, b"B")

        assert fields == {"title": "A\nB"}
        assert found is not None
        assert b"".join(found.chunks()) == data
        assert not set("/\\") & set(found.name)


@pytest.mark.parametrize(
    "body", [b"", b"x", b"--B", b"--B\r\n", b"--B\r\nno head", b"--B\r\nX: y\r\n\r\nz\r\n--B--", b"--B\r\n\r\n"]
)
def test_a_broken_upload_is_refused(body: bytes):
    with tempfile.TemporaryFile() as file:
        file.write(body)
        with pytest.raises(Invalid):
            uploads.take_apart(file, b"B")
