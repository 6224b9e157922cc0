"""Answers kept for retries: the same key from the same actor gets the same answer, and the work is done once."""

from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from modelward.kernel.clock import timestamp
from modelward.kernel.errors import Conflict

metadata = sa.MetaData()
answer = sa.Table(
    "answer",
    metadata,
    sa.Column("actor", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("request", sa.Text, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Index("answer_by_age", "at"),
)
KEPT_FOR = timedelta(hours=24)
_FIND = (
    sa.select(answer)
    .where(answer.c.actor == sa.bindparam("actor"), answer.c.key == sa.bindparam("key"))
    .execution_options(prepared=True)
)
_KEEP = sa.insert(answer).execution_options(prepared=True)


class KeyUsedTwice(Conflict):
    """This idempotency key was used before for another request."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What was answered to a request: the status and the body."""

    status: int
    body: bytes


def find(connection: Connection, *, actor: str, key: str, request: str) -> Answer | None:
    """The answer given before to this very request.

    Raises:
        KeyUsedTwice: the key belongs to another request.
    """
    row = connection.execute(_FIND, {"actor": actor, "key": key}).first()
    if row is None:
        return None
    if row.request != request:
        raise KeyUsedTwice(field="Idempotency-Key", hint="Use a new key for a new request.")
    return Answer(status=row.status, body=row.body.encode())


def keep(connection: Connection, *, actor: str, key: str, request: str, given: Answer, now: datetime) -> None:
    """Keep an answer in the transaction that did the work."""
    row = {"actor": actor, "key": key, "request": request, "status": given.status, "body": given.body.decode()}
    connection.execute(_KEEP, {**row, "at": timestamp(now)})


def forget_old(connection: Connection, *, now: datetime) -> None:
    """Drop answers older than a day; a retry that late is a new request."""
    connection.execute(sa.delete(answer).where(answer.c.at < timestamp(now - KEPT_FOR)))
