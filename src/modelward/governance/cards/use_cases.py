"""What one can do with model cards: create, edit, move through statuses. Reading them is in reading.py."""

from modelward.governance.access.entities import SYSTEM
from modelward.governance.access.permissions import Permission, require
from modelward.governance.cards import keeping, prefill, rules, store, templates, templating
from modelward.governance.cards.binding import add_evaluation as add_evaluation
from modelward.governance.cards.entities import Card, CardStatus, Content
from modelward.governance.cards.evidence import Bound
from modelward.governance.cards.keeping import CardChanged as CardChanged
from modelward.governance.cards.prefill import RegisteredVersion
from modelward.governance.cards.reading import difference as difference
from modelward.governance.cards.reading import find_card_of as find_card_of
from modelward.governance.cards.reading import get_card as get_card
from modelward.governance.cards.reading import get_full_card as get_full_card
from modelward.governance.cards.reading import get_version as get_version
from modelward.governance.cards.reading import list_authors as list_authors
from modelward.governance.cards.reading import list_cards as list_cards
from modelward.governance.cards.reading import list_versions as list_versions
from modelward.kernel.errors import Conflict, Invalid, NotAllowed
from modelward.kernel.refs import CardRef, ModelRef, VersionRef, checked_name
from modelward.storage.work import Work

STALE_TOLD_MAX = 5


class CardExists(Conflict):
    """A card of this name, or another card of this version, exists already."""


class CardEvidenceOutdated(Conflict):
    """What the card rests on is out of date."""


def create_card(
    work: Work,
    *,
    name: str,
    content: Content | None = None,
    model: ModelRef | None = None,
    version: VersionRef | None = None,
    note: str = "",
    origins: dict[str, str] | None = None,
    bindings: dict[str, Bound] | None = None,
    owner: str = "",
) -> Card:
    """Create a card as a draft with its first content, for a model, a version of one, or neither.

    ``owner`` is who answers for it; whoever creates it when left out.

    Raises:
        CardExists: the name is taken, or the version or model has a card that is not archived.
        CardSubjectTaken: another card's content is about the same model or package.
        Invalid: the content breaks the schema; the message names path, value and rule.
    """
    require(work, Permission.CARD_WRITE, on=name)
    ref = CardRef(checked_name(name))
    content = content or {}
    rules.check_content(content, work.card_characters_max)
    rules.check_note(note)
    if version is not None and model not in (None, version.model):
        raise Invalid(f"{version} is not a version of {model}.", field="version")
    if store.find_card(work, ref):
        raise CardExists(f"A card named {ref} exists already.", field="name")
    other = store.find_card_of(work, version) if version else None
    if other and other.status is not CardStatus.ARCHIVED:
        raise CardExists(f"{version} has the card {other.name} already.", field="version", hint="Edit that one.")
    other = store.find_card_of_model(work, model) if model and not version else None
    if other:
        raise CardExists(f"{model} has the card {other.name} already.", field="model", hint="Edit that one.")
    card, first = rules.new_card(
        ref,
        content,
        model=version.model if version else model,
        version=version,
        at=work.now,
        by=work.actor.id,
        note=note,
        origins=origins or {},
        bindings=bindings,
        owner=owner,
    )
    return keeping.keep_new(work, card, first)


def draft_card(work: Work, registered: RegisteredVersion) -> Card | None:
    """Draft the card of a version just registered: filled from what was registered, and where an earlier version has
    a card, with what the template carries over from that. None when the version has a card already.
    """
    require(work, Permission.CARD_WRITE, on=registered.ref)
    if store.find_card_of(work, registered.ref):
        return None
    content, origins = prefill.prefill(registered)
    earlier = store.find_card_before(work, registered.ref)
    note = f"Drafted when {registered.ref} was registered."
    if earlier:
        paths = templating.in_force(work).template.carry_over
        before = store.get_version(work, earlier.name, earlier.number)
        content, origins, sections = prefill.carry_over(content, origins, before, paths=paths)
        note += f" {sections} come from {earlier.name}." if sections else ""
    name = prefill.free_name(registered.ref, is_taken=lambda each: store.find_card(work, each) is not None)
    return create_card(
        work,
        name=name,
        content=content,
        version=registered.ref,
        note=note,
        origins=origins,
        owner=registered.created_by,
    )


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
        FieldBound: the edit touches a field that is bound to evidence.
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
    return keeping.keep_content(work, card, current, wanted, note=note, origins={})


def change_status(
    work: Work, name: CardRef, *, status: CardStatus, reason: str = "", expected: int | None = None
) -> Card:
    """Move a card to another status; its content stays. ``expected`` is the number of the version that was read.

    Raises:
        CardChanged: the card has a newer version than the expected one.
        CardArchived: the card is archived, which is final.
        CardIncomplete: the card lacks what the template asks for; the message lists the paths.
        CardEvidenceOutdated: it would be approved on stale evidence.
        NotAllowed: the actor wrote the content that would be approved, or lacks the permission.
    """
    require(work, Permission.CARD_WRITE, on=name)
    if status is CardStatus.APPROVED:
        require(work, Permission.CARD_APPROVE, on=name)
    card = get_card(work, name)
    rules.check_note(reason, field="reason")
    rules.check_status_move(card, status)
    if expected is not None and expected != card.number:
        raise CardChanged(
            f"{name} has version {card.number} by now; you read version {expected}.",
            field="number",
            hint="Read what changed, then decide again.",
        )
    if status is CardStatus.APPROVED:
        # What Modelward added on top (an evaluation) does not make somebody else the author of the text below.
        author = store.find_last_author(work, name, other_than=SYSTEM.id)
        if author == work.actor.id:
            raise NotAllowed(
                f"{author} wrote what {name} says, so somebody else must approve it.",
                hint="Ask a second person with the permission card.approve.",
            )
    _check_complete(work, card, status)
    return keeping.keep_status(work, card, status, reason=reason)


def _check_complete(work: Work, card: Card, status: CardStatus) -> None:
    """What the template asks for must be there; and nobody approves on evidence that is out of date."""
    current = store.get_version(work, card.name, card.number)
    templates.check_advance(templating.in_force(work).template, card, current, status)
    stale = keeping.stale_of(work, current) if status is CardStatus.APPROVED else {}
    if stale:
        told = " ".join(f"{path}: {reason}" for path, reason in list(stale.items())[:STALE_TOLD_MAX])
        raise CardEvidenceOutdated(
            f"{card.name} cannot be approved, for what it rests on is out of date. {told}",
            field=next(iter(stale)),
            hint="Refresh the field from newer evidence, or unbind it.",
        )
