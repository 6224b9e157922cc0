"""The tables of the cards: card, card_version. A row of card_version is never changed; the schema forbids it."""

from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from modelward.governance.cards.entities import Card, CardStatus, CardVersion, CardVersionEntry, RiskRating
from modelward.kernel import codec
from modelward.kernel.clock import moment, timestamp
from modelward.kernel.errors import NotFound
from modelward.kernel.pages import Page, PageRequest, cursor_after
from modelward.kernel.refs import CardRef, Digest, ModelRef, VersionRef
from modelward.storage.work import Work

metadata = sa.MetaData()
card = sa.Table(
    "card",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("model", sa.Text),
    sa.Column("version", sa.Text),
    sa.Column("version_number", sa.Integer),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("risk_rating", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("modified_at", sa.Text, nullable=False),
    sa.Column("modified_by", sa.Text, nullable=False),
)
card_version = sa.Table(
    "card_version",
    metadata,
    sa.Column("card", sa.Text, sa.ForeignKey("card.name"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("origins", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
)

_FIND_CARD = sa.select(card).where(card.c.name == sa.bindparam("name"))
_FIND_CARD_OF = (
    sa.select(card)
    .where(card.c.version == sa.bindparam("version"))
    .order_by(card.c.status == CardStatus.ARCHIVED.value, card.c.created_at.desc(), card.c.name)
    .limit(1)
)
_FIND_VERSION = sa.select(card_version).where(
    card_version.c.card == sa.bindparam("card"), card_version.c.number == sa.bindparam("number")
)


def find_card(work: Work, name: CardRef) -> Card | None:
    """Find a card by name."""
    row = work.execute(_FIND_CARD, {"name": name}).first()
    return _card(row) if row else None


def find_card_of(work: Work, version: VersionRef) -> Card | None:
    """Find the card of a version: the newest that is not archived, else the newest."""
    row = work.execute(_FIND_CARD_OF, {"version": version}).first()
    return _card(row) if row else None


def find_card_before(work: Work, version: VersionRef) -> Card | None:
    """Find the card of the nearest earlier version of the same model."""
    query = (
        sa.select(card)
        .where(card.c.model == version.model, card.c.version_number < version.number)
        .order_by(card.c.version_number.desc(), card.c.created_at.desc())
        .limit(1)
    )
    row = work.execute(query).first()
    return _card(row) if row else None


def add_card(work: Work, new: Card) -> None:
    """Keep a new card.

    Raises:
        NotFound: its model or version is not registered.
    """
    row = {
        "name": new.name,
        "model": new.model,
        "version": new.version,
        "version_number": new.version.number if new.version else None,
        "status": new.status.value,
        "number": new.number,
        "digest": new.digest,
        "risk_rating": new.risk_rating.value,
        "created_at": timestamp(new.created_at),
        "created_by": new.created_by,
        "modified_at": timestamp(new.modified_at),
        "modified_by": new.modified_by,
    }
    try:
        work.execute(sa.insert(card), row)
    except sa.exc.IntegrityError as problem:
        # The foreign keys are the one guard that every caller passes.
        raise NotFound(f"{new.version or new.model} is not registered.", field="version") from problem


def put_card(work: Work, changed: Card) -> None:
    """Keep the changed status, content number and modification of a card."""
    values = {
        "status": changed.status.value,
        "number": changed.number,
        "digest": changed.digest,
        "risk_rating": changed.risk_rating.value,
        "modified_at": timestamp(changed.modified_at),
        "modified_by": changed.modified_by,
    }
    work.execute(sa.update(card).where(card.c.name == changed.name).values(values))


def list_cards(
    work: Work,
    *,
    page: PageRequest,
    text: str,
    status: CardStatus | None,
    risk_rating: RiskRating | None,
    model: ModelRef | None,
) -> Page[Card]:
    """Cards in the order of their names."""
    query = sa.select(card).order_by(card.c.name).limit(page.limit + 1)
    if page.after:
        query = query.where(card.c.name > page.after[0])
    if text:
        query = query.where(sa.func.lower(card.c.name).contains(text.lower(), autoescape=True))
    if status:
        query = query.where(card.c.status == status.value)
    if risk_rating:
        query = query.where(card.c.risk_rating == risk_rating.value)
    if model:
        query = query.where(card.c.model == model)
    found = [_card(row) for row in work.execute(query)]
    items = found[: page.limit]
    return Page(items=items, next_cursor=cursor_after(items[-1].name) if len(found) > page.limit else None)


def add_version(work: Work, new: CardVersion) -> None:
    """Keep a new version of a card."""
    row = {
        "card": new.card,
        "number": new.number,
        "content": codec.canonical(new.content).decode(),
        "digest": new.digest,
        "origins": codec.encode(new.origins).decode(),
        "at": timestamp(new.at),
        "by": new.by,
        "note": new.note,
    }
    work.execute(sa.insert(card_version), row)


def get_version(work: Work, name: CardRef, number: int) -> CardVersion:
    """A version that is known to be there."""
    found = find_version(work, name, number)
    assert found is not None, f"{name} has no version {number}"
    return found


def find_version(work: Work, name: CardRef, number: int) -> CardVersion | None:
    """Find a version of a card."""
    row = work.execute(_FIND_VERSION, {"card": name, "number": number}).first()
    return _version(row) if row else None


def find_version_at(work: Work, name: CardRef, at: datetime) -> CardVersion | None:
    """Find the version that was current at a moment."""
    query = (
        sa.select(card_version)
        .where(card_version.c.card == name, card_version.c.at <= timestamp(at))
        .order_by(card_version.c.number.desc())
        .limit(1)
    )
    row = work.execute(query).first()
    return _version(row) if row else None


def list_versions(work: Work, name: CardRef, *, page: PageRequest) -> Page[CardVersionEntry]:
    """The versions of a card, the newest first."""
    columns = [column for column in card_version.c if column.name not in ("content", "origins")]
    query = sa.select(*columns).where(card_version.c.card == name)
    query = query.order_by(card_version.c.number.desc()).limit(page.limit + 1)
    if page.after_number is not None:
        query = query.where(card_version.c.number < page.after_number)
    found = [_entry(row) for row in work.execute(query)]
    items = found[: page.limit]
    return Page(items=items, next_cursor=cursor_after(str(items[-1].number)) if len(found) > page.limit else None)


def list_authors(work: Work, name: CardRef) -> list[str]:
    """Everybody who wrote a version of a card."""
    query = sa.select(card_version.c.by).where(card_version.c.card == name).distinct().order_by(card_version.c.by)
    return [row.by for row in work.execute(query)]


def find_last_author(work: Work, name: CardRef, *, other_than: str) -> str | None:
    """Who wrote the newest version that is not by the one named."""
    query = (
        sa.select(card_version.c.by)
        .where(card_version.c.card == name, card_version.c.by != other_than)
        .order_by(card_version.c.number.desc())
        .limit(1)
    )
    return work.execute(query).scalar()


def _card(row: sa.Row[Any]) -> Card:
    return Card(
        name=CardRef(row.name),
        model=ModelRef(row.model) if row.model else None,
        version=VersionRef(row.version) if row.version else None,
        status=CardStatus(row.status),
        number=row.number,
        digest=Digest(row.digest),
        risk_rating=RiskRating(row.risk_rating),
        created_at=moment(row.created_at),
        created_by=row.created_by,
        modified_at=moment(row.modified_at),
        modified_by=row.modified_by,
    )


def _version(row: sa.Row[Any]) -> CardVersion:
    return CardVersion(
        card=CardRef(row.card),
        number=row.number,
        content=msgspec.json.decode(row.content),
        digest=Digest(row.digest),
        origins=msgspec.json.decode(row.origins),
        at=moment(row.at),
        by=row.by,
        note=row.note,
    )


def _entry(row: sa.Row[Any]) -> CardVersionEntry:
    return CardVersionEntry(
        card=CardRef(row.card),
        number=row.number,
        digest=Digest(row.digest),
        at=moment(row.at),
        by=row.by,
        note=row.note,
    )
