"""The table of key pairs. Their secrets are in no table; see ``storage/keyring.py``."""

from datetime import datetime

import sqlalchemy as sa

from modelward.governance.access.entities import KeyPair
from modelward.kernel.clock import moment, timestamp
from modelward.storage.work import Work

metadata = sa.MetaData()
key_pair = sa.Table(
    "key_pair",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("mark", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("expires_at", sa.Text),
    sa.Column("revoked_at", sa.Text),
    sa.Column("used_at", sa.Text),
    sa.Index("key_pair_by_person", "person", "created_at"),
)


def add_key_pair(work: Work, new: KeyPair) -> None:
    """Keep a new pair."""
    row = {
        "id": new.id,
        "person": new.person,
        "label": new.label,
        "made_by": new.made_by,
        "mark": new.mark,
        "created_at": timestamp(new.created_at),
        "expires_at": timestamp(new.expires_at) if new.expires_at else None,
    }
    work.execute(sa.insert(key_pair), row)


def find_key_pair(work: Work, id: str) -> KeyPair | None:
    """Find a pair by its id."""
    row = work.execute(sa.select(key_pair).where(key_pair.c.id == id)).first()
    return _key_pair(row) if row else None


def list_key_pairs(work: Work, person: str | None) -> list[KeyPair]:
    """All pairs of a person, or of everybody, the newest first."""
    query = sa.select(key_pair).order_by(key_pair.c.created_at.desc(), key_pair.c.id)
    if person is not None:
        query = query.where(key_pair.c.person == person)
    return [_key_pair(row) for row in work.execute(query)]


def note_use(connection: sa.Connection, id: str, *, now: datetime) -> None:
    """Keep that a pair signed something. No event tells of it: what was done with it has its own."""
    connection.execute(sa.update(key_pair).where(key_pair.c.id == id).values(used_at=timestamp(now)))


def revoke_key_pair(work: Work, id: str) -> None:
    """End a pair."""
    alive = key_pair.c.id == id, key_pair.c.revoked_at.is_(None)
    work.execute(sa.update(key_pair).where(*alive).values(revoked_at=timestamp(work.now)))


def _key_pair(row: sa.Row[tuple[object, ...]]) -> KeyPair:
    return KeyPair(
        id=row.id,
        person=row.person,
        label=row.label,
        made_by=row.made_by,
        mark=row.mark,
        created_at=moment(row.created_at),
        expires_at=moment(row.expires_at) if row.expires_at else None,
        revoked_at=moment(row.revoked_at) if row.revoked_at else None,
        used_at=moment(row.used_at) if row.used_at else None,
    )
