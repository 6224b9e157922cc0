"""All that a document tells of a card, gathered before anything is drawn. Frozen; no I/O."""

from datetime import datetime

import msgspec

from modelward.governance.cards.entities import Content
from modelward.kernel.refs import CardRef, Digest, ModelRef, VersionRef


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """Who put their name to something, when, and what that means."""

    by: str
    at: datetime
    meaning: str
    note: str = ""


class BoundEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """A field whose value is read from evidence: where from, since when, and whether it still holds."""

    path: str
    source: str
    digest: str = ""
    at: datetime | None = None
    value: str = ""
    state: str = ""


class Control(msgspec.Struct, frozen=True, kw_only=True):
    """What a card says to one control of a pack: covered, open or not applicable, and where."""

    clause: str
    title: str
    result: str
    told: str = ""


class ControlPack(msgspec.Struct, frozen=True, kw_only=True):
    """A pack of controls in its own order. ``source`` is the rule that it follows."""

    name: str
    source: str = ""
    controls: list[Control]


class CardFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a card, and what is known of it. ``link`` is the live record; empty where there is none.

    ``current`` is the number of the card's newest version.
    """

    name: CardRef
    model: ModelRef | None
    version: VersionRef | None
    status: str
    number: int
    current: int
    digest: Digest
    content: Content
    origins: dict[str, str]
    at: datetime
    by: str
    note: str
    risk_rating: str
    complete_share: float
    missing: list[str]
    signatures: list[Signature] = []
    evidence: list[BoundEvidence] = []
    pack: ControlPack | None = None
    link: str = ""

    @property
    def as_of(self) -> datetime:
        """The newest moment that these facts tell of; ages are counted up to it, so equal facts give equal bytes."""
        known = [each.at for each in self.evidence if each.at is not None]
        return max([self.at, *(each.at for each in self.signatures), *known])
