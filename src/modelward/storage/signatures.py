"""Who uses a store of blobs: each installation leaves a signature there, and how far its event log had come.

What one installation refers to is not known to another, so only who is alone in a store may delete anything from it
(``governance/upkeep``). Nobody puts bytes into a store before having signed.
"""

import contextlib
import logging
import os
import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from modelward.kernel.errors import Unavailable
from modelward.storage.object_errors import as_unavailable

log = logging.getLogger("modelward.blobs")
OWNERS = "owners"
HEADS = "heads"
SEEN_SECONDS = 24 * 3600.0


class Signatures(ABC):
    """The signatures in a store. A mark names an installation, in letters and digits."""

    def __init__(self) -> None:
        self._mark = ""
        self._seen = -SEEN_SECONDS

    def begin(self, mark: str) -> None:
        """Say who uses the store from now on, and sign; where that fails, before the first bytes are put."""
        self._mark, self._seen = mark, -SEEN_SECONDS
        try:
            self._write(OWNERS, mark, b"", quick=True)
            self._seen = time.monotonic()
        except (OSError, Unavailable) as problem:
            log.warning("The store of blobs could not be signed yet: %s", str(problem)[:300])

    def ensure(self) -> None:
        """See that who uses the store has signed, and that nobody struck the signature out since yesterday.

        Raises:
            Unavailable: the store does not take the signature.
            OSError: the same, of a folder.
        """
        now = time.monotonic()
        if self._mark and now - self._seen >= SEEN_SECONDS:
            self._write(OWNERS, self._mark, b"")
            self._seen = now

    def sign(self, mark: str) -> dict[str, float]:
        """Sign if not done yet; tells who has signed, and when, in seconds since 1970.

        Raises:
            Unavailable: the store does not answer.
        """
        with _told():
            self._write(OWNERS, mark, b"")
            return self._signers()

    def take_over(self, mark: str) -> list[str]:
        """Strike out the signatures of all others and sign anew; tells whose. Who still uses the store signs again."""
        with _told():
            others = [each for each in self._signers() if each != mark]
            for each in others:
                self._strike(f"{OWNERS}/{each}")
            self._write(OWNERS, mark, b"", anew=True)
        return others

    def head(self, mark: str) -> str:
        """How far the event log had come when that was noted last; empty: never."""
        with _told():
            return self._read(f"{HEADS}/{mark}")

    def note_head(self, mark: str, head: str) -> None:
        """Note how far the event log has come."""
        with _told():
            self._write(HEADS, mark, head.encode(), anew=True)

    @abstractmethod
    def _write(self, kind: str, mark: str, text: bytes, *, anew: bool = False, quick: bool = False) -> None: ...

    @abstractmethod
    def _read(self, name: str) -> str: ...

    @abstractmethod
    def _strike(self, name: str) -> None: ...

    @abstractmethod
    def _signers(self) -> dict[str, float]: ...


class FolderSignatures(Signatures):
    """Signatures as files below a folder of blobs."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def _write(self, kind: str, mark: str, text: bytes, *, anew: bool = False, quick: bool = False) -> None:
        target = self._folder / kind / mark
        if not anew and target.exists():
            return
        target.parent.mkdir(exist_ok=True)
        if not anew:
            # Whoever was faster was the same installation: its signature stands.
            with contextlib.suppress(FileExistsError), target.open("xb"):
                pass
            return
        incoming = self._folder / f"incoming-{secrets.token_hex(8)}"
        try:
            with incoming.open("xb") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            incoming.replace(target)
        finally:
            incoming.unlink(missing_ok=True)

    def _read(self, name: str) -> str:
        try:
            return (self._folder / name).read_text("ascii")
        except FileNotFoundError:
            return ""

    def _strike(self, name: str) -> None:
        (self._folder / name).unlink(missing_ok=True)

    def _signers(self) -> dict[str, float]:
        return {each.name: each.stat().st_mtime for each in (self._folder / OWNERS).iterdir()}


class BucketSignatures(Signatures):
    """Signatures as objects beside the blobs of a bucket.

    Looked at before they are written: two that write at once make the moment a later one, which only makes a
    collection wait longer, and no store needs to know about writing on a condition.
    """

    def __init__(self, obstore: Any, store: Any) -> None:
        super().__init__()
        self._obstore, self._store = obstore, store
        # A client that gives up soon; None until the bucket was seen to answer.
        self.quick: Any = None

    def _write(self, kind: str, mark: str, text: bytes, *, anew: bool = False, quick: bool = False) -> None:
        if quick and self.quick is None:
            raise Unavailable("It did not answer when it was opened.")
        store, name = self.quick if quick else self._store, f"{kind}/{mark}"
        with as_unavailable():
            if not anew:
                with contextlib.suppress(FileNotFoundError):
                    self._obstore.head(store, name)
                    return
            self._obstore.put(store, name, text)

    def _read(self, name: str) -> str:
        try:
            with as_unavailable():
                return bytes(self._obstore.get(self._store, name).bytes()).decode()
        except FileNotFoundError:
            return ""

    def _strike(self, name: str) -> None:
        with contextlib.suppress(FileNotFoundError), as_unavailable():
            self._obstore.delete(self._store, name)

    def _signers(self) -> dict[str, float]:
        found = {}
        with as_unavailable():
            for chunk in self._obstore.list(self._store, prefix=OWNERS):
                for each in chunk:
                    found[each["path"].rpartition("/")[2]] = each["last_modified"].timestamp()
        return found


@contextlib.contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise Unavailable(f"The store of blobs cannot be signed: {problem.strerror or problem}.") from problem
