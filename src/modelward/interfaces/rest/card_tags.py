"""Tags of cards over REST. Models and versions carry theirs themselves."""

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.governance.cards import use_cases as cards
from modelward.governance.tags import use_cases as tags
from modelward.interfaces.rest.operations import Operations
from modelward.kernel.refs import CardRef
from modelward.storage.work import Work

card_tags = Operations("cards")


class ChangeTags(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Tags to put on a card, and keys to take off."""

    put: dict[str, str] = {}
    remove: list[str] = []


class CardTags(msgspec.Struct, frozen=True, kw_only=True):
    """The tags of a card, by key."""

    tags: dict[str, str]


@card_tags.operation("GET", "/cards/{card}/tags", permission=Permission.CARD_READ)
def list_card_tags(work: Work, card: CardRef) -> CardTags:
    """List the tags of a card."""
    found = cards.get_card(work, card)
    return CardTags(tags=tags.list_tags(work, f"card/{found.name}", permission=Permission.CARD_READ))


@card_tags.operation("PATCH", "/cards/{card}/tags", permission=Permission.CARD_WRITE)
def change_card_tags(work: Work, card: CardRef, body: ChangeTags) -> CardTags:
    """Put tags on a card and take some off."""
    thing = f"card/{cards.get_card(work, card).name}"
    if body.remove:
        tags.take_tags_off(work, thing, body.remove, permission=Permission.CARD_WRITE)
    return CardTags(tags=tags.put_tags(work, thing, body.put, permission=Permission.CARD_WRITE))
