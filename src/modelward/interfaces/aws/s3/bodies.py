"""Bodies of uploads: taken out of their chunks, hashed while they come, checked before anything is kept."""

import base64
import hashlib
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Protocol

from modelward.interfaces.aws import sigv4
from modelward.interfaces.aws.errors import AwsError
from modelward.interfaces.aws.sigv4 import ChunkSigner
from modelward.interfaces.http import Receive
from modelward.kernel.errors import Unavailable
from modelward.storage.blobs import CHUNK_BYTES

SPOOLED_BYTES = 1 << 20
LINE_BYTES_MAX = 8 << 10
TRAILERS_MAX = 16
OBJECT_BYTES_MAX = 5 << 30
SIGNED_CHUNKS = ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER")
UNSIGNED_CHUNKS = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
CHECKSUM = "x-amz-checksum-"


class _Hash(Protocol):
    def update(self, data: bytes, /) -> Any: ...

    def digest(self) -> bytes: ...


class _Crc:
    """A checksum of 32 bits that takes its earlier value with the next bytes."""

    def __init__(self, extend: Callable[[bytes, int], int]) -> None:
        self._extend, self._value = extend, 0

    def update(self, data: bytes, /) -> None:
        self._value = self._extend(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4, "big")


def _crc32c() -> _Hash:
    try:
        import google_crc32c
    except ModuleNotFoundError as problem:
        raise Unavailable(
            "CRC-32C needs the package google-crc32c, which is not installed.", hint="pip install 'modelward[aws]'"
        ) from problem
    return _Crc(lambda data, value: int(google_crc32c.extend(value, data)))


def _crc64nvme() -> _Hash:
    # Loaded when one comes: numpy is more than a server at rest needs.
    from modelward.interfaces.aws.s3.crc64 import Crc64Nvme

    return Crc64Nvme()


HASHES: dict[str, Callable[[], _Hash]] = {
    "crc32": lambda: _Crc(zlib.crc32),
    "crc32c": _crc32c,
    "crc64nvme": _crc64nvme,
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),
    "sha256": hashlib.sha256,
}


NO_SUMS = frozenset({"algorithm", "type", "mode"})


def sums_told(headers: dict[str, str]) -> dict[str, str]:
    """The checksums that headers tell, by algorithm.

    Raises:
        AwsError: one is of a kind that is not served.
    """
    told = {name.removeprefix(CHECKSUM): value for name, value in headers.items() if name.startswith(CHECKSUM)}
    told = {name: value for name, value in told.items() if name not in NO_SUMS}
    check_served(told.keys())
    return told


def check_served(names: Iterable[str]) -> None:
    """See that checksums are of kinds that are served.

    Raises:
        AwsError: one is not.
    """
    unknown = sorted(set(names) - HASHES.keys())
    if unknown:
        raise AwsError(
            "InvalidRequest",
            f"The checksum {unknown[0][:40]!r} is not served: use CRC32, CRC32C, CRC64NVME, SHA1 or SHA256.",
        )


class Received(NamedTuple):
    """A body that has passed all its checks, in a file that is gone when it is closed."""

    file: Any
    size: int
    md5: str
    sha256: str
    checksums: dict[str, str]

    def chunks(self) -> Iterator[bytes]:
        """The bytes in pieces, from the beginning."""
        self.file.seek(0)
        while piece := self.file.read(CHUNK_BYTES):
            yield piece


async def receive_object(
    receive: Receive, headers: dict[str, str], signer: ChunkSigner | None, *, bytes_max: int = OBJECT_BYTES_MAX
) -> Received:
    """Receive the body of an upload and check it against every hash and length that was sent with it.

    ``bytes_max`` counts what really comes, whatever the headers say of it.

    Raises:
        AwsError: it does not match, is too large or not complete. Nothing is left of it.
    """
    _check_length(headers, bytes_max)
    told = headers.get("x-amz-content-sha256", sigv4.UNSIGNED)
    unpack = _unpacking(told, signer)
    check = _Check(headers)
    file = tempfile.SpooledTemporaryFile(max_size=SPOOLED_BYTES)  # noqa: SIM115 - it is handed on
    try:
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise AwsError("IncompleteBody", "The client went away before the body was complete.")
            for piece in unpack.feed(message.get("body", b"")):
                check.update(piece)
                if check.size > bytes_max:
                    raise _too_large(bytes_max)
                file.write(piece)
            if not message.get("more_body"):
                break
        unpack.finish()
        return check.passed(file, told, unpack.trailers)
    except BaseException:
        file.close()
        raise


def _check_length(headers: dict[str, str], bytes_max: int) -> None:
    """Refuse what says of itself that it is too large before a byte of it has come."""
    length = headers.get("x-amz-decoded-content-length") or headers.get("content-length", "0")
    if length.isdecimal() and length.isascii() and (len(length) > 18 or int(length) > bytes_max):
        raise _too_large(bytes_max)


def _too_large(bytes_max: int) -> AwsError:
    if bytes_max < OBJECT_BYTES_MAX:
        return AwsError("MaxMessageLengthExceeded", f"Your request was too big: a document may have {bytes_max} bytes.")
    return AwsError(
        "EntityTooLarge",
        "Your proposed upload exceeds the maximum allowed size: one request may carry "
        f"{OBJECT_BYTES_MAX} bytes. Send what is larger in parts.",
    )


def _unpacking(told: str, signer: ChunkSigner | None) -> "_Plain | AwsChunked":
    if told in SIGNED_CHUNKS:
        return AwsChunked(signer, signed=True, trailer=told.endswith("-TRAILER"))
    if told == UNSIGNED_CHUNKS:
        return AwsChunked(None, signed=False, trailer=True)
    if told.startswith(sigv4.STREAMING):
        raise AwsError("InvalidRequest", f"x-amz-content-sha256 {told[:80]!r} is not served.")
    return _Plain()


class _Plain:
    trailers: dict[str, str] = {}

    def feed(self, data: bytes) -> list[bytes]:
        return [data] if data else []

    def finish(self) -> None:
        pass


class AwsChunked:
    """Takes a body out of its chunks: each has its length in hexadecimal digits and perhaps a signature."""

    def __init__(self, signer: ChunkSigner | None, *, signed: bool, trailer: bool) -> None:
        self._signer, self._signed, self._has_trailer = signer, signed, trailer
        self._held = bytearray()
        self._left = 0
        self._state = "head"
        self._hash = hashlib.sha256()
        self._signature = ""
        self._trailer = b""
        self.trailers: dict[str, str] = {}

    def feed(self, data: bytes) -> list[bytes]:
        """The bytes of the body that the next bytes of the request bring."""
        self._held += data
        found: list[bytes] = []
        while self._step(found):
            pass
        return found

    def _step(self, found: list[bytes]) -> bool:
        if self._state == "data":
            return self._take(found)
        if self._state == "done":
            if self._held:
                raise _malformed("Bytes follow the last chunk.")
            return False
        place = self._held.find(b"\r\n")
        if place < 0:
            if len(self._held) > LINE_BYTES_MAX:
                raise _malformed("A line between the chunks is too long.")
            return False
        line = bytes(self._held[:place])
        if place > LINE_BYTES_MAX:
            raise _malformed("A line between the chunks is too long.")
        del self._held[: place + 2]
        if self._state == "head":
            self._begin(line)
        elif self._state == "behind":
            if line:
                raise _malformed("A chunk is longer than it says.")
            self._state = "head"
        else:
            self._trail(line)
        return True

    def _begin(self, line: bytes) -> None:
        length, _, extension = line.partition(b";")
        try:
            self._left = int(length, 16) if length.isalnum() and len(length) <= 16 else -1
        except ValueError:
            self._left = -1
        if self._left < 0:
            raise _malformed("A chunk does not begin with its length.")
        name, _, value = extension.partition(b"=")
        if self._signed and name.strip() != b"chunk-signature":
            raise _malformed("A chunk has no signature.")
        self._signature = value.decode("latin-1").strip()
        self._hash = hashlib.sha256()
        if self._left:
            self._state = "data"
            return
        self._check_chunk()
        self._state = "trailer"

    def _take(self, found: list[bytes]) -> bool:
        if not self._held:
            return False
        piece = bytes(self._held[: self._left])
        del self._held[: self._left]
        self._left -= len(piece)
        if self._signed:
            self._hash.update(piece)
        found.append(piece)
        if self._left == 0:
            self._check_chunk()
            self._state = "behind"
        return True

    def _check_chunk(self) -> None:
        if self._signed and self._signer:
            self._signer.check_chunk(self._hash.hexdigest(), self._signature)

    def _trail(self, line: bytes) -> None:
        if not line:
            if self._signed and self._has_trailer and self._signer:
                self._signer.check_trailer(self._trailer, self.trailers.pop("x-amz-trailer-signature", ""))
            self._state = "done"
            return
        name, mark, value = line.partition(b":")
        if not mark or not self._has_trailer or len(self.trailers) >= TRAILERS_MAX:
            raise _malformed("The trailing headers are not well formed.")
        key = name.strip().lower().decode("latin-1")
        self.trailers[key] = value.strip().decode("latin-1")
        if key != "x-amz-trailer-signature":
            self._trailer += name.strip().lower() + b":" + value.strip() + b"\n"

    def finish(self) -> None:
        """Say that the request has ended.

        Raises:
            AwsError: the last chunk has not come.
        """
        # Some clients leave out the empty line behind the trailing headers.
        if self._state == "trailer" and not self._held:
            self._trail(b"")
        if self._state != "done":
            raise AwsError("IncompleteBody", "The request ended before the last chunk.")


def _malformed(message: str) -> AwsError:
    return AwsError("InvalidRequest", f"The chunks of the body cannot be read: {message}")


class _Check:
    """Hashes a body in every way that was asked for."""

    def __init__(self, headers: dict[str, str]) -> None:
        self._headers = headers
        self.size = 0
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha256 = hashlib.sha256()
        self._hashes = {name: HASHES[name]() for name in self._wanted()}

    def _wanted(self) -> set[str]:
        asked = {name.removeprefix(CHECKSUM) for name in self._headers if name.startswith(CHECKSUM)}
        trailer = self._headers.get("x-amz-trailer", "").lower()
        asked |= {each.strip().removeprefix(CHECKSUM) for each in trailer.split(",") if CHECKSUM in each}
        asked -= NO_SUMS
        check_served(asked)
        return asked

    def update(self, piece: bytes) -> None:
        """Take the next bytes."""
        self.size += len(piece)
        self._md5.update(piece)
        self._sha256.update(piece)
        for each in self._hashes.values():
            each.update(piece)

    def passed(self, file: Any, told: str, trailers: dict[str, str]) -> Received:
        """The body, if all that was told of it is true."""
        length = self._headers.get("x-amz-decoded-content-length") if told.startswith(sigv4.STREAMING) else None
        if length is not None and length != str(self.size):
            raise AwsError("IncompleteBody", "The body does not have the length that the request names.")
        if len(told) == 64 and told != self._sha256.hexdigest():
            raise AwsError(
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
            )
        md5 = self._headers.get("content-md5")
        if md5 is not None and md5 != base64.b64encode(self._md5.digest()).decode():
            raise AwsError("BadDigest", "The Content-MD5 you specified did not match what we received.")
        sums = {name: base64.b64encode(each.digest()).decode() for name, each in self._hashes.items()}
        for name, value in sums.items():
            expected = self._headers.get(CHECKSUM + name, trailers.get(CHECKSUM + name))
            if expected != value:
                raise AwsError("BadDigest", f"The {name.upper()} you specified did not match the calculated checksum.")
        return Received(file, self.size, self._md5.hexdigest(), self._sha256.hexdigest(), sums)
