"""The table of the exports: card_export."""

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from modelward.governance.cards.documents.dropping import Dropped
from modelward.governance.cards.documents.entities import Export, ExportFormat, ExportRef, ExportState
from modelward.kernel import codec
from modelward.kernel.clock import moment, timestamp
from modelward.kernel.pages import Page, PageRequest, cursor_after
from modelward.kernel.refs import CardRef, Digest
from modelward.storage.work import Work

metadata = sa.MetaData()
card_export = sa.Table(
    "card_export",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("card", sa.Text, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("format", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("pack", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("progress", sa.Float, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("document", sa.Text),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("file_name", sa.Text, nullable=False),
    sa.Column("media_type", sa.Text, nullable=False),
    sa.Column("dropped", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("finished_at", sa.Text),
    sa.Index("card_export_by_name", "card", "name", unique=True),
    sa.Index("card_export_by_card", "card", "id"),
)


def add(work: Work, new: Export) -> None:
    """Keep a new export."""
    row = {
        "id": new.id,
        "card": new.card,
        "number": new.number,
        "format": new.format.value,
        "name": new.name,
        "pack": new.pack,
        "created_at": timestamp(new.created_at),
        "created_by": new.created_by,
        **_changing(new),
    }
    work.execute(sa.insert(card_export), row)


def put(work: Work, changed: Export) -> None:
    """Keep how far an export is."""
    work.execute(sa.update(card_export).where(card_export.c.id == changed.id).values(_changing(changed)))


def note_progress(connection: Connection, ref: ExportRef, progress: float) -> None:
    """Keep that an export runs and how far it is; no event tells of it, since nothing is lost with it."""
    open_states = [ExportState.WAITING.value, ExportState.RUNNING.value]
    still_open = sa.and_(card_export.c.id == ref, card_export.c.state.in_(open_states))
    changed = {"progress": progress, "state": ExportState.RUNNING.value}
    connection.execute(sa.update(card_export).where(still_open).values(changed))


def _changing(each: Export) -> dict[str, Any]:
    return {
        "state": each.state.value,
        "progress": each.progress,
        "reason": each.reason,
        "document": each.document,
        "size": each.size,
        "file_name": each.file_name,
        "media_type": each.media_type,
        "dropped": codec.encode(each.dropped).decode(),
        "finished_at": timestamp(each.finished_at) if each.finished_at else None,
    }


def find(work: Work, ref: ExportRef) -> Export | None:
    """Find an export by its id."""
    row = work.execute(sa.select(card_export).where(card_export.c.id == ref)).first()
    return _export(row) if row else None


def find_named(work: Work, card: CardRef, name: str) -> Export | None:
    """Find an export of a card by its name."""
    query = sa.select(card_export).where(card_export.c.card == card, card_export.c.name == name)
    row = work.execute(query).first()
    return _export(row) if row else None


def list_of(work: Work, card: CardRef, *, page: PageRequest, state: ExportState | None, text: str) -> Page[Export]:
    """The exports of a card, the newest first."""
    query = sa.select(card_export).where(card_export.c.card == card)
    query = query.order_by(card_export.c.id.desc()).limit(page.limit + 1)
    if page.after:
        query = query.where(card_export.c.id < page.after[0])
    if state:
        query = query.where(card_export.c.state == state.value)
    if text:
        query = query.where(sa.func.lower(card_export.c.name).contains(text.lower(), autoescape=True))
    found = [_export(row) for row in work.execute(query)]
    items = found[: page.limit]
    return Page(items=items, next_cursor=cursor_after(items[-1].id) if len(found) > page.limit else None)


def forget(work: Work, card: CardRef) -> int:
    """Remove the exports of a card and return how many there were; the documents stay among the blobs."""
    return int(work.execute(sa.delete(card_export).where(card_export.c.card == card)).rowcount)


def _export(row: sa.Row[Any]) -> Export:
    return Export(
        id=ExportRef(row.id),
        card=CardRef(row.card),
        number=row.number,
        format=ExportFormat(row.format),
        name=row.name,
        pack=row.pack,
        state=ExportState(row.state),
        progress=row.progress,
        reason=row.reason,
        document=Digest(row.document) if row.document else None,
        size=row.size,
        file_name=row.file_name,
        media_type=row.media_type,
        dropped=msgspec.json.decode(row.dropped, type=list[Dropped]),
        created_at=moment(row.created_at),
        created_by=row.created_by,
        finished_at=moment(row.finished_at) if row.finished_at else None,
    )
