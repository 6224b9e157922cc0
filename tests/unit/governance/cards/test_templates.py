"""What templates ask for, and what becomes of cards that lack it."""

import pytest
import sqlalchemy as sa

from modelward.governance.access.entities import SYSTEM
from modelward.governance.access.permissions import Persona
from modelward.governance.cards import debts, reading, templates, templating, use_cases
from modelward.governance.cards.entities import CardStatus
from modelward.governance.cards.templates import CardIncomplete
from modelward.kernel.errors import Invalid, NotAllowed
from modelward.kernel.pages import PageRequest
from modelward.storage import event_log
from support.cards import ANA, person
from unit.governance.cards.cases import FULL, a_card, a_version, bind, evidence, full, keep, move

ASKING = """
name = "strict"
recommended = ["$.model_overview.model_owner"]
[[required]]
status = "approved"
fields = ["$.model_overview.model_owner"]
[[required]]
status = "approved"
risk_ratings = ["High"]
evidence = ["bias"]
"""


def adopt(workshop, text, by=ANA):
    return workshop.write(by, lambda work: templating.adopt_template(work, text=text, source="test"))


def recount(workshop, after=""):
    return workshop.write(SYSTEM, lambda work: debts.recount_debt(work, after=after))


def test_a_status_is_refused_with_every_missing_path(workshop):
    card = a_card(workshop, content={})

    with pytest.raises(CardIncomplete) as refused:
        move(workshop, card, "approved")

    asked = full(workshop, card).completeness
    assert asked.next_status is CardStatus.PENDING_REVIEW
    assert refused.value.field == asked.blocking[0]
    assert all(each.path in refused.value.message for each in asked.required)
    assert full(workshop, card).debt == len(asked.required) == 4


def test_a_high_risk_asks_for_more(workshop):
    low, high = (
        a_card(workshop),
        a_card(workshop, content=FULL | {"intended_uses": FULL["intended_uses"] | {"risk_rating": "High"}}),
    )

    assert move(workshop, low, "approved").status is CardStatus.APPROVED
    assert move(workshop, high, "pending-review").status is CardStatus.PENDING_REVIEW
    with pytest.raises(CardIncomplete, match="ethical_considerations"):
        move(workshop, high, "approved")


def test_going_back_and_archiving_ask_for_nothing(workshop):
    card = a_card(workshop)
    move(workshop, card, "approved")
    adopt(workshop, ASKING)

    assert move(workshop, card, "pending-review").status is CardStatus.PENDING_REVIEW
    assert move(workshop, card, "archived").debt == 0


def test_another_template_is_counted_for_every_card_and_asks_from_then_on(workshop):
    card = a_card(workshop)
    assert full(workshop, card).debt == 0

    adopt(workshop, ASKING)
    recount(workshop)

    assert full(workshop, card).debt == 1
    with pytest.raises(CardIncomplete, match="model_owner"):
        move(workshop, card, "approved")
    listed = workshop.read(ANA, lambda work: use_cases.list_cards(work, page=PageRequest(), debt_min=1))
    assert card in [each.name for each in listed.items]


def test_a_template_may_ask_for_bound_evidence(workshop):
    adopt(workshop, ASKING)
    version = a_version(workshop)
    high = {"intended_uses": {"risk_rating": "High"}, "model_overview": {"model_owner": "ana"}}
    card = a_card(workshop, version=version, content=high)

    with pytest.raises(CardIncomplete, match="evidence:bias"):
        move(workshop, card, "approved")
    piece = keep(workshop, evidence(version, 0.1, kind="bias", now=workshop.clock()))
    bind(workshop, card, piece, "$.evaluation_details")

    assert move(workshop, card, "approved").status is CardStatus.APPROVED


def test_only_who_governs_cards_adopts_a_template_and_a_broken_one_changes_nothing(workshop):
    before = workshop.read(ANA, templating.get_template)

    with pytest.raises(NotAllowed, match=r"card\.govern"):
        adopt(workshop, ASKING, by=person("dan", Persona.DATA_SCIENTIST))
    for text, refusal in [
        ("name = ", "is not TOML"),
        ('name = "x"\nnonsense = 1', "nonsense"),
        ('name = "x"\nrecommended = ["$.nothing.at_all"]', "no section 'nothing'"),
        ('name = "x"\n[[required]]\nstatus = "draft"', "draft asks for nothing"),
        ('name = "x"\n[evidence_days]\nbias = 0', "evidence_days.bias is 0"),
    ]:
        with pytest.raises(Invalid, match=refusal):
            adopt(workshop, text)

    assert workshop.read(ANA, templating.get_template) == before


def test_the_same_template_again_changes_nothing(workshop):
    first = adopt(workshop, ASKING)

    assert adopt(workshop, ASKING) == first


def test_the_shipped_template_is_in_force_in_an_empty_house_without_an_event(workshop):
    workshop.write(SYSTEM, lambda work: debts.begin(work, kept=None, source=""))

    assert workshop.database.read(lambda c: event_log.read(c, names=["CardTemplateAdopted"])) == []
    assert workshop.read(ANA, templating.get_template).template == templates.default()


def test_the_template_of_the_data_folder_counts_from_the_next_start(workshop):
    workshop.write(SYSTEM, lambda work: debts.begin(work, kept=ASKING, source="card-template.toml"))

    assert workshop.read(ANA, templating.get_template).source == "card-template.toml"


def test_cards_from_before_there_were_templates_are_counted_at_the_start(workshop):
    card = a_card(workshop, content={})
    workshop.database.write(lambda c: c.execute(sa.text("UPDATE card SET missing = 0, debt = 0")))

    workshop.write(SYSTEM, lambda work: debts.begin(work, kept=None, source=""))
    recount(workshop)

    assert full(workshop, card).debt == 4


def test_completeness_tells_how_to_supply_what_is_missing(workshop):
    card = a_card(workshop, content={})

    found = workshop.read(ANA, lambda work: reading.get_completeness(work, card))

    assert found.share == 0
    assert all(each.path in each.how for each in found.required)
