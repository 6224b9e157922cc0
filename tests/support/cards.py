"""Cards, and the people who work on them."""

from itertools import count

from modelward.governance.access import use_cases as access
from modelward.governance.access.entities import SYSTEM
from modelward.governance.access.permissions import PERSONAS, Persona
from modelward.governance.cards import comments, inbox, use_cases
from modelward.governance.cards.entities import CardStatus
from modelward.kernel.actors import Actor, ActorKind
from modelward.kernel.pages import PageRequest
from modelward.kernel.refs import CardRef
from modelward.storage import event_log

NUMBERS = count()
PAGE = PageRequest(limit=100)
# Enough for every status; what a card must have is another test's matter.
FULL = {
    "model_overview": {"model_description": "Finds fraud.", "model_owner": "ana"},
    "business_details": {"business_problem": "Fraud."},
    "intended_uses": {
        "purpose_of_model": "To find fraud.",
        "intended_uses": "Card payments.",
        "risk_rating": "Low",
        "explanations_for_risk_rating": "People look at each case.",
    },
    "additional_information": {"ethical_considerations": "None known."},
}


def person(name, persona=Persona.OWNER):
    """Somebody with what a persona may do."""
    permissions = frozenset(each.value for each in PERSONAS[persona])
    return Actor(id=name, name=name, kind=ActorKind.PERSON, permissions=permissions)


ANA, BEN, EVA = person("ana"), person("ben"), person("eva")


def let_in(workshop):
    """Give the people of these tests access, and a service that may not read cards."""

    def task(work):
        for name in ("ana", "ben", "eva"):
            access.add_person(work, id=name, persona=Persona.OWNER)
        access.add_person(work, id="probe", persona=Persona.CAPTURE_AGENT, kind=ActorKind.SERVICE)

    workshop.write(SYSTEM, task)
    return workshop


def new_card(workshop, by=ANA, content=None, **about):
    """A new card that may have any status."""
    name = f"life-{next(NUMBERS)}"
    workshop.write(by, lambda work: use_cases.create_card(work, name=name, content=content or FULL, **about))
    return CardRef(name)


def write(workshop, card, text, by=ANA, **where):
    """Write a comment."""
    return workshop.write(by, lambda work: comments.write_comment(work, card, text=text, **where))


def inbox_of(workshop, who):
    """What stands in the inbox of somebody."""
    return workshop.read(who, lambda work: inbox.list_inbox(work, page=PAGE)).items


def move(workshop, card, status, by=BEN):
    """Move a card to a status."""
    return workshop.write(by, lambda work: use_cases.change_status(work, card, status=CardStatus(status)))


def events_of(workshop, name):
    """The names of what happened to something, the first first."""
    return [each.name for each in workshop.database.read(lambda c: event_log.read(c, subjects=[name]))][::-1]
