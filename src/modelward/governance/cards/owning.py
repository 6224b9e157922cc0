"""Who looks after a card."""

from msgspec.structs import replace

from modelward.governance.access.permissions import Permission, require
from modelward.governance.cards import inbox, rules, store, use_cases
from modelward.governance.cards.entities import Card
from modelward.kernel.events import Happening
from modelward.kernel.refs import CardRef
from modelward.storage.work import Work


class CardOwnerChanged(Happening, frozen=True, kw_only=True):
    """Somebody else looks after a card from now on."""

    card: CardRef
    before: str
    after: str


def assign_owner(work: Work, name: CardRef, *, owner: str) -> Card:
    """Make somebody the owner of a card; its content and status stay.

    Raises:
        CardArchived: the card is archived.
        Invalid: nobody of this id has access.
    """
    require(work, Permission.CARD_WRITE, on=name)
    card = use_cases.get_card(work, name)
    rules.check_editable(card)
    inbox.check_person(work, owner, field="owner")
    if card.owner == owner:
        return card
    changed = replace(card, owner=owner, modified_at=work.now, modified_by=work.actor.id)
    store.put_card(work, changed)
    work.record(CardOwnerChanged(card=name, before=card.owner, after=owner))
    return changed
