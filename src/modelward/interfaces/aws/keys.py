"""Whose key signed a request: from the id of a key pair to its holder and secret. Answers are remembered for a moment."""

import time
from typing import NamedTuple

from modelward.governance.access import key_pairs, key_store
from modelward.governance.access.entities import SYSTEM
from modelward.governance.access.use_cases import FIRST_OWNER
from modelward.kernel.actors import NOBODY, Actor, ActorKind
from modelward.kernel.events import Event
from modelward.storage.work import Workshop

REMEMBERED_SECONDS = 1.0
REMEMBERED_MAX = 10_000
# How exactly the last use of a pair is known.
USE_NOTED_SECONDS = 300.0
KEY_CHARACTERS_MAX = 128
# After one of these the memory is emptied, so that in one process a change of access counts at once.
ACCESS_EVENTS = frozenset({"PersonDisabled", "PersonaChanged", "KeyPairRevoked"})
# Whom a test runs as. It has what Modelward itself has, and the name of the first owner.
TESTER = Actor(id=FIRST_OWNER, name="Owner", kind=ActorKind.PERSON, permissions=SYSTEM.permissions)


class Holder(NamedTuple):
    """Who holds a key pair, and its secret."""

    actor: Actor
    secret: str


class _Remembered(NamedTuple):
    holder: Holder | None
    until: float


class Keys:
    """Finds the holder of a key pair. A revoked pair is refused at once here, within a second in other processes."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._memory: dict[str, _Remembered] = {}
        self._noted: dict[str, float] = {}

    def known(self, id: str) -> _Remembered | None:
        """What is remembered of a key pair; None when one must ask."""
        found = self._memory.get(id)
        return found if found and found.until > time.monotonic() else None

    def find(self, id: str) -> Holder | None:
        """The holder of a key pair; None when it opens nothing."""
        remembered = self.known(id)
        if remembered:
            return remembered.holder
        if not id.isascii() or not id.isalnum() or len(id) > KEY_CHARACTERS_MAX:
            return None
        found = self._workshop.read(NOBODY, lambda work: key_pairs.who_has_key_pair(work, id=id))
        holder = Holder(*found) if found else None
        if len(self._memory) >= REMEMBERED_MAX:
            self._memory.clear()
        self._memory[id] = _Remembered(holder, time.monotonic() + REMEMBERED_SECONDS)
        return holder

    def used(self, id: str) -> None:
        """Keep that a pair signed something, now and then."""
        now = time.monotonic()
        if now < self._noted.get(id, 0.0):
            return
        if len(self._noted) >= REMEMBERED_MAX:
            self._noted.clear()
        self._noted[id] = now + USE_NOTED_SECONDS
        at = self._workshop.clock()
        # Nobody waits for it: what is asked for is more than when.
        self._workshop.database.submit(lambda connection: key_store.note_use(connection, id, now=at))

    def forget(self, events: list[Event]) -> None:
        """Empty the memory when access has changed."""
        if any(event.name in ACCESS_EVENTS for event in events):
            self._memory.clear()
