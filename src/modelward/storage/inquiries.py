"""How things are found by what their fields say: conditions become SQL, and pages follow each other by key."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from modelward.kernel.browsing import Group, Hits, Inquiry, Test
from modelward.kernel.errors import Invalid
from modelward.storage.work import Work

T = TypeVar("T")
Column = sa.ColumnElement[Any]


class Elements(NamedTuple):
    """A field with several values: what each of them is, and where they stand."""

    value: Column
    stand: sa.Select[Any]


# Made anew for each statement, for what it says depends on the database and on the key that is asked for.
Field = Callable[[Work, str], Column | Elements]


class Fields(msgspec.Struct, frozen=True, kw_only=True):
    """A table whose rows are found by their fields. ``sorts`` are never NULL."""

    table: sa.Table
    name: Column
    fields: Mapping[str, Field]
    sorts: Mapping[str, Column]


def plain(column: Column) -> Field:
    """A field that is a column, in which an empty text says as little as NULL."""
    if isinstance(column.type, sa.Text):
        column = sa.func.nullif(column, "")
    return lambda _work, _key: column


def as_is(column: Column) -> Field:
    """A field that is a column which is never empty, so that its index may serve."""
    return lambda _work, _key: column


def within(column: Column, *path: str) -> Field:
    """A field that is a text inside a column of JSON; the key that is asked for is the last step to it."""
    return lambda work, key: _at(work, column, (*path, key) if key else path)


def _at(work: Work, column: Column, path: tuple[str, ...]) -> Column:
    if work.connection.dialect.name == "sqlite":
        return sa.func.json_extract(column, "$" + "".join(f'."{step}"' for step in path))
    return sa.func.jsonb_extract_path_text(sa.cast(column, JSONB), *path)


def entries(column: Column, part: str) -> Field:
    """The keys (``key``) or values (``value``) of a column that holds a map of texts as JSON."""

    def field(work: Work, _key: str) -> Elements:
        if work.connection.dialect.name == "sqlite":
            each: Any = sa.func.json_each(column).table_valued("key", "value")
        else:
            each = sa.func.jsonb_each_text(sa.cast(column, JSONB)).table_valued("key", "value")
        return Elements(each.c[part], sa.select(sa.literal(1)).select_from(each))

    return field


def tags_inside(column: Column) -> dict[str, Field]:
    """The fields ``tag``, ``tag_keys`` and ``tag_values`` of things whose tags stand in a column of their own table, as JSON."""
    return {"tag": within(column), "tag_keys": entries(column, "key"), "tag_values": entries(column, "value")}


_TAG = sa.table("tag", sa.column("thing"), sa.column("key"), sa.column("value"))


def tags_beside(table: sa.Table, prefix: str) -> dict[str, Field]:
    """The fields ``tag``, ``tag_keys`` and ``tag_values`` of things whose tags stand in a table of their own, as ``prefix/name``."""
    own = _TAG.c.thing == sa.literal(f"{prefix}/") + table.c.name
    stand = sa.select(sa.literal(1)).where(own).correlate(table)
    return {
        "tag": lambda _work, key: (
            sa.select(_TAG.c.value).where(own, _TAG.c.key == key).correlate(table).scalar_subquery()
        ),
        "tag_keys": lambda _work, _key: Elements(_TAG.c.key, stand),
        "tag_values": lambda _work, _key: Elements(_TAG.c.value, stand),
    }


def inquire(
    work: Work,
    shelf: Fields,
    inquiry: Inquiry,
    read: Callable[[sa.Row[Any]], T],
    *also: sa.ColumnElement[bool],
    counted: bool = True,
) -> Hits[T]:
    """The things that keep a condition, a page of them; ``counted``: and how many there are.

    Raises:
        Invalid: the things are not sorted by what is asked for, or ``after`` is not where a page ends.
    """
    if inquiry.sort not in shelf.sorts:
        raise Invalid(f"{inquiry.sort[:40]!r} is no order; there are {', '.join(shelf.sorts)}.", field="sort")
    column, kept = shelf.sorts[inquiry.sort], (*also, condition(work, shelf.fields, inquiry.where))
    query = sa.select(shelf.table, column.label("sort_key_")).where(*kept).limit(inquiry.limit + 1)
    order = [column] if column is shelf.name else [column, shelf.name]
    query = query.order_by(*((each.desc() if inquiry.descending else each) for each in order))
    if inquiry.after:
        query = query.where(_beyond(inquiry, column, shelf.name))
    rows = list(work.execute(query))
    page = rows[: inquiry.limit]
    more = len(rows) > inquiry.limit
    count = None
    if counted:
        short = not inquiry.after and not more
        count = (
            len(rows)
            if short
            else work.execute(sa.select(sa.func.count()).select_from(shelf.table).where(*kept)).scalar()
        )
    last = (str(page[-1][-1]), str(page[-1]._mapping[shelf.name])) if more and page else None
    return Hits(items=[read(row) for row in page], next_after=last, count=count)


def _beyond(inquiry: Inquiry, column: Column, name: Column) -> sa.ColumnElement[bool]:
    assert inquiry.after is not None
    key: Any = inquiry.after[0]
    if isinstance(column.type, sa.Integer):
        if not key.removeprefix("-").isdecimal() or not key.isascii():
            raise Invalid("This is not where a page ends.", field="after")
        key = int(key[:18])
    down = inquiry.descending
    first = column < key if down else column > key
    if column is name:
        return sa.and_(first)
    return sa.or_(first, sa.and_(column == key, name < inquiry.after[1] if down else name > inquiry.after[1]))


def condition(work: Work, fields: Mapping[str, Field], asked: Group | Test) -> sa.ColumnElement[bool]:
    """A condition as SQL; it is never true of a row that lacks the field.

    Raises:
        Invalid: there is no such field.
    """
    if isinstance(asked, Test):
        if asked.field not in fields:
            raise Invalid(f"{asked.field[:40]!r} is no field; there are {', '.join(fields)}.", field="where")
        found = fields[asked.field](work, asked.key)
        if isinstance(found, Elements):
            return sa.exists(found.stand.where(_keeps(found.value, asked)).correlate_except())
        return _keeps(found, asked)
    parts = [condition(work, fields, each) for each in asked.parts]
    held = sa.or_(sa.false(), *parts) if asked.any else sa.and_(sa.true(), *parts)
    # What is asked of an absent field is unknown to SQL; here it is simply not so.
    return sa.not_(sa.func.coalesce(held, sa.false())) if asked.negated else held


def _keeps(value: Column, asked: Test) -> sa.ColumnElement[bool]:
    if asked.rule == "present":
        return value.is_not(None)
    if asked.rule == "equals":
        return value == asked.values[0] if len(asked.values) == 1 else value.in_(asked.values)
    if asked.rule == "contains":
        return sa.or_(*(sa.func.lower(value).contains(str(each).lower(), autoescape=True) for each in asked.values))
    if asked.rule == "above":
        return value > asked.values[0]
    if asked.rule == "from":
        return value >= asked.values[0]
    return value < asked.values[0] if asked.rule == "below" else value <= asked.values[0]
