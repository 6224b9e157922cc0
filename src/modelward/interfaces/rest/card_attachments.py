"""The files of cards over REST: upload, list, download, take off."""

import asyncio
import tempfile
from collections.abc import Iterator

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.governance.cards import attachments
from modelward.governance.cards.attachment import HEAD_BYTES, Attachment, AttachmentRef, download_headers
from modelward.interfaces.http import respond
from modelward.interfaces.rest.dispatch import RawRequest
from modelward.interfaces.rest.operations import Operations
from modelward.interfaces.rest.uploads import chunks, receive_into
from modelward.kernel import codec
from modelward.kernel.refs import CardRef
from modelward.storage.work import Work

card_attachments = Operations("attachments")


class AttachFile(msgspec.Struct, frozen=True, kw_only=True):
    """What the file is called."""

    name: str = ""


class ListAttachments(msgspec.Struct, frozen=True, kw_only=True):
    """Of which version of the card; as it is now when left out."""

    number: int | None = None


class RemoveAttachment(msgspec.Struct, frozen=True, kw_only=True):
    """Why the file is taken off."""

    reason: str = ""


@card_attachments.operation("PUT", "/cards/{card}/attachments", permission=Permission.CARD_WRITE, status=201, raw=True)
async def attach_file(request: RawRequest, card: CardRef, query: AttachFile) -> Attachment:
    """Attach the body to a card as a file. The bytes are hashed and kept, never opened; their size has a limit."""
    loop = asyncio.get_running_loop()
    workshop = request.workshop
    await loop.run_in_executor(
        None,
        workshop.read,
        request.actor,
        lambda work: attachments.check_attachable(work, card, file_name=query.name),
    )
    with tempfile.TemporaryFile() as file:
        await receive_into(file, request, bytes_max=workshop.attachment_bytes_max)
        file.seek(0)
        head = file.read(HEAD_BYTES)
        digest, size = await loop.run_in_executor(None, workshop.blobs.put, chunks(file))
    kept = await asyncio.wrap_future(
        workshop.submit(
            request.actor,
            lambda work: attachments.attach(work, card, digest=digest, bytes=size, file_name=query.name, head=head),
        )
    )
    await respond(request.send, 201, codec.encode(kept))
    return kept


@card_attachments.operation("GET", "/cards/{card}/attachments", permission=Permission.CARD_READ)
def list_attachments(work: Work, card: CardRef, query: ListAttachments) -> list[Attachment]:
    """List the files of a card as it is now, or as it was last in one of its versions."""
    return attachments.list_attachments(work, card, number=query.number)


@card_attachments.operation("GET", "/attachments/{attachment}", permission=Permission.CARD_READ)
def get_attachment(work: Work, attachment: AttachmentRef) -> Attachment:
    """Get what is known of an attachment."""
    return attachments.get_attachment(work, attachment)


@card_attachments.operation("GET", "/attachments/{attachment}/content", permission=Permission.CARD_READ, raw=True)
async def read_attachment(request: RawRequest, attachment: AttachmentRef) -> None:
    """Download an attachment, checked against its digest: always to be kept, never to be shown in the browser."""
    loop = asyncio.get_running_loop()

    def task(work: Work) -> tuple[Attachment, Iterator[bytes]]:
        return attachments.get_attachment(work, attachment), attachments.read_attachment(work, attachment)

    known, pieces = await loop.run_in_executor(None, request.workshop.read, request.actor, task)
    await request.send({"type": "http.response.start", "status": 200, "headers": download_headers(known)})
    while (piece := await loop.run_in_executor(None, next, pieces, None)) is not None:
        await request.send({"type": "http.response.body", "body": piece, "more_body": True})
    await request.send({"type": "http.response.body", "body": b""})


@card_attachments.operation("DELETE", "/attachments/{attachment}", permission=Permission.CARD_WRITE)
def remove_attachment(work: Work, attachment: AttachmentRef, query: RemoveAttachment) -> Attachment:
    """Take a file off its card; that it was there stays on record."""
    return attachments.remove_attachment(work, attachment, reason=query.reason)
