"""The table of attachments: card_attachment. The bytes are blobs."""

from typing import Any

import sqlalchemy as sa

from modelward.governance.cards.attachment import Attachment, AttachmentRef
from modelward.kernel.clock import moment, timestamp
from modelward.kernel.refs import CardRef, Digest
from modelward.storage.work import Work

metadata = sa.MetaData()
attachment = sa.Table(
    "card_attachment",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("card", sa.Text, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("media_type", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("removed_at", sa.Text),
    sa.Column("removed_by", sa.Text),
    sa.Column("removed_number", sa.Integer),
    sa.Column("reason", sa.Text, nullable=False),
)


def add(work: Work, new: Attachment) -> None:
    """Keep a new attachment."""
    row = {name: getattr(new, name) for name in Attachment.__struct_fields__}
    work.execute(sa.insert(attachment), {**row, "at": timestamp(new.at), "removed_at": None})


def put_removal(work: Work, removed: Attachment) -> None:
    """Keep when and why an attachment was taken off."""
    assert removed.removed_at is not None
    values = {
        "removed_at": timestamp(removed.removed_at),
        "removed_by": removed.removed_by,
        "removed_number": removed.removed_number,
        "reason": removed.reason,
    }
    work.execute(sa.update(attachment).where(attachment.c.id == removed.id).values(values))


def find(work: Work, ref: AttachmentRef) -> Attachment | None:
    """Find an attachment by its id, removed or not."""
    row = work.execute(sa.select(attachment).where(attachment.c.id == ref)).first()
    return _attachment(row) if row else None


def list_of(work: Work, card: CardRef) -> list[Attachment]:
    """All attachments a card has or had, the oldest first."""
    query = sa.select(attachment).where(attachment.c.card == card).order_by(attachment.c.at, attachment.c.id)
    return [_attachment(row) for row in work.execute(query)]


def _attachment(row: sa.Row[Any]) -> Attachment:
    fields = dict(row._mapping)
    fields |= {"id": AttachmentRef(row.id), "card": CardRef(row.card), "digest": Digest(row.digest)}
    fields |= {"at": moment(row.at), "removed_at": moment(row.removed_at) if row.removed_at else None}
    return Attachment(**fields)
