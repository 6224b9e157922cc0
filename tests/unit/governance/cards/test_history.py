"""What a card was on any day, and what changed since it was approved."""

from datetime import timedelta

import pytest

from modelward.governance.cards import reading, templating, use_cases
from modelward.governance.cards.entities import CardStatus
from modelward.governance.cards.keeping import CardSubjectTaken
from modelward.governance.cards.prefill import RegisteredVersion
from modelward.governance.cards.rules import CardSubjectFixed
from modelward.governance.registry import use_cases as registry
from modelward.kernel.errors import NotFound
from modelward.kernel.pages import PageRequest
from modelward.kernel.refs import CardRef, ModelRef, VersionRef
from support.cards import ANA
from unit.governance.cards.cases import FULL, a_card, a_version, bind, evidence, full, keep, move

FACTORS = "$.intended_uses.factors_affecting_model_efficiency"


@pytest.fixture
def moving(workshop):
    """A clock that goes on by an hour whenever it is asked to."""
    start, hours = workshop.clock(), [0]
    workshop.clock = lambda: start + timedelta(hours=hours[0])

    def tick():
        hours[0] += 1
        return workshop.clock()

    return tick


def at(workshop, card, when):
    return workshop.read(ANA, lambda work: reading.as_of(work, card, when))


def test_a_card_is_seen_as_it_stood_with_its_status_and_the_evidence_known_then(workshop, moving):
    version = a_version(workshop)
    start = workshop.clock()
    moving()
    card = a_card(workshop, version=version)
    piece = keep(workshop, evidence(version, 0.9, now=workshop.clock()))
    bind(workshop, card, piece, FACTORS, measure="auc")
    written = moving()
    move(workshop, card, "approved")
    approved = moving()
    newer = keep(workshop, evidence(version, 0.7, now=workshop.clock()))
    stale = moving()
    workshop.write(ANA, lambda work: use_cases.edit_card(work, card, patch={"model_overview": {"model_owner": "x"}}))

    with pytest.raises(NotFound, match="did not exist yet"):
        at(workshop, card, start)
    assert at(workshop, card, written - timedelta(minutes=1)).status is CardStatus.DRAFT
    seen = at(workshop, card, approved - timedelta(minutes=1))
    assert (seen.status, seen.version.number, seen.bindings[0].state) == (CardStatus.APPROVED, 2, "current")
    assert [each.id for each in seen.evidence] == [piece.id]
    seen = at(workshop, card, stale - timedelta(minutes=1))
    assert (seen.status, seen.bindings[0].state, seen.bindings[0].newest) == (CardStatus.APPROVED, "stale", newer.id)
    assert at(workshop, card, moving()).status is CardStatus.DRAFT


def test_what_changed_since_the_approval_is_told_by_path(workshop):
    version = a_version(workshop)
    card = a_card(workshop, version=version)
    piece = keep(workshop, evidence(version, 0.9, now=workshop.clock()))
    bind(workshop, card, piece, FACTORS, measure="auc")
    with pytest.raises(NotFound, match="never approved"):
        workshop.read(ANA, lambda work: reading.since_approval(work, card))
    move(workshop, card, "approved")

    workshop.write(ANA, lambda work: use_cases.edit_card(work, card, patch={"model_overview": {"model_owner": "x"}}))
    keep(workshop, evidence(version, 0.8, now=workshop.clock()))

    told = workshop.read(ANA, lambda work: reading.since_approval(work, card))
    assert (told.approved, told.current, told.approved_by) == (2, 3, "ben")
    assert [each.path for each in told.changes] == ["$.model_overview"]
    assert [FACTORS in each for each in told.evidence] == [True]


def test_each_version_keeps_the_status_it_had(workshop):
    card = a_card(workshop)
    move(workshop, card, "approved")
    workshop.write(ANA, lambda work: use_cases.edit_card(work, card, patch={"model_overview": {"model_owner": "x"}}))

    listed = workshop.read(ANA, lambda work: use_cases.list_versions(work, card, page=PageRequest())).items

    assert [(each.number, each.status.value) for each in listed] == [(2, "draft"), (1, "approved")]


def named(**overview):
    return FULL | {"model_overview": overview}


@pytest.mark.parametrize("after", [named(model_id="b"), named(), FULL])
def test_what_a_card_is_about_is_not_changed_once_set(workshop, after):
    card = a_card(workshop, content=named(model_id="a"))

    with pytest.raises(CardSubjectFixed, match="model_id"):
        workshop.write(ANA, lambda work: use_cases.edit_card(work, card, content=after))


def test_what_a_card_is_about_may_be_set_later_but_not_to_what_another_is_about(workshop):
    first, second = a_card(workshop, content=named(model_name="m")), a_card(workshop)

    with pytest.raises(CardSubjectTaken, match=first):
        workshop.write(ANA, lambda work: use_cases.edit_card(work, second, content=named(model_name="m")))
    with pytest.raises(CardSubjectTaken):
        a_card(workshop, content=named(model_name="m"))
    move(workshop, first, "archived")

    edited = workshop.write(ANA, lambda work: use_cases.edit_card(work, second, content=named(model_name="m")))
    assert edited.subject == "name m"
    assert full(workshop, second).content == named(model_name="m")


def test_a_model_has_one_card_of_its_own(workshop):
    workshop.write(ANA, lambda work: registry.register_model(work, name="whole"))
    card = a_card(workshop, model=ModelRef("whole"))

    with pytest.raises(use_cases.CardExists, match="has the card"):
        a_card(workshop, model=ModelRef("whole"))
    move(workshop, card, "archived")

    assert full(workshop, a_card(workshop, model=ModelRef("whole"))).model == "whole"


def test_a_new_version_starts_with_what_the_template_carries_over(workshop):
    text = 'name = "x"\ncarry_over = ["$.business_details", "$.additional_information.ethical_considerations"]'
    workshop.write(ANA, lambda work: templating.adopt_template(work, text=text, source="test"))
    first = a_version(workshop)
    model = first.model
    a_card(workshop, version=first, content=FULL | {"additional_information": {"ethical_considerations": "None."}})
    workshop.write(ANA, lambda work: registry.register_version(work, model))
    known = {"description": "", "owner": "", "created_by": "ana", "artifact": None}
    second = RegisteredVersion(ref=VersionRef.of(model, 2), model=model, number=2, **known)

    card = workshop.write(ANA, lambda work: use_cases.draft_card(work, second))

    seen = full(workshop, CardRef(card.name))
    assert seen.content["business_details"] == FULL["business_details"]
    assert seen.content["additional_information"] == {"ethical_considerations": "None."}
    assert "intended_uses" not in seen.content
    assert "carried over from" in seen.origins["$.additional_information.ethical_considerations"]
