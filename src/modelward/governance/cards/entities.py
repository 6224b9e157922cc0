"""Model cards, their versions, and what happens to them. Frozen; no I/O."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from modelward.governance.cards.evidence import Bound, BoundField
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
    """A model card. ``number``, ``digest`` and ``risk_rating`` are those of its current content.

    ``subject`` is what the content itself says the card is about, and ``of_model`` the model whose version that is.
    ``debt`` counts what stands against its approval: required fields that are ``missing`` and bound fields whose evidence is ``stale``.
    """

    name: CardRef
    model: ModelRef | None = None
    version: VersionRef | None = None
    status: CardStatus = CardStatus.DRAFT
    number: int = 1
    digest: Digest
    risk_rating: RiskRating = RiskRating.UNKNOWN
    owner: str = ""
    subject: str | None = None
    of_model: str | None = None
    missing: int = 0
    stale: int = 0
    created_at: datetime
    created_by: str
    modified_at: datetime
    modified_by: str
    debt: int = 0


class CardVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One content of a card, never changed afterwards. Numbers have no gaps.

    ``origins`` says, for each field that no person wrote, where it comes from: path -> words. ``bindings`` says which
    fields hold what a piece of evidence says: path -> binding.
    """

    card: CardRef
    number: int
    content: Content
    digest: Digest
    origins: dict[str, str] = {}
    bindings: dict[str, Bound] = {}
    at: datetime
    by: str
    note: str = ""


class CardVersionEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A card version in a list: all but its content. ``status`` is the last one that the card had with it."""

    card: CardRef
    number: int
    digest: Digest
    at: datetime
    by: str
    note: str = ""
    status: CardStatus = CardStatus.DRAFT


class StatusEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A status that a card had from a moment on, with which version, and why."""

    number: int
    status: CardStatus
    at: datetime
    by: str
    reason: str = ""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One difference between two contents; None where the path is absent on that side."""

    path: str
    before: Any = None
    after: Any = None


class RequiredField(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a card needs for a status: a field by its path, or ``evidence:<kind>``; and how to supply it."""

    path: str
    status: CardStatus
    filled: bool
    how: str


class Completeness(msgspec.Struct, frozen=True, kw_only=True):
    """Which recommended fields are filled (``share`` in [0, 1] and the paths on either side), and what is required.

    ``next_status`` is the one to go to next, and ``blocking`` the paths that stand in its way.
    """

    share: float
    filled: list[str]
    missing: list[str]
    required: list[RequiredField] = []
    next_status: CardStatus | None = None
    blocking: list[str] = []
    template: Digest | None = None


class FullCard(Card, frozen=True, kw_only=True):
    """A card with its current content, where its fields come from, and how complete it is.

    ``warnings`` tell of what is kept but longer than other tools may take.
    """

    content: Content
    origins: dict[str, str]
    completeness: Completeness
    bindings: list[BoundField] = []
    warnings: list[str] = []


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """Some named numbers to be drawn as bars."""

    name: str
    labels: list[str]
    values: list[float]


class Matrix(msgspec.Struct, frozen=True, kw_only=True):
    """Counts by observed class (row) and predicted class (column), both in the order of the labels."""

    name: str
    labels: list[str]
    rows: list[list[float]]


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """Points ``[x, y]`` of a line, and what the axes say."""

    name: str
    x: str
    y: str
    points: list[list[float]]


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
    matrices: list[Matrix] = []
    curves: list[Curve] = []
    finished_at: datetime | None = None
    source: str = ""


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
    """The status of a card changed; its content did not. ``meaning`` is what the one who did it signed by doing so."""

    card: CardRef
    version: VersionRef | None
    number: int
    before: CardStatus
    after: CardStatus
    meaning: str = ""
    reason: str = ""


class CardGroundsChanged(Happening, frozen=True, kw_only=True):
    """What a card stands on changed: fields of it are bound to pieces of evidence that none was bound to before
    (``stands_on``), or no field is bound to a piece any more (``left``).
    """

    card: CardRef
    version: VersionRef | None
    stands_on: list[str]
    left: list[str]


class CardFieldBound(Happening, frozen=True, kw_only=True):
    """A field of a card was bound to a piece of evidence: it holds what that says."""

    card: CardRef
    version: VersionRef | None
    path: str
    evidence: str
    digest: Digest
    measure: str


class CardFieldUnbound(Happening, frozen=True, kw_only=True):
    """A field of a card was let go from its evidence; its value stays."""

    card: CardRef
    version: VersionRef | None
    path: str
    evidence: str


class CardEvidenceStale(Happening, frozen=True, kw_only=True):
    """The evidence that a field of a card is bound to was superseded or is too old."""

    card: CardRef
    version: VersionRef | None
    path: str
    evidence: str
    reason: str


class EvidenceKept(Happening, frozen=True, kw_only=True):
    """A piece of evidence became known to the cards: from now on fields may be bound to it."""

    evidence: str
    kind: str
    series: str
    version: VersionRef | None
    digest: Digest


class CardTemplateAdopted(Happening, frozen=True, kw_only=True):
    """Another template came into force: it says what cards must have for which status."""

    template: Digest
    source: str
    before: Digest | None
    reason: str = ""


class CardDebtCounted(Happening, frozen=True, kw_only=True):
    """What stands against the approval of some cards was counted anew, up to the name given; more may follow."""

    template: Digest
    upto: str
    cards: int
    more: bool


class CardControlStated(Happening, frozen=True, kw_only=True):
    """Somebody said whether a control of a pack applies to a card, and why."""

    card: CardRef
    pack: str
    control: str
    applies: bool
    reason: str
