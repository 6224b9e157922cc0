"""The data folder: who holds it, where its server is found, and the first owner's secret."""

import contextlib
import fcntl
import json
import os
import time
from pathlib import Path
from typing import IO

from modelward.kernel.errors import Conflict, Invalid, Unavailable

PROBES_SECONDS = 0.2


class HomeTaken(Conflict):
    """Another process holds this data folder."""


class Home:
    """A data folder. With SQLite one process holds it at a time; the holder leaves word where it is to be found."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.expanduser().absolute()
        self._lock: IO[str] | None = None

    def take(self, *, shared: bool = False) -> None:
        """Make the folder if need be and hold it; ``shared`` lets others in beside (PostgreSQL).

        Raises:
            HomeTaken: another process holds it.
            Invalid: the path is no folder, or cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = (self.folder / "lock").open("a+")
        except OSError as problem:
            why = "it is a file" if self.folder.is_file() else problem.strerror
            raise Invalid(
                f"The data folder {self.folder} cannot be used: {why}.",
                field="home",
                hint="Mend its owner and mode, or give another folder with MODELWARD_HOME.",
            ) from problem
        try:
            _lock_soon(lock, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        except OSError as problem:
            lock.close()
            found = self.server()
            where = f" The server at {found['url']} (process {found['pid']}) has it." if found else ""
            raise HomeTaken(
                f"The data folder {self.folder} is in use by another process.{where}",
                hint="Use that server, stop it, or give another folder with MODELWARD_HOME.",
            ) from problem
        self._lock = lock
        if not shared:
            # A server that was killed could not take back its word.
            (self.folder / "server.json").unlink(missing_ok=True)

    def release(self) -> None:
        """Let go of the folder and take back the word where the server is."""
        if self._lock is None:
            return
        found = self.server()
        if found and found["pid"] == os.getpid():
            (self.folder / "server.json").unlink(missing_ok=True)
        self._lock.close()
        self._lock = None

    def is_taken(self) -> bool:
        """Whether another process holds the folder."""
        if not (self.folder / "lock").exists():
            return False
        with (self.folder / "lock").open("a+") as probe:
            try:
                fcntl.flock(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return True
        return False

    def announce(self, url: str) -> None:
        """Leave word where the server of this folder is found."""
        self._write_private("server.json", json.dumps({"url": url, "pid": os.getpid()}))

    def server(self) -> dict[str, str | int] | None:
        """Where the server of this folder is: its url and process id; None when nobody has left word."""
        with contextlib.suppress(OSError, ValueError):
            found = json.loads((self.folder / "server.json").read_text())
            if isinstance(found, dict) and {"url", "pid"} <= set(found):
                return found
        return None

    def keep_owner_secret(self, secret: str) -> None:
        """Keep the first owner's token in a file that only the user of this process can read."""
        self._write_private("owner-token", secret + "\n")

    def owner_secret(self) -> str:
        """The first owner's token.

        Raises:
            Unavailable: the file is not there or may not be read.
        """
        try:
            return (self.folder / "owner-token").read_text().strip()
        except OSError as problem:
            raise Unavailable(
                f"No owner token can be read in {self.folder}: {problem.strerror}.",
                hint="Give a token with MODELWARD_TOKEN, or start `modelward serve` on this folder once.",
            ) from problem

    def _write_private(self, name: str, text: str) -> None:
        temporary = self.folder / f".{name}.{os.getpid()}"
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.folder / name)


def _lock_soon(lock: IO[str], kind: int) -> None:
    # Who only asks whether the folder is taken holds the lock for an instant; that must not turn a server away.
    until = time.monotonic() + PROBES_SECONDS
    while True:
        try:
            fcntl.flock(lock, kind | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)
