"""What one can read of model cards: one, many, any version, as of any day, and what changed between two."""

from datetime import datetime

import msgspec
from msgspec.structs import asdict

from modelward.governance.access.entities import SYSTEM
from modelward.governance.access.permissions import Permission, require
from modelward.governance.cards import evidence, evidence_store, listing, rules, store, templates, templating
from modelward.governance.cards.entities import (
    Card,
    CardStatus,
    CardVersion,
    CardVersionEntry,
    Change,
    Completeness,
    FullCard,
    RiskRating,
    StatusEntry,
)
from modelward.governance.cards.evidence import BoundField, Evidence
from modelward.governance.cards.listing import Sort, Wanted
from modelward.kernel.errors import NotFound
from modelward.kernel.pages import PAGE_SIZE_MAX, Page, PageRequest
from modelward.kernel.refs import CardRef, ModelRef, VersionRef
from modelward.storage.work import Work


class CardAsOf(msgspec.Struct, frozen=True, kw_only=True):
    """A card as it stood at a moment: its content and status, judged by the template and the evidence known then."""

    card: CardRef
    at: datetime
    status: CardStatus
    version: CardVersion
    completeness: Completeness
    bindings: list[BoundField]
    evidence: list[Evidence]


class SinceApproval(msgspec.Struct, frozen=True, kw_only=True):
    """What changed since a card was approved last: by path, and what became of the evidence it was approved on."""

    card: CardRef
    approved: int
    approved_at: datetime
    approved_by: str
    reason: str
    current: int
    changes: list[Change]
    evidence: list[str]


def get_card(work: Work, name: CardRef) -> Card:
    """A card by name.

    Raises:
        NotFound: there is none.
    """
    require(work, Permission.CARD_READ, on=name)
    found = store.find_card(work, name)
    if found is None:
        raise NotFound(f"There is no card named {name}.", field="card", hint="List them with `modelward card list`.")
    return found


def get_full_card(work: Work, name: CardRef) -> FullCard:
    """A card with its current content, origins, completeness, bound fields and warnings."""
    card = get_card(work, name)
    current = store.get_version(work, name, card.number)
    bindings = _bindings(work, current)
    if card.status is not CardStatus.ARCHIVED:
        # The row counts what the last sweep found; one card is counted as it stands now.
        stale = sum(each.state == "stale" for each in bindings)
        card = msgspec.structs.replace(card, stale=stale, debt=card.missing + stale)
    return FullCard(
        **asdict(card),
        content=current.content,
        origins=current.origins,
        completeness=_completeness(work, card, current),
        bindings=bindings,
        warnings=rules.warnings(current.content),
    )


def _completeness(work: Work, card: Card, version: CardVersion, at: datetime | None = None) -> Completeness:
    counts = templating.in_force(work, at=at)
    return templates.completeness(counts.template, card, version, digest=counts.digest)


def _bindings(work: Work, version: CardVersion, at: datetime | None = None) -> list[BoundField]:
    newest = evidence_store.newest_of(work, [each.series for each in version.bindings.values()], known_by=at)
    return [
        evidence.read(each, version.content, newest.get(each.series), now=at or work.now)
        for _, each in sorted(version.bindings.items())
    ]


def get_completeness(work: Work, name: CardRef) -> Completeness:
    """What a card lacks by the template in force, and for which status."""
    card = get_card(work, name)
    return _completeness(work, card, store.get_version(work, name, card.number))


def list_bindings(work: Work, name: CardRef, *, number: int | None = None) -> list[BoundField]:
    """The bound fields of a card's version: what they say, from where, how old it is and whether it is stale."""
    return _bindings(work, get_version(work, name, number=number))


def find_card_of(work: Work, version: VersionRef) -> Card | None:
    """The card of a version: the newest that is not archived, else the newest; None when it has none."""
    require(work, Permission.CARD_READ, on=version)
    return store.find_card_of(work, version)


def list_cards(
    work: Work,
    *,
    page: PageRequest,
    text: str = "",
    status: CardStatus | None = None,
    risk_rating: RiskRating | None = None,
    model: ModelRef | None = None,
    owner: str = "",
    modified_after: datetime | None = None,
    modified_before: datetime | None = None,
    debt_min: int | None = None,
    sort: Sort = "name",
) -> Page[Card]:
    """Cards by text anywhere in them, status, risk rating, model, owner, day of the last change and debt."""
    require(work, Permission.CARD_READ)
    wanted = Wanted(
        text=text,
        status=status,
        risk_rating=risk_rating,
        model=model,
        owner=owner,
        modified_after=modified_after,
        modified_before=modified_before,
        debt_min=debt_min,
        sort=sort,
    )
    return listing.list_cards(work, wanted, page=page)


def get_version(work: Work, name: CardRef, *, number: int | None = None, as_of: datetime | None = None) -> CardVersion:
    """A version of a card: by number, as it stood at a moment, or the current one.

    Raises:
        NotFound: there is no such card or version, or the card did not exist yet at that moment.
    """
    card = get_card(work, name)
    if as_of is not None:
        found = store.find_version_at(work, name, as_of)
        told = f"{name} did not exist yet at {as_of.isoformat()}."
    else:
        found = store.find_version(work, name, number if number is not None else card.number)
        told = f"{name} has versions 1 to {card.number}; there is no version {number}."
    if found is None:
        raise NotFound(told, field="number" if as_of is None else "at")
    return found


def list_versions(work: Work, name: CardRef, *, page: PageRequest) -> Page[CardVersionEntry]:
    """The versions of a card, the newest first, without their contents; each with the last status it had."""
    get_card(work, name)
    return store.list_versions(work, name, page=page)


def list_authors(work: Work, name: CardRef) -> list[str]:
    """Everybody who wrote a version of the card, in the order of the alphabet; Modelward itself is not counted."""
    get_card(work, name)
    return [author for author in store.list_authors(work, name) if author != SYSTEM.id]


def list_statuses(work: Work, name: CardRef) -> list[StatusEntry]:
    """Every status that a card had, the oldest first; a new version has an entry of its own."""
    get_card(work, name)
    return store.list_statuses(work, name)


def difference(work: Work, name: CardRef, *, before: int, after: int | None = None) -> list[Change]:
    """What changed between two versions of a card; without ``after``, up to the current one."""
    older = get_version(work, name, number=before)
    newer = get_version(work, name, number=after)
    return rules.difference(older.content, newer.content)


def as_of(work: Work, name: CardRef, at: datetime) -> CardAsOf:
    """A card as it stood at a moment, with its status and the evidence known then.

    Raises:
        NotFound: the card did not exist yet.
    """
    card = get_card(work, name)
    version = get_version(work, name, as_of=at)
    told = store.list_statuses(work, name, until=at)
    status = told[-1].status if told else CardStatus.DRAFT
    then = msgspec.structs.replace(card, status=status, risk_rating=rules.risk_rating_of(version.content))
    known = evidence_store.list_for(work, card, page=PageRequest(limit=PAGE_SIZE_MAX), known_by=at)
    return CardAsOf(
        card=name,
        at=at,
        status=status,
        version=version,
        completeness=_completeness(work, then, version, at),
        bindings=_bindings(work, version, at),
        evidence=known.items,
    )


def since_approval(work: Work, name: CardRef) -> SinceApproval:
    """What changed since the card was approved last.

    Raises:
        NotFound: it never was.
    """
    card = get_card(work, name)
    approvals = [each for each in store.list_statuses(work, name) if each.status is CardStatus.APPROVED]
    if not approvals:
        raise NotFound(f"{name} was never approved.", field="card")
    last = approvals[-1]
    was, is_now = store.get_version(work, name, last.number), store.get_version(work, name, card.number)
    return SinceApproval(
        card=name,
        approved=last.number,
        approved_at=last.at,
        approved_by=last.by,
        reason=last.reason,
        current=card.number,
        changes=rules.difference(was.content, is_now.content),
        evidence=[f"{each.path}: {each.reason}" for each in _bindings(work, was) if each.state == "stale"],
    )
