"""The tables of access: person, token, session. Secrets are kept as SHA-256, never in clear."""

import hashlib
from datetime import datetime

import sqlalchemy as sa

from modelward.governance.access.entities import Person, Token
from modelward.governance.access.permissions import Persona
from modelward.kernel.actors import ActorKind
from modelward.kernel.clock import moment, timestamp
from modelward.storage.work import Work

metadata = sa.MetaData()
person = sa.Table(
    "person",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("persona", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("disabled_at", sa.Text),
)
token = sa.Table(
    "token",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, sa.ForeignKey("person.id"), nullable=False),
    sa.Column("hash", sa.Text, nullable=False, unique=True),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("expires_at", sa.Text),
    sa.Column("revoked_at", sa.Text),
)
session = sa.Table(
    "session",
    metadata,
    sa.Column("hash", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, sa.ForeignKey("person.id"), nullable=False),
    sa.Column("token", sa.Text, sa.ForeignKey("token.id"), nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("expires_at", sa.Text, nullable=False),
    sa.Column("ended_at", sa.Text),
)


def secret_hash(secret: str) -> str:
    """SHA-256 of a secret; enough for secrets of 256 random bits, which cannot be guessed offline."""
    return hashlib.sha256(secret.encode()).hexdigest()


def add_person(work: Work, new: Person) -> None:
    """Keep a new person."""
    work.execute(
        sa.insert(person),
        {
            "id": new.id,
            "name": new.name,
            "kind": new.kind,
            "persona": new.persona,
            "created_at": timestamp(new.created_at),
            "disabled_at": None,
        },
    )


def put_person(work: Work, changed: Person) -> None:
    """Keep a person's new persona or end of access."""
    disabled = timestamp(changed.disabled_at) if changed.disabled_at else None
    values = {"persona": changed.persona.value, "disabled_at": disabled}
    work.execute(sa.update(person).where(person.c.id == changed.id).values(values))


def find_person(work: Work, id: str) -> Person | None:
    """Find a person by id."""
    row = work.execute(sa.select(person).where(person.c.id == id)).first()
    return _person(row) if row else None


def list_people(work: Work) -> list[Person]:
    """All people and services in the order of their ids."""
    return [_person(row) for row in work.execute(sa.select(person).order_by(person.c.id))]


def any_person(work: Work) -> bool:
    """Whether anybody has access yet."""
    return work.execute(sa.select(person.c.id).limit(1)).first() is not None


def add_token(work: Work, new: Token, *, secret: str) -> None:
    """Keep a token by the hash of its secret."""
    work.execute(
        sa.insert(token),
        {
            "id": new.id,
            "person": new.person,
            "hash": secret_hash(secret),
            "label": new.label,
            "made_by": new.made_by,
            "created_at": timestamp(new.created_at),
            "expires_at": timestamp(new.expires_at) if new.expires_at else None,
        },
    )


def revoke_token(work: Work, id: str) -> None:
    """End a token and the sessions that began with it."""
    at = timestamp(work.now)
    work.execute(sa.update(token).where(token.c.id == id, token.c.revoked_at.is_(None)).values(revoked_at=at))
    work.execute(sa.update(session).where(session.c.token == id, session.c.ended_at.is_(None)).values(ended_at=at))


def end_all(work: Work, person_id: str) -> None:
    """End all tokens and sessions of a person."""
    at = timestamp(work.now)
    work.execute(
        sa.update(token).where(token.c.person == person_id, token.c.revoked_at.is_(None)).values(revoked_at=at)
    )
    work.execute(
        sa.update(session).where(session.c.person == person_id, session.c.ended_at.is_(None)).values(ended_at=at)
    )


def find_token(work: Work, id: str) -> Token | None:
    """Find a token by id."""
    row = work.execute(sa.select(token).where(token.c.id == id)).first()
    return _token(row) if row else None


def list_tokens(work: Work, person_id: str) -> list[Token]:
    """All tokens of a person, the newest first."""
    query = sa.select(token).where(token.c.person == person_id).order_by(token.c.created_at.desc())
    return [_token(row) for row in work.execute(query)]


def person_by_token(work: Work, secret: str) -> tuple[Person, Token] | None:
    """Who holds this secret, if the token is alive."""
    query = sa.select(token).where(token.c.hash == secret_hash(secret), token.c.revoked_at.is_(None))
    row = work.execute(query).first()
    if row is None or (row.expires_at and row.expires_at <= timestamp(work.now)):
        return None
    holder = find_person(work, row.person)
    return (holder, _token(row)) if holder and holder.disabled_at is None else None


def add_session(work: Work, *, secret: str, person_id: str, token_id: str, expires_at: datetime) -> None:
    """Keep a session by the hash of its secret."""
    work.execute(
        sa.insert(session),
        {
            "hash": secret_hash(secret),
            "person": person_id,
            "token": token_id,
            "created_at": timestamp(work.now),
            "expires_at": timestamp(expires_at),
        },
    )


def person_by_session(work: Work, secret: str) -> tuple[Person, Token] | None:
    """Whose session this is and the token it began with, if it is alive."""
    query = sa.select(session).where(session.c.hash == secret_hash(secret), session.c.ended_at.is_(None))
    row = work.execute(query).first()
    if row is None or row.expires_at <= timestamp(work.now):
        return None
    holder, key = find_person(work, row.person), find_token(work, row.token)
    return (holder, key) if holder and key and holder.disabled_at is None else None


def end_session(work: Work, secret: str) -> None:
    """End one session."""
    work.execute(sa.update(session).where(session.c.hash == secret_hash(secret)).values(ended_at=timestamp(work.now)))


def _person(row: sa.Row[tuple[object, ...]]) -> Person:
    return Person(
        id=row.id,
        name=row.name,
        kind=ActorKind(row.kind),
        persona=Persona(row.persona),
        created_at=moment(row.created_at),
        disabled_at=moment(row.disabled_at) if row.disabled_at else None,
    )


def _token(row: sa.Row[tuple[object, ...]]) -> Token:
    return Token(
        id=row.id,
        person=row.person,
        label=row.label,
        made_by=row.made_by,
        created_at=moment(row.created_at),
        expires_at=moment(row.expires_at) if row.expires_at else None,
        revoked_at=moment(row.revoked_at) if row.revoked_at else None,
    )
