"""How a table of named things is looked through: by name, age and a few columns, page after page by key."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from modelward.kernel.browsing import Browse, Found
from modelward.kernel.clock import timestamp
from modelward.kernel.errors import Invalid
from modelward.storage.work import Work

T = TypeVar("T")
# A table, what it is sorted by, its name and the direction -> the statement for its first page, which holds all three.
_first_pages: dict[tuple[int, int, int, bool], sa.Select[Any]] = {}


class Shelf(msgspec.Struct, frozen=True, kw_only=True):
    """Which columns of a table are its name and its ages, by which it can be sorted, and where a text is looked for
    (``words``, else the name).
    """

    table: sa.FromClause
    name: sa.ColumnElement[Any]
    created: sa.ColumnElement[Any]
    modified: sa.ColumnElement[Any] | None = None
    words: sa.ColumnElement[Any] | None = None
    sorts: Mapping[str, sa.ColumnElement[Any]] = {}

    def sort_by(self, sort: str) -> sa.ColumnElement[Any]:
        """The column of a sort.

        Raises:
            Invalid: the table is not sorted by it.
        """
        known = {"name": self.name, "created": self.created, **self.sorts}
        if self.modified is not None:
            known["modified"] = self.modified
        if sort not in known:
            raise Invalid(f"{sort[:40]!r} is no order; there are {', '.join(known)}.", field="sort")
        return known[sort]


def look_through(
    work: Work, shelf: Shelf, browse: Browse, read: Callable[[sa.Row[Any]], T], *also: sa.ColumnElement[bool]
) -> Found[T]:
    """The things that were asked for, a page of them."""
    rows = list(_rows(work, shelf, browse, also))
    kept = rows[: browse.limit]
    more = len(rows) > browse.limit and kept
    # The sort key and the name stand last.
    key = (str(kept[-1][-2]), str(kept[-1][-1])) if more else None
    return Found(items=[read(row) for row in kept], next_after=key)


def _rows(work: Work, shelf: Shelf, browse: Browse, also: tuple[sa.ColumnElement[bool], ...]) -> Any:
    # A shelf that is not a table is made for one call.
    plain = not also and isinstance(shelf.table, sa.Table)
    if not plain or browse != Browse(sort=browse.sort, descending=browse.descending, limit=browse.limit):
        return work.execute(_statement(shelf, browse, also, limit=browse.limit + 1))
    # The first page of everything is asked for most, and is always the same statement.
    asked = (id(shelf.table), id(shelf.sort_by(browse.sort)), id(shelf.name), browse.descending)
    first = _first_pages.get(asked)
    if first is None:
        made = _statement(shelf, browse, (), limit=sa.bindparam("most", type_=sa.Integer))
        first = _first_pages[asked] = made.execution_options(prepared=True)
    return work.execute(first, {"most": browse.limit + 1})


def _statement(shelf: Shelf, browse: Browse, also: tuple[sa.ColumnElement[bool], ...], *, limit: Any) -> sa.Select[Any]:
    column = shelf.sort_by(browse.sort)
    by_name = column is shelf.name
    order = [column] if by_name else [column, shelf.name]
    # The key is kept with the row, for the next page begins after it.
    query = sa.select(shelf.table, column.label("sort_key_"), shelf.name.label("sort_name_"))
    query = query.where(*also, *_conditions(shelf, browse)).limit(limit)
    query = query.order_by(*((each.desc() if browse.descending else each) for each in order))
    if browse.after:
        query = query.where(_beyond(browse, column, None if by_name else shelf.name))
    return query


def _beyond(browse: Browse, column: sa.ColumnElement[Any], name: sa.ColumnElement[Any] | None) -> Any:
    assert browse.after is not None
    key: Any = browse.after[0]
    if isinstance(column.type, sa.Integer):
        if not key.isascii() or not key.isdigit():
            raise Invalid("This is not where a page ends.", field="after")
        key = int(key[:18])
    first = column < key if browse.descending else column > key
    if name is None:
        return first
    second = name < browse.after[1] if browse.descending else name > browse.after[1]
    return sa.or_(first, sa.and_(column == key, second))


def _conditions(shelf: Shelf, browse: Browse) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if browse.text:
        words = shelf.name if shelf.words is None else shelf.words
        found.append(sa.func.lower(words).contains(browse.text.lower(), autoescape=True))
    found += _within(shelf.created, browse.created_after, browse.created_before)
    if browse.modified_after or browse.modified_before:
        modified = shelf.created if shelf.modified is None else shelf.modified
        found += _within(modified, browse.modified_after, browse.modified_before)
    return found


def _within(
    column: sa.ColumnElement[Any], after: datetime | None, before: datetime | None
) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if after:
        found.append(column > timestamp(after))
    if before:
        found.append(column < timestamp(before))
    return found
