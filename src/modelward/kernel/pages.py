"""A page of a long list, and the cursor that leads to the next."""

import base64
import binascii
import re
from typing import Generic, TypeVar

import msgspec

from modelward.kernel.errors import Invalid

T = TypeVar("T")

PAGE_SIZE_DEFAULT = 100
PAGE_SIZE_MAX = 1000


class BadCursor(Invalid):
    """The cursor is not one that this server gave out."""


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """Some items and, where more follow, the cursor to ask for them."""

    items: list[T]
    next_cursor: str | None = None


class PageRequest(msgspec.Struct, frozen=True, kw_only=True):
    """How many items are wanted and after which."""

    limit: int = PAGE_SIZE_DEFAULT
    cursor: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= PAGE_SIZE_MAX:
            raise Invalid(f"limit is {self.limit}; it must be from 1 to {PAGE_SIZE_MAX}.", field="limit")

    @property
    def after(self) -> list[str] | None:
        """The sort key of the last item seen (keyset paging), or None for the first page."""
        if self.cursor is None:
            return None
        try:
            key = msgspec.json.decode(base64.urlsafe_b64decode(self.cursor.encode()), type=list[str])
        except (binascii.Error, UnicodeError, ValueError) as problem:
            raise BadCursor(field="cursor", hint="Start again without a cursor.") from problem
        if not key:
            raise BadCursor(field="cursor", hint="Start again without a cursor.")
        return key

    @property
    def after_number(self) -> int | None:
        """As ``after``, where the sort key is one number."""
        key = self.after
        if key is None:
            return None
        if not re.fullmatch(r"[0-9]{1,18}", key[0]):
            raise BadCursor(field="cursor", hint="Start again without a cursor.")
        return int(key[0])


def cursor_after(*key: str) -> str:
    """Make the cursor that continues after the item with this sort key."""
    return base64.urlsafe_b64encode(msgspec.json.encode([str(part) for part in key])).decode()
