"""What one can do about stored bytes that nothing refers to: look how many there are, have them deleted."""

from datetime import datetime, timedelta

from modelward.governance.access.permissions import Permission, require
from modelward.governance.upkeep.entities import BlobCollectionRequested, Collection, Unreferenced
from modelward.jobs import queue, schedules
from modelward.jobs.schedules import CatchUp, Schedule
from modelward.kernel.errors import Invalid
from modelward.kernel.ids import new_id
from modelward.storage import event_log
from modelward.storage.blobs import Kept
from modelward.storage.mentions import digests_mentioned
from modelward.storage.work import Work

COLLECTION_JOB = "collect-blobs"
COLLECTION_CRON = "50 3 * * *"
# Tables that only tell of what was, and others of which a row counts only under a condition.
APART: dict[str, str | None] = {
    "answer": None,
    "event": None,
    "edge": None,
    "webhook_delivery": None,
    "job": "state IN ('waiting', 'running')",
    # A file that was taken off a card is never read again; that it was there stays on record.
    "card_attachment": "removed_at IS NULL",
}


def begin_collecting(work: Work, *, days: int) -> None:
    """Collect every night, or not at all where the setting says 0 days."""
    require(work, Permission.BLOB_COLLECT)
    known = schedules.get(work.connection, COLLECTION_JOB)
    if days == 0 and known is not None:
        schedules.remove(work.connection, COLLECTION_JOB)
    elif days and known is None:
        nightly = Schedule(
            id=COLLECTION_JOB, kind=COLLECTION_JOB, payload={}, cron=COLLECTION_CRON, catch_up=CatchUp.LATEST
        )
        schedules.put(work.connection, nightly, now=work.now)


def look_for_unreferenced(work: Work) -> Unreferenced:
    """What a collection would find now; nothing is deleted."""
    require(work, Permission.BLOB_COLLECT)
    return find(work, days=work.blob_grace_days)[0]


def request_collection(work: Work) -> Collection:
    """Ask for a collection now; a job does it.

    Raises:
        Invalid: the setting blob_grace_days turns collections off.
    """
    require(work, Permission.BLOB_COLLECT)
    if not work.blob_grace_days:
        raise Invalid("blob_grace_days is 0, so nothing is ever collected.", field="blob_grace_days")
    id = new_id("collection")
    queue.enqueue(work.connection, id=id, kind=COLLECTION_JOB, payload={}, now=work.now)
    work.record(BlobCollectionRequested(collection=id))
    return Collection(id=id)


def find(work: Work, *, days: int) -> tuple[Unreferenced, list[Kept]]:
    """What is stored and not referred to, and the blobs among it that were put so long ago that they may go."""
    require(work, Permission.BLOB_COLLECT)
    before = work.now - timedelta(days=days)
    # First what is there, then what is referred to: what is put and referred to in between is on both lists.
    kept = list(work.blobs.kept())
    mentioned = digests_mentioned(work.connection, apart=APART)
    unreferenced = [each for each in kept if each.digest.hex not in mentioned]
    elsewhere = _elsewhere(work)
    due = [] if elsewhere or not days else [each for each in unreferenced if each.put_at < before.timestamp()]
    return _counted(kept, unreferenced, due, before, elsewhere), due


def _counted(
    kept: list[Kept], unreferenced: list[Kept], due: list[Kept], before: datetime, elsewhere: str
) -> Unreferenced:
    return Unreferenced(
        blobs=len(kept),
        bytes=sum(each.size for each in kept),
        blobs_unreferenced=len(unreferenced),
        bytes_unreferenced=sum(each.size for each in unreferenced),
        blobs_due=len(due),
        bytes_due=sum(each.size for each in due),
        put_before=before,
        elsewhere=elsewhere,
    )


def _elsewhere(work: Work) -> str:
    """Another installation that keeps its blobs in the same store: what it refers to is not known here."""
    first = event_log.read(work.connection, after=0, limit=1)
    own = str(first[0].hash) if first else ""
    owner = work.blobs.owner(own) if own else ""
    if own and owner == own:
        return ""
    return "The store of blobs is that of another installation, or of this one before its database was made anew."
