"""The files of a card: what is attached to it, and the documents it is written as."""

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.governance.cards import attachment as attachment_rules
from modelward.governance.cards import attachments, controls
from modelward.governance.cards.attachment import AttachmentRef
from modelward.governance.cards.documents import use_cases as documents
from modelward.governance.cards.documents.entities import Export, ExportFormat, ExportRef, ExportState
from modelward.interfaces.web.card_frame import frame
from modelward.interfaces.web.uploads import Uploaded
from modelward.interfaces.web.views import Download, Redirect, Shown, Views, show
from modelward.kernel.errors import Invalid, ModelwardError
from modelward.kernel.pages import PageRequest
from modelward.kernel.refs import CardRef, Digest
from modelward.storage.work import Work

views = Views()
EXPORTS_ON_A_PAGE = 25
FORMAT_TITLES = {
    ExportFormat.PDF: "PDF",
    ExportFormat.HTML: "HTML, one file",
    ExportFormat.MARKDOWN: "Markdown",
    ExportFormat.JSON: "Our own JSON",
    ExportFormat.AWS_JSON: "JSON of the hosted service",
    ExportFormat.HUGGING_FACE: "Hugging Face README.md",
    ExportFormat.MODEL_CARD_TOOLKIT: "Model Card Toolkit",
    ExportFormat.CYCLONEDX: "CycloneDX ML-BOM",
    ExportFormat.SPDX: "SPDX AI profile",
}


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What was just done."""

    done: str = ""
    cursor: str | None = None


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why."""

    reason: str = ""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which document of which version; the current one when left out."""

    format: ExportFormat
    number: int | None = None
    pack: str = ""


@views.page("GET", "/cards/{card}/attachments", permission=Permission.CARD_READ)
def list_attachments(work: Work, card: CardRef, query: Done) -> Shown:
    """The files attached to a card."""
    return _attachments(work, card, done=query.done, problem=None)


def attachments_again(work: Work, card: CardRef, form: dict[str, str], problem: ModelwardError) -> Shown:
    """The same with the refusal."""
    return _attachments(work, card, done="", problem=problem)


def _attachments(work: Work, card: CardRef, *, done: str, problem: ModelwardError | None) -> Shown:
    return show(
        "card_attachments.html",
        **frame(work, card, "attachments", heading=f"Attachments of {card}"),
        files=attachments.list_attachments(work, card),
        done=done,
        problem=problem,
    )


@views.page(
    "POST",
    "/cards/{card}/attachments",
    permission=Permission.CARD_WRITE,
    again=attachments_again,
    keeps_file=True,
)
def attach(work: Work, card: CardRef, file: Uploaded | None) -> Redirect:
    """Attach a file; its bytes are hashed and kept, never opened."""
    if file is None:
        raise Invalid("Choose a file to attach.", field="file")
    digest = Digest.parse(file.digest, field="file")
    attachments.attach(work, card, digest=digest, bytes=file.size, file_name=file.name, head=file.head)
    return Redirect(to=f"/cards/{card}/attachments?done=attached")


@views.page("GET", "/attachments/{attachment}/content", permission=Permission.CARD_READ)
def download_attachment(work: Work, attachment: AttachmentRef) -> Download:
    """Download an attachment: always to be kept, never to be shown in the browser."""
    found = attachments.get_attachment(work, attachment)
    return Download(
        chunks=attachments.read_attachment(work, attachment), headers=attachment_rules.download_headers(found)
    )


def attachment_again(work: Work, attachment: AttachmentRef, form: dict[str, str], problem: ModelwardError) -> Shown:
    """The attachments of the card with the refusal of what was done to one of them."""
    return _attachments(work, attachments.get_attachment(work, attachment).card, done="", problem=problem)


@views.page("POST", "/attachments/{attachment}/remove", permission=Permission.CARD_WRITE, again=attachment_again)
def remove_attachment(work: Work, attachment: AttachmentRef, form: Reason) -> Redirect:
    """Take a file off its card."""
    removed = attachments.remove_attachment(work, attachment, reason=form.reason.strip())
    return Redirect(to=f"/cards/{removed.card}/attachments?done=removed")


@views.page("GET", "/cards/{card}/exports", permission=Permission.CARD_READ)
def list_exports(work: Work, card: CardRef, query: Done) -> Shown:
    """The documents of a card, and the form to ask for one."""
    return _exports(work, card, cursor=query.cursor, problem=None, form={})


def exports_again(work: Work, card: CardRef, form: dict[str, str], problem: ModelwardError) -> Shown:
    """The same with the refusal."""
    return _exports(work, card, cursor=None, problem=problem, form=form)


def _exports(
    work: Work, card: CardRef, *, cursor: str | None, problem: ModelwardError | None, form: dict[str, str]
) -> Shown:
    page = documents.list_exports(work, card, page=PageRequest(limit=EXPORTS_ON_A_PAGE, cursor=cursor))
    return show(
        "card_exports.html",
        **frame(work, card, "exports", heading=f"Exports of {card}"),
        page=page,
        titles=FORMAT_TITLES,
        packs=controls.list_packs(work),
        under_way=any(_is_under_way(each) for each in page.items),
        form=form,
        problem=problem,
    )


def _is_under_way(export: Export) -> bool:
    return export.state in (ExportState.WAITING, ExportState.RUNNING)


@views.page("POST", "/cards/{card}/exports", permission=Permission.CARD_EXPORT, again=exports_again)
def request_export(work: Work, card: CardRef, form: Wanted) -> Redirect:
    """Ask for a document; a job writes it, and the page shows how far it is."""
    documents.request_export(work, card, format=form.format, number=form.number, pack=form.pack)
    return Redirect(to=f"/cards/{card}/exports")


@views.page("GET", "/exports/{export}/document", permission=Permission.CARD_READ)
def download_document(work: Work, export: ExportRef) -> Download:
    """Download a finished document."""
    found, data = documents.read_document(work, export)
    length = (b"content-length", str(len(data)).encode())
    kind = (b"content-type", b"application/octet-stream")
    headers = [
        each for each in documents.download_headers(found) if each[0] not in (b"content-type", b"content-length")
    ]
    return Download(chunks=[data], headers=[kind, length, *headers, (b"cache-control", b"private, no-store")])
