"""What one can do with key pairs: make, list, revoke; and finding who signed a request."""

import hashlib
import hmac
import secrets
from datetime import timedelta

from msgspec.structs import replace

from modelward.governance.access import key_store, store
from modelward.governance.access.entities import KeyPair, KeyPairMade, KeyPairRevoked, NewKeyPair
from modelward.governance.access.permissions import Permission, require
from modelward.governance.access.use_cases import TOKEN_DAYS_MAX
from modelward.kernel.actors import Actor
from modelward.kernel.errors import Invalid, NotFound, Unavailable
from modelward.storage.keyring import Keyring
from modelward.storage.work import Work

ID_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
ID_BEGINS = "AKMW"
ID_DRAWN = 16


def make_key_pair(work: Work, *, person: str, label: str = "", days_valid: int | None = None) -> NewKeyPair:
    """Make a key pair for oneself, or as a manager of access for anybody. The secret is returned once.

    Raises:
        Invalid: ``days_valid`` is out of range.
        NotFound: there is no such person or service.
    """
    require(work, Permission.SELF_READ if person == work.actor.id else Permission.ACCESS_MANAGE, on=person)
    holder = store.find_person(work, person)
    if holder is None or holder.disabled_at is not None:
        raise NotFound(f"There is no person or service {person} with access.", field="person")
    if days_valid is not None and not 1 <= days_valid <= TOKEN_DAYS_MAX:
        raise Invalid(
            f"days_valid is {days_valid}; it must be from 1 to {TOKEN_DAYS_MAX}, or left out for no end.",
            field="days_valid",
        )
    id = ID_BEGINS + "".join(secrets.choice(ID_LETTERS) for _ in range(ID_DRAWN))
    secret = _keyring(work).secret_of(id)
    new = KeyPair(
        id=id,
        person=person,
        label=label,
        made_by=work.actor.id,
        mark=_mark(secret),
        created_at=work.now,
        expires_at=work.now + timedelta(days=days_valid) if days_valid else None,
    )
    key_store.add_key_pair(work, new)
    work.record(KeyPairMade(person=person, key=id, label=label))
    return NewKeyPair(key=new, secret=secret)


def list_key_pairs(work: Work, *, person: str) -> list[KeyPair]:
    """The key pairs of a person: one's own, or anybody's for a manager of access."""
    require(work, Permission.SELF_READ if person == work.actor.id else Permission.ACCESS_MANAGE, on=person)
    return key_store.list_key_pairs(work, person)


def list_every_key_pair(work: Work) -> list[KeyPair]:
    """The key pairs of everybody, for a manager of access."""
    require(work, Permission.ACCESS_MANAGE)
    return key_store.list_key_pairs(work, None)


def revoke_key_pair(work: Work, *, id: str) -> KeyPair:
    """End a key pair at once."""
    require(work, Permission.SELF_READ)
    found = key_store.find_key_pair(work, id)
    if found is None or (found.person != work.actor.id and Permission.ACCESS_MANAGE not in work.actor.permissions):
        raise NotFound(f"There is no key pair {id}.", field="key")
    key_store.revoke_key_pair(work, id)
    work.record(KeyPairRevoked(person=found.person, key=id))
    return replace(found, revoked_at=found.revoked_at or work.now)


def who_has_key_pair(work: Work, *, id: str) -> tuple[Actor, str] | None:
    """The actor behind a key pair and the secret that proves it; None when it opens nothing. Asks for no permission.

    Raises:
        Unavailable: the file from which secrets are made is not the one the pair was made with.
    """
    found = key_store.find_key_pair(work, id)
    if found is None or found.revoked_at is not None or (found.expires_at and found.expires_at <= work.now):
        return None
    holder = store.find_person(work, found.person)
    if holder is None or holder.disabled_at is not None:
        return None
    secret = _keyring(work).secret_of(id)
    if not hmac.compare_digest(_mark(secret), found.mark):
        raise Unavailable(
            "The file from which the secrets of key pairs are made has changed since this pair was made.",
            hint="Put the file back, or make a new pair.",
        )
    return holder.actor(key_made_by=found.made_by), secret


def _mark(secret: str) -> str:
    return hashlib.sha256(b"mark\0" + secret.encode()).hexdigest()[:16]


def _keyring(work: Work) -> Keyring:
    if work.keyring is None:
        raise Unavailable("Key pairs cannot be used here: there is no file to make their secrets from.")
    return work.keyring
