"""Work: one transaction that holds an actor, the time, the rows, the blobs and what happened.

State and event are written together or not at all. A change without an event is refused at commit.
"""

from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection, CursorResult

from modelward.kernel.actors import Actor
from modelward.kernel.clock import Clock, system_clock
from modelward.kernel.errors import ModelwardError
from modelward.kernel.events import Event, Happening
from modelward.storage import event_log
from modelward.storage.blobs import Blobs
from modelward.storage.database import Database
from modelward.storage.keyring import Keyring
from modelward.storage.object_store import ObjectStore

T = TypeVar("T")


class ChangeWithoutEvent(ModelwardError):
    """A change was about to be kept without an event that tells of it."""


class Work:
    """One unit of work. Use cases take it as their first argument and reach everything through it."""

    __slots__ = (
        "actor",
        "blob_grace_days",
        "blobs",
        "card_characters_max",
        "changed",
        "connection",
        "events",
        "keyring",
        "now",
        "object_store",
        "recorded",
    )

    def __init__(
        self,
        *,
        actor: Actor,
        now: datetime,
        connection: Connection,
        blobs: Blobs,
        keyring: Keyring | None = None,
        object_store: ObjectStore | None = None,
        card_characters_max: int = 2_000_000,
        blob_grace_days: int = 7,
    ) -> None:
        self.keyring = keyring
        self.object_store = object_store
        self.card_characters_max = card_characters_max
        self.blob_grace_days = blob_grace_days
        self.actor = actor
        self.now = now
        self.connection = connection
        self.blobs = blobs
        self.recorded: list[Happening] = []
        self.changed = False
        self.events: list[Event] = []

    def execute(self, statement: sa.Executable, parameters: Any = None) -> CursorResult[Any]:
        """Run a statement of SQLAlchemy Core in this transaction."""
        if isinstance(statement, sa.UpdateBase):
            self.changed = True
        return self.connection.execute(statement, parameters)

    def record(self, happening: Happening) -> None:
        """Say what happened; it enters the event log when the work is committed."""
        self.recorded.append(happening)

    def finish(self) -> list[Event]:
        """Write the events of this work to the log.

        Raises:
            ChangeWithoutEvent: something was changed and nothing recorded.
        """
        if self.changed and not self.recorded:
            raise ChangeWithoutEvent()
        if not self.recorded:
            return []
        self.events = event_log.append(self.connection, self.recorded, actor=self.actor.id, at=self.now)
        return self.events


class Workshop:
    """Where work is opened: the database, the blobs and the clock, and who is told of new events in the transaction."""

    def __init__(
        self,
        *,
        database: Database,
        blobs: Blobs,
        clock: Clock = system_clock,
        attachment_bytes_max: int = 25 << 20,
        card_characters_max: int = 2_000_000,
        blob_grace_days: int = 7,
        false_alarms_a_month: float = 1.0,
        keyring: Keyring | None = None,
        object_store: ObjectStore | None = None,
    ) -> None:
        self.keyring = keyring
        self.object_store = object_store
        self.database = database
        self.blobs = blobs
        self.clock = clock
        self.attachment_bytes_max = attachment_bytes_max
        self.card_characters_max = card_characters_max
        self.blob_grace_days = blob_grace_days
        self.false_alarms_a_month = false_alarms_a_month
        self.on_events: Callable[[Connection, list[Event]], None] | None = None
        self.after_commit: list[Callable[[list[Event]], None]] = []

    def read(self, actor: Actor, task: Callable[[Work], T]) -> T:
        """Run a task that only reads."""
        return self.database.read(lambda connection: task(self._work(actor, connection)))

    def write(self, actor: Actor, task: Callable[[Work], T]) -> T:
        """Run a task in one transaction and return when it is on disk."""
        return self.submit(actor, task).result()

    def submit(self, actor: Actor, task: Callable[[Work], T]) -> "Future[T]":
        """Queue a task for the writer. Its changes, its events and the jobs that follow are one transaction."""

        told: list[Event] = []

        def unit(connection: Connection) -> T:
            work = self._work(actor, connection)
            result = task(work)
            told.extend(work.finish())
            if told and self.on_events:
                self.on_events(connection, told)
            return result

        future = self.database.submit(unit)
        if self.after_commit:
            future.add_done_callback(lambda _: self._tell(told))
        return future

    def _tell(self, events: list[Event]) -> None:
        for listener in self.after_commit:
            listener(events)

    def _work(self, actor: Actor, connection: Connection) -> Work:
        return Work(
            actor=actor,
            now=self.clock(),
            connection=connection,
            blobs=self.blobs,
            keyring=self.keyring,
            object_store=self.object_store,
            card_characters_max=self.card_characters_max,
            blob_grace_days=self.blob_grace_days,
        )
