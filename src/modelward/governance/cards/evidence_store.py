"""The tables of what cards rest on: evidence, and card_binding (the bindings of the present contents, to be found by series)."""

from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from modelward.governance.cards.entities import Card
from modelward.governance.cards.evidence import Bound, Evidence, EvidenceKind, EvidenceRef
from modelward.kernel import codec
from modelward.kernel.clock import moment, timestamp
from modelward.kernel.pages import Page, PageRequest, cursor_after
from modelward.kernel.refs import CardRef, Digest, ModelRef, VersionRef
from modelward.storage.work import Work

metadata = sa.MetaData()
evidence = sa.Table(
    "evidence",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("series", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("model", sa.Text),
    sa.Column("version", sa.Text),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("dataset", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("known_at", sa.Text, nullable=False),
    sa.Column("measures", sa.Text, nullable=False),
    sa.Column("groups", sa.Text, nullable=False),
)
card_binding = sa.Table(
    "card_binding",
    metadata,
    sa.Column("card", sa.Text, primary_key=True),
    sa.Column("path", sa.Text, primary_key=True),
    sa.Column("evidence", sa.Text, sa.ForeignKey("evidence.id"), nullable=False),
    sa.Column("series", sa.Text, nullable=False),
    sa.Column("expires_at", sa.Text),
    sa.Column("stale", sa.Text, nullable=False),
)


class BoundPlace(msgspec.Struct, frozen=True, kw_only=True):
    """Where a card is bound to a piece of evidence at present, and why that is stale (empty: it is not)."""

    card: CardRef
    path: str
    evidence: EvidenceRef
    stale: str


def find(work: Work, ref: EvidenceRef) -> Evidence | None:
    """Find a piece of evidence."""
    row = work.execute(sa.select(evidence).where(evidence.c.id == ref)).first()
    return _evidence(row) if row else None


def add(work: Work, new: Evidence) -> None:
    """Keep a piece of evidence."""
    row = {
        "id": new.id,
        "kind": new.kind.value,
        "series": new.series,
        "source": new.source,
        "model": new.model,
        "version": new.version,
        "digest": new.digest,
        "dataset": new.dataset,
        "outcome": new.outcome,
        "reason": new.reason,
        "at": timestamp(new.at),
        "known_at": timestamp(new.known_at),
        "measures": codec.encode(new.measures).decode(),
        "groups": codec.encode(new.groups).decode(),
    }
    work.execute(sa.insert(evidence), row)


def newest_of(work: Work, series: list[str], *, known_by: datetime | None = None) -> dict[str, Evidence]:
    """The newest piece of each of some series, among those known by a moment."""
    found: dict[str, Evidence] = {}
    for each in dict.fromkeys(series):
        query = sa.select(evidence).where(evidence.c.series == each)
        if known_by is not None:
            query = query.where(evidence.c.known_at <= timestamp(known_by))
        row = work.execute(query.order_by(evidence.c.at.desc(), evidence.c.id.desc()).limit(1)).first()
        if row:
            found[each] = _evidence(row)
    return found


def list_for(
    work: Work,
    card: Card,
    *,
    page: PageRequest,
    kind: EvidenceKind | None = None,
    known_by: datetime | None = None,
) -> Page[Evidence]:
    """The evidence that a card may rest on, the newest first."""
    query = sa.select(evidence).order_by(evidence.c.at.desc(), evidence.c.id.desc()).limit(page.limit + 1)
    query = query.where(_belongs_to(card))
    if kind is not None:
        query = query.where(evidence.c.kind == kind.value)
    if known_by is not None:
        query = query.where(evidence.c.known_at <= timestamp(known_by))
    if page.after:
        at, last = page.after[0], page.after[-1]
        query = query.where(sa.or_(evidence.c.at < at, sa.and_(evidence.c.at == at, evidence.c.id < last)))
    found = [_evidence(row) for row in work.execute(query)]
    items = found[: page.limit]
    more = len(found) > page.limit
    return Page(items=items, next_cursor=cursor_after(timestamp(items[-1].at), items[-1].id) if more else None)


def _belongs_to(card: Card) -> sa.ColumnElement[bool]:
    own = evidence.c.series.startswith(f"report {card.name} ", autoescape=True)
    if card.version is not None:
        return sa.or_(evidence.c.version == card.version, own)
    return sa.or_(evidence.c.model == card.model, own) if card.model is not None else own


def kinds_known(work: Work, card: Card, *, known_by: datetime | None = None) -> dict[EvidenceKind, datetime]:
    """Which kinds of evidence there are for a card, and when the newest of each was made."""
    query = sa.select(evidence.c.kind, sa.func.max(evidence.c.at).label("newest")).where(_belongs_to(card))
    if known_by is not None:
        query = query.where(evidence.c.known_at <= timestamp(known_by))
    return {EvidenceKind(row.kind): moment(row.newest) for row in work.execute(query.group_by(evidence.c.kind))}


def put_bindings(work: Work, name: CardRef, bindings: dict[str, Bound], stale: dict[str, str]) -> None:
    """Keep which bindings the present content of a card has."""
    work.execute(sa.delete(card_binding).where(card_binding.c.card == name))
    rows = [
        {
            "card": name,
            "path": path,
            "evidence": each.evidence,
            "series": each.series,
            "expires_at": timestamp(each.expires_at) if each.expires_at else None,
            "stale": stale.get(path, ""),
        }
        for path, each in bindings.items()
    ]
    if rows:
        work.execute(sa.insert(card_binding), rows)


def mark_stale(work: Work, place: BoundPlace, reason: str) -> None:
    """Keep why a binding is stale."""
    work.execute(
        sa.update(card_binding)
        .where(card_binding.c.card == place.card, card_binding.c.path == place.path)
        .values(stale=reason)
    )


def bound_to(work: Work, series: str) -> list[BoundPlace]:
    """Where cards are bound to a series and not stale yet."""
    query = sa.select(card_binding).where(card_binding.c.series == series, card_binding.c.stale == "")
    return [_place(row) for row in work.execute(query.order_by(card_binding.c.card, card_binding.c.path))]


def expired(work: Work, *, now: datetime, limit: int) -> list[BoundPlace]:
    """Where cards are bound to evidence that has become too old and is not marked as stale yet."""
    query = sa.select(card_binding).where(card_binding.c.expires_at < timestamp(now), card_binding.c.stale == "")
    return [_place(row) for row in work.execute(query.order_by(card_binding.c.expires_at).limit(limit))]


def places_of(work: Work, name: CardRef) -> list[BoundPlace]:
    """The bindings of the present content of a card."""
    query = sa.select(card_binding).where(card_binding.c.card == name).order_by(card_binding.c.path)
    return [_place(row) for row in work.execute(query)]


def forget(work: Work, name: CardRef) -> None:
    """Take away the bindings of a card that is being deleted; the evidence stays."""
    work.execute(sa.delete(card_binding).where(card_binding.c.card == name))


def _place(row: sa.Row[Any]) -> BoundPlace:
    return BoundPlace(card=CardRef(row.card), path=row.path, evidence=EvidenceRef(row.evidence), stale=row.stale)


def _evidence(row: sa.Row[Any]) -> Evidence:
    return Evidence(
        id=EvidenceRef(row.id),
        kind=EvidenceKind(row.kind),
        series=row.series,
        source=row.source,
        model=ModelRef(row.model) if row.model else None,
        version=VersionRef(row.version) if row.version else None,
        digest=Digest(row.digest),
        dataset=row.dataset,
        outcome=row.outcome,
        reason=row.reason,
        at=moment(row.at),
        known_at=moment(row.known_at),
        measures=msgspec.json.decode(row.measures),
        groups=msgspec.json.decode(row.groups),
    )
