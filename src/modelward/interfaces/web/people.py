"""People and services: who has access, with which persona, and their tokens. For owners."""

import msgspec

from modelward.governance.access import use_cases
from modelward.governance.access.permissions import PERSONAS, Permission, Persona
from modelward.interfaces.web.views import Redirect, Shown, Views, show
from modelward.kernel.actors import ActorKind
from modelward.kernel.errors import ModelwardError, NotFound
from modelward.storage.work import Work

views = Views()
KINDS = (ActorKind.PERSON, ActorKind.SERVICE)


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What was just done."""

    done: str = ""


class NewPerson(msgspec.Struct, frozen=True, kw_only=True):
    """A person or service to give access."""

    id: str = ""
    name: str = ""
    persona: Persona
    kind: ActorKind = ActorKind.PERSON


class NewPersona(msgspec.Struct, frozen=True, kw_only=True):
    """The persona that a person is to have."""

    persona: Persona


class NewToken(msgspec.Struct, frozen=True, kw_only=True):
    """What a token is for, and how long it is valid."""

    label: str = ""
    days_valid: int | None = None


@views.page("GET", "/people", permission=Permission.ACCESS_MANAGE)
def list_people(work: Work, query: Done) -> Shown:
    """Everybody who has or had access, and the form to add somebody."""
    return _people(work, done=query.done, form={}, problem=None)


def add_again(work: Work, form: dict[str, str], problem: ModelwardError) -> Shown:
    """The list with the refused form."""
    return _people(work, done="", form=form, problem=problem)


def _people(work: Work, *, done: str, form: dict[str, str], problem: ModelwardError | None) -> Shown:
    people = use_cases.list_people(work)
    return show("people.html", people=people, personas=PERSONAS, kinds=KINDS, done=done, form=form, problem=problem)


@views.page("POST", "/people", permission=Permission.ACCESS_MANAGE, again=add_again)
def add_person(work: Work, form: NewPerson) -> Redirect:
    """Give somebody access."""
    added = use_cases.add_person(work, id=form.id.strip(), name=form.name.strip(), persona=form.persona, kind=form.kind)
    return Redirect(to=f"/people/{added.id}?done=added")


@views.page("GET", "/people/{person}", permission=Permission.ACCESS_MANAGE)
def show_person(work: Work, person: str, query: Done) -> Shown:
    """One person with their tokens."""
    return _person(work, person, done=query.done)


def person_again(work: Work, person: str, form: dict[str, str], problem: ModelwardError) -> Shown:
    """The person with the refusal of what was asked."""
    return _person(work, person, problem=problem)


def _person(
    work: Work, id: str, *, done: str = "", problem: ModelwardError | None = None, made: str = "", label: str = ""
) -> Shown:
    found = next((each for each in use_cases.list_people(work) if each.id == id), None)
    if found is None:
        raise NotFound(f"There is no person or service {id[:80]}.")
    tokens = use_cases.list_tokens(work, person=id)
    return show(
        "person.html",
        person=found,
        tokens=tokens,
        personas=PERSONAS,
        done=done,
        problem=problem,
        made=made,
        label=label,
    )


@views.page("POST", "/people/{person}/tokens", permission=Permission.ACCESS_MANAGE, again=person_again)
def make_token(work: Work, person: str, form: NewToken) -> Shown:
    """Make a token and show its secret, this once."""
    made = use_cases.make_token(work, person=person, label=form.label.strip(), days_valid=form.days_valid)
    return _person(work, person, made=made.secret, label=form.label.strip())


@views.page("POST", "/people/{person}/persona", permission=Permission.ACCESS_MANAGE, again=person_again)
def change_persona(work: Work, person: str, form: NewPersona) -> Redirect:
    """Give a person another persona."""
    use_cases.change_persona(work, id=person, persona=form.persona)
    return Redirect(to=f"/people/{person}?done=persona")


@views.page("POST", "/people/{person}/disable", permission=Permission.ACCESS_MANAGE, again=person_again)
def disable_person(work: Work, person: str) -> Redirect:
    """End all access of a person."""
    use_cases.disable_person(work, id=person)
    return Redirect(to=f"/people/{person}?done=disabled")


@views.page("POST", "/people/{person}/tokens/{token}/revoke", permission=Permission.ACCESS_MANAGE, again=person_again)
def revoke_token(work: Work, person: str, token: str) -> Redirect:
    """End a token."""
    use_cases.revoke_token(work, id=token)
    return Redirect(to=f"/people/{person}?done=revoked")
