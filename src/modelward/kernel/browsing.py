"""What somebody who looks through things by name and age asks for: which, in which order, and after which one."""

from datetime import datetime
from typing import Generic, TypeVar

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
