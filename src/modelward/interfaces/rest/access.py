"""People, tokens and oneself over REST."""

import msgspec

from modelward.governance.access import use_cases
from modelward.governance.access.entities import NewToken, Person, Token
from modelward.governance.access.permissions import Permission, Persona
from modelward.interfaces.rest.operations import Operations
from modelward.kernel.actors import ActorKind
from modelward.storage.work import Work

access = Operations("access")


class AddPerson(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person or service to give access."""

    id: str
    name: str = ""
    persona: Persona
    kind: ActorKind = ActorKind.PERSON


class ChangePersona(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The new persona of a person."""

    persona: Persona


class MakeToken(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the token is for, and how long it is valid."""

    label: str = ""
    days_valid: int | None = None


class Self(msgspec.Struct, frozen=True, kw_only=True):
    """The one who asks."""

    id: str
    name: str
    kind: ActorKind
    permissions: list[str]


@access.operation("GET", "/self", permission=Permission.SELF_READ)
def who_am_i(work: Work) -> Self:
    """Tell who one is and what one may do."""
    actor = work.actor
    return Self(id=actor.id, name=actor.name, kind=actor.kind, permissions=sorted(actor.permissions))


@access.operation("POST", "/people", permission=Permission.ACCESS_MANAGE, status=201)
def add_person(work: Work, body: AddPerson) -> Person:
    """Give a person or service access."""
    return use_cases.add_person(work, id=body.id, name=body.name, persona=body.persona, kind=body.kind)


@access.operation("GET", "/people", permission=Permission.ACCESS_MANAGE)
def list_people(work: Work) -> list[Person]:
    """List everybody who has or had access."""
    return use_cases.list_people(work)


@access.operation("PUT", "/people/{person}/persona", permission=Permission.ACCESS_MANAGE)
def change_persona(work: Work, person: str, body: ChangePersona) -> Person:
    """Give a person another persona."""
    return use_cases.change_persona(work, id=person, persona=body.persona)


@access.operation("POST", "/people/{person}/disable", permission=Permission.ACCESS_MANAGE)
def disable_person(work: Work, person: str) -> Person:
    """End all access of a person at once."""
    return use_cases.disable_person(work, id=person)


@access.operation("POST", "/people/{person}/tokens", permission=Permission.SELF_READ, status=201, secret=True)
def make_token(work: Work, person: str, body: MakeToken) -> NewToken:
    """Make a token; its secret is in this answer and never shown again."""
    return use_cases.make_token(work, person=person, label=body.label, days_valid=body.days_valid)


@access.operation("GET", "/people/{person}/tokens", permission=Permission.SELF_READ)
def list_tokens(work: Work, person: str) -> list[Token]:
    """List the tokens of a person, without their secrets."""
    return use_cases.list_tokens(work, person=person)


@access.operation("POST", "/tokens/{token}/revoke", permission=Permission.SELF_READ)
def revoke_token(work: Work, token: str) -> Token:
    """End a token and the sessions that began with it."""
    return use_cases.revoke_token(work, id=token)
