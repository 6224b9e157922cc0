"""The worker: fires schedules, claims jobs, runs them in threads, keeps their leases alive. Sleeps when nothing is due."""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol, TypeVar

from sqlalchemy.engine import Connection

from modelward.jobs import queue, schedules
from modelward.jobs.queue import LEASE, Job, LeaseLost
from modelward.kernel.clock import Clock, system_clock
from modelward.kernel.errors import Invalid, NotFound, NotImplementedYet
from modelward.kernel.ids import new_id

T = TypeVar("T")
log = logging.getLogger("modelward.worker")

LOOKS_APART_SECONDS = 0.02
AFTER_ERROR_SECONDS = 5.0
TELL_AGAIN_SECONDS = 60.0
# Errors that a second attempt cannot mend.
HOPELESS = (Invalid, NotFound, NotImplementedYet)


class Rows(Protocol):
    """The database as the worker sees it."""

    def read(self, unit: Callable[[Connection], T]) -> T:
        """Run a reading unit."""
        ...

    def write(self, unit: Callable[[Connection], T]) -> T:
        """Run a writing unit."""
        ...

    def in_background(self) -> AbstractContextManager[None]:
        """What is written in here lets others go first."""
        ...


Handler = Callable[[Job], None]


class Worker:
    """Runs jobs. A handler does the work and keeps its results together with ``queue.finish`` in one transaction."""

    def __init__(
        self,
        rows: Rows,
        handlers: Mapping[str, Handler],
        *,
        clock: Clock = system_clock,
        slots: int = 2,
        poll: timedelta | None = None,
        alone: bool = False,
        on_dead: Callable[[Job, str], None] | None = None,
    ) -> None:
        """Prepare a worker.

        Args:
            rows: the database.
            handlers: what to do, by kind of job.
            clock: where the time comes from.
            slots: how many jobs run at the same time.
            poll: how often to look for jobs that other processes made; None: only when woken or due.
            alone: this is the only worker (SQLite), so leases of an earlier process are void at start.
            on_dead: told of a job that is given up, with its last error; again at a later start, if need be.
        """
        self.rows, self.handlers, self.clock, self.slots, self.poll = rows, handlers, clock, slots, poll
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{new_id('worker')[-8:]}"
        self._alone, self._on_dead = alone, on_dead
        self._wake, self._hurry = threading.Event(), threading.Event()
        self._extend_at = 0.0
        # An earlier process may have ended between giving a job up and telling of it.
        self._tell_at: float | None = 0.0
        self._stopping = False
        self._running: dict[str, Job] = {}
        self._taking, self._looks = False, 0
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(max_workers=slots, thread_name_prefix="modelward-job")
        self._thread = threading.Thread(target=self._loop, name="modelward-worker", daemon=True)

    def start(self) -> None:
        """Begin to run jobs."""
        if self._alone and self.rows.read(queue.counts).get("running"):
            self.rows.write(queue.release_all)
        self._thread.start()

    def wake(self) -> None:
        """Say that there may be something to do."""
        self._wake.set()

    def stop(self) -> None:
        """Finish the jobs that run, take no new ones."""
        self._stopping = True
        self._hurry.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()
        self._pool.shutdown(wait=True)

    def idle(self) -> bool:
        """Whether nothing runs and nothing is due now."""
        with self._lock:
            before = self._looks
            if self._taking or self._running:
                return False
        due, now = self.rows.read(_next_due), self.clock()
        if due.job_is_due(now) or due.slot_is_due(now):
            return False
        with self._lock:
            # What was taken meanwhile was no longer due, and what follows from it may be.
            return self._looks == before and not self._taking

    def _loop(self) -> None:
        while not self._stopping:
            self._wake.clear()
            self._hurry.clear()
            looked_at = time.monotonic()
            try:
                pause = self._step()
            except Exception:
                log.exception("The worker could not look for jobs; it tries again in a moment.")
                pause = AFTER_ERROR_SECONDS
            self._wake.wait(pause)
            # Every commit wakes; under load many share one look. A job that has ended is followed at once.
            self._hurry.wait(max(0.0, looked_at + LOOKS_APART_SECONDS - time.monotonic()))

    def _step(self) -> float | None:
        now = self.clock()
        if self._tell_at is not None and time.monotonic() >= self._tell_at:
            self._tell_at = None
            for dead in self.rows.read(queue.untold):
                self._give_up(dead, dead.error or queue.VANISHED)
        with self._lock:
            held = list(self._running)
        free = self.slots - len(held)
        due = self.rows.read(_next_due)
        extends = bool(held) and time.monotonic() >= self._extend_at
        if extends or due.slot_is_due(now) or (free and due.job_is_due(now)):
            with self._while_taking(), self.rows.in_background():
                taken = self.rows.write(lambda connection: self._take(connection, now, held if extends else [], free))
                for each in taken.jobs:
                    self._launch(each)
            for lost in taken.lost:
                self._give_up(lost, queue.VANISHED)
            due = taken.due
            if extends or not held:
                self._extend_at = time.monotonic() + LEASE.total_seconds() / 3
        return self._pause(now, due)

    @contextmanager
    def _while_taking(self) -> Iterator[None]:
        with self._lock:
            self._looks, self._taking = self._looks + 1, True
        try:
            yield
        finally:
            with self._lock:
                self._taking = False

    def _take(self, connection: Connection, now: datetime, held: list[str], free: int) -> "_Taken":
        if held:
            queue.extend(connection, owner=self.owner, ids=held, now=now)
        if _Due(None, schedules.next_due(connection)).slot_is_due(now):
            schedules.fire_due(connection, now=now)
        lost = queue.bury(connection, now=now)
        jobs = queue.claim(connection, owner=self.owner, now=now, limit=free) if free else []
        return _Taken(jobs, lost, _next_due(connection))

    def _pause(self, now: datetime, due: "_Due") -> float | None:
        with self._lock:
            busy = bool(self._running)
            full = len(self._running) >= self.slots
        waits: list[float] = []
        if self._tell_at is not None:
            waits.append(self._tell_at - time.monotonic())
        if self.poll:
            waits.append(self.poll.total_seconds())
        if busy:
            waits.append(self._extend_at - time.monotonic())
        if due.job is not None and not full:
            waits.append((due.job - now).total_seconds())
        if due.slot is not None:
            waits.append((due.slot - now).total_seconds())
        # A long sleep is cut so that a clock that jumped forward is noticed.
        return max(0.0, min([*waits, 60.0])) if waits else None

    def _launch(self, each: Job) -> None:
        with self._lock:
            self._running[each.id] = each
        self._pool.submit(self._run, each)

    def _run(self, each: Job) -> None:
        try:
            handler = self.handlers.get(each.kind)
            if handler is None:
                raise Invalid(f"No handler for jobs of the kind {each.kind!r} in this version of Modelward.")
            with self.rows.in_background():
                handler(each)
        except LeaseLost as lost:
            log.warning("%s", lost)
        except Exception as problem:  # noqa: BLE001 - noted on the job, which is retried or given up
            self._note_failure(each, problem)
        finally:
            with self._lock:
                self._running.pop(each.id, None)
            self._hurry.set()
            self._wake.set()

    def _note_failure(self, each: Job, problem: Exception) -> None:
        log.warning("Job %s, attempt %d, failed: %s", each.id, each.attempt, problem, exc_info=problem)
        error = f"{type(problem).__name__}: {problem}"[:2000]
        retry = not isinstance(problem, HOPELESS)
        try:
            state = self.rows.write(
                lambda connection: queue.fail(connection, each, error=error, now=self.clock(), retry=retry)
            )
        except LeaseLost as lost:
            log.warning("%s", lost)
            return
        if state is queue.JobState.DEAD:
            self._give_up(each, error)

    def _give_up(self, dead: Job, error: str) -> None:
        log.error("Job %s was given up after %d attempts: %s", dead.id, dead.attempt, error)
        try:
            if self._on_dead:
                self._on_dead(dead, error)
            self.rows.write(lambda connection: queue.note_told(connection, dead, now=self.clock()))
        except Exception:
            log.exception("Nobody could be told that job %s was given up; it is tried again.", dead.id)
            self._tell_at = time.monotonic() + TELL_AGAIN_SECONDS


class _Due(NamedTuple):
    """When the next job and the next slot of a schedule are due."""

    job: datetime | None
    slot: datetime | None

    def job_is_due(self, now: datetime) -> bool:
        return self.job is not None and self.job <= now

    def slot_is_due(self, now: datetime) -> bool:
        return self.slot is not None and self.slot <= now


class _Taken(NamedTuple):
    """The jobs now leased, those given up since their workers vanished, and what is due next."""

    jobs: list[Job]
    lost: list[Job]
    due: _Due


def _next_due(connection: Connection) -> _Due:
    return _Due(queue.next_due(connection), schedules.next_due(connection))
