"""How `modelward doctor` reads what is kept without changing anything: through the server, or from the database itself.

A SQLite file that nobody holds is opened as immutable, or as a copy where a crash has left changes in a log beside it,
because even a read-only connection would begin to recover it.
"""

import contextlib
import json
import shutil
import sqlite3
import tempfile
import urllib.error
import urllib.request
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from modelward.home import Home
from modelward.jobs import queue
from modelward.jobs.queue import JobState
from modelward.kernel.clock import moment
from modelward.kernel.errors import Unavailable
from modelward.sdk import Client
from modelward.sdk.transports import HttpTransport
from modelward.settings import Settings
from modelward.storage import event_log

HEALTH_SECONDS_MAX = 5
CONNECT_SECONDS_MAX = 3
COPY_BYTES_MAX = 1 << 30


class ToldJob(NamedTuple):
    """A job, as far as the doctor needs it."""

    id: str
    kind: str
    run_at: datetime
    error: str


class ToldChain(NamedTuple):
    """How the chain of the event log was found: how many entries, and the first breaks."""

    events: int
    breaks: list[str]


class Kept(Protocol):
    """What is kept, from whichever side it is read."""

    def schema(self) -> str | None:
        """The number of the schema; None where it cannot be seen from this side."""
        ...

    def chain(self) -> ToldChain:
        """Verify the event log."""
        ...

    def newest_event_at(self) -> datetime | None:
        """When the newest event was written."""
        ...

    def jobs(self, state: JobState) -> list[ToldJob]:
        """The newest jobs in a state."""
        ...


class KeptByServer:
    """What a server keeps, asked over HTTP."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def schema(self) -> str | None:
        """None: a server that runs has the schema of its version."""
        return None

    def chain(self) -> ToldChain:
        """Let the server verify its event log."""
        report = self._client.events.verify()
        return ToldChain(
            report["events"], [f"entry {each['sequence']}: {each['problem']}" for each in report["breaks"]]
        )

    def newest_event_at(self) -> datetime | None:
        """The time of the newest event."""
        newest = self._client.events.list(limit=1)
        return moment(newest[0]["at"]) if newest else None

    def jobs(self, state: JobState) -> list[ToldJob]:
        """Ask for the jobs in a state."""
        found = self._client.get("/jobs", state=state.value, limit=1000)
        return [ToldJob(each["id"], each["kind"], moment(each["run_at"]), each["error"] or "") for each in found]


class KeptInDatabase:
    """What a database holds, read from it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def schema(self) -> str | None:
        """The number of the last migration that was run."""
        if not sa.inspect(self._connection).has_table("alembic_version"):
            return ""
        return str(self._connection.scalar(sa.text("SELECT version_num FROM alembic_version")) or "")

    def chain(self) -> ToldChain:
        """Verify the event log."""
        report = event_log.verify(self._connection)
        return ToldChain(report.events, [f"entry {each.sequence}: {each.problem}" for each in report.breaks])

    def newest_event_at(self) -> datetime | None:
        """The time of the newest event."""
        newest = event_log.read(self._connection, limit=1)
        return newest[0].at if newest else None

    def jobs(self, state: JobState) -> list[ToldJob]:
        """The newest jobs in a state."""
        found = queue.list_jobs(self._connection, state=state, limit=1000)
        return [ToldJob(each.id, each.kind, each.run_at, each.error or "") for each in found]


class Health(NamedTuple):
    """Whether a server answers at an address, and which version it is."""

    answers: bool
    ready: bool
    version: str
    problem: str


def ask_health(url: str) -> Health:
    """Ask a server how it is; patient for seconds only, and never through a proxy."""
    try:
        with _fetch(url + "/healthz"):
            pass
        with _fetch(url + "/api/v1/openapi.json") as answer:
            version = json.loads(answer.read())["info"]["version"]
    except urllib.error.HTTPError as problem:
        return Health(True, False, "", f"it answers {problem.code}")
    except (OSError, ValueError, KeyError) as problem:
        return Health(False, False, "", str(getattr(problem, "reason", problem)))
    return Health(True, True, str(version), "")


def _fetch(url: str) -> Any:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return opener.open(url, timeout=HEALTH_SECONDS_MAX)


def from_server(url: str, token: str, stack: contextlib.ExitStack) -> Kept:
    """Read through a server."""
    return KeptByServer(stack.enter_context(Client(HttpTransport(url), token=token)))


def from_database(settings: Settings, home: Home, *, taken: bool, stack: contextlib.ExitStack) -> Kept | None:
    """Read from the database itself; None when there is none yet.

    Raises:
        Unavailable: it cannot be read without a risk to change it, or PostgreSQL's driver is missing.
    """
    if settings.uses_postgres:
        return KeptInDatabase(stack.enter_context(_postgres(settings.database_url).connect()))
    file = home.folder / "modelward.db"
    if not file.exists():
        return None
    return KeptInDatabase(stack.enter_context(_sqlite(file, taken=taken, stack=stack).connect()))


def _postgres(url: str) -> sa.Engine:
    try:
        return sa.create_engine(
            sa.make_url(url).set(drivername="postgresql+psycopg"),
            isolation_level="REPEATABLE READ",
            connect_args={"connect_timeout": CONNECT_SECONDS_MAX},
            execution_options={"postgresql_readonly": True},
        )
    except ModuleNotFoundError as problem:
        raise Unavailable(
            "PostgreSQL needs the driver psycopg, which is not installed.", hint="pip install 'modelward[postgres]'"
        ) from problem


def _sqlite(file: Path, *, taken: bool, stack: contextlib.ExitStack) -> sa.Engine:
    log = file.with_name(file.name + "-wal")
    options = "mode=ro"
    if not taken and log.exists() and log.stat().st_size:
        file = _copy(file, log, Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="modelward-doctor-"))))
    elif not taken:
        options = "mode=ro&immutable=1"
    where = f"file:{quote(str(file))}?{options}"
    return sa.create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(where, uri=True, timeout=CONNECT_SECONDS_MAX),
        poolclass=sa.NullPool,
    )


def _copy(file: Path, log: Path, folder: Path) -> Path:
    size = file.stat().st_size + log.stat().st_size
    if size > COPY_BYTES_MAX:
        raise Unavailable(
            f"The last server ended without closing its database of {size >> 20} MiB.",
            hint="Start `modelward serve` on this folder, which recovers it, and ask again.",
        )
    shutil.copyfile(log, folder / log.name)
    return shutil.copyfile(file, folder / file.name)
