"""Who may touch the blobs at one moment: many may put, and nobody puts while one removes.

A put that found its bytes already there must not lose them to a removal that looked a moment earlier. Putting waits for
a removal to end, which takes a moment; a removal does not wait long for those who put, and comes again later.
"""

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Protocol

import sqlalchemy as sa

from modelward.kernel.errors import Unavailable

# Any fixed number serves: all processes of one installation meet at this PostgreSQL lock.
BLOBS_LOCK = 0x626C6F6273
PATIENCE_SECONDS = 2.0
POOL = 4
POOL_BEYOND = 12
POOL_SECONDS = 60


class Gate(Protocol):
    """Keeps those who put and the one who removes apart."""

    def putting(self) -> contextlib.AbstractContextManager[None]:
        """Put blobs in here; waits while somebody removes some."""
        ...

    def removing(self) -> contextlib.AbstractContextManager[bool]:
        """Remove blobs in here, where it yields True; False: others are putting, nothing may be removed now."""
        ...

    def holds(self) -> bool:
        """Asked within ``removing``, before each removal: whether the others are still kept out."""
        ...

    def close(self) -> None:
        """Let go of what is held open."""
        ...


def gate_for(url: sa.URL | None) -> Gate:
    """The gate of an installation: through its PostgreSQL database, or within this process where that works alone."""
    return PostgresGate(url) if url is not None else LocalGate()


class LocalGate:
    """For blobs that one process alone uses."""

    def __init__(self) -> None:
        self._turn = threading.Condition()
        self._puts = 0
        # Those who wait to put come before the next removal.
        self._waiting = 0
        self._removes = False

    @contextlib.contextmanager
    def putting(self) -> Iterator[None]:
        """See ``Gate.putting``."""
        with self._turn:
            self._waiting += 1
            try:
                self._turn.wait_for(lambda: not self._removes)
            finally:
                self._waiting -= 1
            self._puts += 1
        try:
            yield
        finally:
            with self._turn:
                self._puts -= 1
                self._turn.notify_all()

    @contextlib.contextmanager
    def removing(self) -> Iterator[bool]:
        """See ``Gate.removing``."""
        with self._turn:
            free = self._turn.wait_for(
                lambda: not (self._puts or self._waiting or self._removes), timeout=PATIENCE_SECONDS
            )
            self._removes = self._removes or free
        try:
            yield free
        finally:
            if free:
                with self._turn:
                    self._removes = False
                    self._turn.notify_all()

    def holds(self) -> bool:
        """See ``Gate.holds``: nothing gets lost within a process."""
        return True

    def close(self) -> None:
        """Nothing is held open."""


class PostgresGate:
    """For blobs that all processes on one PostgreSQL database share; a process that dies lets go of its lock."""

    def __init__(self, url: sa.URL) -> None:
        self._engine = sa.create_engine(
            url.set(drivername="postgresql+psycopg"),
            isolation_level="AUTOCOMMIT",
            pool_size=POOL,
            max_overflow=POOL_BEYOND,
            pool_timeout=POOL_SECONDS,
            pool_pre_ping=True,
            connect_args={"connect_timeout": 10},
        )
        self._removing: sa.Connection | None = None

    @contextlib.contextmanager
    def putting(self) -> Iterator[None]:
        """See ``Gate.putting``."""
        with self._connection() as connection:
            connection.execute(sa.text(f"SELECT pg_advisory_lock_shared({BLOBS_LOCK})"))
            try:
                yield
            finally:
                _let_go(connection, f"SELECT pg_advisory_unlock_shared({BLOBS_LOCK})")

    @contextlib.contextmanager
    def removing(self) -> Iterator[bool]:
        """See ``Gate.removing``."""
        with self._connection() as connection:
            until = time.monotonic() + PATIENCE_SECONDS
            # Asked again rather than waited for: who waits for a lock of one's own makes all who put wait behind.
            while not (free := bool(connection.scalar(sa.text(f"SELECT pg_try_advisory_lock({BLOBS_LOCK})")))):
                if time.monotonic() > until:
                    break
                time.sleep(0.02)
            if free:
                self._removing = connection
            try:
                yield free
            finally:
                if free:
                    self._removing = None
                    _let_go(connection, f"SELECT pg_advisory_unlock({BLOBS_LOCK})")

    def holds(self) -> bool:
        """See ``Gate.holds``: the lock is gone when the session of this removal is."""
        if self._removing is None:
            return False
        try:
            self._removing.execute(sa.text("SELECT 1"))
        except sa.exc.DBAPIError:
            # Not asked again: the connection would come back as another session, without the lock.
            self._removing = None
            return False
        return True

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sa.Connection]:
        try:
            connection = self._engine.connect()
        except sa.exc.OperationalError as problem:
            raise Unavailable(f"The database cannot be reached: {problem.orig}", hint="Try again.") from problem
        except sa.exc.TimeoutError as problem:
            raise Unavailable("Too many others are storing bytes just now.", hint="Try again.") from problem
        with connection:
            yield connection


def _let_go(connection: sa.Connection, statement: str) -> None:
    try:
        connection.execute(sa.text(statement))
    except (sa.exc.DBAPIError, sa.exc.PendingRollbackError):
        # The session is gone, and the lock with it.
        connection.invalidate()
