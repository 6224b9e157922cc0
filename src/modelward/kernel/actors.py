"""Who acts: a person, a service or Modelward itself, with what they may do."""

from enum import StrEnum

import msgspec


class ActorKind(StrEnum):
    """What sort of actor it is; only a person can decide a review."""

    PERSON = "person"
    SERVICE = "service"
    SYSTEM = "system"


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """One who acts.

    ``id`` is the person (or service) and never the key that was used, so that four eyes are two people and not two keys.
    ``key_made_by`` is who made the key that was used: whoever can make a key for another can act with it.
    """

    id: str
    name: str
    kind: ActorKind
    permissions: frozenset[str] = frozenset()
    key_made_by: str = ""


NOBODY = Actor(id="nobody", name="nobody", kind=ActorKind.SERVICE)
