"""What one can do with model cards: create, edit, move through statuses, read any version, compare."""

from datetime import datetime

from msgspec.structs import asdict, replace

from modelward.governance.access.entities import SYSTEM
from modelward.governance.access.permissions import Permission, require
from modelward.governance.cards import prefill, rules, store
from modelward.governance.cards.entities import (
    Card,
    CardCreated,
    CardEdited,
    CardStatus,
    CardStatusChanged,
    CardVersion,
    CardVersionEntry,
    Change,
    Content,
    EvaluationEntry,
    FullCard,
    RiskRating,
)
from modelward.governance.cards.prefill import RegisteredVersion
from modelward.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from modelward.kernel.pages import Page, PageRequest
from modelward.kernel.refs import CardRef, ModelRef, VersionRef, checked_name
from modelward.storage.work import Work


class CardExists(Conflict):
    """A card of this name, or another card of this version, exists already."""


class CardChanged(Conflict):
    """The card was changed by somebody else in the meantime."""


def create_card(
    work: Work,
    *,
    name: str,
    content: Content | None = None,
    model: ModelRef | None = None,
    version: VersionRef | None = None,
    note: str = "",
    origins: dict[str, str] | None = None,
) -> Card:
    """Create a card as a draft with its first content, for a model, a version of one, or neither.

    Raises:
        CardExists: the name is taken, or the version has a card that is not archived.
        Invalid: the content breaks the schema; the message names path, value and rule.
    """
    require(work, Permission.CARD_WRITE, on=name)
    ref = CardRef(checked_name(name))
    content = content or {}
    rules.check_content(content)
    rules.check_note(note)
    if version is not None and model not in (None, version.model):
        raise Invalid(f"{version} is not a version of {model}.", field="version")
    if store.find_card(work, ref):
        raise CardExists(f"A card named {ref} exists already.", field="name")
    other = store.find_card_of(work, version) if version else None
    if other and other.status is not CardStatus.ARCHIVED:
        raise CardExists(f"{version} has the card {other.name} already.", field="version", hint="Edit that one.")
    card, first = rules.new_card(
        ref,
        content,
        model=version.model if version else model,
        version=version,
        at=work.now,
        by=work.actor.id,
        note=note,
        origins=origins or {},
    )
    store.add_card(work, card)
    store.add_version(work, first)
    work.record(CardCreated(card=ref, model=card.model, version=version, digest=card.digest))
    return card


def draft_card(work: Work, registered: RegisteredVersion) -> Card | None:
    """Draft the card of a version just registered: filled from what was registered, and where an earlier version has
    a card, with its business details and intended uses. None when the version has a card already.
    """
    require(work, Permission.CARD_WRITE, on=registered.ref)
    if store.find_card_of(work, registered.ref):
        return None
    content, origins = prefill.prefill(registered)
    earlier = store.find_card_before(work, registered.ref)
    note = f"Drafted when {registered.ref} was registered."
    if earlier:
        content, origins = prefill.carry_over(content, origins, store.get_version(work, earlier.name, earlier.number))
        note += f" Business details and intended uses come from {earlier.name}."
    name = prefill.free_name(registered.ref, is_taken=lambda each: store.find_card(work, each) is not None)
    return create_card(work, name=name, content=content, version=registered.ref, note=note, origins=origins)


def edit_card(
    work: Work,
    name: CardRef,
    *,
    content: Content | None = None,
    patch: Content | None = None,
    note: str = "",
    expected: int | None = None,
) -> Card:
    """Give a card a new content, whole or as a JSON merge patch; equal content makes no version.

    An approved card goes back to draft. ``expected`` is the number of the version that the editor saw.

    Raises:
        CardArchived: the card is archived, which is final.
        CardChanged: the card has a newer version than the expected one.
        Invalid: not exactly one of content and patch is given, or the content breaks the schema.
    """
    require(work, Permission.CARD_WRITE, on=name)
    card = get_card(work, name)
    if (content is None) == (patch is None):
        raise Invalid("Give either the whole content or a patch, one of them.", field="content")
    if expected is not None and expected != card.number:
        raise CardChanged(
            f"{name} has version {card.number} by now; you edited version {expected}.",
            field="number",
            hint="Look at the difference, then edit again.",
        )
    current = store.get_version(work, name, card.number)
    wanted = content if content is not None else rules.merged(current.content, patch or {})
    return _keep_content(work, card, current, wanted, note=note, origins={})


def _keep_content(
    work: Work, card: Card, current: CardVersion, wanted: Content, *, note: str, origins: dict[str, str]
) -> Card:
    rules.check_content(wanted)
    rules.check_note(note)
    rules.check_editable(card)
    changes = rules.difference(current.content, wanted)
    if not changes:
        return card
    edited, version = rules.edited(card, current, wanted, changes, at=work.now, by=work.actor.id, note=note)
    version = replace(version, origins={**version.origins, **origins})
    store.add_version(work, version)
    store.put_card(work, edited)
    paths = [each.path for each in changes]
    work.record(
        CardEdited(
            card=card.name,
            version=card.version,
            number=edited.number,
            digest=edited.digest,
            changed=paths[: rules.CHANGED_PATHS_MAX],
            note=note,
        )
    )
    if edited.status is not card.status:
        _record_status(work, card, edited, reason="Its content was edited.")
    return edited


def add_evaluation(work: Work, version: VersionRef, entry: EvaluationEntry) -> Card | None:
    """Tell of a finished evaluation in the card of its version, while that is a draft; else None."""
    require(work, Permission.CARD_WRITE, on=version)
    card = store.find_card_of(work, version)
    if card is None or card.status is not CardStatus.DRAFT:
        return None
    current = store.get_version(work, card.name, card.number)
    content, path = prefill.with_evaluation(current.content, entry)
    note = f"The {entry.kind} evaluation {entry.evaluation} finished."
    return _keep_content(work, card, current, content, note=note, origins={path: f"evaluation {entry.evaluation}"})


def change_status(work: Work, name: CardRef, *, status: CardStatus, reason: str = "") -> Card:
    """Move a card to another status; its content stays.

    Raises:
        CardArchived: the card is archived, which is final.
        NotAllowed: the actor wrote the content that would be approved, or lacks the permission.
    """
    require(work, Permission.CARD_WRITE, on=name)
    if status is CardStatus.APPROVED:
        require(work, Permission.CARD_APPROVE, on=name)
    card = get_card(work, name)
    rules.check_note(reason, field="reason")
    rules.check_status_move(card, status)
    if status is CardStatus.APPROVED:
        # What Modelward added on top (an evaluation) does not make somebody else the author of the text below.
        author = store.find_last_author(work, name, other_than=SYSTEM.id)
        if author == work.actor.id:
            raise NotAllowed(
                f"{author} wrote what {name} says, so somebody else must approve it.",
                hint="Ask a second person with the permission card.approve.",
            )
    changed = replace(card, status=status, modified_at=work.now, modified_by=work.actor.id)
    store.put_card(work, changed)
    _record_status(work, card, changed, reason=reason)
    return changed


def _record_status(work: Work, before: Card, after: Card, *, reason: str) -> None:
    work.record(
        CardStatusChanged(
            card=after.name,
            version=after.version,
            number=after.number,
            before=before.status,
            after=after.status,
            reason=reason,
        )
    )


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
    """A card with its current content, origins and completeness."""
    card = get_card(work, name)
    current = store.get_version(work, name, card.number)
    return FullCard(
        **asdict(card),
        content=current.content,
        origins=current.origins,
        completeness=rules.completeness(current.content),
    )


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
) -> Page[Card]:
    """Cards in the order of their names; by text in the name, status, risk rating and model."""
    require(work, Permission.CARD_READ)
    return store.list_cards(work, page=page, text=text, status=status, risk_rating=risk_rating, model=model)


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
    """The versions of a card, the newest first, without their contents."""
    get_card(work, name)
    return store.list_versions(work, name, page=page)


def list_authors(work: Work, name: CardRef) -> list[str]:
    """Everybody who wrote a version of the card, in the order of the alphabet; Modelward itself is not counted."""
    get_card(work, name)
    return [author for author in store.list_authors(work, name) if author != SYSTEM.id]


def difference(work: Work, name: CardRef, *, before: int, after: int | None = None) -> list[Change]:
    """What changed between two versions of a card; without ``after``, up to the current one."""
    older = get_version(work, name, number=before)
    newer = get_version(work, name, number=after)
    return rules.difference(older.content, newer.content)
