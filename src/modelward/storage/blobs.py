"""Bytes by their SHA-256, in a folder or an S3 bucket: created if absent, never changed, checked when read.

Bytes that are put again count as new from then on, so that a collection of what nobody refers to (``governance/upkeep``)
leaves them alone.
"""

import contextlib
import hashlib
import logging
import os
import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from modelward.kernel.errors import Invalid, ModelwardError, NotFound, Unavailable
from modelward.kernel.refs import Digest
from modelward.storage.gates import Gate, LocalGate
from modelward.storage.object_errors import as_unavailable
from modelward.storage.signatures import BucketSignatures, FolderSignatures, Signatures

log = logging.getLogger("modelward.blobs")
CHUNK_BYTES = 1 << 20
# What a killed process left half written; a process that lives may take as long for its largest upload.
LEFT_BEHIND_SECONDS = 24 * 3600
# In a bucket, bytes are only sent again once what is there is older than this; a collection spares far younger ones.
FRESH_SECONDS = 24 * 3600
_HEX = re.compile(r"[0-9a-f]{64}")
# What an object store calls a bucket that is not there, and credentials that open nothing.
WRONG_BUCKET = ("NoSuchBucket", "InvalidBucketName", "InvalidAccessKeyId", "SignatureDoesNotMatch")


class BlobMissing(NotFound):
    """No blob with this digest is stored."""


class BlobDamaged(ModelwardError):
    """The stored bytes do not match their digest."""


class Kept(NamedTuple):
    """A blob in a store: its digest, size in bytes, and when it was put last, in seconds since 1970."""

    digest: Digest
    size: int
    put_at: float


def digest_of(data: bytes) -> Digest:
    """The SHA-256 of some bytes."""
    return Digest("sha256:" + hashlib.sha256(data).hexdigest())


class Blobs(Protocol):
    """A store of bytes by digest."""

    @property
    def signatures(self) -> Signatures:
        """Who uses the store."""
        ...

    def put(self, chunks: bytes | Iterable[bytes]) -> tuple[Digest, int]:
        """Keep bytes (whole or in pieces) and return their digest and size once they are safe."""
        ...

    def open(self, digest: Digest) -> Iterator[bytes]:
        """Yield the bytes in pieces; the last piece comes only after the digest was checked.

        Raises:
            BlobMissing: nothing is stored under the digest.
            BlobDamaged: the bytes have changed.
        """
        ...

    def get(self, digest: Digest) -> bytes:
        """Return the bytes, checked."""
        ...

    def exists(self, digest: Digest) -> bool:
        """Whether bytes are stored under the digest."""
        ...

    def path(self, digest: Digest) -> Path | None:
        """The file of a blob where the store is a folder, else None."""
        ...

    def sweep(self, *, alone: bool, now: float) -> int:
        """Remove what killed processes left half written, and say how much."""
        ...

    def kept(self) -> Iterator[Kept]:
        """Everything that is stored, in any order."""
        ...

    def remove(self, digests: Iterable[Digest], *, put_before: float) -> list[Kept] | None:
        """Remove the blobs that were put last before a moment, and say which; None: others are putting some just now."""
        ...


def _pieces(chunks: bytes | Iterable[bytes]) -> Iterable[bytes]:
    return (chunks,) if isinstance(chunks, bytes) else chunks


def _checked(pieces: Iterable[bytes], digest: Digest) -> Iterator[bytes]:
    seen, held = hashlib.sha256(), b""
    for piece in pieces:
        seen.update(piece)
        if held:
            yield held
        held = piece
    if seen.hexdigest() != digest.hex:
        raise BlobDamaged(f"The bytes stored as {digest} have the digest sha256:{seen.hexdigest()}.")
    yield held


def _removed(gate: Gate, digests: Iterable[Digest], remove: Callable[[Digest], Kept | None]) -> list[Kept] | None:
    """Remove blobs one by one while nobody puts any; ``remove`` says what it removed, or None where it let a blob be."""
    removed: list[Kept | None] = []
    with gate.removing() as free:
        if not free:
            return None
        for digest in digests:
            if not gate.holds():
                break
            with contextlib.suppress(FileNotFoundError):
                removed.append(remove(digest))
    return [each for each in removed if each]


class FolderBlobs:
    """Blobs as files ``ab/cdef...`` below a folder. A file is flushed before it gets its name, and its folder after."""

    def __init__(self, folder: Path, gate: Gate | None = None) -> None:
        self.folder, self._gate = folder, gate or LocalGate()
        folder.mkdir(parents=True, exist_ok=True)
        self.signatures = FolderSignatures(folder)
        self._known: set[str] = set()

    def sweep(self, *, alone: bool, now: float) -> int:
        """Remove what killed processes left half written, and say how much; what may still be written to stays.

        ``alone``: no other process uses the folder, so whatever is there was left behind.
        """
        removed = 0
        for path in self.folder.glob("incoming-*"):
            # Another process may sweep at the same time.
            with contextlib.suppress(FileNotFoundError):
                if alone or path.stat().st_mtime < now - LEFT_BEHIND_SECONDS:
                    path.unlink()
                    removed += 1
        return removed

    def put(self, chunks: bytes | Iterable[bytes]) -> tuple[Digest, int]:
        """Keep bytes; see ``Blobs.put``."""
        incoming = self.folder / f"incoming-{secrets.token_hex(8)}"
        seen, size = hashlib.sha256(), 0
        try:
            self.signatures.ensure()
            with incoming.open("xb") as file:
                for piece in _pieces(chunks):
                    seen.update(piece)
                    size += len(piece)
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            digest = Digest("sha256:" + seen.hexdigest())
            target = self._file(digest)
            with self._gate.putting():
                if target.exists():
                    os.utime(target)
                else:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    incoming.replace(target)
            # Also when it was there: whoever put it a moment ago may not have come to this yet.
            _flush_folder(target.parent)
            # A folder of blobs is never removed, so its own name needs to reach the disk once.
            if target.parent.name not in self._known:
                _flush_folder(self.folder)
                self._known.add(target.parent.name)
        except OSError as problem:
            raise Unavailable(f"The bytes could not be stored: {problem.strerror or problem}.") from problem
        finally:
            incoming.unlink(missing_ok=True)
        return digest, size

    def open(self, digest: Digest) -> Iterator[bytes]:
        """Yield the bytes; see ``Blobs.open``."""
        path = self._file(digest)
        if not path.exists():
            raise BlobMissing(f"No blob {digest} is stored.")
        return _checked(self._read(path), digest)

    def _read(self, path: Path) -> Iterator[bytes]:
        with path.open("rb") as file:
            while piece := file.read(CHUNK_BYTES):
                yield piece

    def get(self, digest: Digest) -> bytes:
        """Return the bytes; see ``Blobs.get``."""
        return b"".join(self.open(digest))

    def exists(self, digest: Digest) -> bool:
        """Whether bytes are stored under the digest."""
        return self._file(digest).exists()

    def path(self, digest: Digest) -> Path | None:
        """The file of the blob."""
        return self._file(digest)

    def kept(self) -> Iterator[Kept]:
        """Everything that is stored; see ``Blobs.kept``."""
        for path in self.folder.glob("[0-9a-f][0-9a-f]/*"):
            name = path.parent.name + path.name
            if _HEX.fullmatch(name):
                with contextlib.suppress(FileNotFoundError):
                    known = path.stat()
                    yield Kept(Digest(f"sha256:{name}"), known.st_size, known.st_mtime)

    def remove(self, digests: Iterable[Digest], *, put_before: float) -> list[Kept] | None:
        """Remove blobs; see ``Blobs.remove``."""

        def remove(digest: Digest) -> Kept | None:
            path = self._file(digest)
            known = path.stat()
            if known.st_mtime >= put_before:
                return None
            path.unlink()
            return Kept(digest, known.st_size, known.st_mtime)

        return _removed(self._gate, digests, remove)

    def _file(self, digest: Digest) -> Path:
        return self.folder / digest.hex[:2] / digest.hex[2:]


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class BucketBlobs:
    """Blobs as objects ``<prefix>/ab/cdef...`` of an S3 bucket."""

    def __init__(self, url: str, gate: Gate | None = None) -> None:
        """Open a store such as ``s3://bucket/prefix``; credentials and endpoint come from the AWS_* environment."""
        import obstore
        from obstore.store import from_url

        self._obstore, self._url, self._gate = obstore, url, gate or LocalGate()
        self._options = {"allow_http": True} if os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://") else {}
        self._store = from_url(url, client_options=self._options)  # type: ignore[call-overload]
        self.signatures = BucketSignatures(obstore, self._store)

    def sweep(self, *, alone: bool, now: float) -> int:
        """Nothing to do: an object is there whole or not at all."""
        return 0

    def check(self) -> None:
        """See that the bucket is there. One that does not answer now may do so later, so it is not refused.

        Raises:
            Invalid: there is no such bucket, or the credentials are wrong.
        """
        from obstore.exceptions import BaseError
        from obstore.store import from_url

        options = {**self._options, "timeout": "5s", "connect_timeout": "3s"}
        probe = from_url(self._url, client_options=options, retry_config={"max_retries": 0})  # type: ignore[call-overload]
        try:
            self._obstore.list_with_delimiter(probe, prefix="00/00")
            self.signatures.quick = probe
        except (BaseError, FileNotFoundError) as problem:
            told = " ".join(str(problem).split())
            wrong = next((code for code in WRONG_BUCKET if code in told), None)
            if wrong:
                raise Invalid(
                    f"The store {self._url} cannot be used: the object store answers {wrong}.",
                    field="store",
                    hint="Make the bucket, or mend its name, AWS_ENDPOINT_URL and the credentials in AWS_*.",
                ) from problem
            log.warning("The store %s could not be looked at: %s", self._url, told[:300])

    def put(self, chunks: bytes | Iterable[bytes]) -> tuple[Digest, int]:
        """Keep bytes; see ``Blobs.put``. They pass through a temporary file, since their name is their digest."""
        import tempfile

        self.signatures.ensure()
        seen, size = hashlib.sha256(), 0
        with tempfile.TemporaryFile() as file:
            for piece in _pieces(chunks):
                seen.update(piece)
                size += len(piece)
                file.write(piece)
            file.seek(0)
            digest = Digest("sha256:" + seen.hexdigest())
            with self._gate.putting():
                if not self._is_fresh(digest):
                    with as_unavailable():
                        self._obstore.put(self._store, self._key(digest), file)
        return digest, size

    def open(self, digest: Digest) -> Iterator[bytes]:
        """Yield the bytes; see ``Blobs.open``."""
        try:
            with as_unavailable():
                answer = self._obstore.get(self._store, self._key(digest))
        except FileNotFoundError as problem:
            raise BlobMissing(f"No blob {digest} is stored.") from problem
        return _checked((bytes(piece) for piece in answer), digest)

    def get(self, digest: Digest) -> bytes:
        """Return the bytes; see ``Blobs.get``."""
        return b"".join(self.open(digest))

    def exists(self, digest: Digest) -> bool:
        """Whether bytes are stored under the digest."""
        try:
            with as_unavailable():
                self._obstore.head(self._store, self._key(digest))
        except FileNotFoundError:
            return False
        return True

    def _is_fresh(self, digest: Digest) -> bool:
        try:
            with as_unavailable():
                known = self._obstore.head(self._store, self._key(digest))
        except FileNotFoundError:
            return False
        return known["last_modified"].timestamp() > time.time() - FRESH_SECONDS

    def path(self, digest: Digest) -> Path | None:
        """None: an object has no file."""
        return None

    def kept(self) -> Iterator[Kept]:
        """Everything that is stored; see ``Blobs.kept``."""
        with as_unavailable():
            for chunk in self._obstore.list(self._store):
                for each in chunk:
                    name = each["path"].replace("/", "")
                    if _HEX.fullmatch(name):
                        yield Kept(Digest(f"sha256:{name}"), each["size"], each["last_modified"].timestamp())

    def remove(self, digests: Iterable[Digest], *, put_before: float) -> list[Kept] | None:
        """Remove blobs; see ``Blobs.remove``."""

        def remove(digest: Digest) -> Kept | None:
            with as_unavailable():
                known = self._obstore.head(self._store, self._key(digest))
                put_at = known["last_modified"].timestamp()
                if put_at >= put_before:
                    return None
                self._obstore.delete(self._store, self._key(digest))
            return Kept(digest, known["size"], put_at)

        return _removed(self._gate, digests, remove)

    def _key(self, digest: Digest) -> str:
        return f"{digest.hex[:2]}/{digest.hex[2:]}"


def open_blobs(store: str, gate: Gate | None = None) -> Blobs:
    """Open the store that a setting names: a folder, or ``s3://bucket/prefix``; ``gate`` is that of all who share it.

    Raises:
        Invalid: the text names another kind of store, or a bucket that is not there.
    """
    kind, separator, place = store.partition("://")
    if kind == "s3" and separator and place.partition("/")[0]:
        bucket = BucketBlobs(store, gate)
        bucket.check()
        return bucket
    if separator and kind != "file":
        # What follows may hold a password, so it is not shown.
        raise Invalid(f"{kind}:// is not a store Modelward knows: give a folder or s3://bucket/prefix.", field="store")
    folder = Path(store.removeprefix("file://"))
    try:
        return FolderBlobs(folder, gate)
    except OSError as problem:
        raise Invalid(f"The store {folder} cannot be used: {problem.strerror}.", field="store") from problem
