"""What one can do about stored bytes that nothing refers to: look how many there are, have them deleted."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from modelward.governance.access.permissions import Permission, require
from modelward.governance.upkeep import store
from modelward.governance.upkeep.entities import BlobCollectionRequested, Collection, Unreferenced
from modelward.jobs import queue, schedules
from modelward.jobs.schedules import CatchUp, Schedule
from modelward.kernel.clock import timestamp
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
    # What an event names stays provable. These tell of what may go, and rows refer to it as long as it may not.
    "event": "name NOT IN ('AttachmentAdded', 'AttachmentRemoved', 'BlobsDeleted', 'CardDeleted', 'CardExported')",
    "edge": None,
    "webhook_delivery": None,
    "job": "state IN ('waiting', 'running')",
    # A file that was taken off a card is never read again; that it was there stays on record.
    "card_attachment": "removed_at IS NULL",
}
# The hashes of the entries are no digests of blobs.
ONLY = {"event": ("detail",)}
TAKE_OVER_CHARACTERS_MAX = 2_000
TAKE_OVER = (
    "If {sure}, have it collected with the option --take-over and a reason (take_over over REST and in Python); "
    "nothing is deleted for {days} days after that."
)


class Found(NamedTuple):
    """What a look at the store found: the numbers, the digests that nothing refers to, and the blobs that may go now.

    ``waits`` says why they may not go yet, where the store was signed a short while ago.
    """

    told: Unreferenced
    idle: set[str]
    due: list[Kept]
    head: str
    waits: str


def begin_collecting(work: Work, *, days: int) -> None:
    """Collect every night, or not at all where the setting says 0 days."""
    require(work, Permission.BLOB_COLLECT)
    known = schedules.get(work.connection, COLLECTION_JOB)
    if days == 0:
        # Nobody looks meanwhile, so nobody knows for how long.
        store.note_idle(work, set())
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
    return find(work, days=work.blob_grace_days).told


def request_collection(work: Work, *, take_over: str = "") -> Collection:
    """Ask for a collection now; a job does it.

    ``take_over`` says why the store is to be that of this installation alone from now on.

    Raises:
        Invalid: the setting blob_grace_days turns collections off; or the reason is blank or too long.
    """
    require(work, Permission.BLOB_COLLECT)
    if not work.blob_grace_days:
        raise Invalid("blob_grace_days is 0, so nothing is ever collected.", field="blob_grace_days")
    if take_over and (not take_over.strip() or len(take_over) > TAKE_OVER_CHARACTERS_MAX):
        raise Invalid(f"take_over must say why, in at most {TAKE_OVER_CHARACTERS_MAX} characters.", field="take_over")
    id = new_id("collection")
    queue.enqueue(work.connection, id=id, kind=COLLECTION_JOB, payload={"take_over": bool(take_over)}, now=work.now)
    work.record(BlobCollectionRequested(collection=id, take_over=take_over))
    return Collection(id=id)


def mark_of(work: Work) -> str:
    """The name under which this installation signs a store of blobs: the hash of its first event."""
    require(work, Permission.BLOB_COLLECT)
    first = event_log.read(work.connection, after=0, limit=1)
    return first[0].hash.hex if first else ""


def head_of(work: Work) -> str:
    """How far the event log has come, as it is noted in a store of blobs."""
    require(work, Permission.BLOB_COLLECT)
    [last] = event_log.read(work.connection, limit=1)
    return f"{last.sequence} {last.hash.hex}"


def find(work: Work, *, days: int) -> Found:
    """What is stored and not referred to, and the blobs among it that may go: long idle, and not put of late."""
    require(work, Permission.BLOB_COLLECT)
    before = work.now - timedelta(days=days)
    # First what is there, then what is referred to: what is put and referred to in between is on both lists.
    kept = list(work.blobs.kept())
    mentioned = digests_mentioned(work.connection, apart=APART, columns=ONLY)
    unreferenced = [each for each in kept if each.digest.hex not in mentioned]
    since = store.idle_since(work)
    due = [
        each
        for each in unreferenced
        if days and each.put_at < before.timestamp() and since.get(each.digest.hex, work.now) <= before
    ]
    refusal, waits = _standing(work, days=days)
    if refusal or waits:
        waits = waits if due else ""
        due = []
    told = _counted(kept, unreferenced, due, before, refusal)
    return Found(told, {each.digest.hex for each in unreferenced}, due, head_of(work), waits)


def _counted(
    kept: list[Kept], unreferenced: list[Kept], due: list[Kept], before: datetime, refusal: str
) -> Unreferenced:
    return Unreferenced(
        blobs=len(kept),
        bytes=sum(each.size for each in kept),
        blobs_unreferenced=len(unreferenced),
        bytes_unreferenced=sum(each.size for each in unreferenced),
        blobs_due=len(due),
        bytes_due=sum(each.size for each in due),
        put_before=before,
        refusal=refusal,
    )


def _standing(work: Work, *, days: int) -> tuple[str, str]:
    """Why nothing may be deleted from the store, and why not yet; both empty: what is due may go."""
    mark, signatures = mark_of(work), work.blobs.signatures
    signed = signatures.sign(mark)
    others = len(signed) - 1
    if others:
        who = "another installation signed" if others == 1 else f"{others} other installations signed"
        sure = TAKE_OVER.format(sure="no other uses it any more", days=days)
        return f"The store of blobs is not this installation's alone: {who} it. {sure}", ""
    head = signatures.head(mark)
    if head and not _is_known(work, head):
        sure = TAKE_OVER.format(sure="this database is the one to go on with", days=days)
        told = "The store of blobs has seen events of this installation that this database does not know"
        return f"{told}: it is a copy, or was brought back from a backup. {sure}", ""
    until = datetime.fromtimestamp(signed[mark], UTC) + timedelta(days=days)
    if until > work.now:
        return "", f"The store of blobs was signed of late: nothing is deleted before {timestamp(until)}."
    return "", ""


def _is_known(work: Work, head: str) -> bool:
    sequence, _, hash = head.partition(" ")
    if not sequence.isdecimal():
        return False
    found = event_log.read(work.connection, after=int(sequence) - 1, limit=1)
    return bool(found) and (found[0].sequence, found[0].hash.hex) == (int(sequence), hash)
