"""Bodies too large for the memory: received into a file, read back in pieces."""

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from modelward.interfaces.rest.dispatch import RawRequest
from modelward.kernel.errors import Invalid
from modelward.storage.blobs import CHUNK_BYTES, LEFT_BEHIND_SECONDS

PREFIX = "modelward-upload-"


async def receive_into(file: IO[bytes], request: RawRequest, *, bytes_max: int) -> None:
    """Write the body of a request to a file.

    Raises:
        Invalid: it is longer than ``bytes_max``, or the client went away.
    """
    size = 0
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise Invalid("The client went away before the body was complete; nothing was kept.", field="body")
        piece = message.get("body", b"")
        size += len(piece)
        if size > bytes_max:
            raise Invalid(f"The body is larger than {bytes_max} bytes; nothing was kept.", field="body")
        file.write(piece)
        if not message.get("more_body"):
            file.flush()
            return


def sweep_left_behind(*, now: float) -> int:
    """Remove the files of uploads that a killed process left, once they are a day old; say how many."""
    removed = 0
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        # The folder belongs to others too, and they may sweep at the same time.
        with contextlib.suppress(OSError):
            known = path.lstat()
            if (
                known.st_uid == os.getuid()
                and stat.S_ISREG(known.st_mode)
                and known.st_mtime < now - LEFT_BEHIND_SECONDS
            ):
                path.unlink()
                removed += 1
    return removed


def chunks(file: IO[bytes]) -> Iterator[bytes]:
    """The content of a file in pieces, from its beginning."""
    file.seek(0)
    while piece := file.read(CHUNK_BYTES):
        yield piece
