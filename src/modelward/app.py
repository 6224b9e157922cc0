"""The composition root: settings -> storage -> jobs -> interfaces. Read this to see what is made of what."""

import logging
import os
from collections.abc import Callable
from typing import Any

from sqlalchemy.engine import Connection

from modelward import __version__
from modelward.governance import reactions
from modelward.governance.access import use_cases as access
from modelward.governance.access.entities import SYSTEM
from modelward.home import Home
from modelward.interfaces.http import App, Edge
from modelward.interfaces.identity import Identity
from modelward.interfaces.rest.api import build_api
from modelward.interfaces.site import Site
from modelward.jobs.queue import Job
from modelward.jobs.worker import Worker
from modelward.kernel.events import Event
from modelward.settings import Settings
from modelward.storage import answers
from modelward.storage.blobs import open_blobs
from modelward.storage.database import Database
from modelward.storage.migrations import upgrade
from modelward.storage.work import Workshop

log = logging.getLogger("modelward")


class House:
    """All of Modelward in this process: what it keeps, who works, and the ASGI app that lets people in."""

    def __init__(self, settings: Settings, *, home: Home, works: bool = True) -> None:
        """Open the storage, bring its schema up to date, make the first owner, and build the interfaces."""
        self.settings, self.home = settings, home
        self.database = Database(settings.database_url) if settings.database_url else Database.in_folder(home.folder)
        try:
            upgrade(self.database)
            self.workshop = Workshop(
                database=self.database, blobs=open_blobs(settings.store or str(home.folder / "blobs"))
            )
            self.identity = Identity(self.workshop)
            self.workshop.on_events = self._on_events
            self._begin()
        except BaseException:
            self.database.close()
            raise
        self.worker = self._worker() if works else None
        self.ready = False
        self.asgi: App = self._interfaces()

    def start(self) -> None:
        """Begin to work: jobs run from now on."""
        if self.worker:
            self.workshop.after_commit = self.worker.wake
            self.worker.start()
        self.ready = True

    def close(self) -> None:
        """Finish the running jobs and what is queued for writing, then let go of the data folder."""
        self.ready = False
        if self.worker:
            self.worker.stop()
        self.database.close()
        self.home.release()

    def _begin(self) -> None:
        first = self.workshop.write(SYSTEM, access.found_house)
        if first is not None:
            self.home.keep_owner_secret(first.secret)
        self.database.write(lambda connection: answers.forget_old(connection, now=self.workshop.clock()))
        self.database.on_broken = _stop_process

    def _on_events(self, connection: Connection, events: list[Event]) -> None:
        reactions.enqueue(connection, events)
        self.identity.forget(events)

    def _worker(self) -> Worker:
        from datetime import timedelta

        handlers: dict[str, Callable[[Job], None]] = {
            reactions.REACTION_JOB: lambda job: reactions.run(self.workshop, job, clock=self.workshop.clock),
        }
        alone = self.database.dialect == "sqlite"
        return Worker(
            self.database,
            handlers,
            slots=self.settings.worker_slots,
            poll=None if alone else timedelta(seconds=1),
            alone=alone,
        )

    def _interfaces(self) -> App:
        api = build_api(self.workshop, self.identity, version=__version__)
        site = Site(api=api, pages=None, ready=lambda: self.ready)
        names = {name.strip().lower() for name in self.settings.hosts.split(",") if name.strip()}
        guarded = frozenset(names | {self.settings.host}) if self.settings.is_local or names else frozenset()
        return Edge(site, hosts=guarded)


def _stop_process(problem: BaseException) -> None:
    # A failed flush may have lost pages the cache still shows; only a new process reads the truth (fsyncgate).
    log.critical("The database failed while writing: %s. The process ends; start it again.", problem)
    os._exit(70)


def open_house(settings: Settings, *, works: bool = True) -> House:
    """Take the data folder and open the house on it.

    Raises:
        HomeTaken: another process holds the data folder (SQLite allows one).
    """
    home = Home(settings.home)
    home.take(shared=settings.uses_postgres)
    try:
        return House(settings, home=home, works=works)
    except BaseException:
        home.release()
        raise


__all__: list[Any] = ["House", "open_house"]
