"""Many cards applied at once: all or none, tried first without a trace, and a second time nothing changes."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelward.governance.access.permissions import Persona
from modelward.governance.cards import applying, use_cases
from modelward.governance.cards.applying import CardsRefused, WantedCard
from modelward.governance.cards.entities import CardStatus
from modelward.kernel.errors import Invalid, NotAllowed, NotFound
from modelward.kernel.refs import CardRef, ModelRef
from modelward.storage import event_log
from support.cards import ANA, BEN, person
from unit.governance.cards.cases import FULL, a_card, full, move


def apply(workshop, *wanted, by=ANA, dry_run=False):
    def registered(work, each):
        if each.model == "none-such":
            raise NotFound("No model named none-such.", field="model")

    return workshop.write(
        by, lambda work: applying.apply_cards(work, list(wanted), dry_run=dry_run, check_subject=registered)
    )


def history(workshop):
    return [(each.name, each.subject) for each in workshop.database.read(event_log.read)]


def a_name():
    return f"applied-{next(a_name.numbers)}"


a_name.numbers = iter(range(10_000_000))


def test_cards_are_made_changed_and_kept_and_a_second_time_nothing_happens(workshop):
    there, new = a_card(workshop), a_name()
    wanted = (
        WantedCard(card=there, content={"business_details": {"line_of_business": "books"}}, note="From a file."),
        WantedCard(card=new, content=FULL, status=CardStatus.PENDING_REVIEW),
    )

    first = apply(workshop, *wanted)
    told = history(workshop)
    again = apply(workshop, *wanted)

    assert [(each.card, each.action) for each in first.cards] == [(there, "change"), (new, "create")]
    assert first.cards[1].status is CardStatus.PENDING_REVIEW
    assert [each.action for each in again.cards] == ["keep", "keep"]
    assert history(workshop) == told


def test_one_card_that_is_refused_keeps_all_others_as_they_were(workshop):
    there, new = a_card(workshop), a_name()
    before, told = full(workshop, there), history(workshop)
    wanted = (
        WantedCard(card=there, content={"business_details": {"line_of_business": "books"}}),
        WantedCard(card=new, content={"intended_uses": {"risk_rating": "Huge"}}),
    )

    with pytest.raises(CardsRefused, match="1 of 2 cards are refused, so none was changed") as refused:
        apply(workshop, *wanted)

    assert refused.value.field == "$.intended_uses.risk_rating"
    assert full(workshop, there) == before
    assert history(workshop) == told
    with pytest.raises(NotFound):
        full(workshop, CardRef(new))


def test_a_trial_tells_every_refusal_and_leaves_no_trace(workshop):
    there, names = a_card(workshop), [a_name() for _ in range(6)]
    archived = a_card(workshop)
    move(workshop, archived, "archived")
    told = history(workshop)

    found = apply(
        workshop,
        WantedCard(card=there, content={"business_details": {"line_of_business": "books"}}),
        WantedCard(card=names[0], model=ModelRef("none-such")),
        WantedCard(card=names[1], content={"intended_uses": {"risk_rating": "Huge"}}),
        WantedCard(card=names[2], content=FULL, status=CardStatus.APPROVED),
        WantedCard(card=names[3], owner="nobody-known"),
        WantedCard(card=names[4], status=CardStatus.PENDING_REVIEW),
        WantedCard(card="a b"),
        WantedCard(card=archived, content=FULL | {"business_details": {"business_problem": "Other."}}),
        WantedCard(card=there + "-x", number=3),
        WantedCard(card=names[5], content=FULL),
        dry_run=True,
    )

    codes = [each.problem.code if each.problem else each.action for each in found.cards]
    assert codes == [
        "change", "NotFound", "Invalid", "NotAllowed", "Invalid", "CardIncomplete", "Invalid", "CardArchived",
        "CardChanged", "create",
    ]  # fmt: skip
    assert (found.applied, found.refused) == (False, 8)
    assert history(workshop) == told
    assert full(workshop, there).number == 1


def test_what_two_cards_of_one_trial_do_to_each_other_is_seen(workshop):
    about = {"model_overview": {"model_id": a_name()}}
    found = apply(workshop, *(WantedCard(card=a_name(), content=about) for _ in range(2)), dry_run=True)

    assert [each.problem.code if each.problem else each.action for each in found.cards] == [
        "create",
        "CardSubjectTaken",
    ]


def test_an_approved_card_whose_content_changes_is_not_approved_again_by_who_wrote_it(workshop):
    card = a_card(workshop)
    move(workshop, card, "approved")
    wanted = WantedCard(
        card=card, content={"business_details": {"line_of_business": "books"}}, status=CardStatus.APPROVED
    )

    with pytest.raises(CardsRefused, match="somebody else must approve it"):
        apply(workshop, wanted)
    assert full(workshop, card).status is CardStatus.APPROVED
    assert apply(workshop, WantedCard(card=card, status=CardStatus.APPROVED), by=BEN).cards[0].action == "keep"


def test_a_card_that_moved_since_it_was_seen_is_not_overwritten(workshop):
    card = a_card(workshop)
    change = {"business_details": {"line_of_business": "books"}}
    workshop.write(BEN, lambda work: use_cases.edit_card(work, card, patch=change))

    for number, words in ((1, "has version 2 by now"), (0, "was made meanwhile")):
        with pytest.raises(CardsRefused, match=words):
            apply(workshop, WantedCard(card=card, content={"business_details": None}, number=number))
    with pytest.raises(CardsRefused, match="is not there any more"):
        apply(workshop, WantedCard(card=a_name(), number=1))


def test_too_many_cards_or_one_twice_are_refused(workshop):
    with pytest.raises(Invalid, match="stands twice"):
        apply(workshop, WantedCard(card="one"), WantedCard(card="one"))
    with pytest.raises(Invalid, match="at most 500"):
        apply(workshop, *(WantedCard(card=f"c{each}") for each in range(501)))
    with pytest.raises(NotAllowed):
        apply(workshop, WantedCard(card="one"), by=person("olu", Persona.AUDITOR))


RISK = st.sampled_from(["Low", "High", "Huge", None])
WANTED = st.tuples(st.integers(0, 3), RISK, st.sampled_from([None, "pending-review", "approved", "archived"]))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(WANTED, max_size=5, unique_by=lambda each: each[0]), st.booleans())
def test_what_a_trial_promises_is_what_happens(workshop, made, complete):
    root = a_name()
    base = FULL if complete else {}
    wanted = [
        WantedCard(
            card=f"{root}-{number}",
            content=base | ({"intended_uses": base.get("intended_uses", {}) | {"risk_rating": risk}} if risk else {}),
            status=CardStatus(status) if status else None,
        )
        for number, risk, status in made
    ]
    told = history(workshop)
    tried = apply(workshop, *wanted, dry_run=True)
    assert history(workshop) == told
    if tried.refused:
        with pytest.raises(CardsRefused):
            apply(workshop, *wanted)
        assert history(workshop) == told
        return
    done = apply(workshop, *wanted)
    assert [(each.action, each.number, each.status) for each in done.cards] == [
        (each.action, each.number, each.status) for each in tried.cards
    ]
    assert all(each.action == "keep" for each in apply(workshop, *wanted).cards)
