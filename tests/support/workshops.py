"""Workshops on a real database, and an event to record in them."""

from pathlib import Path

from modelward.governance.access.entities import SYSTEM
from modelward.kernel.actors import Actor, ActorKind
from modelward.kernel.events import Happening
from modelward.storage import event_log
from modelward.storage.blobs import FolderBlobs
from modelward.storage.database import Database
from modelward.storage.event_log import LogReport
from modelward.storage.migrations import upgrade
from modelward.storage.work import Workshop

ANA = Actor(id="ana", name="Ana", kind=ActorKind.PERSON, permissions=SYSTEM.permissions)


class Noted(Happening, frozen=True, kw_only=True):
    """Something was noted, for a test."""

    note: str


def workshop_on(database: Database, folder: Path) -> Workshop:
    """A workshop on a database brought up to date, with its blobs in a folder."""
    upgrade(database)
    return Workshop(database=database, blobs=FolderBlobs(folder / "blobs"))


def verified(database: Database) -> LogReport:
    """The verdict on the whole event log."""
    return database.read(event_log.verify)
