"""Control packs of one's own: written, changed, retired, dated; and those that come with Modelward, which stay."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.governance.access.permissions import Persona
from modelward.governance.cards import control_packs, controls, own_packs, templates
from modelward.governance.cards.control_packs import ControlState, PackMissing
from modelward.governance.cards.keeping import CardChanged
from modelward.governance.cards.own_packs import PackBuiltIn, PackRetired
from modelward.kernel.errors import Invalid, NotAllowed
from modelward.storage import event_log
from support.cards import ANA, person
from unit.governance.cards.cases import a_card

OWNER = {"id": "owner", "clause": "1", "title": "Owner", "text": "Who?", "fields": ["$.model_overview.model_owner"]}
PURPOSE = {"id": "why", "clause": "2", "title": "Why", "text": "Why?", "fields": ["$.intended_uses.purpose_of_model"]}


def a_pack(*control):
    return {"title": "Ours", "source": "Handbook", "control": list(control or [OWNER])}


def put(workshop, name, told, *, by=ANA, **how):
    return workshop.write(by, lambda work: own_packs.put_pack(work, name, told=told, **how))


def retire(workshop, name, *, by=ANA, **how):
    return workshop.write(by, lambda work: own_packs.retire_pack(work, name, **how))


def listed(workshop, **how):
    return {each.id: each for each in workshop.read(ANA, lambda work: own_packs.list_packs(work, **how))}


def told_of(workshop, name):
    return [each.name for each in workshop.database.read(lambda c: event_log.read(c, subjects=[name]))][::-1]


def test_a_pack_has_versions_of_which_none_is_lost_and_an_event_for_each(workshop):
    first = put(workshop, "ours", a_pack(), note="First.")
    again = put(workshop, "ours", a_pack())
    second = put(workshop, "ours", a_pack(OWNER, PURPOSE))
    gone = retire(workshop, "ours", reason="Replaced.")
    back = put(workshop, "ours", a_pack(OWNER, PURPOSE))

    assert [each.number for each in (first, again, second, gone, back)] == [1, 1, 2, 3, 4]
    assert told_of(workshop, "ours") == ["CardPackKept", "CardPackKept", "CardPackRetired", "CardPackKept"]
    versions = workshop.read(ANA, lambda work: own_packs.list_pack_versions(work, "ours"))
    assert [(each.number, each.controls, each.retired) for each in versions] == [
        (4, 2, False), (3, 2, True), (2, 2, False), (1, 1, False),
    ]  # fmt: skip
    assert workshop.read(ANA, lambda work: own_packs.get_pack(work, "ours", number=1)).control[0].id == "owner"
    assert back.digest == second.digest != first.digest


def test_a_card_is_measured_by_the_version_that_counted_on_the_day(workshop):
    card = a_card(workshop)
    put(workshop, "ours", a_pack(OWNER))
    between = workshop.clock()
    put(workshop, "ours", a_pack(PURPOSE))
    later = workshop.clock()
    retire(workshop, "ours")

    def answered(**at):
        found = workshop.read(ANA, lambda work: controls.assess_controls(work, card, "ours", **at))
        return found.pack_number, [each.state for each in found.results]

    assert answered(at=between) == (1, [ControlState.OPEN])
    assert answered(at=later) == (2, [ControlState.COVERED])
    with pytest.raises(PackRetired):
        answered()
    assert "ours" not in listed(workshop)
    assert listed(workshop, retired=True)["ours"].retired


def test_a_card_of_a_day_before_the_pack_is_measured_by_its_first_version(workshop):
    card = a_card(workshop)
    early = workshop.clock()
    now = workshop.clock
    workshop.clock = lambda: now() + timedelta(days=1)
    put(workshop, "ours", a_pack(PURPOSE))
    put(workshop, "ours", a_pack(OWNER))

    found = workshop.read(ANA, lambda work: controls.assess_controls(work, card, "ours", at=early))

    assert (found.pack_number, found.covered) == (1, 1)


@pytest.mark.parametrize("name", control_packs.packs())
def test_what_comes_with_modelward_cannot_be_changed(workshop, name):
    with pytest.raises(PackBuiltIn):
        put(workshop, name, a_pack())
    with pytest.raises(PackBuiltIn):
        retire(workshop, name)


@pytest.mark.parametrize("pack", control_packs.packs().values(), ids=control_packs.packs())
def test_what_comes_with_modelward_keeps_the_rules_for_ones_own(pack):
    control_packs.check_own(pack)


def test_the_shipped_template_keeps_the_rules_for_ones_own():
    templates.check_new(templates.default())


@pytest.mark.parametrize(
    "told, field",
    [
        (a_pack(OWNER | {"fields": ["$.model_overview.owner"]}), "pack.control[0].fields[0]"),
        (a_pack(OWNER, PURPOSE | {"fields": ["no path"]}), "pack.control[1].fields[0]"),
        (a_pack(OWNER, OWNER), "pack.control[1].id"),
        (a_pack(OWNER | {"id": "a b"}), "pack.control[0].id"),
        (a_pack(OWNER | {"fields": []}), "pack.control[0]"),
        (a_pack(OWNER | {"text": " "}), "pack.control[0].text"),
        (a_pack(OWNER | {"evidence": ["luck"]}), "pack.control[0].evidence[0]"),
        (a_pack({key: value for key, value in OWNER.items() if key != "clause"}), "pack.control[0]"),
        (a_pack() | {"control": []}, "pack.control"),
        (a_pack() | {"title": ""}, "pack.title"),
        (a_pack() | {"colour": "red"}, "pack"),
        (a_pack() | {"control": "owner"}, "pack.control"),
        (a_pack() | {"id": "theirs"}, "pack.id"),
    ],
)
def test_what_is_wrong_is_told_by_its_path_and_nothing_is_kept(workshop, told, field):
    with pytest.raises(Invalid) as refused:
        put(workshop, "ours", told)

    assert refused.value.field == field
    assert "ours" not in listed(workshop, retired=True)


def test_who_saw_another_version_changes_nothing(workshop):
    put(workshop, "ours", a_pack(), expected=0)
    with pytest.raises(CardChanged):
        put(workshop, "ours", a_pack(PURPOSE), expected=0)
    assert put(workshop, "ours", a_pack(PURPOSE), expected=1).number == 2


def test_who_may_not_govern_changes_no_pack_and_nobody_finds_what_is_not_there(workshop):
    with pytest.raises(NotAllowed):
        put(workshop, "ours", a_pack(), by=person("dan", Persona.DATA_SCIENTIST))
    with pytest.raises(PackMissing, match="there are eu-ai-act-annex-iv"):
        retire(workshop, "ours")
    with pytest.raises(PackMissing, match="no version 7"):
        workshop.read(ANA, lambda work: own_packs.get_pack(work, "nist-ai-rmf", number=7))


KEYS = st.sampled_from(["title", "source", "control", "id", "fields", "x"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner),
    max_leaves=8,
)


@given(ANYTHING)
def test_whatever_is_written_is_refused_with_a_path(control):
    with pytest.raises(Invalid) as refused:
        control_packs.check_own(control_packs.read("ours", {"title": "t", "source": "s", "control": control}))

    assert str(refused.value.field).startswith("pack")
