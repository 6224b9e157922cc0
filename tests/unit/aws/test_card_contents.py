"""The content of a card as clients send it: kept word for word, unless it holds what JSON does not know."""

import json
import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.governance.cards import rules
from modelward.governance.cards.entities import Card
from modelward.interfaces.aws.card_contents import indexed, metadata_only, read_content
from modelward.interfaces.aws.errors import AwsError
from modelward.kernel.refs import CardRef
from modelward.storage.blobs import digest_of

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=15,
)


@given(st.dictionaries(st.text(max_size=5), VALUES, max_size=4))
def test_what_is_kept_is_json_and_says_what_was_sent(content):
    text = json.dumps(content)

    sent = read_content(text)

    assert json.loads(sent.text, parse_constant=lambda name: pytest.fail(name)) == sent.content
    if all_finite(content):
        assert sent.text == text
        assert sent.content == content
        assert sent.changed == []
    else:
        assert sent.changed


def all_finite(value):
    if isinstance(value, dict):
        return all(all_finite(each) for each in value.values())
    if isinstance(value, list):
        return all(all_finite(each) for each in value)
    return not isinstance(value, float) or math.isfinite(value)


def test_a_metric_that_is_not_a_number_becomes_a_text_and_a_point_with_one_is_left_out():
    content = {
        "metric_data": [
            {"name": "auc", "type": "number", "value": math.nan},
            {"name": "roc", "type": "linear_graph", "value": [[0, 0], [0.5, math.nan], [1, 1]]},
        ],
        "training_metrics": [{"name": "loss", "value": math.inf}, {"name": "auc", "value": 0.5}],
    }

    sent = read_content(json.dumps(content))

    assert sent.content["metric_data"][0] == {"name": "auc", "type": "string", "value": "nan"}
    assert sent.content["metric_data"][1]["value"] == [[0, 0], [1, 1]]
    assert sent.content["training_metrics"] == [{"name": "auc", "value": 0.5}]
    assert len(sent.changed) == 3


@pytest.mark.parametrize(
    "text", ["", "null", "[]", '"a"', "{", '{"a": ' + "[" * 100_000, '{"a": 99999999999999999999}']
)
def test_what_is_no_content_is_refused(text):
    with pytest.raises(AwsError):
        read_content(text)


def a_card(content):
    """A card as it is kept with a content: what the content is about stands in columns of its own."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return Card(
        name=CardRef("c"), digest=digest_of(b"c"), subject=rules.subject_of(content), of_model=rules.model_said(content),
        created_at=now, created_by="ana", modified_at=now, modified_by="ana",
    )  # fmt: skip


def test_a_card_is_found_by_its_package_before_its_model():
    arn = "arn:aws:sagemaker:us-east-1:123456789012:model-package/loans/3"

    assert indexed(a_card({"model_overview": {"model_id": "m"}}))["ModelId"] == "m"
    told = indexed(a_card({"model_overview": {"model_id": "m"}, "model_package_details": {"model_package_arn": arn}}))
    assert (told["ModelId"], told["ModelPackageGroupName"]) == (arn, "loans")


def test_the_metadata_hold_nothing_but_what_the_card_is_about():
    content = {"model_overview": {"model_id": "m", "model_owner": "o"}, "business_details": {"business_problem": "b"}}

    assert metadata_only(content) == {"model_overview": {"model_id": "m"}}
