"""What somebody who looks through things by name and age asks for: which, in which order, and after which one."""

from datetime import datetime
from typing import Generic, Literal, TypeVar

import msgspec

T = TypeVar("T")


class Browse(msgspec.Struct, frozen=True, kw_only=True):
    """Things whose name holds ``text`` (small and capital letters are the same), of an age, in an order.

    ``after`` is the sort key and the name of the last one seen. Moments are exclusive.
    """

    text: str = ""
    sort: str = "created"
    descending: bool = False
    limit: int = 100
    after: tuple[str, str] | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    modified_after: datetime | None = None
    modified_before: datetime | None = None


class Found(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """Some of what was looked for and, where more follow, the ``after`` that leads to the next."""

    items: list[T]
    next_after: tuple[str, str] | None = None


class Test(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of one field: that it has one of the values, holds a text in any case, lies beyond a value, or is there.

    ``key`` names an entry of a field that is a map, such as a tag. A field that is absent keeps no test. Moments are
    written as in the store, so that their order is that of texts.
    """

    field: str
    rule: Literal["equals", "contains", "above", "from", "below", "to", "present"]
    values: tuple[str | float, ...] = ()
    key: str = ""


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Conditions of which all must hold, or any; or, negated, not so. All of none holds, any of none does not."""

    parts: tuple["Test | Group", ...] = ()
    any: bool = False
    negated: bool = False


class Inquiry(msgspec.Struct, frozen=True, kw_only=True):
    """Things that keep a condition, in the order of a field; ``after`` is the sort key and the name of the last one seen."""

    where: Group = Group()
    sort: str = "name"
    descending: bool = False
    limit: int = 100
    after: tuple[str, str] | None = None


class Hits(Found[T], Generic[T], frozen=True, kw_only=True):
    """A page of the things that keep a condition, and how many keep it in all (None where nobody counted)."""

    count: int | None = None
