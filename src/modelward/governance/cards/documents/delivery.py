"""Documents that are to be put somewhere once they are written: which export, to which address, and how that went.

The address is words of whoever delivers (a reaction does, into the object store).
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec.structs import replace

from modelward.governance.access.permissions import Permission, require
from modelward.governance.cards.documents.entities import ExportRef
from modelward.governance.cards.documents.store import card_export
from modelward.kernel.browsing import Browse, Found
from modelward.kernel.clock import moment, timestamp
from modelward.kernel.events import Happening
from modelward.kernel.refs import CardRef
from modelward.storage.browsing import Shelf, look_through
from modelward.storage.work import Work

metadata = sa.MetaData()
card_delivery = sa.Table(
    "card_delivery",
    metadata,
    sa.Column("export", sa.Text, primary_key=True),
    sa.Column("card", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("artifact", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.UniqueConstraint("card", "name", name="card_delivery_name"),
)
REASON_CHARACTERS_MAX = 1024


class DeliveryState(StrEnum):
    """Whether a document has arrived."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """An export that is to be put below an address; ``artifact`` is where it lies since, ``at`` when the state changed last."""

    export: ExportRef
    card: CardRef
    name: str
    address: str
    artifact: str = ""
    state: DeliveryState = DeliveryState.WAITING
    reason: str = ""
    number: int
    created_at: datetime
    at: datetime


class CardDelivered(Happening, frozen=True, kw_only=True):
    """The document of a card was put where it was wanted, or could not be."""

    card: CardRef
    export: ExportRef
    state: DeliveryState
    artifact: str
    reason: str


def ask_delivery(work: Work, export: ExportRef, *, card: CardRef, name: str, address: str) -> None:
    """Ask that an export, just requested, be put at an address when it is written."""
    require(work, Permission.CARD_EXPORT, on=card)
    # What is put into a bucket may replace what others put there.
    require(work, Permission.OBJECT_WRITE, on=address)
    row = {
        "export": export,
        "card": card,
        "name": name,
        "address": address,
        "artifact": "",
        "state": DeliveryState.WAITING.value,
        "reason": "",
        "at": timestamp(work.now),
    }
    work.execute(sa.insert(card_delivery), row)


def find_delivery(work: Work, export: ExportRef) -> Delivery | None:
    """The delivery that an export is for; None where it is for none."""
    require(work, Permission.CARD_READ, on=export)
    rows = _deliveries()
    row = work.execute(sa.select(rows).where(rows.c.export == export)).first()
    return _delivery(row) if row else None


def find_delivery_named(work: Work, card: CardRef, name: str) -> Delivery | None:
    """A delivery of a card by its name."""
    require(work, Permission.CARD_READ, on=card)
    rows = _deliveries()
    row = work.execute(sa.select(rows).where(rows.c.card == card, rows.c.name == name)).first()
    return _delivery(row) if row else None


def place_of(found: Delivery) -> tuple[str, str]:
    """The bucket and the key under which the document of a delivery lies, the same at every attempt."""
    bucket, _, folder = found.address.removeprefix("s3://").partition("/")
    begin = f"{folder.rstrip('/')}/" if folder.strip("/") else ""
    return bucket, f"{begin}{found.card}/{found.number}/{found.name}.pdf"


def end_delivery(
    work: Work, found: Delivery, *, state: DeliveryState, artifact: str = "", reason: str = ""
) -> Delivery:
    """Keep how a delivery ended, and where the document lies now."""
    require(work, Permission.CARD_EXPORT, on=found.card)
    ended = replace(found, state=state, artifact=artifact, reason=reason[:REASON_CHARACTERS_MAX], at=work.now)
    values = {"state": state.value, "artifact": artifact, "reason": ended.reason, "at": timestamp(work.now)}
    work.execute(sa.update(card_delivery).where(card_delivery.c.export == found.export).values(values))
    work.record(
        CardDelivered(card=found.card, export=found.export, state=state, artifact=artifact, reason=ended.reason)
    )
    return ended


def browse_deliveries(
    work: Work, card: CardRef, browse: Browse, *, state: DeliveryState | None = None, number: int | None = None
) -> Found[Delivery]:
    """The deliveries of a card by name, age, state and version."""
    require(work, Permission.CARD_READ, on=card)
    rows = _deliveries()
    shelf = Shelf(table=rows, name=rows.c.name, created=rows.c.created_at, sorts={"state": rows.c.state})
    also: list[sa.ColumnElement[bool]] = [rows.c.card == card]
    if state is not None:
        also.append(rows.c.state == state.value)
    if number is not None:
        also.append(rows.c.number == number)
    return look_through(work, shelf, browse, _delivery, *also)


def _deliveries() -> sa.Subquery:
    joined = card_delivery.join(card_export, card_export.c.id == card_delivery.c.export)
    query = sa.select(card_delivery, card_export.c.number, card_export.c.created_at).select_from(joined)
    return query.subquery()


def _delivery(row: sa.Row[Any]) -> Delivery:
    return Delivery(
        export=ExportRef(row.export),
        card=CardRef(row.card),
        name=row.name,
        address=row.address,
        artifact=row.artifact,
        state=DeliveryState(row.state),
        reason=row.reason,
        number=row.number,
        created_at=moment(row.created_at),
        at=moment(row.at),
    )
