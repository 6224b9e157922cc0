"""How a card answers the controls of a pack."""

from datetime import timedelta

import pytest

from modelward.governance.access.permissions import Persona
from modelward.governance.cards import control_packs, controls, paths, schema, use_cases
from modelward.governance.cards.control_packs import ControlState, PackMissing
from modelward.kernel.errors import Invalid, NotAllowed, NotFound
from support.cards import ANA, person
from unit.governance.cards.cases import a_card, a_version, bind, evidence, keep, move

PACKS = control_packs.packs()


def assess(workshop, card, pack="nist-ai-rmf", **at):
    found = workshop.read(ANA, lambda work: controls.assess_controls(work, card, pack, **at))
    return found, {each.id: each for each in found.results}


def state(workshop, card, control, *, applies, reason="", by=ANA, pack="nist-ai-rmf"):
    return workshop.write(
        by,
        lambda work: controls.state_applicability(work, card, pack, control, applies=applies, reason=reason),
    )


@pytest.mark.parametrize("pack", PACKS.values(), ids=PACKS)
def test_every_control_asks_for_something_that_a_card_can_hold(pack):
    assert len(pack.control) >= 9
    for control in pack.control:
        assert control.fields or control.evidence or control.facts
        assert control.clause
        assert control.text.endswith(".")
        for path in control.fields:
            assert _known(paths.steps_of(path)), path


def _known(steps):
    here = schema.schema()
    for step in steps:
        here = schema._followed(here)
        if isinstance(step, int):
            here = here.get("items")
        else:
            here = here.get("properties", {}).get(step) or here.get("additionalProperties")
        if not here:
            return False
    return True


def test_a_control_is_covered_by_fields_and_open_without_them(workshop):
    card = a_card(workshop)

    found, by_id = assess(workshop, card)

    assert by_id["map-5"].state is ControlState.OPEN
    assert by_id["map-5"].lacking == ["$.additional_information.ethical_considerations"]
    assert by_id["govern-2"].lacking == ["$.model_overview.model_owner"]
    assert found.covered + found.open + found.not_applicable == len(found.results) == len(PACKS["nist-ai-rmf"].control)
    assert [each.id for each in found.results] == [each.id for each in PACKS["nist-ai-rmf"].control]

    change = {"additional_information": {"ethical_considerations": "None."}}
    workshop.write(ANA, lambda work: use_cases.edit_card(work, card, patch=change))
    _, by_id = assess(workshop, card)
    assert by_id["map-5"].state is ControlState.COVERED
    assert by_id["map-5"].since is not None


def test_evidence_covers_a_control_until_what_is_bound_is_stale(workshop):
    version = a_version(workshop)
    card = a_card(workshop, version=version)
    assert assess(workshop, card)[1]["measure-2-valid"].lacking == ["evidence:quality"]

    piece = keep(workshop, evidence(version, 0.9, now=workshop.clock()))
    assert assess(workshop, card)[1]["measure-2-valid"].state is ControlState.COVERED
    bind(workshop, card, piece, "$.evaluation_details")
    keep(workshop, evidence(version, 0.8, now=workshop.clock()))

    assert assess(workshop, card)[1]["measure-2-valid"].lacking == ["evidence:quality (stale)"]


def test_an_approval_is_a_fact_while_it_lasts(workshop):
    card = a_card(workshop)
    move(workshop, card, "approved")
    assert assess(workshop, card)[1]["manage-1"].state is ControlState.COVERED

    change = {"model_overview": {"model_owner": "x"}}
    workshop.write(ANA, lambda work: use_cases.edit_card(work, card, patch=change))

    assert assess(workshop, card)[1]["manage-1"].lacking == ["fact:approved"]


def test_who_governs_says_what_does_not_apply_with_a_reason_and_may_take_it_back(workshop):
    card = a_card(workshop)
    with pytest.raises(Invalid, match="Say why"):
        state(workshop, card, "govern-6", applies=False, reason=" ")
    with pytest.raises(NotAllowed):
        state(workshop, card, "govern-6", applies=False, reason="x", by=person("dan", Persona.DATA_SCIENTIST))
    with pytest.raises(PackMissing, match="no control"):
        state(workshop, card, "govern-99", applies=False, reason="x")
    with pytest.raises(PackMissing, match="there are"):
        state(workshop, card, "govern-6", applies=False, reason="x", pack="nope")
    start = workshop.clock()
    workshop.clock = lambda: start + timedelta(hours=1)

    state(workshop, card, "govern-6", applies=False, reason="Nothing is bought.")
    told = assess(workshop, card)[1]["govern-6"]
    assert (told.state, told.reason, told.stated_by) == (ControlState.NOT_APPLICABLE, "Nothing is bought.", "ana")
    assert assess(workshop, card, at=start)[1]["govern-6"].state is ControlState.OPEN
    state(workshop, card, "govern-6", applies=True)

    assert assess(workshop, card)[1]["govern-6"].state is ControlState.OPEN


def test_a_control_for_high_risks_only_does_not_apply_to_others(workshop):
    card = a_card(workshop)
    told = assess(workshop, card, "eu-ai-act-annex-iv")[1]["2e"]

    assert told.state is ControlState.NOT_APPLICABLE
    assert "the card says Low" in told.reason
    state(workshop, card, "2e", applies=True, pack="eu-ai-act-annex-iv")
    assert assess(workshop, card, "eu-ai-act-annex-iv")[1]["2e"].state is ControlState.OPEN


def test_an_assessment_of_a_day_before_the_card_is_refused(workshop):
    card = a_card(workshop)

    with pytest.raises(NotFound, match="did not exist yet"):
        assess(workshop, card, at=workshop.clock() - timedelta(days=1))
