"""How a card that was about nothing in the registry comes to be the card of a version: its content names the version."""

import sqlalchemy as sa
from msgspec.structs import replace

from modelward.governance.access.permissions import Permission, require
from modelward.governance.cards import store, use_cases
from modelward.governance.cards.entities import Card, CardStatus
from modelward.kernel.errors import Conflict
from modelward.kernel.events import Happening
from modelward.kernel.refs import CardRef, VersionRef
from modelward.storage.work import Work


class CardLinked(Happening, frozen=True, kw_only=True):
    """A card became the card of a version."""

    card: CardRef
    version: VersionRef


class CardNotLinkable(Conflict):
    """The card is that of another version, or the version has another card."""


def link_card(work: Work, name: CardRef, version: VersionRef) -> Card:
    """Make a card the card of a version that has none.

    Raises:
        CardNotLinkable: the card is that of another model or version, or the version has a card that is not archived.
    """
    require(work, Permission.CARD_WRITE, on=name)
    card = use_cases.get_card(work, name)
    if card.version == version:
        return card
    if card.version is not None or card.model not in (None, version.model):
        raise CardNotLinkable(f"{name} is the card of {card.version or card.model}.", field="version")
    other = store.find_card_of(work, version)
    if other and other.status is not CardStatus.ARCHIVED:
        raise CardNotLinkable(f"{version} has the card {other.name} already.", field="version")
    linked = {"model": version.model, "version": version, "version_number": version.number}
    work.execute(sa.update(store.card).where(store.card.c.name == name).values(linked))
    work.record(CardLinked(card=name, version=version))
    return replace(card, model=version.model, version=version)
