"""The servers that are measured: how each is started on a folder and a port, when it is ready, and how it is stopped."""

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks import environments
from benchmarks.processes import Tree

READY_SECONDS_MAX = 240.0
POLL_SECONDS = 0.01
CALM_SECONDS = 3.0
# MLflow's idle processes use 2 to 3 % of a core all the time.
CALM_SHARE = 0.05


class ServerFailed(RuntimeError):
    """A server did not start or ended by itself."""


class Recipe(NamedTuple):
    """How to start a server: the command for a folder and a port, and the path that answers 200 once it serves."""

    name: str
    command: Callable[[Path, int], list[str]]
    probe: str
    environment: dict[str, str] = {}


class Server:
    """A running server and the folder it lives in."""

    def __init__(self, recipe: Recipe, folder: Path, *, extra: tuple[str, ...] = ()) -> None:
        """Start it; it is not ready yet."""
        self.name, self.folder, self.port, self._probe = recipe.name, folder, free_port(), recipe.probe
        folder.mkdir(parents=True, exist_ok=True)
        self._log = (folder / f"server-{self.port}.log").open("wb")
        ours = {key: value for key, value in os.environ.items() if not key.startswith(("MODELWARD_", "MLFLOW_"))}
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            [*recipe.command(folder, self.port), *extra], cwd=folder, env={**ours, **recipe.environment},
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        self.tree = Tree(self.process.pid)

    def wait_ready(self, *, seconds_max: float = READY_SECONDS_MAX) -> float:
        """Wait for the first 200 and return the seconds since the start.

        Raises:
            ServerFailed: it ended, or took too long; the message has the end of its log.
        """
        scan_at = 0.0
        while time.perf_counter() - self.began < seconds_max:
            if self._answers():
                return time.perf_counter() - self.began
            if self.process.poll() is not None:
                break
            if time.perf_counter() > scan_at:
                self.tree.members()  # so that processes that are orphaned later are known
                scan_at = time.perf_counter() + 0.5
            time.sleep(POLL_SECONDS)
        raise ServerFailed(f"{self.name} did not begin to serve: {self.last_words()}")

    def wait_calm(self, *, seconds_max: float = 90.0) -> None:
        """Wait until the tree has used nearly no CPU for a few seconds, or the time is over."""
        until = time.monotonic() + seconds_max
        while time.monotonic() < until:
            before = self.tree.cpu_seconds()
            time.sleep(CALM_SECONDS)
            if self.tree.cpu_seconds() - before < CALM_SHARE * CALM_SECONDS:
                return

    def last_words(self) -> str:
        """The end of the log."""
        self._log.flush()
        return Path(self._log.name).read_text(errors="replace")[-800:].strip() or "it said nothing"

    def stop(self) -> None:
        """Stop all of it."""
        self.tree.end()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        self._log.close()

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", self._probe)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(recipe: Recipe, folder: Path, *, extra: tuple[str, ...] = ()) -> Iterator[Server]:
    """A server that is ready, and stopped afterwards."""
    server = Server(recipe, folder, extra=extra)
    try:
        server.wait_ready()
        yield server
    finally:
        server.stop()


def modelward(*, name: str = "modelward") -> Recipe:
    """Modelward as a user starts it: SQLite in a new folder, flushed to disk, signed in, with its event log."""
    program = Path(sys.executable).with_name("modelward")
    return Recipe(
        name,
        lambda folder, port: [str(program), "serve", "--home", str(folder / "home"), "--port", str(port)],
        "/healthz",
    )


def moto() -> Recipe:
    """moto's server: everything in memory, nobody has to sign."""
    python = environments.python_of("moto")
    return Recipe(
        "moto",
        lambda _folder, port: [str(python), "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        "/moto-api/",
    )


def mlflow(*, workers: int | None = None) -> Recipe:
    """MLflow's server on SQLite; without ``workers`` as many as it takes by itself."""
    python = environments.python_of("mlflow")
    fixed = [] if workers is None else ["--workers", str(workers)]

    def command(folder: Path, port: int) -> list[str]:
        where = [
            "--backend-store-uri",
            f"sqlite:///{folder / 'mlflow.db'}",
            "--artifacts-destination",
            str(folder / "artifacts"),
        ]
        return [str(python), "-m", "mlflow", "server", *where, "--host", "127.0.0.1", "--port", str(port), *fixed]

    called = "mlflow" if workers is None else f"mlflow, {workers} worker"
    # Its telemetry would only add to what it costs.
    return Recipe(
        called, command, "/health", {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "PATH": _path(python)}
    )


def evidently() -> Recipe:
    """Evidently's user interface on an empty workspace."""
    python = environments.python_of("evidently")
    program = python.with_name("evidently")
    return Recipe(
        "evidently ui",
        lambda folder, port: [str(program), "ui", "--workspace", str(folder / "workspace"), "--port", str(port)],
        "/api/projects",
        {"DO_NOT_TRACK": "1", "PATH": _path(python)},
    )


def _path(python: Path) -> str:
    return f"{python.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
