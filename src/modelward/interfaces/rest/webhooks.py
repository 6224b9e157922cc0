"""Webhooks over REST."""

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.governance.webhooks import use_cases
from modelward.governance.webhooks.entities import (
    Delivery,
    DeliveryRef,
    DeliveryState,
    NewWebhook,
    Webhook,
    WebhookRef,
)
from modelward.interfaces.rest.operations import Operations
from modelward.kernel.pages import PAGE_SIZE_DEFAULT, Page, PageRequest
from modelward.storage.work import Work

webhooks = Operations("webhooks")


class AddWebhook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which address is told of which events. Without a secret one is made."""

    name: str
    url: str
    events: list[str]
    secret: str | None = None


class ChangeWebhook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change of a webhook; what is left out stays."""

    url: str | msgspec.UnsetType = msgspec.UNSET
    events: list[str] | msgspec.UnsetType = msgspec.UNSET
    enabled: bool | msgspec.UnsetType = msgspec.UNSET


class ListDeliveries(msgspec.Struct, frozen=True, kw_only=True):
    """Which deliveries: those of a state."""

    state: DeliveryState | None = None
    limit: int = PAGE_SIZE_DEFAULT
    cursor: str | None = None


@webhooks.operation("POST", "/webhooks", permission=Permission.WEBHOOK_MANAGE, status=201, secret=True)
def add_webhook(work: Work, body: AddWebhook) -> NewWebhook:
    """Have an address told of events from now on; the secret that signs is shown this once."""
    return use_cases.add_webhook(work, name=body.name, url=body.url, events=body.events, secret=body.secret)


@webhooks.operation("GET", "/webhooks", permission=Permission.WEBHOOK_MANAGE)
def list_webhooks(work: Work) -> list[Webhook]:
    """List the webhooks in the order of their names."""
    return use_cases.list_webhooks(work)


@webhooks.operation("GET", "/webhooks/events", permission=Permission.WEBHOOK_MANAGE)
def list_webhook_events(work: Work) -> dict[str, str]:
    """List the names of the events that a webhook can be told of, each with its sentence."""
    return use_cases.known_events(work)


@webhooks.operation("GET", "/webhooks/{webhook}", permission=Permission.WEBHOOK_MANAGE)
def get_webhook(work: Work, webhook: WebhookRef) -> Webhook:
    """Get a webhook: its address and events, and how sending goes."""
    return use_cases.get_webhook(work, webhook)


@webhooks.operation("PATCH", "/webhooks/{webhook}", permission=Permission.WEBHOOK_MANAGE)
def change_webhook(work: Work, webhook: WebhookRef, body: ChangeWebhook) -> Webhook:
    """Change the address or events of a webhook, or switch it off or on."""
    return use_cases.change_webhook(work, webhook, url=body.url, events=body.events, enabled=body.enabled)


@webhooks.operation("DELETE", "/webhooks/{webhook}", permission=Permission.WEBHOOK_MANAGE)
def remove_webhook(work: Work, webhook: WebhookRef) -> Webhook:
    """Remove a webhook; what it delivered stays on record."""
    return use_cases.remove_webhook(work, webhook)


@webhooks.operation("POST", "/webhooks/{webhook}/secret", permission=Permission.WEBHOOK_MANAGE, secret=True)
def renew_webhook_secret(work: Work, webhook: WebhookRef) -> NewWebhook:
    """Make a new secret and show it this once; the one before signs beside it for a day."""
    return use_cases.renew_secret(work, webhook)


@webhooks.operation("POST", "/webhooks/{webhook}/test", permission=Permission.WEBHOOK_MANAGE, status=201)
def test_webhook(work: Work, webhook: WebhookRef) -> Delivery:
    """Have a test sent to a webhook; look at the delivery for what came of it."""
    return use_cases.test_webhook(work, webhook)


@webhooks.operation("GET", "/webhooks/{webhook}/deliveries", permission=Permission.WEBHOOK_MANAGE)
def list_deliveries(work: Work, webhook: WebhookRef, query: ListDeliveries) -> Page[Delivery]:
    """List the deliveries of a webhook, the newest first."""
    page = PageRequest(limit=query.limit, cursor=query.cursor)
    return use_cases.list_deliveries(work, webhook, page=page, state=query.state)


@webhooks.operation("GET", "/webhook-deliveries/{delivery}", permission=Permission.WEBHOOK_MANAGE)
def get_delivery(work: Work, delivery: DeliveryRef) -> Delivery:
    """Get a delivery: how often it was sent, and what the other side last answered."""
    return use_cases.get_delivery(work, delivery)


@webhooks.operation("POST", "/webhook-deliveries/{delivery}/again", permission=Permission.WEBHOOK_MANAGE)
def redeliver(work: Work, delivery: DeliveryRef) -> Delivery:
    """Have a delivery sent once more, under the same id and with the same bytes."""
    return use_cases.redeliver(work, delivery)
