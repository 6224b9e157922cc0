"""Model cards over REST."""

from datetime import datetime

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.governance.cards import rules, use_cases
from modelward.governance.cards.entities import (
    Card,
    CardStatus,
    CardVersion,
    CardVersionEntry,
    Change,
    Content,
    FullCard,
    RiskRating,
)
from modelward.governance.cards.listing import Sort
from modelward.governance.registry import use_cases as registry
from modelward.interfaces.rest.operations import Operations
from modelward.kernel.clock import in_utc
from modelward.kernel.pages import PAGE_SIZE_DEFAULT, Page, PageRequest
from modelward.kernel.refs import CardRef, ModelRef, VersionRef
from modelward.storage.work import Work

cards = Operations("cards")
# The longest content that a setting may allow, with room for what JSON writes in more than one byte.
CONTENT_BYTES_MAX = 24 << 20


class CreateCard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A card to create, for a version, a model, or neither."""

    name: str
    content: Content = {}
    model: ModelRef | None = None
    version: VersionRef | None = None
    note: str = ""


class EditCard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The new content of a card: the whole, or a JSON merge patch. ``number`` is the version that the editor saw."""

    content: Content | None = None
    patch: Content | None = None
    note: str = ""
    number: int | None = None


class ChangeCardStatus(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The new status of a card, and why. ``number`` is the version that was read; another one is not moved."""

    status: CardStatus
    reason: str = ""
    number: int | None = None


class ListCards(msgspec.Struct, frozen=True, kw_only=True):
    """Which cards to list."""

    text: str = ""
    status: CardStatus | None = None
    risk_rating: RiskRating | None = None
    model: ModelRef | None = None
    owner: str = ""
    modified_after: datetime | None = None
    modified_before: datetime | None = None
    debt_min: int | None = None
    sort: Sort = "name"
    limit: int = PAGE_SIZE_DEFAULT
    cursor: str | None = None


class ListCardVersions(msgspec.Struct, frozen=True, kw_only=True):
    """Which page of a list."""

    limit: int = PAGE_SIZE_DEFAULT
    cursor: str | None = None


class AsOf(msgspec.Struct, frozen=True, kw_only=True):
    """The moment of interest; now when left out."""

    at: datetime | None = None


class Compare(msgspec.Struct, frozen=True, kw_only=True):
    """The two versions to compare; ``after`` is the current one when left out."""

    before: int
    after: int | None = None


@cards.operation("POST", "/cards", permission=Permission.CARD_WRITE, status=201, bytes_max=CONTENT_BYTES_MAX)
def create_card(work: Work, body: CreateCard) -> Card:
    """Create a model card as a draft."""
    if body.version is not None:
        registry.get_version(work, body.version)
    elif body.model is not None:
        registry.get_model(work, body.model)
    return use_cases.create_card(
        work, name=body.name, content=body.content, model=body.model, version=body.version, note=body.note
    )


@cards.operation("GET", "/cards", permission=Permission.CARD_READ)
def list_cards(work: Work, query: ListCards) -> Page[Card]:
    """List cards by text anywhere in them, status, risk rating, model, owner, last change and debt; sorted as asked."""
    return use_cases.list_cards(
        work,
        page=PageRequest(limit=query.limit, cursor=query.cursor),
        text=query.text,
        status=query.status,
        risk_rating=query.risk_rating,
        model=query.model,
        owner=query.owner,
        modified_after=in_utc(query.modified_after) if query.modified_after else None,
        modified_before=in_utc(query.modified_before) if query.modified_before else None,
        debt_min=query.debt_min,
        sort=query.sort,
    )


@cards.operation("GET", "/cards/schema", permission=Permission.CARD_READ)
def get_card_schema(work: Work) -> Content:
    """Get the JSON schema of a card's content."""
    return rules.schema()


@cards.operation("GET", "/cards/{card}", permission=Permission.CARD_READ)
def get_card(work: Work, card: CardRef) -> FullCard:
    """Get a card with its current content, the origins of its fields, and how complete it is."""
    return use_cases.get_full_card(work, card)


@cards.operation("GET", "/cards/{card}/content", permission=Permission.CARD_READ)
def get_card_content(work: Work, card: CardRef, query: AsOf) -> CardVersion:
    """Get the content of a card as it was at a moment."""
    return use_cases.get_version(work, card, as_of=in_utc(query.at) if query.at else None)


@cards.operation("PUT", "/cards/{card}/content", permission=Permission.CARD_WRITE, bytes_max=CONTENT_BYTES_MAX)
def edit_card(work: Work, card: CardRef, body: EditCard) -> Card:
    """Give a card a new content; it becomes a new version. An approved card goes back to draft."""
    return use_cases.edit_card(work, card, content=body.content, patch=body.patch, note=body.note, expected=body.number)


@cards.operation("PUT", "/cards/{card}/status", permission=Permission.CARD_WRITE)
def change_card_status(work: Work, card: CardRef, body: ChangeCardStatus) -> Card:
    """Change the status of a card: approving needs card.approve besides. Archived is final."""
    return use_cases.change_status(work, card, status=body.status, reason=body.reason, expected=body.number)


@cards.operation("GET", "/cards/{card}/versions", permission=Permission.CARD_READ)
def list_card_versions(work: Work, card: CardRef, query: ListCardVersions) -> Page[CardVersionEntry]:
    """List the versions of a card, the newest first."""
    return use_cases.list_versions(work, card, page=PageRequest(limit=query.limit, cursor=query.cursor))


@cards.operation("GET", "/cards/{card}/versions/{number}", permission=Permission.CARD_READ)
def get_card_version(work: Work, card: CardRef, number: int) -> CardVersion:
    """Get a version of a card."""
    return use_cases.get_version(work, card, number=number)


@cards.operation("GET", "/cards/{card}/difference", permission=Permission.CARD_READ)
def compare_card_versions(work: Work, card: CardRef, query: Compare) -> list[Change]:
    """Compare two versions of a card, path by path."""
    return use_cases.difference(work, card, before=query.before, after=query.after)
