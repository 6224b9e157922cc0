"""What one can do with access: add and disable people, make and revoke tokens, sign in and out."""

import secrets
from datetime import timedelta

from msgspec.structs import replace

from modelward.governance.access import store
from modelward.governance.access.entities import (
    NewToken,
    Person,
    PersonaChanged,
    PersonAdded,
    PersonDisabled,
    SignedIn,
    SignedOut,
    Token,
    TokenMade,
    TokenRevoked,
)
from modelward.governance.access.permissions import Permission, Persona, require
from modelward.kernel.actors import Actor, ActorKind
from modelward.kernel.errors import Conflict, Invalid, NotAllowed, NotFound, NotSignedIn
from modelward.kernel.ids import new_id
from modelward.kernel.refs import checked_name
from modelward.storage.work import Work

SESSION_HOURS_MAX = 12
TOKEN_DAYS_MAX = 3650
FIRST_OWNER = "owner"


def add_person(work: Work, *, id: str, name: str = "", persona: Persona, kind: ActorKind = ActorKind.PERSON) -> Person:
    """Give a person or service access, with one persona.

    Raises:
        Conflict: the id is or was somebody's.
    """
    require(work, Permission.ACCESS_MANAGE, on=id)
    checked_name(id, field="id")
    if store.find_person(work, id):
        raise Conflict(f"The id {id} is taken; ids are never used again for somebody else.", field="id")
    if kind is ActorKind.SYSTEM:
        raise NotAllowed("Only Modelward itself is of the kind system.", field="kind")
    new = Person(id=id, name=name or id, kind=kind, persona=persona, created_at=work.now)
    store.add_person(work, new)
    work.record(PersonAdded(person=id, persona=persona))
    return new


def change_persona(work: Work, *, id: str, persona: Persona) -> Person:
    """Give a person another persona; it counts from their next request on."""
    require(work, Permission.ACCESS_MANAGE, on=id)
    found = _person(work, id)
    if id == work.actor.id:
        raise NotAllowed("Nobody changes their own persona.", hint="Ask another owner.")
    changed = replace(found, persona=persona)
    store.put_person(work, changed)
    work.record(PersonaChanged(person=id, before=found.persona, after=persona))
    return changed


def disable_person(work: Work, *, id: str) -> Person:
    """End all access of a person at once; what they did stays on record."""
    require(work, Permission.ACCESS_MANAGE, on=id)
    found = _person(work, id)
    if id == work.actor.id:
        raise NotAllowed("Nobody disables themselves.", hint="Ask another owner.")
    changed = replace(found, disabled_at=found.disabled_at or work.now)
    store.put_person(work, changed)
    store.end_all(work, id)
    work.record(PersonDisabled(person=id))
    return changed


def list_people(work: Work) -> list[Person]:
    """Everybody who has or had access."""
    require(work, Permission.ACCESS_MANAGE)
    return store.list_people(work)


def persona_of(work: Work, *, id: str) -> Persona | None:
    """The persona of a person or service; None for Modelward itself and for those without access."""
    require(work, Permission.SELF_READ)
    found = store.find_person(work, id)
    return found.persona if found and found.disabled_at is None else None


def make_token(work: Work, *, person: str, label: str, days_valid: int | None = None) -> NewToken:
    """Make a token for oneself, or as a manager of access for anybody. The secret is returned once."""
    if person != work.actor.id:
        require(work, Permission.ACCESS_MANAGE, on=person)
    else:
        require(work, Permission.SELF_READ, on=person)
    _person(work, person)
    if days_valid is not None and not 1 <= days_valid <= TOKEN_DAYS_MAX:
        raise Invalid(
            f"days_valid is {days_valid}; it must be from 1 to {TOKEN_DAYS_MAX}, or left out for no end.",
            field="days_valid",
        )
    secret = "mw_" + secrets.token_urlsafe(32)
    return _keep_token(work, person=person, label=label, secret=secret, days_valid=days_valid)


def _keep_token(work: Work, *, person: str, label: str, secret: str, days_valid: int | None = None) -> NewToken:
    expires_at = work.now + timedelta(days=days_valid) if days_valid else None
    new = Token(
        id=new_id("token"),
        person=person,
        label=label,
        made_by=work.actor.id,
        created_at=work.now,
        expires_at=expires_at,
    )
    store.add_token(work, new, secret=secret)
    work.record(TokenMade(person=person, token=new.id, label=label))
    return NewToken(token=new, secret=secret)


def list_tokens(work: Work, *, person: str) -> list[Token]:
    """The tokens of a person: one's own, or anybody's for a manager of access."""
    require(work, Permission.SELF_READ if person == work.actor.id else Permission.ACCESS_MANAGE, on=person)
    return store.list_tokens(work, person)


def revoke_token(work: Work, *, id: str) -> Token:
    """End a token, and the sessions that began with it, at once."""
    require(work, Permission.SELF_READ)
    found = store.find_token(work, id)
    if found is None:
        raise NotFound(f"There is no token {id}.")
    if found.person != work.actor.id:
        require(work, Permission.ACCESS_MANAGE, on=found.person)
    store.revoke_token(work, id)
    work.record(TokenRevoked(person=found.person, token=id))
    return replace(found, revoked_at=found.revoked_at or work.now)


def found_house(work: Work) -> NewToken | None:
    """At the first start make the first owner with a random secret; later do nothing. Runs as Modelward itself."""
    require(work, Permission.ACCESS_MANAGE)
    if store.any_person(work):
        return None
    add_person(work, id=FIRST_OWNER, name="Owner", persona=Persona.OWNER)
    return make_token(work, person=FIRST_OWNER, label="made at the first start")


def who_has_token(work: Work, *, secret: str) -> Actor | None:
    """The actor behind a token, or None. This is how everybody comes in, so it asks for no permission."""
    found = store.person_by_token(work, secret)
    return found[0].actor(key_made_by=found[1].made_by) if found else None


def who_has_session(work: Work, *, secret: str) -> Actor | None:
    """The actor behind a session of the pages, or None. Asks for no permission, as ``who_has_token``."""
    found = store.person_by_session(work, secret)
    return found[0].actor(key_made_by=found[1].made_by) if found else None


def sign_in(work: Work, *, secret: str) -> tuple[str, Person]:
    """Trade a token for a session of the pages; returns the session's secret. Asks for no permission.

    Raises:
        NotSignedIn: the token opens nothing.
    """
    found = store.person_by_token(work, secret)
    if found is None:
        raise NotSignedIn("This token opens nothing: it is unknown, expired or revoked.", field="token")
    holder, key = found
    session_secret = secrets.token_urlsafe(32)
    expires_at = work.now + timedelta(hours=SESSION_HOURS_MAX)
    store.add_session(work, secret=session_secret, person_id=holder.id, token_id=key.id, expires_at=expires_at)
    work.record(SignedIn(person=holder.id))
    return session_secret, holder


def sign_out(work: Work, *, secret: str) -> None:
    """End a session of the pages."""
    require(work, Permission.SELF_READ)
    store.end_session(work, secret)
    work.record(SignedOut(person=work.actor.id))


def _person(work: Work, id: str) -> Person:
    found = store.find_person(work, id)
    if found is None:
        raise NotFound(f"There is no person or service {id}.", field="person")
    return found
