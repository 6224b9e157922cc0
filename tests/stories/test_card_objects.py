"""A card in Python is what was read, plus what was set: nothing set is dropped in silence, nothing unread is approved."""

import enum
import math

import pytest

import modelward
from modelward.kernel.errors import Conflict, Invalid

FULL = {
    "intended_uses": {"purpose_of_model": "p", "risk_rating": "Low", "explanations_for_risk_rating": "e"},
    "business_details": {"business_problem": "b"},
}


class Risk(enum.Enum):
    """As a project of a user's may have it."""

    MEDIUM = "Medium"


@pytest.fixture
def owner(tmp_path):
    with modelward.connect(tmp_path / "home") as client:
        yield client


@pytest.fixture
def rita(owner):
    owner.people.add("rita", persona="risk-manager")
    return owner.as_(owner.people.make_token("rita").secret)


def test_who_approves_approves_what_they_read(owner, rita):
    card = owner.cards.create("plain", content=FULL)
    read = rita.cards.get("plain")
    card.business_details.business_problem = "Another one."
    card.save()

    with pytest.raises(Conflict, match="has version 2 by now; you read version 1"):
        read.approve()

    assert owner.cards.get("plain").status == "draft"
    assert read.reload().approve().status == "approved"


@pytest.mark.parametrize(
    "act",
    [
        lambda card: card.request_review(),
        lambda card: card.approve(),
        lambda card: card.archive(),
        lambda card: card.bind("$.model_overview.model_description", "none"),
        lambda card: card.unbind("$.model_overview.model_description"),
        lambda card: card.refresh(),
        lambda card: card.import_report({}),
    ],
)
def test_what_was_set_and_not_saved_is_never_dropped_in_silence(owner, act):
    card = owner.cards.create("plain", content=FULL)
    card.business_details.business_problem = "Not saved."

    with pytest.raises(Conflict, match="changes that are not saved"):
        act(card)

    assert card.business_details.business_problem == "Not saved."
    assert owner.cards.get("plain").status == "draft"


def test_numbers_of_other_libraries_and_members_of_enums_are_taken(owner):
    numpy = pytest.importorskip("numpy", reason="needs NumPy")
    card = owner.cards.create("plain")
    card.model_overview.model_version = numpy.float32(3)
    card.intended_uses.risk_rating = Risk.MEDIUM
    data = [{"name": "accuracy", "type": "number", "value": numpy.float64(0.5)}]
    data.append({"name": "by class", "type": "bar_chart", "value": numpy.array([1.0, 2.0])})
    card.evaluation_details.append({"name": "test", "metric_groups": [{"name": "all", "metric_data": data}]})

    again = owner.cards.get(card.save().name)

    values = [each["value"] for each in again.evaluation_details[0]["metric_groups"][0]["metric_data"]]
    assert (again.model_overview.model_version, values) == (3, [0.5, [1.0, 2.0]])
    assert again.intended_uses.risk_rating == "Medium"


@pytest.mark.parametrize(
    "value, words",
    [
        (math.nan, "nan is no finite number"),
        (math.inf, "inf is no finite number"),
        (b"3", "is a bytes"),
        ("3", "number"),
    ],
)
def test_what_is_no_value_of_a_card_is_told_where_it_is_set(owner, value, words):
    card = owner.cards.create("plain")

    with pytest.raises(Invalid, match=words) as caught:
        card.model_overview.model_version = value

    assert caught.value.field == "$.model_overview.model_version"
    card.training_details.training_job_details.training_metrics.append({"name": "loss", "value": value})
    with pytest.raises(Invalid, match="training_metrics"):
        card.save()
    assert owner.cards.get("plain").number == 1


def test_a_value_outside_of_a_choice_is_told_with_the_whole_choice(owner):
    card = owner.cards.create("plain")

    with pytest.raises(Invalid, match='"Huge" is not one of High, Medium, Low, Unknown'):
        card.intended_uses.risk_rating = "Huge"


def test_the_sections_are_offered_where_one_types(owner):
    card = owner.cards.create("plain")

    assert {"intended_uses", "evaluation_details", "save", "status"} <= set(dir(card))
    assert "risk_rating" in dir(card.intended_uses)
