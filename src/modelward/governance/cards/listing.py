"""Lists of cards: which, in which order, found by a piece of text through an index of letter triples."""

import re
from collections.abc import Callable
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
# PostgreSQL reads this off its index of letter triples, where the extension for it is to be had.
_SEARCH_LIKE = sa.text("SELECT card FROM card_words WHERE words LIKE :pattern LIMIT :most")
_NO_PATTERN = re.compile(r"[\\%_]")
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
    conditions, text = _conditions(wanted), _looked_for(work, wanted.text.lower())
    by_name = column is card.c.name
    order = [column] if by_name else [column, card.c.name]
    if page.after:
        conditions.append(_beyond(page.after, column, down=down))
    found = _read(work, conditions, text, order, down=down, limit=page.limit + 1)
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
    conditions, found = _conditions(wanted), list[Card]()
    text = _looked_for(work, wanted.text.lower())
    for place in range(start, len(RISKS)):
        these = [*conditions, card.c.risk_rating == RISKS[place].value]
        if name and place == start:
            these.append(card.c.name > name)
        found += _read(work, these, text, [card.c.name], down=False, limit=page.limit + 1 - len(found))
        if len(found) > page.limit:
            break
    return _page(found, page, lambda last: [last.risk_rating.value, last.name])


def _page(found: list[Card], page: PageRequest, key: Any) -> Page[Card]:
    items = found[: page.limit]
    return Page(items=items, next_cursor=cursor_after(*key(items[-1])) if len(found) > page.limit else None)


def _read(
    work: Work,
    conditions: list[sa.ColumnElement[bool]],
    text: "_LookedFor",
    order: list[sa.Column[Any]],
    *,
    down: bool,
    limit: int,
) -> list[Card]:
    """The first of the cards that hold the text, in an order."""

    def ordered(columns: Any) -> list[Any]:
        return [columns[each.key].desc() if down else columns[each.key] for each in order]

    query = sa.select(card).where(*conditions).order_by(*ordered(card.c))
    if text.holds is not None and text.in_many and work.connection.dialect.name != "sqlite":
        # A fence: PostgreSQL believes that hardly a card holds the text, and would read all of them before it sorts.
        inner = query.offset(0).subquery("those")
        query = sa.select(inner).where(text.holds(inner.c.name)).order_by(*ordered(inner.c))
    elif text.holds is not None:
        query = query.where(text.holds(card.c.name))
    return [card_of(row) for row in work.execute(query.limit(limit))]


def _conditions(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
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
    return found


class _LookedFor(msgspec.Struct, frozen=True):
    """A text that is looked for: what says of a card's name that the card holds it (None: all do); and if many do."""

    holds: Callable[[Any], sa.ColumnElement[bool]] | None = None
    in_many: bool = False


def _looked_for(work: Work, text: str) -> _LookedFor:
    """Which cards hold the text. Where few do, the index of letter triples knows them; where many do, reading the cards
    in order soon fills a page. One or two letters are in nearly every card, so they are looked for in the names.
    """
    if not text:
        return _LookedFor()
    if len(text) < SEARCH_LETTERS_MIN:
        return _LookedFor(lambda name: sa.func.lower(name).contains(text, autoescape=True))
    if work.connection.dialect.name == "sqlite":
        hits = _hits_of_sqlite(work, text)
        holds = _in_words(lambda words: sa.func.instr(words, text) > 0)
    else:
        pattern = "%" + _NO_PATTERN.sub(r"\\\g<0>", text) + "%"
        hits = list(work.execute(_SEARCH_LIKE, {"pattern": pattern, "most": SEARCH_HITS_MAX + 1}).scalars())
        holds = _in_words(lambda words: words.like(pattern))
    if hits is None or len(hits) > SEARCH_HITS_MAX:
        return _LookedFor(holds, in_many=True)
    return _LookedFor(lambda name: sa.and_(holds(name), name.in_(hits)))


def _in_words(rule: Callable[[Any], sa.ColumnElement[bool]]) -> Callable[[Any], sa.ColumnElement[bool]]:
    """A rule for the words of a card, as one for its name."""

    def holds(name: Any) -> sa.ColumnElement[bool]:
        return rule(sa.select(card_words.c.words).where(card_words.c.card == name).scalar_subquery())

    return holds


def _hits_of_sqlite(work: Work, text: str) -> list[str] | None:
    """Some hundreds of the cards that the index finds; None where there is no index, or none for such a text."""
    if "\0" in text or not work.execute(_HAS_SEARCH).first():
        return None
    phrase = '"' + text.replace('"', '""') + '"'
    return list(work.execute(_SEARCH, {"phrase": phrase, "most": SEARCH_HITS_MAX + 1}).scalars())
