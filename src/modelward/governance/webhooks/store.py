"""The tables of webhooks: webhook, webhook_secret, webhook_delivery.

Attempts are rows of data, not changes of state: they are written straight to the connection and make no event.
"""

from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from modelward.governance.webhooks.entities import (
    Delivery,
    DeliveryRef,
    DeliveryState,
    Secret,
    Webhook,
    WebhookRef,
)
from modelward.kernel.clock import moment, timestamp
from modelward.kernel.pages import BadCursor, Page, PageRequest, cursor_after
from modelward.storage.upserts import insert_into
from modelward.storage.work import Work

KEPT_FOR = timedelta(days=90)
metadata = sa.MetaData()
webhook = sa.Table(
    "webhook",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("events", sa.Text, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("disabled_reason", sa.Text, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("paused_until", sa.Text),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("removed_at", sa.Text),
)
webhook_secret = sa.Table(
    "webhook_secret",
    metadata,
    sa.Column("webhook", sa.Text, sa.ForeignKey("webhook.name"), primary_key=True),
    sa.Column("generation", sa.Integer, primary_key=True),
    sa.Column("secret", sa.Text, nullable=False),
    sa.Column("until", sa.Text),
)
webhook_delivery = sa.Table(
    "webhook_delivery",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("webhook", sa.Text, sa.ForeignKey("webhook.name"), nullable=False),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("event_name", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("rounds", sa.Integer, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("last_at", sa.Text),
    sa.Column("last_status", sa.Integer),
    sa.Column("last_answer", sa.Text, nullable=False),
    sa.Column("last_error", sa.Text, nullable=False),
    sa.Column("finished_at", sa.Text),
)
# Asked at every commit that has an event, so made once and prepared; the table has a handful of rows.
_LISTENING = (
    sa.select(webhook.c.name, webhook.c.events)
    .where(webhook.c.enabled.is_(sa.true()), webhook.c.removed_at.is_(None))
    .order_by(webhook.c.name)
    .execution_options(prepared=True)
)


def put(work: Work, wanted: Webhook) -> None:
    """Keep a new or changed webhook."""
    row = _row(wanted)
    statement = insert_into(webhook, work.connection.dialect.name).values(row)
    rest = {name: value for name, value in row.items() if name != "name"}
    work.execute(statement.on_conflict_do_update(index_elements=["name"], set_=rest))


def put_state(connection: Connection, changed: Webhook) -> None:
    """Keep how sending goes; where it was switched off, the caller records that."""
    names = ("enabled", "disabled_reason", "failures", "paused_until")
    row = _row(changed)
    connection.execute(
        sa.update(webhook).where(webhook.c.name == changed.name).values({name: row[name] for name in names})
    )


def find(connection: Connection, name: WebhookRef) -> Webhook | None:
    """Find a webhook by its name, also one that was removed."""
    row = connection.execute(sa.select(webhook).where(webhook.c.name == name)).first()
    return _webhook(row) if row else None


def list_all(work: Work) -> list[Webhook]:
    """The webhooks that were not removed, in the order of their names."""
    query = sa.select(webhook).where(webhook.c.removed_at.is_(None)).order_by(webhook.c.name)
    return [_webhook(row) for row in work.execute(query)]


def listening(connection: Connection) -> list[tuple[WebhookRef, list[str]]]:
    """The webhooks that are on, each with the names of its events."""
    return [(WebhookRef(row[0]), msgspec.json.decode(row[1])) for row in connection.execute(_LISTENING)]


def add_secret(work: Work, new: Secret) -> None:
    """Keep a secret; it has to sign, so it is kept as it is."""
    row = {"webhook": new.webhook, "generation": new.generation, "secret": new.secret, "until": None}
    work.execute(sa.insert(webhook_secret), row)


def end_secrets(work: Work, name: WebhookRef, *, until: datetime) -> None:
    """Let the secrets that are alive sign only until a moment."""
    kept = sa.update(webhook_secret).where(webhook_secret.c.webhook == name, webhook_secret.c.until.is_(None))
    work.execute(kept.values(until=timestamp(until)))
    old = sa.delete(webhook_secret).where(
        webhook_secret.c.webhook == name, webhook_secret.c.until <= timestamp(work.now)
    )
    work.execute(old)


def forget_secrets(work: Work, name: WebhookRef) -> None:
    """Drop all secrets of a webhook."""
    work.execute(sa.delete(webhook_secret).where(webhook_secret.c.webhook == name))


def list_secrets(connection: Connection, name: WebhookRef, *, at: datetime) -> list[Secret]:
    """The secrets that sign at a moment, the newest first."""
    query = sa.select(webhook_secret).where(
        webhook_secret.c.webhook == name,
        sa.or_(webhook_secret.c.until.is_(None), webhook_secret.c.until > timestamp(at)),
    )
    return [
        Secret(
            webhook=name,
            generation=row.generation,
            secret=row.secret,
            until=moment(row.until) if row.until else None,
        )
        for row in connection.execute(query.order_by(webhook_secret.c.generation.desc()))
    ]


def add_delivery(connection: Connection, new: Delivery) -> bool:
    """Keep a new delivery; one of the same id changes nothing. Returns whether it is new."""
    if find_delivery(connection, new.id) is not None:
        return False
    connection.execute(sa.insert(webhook_delivery), _delivery_row(new))
    return True


def put_delivery(connection: Connection, changed: Delivery) -> None:
    """Keep what became of a delivery."""
    row = _delivery_row(changed)
    connection.execute(sa.update(webhook_delivery).where(webhook_delivery.c.id == changed.id).values(row))


def forget_old(connection: Connection, *, now: datetime) -> None:
    """Drop deliveries that ended long ago; the events they told of stay."""
    old = sa.delete(webhook_delivery).where(
        webhook_delivery.c.finished_at.is_not(None), webhook_delivery.c.finished_at < timestamp(now - KEPT_FOR)
    )
    connection.execute(old)


def find_delivery(connection: Connection, ref: DeliveryRef) -> Delivery | None:
    """Find a delivery by its id."""
    row = connection.execute(sa.select(webhook_delivery).where(webhook_delivery.c.id == ref)).first()
    return _delivery(row) if row else None


def list_deliveries(work: Work, name: WebhookRef, *, page: PageRequest, state: DeliveryState | None) -> Page[Delivery]:
    """The deliveries of a webhook, the newest first."""
    table = webhook_delivery
    query = sa.select(table).where(table.c.webhook == name).limit(page.limit + 1)
    query = query.order_by(table.c.created_at.desc(), table.c.id.desc())
    if page.after:
        if len(page.after) != 2:
            raise BadCursor(field="cursor", hint="Start again without a cursor.")
        at, last = page.after
        query = query.where(sa.or_(table.c.created_at < at, sa.and_(table.c.created_at == at, table.c.id < last)))
    if state is not None:
        query = query.where(table.c.state == state.value)
    found = [_delivery(row) for row in work.execute(query)]
    items = found[: page.limit]
    more = len(found) > page.limit
    return Page(items=items, next_cursor=cursor_after(timestamp(items[-1].created_at), items[-1].id) if more else None)


def _row(one: Webhook) -> dict[str, Any]:
    row = {name: getattr(one, name) for name in Webhook.__struct_fields__}
    for name in ("created_at", "paused_until", "removed_at"):
        row[name] = timestamp(row[name]) if row[name] else None
    return {**row, "events": msgspec.json.encode(one.events).decode()}


def _webhook(row: sa.Row[Any]) -> Webhook:
    fields = dict(row._mapping)
    for name in ("created_at", "paused_until", "removed_at"):
        fields[name] = moment(fields[name]) if fields[name] else None
    return Webhook(**fields | {"name": WebhookRef(row.name), "events": msgspec.json.decode(row.events)})


def _delivery_row(one: Delivery) -> dict[str, Any]:
    row = {name: getattr(one, name) for name in Delivery.__struct_fields__}
    for name in ("created_at", "last_at", "finished_at"):
        row[name] = timestamp(row[name]) if row[name] else None
    return {**row, "state": one.state.value}


def _delivery(row: sa.Row[Any]) -> Delivery:
    fields = dict(row._mapping)
    for name in ("created_at", "last_at", "finished_at"):
        fields[name] = moment(fields[name]) if fields[name] else None
    fields |= {"id": DeliveryRef(row.id), "webhook": WebhookRef(row.webhook), "state": DeliveryState(row.state)}
    return Delivery(**fields)
