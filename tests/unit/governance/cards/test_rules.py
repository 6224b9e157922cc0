"""What a card's content may be, and how two contents differ."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.governance.cards import rules, templates
from modelward.kernel.errors import Invalid

SPECIFICATION = Path(__file__).parents[5] / "shared" / "spec" / "model_card.schema.json"

leaves = st.one_of(st.integers(), st.booleans(), st.text(max_size=5))
contents = st.recursive(
    st.dictionaries(st.text(max_size=3), leaves, max_size=3),
    lambda inner: st.dictionaries(
        st.text(max_size=3), st.one_of(leaves, inner, st.lists(leaves, max_size=3)), max_size=3
    ),
    max_leaves=8,
)


@given(content=contents)
def test_a_content_does_not_differ_from_itself(content):
    assert rules.difference(content, json.loads(json.dumps(content))) == []


@given(before=contents, after=contents)
def test_contents_without_difference_have_one_digest(before, after):
    assert (rules.difference(before, after) == []) == (rules.digest_of(before) == rules.digest_of(after))


@given(before=contents, after=contents)
def test_the_way_back_is_the_way_there_reversed(before, after):
    there = {each.path: (each.before, each.after) for each in rules.difference(before, after)}
    back = {each.path: (each.after, each.before) for each in rules.difference(after, before)}

    assert there == back


@given(content=contents, patch=contents)
def test_a_patch_applied_twice_is_a_patch_applied_once(content, patch):
    once = rules.merged(content, patch)

    assert rules.merged(once, patch) == once


def test_a_null_in_a_patch_removes():
    assert rules.merged({"a": {"b": 1, "c": 2}}, {"a": {"b": None}}) == {"a": {"c": 2}}


@pytest.mark.parametrize(
    "content, path, words",
    [
        ({"intended_uses": {"risk_rating": "Huge"}}, "$.intended_uses.risk_rating", '"Huge".*enum.*High'),
        ({"intended_uses": {"purpose_of_model": "x" * 2049}}, "$.intended_uses.purpose_of_model", "maxLength 2048"),
        ({"surprise": 1}, "$", "does not know the field 'surprise'"),
        ({"evaluation_details": [{}]}, "$.evaluation_details[0]", "lacks the field 'name'"),
        ({"model_overview": {"model_version": 0}}, "$.model_overview.model_version", "0; the rule is minimum 1"),
        ({"model_overview": "text"}, "$.model_overview", '"text"; the rule is type object'),
    ],
)
def test_a_fault_names_path_value_and_rule(content, path, words):
    with pytest.raises(Invalid, match=words) as told:
        rules.check_content(content)

    assert told.value.field == path
    assert len(told.value.message) < 600


def test_a_content_of_more_characters_than_are_allowed_is_refused():
    details = {f"field {number}": "x" * 1000 for number in range(100)}
    content = {"additional_information": {"custom_details": details}}

    rules.check_content(content)
    with pytest.raises(Invalid, match="at most 100000"):
        rules.check_content(content, 100_000)
    with pytest.raises(Invalid, match="at most 2000000"):
        rules.check_content({"additional_information": {"custom_details": {str(n): "x" * 1000 for n in range(2000)}}})


def test_a_content_nested_too_deep_is_refused():
    deep: dict = {}
    for _ in range(5000):
        deep = {"a": deep}

    with pytest.raises(Invalid):
        rules.check_content({"additional_information": {"custom_details": deep}})


def test_an_unknown_risk_rating_and_blanks_are_not_filled():
    empty = {"intended_uses": {"risk_rating": "Unknown", "purpose_of_model": "  "}, "evaluation_details": []}

    assert rules.completeness(empty).share == 0
    assert rules.completeness({"intended_uses": {"risk_rating": "Low"}}).share == pytest.approx(
        1 / len(templates.default().recommended)
    )


def test_the_schema_is_that_of_the_specification_without_its_prose():
    if not SPECIFICATION.exists():
        pytest.skip("the specification is not here")
    wanted = json.loads(SPECIFICATION.read_text())

    assert _shape(rules.schema()) == _shape(wanted)


def _shape(node, names=False):
    if isinstance(node, list):
        return [_shape(each) for each in node]
    if not isinstance(node, dict):
        return node
    return {
        key: _shape(value, names=not names and key in ("properties", "definitions"))
        for key, value in node.items()
        if names or not (key in ("$id", "$comment", "description", "title") or key.startswith("x-"))
    }
