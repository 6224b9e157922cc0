"""The job that puts the document of a card into a bucket of the object store outside. Safe to run again.

It is sent first and noted then: after a crash between the two it is sent once more, under the same key. What passes is
tried again by the worker; what does not, ends the delivery with the reason.
"""

import tempfile
from typing import IO

from modelward.governance.access.entities import SYSTEM
from modelward.governance.cards.documents import delivery
from modelward.governance.cards.documents.delivery import Delivery, DeliveryState
from modelward.governance.cards.documents.entities import Export, ExportRef
from modelward.governance.cards.documents.use_cases import get_export
from modelward.jobs import queue
from modelward.jobs.queue import Job
from modelward.kernel.errors import Invalid, NotAllowed, NotFound
from modelward.storage.object_store import BucketNotListed
from modelward.storage.work import Work, Workshop

SHIPPING_JOB = "card-shipping"
# What a second attempt cannot mend.
FINAL = (Invalid, NotAllowed, NotFound)
IN_MEMORY_BYTES_MAX = 8 << 20


def ship(work: Work, found: Delivery) -> None:
    """Let a document be put into the bucket of its delivery, by a job: the store may be slow, or away for a while."""
    payload = {"export": str(found.export)}
    queue.enqueue(work.connection, id=f"{found.export}/ship", kind=SHIPPING_JOB, payload=payload, now=work.now)


def run(workshop: Workshop, job: Job) -> None:
    """Put one document where it is wanted, and say so in one transaction with the end of the job."""
    ref = ExportRef(job.payload["export"])

    def find(work: Work) -> tuple[Delivery, Export] | None:
        waiting = delivery.find_delivery(work, ref)
        return (waiting, get_export(work, ref)) if waiting and waiting.state is DeliveryState.WAITING else None

    found = workshop.read(SYSTEM, find)
    if found is None:
        workshop.write(SYSTEM, lambda work: queue.finish(work.connection, job, now=work.now))
        return
    try:
        artifact = _send(workshop, *found)
    except FINAL as problem:
        reason = problem.message
        workshop.write(SYSTEM, lambda work: _end(work, ref, job, state=DeliveryState.FAILED, reason=reason))
        return
    workshop.write(SYSTEM, lambda work: _end(work, ref, job, state=DeliveryState.DELIVERED, artifact=artifact))


def _send(workshop: Workshop, found: Delivery, export: Export) -> str:
    bucket, key = delivery.place_of(found)
    if workshop.object_store is None:
        raise BucketNotListed(f"The bucket {bucket} is no longer listed in s3_buckets.")
    if export.document is None:
        raise NotFound(f"The export {export.id} has no document.")
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES_MAX) as file:
        for piece in workshop.blobs.open(export.document):
            file.write(piece)
        sent: IO[bytes] = file
        workshop.object_store.put(bucket, key, sent, kind=export.media_type)
    return f"s3://{bucket}/{key}"


def _end(
    work: Work, ref: ExportRef, job: Job | None, *, state: DeliveryState, artifact: str = "", reason: str = ""
) -> None:
    # Read anew: the card may have been deleted while its document was under way.
    found = delivery.find_delivery(work, ref)
    if found is not None and found.state is DeliveryState.WAITING:
        delivery.end_delivery(work, found, state=state, artifact=artifact, reason=reason)
    if job is not None:
        queue.finish(work.connection, job, now=work.now)


def give_up(workshop: Workshop, job: Job, error: str) -> None:
    """Say that a delivery failed after the last attempt, and why."""
    ref = ExportRef(job.payload["export"])
    reason = error.partition(": ")[2] or error
    workshop.write(SYSTEM, lambda work: _end(work, ref, None, state=DeliveryState.FAILED, reason=reason))
