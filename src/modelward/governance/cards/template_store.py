"""The tables of what cards must have: card_template (each that was ever in force) and card_control (which controls apply)."""

from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from modelward.kernel.clock import moment, timestamp
from modelward.kernel.refs import CardRef, Digest
from modelward.storage.work import Work

metadata = sa.MetaData()
card_template = sa.Table(
    "card_template",
    metadata,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
)
card_control = sa.Table(
    "card_control",
    metadata,
    sa.Column("card", sa.Text, primary_key=True),
    sa.Column("pack", sa.Text, primary_key=True),
    sa.Column("control", sa.Text, primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True),
    sa.Column("applies", sa.Boolean, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
)

_LAST = sa.select(card_template).order_by(card_template.c.sequence.desc()).limit(1)
_LAST_NOW = _LAST.execution_options(prepared=True)


class KeptTemplate(msgspec.Struct, frozen=True, kw_only=True):
    """A template as it was adopted."""

    number: int
    digest: Digest
    source: str
    text: str
    at: datetime
    by: str


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody said of a control: whether it applies to a card, and why."""

    control: str
    applies: bool
    reason: str
    at: datetime
    by: str


def find_template(work: Work, *, at: datetime | None = None, number: int | None = None) -> KeptTemplate | None:
    """Find the template adopted last, by a moment; or one by number."""
    query = _LAST.where(card_template.c.at <= timestamp(at)) if at is not None else _LAST_NOW
    if number is not None:
        query = _LAST.where(card_template.c.sequence == number)
    row = work.execute(query).first()
    return _kept(row) if row else None


def list_templates(work: Work) -> list[KeptTemplate]:
    """Every template that was adopted, the newest first."""
    return [_kept(row) for row in work.execute(sa.select(card_template).order_by(card_template.c.sequence.desc()))]


def _kept(row: sa.Row[Any]) -> KeptTemplate:
    return KeptTemplate(
        number=row.sequence, digest=Digest(row.digest), source=row.source, text=row.text, at=moment(row.at), by=row.by
    )


def add_template(work: Work, *, digest: Digest, source: str, text: str) -> None:
    """Keep a template; it is in force from now on."""
    last = work.execute(sa.select(sa.func.max(card_template.c.sequence))).scalar() or 0
    row: dict[str, Any] = {"sequence": last + 1, "digest": digest, "source": source, "text": text}
    work.execute(sa.insert(card_template), {**row, "at": timestamp(work.now), "by": work.actor.id})


def add_statement(work: Work, card: CardRef, pack: str, *, control: str, applies: bool, reason: str) -> None:
    """Keep what was said of a control; what was said before stays, for the view of an earlier day."""
    of = (card_control.c.card == card, card_control.c.pack == pack, card_control.c.control == control)
    last = work.execute(sa.select(sa.func.max(card_control.c.place)).where(*of)).scalar() or 0
    row = {
        "card": card,
        "pack": pack,
        "control": control,
        "place": last + 1,
        "applies": applies,
        "reason": reason,
        "at": timestamp(work.now),
        "by": work.actor.id,
    }
    work.execute(sa.insert(card_control), row)


def statements(work: Work, card: CardRef, pack: str, *, at: datetime | None = None) -> dict[str, Statement]:
    """What was said last of each control of a pack, by a moment."""
    query = sa.select(card_control).where(card_control.c.card == card, card_control.c.pack == pack)
    if at is not None:
        query = query.where(card_control.c.at <= timestamp(at))
    return {
        row.control: Statement(
            control=row.control, applies=row.applies, reason=row.reason, at=moment(row.at), by=row.by
        )
        for row in work.execute(query.order_by(card_control.c.place))
    }


def forget(work: Work, card: CardRef) -> None:
    """Take away what was said of a card that is being deleted."""
    work.execute(sa.delete(card_control).where(card_control.c.card == card))
