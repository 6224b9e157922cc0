"""Collections of stored bytes that nothing refers to, and what happens in them. Frozen; no I/O."""

from datetime import datetime

import msgspec

from modelward.kernel.events import Happening
from modelward.kernel.refs import Digest


class Unreferenced(msgspec.Struct, frozen=True, kw_only=True):
    """What a collection would find: how many blobs and bytes are stored, how many of them nothing refers to.

    ``blobs_due`` and ``bytes_due`` count those that a collection would delete now: they were put before ``put_before``, and
    since then a collection found each night that nothing refers to them. Where ``refusal`` is not empty, it says why
    nothing is deleted, and what to do.
    """

    blobs: int
    bytes: int
    blobs_unreferenced: int
    bytes_unreferenced: int
    blobs_due: int
    bytes_due: int
    put_before: datetime
    refusal: str = ""


class Collection(msgspec.Struct, frozen=True, kw_only=True):
    """A collection that was asked for; its job has the same id."""

    id: str


class BlobCollectionRequested(Happening, frozen=True, kw_only=True):
    """Somebody asked that stored bytes to which nothing refers be deleted now.

    ``take_over`` is not empty where the store shall be that of this installation alone from now on, and says why.
    """

    collection: str
    take_over: str = ""


class BlobsDeleted(Happening, frozen=True, kw_only=True):
    """Stored bytes to which nothing referred any more were deleted."""

    collection: str
    blobs: list[Digest]
    bytes: int


class BlobsCollected(Happening, frozen=True, kw_only=True):
    """A collection of stored bytes to which nothing refers has ended; ``reason`` says why it left some that were due."""

    collection: str
    blobs: int
    bytes: int
    blobs_left: int
    reason: str = ""
