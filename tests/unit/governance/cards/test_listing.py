"""Lists of cards: what is found, in which order, page by page."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelward.governance.cards import use_cases
from modelward.governance.cards.entities import CardStatus, RiskRating
from modelward.kernel.errors import Invalid
from modelward.kernel.pages import PageRequest
from support.cards import ANA
from unit.governance.cards.cases import FULL, a_card, move

WORDS = ["payments", "Churn", "straße", "50%_off", 'say "no"', "ab", "αβγ", "x"]


def listed(workshop, **wanted):
    """All names, page by page."""
    found, cursor = [], None
    while True:
        page = PageRequest(limit=2, cursor=cursor)
        got = workshop.read(ANA, lambda work, page=page: use_cases.list_cards(work, page=page, **wanted))
        found += got.items
        cursor = got.next_cursor
        if cursor is None:
            return found


@pytest.fixture
def shelf(workshop):
    """Some cards that say different things."""
    cards = {}
    for number, word in enumerate(WORDS):
        risk = ["Low", "Medium", "High"][number % 3]
        content = {"intended_uses": FULL["intended_uses"] | {"purpose_of_model": f"About {word}.", "risk_rating": risk}}
        if number % 2:
            content |= {"business_details": FULL["business_details"]}
        cards[word] = a_card(workshop, content=content)
    return cards


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.one_of(st.sampled_from(WORDS), st.sampled_from(["about", "PAY", "aymen", "50%", "_", '"', "zzz", "ß"])))
def test_a_search_finds_exactly_the_cards_that_hold_the_text(workshop, text):
    from modelward.governance.cards import reading, rules

    if not listed(workshop):
        for word in WORDS:
            a_card(workshop, content={"intended_uses": {"purpose_of_model": f"About {word}."}})

    def held(work):
        cards = use_cases.list_cards(work, page=PageRequest(limit=1000)).items
        return [
            each.name
            for each in cards
            if text.lower()
            in (rules.words_of(each, reading.get_version(work, each.name).content) if len(text) > 2 else each.name)
        ]

    assert [each.name for each in listed(workshop, text=text)] == workshop.read(ANA, held)


@pytest.mark.parametrize("sort", ["name", "-name", "modified", "-modified", "debt", "-debt", "risk"])
def test_every_order_lists_each_card_once(workshop, shelf, sort):
    found = listed(workshop, sort=sort)

    assert sorted(each.name for each in found) == sorted(shelf.values())
    key = {
        "name": lambda each: each.name,
        "modified": lambda each: (each.modified_at, each.name),
        "debt": lambda each: (each.debt, each.name),
        "risk": lambda each: (["High", "Unknown", "Medium", "Low"].index(each.risk_rating.value), each.name),
    }[sort.removeprefix("-")]
    assert found == sorted(found, key=key, reverse=sort.startswith("-"))


def test_filters_hold_together(workshop, shelf):
    move(workshop, shelf["Churn"], "pending-review")

    assert [each.name for each in listed(workshop, text="churn", status=CardStatus.PENDING_REVIEW)] == [shelf["Churn"]]
    assert listed(workshop, text="churn", status=CardStatus.DRAFT) == []
    assert {each.risk_rating.value for each in listed(workshop, risk_rating=RiskRating.HIGH)} == {"High"}
    assert all(each.debt >= 1 for each in listed(workshop, debt_min=1))
    assert listed(workshop, owner="ana") != []
    assert listed(workshop, owner="nobody") == []
    changed = listed(workshop)[0].modified_at
    assert all(each.modified_at >= changed for each in listed(workshop, modified_after=changed))
    assert all(each.modified_at < changed for each in listed(workshop, modified_before=changed))


def test_a_search_forgets_what_a_card_no_longer_says(workshop, shelf):
    card = shelf["payments"]

    workshop.write(
        ANA, lambda work: use_cases.edit_card(work, card, content={"intended_uses": {"intended_uses": "new"}})
    )

    assert listed(workshop, text="payments") == []
    assert [each.name for each in listed(workshop, text="new")] == [card]


@pytest.mark.parametrize("sort", ["modified", "debt", "risk"])
def test_a_cursor_of_another_list_is_refused(workshop, shelf, sort):
    first = workshop.read(ANA, lambda work: use_cases.list_cards(work, page=PageRequest(limit=1)))

    page = PageRequest(limit=1, cursor=first.next_cursor)

    with pytest.raises(Invalid):
        workshop.read(ANA, lambda work: use_cases.list_cards(work, page=page, sort=sort))
