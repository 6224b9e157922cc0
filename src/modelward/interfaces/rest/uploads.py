"""Bodies too large for the memory: received into a file, read back in pieces."""

from collections.abc import Iterator
from typing import IO

from modelward.interfaces.rest.dispatch import RawRequest
from modelward.kernel.errors import Invalid
from modelward.storage.blobs import CHUNK_BYTES


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


def chunks(file: IO[bytes]) -> Iterator[bytes]:
    """The content of a file in pieces, from its beginning."""
    file.seek(0)
    while piece := file.read(CHUNK_BYTES):
        yield piece
