"""Who is asking: from a bearer token or a session cookie to an actor. Answers are remembered for a moment."""

import time
from typing import NamedTuple

from modelward.governance.access import use_cases
from modelward.governance.access.store import secret_hash
from modelward.kernel.actors import NOBODY, Actor
from modelward.kernel.events import Event
from modelward.storage.work import Workshop

REMEMBERED_SECONDS = 1.0
REMEMBERED_MAX = 10_000
# After one of these the memory is emptied, so that in one process a change of access counts at once.
ACCESS_EVENTS = frozenset({"PersonDisabled", "PersonaChanged", "TokenRevoked", "SignedOut"})


class _Remembered(NamedTuple):
    actor: Actor
    until: float


class Identity:
    """Finds the actor behind a secret. A revoked one is refused at once here, and within a second in other processes."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._memory: dict[str, _Remembered] = {}
        self._changes = 0

    def by_token(self, secret: str) -> Actor:
        """The actor of a bearer token; NOBODY when it opens nothing."""
        return self._find("token", secret)

    def by_session(self, secret: str) -> Actor:
        """The actor of a session cookie; NOBODY when it opens nothing."""
        return self._find("session", secret)

    def forget(self, events: list[Event]) -> None:
        """Empty the memory when access has changed."""
        if any(event.name in ACCESS_EVENTS for event in events):
            # Counted first: a read that began before it must not be remembered after it.
            self._changes += 1
            self._memory.clear()

    def _find(self, kind: str, secret: str) -> Actor:
        key = kind + secret_hash(secret)
        known = self._memory.get(key)
        if known and known.until > time.monotonic():
            return known.actor
        changes = self._changes
        ask = use_cases.who_has_token if kind == "token" else use_cases.who_has_session
        actor = self._workshop.read(NOBODY, lambda work: ask(work, secret=secret)) or NOBODY
        if len(self._memory) >= REMEMBERED_MAX:
            self._memory.clear()
        found = self._memory[key] = _Remembered(actor, time.monotonic() + REMEMBERED_SECONDS)
        if changes != self._changes and self._memory.get(key) is found:
            # Access changed since the read began, so what was read may be out of date: this once it counts, no longer.
            del self._memory[key]
        return actor
