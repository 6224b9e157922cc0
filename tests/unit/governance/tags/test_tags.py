"""Tags on things: what was put last stands, keys are taken off, nothing is kept without an event."""

import pytest

from modelward.governance.access.permissions import Permission
from modelward.governance.tags import use_cases as tags
from modelward.kernel.actors import Actor, ActorKind
from modelward.kernel.errors import Invalid, NotAllowed
from support.workshops import ANA

READER = Actor(id="eve", name="Eve", kind=ActorKind.PERSON, permissions=frozenset({Permission.CARD_READ.value}))
WRITE, READ = {"permission": Permission.CARD_WRITE}, {"permission": Permission.CARD_READ}


def put(workshop, given, thing="card/a", actor=ANA):
    return workshop.write(actor, lambda work: tags.put_tags(work, thing, given, **WRITE))


def listed(workshop, thing="card/a"):
    return workshop.read(ANA, lambda work: tags.list_tags(work, thing, **READ))


def test_the_last_value_of_a_key_stands_and_other_things_keep_theirs(workshop):
    put(workshop, {"b": "1", "a": ""})
    put(workshop, {"b": "2"}, thing="card/ab")

    assert put(workshop, {"b": "3"}) == {"a": "", "b": "3"}
    assert listed(workshop) == {"a": "", "b": "3"}
    assert listed(workshop, "card/ab") == {"b": "2"}


def test_keys_are_taken_off_and_absent_ones_are_passed_over(workshop):
    put(workshop, {"a": "1", "b": "2"})

    left = workshop.write(ANA, lambda work: tags.take_tags_off(work, "card/a", ["a", "nobody"], **WRITE))

    assert left == listed(workshop) == {"b": "2"}
    # Nothing to take off: nothing is changed, so nothing is told.
    workshop.write(ANA, lambda work: tags.take_tags_off(work, "card/a", ["nobody"], **WRITE))


@pytest.mark.parametrize("given", [{"": "v"}, {"k" * 129: "v"}, {"k": "v" * 257}, {f"k{n}": "v" for n in range(51)}])
def test_tags_that_break_a_limit_are_refused_whole(workshop, given):
    put(workshop, {"kept": "1"})

    with pytest.raises(Invalid):
        put(workshop, given)

    assert listed(workshop) == {"kept": "1"}


def test_who_may_only_read_a_thing_may_not_tag_it(workshop):
    with pytest.raises(NotAllowed):
        put(workshop, {"a": "1"}, actor=READER)
