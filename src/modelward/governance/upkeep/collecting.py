"""The job of a collection: find the stored bytes that nothing refers to and delete them, some at a time. Safe to run again.

It never races an upload: whoever puts bytes makes them new again and keeps removals out meanwhile (``storage/gates``), and
what was put within the days of grace stays, whether or not its row has been written yet. Each collection notes what is
idle; what was noted within the days of grace stays too. Only who is alone in a store deletes (``storage/signatures``).
"""

import time
from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from modelward.governance.access.entities import SYSTEM
from modelward.governance.upkeep import store, use_cases
from modelward.governance.upkeep.entities import BlobsCollected, BlobsDeleted
from modelward.jobs import queue
from modelward.jobs.queue import Job
from modelward.storage.blobs import Kept
from modelward.storage.work import Work, Workshop

DELETED_AT_ONCE = 100
TRIES = 30
PAUSE_SECONDS = 1.0
BUSY = "Others were storing bytes all the time; the next collection goes on."
TAKEN = (
    "The store of blobs is that of this installation from now on. Nothing is deleted for {days} days, "
    "so that whoever else uses it can sign it again."
)


def collect(workshop: Workshop, job: Job, *, pause: float = PAUSE_SECONDS) -> BlobsCollected:
    """Delete what is due, tell of it in events, and close the job."""
    days = workshop.blob_grace_days
    if job.payload.get("take_over"):
        _take_over(workshop)
    found = workshop.read(SYSTEM, lambda work: use_cases.find(work, days=days))
    workshop.write(SYSTEM, lambda work: store.note_idle(work, found.idle))
    if not found.told.refusal:
        workshop.blobs.signatures.note_head(workshop.read(SYSTEM, use_cases.mark_of), found.head)
    before, due = (workshop.clock() - timedelta(days=days)).timestamp(), found.due
    gone, reason = list[Kept](), found.told.refusal or found.waits
    if job.payload.get("take_over"):
        reason = reason or TAKEN.format(days=days)
    for batch in _batches(due):
        removed = _remove(workshop, batch, before, pause)
        if removed is None:
            reason = BUSY
            break
        if removed:
            gone += removed
            workshop.write(SYSTEM, partial(_tell, job=job, removed=removed))
    ended = BlobsCollected(
        collection=job.id,
        blobs=len(gone),
        bytes=sum(each.size for each in gone),
        blobs_left=len(due) - len(gone),
        reason=reason,
    )
    workshop.write(SYSTEM, lambda work: _end(work, job, ended))
    return ended


def _take_over(workshop: Workshop) -> None:
    """Let the store be that of this installation alone; the days of grace begin anew for all of it."""
    mark, head = workshop.read(SYSTEM, lambda work: (use_cases.mark_of(work), use_cases.head_of(work)))
    workshop.write(SYSTEM, lambda work: store.note_idle(work, set()))
    workshop.blobs.signatures.take_over(mark)
    workshop.blobs.signatures.note_head(mark, head)


def _remove(workshop: Workshop, batch: list[Kept], before: float, pause: float) -> list[Kept] | None:
    for _ in range(TRIES):
        removed = workshop.blobs.remove([each.digest for each in batch], put_before=before)
        if removed is not None:
            return removed
        time.sleep(pause)
    return None


def _tell(work: Work, *, job: Job, removed: list[Kept]) -> None:
    digests = [each.digest for each in removed]
    work.record(BlobsDeleted(collection=job.id, blobs=digests, bytes=sum(each.size for each in removed)))


def _end(work: Work, job: Job, ended: BlobsCollected) -> None:
    # A night on which there was nothing to do is not worth an entry; who asked gets an answer.
    if ended.blobs or ended.reason or job.id.startswith("collection-"):
        work.record(ended)
    queue.finish(work.connection, job, now=work.now)


def _batches(due: list[Kept]) -> Iterator[list[Kept]]:
    for start in range(0, len(due), DELETED_AT_ONCE):
        yield due[start : start + DELETED_AT_ONCE]
