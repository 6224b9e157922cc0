"""Cards over REST: many applied at once, their owners, clones and deletion."""

import msgspec
from msgspec.structs import asdict

from modelward.governance.access.permissions import Permission
from modelward.governance.cards import applying, copying, deletion, owning
from modelward.governance.cards.applying import Applied, WantedCard
from modelward.governance.cards.entities import Card
from modelward.governance.cards.prefill import RegisteredVersion
from modelward.governance.registry import use_cases as registry
from modelward.interfaces.rest.operations import Operations
from modelward.kernel import codec
from modelward.kernel.errors import Invalid
from modelward.kernel.refs import CardRef, ModelRef, VersionRef
from modelward.storage.work import Work

card_life = Operations("cards")
APPLY_BYTES_MAX = 32 << 20


class CloneCard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The card to make: its name, what it is about, and which version of the source it copies (the current one)."""

    name: str
    version: VersionRef | None = None
    model: ModelRef | None = None
    number: int | None = None
    note: str = ""


class AssignOwner(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who looks after the card from now on: the id of a person or service."""

    owner: str


class DeleteCard(msgspec.Struct, frozen=True, kw_only=True):
    """Why the card is deleted."""

    reason: str = ""


class ApplyCards(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Cards as they are wanted. ``dry_run``: only say what would become of them."""

    cards: list[WantedCard]
    dry_run: bool = False


@card_life.operation("POST", "/card-apply", permission=Permission.CARD_WRITE, bytes_max=APPLY_BYTES_MAX)
def apply_cards(work: Work, body: ApplyCards) -> Applied:
    """Bring many cards to what is wanted, all or none; on trial it tells every refusal, and changes nothing."""
    return applying.apply_cards(work, body.cards, dry_run=body.dry_run, check_subject=_registered)


def _registered(work: Work, wanted: WantedCard) -> None:
    if wanted.version is not None:
        registry.get_version(work, wanted.version)
    elif wanted.model is not None:
        registry.get_model(work, wanted.model)


@card_life.operation("POST", "/cards/{card}/clone", permission=Permission.CARD_WRITE, status=201)
def clone_card(work: Work, card: CardRef, body: CloneCard) -> Card:
    """Create a card as a draft with the content of this one; what is true of another version only is left out."""
    if body.version is not None and body.model not in (None, body.version.model):
        raise Invalid(f"{body.version} is not a version of {body.model}.", field="version")
    if body.model is not None:
        registry.get_model(work, body.model)
    return copying.clone_card(
        work,
        card,
        name=body.name,
        registered=registered_version(work, body.version) if body.version else None,
        model=body.model,
        number=body.number,
        note=body.note,
    )


def registered_version(work: Work, ref: VersionRef) -> RegisteredVersion:
    """What the registry knows of a version, as a card takes it."""
    version = registry.get_version(work, ref)
    model = registry.get_model(work, version.model)
    told = {
        **asdict(version.facts),
        "features": [asdict(each) for each in version.facts.features],
        **asdict(version),
        "description": version.description or model.description,
        "owner": model.owner,
    }
    return codec.convert(told, RegisteredVersion)


@card_life.operation("PUT", "/cards/{card}/owner", permission=Permission.CARD_WRITE)
def assign_card_owner(work: Work, card: CardRef, body: AssignOwner) -> Card:
    """Make somebody the owner of a card."""
    return owning.assign_owner(work, card, owner=body.owner)


@card_life.operation("DELETE", "/cards/{card}", permission=Permission.CARD_WRITE)
def delete_card(work: Work, card: CardRef, query: DeleteCard) -> Card:
    """Delete a draft that was never approved, for good; the event log keeps what happened."""
    return deletion.delete_card(work, card, reason=query.reason)
