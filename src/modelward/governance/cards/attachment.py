"""A file that belongs to a card: what it may be called, what it seems to be, how it is handed out. No I/O."""

import re
import unicodedata
from datetime import datetime
from urllib.parse import quote

import msgspec

from modelward.kernel.errors import Conflict, Invalid
from modelward.kernel.events import Happening
from modelward.kernel.refs import CardRef, Digest, Ref

NAME_BYTES_MAX = 255
REASON_CHARACTERS_MAX = 4096
HEAD_BYTES = 4096
UNKNOWN = "application/octet-stream"
# By these first bytes a file is guessed. The guess is for showing only: nothing is ever handed out under it.
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
    (b"PAR1", "application/vnd.apache.parquet"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (b"\x7fELF", "application/x-executable"),
    (b"MZ", "application/x-executable"),
)
_MARKUP = re.compile(rb"\s*<(?:!doctype\s+html|html|head|body|script|svg|\?xml)", re.IGNORECASE)


class AttachmentRef(Ref):
    """One attachment of a card, by its id."""

    __slots__ = ()


class AttachmentForbidden(Conflict):
    """Nothing can be attached to or removed from this card as it stands."""


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a card: attached when the card had version ``number``, and gone from version ``removed_number`` on.

    ``media_type`` is guessed from the first bytes, for showing only.
    """

    id: AttachmentRef
    card: CardRef
    number: int
    name: str
    digest: Digest
    bytes: int
    media_type: str
    at: datetime
    by: str
    removed_at: datetime | None = None
    removed_by: str | None = None
    removed_number: int | None = None
    reason: str = ""


class AttachmentAdded(Happening, frozen=True, kw_only=True):
    """A file was attached to a card."""

    card: CardRef
    attachment: AttachmentRef
    number: int
    name: str
    digest: Digest
    bytes: int


class AttachmentRemoved(Happening, frozen=True, kw_only=True):
    """A file was taken off a card; that it was there, and its digest, stay on record."""

    card: CardRef
    attachment: AttachmentRef
    number: int
    name: str
    digest: Digest
    reason: str


def check_name(name: str) -> None:
    """Refuse a name under which a file could mislead or go astray.

    Raises:
        Invalid: it is empty, too long, holds a slash, a control or direction character, or has a space at an end.
    """
    if not name or name in (".", ".."):
        raise Invalid("An attachment needs a file name.", field="name", hint="Write it as in ?name=report.pdf.")
    if name != name.strip() or name.endswith("."):
        raise Invalid(f"{name[:80]!r} begins or ends with a space, or ends with a dot.", field="name")
    for each in name:
        # Cf holds the characters that turn the direction of writing, by which exe.pdf can be made of fdp.exe.
        if each in '/\\<>:"|?*' or unicodedata.category(each) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
            raise Invalid(f"The file name holds the character {each!a}, which is not allowed.", field="name")
    if len(name.encode()) > NAME_BYTES_MAX:
        raise Invalid(f"The file name has {len(name.encode())} bytes; at most {NAME_BYTES_MAX} are kept.", field="name")


def guess_type(head: bytes) -> str:
    """What the first bytes of a file look like; never to be trusted."""
    for beginning, kind in _SIGNATURES:
        if head.startswith(beginning):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if _MARKUP.match(head):
        return "text/html"
    return "text/plain" if _is_text(head) else UNKNOWN


def _is_text(head: bytes) -> bool:
    if b"\0" in head:
        return False
    try:
        head.decode()
    except UnicodeDecodeError as problem:
        # The last character may go on behind the bytes that were looked at.
        return problem.start >= len(head) - 3 and problem.reason == "unexpected end of data"
    return True


def download_headers(one: Attachment) -> list[tuple[bytes, bytes]]:
    """The headers under which a file is handed out: to be kept, never to be shown or run in a browser."""
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", one.name)
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(one.name, safe='')}"
    return [
        (b"content-type", UNKNOWN.encode()),
        (b"content-length", str(one.bytes).encode()),
        (b"content-disposition", disposition.encode()),
        (b"content-security-policy", b"sandbox; default-src 'none'; frame-ancestors 'none'"),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"private, no-store"),
    ]
