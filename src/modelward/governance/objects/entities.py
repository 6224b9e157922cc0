"""Buckets, the objects in them, uploads in parts, and what happens to them."""

from datetime import datetime

import msgspec

from modelward.kernel.events import Happening
from modelward.kernel.refs import Digest


class Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """A bucket: a name under which objects are kept."""

    name: str
    region: str
    made_by: str
    created_at: datetime


class Piece(msgspec.Struct, frozen=True, array_like=True):
    """Bytes of an object that are stored under one digest; an object that came in parts has several."""

    digest: str
    size: int


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """An object: its bytes in pieces, and what was sent with them.

    ``etag`` is the MD5 of the bytes, or of the MD5s of its parts with their number. ``headers`` holds, by lower-case
    name, the headers a reader gets back: content type, metadata, checksums.
    """

    bucket: str
    key: str
    size: int
    pieces: tuple[Piece, ...]
    etag: str
    headers: dict[str, str]
    made_by: str
    changed_at: datetime

    @property
    def digest(self) -> Digest | None:
        """The SHA-256 of the whole; None for an object of several pieces."""
        return Digest(self.pieces[0].digest) if len(self.pieces) == 1 else None


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """An upload in parts that has begun and is not finished."""

    id: str
    bucket: str
    key: str
    headers: dict[str, str]
    made_by: str
    begun_at: datetime


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One part of an upload."""

    upload: str
    number: int
    digest: Digest
    size: int
    etag: str
    checksums: dict[str, str]
    stored_at: datetime


class BucketMade(Happening, frozen=True, kw_only=True):
    """A bucket was made."""

    bucket: str


class BucketRemoved(Happening, frozen=True, kw_only=True):
    """An empty bucket was removed."""

    bucket: str


class ObjectStored(Happening, frozen=True, kw_only=True):
    """An object was stored, or replaced by another of the same key."""

    object: str
    size: int
    digests: list[str]


class ObjectsRemoved(Happening, frozen=True, kw_only=True):
    """Objects were removed from a bucket; what they held is no longer found there."""

    bucket: str
    keys: list[str]


class ObjectsChangedOutside(Happening, frozen=True, kw_only=True):
    """Somebody's change of objects in a listed bucket of the object store outside was about to be passed on."""

    bucket: str
    operation: str
    keys: list[str]


class UploadBegun(Happening, frozen=True, kw_only=True):
    """An upload in parts was begun."""

    object: str
    upload: str


class UploadEnded(Happening, frozen=True, kw_only=True):
    """An upload in parts was given up; its parts are gone."""

    object: str
    upload: str
