"""What an outside client said of a card word for word: its content as text, and settings that only such clients know.

A client compares what it gets back with what it sent. Where a card was edited here, there is no such text.
"""

from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from modelward.governance.access.permissions import Permission, require
from modelward.governance.cards import store
from modelward.governance.cards.entities import Card, CardStatus, CardVersionEntry, Content
from modelward.kernel import codec
from modelward.kernel.browsing import Browse, Found
from modelward.kernel.clock import moment
from modelward.kernel.refs import CardRef
from modelward.storage.browsing import Shelf, look_through
from modelward.storage.work import Work

metadata = sa.MetaData()
card_wording = sa.Table(
    "card_wording",
    metadata,
    sa.Column("card", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
)
card_particulars = sa.Table(
    "card_particulars",
    metadata,
    sa.Column("card", sa.Text, primary_key=True),
    sa.Column("body", sa.Text, nullable=False),
)
_PREPARED = {"prepared": True}
_KEEP_TEXT = sa.insert(card_wording).execution_options(**_PREPARED)
_FIND_TEXT = (
    sa.select(card_wording.c.text)
    .where(card_wording.c.card == sa.bindparam("card"), card_wording.c.number == sa.bindparam("number"))
    .execution_options(**_PREPARED)
)
_FIND_PARTICULARS = (
    sa.select(card_particulars.c.body)
    .where(card_particulars.c.card == sa.bindparam("card"))
    .execution_options(**_PREPARED)
)
# Clients ask for nothing more often, so all of it comes at once.
_DESCRIBE = (
    sa.select(
        store.card,
        *(store.card_version.c[each].label(f"told_{each}") for each in ("number", "content", "at", "by")),
        card_wording.c.text.label("told_text"),
        card_particulars.c.body.label("told_body"),
    )
    .join_from(
        store.card,
        store.card_version,
        sa.and_(
            store.card_version.c.card == store.card.c.name,
            store.card_version.c.number
            == sa.func.coalesce(sa.bindparam("told_number", type_=sa.Integer), store.card.c.number),
        ),
    )
    .outerjoin(
        card_wording,
        sa.and_(card_wording.c.card == store.card_version.c.card, card_wording.c.number == store.card_version.c.number),
    )
    .outerjoin(card_particulars, card_particulars.c.card == store.card.c.name)
    .where(store.card.c.name == sa.bindparam("name"))
    .execution_options(**_PREPARED)
)
# Deliveries have a room of their own above, with the exports that they are of.
card_delivery = sa.table("card_delivery", sa.column("card"))
CARDS = Shelf(
    table=store.card, name=store.card.c.name, created=store.card.c.created_at, modified=store.card.c.modified_at
)


class Described(NamedTuple):
    """A card, one of its versions, and what outside clients said of both."""

    card: Card
    number: int
    at: datetime
    by: str
    kept: str
    """The content of the version as it is kept: JSON."""
    text: str | None
    """The content as it was sent; None where nobody outside sent it."""
    particulars: dict[str, Any]


def describe_card(work: Work, name: CardRef, number: int | None) -> Described | None:
    """A card with one of its versions (None: the current one); None when there is no such card or version."""
    require(work, Permission.CARD_READ, on=name)
    row = work.execute(_DESCRIBE, {"name": name, "told_number": number}).first()
    if row is None:
        return None
    told: list[Any] = list(row)
    found, kept, at, by, text, body = told[-6:]
    particulars = msgspec.json.decode(body) if body else {}
    return Described(store.card_of(row), found, moment(at), by, kept, text, particulars)


def keep_text(work: Work, name: CardRef, number: int, text: str) -> None:
    """Keep the text that a version of a card was sent as; its content has just been kept."""
    require(work, Permission.CARD_WRITE, on=name)
    work.execute(_KEEP_TEXT, {"card": name, "number": number, "text": text})


def text_of(work: Work, name: CardRef, number: int, content: Content) -> str:
    """The text that a version was sent as, else its content as JSON."""
    require(work, Permission.CARD_READ, on=name)
    kept: str | None = work.execute(_FIND_TEXT, {"card": name, "number": number}).scalar()
    return codec.encode(content).decode() if kept is None else kept


def keep_particulars(work: Work, name: CardRef, body: dict[str, Any]) -> None:
    """Keep what an outside client told of a card that was just made."""
    require(work, Permission.CARD_WRITE, on=name)
    work.execute(sa.insert(card_particulars), {"card": name, "body": msgspec.json.encode(body).decode()})


def read_particulars(work: Work, name: CardRef) -> dict[str, Any]:
    """What an outside client told of a card; empty where none did."""
    require(work, Permission.CARD_READ, on=name)
    found = work.execute(_FIND_PARTICULARS, {"card": name}).scalar()
    return msgspec.json.decode(found) if found else {}


def forget(work: Work, name: CardRef) -> None:
    """Take away what outside clients said of a card that is being deleted; its own event tells of that."""
    for table in (card_wording, card_particulars, card_delivery):
        work.execute(sa.delete(table).where(table.c.card == name))


def browse_cards(
    work: Work,
    browse: Browse,
    *,
    status: CardStatus | None = None,
    subjects: list[str] | None = None,
    saying: str = "",
) -> Found[Card]:
    """Cards by name and age; by status, by what they are about, and by a piece of text in any case."""
    require(work, Permission.CARD_READ)
    also: list[sa.ColumnElement[bool]] = []
    if status is not None:
        also.append(store.card.c.status == status.value)
    if subjects is not None:
        also.append(store.card.c.subject.in_(subjects))
    if saying:
        words = store.card_words
        held = sa.select(words.c.card).where(words.c.words.contains(saying.lower(), autoescape=True))
        also.append(store.card.c.name.in_(held))
    return look_through(work, CARDS, browse, store.card_of, *also)


def status_of(work: Work, card: Card, number: int) -> CardStatus:
    """The last status that a card had with one of its versions."""
    require(work, Permission.CARD_READ, on=card.name)
    if number == card.number:
        return card.status
    versions = store.select_entries(card.name).subquery()
    found = work.execute(sa.select(versions.c.status).where(versions.c.number == number)).scalar()
    return CardStatus(found or CardStatus.DRAFT)


def browse_versions(
    work: Work, name: CardRef, browse: Browse, *, status: CardStatus | None = None
) -> Found[CardVersionEntry]:
    """The versions of a card by number or age; by the last status that the card had with them."""
    require(work, Permission.CARD_READ, on=name)
    versions = store.select_entries(name).subquery()
    shelf = Shelf(table=versions, name=versions.c.card, created=versions.c.at, sorts={"number": versions.c.number})
    also = [versions.c.status == status.value] if status is not None else []
    return look_through(work, shelf, browse, store.entry_of, *also)
