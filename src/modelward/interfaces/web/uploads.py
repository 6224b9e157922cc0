"""Forms with a file (multipart/form-data): received into a temporary file, taken apart there. No part is kept here."""

import mmap
import re
from collections.abc import Iterator
from typing import IO
from urllib.parse import unquote

import msgspec

from modelward.interfaces.http import Receive
from modelward.kernel.errors import Invalid

PARTS_MAX = 100
FIELD_BYTES_MAX = 1 << 20
PART_HEAD_BYTES_MAX = 8192
CHUNK_BYTES = 1 << 20
_DISPOSITION = re.compile(rb'(?i)content-disposition:\s*form-data;[^\r\n]*?\bname="([^"\r\n]*)"')
_FILE_NAME = re.compile(rb'(?i)content-disposition:[^\r\n]*?\bfilename="([^"\r\n]*)"')


class Uploaded(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a form, without any folder in its name. ``digest`` is set once its bytes are in the blob store."""

    name: str
    size: int
    head: bytes
    digest: str = ""
    file: IO[bytes] | None = None
    start: int = 0

    def chunks(self) -> Iterator[bytes]:
        """The bytes in pieces."""
        left, file = self.size, self.file
        if file is None:
            return
        file.seek(self.start)
        while left and (piece := file.read(min(CHUNK_BYTES, left))):
            left -= len(piece)
            yield piece

    def text(self, *, field: str = "file") -> str:
        """The whole as text.

        Raises:
            Invalid: it is no UTF-8.
        """
        try:
            return b"".join(self.chunks()).decode()
        except UnicodeDecodeError as problem:
            raise Invalid(f"{self.name[:80]} is no text in UTF-8.", field=field) from problem


async def receive_form(file: IO[bytes], receive: Receive, *, bytes_max: int) -> None:
    """Write the body of a request to a file.

    Raises:
        Invalid: it is longer than ``bytes_max``, or the client went away.
    """
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Invalid("The browser went away before the file was complete; nothing was kept.", field="file")
        size += len(message.get("body", b""))
        if size > bytes_max:
            raise Invalid(f"The file is larger than {bytes_max} bytes; nothing was kept.", field="file")
        file.write(message.get("body", b""))
        if not message.get("more_body"):
            file.flush()
            return


def boundary_of(content_type: str) -> bytes:
    """What stands between the parts.

    Raises:
        Invalid: the header names none.
    """
    found = re.search(r'boundary="?([0-9A-Za-z\'()+_,./:=? -]{1,70})"?', content_type)
    if found is None:
        raise Invalid("The form could not be read: it names no boundary.", field="body")
    return found[1].strip().encode()


def take_apart(file: IO[bytes], boundary: bytes) -> tuple[dict[str, str], Uploaded | None]:
    """The text fields of a form, and its file where one was chosen.

    Raises:
        Invalid: the form breaks its own rules, or has too many or too long fields.
    """
    fields: dict[str, str] = {}
    uploaded: Uploaded | None = None
    file.seek(0, 2)
    if not file.tell():
        raise _unreadable()
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as body:
        for head, start, end in _parts(body, boundary):
            named = _DISPOSITION.search(head)
            if named is None:
                raise _unreadable()
            called = _FILE_NAME.search(head)
            if called is None:
                if end - start > FIELD_BYTES_MAX:
                    raise Invalid(f"A field of the form is longer than {FIELD_BYTES_MAX} bytes.", field="body")
                fields[_text(named[1])] = _text(body[start:end]).replace("\r\n", "\n")
            elif called[1]:
                # Some browsers send the folder along; only the name counts.
                name = re.split(r"[/\\]", unquote_name(_text(called[1])))[-1]
                uploaded = Uploaded(
                    name=name, size=end - start, head=body[start : min(end, start + 4096)], start=start, file=file
                )
    return fields, uploaded


def unquote_name(name: str) -> str:
    """A file name as browsers write it: they encode only the quotation mark and line breaks."""
    return re.sub("%(22|0D|0A)", lambda found: unquote(found[0]), name)


def _parts(body: mmap.mmap, boundary: bytes) -> Iterator[tuple[bytes, int, int]]:
    fence = b"--" + boundary
    if body[: len(fence)] != fence:
        raise _unreadable()
    at = len(fence)
    for _ in range(PARTS_MAX):
        if body[at : at + 2] == b"--":
            return
        head_end = body.find(b"\r\n\r\n", at, at + PART_HEAD_BYTES_MAX)
        end = body.find(b"\r\n" + fence, head_end)
        if body[at : at + 2] != b"\r\n" or head_end < 0 or end < 0:
            raise _unreadable()
        yield body[at + 2 : head_end], head_end + 4, max(end, head_end + 4)
        at = end + 2 + len(fence)
    raise Invalid(f"The form has more than {PARTS_MAX} parts.", field="body")


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as problem:
        raise _unreadable() from problem


def _unreadable() -> Invalid:
    return Invalid("The form could not be read.", field="body", hint="Choose the file again and send it once more.")
