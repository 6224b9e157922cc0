"""A PostgreSQL of our own: on a free port of the loopback, with fsync, under a user who is not root."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

from support.servers import free_port

START_SECONDS_MAX = 30


def binaries() -> Path | None:
    """The newest folder of PostgreSQL's programs on this machine."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda each: int(each.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


class Postgres:
    """A server with its data in a temporary folder. It can be crashed as by a power cut of the machine's processes."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._user = _unprivileged_user()
        self.folder = Path(tempfile.mkdtemp(prefix="modelward-postgres-", dir="/tmp"))
        self.port = int(free_port())
        self._process: subprocess.Popen[bytes] | None = None
        self._made = 0
        if self._user:
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
        subprocess.run(
            [*self._as_user(), str(programs / "initdb"), "-D", str(self.folder / "data"), "-U", "modelward",
             "-A", "trust", "-E", "UTF8", "--locale", "C", "--no-sync"],
            check=True, capture_output=True, cwd="/tmp",
        )  # fmt: skip

    def start(self) -> None:
        """Start, and wait until it answers."""
        settings = {
            "listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": "", "fsync": "on",
            "max_connections": 200, "shared_buffers": "32MB", "log_min_messages": "fatal",
        }  # fmt: skip
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._as_user(), str(self._programs / "postgres"), "-D", str(self.folder / "data"), *options],
                stdout=log, stderr=log, cwd="/tmp",
            )  # fmt: skip
        until = time.monotonic() + START_SECONDS_MAX
        while True:
            try:
                self.run("SELECT 1")
                return
            except psycopg.OperationalError:
                if time.monotonic() > until or self._process.poll() is not None:
                    raise RuntimeError((self.folder / "log").read_text()) from None
                time.sleep(0.05)

    def stop(self) -> None:
        """Stop by process id and remove the data."""
        if self._process:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(START_SECONDS_MAX)
            self._process = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def crash(self) -> None:
        """Kill every process of the server at once, as a power cut would, without a chance to write anything more."""
        assert self._process is not None
        postmaster = self._process.pid
        os.kill(postmaster, signal.SIGSTOP)
        family = [*_children(postmaster), postmaster]
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait(START_SECONDS_MAX)
        # A surviving backend would keep the shared memory in use.
        while any(Path(f"/proc/{pid}").exists() and _state(pid) != "Z" for pid in family[:-1]):
            time.sleep(0.01)
        (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)

    def new_database(self, template: str = "template1") -> str:
        """Make an empty database, or a copy of another, and return its name."""
        self._made += 1
        name = f"test_{self._made}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever is connected."""
        self.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def url(self, database: str) -> str:
        """The address of a database as Modelward takes it."""
        return f"postgresql://modelward@127.0.0.1:{self.port}/{database}"

    def run(self, statement: str, *, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run a statement outside of Modelward and return its rows."""
        with psycopg.connect(self.url(database), autocommit=True, connect_timeout=5) as connection:
            cursor = connection.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []

    def _as_user(self) -> list[str]:
        if self._user is None:
            return []
        ids = [f"--reuid={self._user.pw_uid}", f"--regid={self._user.pw_gid}", "--clear-groups"]
        return ["setpriv", *ids, "--"]


def _unprivileged_user() -> pwd.struct_passwd | None:
    """Whom to become: nobody else, unless we are root, whom PostgreSQL refuses."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise RuntimeError("PostgreSQL does not run as root, and there is neither a user postgres nor nobody.")


def _children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _state(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return "Z"
