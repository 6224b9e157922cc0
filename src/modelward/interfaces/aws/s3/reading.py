"""The bytes of an object, or of a range of it, in pieces of bounded size."""

from collections.abc import Iterator, Sequence

from modelward.governance.objects.entities import Piece
from modelward.kernel.refs import Digest
from modelward.storage.blobs import CHUNK_BYTES, Blobs


def bytes_of(blobs: Blobs, pieces: Sequence[Piece], first: int, behind: int) -> Iterator[bytes]:
    """Yield the bytes from ``first`` up to ``behind``. A blob that is read whole is checked against its digest."""
    begins = 0
    for piece in pieces:
        start, end = max(first - begins, 0), min(behind - begins, piece.size)
        if start < end:
            yield from _part(blobs, piece, start, end)
        begins += piece.size


def _part(blobs: Blobs, piece: Piece, start: int, end: int) -> Iterator[bytes]:
    digest = Digest(piece.digest)
    whole = (start, end) == (0, piece.size)
    path = None if whole else blobs.path(digest)
    if path is None or not path.exists():
        yield from _cut(blobs.open(digest), start, end)
        return
    with path.open("rb") as file:
        file.seek(start)
        left = end - start
        while left and (read := file.read(min(left, CHUNK_BYTES))):
            left -= len(read)
            yield read


def _cut(chunks: Iterator[bytes], start: int, end: int) -> Iterator[bytes]:
    place = 0
    for chunk in chunks:
        cut = chunk[max(0, start - place) : max(0, end - place)]
        place += len(chunk)
        if cut:
            yield cut
