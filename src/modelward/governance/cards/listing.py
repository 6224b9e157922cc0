"""Lists of cards: which, in which order, found by a piece of text through an index of letter triples."""

from datetime import datetime
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from modelward.governance.cards.entities import Card, CardStatus, RiskRating
from modelward.governance.cards.store import card, card_of, card_words
from modelward.kernel.clock import timestamp
from modelward.kernel.pages import BadCursor, Page, PageRequest, cursor_after
from modelward.kernel.refs import ModelRef
from modelward.storage.work import Work

Sort = Literal["name", "-name", "modified", "-modified", "debt", "-debt", "risk"]

SEARCH_LETTERS_MIN = 3
SEARCH_HITS_MAX = 500
_HAS_SEARCH = sa.text("SELECT 1 FROM sqlite_master WHERE name = 'card_search'")
_SEARCH = sa.text(
    "SELECT card FROM card_words WHERE id IN (SELECT rowid FROM card_search WHERE words MATCH :phrase LIMIT :most)"
)
_ORDERS = {"name": card.c.name, "modified": card.c.modified_at, "debt": card.c.debt}
# The most risky first; what is not known may be anything.
RISKS = (RiskRating.HIGH, RiskRating.UNKNOWN, RiskRating.MEDIUM, RiskRating.LOW)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which cards are wanted. ``debt_min`` is what stands against their approval at least."""

    text: str = ""
    status: CardStatus | None = None
    risk_rating: RiskRating | None = None
    model: ModelRef | None = None
    owner: str = ""
    modified_after: datetime | None = None
    modified_before: datetime | None = None
    debt_min: int | None = None
    sort: Sort = "name"


def list_cards(work: Work, wanted: Wanted, *, page: PageRequest) -> Page[Card]:
    """The cards that are wanted, in the order asked for; those that are equal in it by their names."""
    if wanted.sort == "risk":
        return _by_risk(work, wanted, page=page)
    column, down = _ORDERS[wanted.sort.removeprefix("-")], wanted.sort.startswith("-")
    query = sa.select(card).where(*_conditions(work, wanted)).limit(page.limit + 1)
    by_name = column is card.c.name
    order = [column] if by_name else [column, card.c.name]
    query = query.order_by(*((each.desc() if down else each) for each in order))
    if page.after:
        query = query.where(_beyond(page.after, column, down=down))
    found = [card_of(row) for row in work.execute(query)]
    return _page(found, page, lambda last: [last.name] if by_name else [_key(last, wanted.sort), last.name])


def _key(last: Card, sort: str) -> str:
    return str(last.debt) if "debt" in sort else timestamp(last.modified_at)


def _beyond(after: list[str], column: sa.Column[Any], *, down: bool) -> sa.ColumnElement[bool]:
    """What comes after the last item seen."""
    if column is card.c.name:
        return column < after[0] if down else column > after[0]
    if len(after) != 2:
        raise BadCursor(field="cursor", hint="Start again without a cursor.")
    key: Any = after[0]
    if column is card.c.debt:
        if not key.isascii() or not key.isdigit():
            raise BadCursor(field="cursor", hint="Start again without a cursor.")
        key = int(key[:9])
    first = column < key if down else column > key
    second = card.c.name < after[1] if down else card.c.name > after[1]
    return sa.or_(first, sa.and_(column == key, second))


def _by_risk(work: Work, wanted: Wanted, *, page: PageRequest) -> Page[Card]:
    """One rating after the other, so that each is read off its index."""
    start, name = 0, ""
    if page.after:
        if len(page.after) != 2 or page.after[0] not in RISKS:
            raise BadCursor(field="cursor", hint="Start again without a cursor.")
        start, name = RISKS.index(RiskRating(page.after[0])), page.after[1]
    conditions, found = _conditions(work, wanted), list[Card]()
    for place in range(start, len(RISKS)):
        query = sa.select(card).where(*conditions, card.c.risk_rating == RISKS[place].value)
        if name and place == start:
            query = query.where(card.c.name > name)
        query = query.order_by(card.c.name).limit(page.limit + 1 - len(found))
        found += [card_of(row) for row in work.execute(query)]
        if len(found) > page.limit:
            break
    return _page(found, page, lambda last: [last.risk_rating.value, last.name])


def _page(found: list[Card], page: PageRequest, key: Any) -> Page[Card]:
    items = found[: page.limit]
    return Page(items=items, next_cursor=cursor_after(*key(items[-1])) if len(found) > page.limit else None)


def _conditions(work: Work, wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if wanted.status:
        found.append(card.c.status == wanted.status.value)
    if wanted.risk_rating:
        found.append(card.c.risk_rating == wanted.risk_rating.value)
    if wanted.model:
        found.append(card.c.model == wanted.model)
    if wanted.owner:
        found.append(card.c.owner == wanted.owner)
    if wanted.modified_after:
        found.append(card.c.modified_at >= timestamp(wanted.modified_after))
    if wanted.modified_before:
        found.append(card.c.modified_at < timestamp(wanted.modified_before))
    if wanted.debt_min is not None:
        found.append(card.c.debt >= wanted.debt_min)
    if wanted.text:
        found.append(_holding(work, wanted.text.lower()))
    return found


def _holding(work: Work, text: str) -> sa.ColumnElement[bool]:
    """Which cards hold the text. Where few do, the index of letter triples knows them; where many do, reading the cards
    in order soon fills a page. One or two letters are in nearly every card, so they are looked for in the names.
    """
    if len(text) < SEARCH_LETTERS_MIN:
        return sa.func.lower(card.c.name).contains(text, autoescape=True)
    words = sa.select(card_words.c.words).where(card_words.c.card == card.c.name).scalar_subquery()
    if work.connection.dialect.name != "sqlite":
        return words.contains(text, autoescape=True)
    holds = sa.func.instr(words, text) > 0
    if "\0" in text or not work.execute(_HAS_SEARCH).first():
        return holds
    phrase = '"' + text.replace('"', '""') + '"'
    hits = list(work.execute(_SEARCH, {"phrase": phrase, "most": SEARCH_HITS_MAX + 1}).scalars())
    return holds if len(hits) > SEARCH_HITS_MAX else sa.and_(holds, card.c.name.in_(hits))
