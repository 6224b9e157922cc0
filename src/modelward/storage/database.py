"""Rows in SQLite or PostgreSQL by the same code: one writing thread with group commit, readers apart.

Units of work that wait at the same moment share one transaction and one flush to disk; a SAVEPOINT keeps them apart, so
that one that fails takes nobody with it. A unit is acknowledged only after the commit that holds it has returned.
"""

import contextlib
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import NullPool

from modelward.kernel.errors import Invalid, Unavailable
from modelward.storage.connections import Memory, QuickConnection

T = TypeVar("T")
Unit = Callable[[Connection], T]

BATCH_UNITS_MAX = 256
# The share of the writer's time that work in the background has when people wait for other work.
BACKGROUND_SHARE = 0.1
BACKGROUND_WAITS_SECONDS_MAX = 1.0
PAUSE_SECONDS = 0.02
READERS_MAX = 8
# Any fixed number serves: all writers of one installation queue up on this PostgreSQL lock.
WRITER_LOCK = 0x6D6F64656C
# An integer of more than 64 bits, a text with NUL: the fault of who sent it.
UNKEEPABLE = (OverflowError, sa.exc.DataError)
CRASH_POINTS: dict[str, Callable[[], None]] = {}


class StoreBroken(Unavailable):
    """The database failed while it was writing to disk, so this process must not write any more: restart it."""


class WriteNotKept(Unavailable):
    """The write was not kept; nothing was changed."""


class WriteUnknown(Unavailable):
    """The database was lost while it committed, so it is not known whether the write was kept."""


class _Waiting(NamedTuple):
    unit: Unit[Any]
    future: Future[Any]
    later: bool


class _Done(NamedTuple):
    future: Future[Any]
    result: Any
    error: BaseException | None


class Database:
    """A database with one writer.

    SQLite: ``synchronous=FULL`` (an acknowledged commit survives a power cut), and the writing connection is the only
    one that ever checkpoints, which keeps clear of the WAL-reset defect of SQLite before 3.51.3.
    PostgreSQL: writers of all processes take turns by an advisory lock, so both dialects see the same serial order.
    """

    def __init__(self, url: str) -> None:
        self.url = sa.make_url(url)
        self.dialect = self.url.get_backend_name()
        if self.dialect not in ("sqlite", "postgresql"):
            raise Invalid(
                f"{self.dialect!r} is not a database Modelward knows: use sqlite or postgresql.", field="database_url"
            )
        self._inbox: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._later: list[_Waiting] = []
        self._later_from = self._pause_from = 0.0
        self._lane = threading.local()
        self._door = threading.Lock()
        self._broken: BaseException | None = None
        self._closed = False
        self.on_broken: Callable[[BaseException], None] | None = None
        self._prepared: Memory = {}
        self._writing = self._engine(writes=True)
        self._reading = self._engine(writes=False)
        self._readers: list[QuickConnection] = []
        self._thread = threading.Thread(target=self._write_for_ever, name="modelward-writer", daemon=True)
        self._thread.start()

    @classmethod
    def in_folder(cls, folder: Path) -> "Database":
        """Open (or make) the SQLite database of a data folder."""
        return cls(f"sqlite:///{folder / 'modelward.db'}")

    def read(self, unit: Unit[T]) -> T:
        """Run a unit that only reads, on one consistent snapshot.

        Raises:
            Unavailable: the database cannot be reached.
        """
        try:
            with self._reader() as connection:
                return unit(connection)
        except UNKEEPABLE as problem:
            raise _unkeepable(problem) from problem
        except sa.exc.OperationalError as problem:
            raise Unavailable(f"The database cannot be read: {problem.orig}", hint="Try again.") from problem

    @contextlib.contextmanager
    def _reader(self) -> Iterator[Connection]:
        if self.dialect != "sqlite":
            with QuickConnection.on(self._reading, self._prepared) as connection:
                yield connection
            return
        # Kept open and handed on, the last one first; as many as there are threads that read at the same time.
        try:
            connection = self._readers.pop()
        except IndexError:
            connection = QuickConnection.on(self._reading, self._prepared)
        try:
            connection.run_text("BEGIN")
            yield connection
        finally:
            connection.run_text("ROLLBACK")
            self._readers.append(connection)
            if self._closed:
                self._dismiss_readers()

    def _dismiss_readers(self) -> None:
        with contextlib.suppress(IndexError):
            while True:
                self._readers.pop().close()

    def write(self, unit: Unit[T]) -> T:
        """Run a unit and return when its commit is on disk. What it raises is raised here, with nothing kept.

        Raises:
            StoreBroken: an earlier commit failed on disk.
            WriteNotKept: the disk is full, or the database could not be reached.
            WriteUnknown: the database went away during the commit.
        """
        if threading.current_thread() is self._thread:
            raise RuntimeError("A unit of work must not wait for another: it would wait for itself.")
        return self.submit(unit).result()

    def submit(self, unit: Unit[T]) -> "Future[T]":
        """Queue a unit for the writer; the future is done after its commit. A unit is short and does no other I/O."""
        future: Future[T] = Future()
        with self._door:
            if not (self._closed or self._broken):
                self._inbox.put(_Waiting(unit, future, getattr(self._lane, "later", False)))
                return future
        future.set_exception(self._broken_error())
        return future

    @contextlib.contextmanager
    def in_background(self) -> Iterator[None]:
        """What this thread writes in here lets the writes of others go first, but not for ever."""
        self._lane.later = True
        try:
            yield
        finally:
            self._lane.later = False

    def close(self) -> None:
        """Finish what is queued, then close: readers first, so that the writer's connection checkpoints last."""
        with self._door:
            if self._closed:
                return
            self._closed = True
            self._inbox.put(None)
        self._thread.join()
        self._dismiss_readers()
        self._reading.dispose()
        self._writing.dispose()

    def _broken_error(self) -> StoreBroken:
        return StoreBroken(
            "The database is closed." if self._closed else f"The database failed: {self._broken}. Restart Modelward."
        )

    def _write_for_ever(self) -> None:
        connection: QuickConnection | None = None
        while batch := self._next_batch():
            # Once taken up, a unit can no longer be cancelled by a client that has gone away.
            wanted = [waiting for waiting in batch if waiting.future.set_running_or_notify_cancel()]
            try:
                connection = connection or QuickConnection.on(self._writing, self._prepared)
            except sa.exc.DBAPIError as problem:
                self._refuse(wanted, WriteNotKept(f"The database cannot be opened: {problem.orig}"))
                continue
            self._write_batch(connection, wanted)
        if connection is not None:
            connection.close()

    def _next_batch(self) -> list[_Waiting]:
        """Wait for units and take them up; none means the end. Those in the background wait for a pause or their share."""
        batch: list[_Waiting] = []
        ends = False
        with contextlib.suppress(queue.Empty):
            while len(batch) < BATCH_UNITS_MAX:
                item = self._inbox.get_nowait() if batch else self._inbox.get(timeout=self._patience())
                if item is None:
                    ends = True
                    break
                (self._later if item.later else batch).append(item)
        if batch:
            self._pause_from = time.monotonic() + PAUSE_SECONDS
        if ends or not batch or time.monotonic() >= self._later_from:
            batch += self._later
            self._later = []
        if ends and batch:
            self._inbox.put(None)
        return batch

    def _patience(self) -> float | None:
        """How long those in the background go on waiting for others to come first; None: there are none."""
        if not self._later:
            return None
        return max(0.0, min(self._pause_from, self._later_from) - time.monotonic())

    def _write_batch(self, connection: QuickConnection, batch: list[_Waiting]) -> None:
        if self._broken:
            self._refuse(batch, self._broken_error())
            return
        done: list[_Done] = []
        committing = False
        try:
            self._begin(connection)
            for waiting in batch:
                done.append(_Done(waiting.future, *self._run_in_turn(connection, waiting)))
            self._crash_point("before-commit")
            committing = True
            connection.run_text("COMMIT")
            self._crash_point("after-commit")
        except BaseException as problem:  # noqa: BLE001 - a failed flush may have kept half the pages: stop, never retry
            self._refuse(batch, self._give_up(connection, problem, committing=committing))
            return
        for future, result, error in done:
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

    def _begin(self, connection: QuickConnection) -> None:
        if not connection.in_transaction():
            # Else SQLAlchemy rolls back all units when a statement of one fails: it does not see the BEGIN below.
            connection.begin()
        if self.dialect == "sqlite":
            connection.run_text("BEGIN IMMEDIATE")
        else:
            connection.run_text("BEGIN")
            connection.run_text(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})")

    def _run_in_turn(self, connection: QuickConnection, waiting: _Waiting) -> tuple[Any, BaseException | None]:
        if not waiting.later:
            return self._run_apart(connection, waiting.unit)
        begun = time.monotonic()
        answer = self._run_apart(connection, waiting.unit)
        ended = time.monotonic()
        owed = max(self._later_from, ended) + (ended - begun) * (1 / BACKGROUND_SHARE - 1)
        self._later_from = min(owed, ended + BACKGROUND_WAITS_SECONDS_MAX)
        return answer

    def _run_apart(self, connection: QuickConnection, unit: Unit[Any]) -> tuple[Any, BaseException | None]:
        connection.run_text("SAVEPOINT unit")
        try:
            result = unit(connection)
        except Exception as problem:
            if _disk_is_full(problem):
                # SQLite may have rolled back the whole transaction by itself; nothing of the batch may be kept.
                raise
            connection.run_text("ROLLBACK TO SAVEPOINT unit")
            connection.run_text("RELEASE SAVEPOINT unit")
            return None, _unkeepable(problem) if isinstance(problem, UNKEEPABLE) else problem
        connection.run_text("RELEASE SAVEPOINT unit")
        return result, None

    def _give_up(self, connection: QuickConnection, problem: BaseException, *, committing: bool) -> Unavailable:
        """Put the connection in order again if it may be, and tell what those who wait are to know."""
        with contextlib.suppress(sa.exc.DBAPIError, sa.exc.InvalidRequestError):
            connection.run_text("ROLLBACK")
        if _disk_is_full(problem):
            return WriteNotKept("The disk is full; nothing was changed.", hint="Make room, then try again.")
        told = getattr(problem, "orig", None) or problem
        if self.dialect == "sqlite":
            # What was written may be half there; only a new process reads the truth.
            self._broken = problem
            if self.on_broken:
                self.on_broken(problem)
            return StoreBroken(f"The database failed: {told}. Restart Modelward.")
        connection.invalidate()
        connection.rollback()
        if committing:
            return WriteUnknown(
                f"The database was lost while it committed: {told}", hint="Try again with the same idempotency key."
            )
        return WriteNotKept(f"The database could not be reached: {told}", hint="Nothing was changed; try again.")

    def _refuse(self, batch: list[_Waiting], error: Unavailable) -> None:
        for waiting in batch:
            waiting.future.set_exception(error)

    def _crash_point(self, name: str) -> None:
        """Let a test stop the process at a named moment; armed by tests only."""
        armed = CRASH_POINTS.get(name)
        if armed is not None:
            armed()

    def _engine(self, *, writes: bool) -> Engine:
        if self.dialect == "sqlite":
            # No pool: the writer keeps its one connection, the readers theirs.
            engine = sa.create_engine(
                self.url,
                isolation_level="AUTOCOMMIT",
                poolclass=NullPool,
                connect_args={"check_same_thread": False, "timeout": 30, "cached_statements": 512},
            )
            sa.event.listen(engine, "connect", _prepare_sqlite_writer if writes else _prepare_sqlite_reader)
            return engine
        try:
            engine = sa.create_engine(
                self.url.set(drivername="postgresql+psycopg"),
                isolation_level="AUTOCOMMIT" if writes else "REPEATABLE READ",
                pool_size=1 if writes else READERS_MAX,
                max_overflow=0,
                pool_pre_ping=True,
                connect_args={"connect_timeout": 10},
            )
        except ModuleNotFoundError as problem:
            raise Unavailable(
                "PostgreSQL needs the driver psycopg, which is not installed.", hint="pip install 'modelward[postgres]'"
            ) from problem
        return engine if writes else engine.execution_options(postgresql_readonly=True)


def _unkeepable(problem: BaseException) -> Invalid:
    told = getattr(problem, "orig", None) or problem
    return Invalid(f"A number or a text is outside of what the database can keep: {told}")


def _disk_is_full(problem: BaseException) -> bool:
    # SQLITE_FULL is found before anything of the commit counts, unlike a failed flush.
    cause = getattr(problem, "orig", problem)
    return isinstance(cause, sqlite3.OperationalError) and getattr(cause, "sqlite_errorcode", 0) & 0xFF == 13


def _prepare_sqlite_writer(connection: Any, _record: object) -> None:
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "mmap_size=0",
        "foreign_keys=ON",
        "busy_timeout=30000",
        "wal_autocheckpoint=2000",
        "cache_size=-16000",
        "temp_store=MEMORY",
        # So that REPLACE, which deletes, meets the trigger that guards the event log.
        "recursive_triggers=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _prepare_sqlite_reader(connection: Any, _record: object) -> None:
    for pragma in ("mmap_size=0", "query_only=ON", "wal_autocheckpoint=0", "busy_timeout=30000", "cache_size=-8000"):
        connection.execute(f"PRAGMA {pragma}")
