"""What a webhook may be, how a delivery is signed, when it is tried again and when it is given up. Pure."""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from msgspec.structs import replace

from modelward import outbound
from modelward.governance.webhooks.entities import Delivery, DeliveryState, Webhook
from modelward.kernel import codec
from modelward.kernel.errors import Conflict, Invalid
from modelward.kernel.events import Event, Happening
from modelward.storage.keyring import Keyring

TEST = "WebhookTest"
# The ids of deliveries hold it, and an id has at most 128 characters.
NAME_CHARACTERS_MAX = 64
EVENTS_MAX = 100
WEBHOOKS_MAX = 50
SECRET_CHARACTERS_MIN, SECRET_CHARACTERS_MAX = 24, 200
SECRET_PREFIX = "whsec_"
OLD_SECRET_SIGNS = timedelta(hours=24)
ATTEMPTS_MAX = 8
FAILURES_MAX = 12
# After the n-th failure in a row; the last counts from then on.
PAUSES = tuple(timedelta(seconds=each) for each in (1, 5, 30, 120, 600, 1800, 3600, 7200))
PAUSE_ASKED_MAX = timedelta(hours=2)
ANSWER_CHARACTERS_MAX = 1000
GONE = 410
# What would tell a webhook of itself, and so go on for ever, or says nothing but who came in.
_NOT_TOLD = ("Webhook", "Signed", "NoticeRead")


class WebhookOff(Conflict):
    """The webhook is switched off."""


def known_events() -> dict[str, str]:
    """The names of the events that can be told of, each with its sentence, in the order of the alphabet."""
    return {
        name: (kind.__doc__ or "").strip().splitlines()[0]
        for name, kind in sorted(Happening.known.items())
        if kind.__module__.startswith("modelward.") and not name.startswith(_NOT_TOLD)
    }


def check_events(events: list[str]) -> None:
    """Refuse names of events that are unknown, none at all, or one twice.

    Raises:
        Invalid: they are.
    """
    known = known_events()
    for name in events:
        if name not in known:
            raise Invalid(
                f"{name[:80]!r} is not an event that can be sent.",
                field="events",
                hint="List them with GET /api/v1/webhooks/events.",
            )
    if not events or len(set(events)) != len(events) or len(events) > EVENTS_MAX:
        raise Invalid(f"Name from 1 to {EVENTS_MAX} events, each once; {len(events)} were given.", field="events")


def check_name_length(name: str) -> None:
    """Refuse a name that is too long.

    Raises:
        Invalid: it is.
    """
    if len(name) > NAME_CHARACTERS_MAX:
        raise Invalid(f"The name has {len(name)} characters; at most {NAME_CHARACTERS_MAX} are kept.", field="name")


def host_of(url: str) -> str:
    """The host of an address with its port, which may be told where the rest may be a secret.

    Raises:
        Invalid: the address can never be called.
    """
    return outbound.parse(url).authority


def new_secret() -> str:
    """A secret of 256 random bits."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def drawn_secret(keyring: Keyring, name: str, *, generation: int) -> str:
    """The secret of a webhook that is drawn from the key in the data folder: 240 bits, the same each time."""
    return SECRET_PREFIX + keyring.secret_of(f"webhook/{name}/{generation}")


def check_secret(secret: str) -> None:
    """Refuse a secret that could be guessed, or that a header or a shell would bend.

    Raises:
        Invalid: it is too short, too long, or has other than plain characters. It is not shown.
    """
    if not SECRET_CHARACTERS_MIN <= len(secret) <= SECRET_CHARACTERS_MAX:
        raise Invalid(
            f"The secret has {len(secret)} characters; it must have from {SECRET_CHARACTERS_MIN} "
            f"to {SECRET_CHARACTERS_MAX}.",
            field="secret",
            hint="Leave it out and one is made.",
        )
    if not all("!" <= each <= "~" for each in secret):
        raise Invalid("The secret must have plain characters without spaces.", field="secret")


def _key(secret: str) -> bytes:
    if secret.startswith(SECRET_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
        except ValueError:
            pass
    return secret.encode()


def signature(secret: str, *, id: str, at: int, body: bytes) -> str:
    """``v1,`` and the base64 of the HMAC-SHA256 over ``<id>.<seconds>.<body>``, as Standard Webhooks has it."""
    signed = f"{id}.{at}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest()).decode()


def headers(secrets_alive: list[str], *, id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers of one attempt: its id, its time in seconds, and a signature for each secret that is alive."""
    seconds = int(at.timestamp())
    signed = " ".join(signature(each, id=id, at=seconds, body=body) for each in secrets_alive)
    return {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": signed,
    }


def body_of(delivery: Delivery, event: Event | None) -> bytes:
    """What is sent: the same bytes at every attempt."""
    told = {
        "delivery": delivery.id,
        "type": delivery.event_name,
        "timestamp": event.at if event else delivery.created_at,
        "subject": delivery.subject,
        "data": event.detail if event else {"webhook": delivery.webhook, "test": True},
    }
    if event:
        told |= {"event": event.id, "sequence": event.sequence, "actor": event.actor}
    return codec.canonical(told)


def is_good(status: int) -> bool:
    """Whether the other side took it."""
    return 200 <= status < 300


def pause_after(failures: int, *, asked_seconds: int | None = None) -> timedelta:
    """How long to wait after so many failures in a row; the other side may ask for more, up to a limit."""
    own = PAUSES[min(failures, len(PAUSES)) - 1]
    asked = min(timedelta(seconds=asked_seconds), PAUSE_ASKED_MAX) if asked_seconds else own
    return max(own, asked)


def delivered(
    webhook: Webhook, delivery: Delivery, *, status: int, answer: str, at: datetime
) -> tuple[Webhook, Delivery]:
    """The webhook and the delivery after a good attempt."""
    done = replace(
        _attempted(delivery, status=status, answer=answer, error="", at=at),
        state=DeliveryState.DELIVERED,
        finished_at=at,
    )
    return replace(webhook, failures=0, paused_until=None), done


def failed(
    webhook: Webhook,
    delivery: Delivery,
    *,
    status: int | None,
    answer: str,
    error: str,
    asked_seconds: int | None,
    at: datetime,
) -> tuple[Webhook, Delivery]:
    """The webhook and the delivery after a bad attempt: to be tried again, given up, or the webhook switched off."""
    if delivery.event_name == TEST:
        # Somebody waits for the answer; whether the webhook works is judged by what it is there for.
        tried = _attempted(delivery, status=status, answer=answer, error=error, at=at)
        return webhook, replace(tried, state=DeliveryState.FAILED, finished_at=at)
    failures = webhook.failures + 1
    paused = at + pause_after(failures, asked_seconds=asked_seconds)
    after = replace(webhook, failures=failures, paused_until=paused)
    tried = _attempted(delivery, status=status, answer=answer, error=error, at=at)
    reason = ""
    if status == GONE:
        reason = "The address answered 410: it wants no more."
    elif failures >= FAILURES_MAX:
        reason = f"{failures} attempts in a row failed; the last: {error}"[:ANSWER_CHARACTERS_MAX]
    if reason:
        after = replace(after, enabled=False, disabled_reason=reason)
    if reason or tried.attempts >= ATTEMPTS_MAX * tried.rounds:
        tried = replace(tried, state=DeliveryState.FAILED, finished_at=at)
    return after, tried


def dropped(delivery: Delivery, *, reason: str, at: datetime) -> Delivery:
    """The delivery when it is given up without an attempt."""
    return replace(delivery, state=DeliveryState.FAILED, last_error=reason, finished_at=at)


def _attempted(delivery: Delivery, *, status: int | None, answer: str, error: str, at: datetime) -> Delivery:
    return replace(
        delivery,
        attempts=delivery.attempts + 1,
        last_at=at,
        last_status=status,
        last_answer=answer[:ANSWER_CHARACTERS_MAX],
        last_error=error[:ANSWER_CHARACTERS_MAX],
    )
