"""What one can do with the files of a card: attach, list, read, take off. What a file may be stands in attachment.py."""

from collections.abc import Iterator

from msgspec.structs import replace

from modelward.governance.access.permissions import Permission, require
from modelward.governance.cards import attachment as rules
from modelward.governance.cards import attachment_store as store
from modelward.governance.cards import use_cases
from modelward.governance.cards.attachment import (
    Attachment,
    AttachmentAdded,
    AttachmentForbidden,
    AttachmentRef,
    AttachmentRemoved,
)
from modelward.governance.cards.entities import Card, CardStatus
from modelward.kernel.errors import Invalid, NotFound
from modelward.kernel.ids import new_id
from modelward.kernel.refs import CardRef, Digest
from modelward.storage.work import Work

ATTACHMENTS_MAX = 100


def check_attachable(work: Work, name: CardRef, *, file_name: str) -> Card:
    """Refuse what could not be attached, before its bytes are received.

    Raises:
        AttachmentForbidden: the card is approved or archived, or has as many files as it may have.
        Invalid: the file name is not allowed.
    """
    require(work, Permission.CARD_WRITE, on=name)
    card = use_cases.get_card(work, name)
    rules.check_name(file_name)
    _check_open(card)
    here = [each for each in store.list_of(work, name) if each.removed_at is None]
    if len(here) >= ATTACHMENTS_MAX:
        raise AttachmentForbidden(f"{name} has {len(here)} attachments, as many as it may have.")
    return card


def _check_open(card: Card) -> None:
    if card.status in (CardStatus.APPROVED, CardStatus.ARCHIVED):
        hint = "Move it to draft first." if card.status is CardStatus.APPROVED else "Clone it and attach to the clone."
        raise AttachmentForbidden(f"{card.name} is {card.status.value}; its files stay as they are.", hint=hint)


def attach(work: Work, name: CardRef, *, digest: Digest, bytes: int, file_name: str, head: bytes) -> Attachment:
    """Attach a file whose bytes have just been put into the blob store; ``head`` are its first bytes.

    The same bytes under the same name once more are the attachment that is there.

    Raises:
        AttachmentForbidden: the card is approved or archived, or another file has this name.
        Invalid: the file name is not allowed, or the file is empty.
    """
    require(work, Permission.CARD_WRITE, on=name)
    known = [each for each in store.list_of(work, name) if each.removed_at is None and each.name == file_name]
    if known and known[0].digest == digest:
        return known[0]
    card = check_attachable(work, name, file_name=file_name)
    if known:
        # Only now: sent again after a lost answer, the same bytes must come this far.
        raise AttachmentForbidden(
            f"{name} has an attachment named {file_name} already.", field="name", hint="Take that one off first."
        )
    if bytes == 0:
        raise Invalid("The file is empty; nothing was attached.", field="body")
    new = Attachment(
        id=AttachmentRef(new_id("attachment")),
        card=name,
        number=card.number,
        name=file_name,
        digest=digest,
        bytes=bytes,
        media_type=rules.guess_type(head),
        at=work.now,
        by=work.actor.id,
    )
    store.add(work, new)
    work.record(
        AttachmentAdded(card=name, attachment=new.id, number=card.number, name=file_name, digest=digest, bytes=bytes)
    )
    return new


def list_attachments(work: Work, name: CardRef, *, number: int | None = None) -> list[Attachment]:
    """The files of a card as it is now, or as it was last while version ``number`` was current; the oldest first."""
    card = use_cases.get_card(work, name)
    every = store.list_of(work, name)
    if number is None or number == card.number:
        return [each for each in every if each.removed_at is None]
    use_cases.get_version(work, name, number=number)
    return [
        each
        for each in every
        if each.number <= number and (each.removed_number is None or each.removed_number > number)
    ]


def get_attachment(work: Work, ref: AttachmentRef) -> Attachment:
    """An attachment, also one that was taken off.

    Raises:
        NotFound: there is none.
    """
    require(work, Permission.CARD_READ, on=ref)
    found = store.find(work, ref)
    if found is None:
        raise NotFound(f"There is no attachment {ref}.", field="attachment")
    return found


def read_attachment(work: Work, ref: AttachmentRef) -> Iterator[bytes]:
    """The bytes of an attachment, checked against its digest as they are read.

    Raises:
        NotFound: there is none, or it was taken off.
    """
    found = get_attachment(work, ref)
    if found.removed_at is not None:
        raise NotFound(f"{found.name} was taken off {found.card} by {found.removed_by}.", field="attachment")
    return work.blobs.open(found.digest)


def remove_attachment(work: Work, ref: AttachmentRef, *, reason: str = "") -> Attachment:
    """Take a file off its card. It can no longer be read here; that it was there stays on record.

    Raises:
        AttachmentForbidden: the card is approved or archived.
    """
    require(work, Permission.CARD_WRITE, on=ref)
    found = get_attachment(work, ref)
    if found.removed_at is not None:
        return found
    if len(reason) > rules.REASON_CHARACTERS_MAX:
        raise Invalid(f"reason has more than {rules.REASON_CHARACTERS_MAX} characters.", field="reason")
    card = use_cases.get_card(work, found.card)
    _check_open(card)
    removed = replace(found, removed_at=work.now, removed_by=work.actor.id, removed_number=card.number, reason=reason)
    store.put_removal(work, removed)
    work.record(
        AttachmentRemoved(
            card=found.card,
            attachment=ref,
            number=card.number,
            name=found.name,
            digest=found.digest,
            reason=reason,
        )
    )
    return removed
