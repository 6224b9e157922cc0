"""A real PostgreSQL on a free port with its own data folder, as shipped: every commit is flushed. Never runs as root."""

import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.processes import Tree
from benchmarks.servers import free_port

USERS = ("postgres", "nobody")
START_SECONDS_MAX = 60.0


class PostgresUnavailable(RuntimeError):
    """No PostgreSQL can be started here."""


def _binaries() -> Path:
    found = [Path(each) for each in (os.environ.get("POSTGRES_BIN"),) if each]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda each: int(each.parent.name), reverse=True)
    on_path = shutil.which("postgres")
    found += [Path(on_path).parent] if on_path else []
    for each in found:
        if (each / "initdb").exists():
            return each
    raise PostgresUnavailable("No PostgreSQL was found; install its server, or say where with POSTGRES_BIN=/.../bin.")


def _as_user() -> tuple[list[str], int | None]:
    """What to put before a command so that it does not run as root, and that user's number."""
    if os.geteuid():
        return [], None
    for name in USERS:
        try:
            number = pwd.getpwnam(name).pw_uid
        except KeyError:
            continue
        if shutil.which("setpriv"):
            group = pwd.getpwnam(name).pw_gid
            return ["setpriv", f"--reuid={number}", f"--regid={group}", "--clear-groups", "--"], number
        if shutil.which("runuser"):
            return ["runuser", "-u", name, "--"], number
    raise PostgresUnavailable("PostgreSQL does not run as root, and there is no setpriv or runuser to change the user.")


@contextmanager
def postgres(folder: Path) -> Iterator[tuple[str, Tree]]:
    """The URL of an empty database and the processes that serve it; all is gone after the block.

    Raises:
        PostgresUnavailable: it cannot be started; the message has its last words.
    """
    binaries, (prefix, user) = _binaries(), _as_user()
    home = folder / "postgres"
    home.mkdir()
    if user is not None:
        os.chown(home, user, -1)
        for above in (folder, *folder.parents):  # tempfile makes folders that only we may enter
            if above.stat().st_uid == os.geteuid() and not above.stat().st_mode & 0o001:
                above.chmod(above.stat().st_mode | 0o111)
    data = home / "data"
    made = subprocess.run(
        [*prefix, str(binaries / "initdb"), "-D", str(data), "-U", "modelward", "-A", "trust", "-E", "UTF8", "--locale=C"],
        capture_output=True, text=True, cwd=home,
    )  # fmt: skip
    if made.returncode:
        raise PostgresUnavailable(f"initdb failed: {made.stderr.strip()[-400:]}")
    port = free_port()
    log = (home / "log").open("wb")
    process = subprocess.Popen(
        [*prefix, str(binaries / "postgres"), "-D", str(data), "-p", str(port), "-h", "127.0.0.1", "-k", str(home)],
        stdout=log, stderr=subprocess.STDOUT, cwd=home, start_new_session=True,
    )  # fmt: skip
    tree = Tree(process.pid)
    try:
        _wait(binaries, port, Path(log.name))
        yield f"postgresql://modelward@127.0.0.1:{port}/postgres", tree
    finally:
        process.send_signal(2)  # SIGINT is the fast shutdown: it does not wait for clients
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            tree.end(seconds_max=1)
            process.wait(5)
        log.close()


def _wait(binaries: Path, port: int, log: Path) -> None:
    until = time.monotonic() + START_SECONDS_MAX
    asked = [str(binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    while subprocess.run(asked).returncode:
        if time.monotonic() > until:
            raise PostgresUnavailable(f"PostgreSQL did not start: {log.read_text(errors='replace')[-400:]}")
        time.sleep(0.1)
