"""What names buckets and objects may have, and how parts become an object. No I/O."""

import hashlib
import re
from collections.abc import Sequence

from modelward.governance.objects.entities import Part
from modelward.kernel.errors import Conflict, Invalid

KEY_BYTES_MAX = 1024
PARTS_MAX = 10_000
PART_BYTES_MIN = 5 << 20
OBJECT_BYTES_MAX = 5 << 40
METADATA_BYTES_MAX = 8 << 10
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ADDRESS = re.compile(r"[0-9]+(\.[0-9]+){3}")


class BucketNameInvalid(Invalid):
    """The name cannot be that of a bucket."""


class KeyInvalid(Invalid):
    """The key cannot be that of an object."""


class KeyTooLong(KeyInvalid):
    """The key has more than 1024 bytes."""


class ObjectTooLarge(Invalid):
    """An object may have 5 TiB."""


class PartsInvalid(Conflict):
    """The parts that are named are not those that were stored."""


class PartTooSmall(Conflict):
    """A part other than the last one has less than 5 MiB."""


def checked_bucket(name: str) -> str:
    """The name, if a bucket may have it: 3 to 63 lower-case letters, digits, dots and dashes.

    Raises:
        BucketNameInvalid: it may not.
    """
    if not _BUCKET.fullmatch(name) or ".." in name or _ADDRESS.fullmatch(name):
        raise BucketNameInvalid(
            f"{name[:80]!r} is not the name of a bucket: use 3 to 63 lower-case letters, digits, dots and dashes.",
            field="bucket",
        )
    return name


def checked_key(key: str) -> str:
    """The key, if an object may have it: 1 to 1024 bytes of UTF-8 without NUL. It is a name, never a path.

    Raises:
        KeyInvalid: it may not.
    """
    try:
        size = len(key.encode())
    except UnicodeEncodeError as problem:
        raise KeyInvalid("The key is not valid UTF-8.", field="key") from problem
    if size > KEY_BYTES_MAX:
        raise KeyTooLong(f"The key has {size} bytes; it may have {KEY_BYTES_MAX}.", field="key")
    if not key or "\x00" in key:
        raise KeyInvalid("The key is empty or holds the character NUL.", field="key")
    return key


def chosen_parts(stored: Sequence[Part], named: Sequence[tuple[int, str]]) -> list[Part]:
    """The stored parts that are named by number and etag, in order.

    Raises:
        PartsInvalid: one is missing, out of order, or has another etag.
        PartTooSmall: one before the last is smaller than 5 MiB.
        ObjectTooLarge: together they are larger than an object may be.
    """
    by_number = {part.number: part for part in stored}
    numbers = [number for number, _ in named]
    if not named or numbers != sorted(set(numbers)):
        raise PartsInvalid("The parts are not named in ascending order.", field="parts")
    chosen = []
    for number, etag in named:
        part = by_number.get(number)
        if part is None or part.etag != etag.strip('"'):
            raise PartsInvalid(f"Part {number} was not stored, or it has another etag.", field="parts")
        chosen.append(part)
    small = next((part for part in chosen[:-1] if part.size < PART_BYTES_MIN), None)
    if small:
        raise PartTooSmall(f"Part {small.number} has {small.size} bytes; only the last may have less than 5 MiB.")
    size = sum(part.size for part in chosen)
    if size > OBJECT_BYTES_MAX:
        raise ObjectTooLarge(f"The parts have {size} bytes together; an object may have {OBJECT_BYTES_MAX}.")
    return chosen


def etag_of_parts(parts: Sequence[Part]) -> str:
    """The etag of an object that came in parts."""
    joined = b"".join(bytes.fromhex(part.etag) for part in parts)
    return f"{hashlib.md5(joined, usedforsecurity=False).hexdigest()}-{len(parts)}"
