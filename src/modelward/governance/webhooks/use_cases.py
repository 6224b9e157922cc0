"""What one can do with webhooks: add, change, remove, test, see and repeat deliveries. Sending stands in sending.py."""

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from modelward.governance.access.permissions import Permission, require
from modelward.governance.webhooks import rules, sending, store
from modelward.governance.webhooks.entities import (
    Delivery,
    DeliveryRef,
    DeliveryState,
    NewWebhook,
    Secret,
    Webhook,
    WebhookAdded,
    WebhookChanged,
    WebhookRedelivered,
    WebhookRef,
    WebhookRemoved,
    WebhookSecretRenewed,
    WebhookTested,
)
from modelward.kernel.errors import Conflict, NotFound
from modelward.kernel.ids import new_id
from modelward.kernel.pages import Page, PageRequest
from modelward.kernel.refs import checked_name
from modelward.storage.work import Work


class WebhookExists(Conflict):
    """A webhook of this name exists, or existed: names are not used again."""


class DeliveryUnderWay(Conflict):
    """The delivery waits to be sent; it need not be asked for again."""


def known_events(work: Work) -> dict[str, str]:
    """The names of the events that a webhook can be told of, each with its sentence."""
    require(work, Permission.WEBHOOK_MANAGE)
    return rules.known_events()


def add_webhook(work: Work, *, name: str, url: str, events: list[str], secret: str | None = None) -> NewWebhook:
    """Have an address told of events from now on. The secret, made here unless given, is returned this once.

    Raises:
        WebhookExists: the name is or was taken.
        Invalid: the name, address, an event or the secret breaks its rule.
    """
    require(work, Permission.WEBHOOK_MANAGE, on=name)
    ref = WebhookRef(checked_name(name))
    rules.check_name_length(name)
    host = rules.host_of(url)
    rules.check_events(events)
    if secret is not None:
        rules.check_secret(secret)
    if store.find(work.connection, ref):
        raise WebhookExists(f"A webhook named {ref} exists or existed.", field="name", hint="Take another name.")
    if len(store.list_all(work)) >= rules.WEBHOOKS_MAX:
        raise WebhookExists(f"There are {rules.WEBHOOKS_MAX} webhooks, as many as there may be.", field="name")
    new = Webhook(name=ref, url=url, events=sorted(events), created_at=work.now, created_by=work.actor.id)
    store.put(work, new)
    shown = _keep_secret(work, ref, generation=1, given=secret)
    work.record(WebhookAdded(webhook=ref, host=host, events=new.events))
    return NewWebhook(webhook=new, secret=shown)


def _keep_secret(work: Work, name: WebhookRef, *, generation: int, given: str | None = None) -> str:
    """Keep a secret and return it. One that is made here is drawn from the key in the data folder, and not stored."""
    if given is None and work.keyring is not None:
        store.add_secret(work, Secret(webhook=name, generation=generation))
        return rules.drawn_secret(work.keyring, name, generation=generation)
    secret = given or rules.new_secret()
    store.add_secret(work, Secret(webhook=name, generation=generation, secret=secret))
    return secret


def change_webhook(
    work: Work,
    name: WebhookRef,
    *,
    url: str | UnsetType = UNSET,
    events: list[str] | UnsetType = UNSET,
    enabled: bool | UnsetType = UNSET,
) -> Webhook:
    """Change the address or events of a webhook, or switch it off or on, which forgets its failures."""
    require(work, Permission.WEBHOOK_MANAGE, on=name)
    found = get_webhook(work, name)
    if isinstance(url, str):
        rules.host_of(url)
    if isinstance(events, list):
        rules.check_events(events)
        events = sorted(events)
    wanted = {"url": url, "events": events, "enabled": enabled}
    changes = {key: value for key, value in wanted.items() if value is not UNSET and value != getattr(found, key)}
    if not changes:
        return found
    # Whatever was mended: what failed before says nothing any more.
    changed = replace(found, **changes, failures=0, paused_until=None)
    reason = "" if changed.enabled else f"Switched off by {work.actor.id}."
    changed = replace(changed, disabled_reason=reason if "enabled" in changes else found.disabled_reason)
    store.put(work, changed)
    work.record(
        WebhookChanged(
            webhook=name,
            changed=sorted(changes),
            host=rules.host_of(changed.url),
            events=changed.events,
            enabled=changed.enabled,
        )
    )
    return changed


def renew_secret(work: Work, name: WebhookRef) -> NewWebhook:
    """Make a new secret and return it this once; the one before signs beside it for a day."""
    require(work, Permission.WEBHOOK_MANAGE, on=name)
    found = get_webhook(work, name)
    known = store.list_secrets(work.connection, name, at=work.now)
    generation = max((each.generation for each in known), default=0) + 1
    store.end_secrets(work, name, until=work.now + rules.OLD_SECRET_SIGNS)
    shown = _keep_secret(work, name, generation=generation)
    work.record(WebhookSecretRenewed(webhook=name, generation=generation))
    return NewWebhook(webhook=found, secret=shown)


def remove_webhook(work: Work, name: WebhookRef) -> Webhook:
    """Remove a webhook: nothing more is sent, and its secrets are forgotten. What it delivered stays on record."""
    require(work, Permission.WEBHOOK_MANAGE, on=name)
    removed = replace(get_webhook(work, name), enabled=False, disabled_reason="Removed.", removed_at=work.now)
    store.put(work, removed)
    store.forget_secrets(work, name)
    work.record(WebhookRemoved(webhook=name))
    return removed


def get_webhook(work: Work, name: WebhookRef) -> Webhook:
    """A webhook.

    Raises:
        NotFound: there is none of this name, or it was removed.
    """
    require(work, Permission.WEBHOOK_MANAGE, on=name)
    found = store.find(work.connection, name)
    if found is None or found.removed_at is not None:
        raise NotFound(
            f"There is no webhook named {name}.", field="webhook", hint="List them with `modelward webhook list`."
        )
    return found


def list_webhooks(work: Work) -> list[Webhook]:
    """All webhooks in the order of their names."""
    require(work, Permission.WEBHOOK_MANAGE)
    return store.list_all(work)


def test_webhook(work: Work, name: WebhookRef) -> Delivery:
    """Have a test sent to a webhook, as any delivery is.

    Raises:
        WebhookOff: it is switched off.
    """
    require(work, Permission.WEBHOOK_MANAGE, on=name)
    found = get_webhook(work, name)
    if not found.enabled:
        raise rules.WebhookOff(f"{name} is switched off: {found.disabled_reason}", hint="Switch it on first.")
    new = Delivery(
        id=DeliveryRef(new_id("delivery")),
        webhook=name,
        event="",
        event_name=rules.TEST,
        subject=name,
        created_at=work.now,
    )
    work.record(WebhookTested(webhook=name))
    sending.begin(work.connection, new, now=work.now)
    return new


def list_deliveries(
    work: Work, name: WebhookRef, *, page: PageRequest, state: DeliveryState | None = None
) -> Page[Delivery]:
    """The deliveries of a webhook, the newest first."""
    get_webhook(work, name)
    return store.list_deliveries(work, name, page=page, state=state)


def get_delivery(work: Work, ref: DeliveryRef) -> Delivery:
    """A delivery.

    Raises:
        NotFound: there is none.
    """
    require(work, Permission.WEBHOOK_MANAGE, on=ref)
    found = store.find_delivery(work.connection, ref)
    if found is None:
        raise NotFound(f"There is no delivery {ref}.", field="delivery")
    return found


def redeliver(work: Work, ref: DeliveryRef) -> Delivery:
    """Have a delivery sent once more, under the same id and with the same bytes.

    Raises:
        DeliveryUnderWay: it waits to be sent.
        WebhookOff: its webhook is switched off.
    """
    require(work, Permission.WEBHOOK_MANAGE, on=ref)
    found = get_delivery(work, ref)
    if found.state is DeliveryState.WAITING:
        raise DeliveryUnderWay(f"{ref} waits to be sent.", field="delivery")
    hook = get_webhook(work, found.webhook)
    if not hook.enabled:
        raise rules.WebhookOff(f"{hook.name} is switched off: {hook.disabled_reason}", hint="Switch it on first.")
    again = replace(found, state=DeliveryState.WAITING, rounds=found.rounds + 1, finished_at=None)
    work.record(WebhookRedelivered(delivery=ref, webhook=hook.name))
    sending.begin_again(work.connection, again, now=work.now)
    return again
