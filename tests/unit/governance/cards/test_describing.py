"""A card described at once with a version and what outside clients said; first pages, whose statements are kept."""

import msgspec
import pytest

from modelward.governance.cards import use_cases, wording
from modelward.kernel.browsing import Browse
from modelward.kernel.errors import NotAllowed
from modelward.kernel.refs import CardRef
from support.workshops import ANA

CARD = CardRef("a")
TEXT = '{"intended_uses":  {"risk_rating": "High"}}'
LOW = {"intended_uses": {"risk_rating": "Low"}}


def make(workshop, *names):
    for name in names:
        workshop.write(ANA, lambda work, name=name: use_cases.create_card(work, name=name, content={}))


def described(workshop, name, number=None):
    return workshop.read(ANA, lambda work: wording.describe_card(work, CardRef(name), number))


def page(workshop, **asked):
    found = workshop.read(ANA, lambda work: wording.browse_cards(work, Browse(**asked)))
    return [str(each.name) for each in found.items], found.next_after


def test_a_description_tells_the_current_version_unless_another_is_named(workshop):
    make(workshop, "a", "b")
    workshop.write(ANA, lambda work: use_cases.edit_card(work, CARD, content=LOW))

    def say(work):
        wording.keep_text(work, CARD, 1, TEXT)
        wording.keep_particulars(work, CARD, {"SecurityConfig": {"KmsKeyId": "k"}})
        use_cases.create_card(work, name="c", content={})

    workshop.write(ANA, say)

    first, now, other = described(workshop, "a", 1), described(workshop, "a"), described(workshop, "b")

    assert (first.number, first.text, first.kept) == (1, TEXT, "{}")
    assert (now.number, now.text, msgspec.json.decode(now.kept)) == (2, None, LOW)
    assert first.card == now.card == workshop.read(ANA, lambda work: use_cases.get_card(work, CARD))
    version = workshop.read(ANA, lambda work: use_cases.get_version(work, CARD, number=1))
    assert (first.at, first.by) == (version.at, version.by)
    assert first.particulars == now.particulars == {"SecurityConfig": {"KmsKeyId": "k"}}
    assert (other.number, other.text, other.particulars) == (1, None, {})


def test_what_is_not_there_is_not_described(workshop):
    make(workshop, "a")

    assert described(workshop, "a", 2) is None
    assert described(workshop, "z") is None


def test_a_description_needs_the_permission_to_read_cards(workshop):
    make(workshop, "a")
    stranger = msgspec.structs.replace(ANA, permissions=frozenset({"nothing"}))

    with pytest.raises(NotAllowed):
        workshop.read(stranger, lambda work: wording.describe_card(work, CARD, None))


def test_a_first_page_keeps_to_its_own_limit_and_order_however_often_it_is_asked(workshop):
    make(workshop, "b", "a", "c")

    for _ in range(2):
        assert page(workshop, sort="name", limit=2)[0] == ["a", "b"]
        assert page(workshop, sort="name", limit=3) == (["a", "b", "c"], None)
        assert page(workshop, sort="name", descending=True, limit=1) == (["c"], ("c", "c"))
        assert page(workshop, limit=2)[0] == ["b", "a"]
        assert page(workshop, sort="name", limit=2, text="C")[0] == ["c"]
        assert page(workshop, sort="name", limit=2, after=("b", "b"))[0] == ["c"]
