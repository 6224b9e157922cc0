"""Real servers: `modelward serve` as a process, killed or stopped by its id."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

from modelward.home import Home
from modelward.sdk import Client
from modelward.sdk.transports import HttpTransport

READY_SECONDS_MAX = 40


def free_port() -> str:
    """A port that nobody uses just now, for a server that must come back to the same one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


class Server:
    """`modelward serve` on a data folder and a free port. It is ready when the block begins, and gone when it ends."""

    def __init__(self, folder: Path, *options: str, prelude: str = "", **environment: str) -> None:
        """Prepare a server; ``prelude`` is Python that the process runs first, to arm a crash point."""
        self.home = Home(folder)
        program = f"{prelude}\nfrom modelward.cli.main import main; main()"
        self._command = [sys.executable, "-c", program, "serve", "--home", str(folder), "--port", "0", *options]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MODELWARD_")}
        self._environment = {**kept, "PYTHONUNBUFFERED": "1", **environment}
        self.process: subprocess.Popen[bytes] | None = None
        self._log = folder.parent / f"{folder.name}.log"

    def __enter__(self) -> Self:
        self.begin()
        self.wait_until_ready()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def begin(self) -> None:
        """Start the process without waiting."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(self._command, stderr=log, stdout=log, env=self._environment)

    def wait_until_ready(self) -> None:
        """Wait until it answers."""
        assert self.process is not None
        until = time.monotonic() + READY_SECONDS_MAX
        while time.monotonic() < until and self.process.poll() is None:
            found = self.home.server()
            if found and found["pid"] == self.process.pid:
                with contextlib.suppress(OSError), urllib.request.urlopen(f"{found['url']}/healthz", timeout=5):
                    return
            time.sleep(0.01)
        raise RuntimeError(f"The server did not start: {self.log()}")

    @property
    def url(self) -> str:
        """Where it is found."""
        found = self.home.server()
        assert found is not None
        return str(found["url"])

    def client(self) -> Client:
        """A client of the owner."""
        return Client(HttpTransport(self.url), token=self.home.owner_secret())

    def kill(self) -> None:
        """End it as ``kill -9`` does."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def stop(self) -> int:
        """Ask it to end and return its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def log(self) -> str:
        """What it wrote."""
        return self._log.read_text() if self._log.exists() else ""
