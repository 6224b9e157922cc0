"""People and services, their tokens and sessions, and what happens to them."""

from datetime import datetime

import msgspec

from modelward.governance.access.permissions import EVERYBODY, PERSONAS, Persona
from modelward.kernel.actors import Actor, ActorKind
from modelward.kernel.events import Happening

SYSTEM = Actor(
    id="modelward",
    name="Modelward",
    kind=ActorKind.SYSTEM,
    permissions=frozenset(each.value for each in PERSONAS[Persona.OWNER]),
)


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A person or a service that can act. The id is never used again for somebody else."""

    id: str
    name: str
    kind: ActorKind
    persona: Persona
    created_at: datetime
    disabled_at: datetime | None = None

    def actor(self, *, key_made_by: str = "") -> Actor:
        """This person as one who acts, with the permissions of the persona (none when disabled)."""
        allowed = PERSONAS[self.persona] | EVERYBODY if self.disabled_at is None else frozenset()
        permissions = frozenset(each.value for each in allowed)
        return Actor(id=self.id, name=self.name, kind=self.kind, permissions=permissions, key_made_by=key_made_by)


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A key of a person. The secret itself is shown once and kept only as a hash."""

    id: str
    person: str
    label: str
    made_by: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


class NewToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token just made, with its secret: the only time it is shown."""

    token: Token
    secret: str


class KeyPair(msgspec.Struct, frozen=True, kw_only=True):
    """A key by which a person's programs sign requests instead of sending a token. Its secret is not stored anywhere.

    ``mark`` tells whether the secret made for it today is the one made when the pair was; ``used_at`` when it last signed
    something, to within some minutes.
    """

    id: str
    person: str
    label: str
    made_by: str
    mark: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    used_at: datetime | None = None


class NewKeyPair(msgspec.Struct, frozen=True, kw_only=True):
    """A key pair just made, with its secret: the only time it is shown."""

    key: KeyPair
    secret: str


class PersonAdded(Happening, frozen=True, kw_only=True):
    """A person or service was given access."""

    person: str
    persona: Persona


class PersonDisabled(Happening, frozen=True, kw_only=True):
    """A person or service lost all access; tokens and sessions ended."""

    person: str


class PersonaChanged(Happening, frozen=True, kw_only=True):
    """A person or service was given another persona."""

    person: str
    before: Persona
    after: Persona


class TokenMade(Happening, frozen=True, kw_only=True):
    """A token was made for a person or service."""

    person: str
    token: str
    label: str


class TokenRevoked(Happening, frozen=True, kw_only=True):
    """A token was revoked and no longer opens anything."""

    person: str
    token: str


class KeyPairMade(Happening, frozen=True, kw_only=True):
    """A key pair, which signs requests, was made for a person or service."""

    person: str
    key: str
    label: str


class KeyPairRevoked(Happening, frozen=True, kw_only=True):
    """A key pair was revoked and signs nothing any more."""

    person: str
    key: str


class SignedIn(Happening, frozen=True, kw_only=True):
    """A person signed in to the pages."""

    person: str


class SignedOut(Happening, frozen=True, kw_only=True):
    """A person signed out of the pages."""

    person: str
