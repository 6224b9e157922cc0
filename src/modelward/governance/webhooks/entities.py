"""Webhooks, their deliveries, and what happens to them. Frozen; no I/O."""

from datetime import datetime
from enum import StrEnum

import msgspec

from modelward.kernel.events import Happening
from modelward.kernel.refs import Ref


class WebhookRef(Ref):
    """A webhook, by its name."""

    __slots__ = ()


class DeliveryRef(Ref):
    """One delivery of a webhook, by its id, which stays the same at every attempt."""

    __slots__ = ()


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """An address that is told of events of some names. ``failures`` counts failed attempts since the last good one.

    After a failed attempt nothing is sent before ``paused_until``, so that an address that does not answer holds up
    nothing else. Its secret is never shown.
    """

    name: WebhookRef
    url: str
    events: list[str]
    enabled: bool = True
    disabled_reason: str = ""
    failures: int = 0
    paused_until: datetime | None = None
    created_at: datetime
    created_by: str
    removed_at: datetime | None = None


class NewWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook with its secret, just made or renewed: the only time the secret is shown."""

    webhook: Webhook
    secret: str


class Secret(msgspec.Struct, frozen=True, kw_only=True):
    """A key that signs; an earlier one signs beside it until a moment. Generations count from 1.

    ``secret`` is empty where it is drawn from the key in the data folder.
    """

    webhook: WebhookRef
    generation: int
    secret: str = ""
    until: datetime | None = None


class DeliveryState(StrEnum):
    """How far a delivery is."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One event for one webhook: how often it was sent, and what the other side last answered.

    ``rounds`` counts how often somebody had it sent; each round has its own attempts.
    """

    id: DeliveryRef
    webhook: WebhookRef
    event: str
    event_name: str
    subject: str
    state: DeliveryState = DeliveryState.WAITING
    attempts: int = 0
    rounds: int = 1
    created_at: datetime
    last_at: datetime | None = None
    last_status: int | None = None
    last_answer: str = ""
    last_error: str = ""
    finished_at: datetime | None = None


class WebhookAdded(Happening, frozen=True, kw_only=True):
    """A webhook was added; of its address only the host is told here, for the rest may be a secret."""

    webhook: WebhookRef
    host: str
    events: list[str]


class WebhookChanged(Happening, frozen=True, kw_only=True):
    """The address, the events or the state of a webhook were changed."""

    webhook: WebhookRef
    changed: list[str]
    host: str
    events: list[str]
    enabled: bool


class WebhookSecretRenewed(Happening, frozen=True, kw_only=True):
    """A webhook has a new secret; the one before signs beside it for a while."""

    webhook: WebhookRef
    generation: int


class WebhookRemoved(Happening, frozen=True, kw_only=True):
    """A webhook was removed; nothing more is sent."""

    webhook: WebhookRef


class WebhookTested(Happening, frozen=True, kw_only=True):
    """Somebody had a test sent to a webhook."""

    webhook: WebhookRef


class WebhookDisabled(Happening, frozen=True, kw_only=True):
    """A webhook was switched off because its address did not take what was sent."""

    webhook: WebhookRef
    reason: str


class WebhookRedelivered(Happening, frozen=True, kw_only=True):
    """Somebody had a delivery sent once more."""

    delivery: DeliveryRef
    webhook: WebhookRef
