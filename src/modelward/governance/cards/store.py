"""The tables of the cards: card, card_version, card_status. A row of card_version is never changed; the schema forbids it.

What cards rest on is in evidence_store.py, what they must have in template_store.py, lists and searches in listing.py.
"""

from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from modelward.governance.cards.entities import (
    Card,
    CardStatus,
    CardVersion,
    CardVersionEntry,
    RiskRating,
    StatusEntry,
)
from modelward.governance.cards.evidence import Bound
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
    sa.Column("subject", sa.Text),
    sa.Column("missing", sa.Integer, nullable=False, server_default="0"),
    sa.Column("stale", sa.Integer, nullable=False, server_default="0"),
    # The sum of both, by which lists are sorted.
    sa.Column("debt", sa.Integer, nullable=False, server_default="0"),
    sa.Column("owner", sa.Text),
    sa.Column("of_model", sa.Text),
    sa.Index("card_by_model_said", "of_model", "name"),
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
    sa.Column("bindings", sa.Text, nullable=False, server_default="{}"),
)
card_status = sa.Table(
    "card_status",
    metadata,
    sa.Column("card", sa.Text, sa.ForeignKey("card.name"), primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
)
card_words = sa.Table(
    "card_words",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("card", sa.Text, sa.ForeignKey("card.name"), nullable=False, unique=True),
    sa.Column("words", sa.Text, nullable=False),
)

# Statements are made once and prepared: composing and compiling them costs more than running them.
_PREPARED = {"prepared": True}
_STATUSES = {each.value: each for each in CardStatus}
_RATINGS = {each.value: each for each in RiskRating}
_ADD_CARD = sa.insert(card).execution_options(**_PREPARED)
_ADD_WORDS = sa.insert(card_words).execution_options(**_PREPARED)
_FIND_CARD = sa.select(card).where(card.c.name == sa.bindparam("name")).execution_options(**_PREPARED)
_FIND_CARD_OF = (
    sa.select(card)
    .where(card.c.version == sa.bindparam("version"))
    .order_by(card.c.status == CardStatus.ARCHIVED.value, card.c.created_at.desc(), card.c.name)
    .limit(1)
    .execution_options(**_PREPARED)
)
_FIND_VERSION = (
    sa.select(card_version)
    .where(card_version.c.card == sa.bindparam("card"), card_version.c.number == sa.bindparam("number"))
    .execution_options(**_PREPARED)
)
_LAST_PLACE = (
    sa.select(sa.func.max(card_status.c.place))
    .where(card_status.c.card == sa.bindparam("card"))
    .execution_options(**_PREPARED)
)
_CHANGING = ("status", "number", "digest", "risk_rating", "subject", "missing", "stale", "debt", "owner", "of_model")
_PUT_CARD = (
    sa.update(card)
    .where(card.c.name == sa.bindparam("of"))
    .values({each: sa.bindparam(f"new_{each}") for each in (*_CHANGING, "modified_at", "modified_by")})
    .execution_options(**_PREPARED)
)
_ADD_VERSION = sa.insert(card_version).execution_options(**_PREPARED)
_ADD_STATUS = sa.insert(card_status).execution_options(**_PREPARED)
_PUT_WORDS = (
    sa.update(card_words)
    .where(card_words.c.card == sa.bindparam("of"))
    .values(words=sa.bindparam("new_words"))
    .execution_options(**_PREPARED)
)


def find_card(work: Work, name: CardRef) -> Card | None:
    """Find a card by name."""
    row = work.execute(_FIND_CARD, {"name": name}).first()
    return card_of(row) if row else None


def find_card_of(work: Work, version: VersionRef) -> Card | None:
    """Find the card of a version: the newest that is not archived, else the newest."""
    row = work.execute(_FIND_CARD_OF, {"version": version}).first()
    return card_of(row) if row else None


def find_card_before(work: Work, version: VersionRef) -> Card | None:
    """Find the card of the nearest earlier version of the same model."""
    query = (
        sa.select(card)
        .where(card.c.model == version.model, card.c.version_number < version.number)
        .order_by(card.c.version_number.desc(), card.c.created_at.desc())
        .limit(1)
    )
    row = work.execute(query).first()
    return card_of(row) if row else None


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
        "created_at": timestamp(new.created_at),
        "created_by": new.created_by,
        **_changing(new),
    }
    try:
        work.execute(_ADD_CARD, row)
    except sa.exc.IntegrityError as problem:
        # The foreign keys are the one guard that every caller passes.
        raise NotFound(f"{new.version or new.model} is not registered.", field="version") from problem


def put_card(work: Work, changed: Card) -> None:
    """Keep all of a card that may change."""
    values = {f"new_{column}": value for column, value in _changing(changed).items()}
    work.execute(_PUT_CARD, {"of": changed.name, **values})


def _changing(kept: Card) -> dict[str, Any]:
    return {
        "status": kept.status.value,
        "number": kept.number,
        "digest": kept.digest,
        "risk_rating": kept.risk_rating.value,
        "subject": kept.subject,
        "missing": kept.missing,
        "stale": kept.stale,
        "debt": kept.missing + kept.stale,
        "owner": kept.owner,
        "of_model": kept.of_model,
        "modified_at": timestamp(kept.modified_at),
        "modified_by": kept.modified_by,
    }


def find_other(work: Work, subject: str, *, than: CardRef) -> Card | None:
    """Find another card about the same, one that is not archived."""
    query = sa.select(card).where(
        card.c.subject == subject, card.c.name != than, card.c.status != CardStatus.ARCHIVED.value
    )
    row = work.execute(query.limit(1)).first()
    return card_of(row) if row else None


def find_card_of_model(work: Work, model: ModelRef) -> Card | None:
    """Find the card of a model as a whole that is not archived."""
    query = sa.select(card).where(
        card.c.model == model, card.c.version.is_(None), card.c.status != CardStatus.ARCHIVED.value
    )
    row = work.execute(query.order_by(card.c.created_at).limit(1)).first()
    return card_of(row) if row else None


def put_words(work: Work, name: CardRef, words: str) -> None:
    """Keep what a search for a card looks through."""
    if work.execute(_PUT_WORDS, {"of": name, "new_words": words}).rowcount == 0:
        work.execute(_ADD_WORDS, {"card": name, "words": words})


def add_status(work: Work, of: Card, *, reason: str) -> None:
    """Keep which status a card has from now on, with which version."""
    place = work.execute(_LAST_PLACE, {"card": of.name}).scalar() or 0
    row = {
        "card": of.name,
        "place": place + 1,
        "number": of.number,
        "status": of.status.value,
        "reason": reason,
        "at": timestamp(work.now),
        "by": work.actor.id,
    }
    work.execute(_ADD_STATUS, row)


def list_statuses(work: Work, name: CardRef, *, until: datetime | None = None) -> list[StatusEntry]:
    """Every status that a card had until a moment, the oldest first."""
    query = sa.select(card_status).where(card_status.c.card == name).order_by(card_status.c.place)
    if until is not None:
        query = query.where(card_status.c.at <= timestamp(until))
    return [
        StatusEntry(number=row.number, status=CardStatus(row.status), at=moment(row.at), by=row.by, reason=row.reason)
        for row in work.execute(query)
    ]


def forget(work: Work, name: CardRef) -> None:
    """Take away the statuses and words of a card that is being deleted."""
    for table in (card_status, card_words):
        work.execute(sa.delete(table).where(table.c.card == name))


def add_version(work: Work, new: CardVersion) -> None:
    """Keep a new version of a card."""
    row = {
        "card": new.card,
        "number": new.number,
        "content": codec.canonical(new.content).decode(),
        "digest": new.digest,
        "origins": codec.encode(new.origins).decode(),
        "bindings": codec.encode(new.bindings).decode(),
        "at": timestamp(new.at),
        "by": new.by,
        "note": new.note,
    }
    work.execute(_ADD_VERSION, row)


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
    query = select_entries(name)
    query = query.order_by(card_version.c.number.desc()).limit(page.limit + 1)
    if page.after_number is not None:
        query = query.where(card_version.c.number < page.after_number)
    found = [entry_of(row) for row in work.execute(query)]
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


def card_of(row: sa.Row[Any]) -> Card:
    """Read a row that begins with the columns of the table card, in their order."""
    # By place: a list asks for each of them a hundred times, and by name that takes four times as long.
    told: list[Any] = list(row)
    name, model, version, _, status, number, digest, risk_rating, *rest = told
    created_at, created_by, modified_at, modified_by, subject, missing, stale, debt, owner, of_model = rest[:10]
    return Card(
        name=CardRef(name),
        model=ModelRef(model) if model else None,
        version=VersionRef(version) if version else None,
        status=_STATUSES[status],
        number=number,
        digest=Digest(digest),
        risk_rating=_RATINGS[risk_rating],
        subject=subject,
        missing=missing,
        stale=stale,
        debt=debt,
        created_at=moment(created_at),
        created_by=created_by,
        modified_at=moment(modified_at),
        modified_by=modified_by,
        owner=owner or created_by,
        of_model=of_model,
    )


def _version(row: sa.Row[Any]) -> CardVersion:
    return CardVersion(
        card=CardRef(row.card),
        number=row.number,
        content=msgspec.json.decode(row.content),
        digest=Digest(row.digest),
        origins=msgspec.json.decode(row.origins),
        bindings=codec.decode(row.bindings, dict[str, Bound], field="bindings") if row.bindings != "{}" else {},
        at=moment(row.at),
        by=row.by,
        note=row.note,
    )


def select_entries(name: CardRef) -> sa.Select[Any]:
    """The versions of a card without what they say, each with the last status that the card had with it."""
    columns = [column for column in card_version.c if column.name not in ("content", "origins", "bindings")]
    last = (
        sa.select(card_status.c.status)
        .where(card_status.c.card == card_version.c.card, card_status.c.number == card_version.c.number)
        .order_by(card_status.c.place.desc())
        .limit(1)
        .scalar_subquery()
    )
    return sa.select(*columns, last.label("status")).where(card_version.c.card == name)


def entry_of(row: sa.Row[Any]) -> CardVersionEntry:
    """A version from a row of those."""
    return CardVersionEntry(
        card=CardRef(row.card),
        number=row.number,
        digest=Digest(row.digest),
        at=moment(row.at),
        by=row.by,
        note=row.note,
        status=CardStatus(row.status or CardStatus.DRAFT),
    )
