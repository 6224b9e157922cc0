"""What holds for a card whatever is done to it."""

from itertools import count

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelward.governance.access.entities import SYSTEM
from modelward.governance.access.permissions import PERSONAS, Persona
from modelward.governance.cards import rules, use_cases
from modelward.governance.cards.entities import CardStatus, EvaluationEntry
from modelward.governance.cards.templates import CardIncomplete
from modelward.governance.registry import use_cases as registry
from modelward.kernel.actors import Actor, ActorKind
from modelward.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from modelward.kernel.pages import PageRequest
from modelward.kernel.refs import CardRef, Digest, ModelRef, VersionRef
from modelward.storage.blobs import digest_of

NUMBERS = count()


def person(name, persona=Persona.OWNER):
    permissions = frozenset(each.value for each in PERSONAS[persona])
    return Actor(id=name, name=name, kind=ActorKind.PERSON, permissions=permissions)


ANA, BEN = person("ana"), person("ben")


def new_card(workshop, by=ANA, content=None):
    name = f"card-{next(NUMBERS)}"
    workshop.write(by, lambda work: use_cases.create_card(work, name=name, content=content))
    return CardRef(name)


def edit(workshop, card, by=ANA, **change):
    return workshop.write(by, lambda work: use_cases.edit_card(work, card, **change))


def move(workshop, card, status, by=ANA):
    return workshop.write(by, lambda work: use_cases.change_status(work, card, status=CardStatus(status)))


def get(workshop, card, **which):
    return workshop.read(ANA, lambda work: use_cases.get_version(work, card, **which))


def purpose(text):
    risk = {"risk_rating": "Low", "explanations_for_risk_rating": "Advice only."}
    return {"intended_uses": {"purpose_of_model": text, **risk}, "business_details": {"business_problem": "Queues."}}


texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("edit"), texts),
        st.tuples(st.just("patch"), texts),
        st.tuples(st.just("move"), st.sampled_from([each.value for each in CardStatus])),
    ),
    max_size=12,
)


# Each example makes a card of its own, so that they may share the database.
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
def test_versions_are_numbered_without_gaps_and_never_change_whatever_is_done(workshop, steps):
    card = new_card(workshop, content=purpose("first"))
    seen = {1: get(workshop, card)}

    for what, value in steps:
        before = workshop.read(ANA, lambda work: use_cases.get_card(work, card))
        try:
            if what == "move":
                after = move(workshop, card, value, by=BEN)
                assert (after.number, after.digest) == (before.number, before.digest)
            else:
                change = {"content": purpose(value)} if what == "edit" else {"patch": purpose(value)}
                after = edit(workshop, card, **change)
                assert after.number in (before.number, before.number + 1)
                seen.setdefault(after.number, get(workshop, card))
        except CardIncomplete:
            assert not get(workshop, card).content["intended_uses"]["purpose_of_model"].strip()
        except Conflict:
            assert before.status is CardStatus.ARCHIVED or before.status.value == value
        if before.status is CardStatus.ARCHIVED:
            assert workshop.read(ANA, lambda work: use_cases.get_card(work, card)) == before

    listed = workshop.read(ANA, lambda work: use_cases.list_versions(work, card, page=PageRequest(limit=1000)))
    assert [each.number for each in listed.items] == list(range(len(seen), 0, -1))
    for number, version in seen.items():
        again = get(workshop, card, number=number)
        assert again == version
        assert rules.digest_of(again.content) == again.digest


@pytest.mark.parametrize("change", ["UPDATE card_version SET note = 'x'", "DELETE FROM card_version"])
def test_the_schema_refuses_to_change_a_version(workshop, change):
    new_card(workshop)

    with pytest.raises(sa.exc.DatabaseError, match="never changed"):
        workshop.database.write(lambda connection: connection.execute(sa.text(change)))


def test_an_edit_of_an_approved_card_makes_it_a_draft_with_a_new_version(workshop):
    card = new_card(workshop, content=purpose("first"))
    move(workshop, card, "approved", by=BEN)

    edited = edit(workshop, card, content=purpose("another"))

    assert (edited.status, edited.number) == (CardStatus.DRAFT, 2)


def test_nobody_approves_what_they_wrote(workshop):
    card = new_card(workshop, by=ANA)

    with pytest.raises(NotAllowed, match="ana wrote"):
        move(workshop, card, "approved", by=ANA)


def test_what_modelward_adds_makes_nobody_else_the_author(workshop):
    card = new_card(workshop, by=ANA)
    edit(workshop, card, by=SYSTEM, content=purpose("by Modelward"))

    with pytest.raises(NotAllowed, match="ana wrote"):
        move(workshop, card, "approved", by=ANA)


def test_to_approve_a_card_takes_the_permission(workshop):
    card = new_card(workshop, by=ANA)

    with pytest.raises(NotAllowed, match=r"card\.approve"):
        move(workshop, card, "approved", by=person("dan", Persona.DATA_SCIENTIST))


def test_an_archived_card_stays_as_it_is(workshop):
    card = new_card(workshop)
    move(workshop, card, "archived")

    with pytest.raises(rules.CardArchived):
        edit(workshop, card, content=purpose("late"))
    with pytest.raises(rules.CardArchived):
        move(workshop, card, "draft")


def test_who_edits_an_old_version_is_told(workshop):
    card = new_card(workshop)
    edit(workshop, card, content=purpose("ben's"), by=BEN)

    with pytest.raises(use_cases.CardChanged, match="version 2 by now; you edited version 1"):
        edit(workshop, card, content=purpose("ana's"), expected=1)


def test_a_version_is_found_by_its_moment(workshop):
    card = new_card(workshop, content=purpose("old"))
    first = get(workshop, card)
    edit(workshop, card, content=purpose("new"))

    assert get(workshop, card, as_of=first.at) == first
    with pytest.raises(NotFound, match="did not exist yet"):
        get(workshop, card, as_of=first.at.replace(year=2000))


@pytest.mark.parametrize(
    "text",
    ['"quoted"', "<script>alert(1)</script>", "../../etc/passwd", "'; DROP TABLE card; --", "\x00\x1b[31m", "🦜" * 100],
)
def test_hostile_text_is_kept_word_for_word(workshop, text):
    content = {**purpose(text), "additional_information": {"custom_details": {text: text}}}

    card = new_card(workshop, content=content)

    assert get(workshop, card).content == content


@pytest.mark.parametrize("name", ["", "../x", "<script>", "a b", "x" * 129, "é"])
def test_a_hostile_name_is_refused(workshop, name):
    with pytest.raises(Invalid, match="not a name"):
        workshop.write(ANA, lambda work: use_cases.create_card(work, name=name))


def test_a_card_of_a_version_that_is_not_registered_is_refused(workshop):
    with pytest.raises(NotFound, match="ghost@1 is not registered"):
        workshop.write(ANA, lambda work: use_cases.create_card(work, name="g", version=VersionRef("ghost@1")))


def test_a_version_has_one_card_until_that_is_archived(workshop):
    workshop.write(ANA, lambda work: registry.register_model(work, name="solo"))
    workshop.write(ANA, lambda work: registry.register_version(work, ModelRef("solo")))
    version = VersionRef("solo@1")
    workshop.write(ANA, lambda work: use_cases.create_card(work, name="solo-a", version=version))

    with pytest.raises(use_cases.CardExists, match="solo-a already"):
        workshop.write(ANA, lambda work: use_cases.create_card(work, name="solo-b", version=version))
    move(workshop, CardRef("solo-a"), "archived")
    workshop.write(ANA, lambda work: use_cases.create_card(work, name="solo-b", version=version))

    assert workshop.read(ANA, lambda work: use_cases.find_card_of(work, version)).name == "solo-b"


def test_an_evaluation_changes_a_draft_and_no_other_card(workshop):
    workshop.write(ANA, lambda work: registry.register_model(work, name="judged"))
    workshop.write(ANA, lambda work: registry.register_version(work, ModelRef("judged")))
    version = VersionRef("judged@1")
    content = purpose("To judge.")
    workshop.write(ANA, lambda work: use_cases.create_card(work, name="judged", version=version, content=content))

    def tell(report):
        entry = EvaluationEntry(
            evaluation="evaluation-1", kind="quality", outcome="passed", reason="Well.", report=digest_of(report),
            dataset=digest_of(b"table"), metrics={"auc": 0.9},
        )  # fmt: skip
        return workshop.write(SYSTEM, lambda work: use_cases.add_evaluation(work, version, entry))

    assert tell(b"first").number == 2
    assert tell(b"second").number == 3
    [told] = get(workshop, CardRef("judged")).content["evaluation_details"]
    assert Digest(told["metadata"]["report"]) == digest_of(b"second")
    move(workshop, CardRef("judged"), "pending-review")
    assert tell(b"third") is None
