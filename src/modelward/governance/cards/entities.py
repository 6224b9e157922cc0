"""Model cards, their versions, and what happens to them. Frozen; no I/O."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from modelward.kernel.events import Happening
from modelward.kernel.refs import CardRef, Digest, ModelRef, VersionRef

Content = dict[str, Any]
"""The content of a card: JSON of the published schema (``schema.json``)."""


class CardStatus(StrEnum):
    """How far a card is. Archived is final."""

    DRAFT = "draft"
    PENDING_REVIEW = "pending-review"
    APPROVED = "approved"
    ARCHIVED = "archived"


class RiskRating(StrEnum):
    """How risky the use of the model is, as the card states it."""

    HIGH = "High"
    MEDIUM = "Medium"
    LOW = "Low"
    UNKNOWN = "Unknown"


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A model card. ``number``, ``digest`` and ``risk_rating`` are those of its current content."""

    name: CardRef
    model: ModelRef | None = None
    version: VersionRef | None = None
    status: CardStatus = CardStatus.DRAFT
    number: int = 1
    digest: Digest
    risk_rating: RiskRating = RiskRating.UNKNOWN
    created_at: datetime
    created_by: str
    modified_at: datetime
    modified_by: str


class CardVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One content of a card, never changed afterwards. Numbers have no gaps.

    ``origins`` says, for each field that no person wrote, where it comes from: path -> words.
    """

    card: CardRef
    number: int
    content: Content
    digest: Digest
    origins: dict[str, str] = {}
    at: datetime
    by: str
    note: str = ""


class CardVersionEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A card version in a list: all but its content."""

    card: CardRef
    number: int
    digest: Digest
    at: datetime
    by: str
    note: str = ""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One difference between two contents; None where the path is absent on that side."""

    path: str
    before: Any = None
    after: Any = None


class Completeness(msgspec.Struct, frozen=True, kw_only=True):
    """Which recommended fields are filled: ``share`` in [0, 1], and the paths on either side."""

    share: float
    filled: list[str]
    missing: list[str]


class FullCard(Card, frozen=True, kw_only=True):
    """A card with its current content, where its fields come from, and how complete it is."""

    content: Content
    origins: dict[str, str]
    completeness: Completeness


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """Some named numbers to be drawn as bars."""

    name: str
    labels: list[str]
    values: list[float]


class EvaluationEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A finished evaluation as a card tells of it. ``report`` is the digest of the evidence."""

    evaluation: str
    kind: str
    outcome: str
    reason: str
    report: Digest
    dataset: Digest
    metrics: dict[str, float] = {}
    charts: list[Chart] = []


class CardCreated(Happening, frozen=True, kw_only=True):
    """A model card was created."""

    card: CardRef
    model: ModelRef | None
    version: VersionRef | None
    digest: Digest


class CardEdited(Happening, frozen=True, kw_only=True):
    """The content of a card changed: it has a new version."""

    card: CardRef
    version: VersionRef | None
    number: int
    digest: Digest
    changed: list[str]
    note: str = ""


class CardStatusChanged(Happening, frozen=True, kw_only=True):
    """The status of a card changed; its content did not."""

    card: CardRef
    version: VersionRef | None
    number: int
    before: CardStatus
    after: CardStatus
    reason: str = ""
