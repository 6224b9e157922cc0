"""Key pairs, by which programs sign requests as AWS clients do: one's own, and everybody's for who manages access."""

import msgspec

from modelward.governance.access import key_pairs
from modelward.governance.access.entities import KeyPair, NewKeyPair
from modelward.governance.access.permissions import Permission
from modelward.governance.access.use_cases import list_people
from modelward.interfaces.web.views import Redirect, Shown, Views, show
from modelward.kernel.errors import ModelwardError
from modelward.storage.work import Work

views = Views()


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Whose pairs are to be shown (empty: everybody's that one may see), and what was just done."""

    person: str = ""
    done: str = ""


class NewPair(msgspec.Struct, frozen=True, kw_only=True):
    """Whose a pair is to be (empty: one's own), what it is for, and how long it is valid."""

    person: str = ""
    label: str = ""
    days_valid: int | None = None


@views.page("GET", "/keys", permission=Permission.SELF_READ)
def show_key_pairs(work: Work, query: Asked) -> Shown:
    """The key pairs that one may see, and the form to make one."""
    return _keys(work, person=query.person, done=query.done)


def keys_again(work: Work, form: dict[str, str], problem: ModelwardError) -> Shown:
    """The list with the refused form."""
    return _keys(work, form=form, problem=problem)


@views.page("POST", "/keys", permission=Permission.SELF_READ, again=keys_again)
def make_key_pair(work: Work, form: NewPair) -> Shown:
    """Make a key pair and show its secret, this once."""
    made = key_pairs.make_key_pair(
        work, person=form.person or work.actor.id, label=form.label.strip(), days_valid=form.days_valid
    )
    return _keys(work, made=made)


@views.page("POST", "/keys/{key}/revoke", permission=Permission.SELF_READ)
def revoke_key_pair(work: Work, key: str) -> Redirect:
    """End a key pair at once."""
    key_pairs.revoke_key_pair(work, id=key)
    return Redirect(to="/keys?done=key-revoked")


def _keys(
    work: Work,
    *,
    person: str = "",
    done: str = "",
    form: dict[str, str] | None = None,
    problem: ModelwardError | None = None,
    made: NewKeyPair | None = None,
) -> Shown:
    manages = Permission.ACCESS_MANAGE in work.actor.permissions
    people = list_people(work) if manages else []
    found: list[KeyPair]
    if person or not manages:
        found = key_pairs.list_key_pairs(work, person=person or work.actor.id)
    else:
        found = key_pairs.list_every_key_pair(work)
    return show(
        "keys.html",
        pairs=found,
        person=person,
        manages=manages,
        holders=[each for each in people if each.disabled_at is None],
        names={each.id: each.name for each in people} | {work.actor.id: work.actor.name},
        done=done,
        form=form or {},
        problem=problem,
        made=made,
    )
