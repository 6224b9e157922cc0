"""What outside clients said of cards: kept word for word, looked through by age, gone with the card."""

import pytest

from modelward.governance.cards import deletion, linking, use_cases, wording
from modelward.governance.cards.documents import delivery
from modelward.governance.cards.documents import use_cases as documents
from modelward.governance.cards.documents.delivery import DeliveryState
from modelward.governance.cards.entities import CardStatus
from modelward.governance.cards.linking import CardNotLinkable
from modelward.governance.registry import use_cases as registry
from modelward.kernel.browsing import Browse
from modelward.kernel.refs import CardRef, ModelRef, VersionRef
from support.workshops import ANA

CARD = CardRef("a")
TEXT = '{"intended_uses":  {"risk_rating": "High"}}'


def write(workshop, task, *arguments, **options):
    return workshop.write(ANA, lambda work: task(work, *arguments, **options))


def read(workshop, task, *arguments, **options):
    return workshop.read(ANA, lambda work: task(work, *arguments, **options))


@pytest.fixture
def kept(workshop):
    """A workshop with a card that was sent as a text, and edited here since."""

    def send(work):
        use_cases.create_card(work, name="a", content={"intended_uses": {"risk_rating": "High"}})
        wording.keep_text(work, CARD, 1, TEXT)
        wording.keep_particulars(work, CARD, {"SecurityConfig": {"KmsKeyId": "k"}})

    workshop.write(ANA, send)
    write(workshop, use_cases.edit_card, CARD, content={"intended_uses": {"risk_rating": "Low"}})
    return workshop


def test_a_version_is_told_as_it_was_sent_and_one_written_here_as_json(kept):
    first, second = (read(kept, use_cases.get_version, CARD, number=number) for number in (1, 2))

    assert read(kept, wording.text_of, CARD, 1, first.content) == TEXT
    assert read(kept, wording.text_of, CARD, 2, second.content) == '{"intended_uses":{"risk_rating":"Low"}}'
    assert read(kept, wording.read_particulars, CARD) == {"SecurityConfig": {"KmsKeyId": "k"}}


def test_versions_are_looked_through_by_number_and_by_their_last_status(kept):
    write(kept, use_cases.change_status, CARD, status=CardStatus.ARCHIVED)
    card = read(kept, use_cases.get_card, CARD)

    def numbers(status=None, **asked):
        found = read(kept, wording.browse_versions, CARD, Browse(sort="number", **asked), status=status)
        return [each.number for each in found.items], found.next_after

    assert numbers() == ([1, 2], None)
    assert numbers(descending=True)[0] == [2, 1]
    assert numbers(status=CardStatus.DRAFT) == ([1], None)
    assert numbers(limit=1) == ([1], ("1", "a"))
    assert numbers(limit=1, after=("1", "a")) == ([2], None)
    assert read(kept, wording.status_of, card, 1) is CardStatus.DRAFT
    assert read(kept, wording.status_of, card, 2) is CardStatus.ARCHIVED


def test_cards_are_looked_through_by_what_they_say_and_are_about(kept):
    write(kept, use_cases.create_card, name="b", content={"model_overview": {"model_id": "Loans"}})

    def names(**asked):
        return [each.name for each in read(kept, wording.browse_cards, Browse(), **asked).items]

    assert names() == ["a", "b"]
    assert names(subjects=["model Loans", "package Loans"]) == ["b"]
    assert names(saying="LOAN") == ["b"]
    assert names(status=CardStatus.APPROVED) == []


def test_a_delivery_waits_until_it_ended_and_goes_with_its_card(kept):
    def ask(work):
        export = documents.request_export(work, CARD, number=1)
        delivery.ask_delivery(work, export.id, card=CARD, name="first", address="s3://b/x")
        return export

    export = kept.write(ANA, ask)

    def found(**asked):
        return [each.name for each in read(kept, delivery.browse_deliveries, CARD, Browse(), **asked).items]

    waiting = read(kept, delivery.find_delivery, export.id)
    assert (waiting.state, waiting.number) == (DeliveryState.WAITING, 1)
    write(kept, delivery.end_delivery, waiting, state=DeliveryState.DELIVERED, artifact="s3://b/x/a.pdf")
    ended = read(kept, delivery.find_delivery_named, CARD, "first")
    assert (ended.state, ended.artifact) == (DeliveryState.DELIVERED, "s3://b/x/a.pdf")
    assert found(state=DeliveryState.DELIVERED, number=1) == ["first"]
    assert found(state=DeliveryState.WAITING) == found(number=2) == []
    write(kept, deletion.delete_card, CARD)
    assert read(kept, delivery.find_delivery_named, CARD, "first") is None


def test_a_card_of_nothing_becomes_the_card_of_a_version_and_stays_it(kept):
    write(kept, registry.register_model, name="loans")
    for _ in range(2):
        write(kept, registry.register_version, ModelRef("loans"))
    first = VersionRef("loans@1")

    linked = write(kept, linking.link_card, CARD, first)

    assert linked == read(kept, use_cases.find_card_of, first)
    with pytest.raises(CardNotLinkable):
        write(kept, linking.link_card, CARD, VersionRef("loans@2"))
    write(kept, use_cases.create_card, name="b")
    with pytest.raises(CardNotLinkable):
        write(kept, linking.link_card, CardRef("b"), first)
