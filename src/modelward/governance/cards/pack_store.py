"""The table of an organisation's own control packs: every version that ever was, none ever changed."""

from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from modelward.kernel.clock import moment, timestamp
from modelward.kernel.refs import Digest
from modelward.storage.work import Work

metadata = sa.MetaData()
card_pack = sa.Table(
    "card_pack",
    metadata,
    sa.Column("pack", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("retired", sa.Boolean, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
)


class KeptPack(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a pack as it was kept; a retired one repeats the text of the version before."""

    pack: str
    number: int
    digest: Digest
    text: str
    retired: bool
    note: str
    at: datetime
    by: str


def find(work: Work, pack: str, *, number: int | None = None, at: datetime | None = None) -> KeptPack | None:
    """Find a version of a pack: by number, as it was at a moment, or the newest."""
    query = sa.select(card_pack).where(card_pack.c.pack == pack).order_by(card_pack.c.number.desc()).limit(1)
    if number is not None:
        query = query.where(card_pack.c.number == number)
    if at is not None:
        query = query.where(card_pack.c.at <= timestamp(at))
    row = work.execute(query).first()
    return _kept(row) if row else None


def list_newest(work: Work) -> list[KeptPack]:
    """The newest version of each pack, in the order of the alphabet."""
    newest = sa.select(card_pack.c.pack, sa.func.max(card_pack.c.number).label("number")).group_by(card_pack.c.pack)
    last = newest.subquery()
    query = sa.select(card_pack).join(
        last, sa.and_(last.c.pack == card_pack.c.pack, last.c.number == card_pack.c.number)
    )
    return [_kept(row) for row in work.execute(query.order_by(card_pack.c.pack))]


def list_versions(work: Work, pack: str) -> list[KeptPack]:
    """All versions of a pack, the newest first."""
    query = sa.select(card_pack).where(card_pack.c.pack == pack).order_by(card_pack.c.number.desc())
    return [_kept(row) for row in work.execute(query)]


def add(work: Work, new: KeptPack) -> None:
    """Keep a version of a pack."""
    row = {name: getattr(new, name) for name in KeptPack.__struct_fields__}
    work.execute(sa.insert(card_pack), {**row, "at": timestamp(new.at)})


def _kept(row: sa.Row[Any]) -> KeptPack:
    fields = dict(row._mapping) | {"digest": Digest(row.digest), "at": moment(row.at), "retired": bool(row.retired)}
    return KeptPack(**fields)
