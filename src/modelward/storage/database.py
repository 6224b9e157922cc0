"""Rows in SQLite or PostgreSQL by the same code: one writing thread with group commit, readers apart.

Units of work that wait at the same moment share one transaction and one flush to disk; a SAVEPOINT keeps them apart, so
that one that fails takes nobody with it. A unit is acknowledged only after the commit that holds it has returned.
"""

import contextlib
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import QueuePool

from modelward.kernel.errors import Invalid, Unavailable

T = TypeVar("T")
Unit = Callable[[Connection], T]

BATCH_UNITS_MAX = 256
READERS_MAX = 8
# Any fixed number serves: all writers of one installation queue up on this PostgreSQL lock.
WRITER_LOCK = 0x6D6F64656C


class StoreBroken(Unavailable):
    """The database failed while it was writing to disk, so this process must not write any more: restart it."""


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
        self._inbox: queue.SimpleQueue[tuple[Unit[Any], Future[Any]] | None] = queue.SimpleQueue()
        self._broken: BaseException | None = None
        self._closed = False
        self.on_broken: Callable[[BaseException], None] | None = None
        self._writing = self._engine(writes=True)
        self._reading = self._engine(writes=False)
        self._thread = threading.Thread(target=self._write_for_ever, name="modelward-writer", daemon=True)
        self._thread.start()

    @classmethod
    def in_folder(cls, folder: Path) -> "Database":
        """Open (or make) the SQLite database of a data folder."""
        return cls(f"sqlite:///{folder / 'modelward.db'}")

    def read(self, unit: Unit[T]) -> T:
        """Run a unit that only reads, on one consistent snapshot."""
        with self._reading.connect() as connection:
            if self.dialect == "sqlite":
                connection.exec_driver_sql("BEGIN")
                try:
                    return unit(connection)
                finally:
                    connection.exec_driver_sql("ROLLBACK")
            return unit(connection)

    def write(self, unit: Unit[T]) -> T:
        """Run a unit and return when its commit is on disk. What it raises is raised here, with nothing kept.

        Raises:
            StoreBroken: an earlier commit failed on disk.
        """
        return self.submit(unit).result()

    def submit(self, unit: Unit[T]) -> "Future[T]":
        """Queue a unit for the writer; the future is done after its commit. A unit is short and does no other I/O."""
        future: Future[T] = Future()
        if self._closed or self._broken:
            future.set_exception(self._broken_error())
            return future
        self._inbox.put((unit, future))
        return future

    def close(self) -> None:
        """Finish what is queued, then close: readers first, so that the writer's connection checkpoints last."""
        if self._closed:
            return
        self._closed = True
        self._inbox.put(None)
        self._thread.join()
        self._reading.dispose()
        self._writing.dispose()

    def _broken_error(self) -> StoreBroken:
        return StoreBroken(
            "The database is closed." if self._closed else f"The database failed: {self._broken}. Restart Modelward."
        )

    def _write_for_ever(self) -> None:
        with self._writing.connect() as connection:
            while batch := self._next_batch():
                self._write_batch(connection, batch)

    def _next_batch(self) -> list[tuple[Unit[Any], Future[Any]]]:
        first = self._inbox.get()
        if first is None:
            return []
        batch = [first]
        with contextlib.suppress(queue.Empty):
            while len(batch) < BATCH_UNITS_MAX:
                item = self._inbox.get_nowait()
                if item is None:
                    self._inbox.put(None)
                    break
                batch.append(item)
        return batch

    def _write_batch(self, connection: Connection, batch: list[tuple[Unit[Any], Future[Any]]]) -> None:
        if self._broken:
            for _, future in batch:
                future.set_exception(self._broken_error())
            return
        answers: list[tuple[Future[Any], Any, BaseException | None]] = []
        try:
            self._begin(connection)
            for unit, future in batch:
                answers.append((future, *self._run_apart(connection, unit)))
            self._crash_point("before-commit")
            connection.exec_driver_sql("COMMIT")
            self._crash_point("after-commit")
        except BaseException as problem:  # noqa: BLE001 - a failed flush may have kept half the pages: stop, never retry
            self._give_up(connection, problem, [future for _, future in batch])
            return
        for future, result, error in answers:
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

    def _begin(self, connection: Connection) -> None:
        if self.dialect == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.exec_driver_sql("BEGIN")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})")

    def _run_apart(self, connection: Connection, unit: Unit[Any]) -> tuple[Any, BaseException | None]:
        connection.exec_driver_sql("SAVEPOINT unit")
        try:
            result = unit(connection)
        except Exception as problem:  # noqa: BLE001 - handed to the caller of this very unit
            connection.exec_driver_sql("ROLLBACK TO SAVEPOINT unit")
            connection.exec_driver_sql("RELEASE SAVEPOINT unit")
            return None, problem
        connection.exec_driver_sql("RELEASE SAVEPOINT unit")
        return result, None

    def _give_up(self, connection: Connection, problem: BaseException, futures: list[Future[Any]]) -> None:
        with contextlib.suppress(sa.exc.DBAPIError, sa.exc.InvalidRequestError):
            connection.exec_driver_sql("ROLLBACK")
        # PostgreSQL refuses or drops a connection without harm to the data; SQLite failing means the disk failed.
        if self.dialect == "sqlite":
            self._broken = problem
            if self.on_broken:
                self.on_broken(problem)
        else:
            connection.invalidate()
        error = Unavailable(f"The write was not kept: {problem}", hint="Nothing was changed; try again.")
        for future in futures:
            if not future.done():
                future.set_exception(error)

    def _crash_point(self, name: str) -> None:
        """Let a test stop the process at a named moment; armed by tests only."""
        armed = CRASH_POINTS.get(name)
        if armed is not None:
            armed()

    def _engine(self, *, writes: bool) -> Engine:
        if self.dialect == "sqlite":
            engine = sa.create_engine(
                self.url,
                isolation_level="AUTOCOMMIT",
                poolclass=QueuePool,
                pool_size=1 if writes else READERS_MAX,
                max_overflow=0,
                connect_args={"check_same_thread": False, "timeout": 30, "cached_statements": 512},
            )
            sa.event.listen(engine, "connect", _prepare_sqlite_writer if writes else _prepare_sqlite_reader)
            return engine
        url = self.url.set(drivername="postgresql+psycopg")
        try:
            return sa.create_engine(
                url,
                isolation_level="AUTOCOMMIT" if writes else "REPEATABLE READ",
                pool_size=1 if writes else READERS_MAX,
                max_overflow=0,
                pool_pre_ping=not writes,
            )
        except ModuleNotFoundError as problem:
            raise Unavailable(
                "PostgreSQL needs the driver psycopg, which is not installed.", hint="pip install 'modelward[postgres]'"
            ) from problem


CRASH_POINTS: dict[str, Callable[[], None]] = {}


def _prepare_sqlite_writer(connection: Any, _record: object) -> None:
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "mmap_size=0",
        "foreign_keys=ON",
        "busy_timeout=30000",
        "wal_autocheckpoint=2000",
        "cache_size=-16000",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _prepare_sqlite_reader(connection: Any, _record: object) -> None:
    for pragma in ("mmap_size=0", "query_only=ON", "wal_autocheckpoint=0", "busy_timeout=30000", "cache_size=-8000"):
        connection.execute(f"PRAGMA {pragma}")
