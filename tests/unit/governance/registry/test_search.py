"""A search finds what holds the text, whatever the text, on both databases."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.governance.access.permissions import Permission
from modelward.governance.registry import use_cases
from modelward.kernel.actors import Actor, ActorKind
from modelward.kernel.pages import PageRequest
from modelward.kernel.refs import ModelRef

ACTOR = Actor(id="ana", name="ana", kind=ActorKind.PERSON, permissions=frozenset(each.value for each in Permission))
MODELS = {
    "fraud-cards": "Stops thieves 100% of the time_",
    "Fraud-Loans": "Says \"no\" to 'risk' -- and more",
    "delay": "Fraught with weather",
    "zürich": "",
    "x1": "İstanbul ÇAY naïve",
}


@pytest.fixture
def names(workshop):
    for name, description in MODELS.items():
        if name.isascii():
            workshop.write(
                ACTOR, lambda work, n=name, d=description: use_cases.register_model(work, name=n, description=d)
            )

    def search(text, **page):
        found = workshop.read(ACTOR, lambda work: use_cases.list_models(work, page=PageRequest(**page), text=text))
        return [each.name for each in found.items]

    return search


def _expected(text):
    held = {name: f"{name}\n{words}".lower() for name, words in MODELS.items() if name.isascii()}
    return sorted(name for name, words in held.items() if text.lower() in words)


@pytest.mark.parametrize(
    "text",
    ["fraud", "FRAUD", "fr", "f", "100%", "time_", '"no"', "'risk'", "--", "frau*", "a OR b", "NEAR(", "cards\nstops", "ç", "çay",
     "naïve", "nothing like it", "\\", "%%%", "___", "fraud-cards"],
)  # fmt: skip
def test_a_search_finds_just_what_holds_the_text(names, text):
    assert names(text) == _expected(text)


def test_no_text_is_taken_for_a_command(names):
    @given(text=st.text(alphabet=string.printable, min_size=1, max_size=6))
    def holds(text):
        assert names(text) == _expected(text)

    holds()


def test_a_description_that_changes_is_found_by_its_new_words_alone(names, workshop):
    ref = ModelRef("delay")

    workshop.write(ACTOR, lambda work: use_cases.describe_model(work, ref, description="Calm seas"))

    assert names("calm seas") == ["delay"]
    assert names("weather") == []


def test_many_hits_come_in_the_order_of_their_names_page_by_page(names, workshop):
    made = [
        workshop.submit(ACTOR, lambda work, n=number: use_cases.register_model(work, name=f"many-{n:04}"))
        for number in range(1_200)
    ]
    for each in made:
        each.result()

    assert names("many-", limit=3) == ["many-0000", "many-0001", "many-0002"]
