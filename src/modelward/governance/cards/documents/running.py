"""The job of an export: gather, write, keep the bytes, then say so in one transaction. Safe to run again."""

from collections.abc import Callable

from modelward.governance.access.entities import SYSTEM
from modelward.governance.cards.documents import store, use_cases
from modelward.governance.cards.documents.entities import Export, ExportRef
from modelward.governance.cards.documents.facts import CardFacts
from modelward.governance.cards.documents.fonts import FontChoice
from modelward.governance.cards.documents.formats import write
from modelward.governance.cards.documents.pdf import DocumentNotDrawn
from modelward.jobs import queue
from modelward.jobs.queue import Job
from modelward.kernel.errors import Invalid, NotFound, NotImplementedYet
from modelward.storage.work import Work, Workshop

# What a second attempt cannot mend.
FINAL = (Invalid, NotFound, NotImplementedYet, DocumentNotDrawn)
GATHERED, WRITTEN = 0.3, 0.8


def run(
    workshop: Workshop, job: Job, *, gather: Callable[[Work, Export], CardFacts], fonts: FontChoice = FontChoice()
) -> None:
    """Write one document. The same facts give the same bytes, so a second run keeps the same blob."""
    ref = ExportRef(job.payload["export"])
    found = workshop.read(SYSTEM, lambda work: store.find(work, ref))
    if found is None or found.state in use_cases.ENDED:
        workshop.write(SYSTEM, lambda work: queue.finish(work.connection, job, now=work.now))
        return
    try:
        _write(workshop, job, found, gather, fonts)
    except FINAL as problem:
        reason = str(problem)
        workshop.write(SYSTEM, lambda work: use_cases.fail_export(work, ref, reason=reason, job=job))


def _write(
    workshop: Workshop, job: Job, export: Export, gather: Callable[[Work, Export], CardFacts], fonts: FontChoice
) -> None:
    facts = workshop.read(SYSTEM, lambda work: gather(work, export))
    workshop.database.write(lambda connection: store.note_progress(connection, export.id, GATHERED))
    written = write(export.format, facts, fonts)
    document, _ = workshop.blobs.put(written.data)
    workshop.database.write(lambda connection: store.note_progress(connection, export.id, WRITTEN))
    workshop.write(SYSTEM, lambda work: use_cases.finish_export(work, job, written=written, document=document))


def give_up(workshop: Workshop, job: Job, error: str) -> None:
    """Say that an export failed after the last attempt."""
    ref = ExportRef(job.payload["export"])
    workshop.write(SYSTEM, lambda work: use_cases.fail_export(work, ref, reason=error))
