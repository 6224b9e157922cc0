"""Cards found by what their fields say, for interfaces that let clients ask freely; lists of people are in listing.py."""

from typing import Any

import msgspec
import sqlalchemy as sa

from modelward.governance.access.permissions import Permission, require
from modelward.governance.cards import store, wording
from modelward.governance.cards.entities import Card, CardStatus
from modelward.governance.cards.store import card, card_of
from modelward.kernel.browsing import Hits, Inquiry
from modelward.kernel.refs import CardRef, VersionRef
from modelward.storage.inquiries import Fields, as_is, inquire, plain, tags_beside
from modelward.storage.work import Work

# What the content says its model or package is called; the word before tells which of them.
_SUBJECT_ID = sa.case(
    *(
        (card.c.subject.like(f"{word} %"), sa.func.substr(card.c.subject, len(word) + 2))
        for word in ("package", "model")
    )
)
CARDS = Fields(
    table=card,
    name=card.c.name,
    fields={
        "name": as_is(card.c.name),
        "status": as_is(card.c.status),
        "number": as_is(card.c.number),
        "risk": as_is(card.c.risk_rating),
        "subject": as_is(card.c.subject),
        "subject_id": as_is(_SUBJECT_ID),
        "of_model": as_is(card.c.of_model),
        "created": as_is(card.c.created_at),
        "created_by": as_is(card.c.created_by),
        "modified": as_is(card.c.modified_at),
        "modified_by": plain(card.c.modified_by),
        **tags_beside(card, "card"),
    },
    sorts={
        "name": card.c.name,
        "created": card.c.created_at,
        "modified": card.c.modified_at,
        "number": card.c.number,
        "risk": card.c.risk_rating,
    },
)


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of the current version of a card: its content as JSON and, where it was sent so, the very text."""

    kept: str
    text: str | None = None
    particulars: str | None = None


def find_cards(work: Work, inquiry: Inquiry, *, counted: bool = True) -> Hits[Card]:
    """Cards that keep a condition, a page of them.

    Raises:
        Invalid: there is no such field or order.
    """
    require(work, Permission.CARD_READ)
    return inquire(work, CARDS, inquiry, card_of, counted=counted)


def cards_of(work: Work, versions: list[VersionRef]) -> dict[VersionRef, Card]:
    """The cards of several versions: of each the newest that is not archived, else the newest."""
    require(work, Permission.CARD_READ)
    query = sa.select(card).where(card.c.version.in_(versions))
    # The last one stands, so the one that is wanted comes last.
    order = (card.c.status == CardStatus.ARCHIVED.value).desc(), card.c.created_at, card.c.name.desc()
    found = [card_of(row) for row in work.execute(query.order_by(*order))]
    return {each.version: each for each in found if each.version}


def tell_cards(work: Work, names: list[CardRef]) -> dict[CardRef, Told]:
    """The contents of several cards, read at once."""
    require(work, Permission.CARD_READ)
    version, sent, more = store.card_version, wording.card_wording, wording.card_particulars
    query = (
        sa.select(card.c.name, version.c.content, sent.c.text, more.c.body)
        .join_from(card, version, sa.and_(version.c.card == card.c.name, version.c.number == card.c.number))
        .outerjoin(sent, sa.and_(sent.c.card == version.c.card, sent.c.number == version.c.number))
        .outerjoin(more, more.c.card == card.c.name)
        .where(card.c.name.in_(names))
    )
    found: dict[CardRef, Told] = {}
    for row in work.execute(query):
        told: list[Any] = list(row)
        name, content, text, body = told
        found[CardRef(name)] = Told(kept=content, text=text, particulars=body)
    return found
