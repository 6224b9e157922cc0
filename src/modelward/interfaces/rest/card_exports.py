"""Cards as documents over REST: export jobs, their documents, and cards made from documents."""

import asyncio

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.governance.cards.documents import use_cases
from modelward.governance.cards.documents.dropping import DOCUMENT_BYTES_MAX, Imported
from modelward.governance.cards.documents.entities import (
    Export,
    ExportFormat,
    ExportRef,
    ExportState,
    ImportedCard,
    ImportFormat,
)
from modelward.governance.registry import use_cases as registry
from modelward.interfaces.http import respond
from modelward.interfaces.rest.dispatch import RawRequest
from modelward.interfaces.rest.operations import Operations
from modelward.kernel.pages import PAGE_SIZE_DEFAULT, Page, PageRequest
from modelward.kernel.refs import CardRef, ModelRef, VersionRef
from modelward.storage.work import Work

card_exports = Operations("cards")
# A document inside JSON may be twice as long as by itself.
IMPORT_BYTES_MAX = 2 * DOCUMENT_BYTES_MAX + (1 << 16)


class RequestExport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a card is to be written as; ``number`` is the version, the current one when left out."""

    format: ExportFormat = ExportFormat.PDF
    number: int | None = None
    pack: str = ""
    name: str = ""


class ListExports(msgspec.Struct, frozen=True, kw_only=True):
    """Which exports to list."""

    state: ExportState | None = None
    text: str = ""
    limit: int = PAGE_SIZE_DEFAULT
    cursor: str | None = None


class PreviewImport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A document of another format, as text."""

    format: ImportFormat
    document: str


class ImportCard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A document of another format, as text, and the card to make of it."""

    name: str
    format: ImportFormat
    document: str
    model: ModelRef | None = None
    version: VersionRef | None = None
    note: str = ""


@card_exports.operation("POST", "/cards/{card}/exports", permission=Permission.CARD_EXPORT, status=202)
def request_card_export(work: Work, card: CardRef, body: RequestExport) -> Export:
    """Ask for a version of a card as a document; a job writes it."""
    return use_cases.request_export(work, card, format=body.format, number=body.number, pack=body.pack, name=body.name)


@card_exports.operation("GET", "/cards/{card}/exports", permission=Permission.CARD_READ)
def list_card_exports(work: Work, card: CardRef, query: ListExports) -> Page[Export]:
    """List the exports of a card, the newest first; by state and by text in the name."""
    page = PageRequest(limit=query.limit, cursor=query.cursor)
    return use_cases.list_exports(work, card, page=page, state=query.state, text=query.text)


@card_exports.operation("GET", "/exports/{export}", permission=Permission.CARD_READ)
def get_card_export(work: Work, export: ExportRef) -> Export:
    """Get an export: how far it is, why it failed, what was dropped."""
    return use_cases.get_export(work, export)


@card_exports.operation("GET", "/exports/{export}/document", permission=Permission.CARD_READ, raw=True)
async def read_card_export(request: RawRequest, export: ExportRef) -> None:
    """Download the document of a finished export, checked against its digest."""
    loop = asyncio.get_running_loop()
    found, data = await loop.run_in_executor(
        None, request.workshop.read, request.actor, lambda work: use_cases.read_document(work, export)
    )
    headers = use_cases.download_headers(found)
    await respond(request.send, 200, data, kind=found.media_type.encode("ascii"), headers=headers)


@card_exports.operation("POST", "/cards/import/preview", permission=Permission.CARD_READ, bytes_max=IMPORT_BYTES_MAX)
def preview_card_import(work: Work, body: PreviewImport) -> Imported:
    """Read a document of another format: what a card made from it would say, and what would be dropped."""
    return use_cases.preview_import(work, format=body.format, document=body.document.encode("utf-8", "replace"))


@card_exports.operation(
    "POST", "/cards/import", permission=Permission.CARD_WRITE, status=201, bytes_max=IMPORT_BYTES_MAX
)
def import_card(work: Work, body: ImportCard) -> ImportedCard:
    """Make a card, as a draft, from a document of another format; the answer says what was dropped."""
    if body.version is not None:
        registry.get_version(work, body.version)
    elif body.model is not None:
        registry.get_model(work, body.model)
    return use_cases.create_from(
        work,
        name=body.name,
        format=body.format,
        document=body.document.encode("utf-8", "replace"),
        model=body.model,
        version=body.version,
        note=body.note,
    )
