"""What one can do with cards as documents: ask for one, follow it, fetch it; make a card from one."""

from msgspec.structs import asdict, replace

from modelward.governance.access.permissions import Permission, require
from modelward.governance.cards import own_packs
from modelward.governance.cards import use_cases as cards
from modelward.governance.cards.documents import pdf, store
from modelward.governance.cards.documents.dropping import Imported, Written
from modelward.governance.cards.documents.entities import (
    FILES,
    WITH_CONTROLS,
    CardExported,
    CardExportFailed,
    CardExportRequested,
    CardExportsRemoved,
    Export,
    ExportFormat,
    ExportRef,
    ExportState,
    ImportedCard,
    ImportFormat,
)
from modelward.governance.cards.documents.entities import download_headers as download_headers
from modelward.jobs import queue
from modelward.jobs.queue import Job
from modelward.kernel.errors import Conflict, Invalid, NotFound
from modelward.kernel.ids import new_id
from modelward.kernel.pages import Page, PageRequest
from modelward.kernel.refs import CardRef, Digest, ModelRef, VersionRef, checked_name
from modelward.storage.work import Work

EXPORT_JOB = "card-export"
ATTEMPTS_MAX = 3
REASON_CHARACTERS_MAX = 1024
ENDED = (ExportState.FINISHED, ExportState.FAILED)


class ExportExists(Conflict):
    """This card has an export of this name already."""


class ExportUnfinished(Conflict):
    """This export has no document."""


def request_export(
    work: Work,
    card: CardRef,
    *,
    format: ExportFormat = ExportFormat.PDF,
    number: int | None = None,
    pack: str = "",
    name: str = "",
) -> Export:
    """Ask for a version of a card (the current one, unless another is named) as a document; a job writes it.

    Raises:
        ExportExists: the card has an export of this name.
        Invalid: the format has no place for a control pack, or the name is none.
        NotFound: there is no such card, version or control pack.
        Unavailable: a PDF is asked for, and the packages that set one are not installed.
    """
    require(work, Permission.CARD_EXPORT, on=card)
    if format is ExportFormat.PDF:
        pdf.check_can_draw()
    version = cards.get_version(work, card, number=number)
    if pack and format not in WITH_CONTROLS:
        raise Invalid(f"A document of the format {format.value} has no place for a control pack.", field="pack")
    if pack:
        own_packs.find_in_force(work, pack)
    ref = ExportRef(new_id("export"))
    named = checked_name(name) if name else str(ref)
    if name and store.find_named(work, card, named):
        raise ExportExists(f"{card} has an export named {named} already.", field="name")
    new = Export(
        id=ref,
        card=card,
        number=version.number,
        format=format,
        name=named,
        pack=pack,
        created_at=work.now,
        created_by=work.actor.id,
    )
    store.add(work, new)
    payload = {"export": str(ref)}
    queue.enqueue(work.connection, id=ref, kind=EXPORT_JOB, payload=payload, now=work.now, attempts_max=ATTEMPTS_MAX)
    work.record(CardExportRequested(card=card, export=ref, number=version.number, format=format))
    return new


def finish_export(work: Work, job: Job, *, written: Written, document: Digest) -> Export | None:
    """Keep the digest of what was written and close the job, in one transaction; None when it was removed since."""
    ref = ExportRef(job.payload["export"])
    require(work, Permission.CARD_EXPORT, on=ref)
    queue.finish(work.connection, job, now=work.now)
    found = store.find(work, ref)
    if found is None or found.state in ENDED:
        return found
    media_type, ending = FILES[found.format]
    finished = replace(
        found,
        state=ExportState.FINISHED,
        progress=1.0,
        document=document,
        size=len(written.data),
        file_name=f"{found.card}-version-{found.number}{ending}",
        media_type=media_type,
        dropped=written.dropped,
        finished_at=work.now,
    )
    store.put(work, finished)
    work.record(CardExported(card=found.card, export=ref, number=found.number, format=found.format, document=document))
    return finished


def fail_export(work: Work, ref: ExportRef, *, reason: str, job: Job | None = None) -> Export | None:
    """Keep why a document could not be written, and close the job where it is still open."""
    require(work, Permission.CARD_EXPORT, on=ref)
    if job is not None:
        queue.finish(work.connection, job, now=work.now)
    found = store.find(work, ref)
    if found is None or found.state in ENDED:
        return found
    told = reason[:REASON_CHARACTERS_MAX]
    failed = replace(found, state=ExportState.FAILED, reason=told, finished_at=work.now)
    store.put(work, failed)
    work.record(CardExportFailed(card=found.card, export=ref, number=found.number, format=found.format, reason=told))
    return failed


def get_export(work: Work, ref: ExportRef) -> Export:
    """An export by its id.

    Raises:
        NotFound: there is none.
    """
    require(work, Permission.CARD_READ, on=ref)
    found = store.find(work, ref)
    if found is None:
        raise NotFound(f"There is no export {ref}.", field="export")
    return found


def list_exports(
    work: Work, card: CardRef, *, page: PageRequest, state: ExportState | None = None, text: str = ""
) -> Page[Export]:
    """The exports of a card, the newest first; by state and by text in the name."""
    cards.get_card(work, card)
    return store.list_of(work, card, page=page, state=state, text=text)


def read_document(work: Work, ref: ExportRef) -> tuple[Export, bytes]:
    """A finished export with its bytes, checked against their digest.

    Raises:
        ExportUnfinished: it waits, runs or failed.
    """
    found = get_export(work, ref)
    if found.document is None:
        why = found.reason or "it has not finished yet"
        raise ExportUnfinished(f"{ref} is {found.state.value} and has no document: {why}.", field="export")
    return found, work.blobs.get(found.document)


def forget_exports(work: Work, card: CardRef) -> None:
    """Take the exports of a deleted card from the list; the documents stay among the blobs."""
    require(work, Permission.CARD_EXPORT, on=card)
    removed = store.forget(work, card)
    work.record(CardExportsRemoved(card=card, exports=removed))


def preview_import(work: Work, *, format: ImportFormat, document: bytes) -> Imported:
    """What a card made from a document would say, and what would be dropped; nothing is kept."""
    require(work, Permission.CARD_READ)
    return _read_document(format, document)


def create_from(
    work: Work,
    *,
    name: str,
    format: ImportFormat,
    document: bytes,
    model: ModelRef | None = None,
    version: VersionRef | None = None,
    note: str = "",
) -> ImportedCard:
    """Make a card, as a draft, from a document of another format.

    Raises:
        Invalid: the document cannot be read, or breaks a rule of cards.
    """
    imported = _read_document(format, document)
    origin = f"a document ({format.value})"
    card = cards.create_card(
        work,
        name=name,
        content=imported.content,
        model=model,
        version=version,
        note=note or f"Imported from {origin}.",
        origins={f"$.{section}": origin for section in imported.content},
    )
    return ImportedCard(**asdict(card), dropped=imported.dropped)


def _read_document(format: ImportFormat, document: bytes) -> Imported:
    # Loaded when first used: YAML and the writers of other formats are not needed to start a server.
    from modelward.governance.cards.documents.importing import import_card

    return import_card(format, document)
