"""Lists in the order of age over REST: a cursor to what is looked through, and a page of what was found."""

from typing import TypeVar

from modelward.kernel.browsing import Browse, Found
from modelward.kernel.pages import BadCursor, Page, PageRequest, cursor_after

T = TypeVar("T")


def browse_of(limit: int, cursor: str | None, *, text: str = "") -> Browse:
    """Look through things, the newest first, after the cursor.

    Raises:
        BadCursor: it is not one of such a list.
    """
    asked = PageRequest(limit=limit, cursor=cursor)
    after = asked.after
    if after is not None and len(after) != 2:
        raise BadCursor(field="cursor", hint="Start again without a cursor.")
    return Browse(text=text, limit=limit, descending=True, after=(after[0], after[1]) if after else None)


def page_of(found: Found[T]) -> Page[T]:
    """What was found, with the cursor that leads on."""
    return Page(items=found.items, next_cursor=cursor_after(*found.next_after) if found.next_after else None)
