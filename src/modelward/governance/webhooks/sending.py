"""How an event reaches the addresses that wait for it: a delivery and its job enter the transaction of the event.

A job sends, then keeps what was answered. Between the two the process may end, so a delivery is sent at least once; its
id and bytes are the same each time, by which the other side knows it again.
"""

from datetime import datetime

from sqlalchemy.engine import Connection

from modelward.governance.access.entities import SYSTEM
from modelward.governance.webhooks import rules, store
from modelward.governance.webhooks.entities import (
    Delivery,
    DeliveryRef,
    DeliveryState,
    Secret,
    Webhook,
    WebhookDisabled,
)
from modelward.jobs import queue
from modelward.jobs.queue import Job
from modelward.kernel.errors import ModelwardError, Unavailable
from modelward.kernel.events import Event
from modelward.outbound import Outbound
from modelward.storage import event_log
from modelward.storage.work import Work, Workshop

DELIVERY_JOB = "webhook-delivery"
SECONDS_MAX = 10.0
# Each wait while an address does not answer counts as an attempt of the job, though not of the delivery.
JOB_ATTEMPTS_MAX = 10_000


def enqueue(connection: Connection, events: list[Event]) -> None:
    """Make a delivery for each webhook that waits for one of these events, in the transaction that wrote them."""
    waiting = store.listening(connection)
    if not waiting:
        return
    for event in events:
        for name, wanted in waiting:
            if event.name in wanted:
                # The same event for the same webhook is one delivery, however often this is run.
                new = Delivery(
                    id=DeliveryRef(f"delivery-{event.id}-{name}"),
                    webhook=name,
                    event=event.id,
                    event_name=event.name,
                    subject=event.subject,
                    created_at=event.at,
                )
                begin(connection, new, now=event.at)


def begin(connection: Connection, new: Delivery, *, now: datetime) -> None:
    """Keep a new delivery with the job that sends it; one of the same id changes nothing."""
    if store.add_delivery(connection, new):
        _enqueue(connection, new, now=now)


def begin_again(connection: Connection, delivery: Delivery, *, now: datetime) -> None:
    """Keep a delivery that waits once more, with the job that sends it."""
    store.put_delivery(connection, delivery)
    _enqueue(connection, delivery, now=now)


def _enqueue(connection: Connection, delivery: Delivery, *, now: datetime) -> None:
    queue.enqueue(
        connection,
        id=f"{delivery.id}/{delivery.rounds}",
        kind=DELIVERY_JOB,
        payload={"delivery": str(delivery.id)},
        now=now,
        attempts_max=JOB_ATTEMPTS_MAX,
    )


def deliver(workshop: Workshop, job: Job, *, outbound: Outbound) -> None:
    """Make one attempt at a delivery, or let it wait while its webhook is paused."""
    ref = DeliveryRef(job.payload["delivery"])
    ready = workshop.read(SYSTEM, lambda work: _prepare(work, ref))
    if ready is None:
        workshop.write(SYSTEM, lambda work: _let_wait(work, ref, job))
        return
    webhook, body, headers = ready
    status, answer, error, asked = _send(outbound, webhook.url, body, headers)

    def keep(work: Work) -> None:
        _keep(work, ref, job, status=status, answer=answer, error=error, asked_seconds=asked)

    workshop.write(SYSTEM, keep)


def _prepare(work: Work, ref: DeliveryRef) -> tuple[Webhook, bytes, dict[str, str]] | None:
    delivery = store.find_delivery(work.connection, ref)
    webhook = store.find(work.connection, delivery.webhook) if delivery else None
    if delivery is None or webhook is None or not _may_go(webhook, delivery, work):
        return None
    event = event_log.get(work.connection, delivery.event) if delivery.event else None
    body = rules.body_of(delivery, event)
    alive = [_key(work, each) for each in store.list_secrets(work.connection, webhook.name, at=work.now)]
    return webhook, body, rules.headers(alive, id=ref, at=work.now, body=body)


def _key(work: Work, kept: Secret) -> str:
    if kept.secret:
        return kept.secret
    if work.keyring is None:
        raise Unavailable(f"The secret of {kept.webhook} is drawn from a key that is not at hand.")
    return rules.drawn_secret(work.keyring, kept.webhook, generation=kept.generation)


def _may_go(webhook: Webhook, delivery: Delivery, work: Work) -> bool:
    # A test is there to find out whether the address answers by now.
    paused = webhook.paused_until is not None and webhook.paused_until > work.now and delivery.event_name != rules.TEST
    return webhook.enabled and not paused and delivery.state is DeliveryState.WAITING


def _let_wait(work: Work, ref: DeliveryRef, job: Job) -> None:
    """Close the job of a delivery that is not to be sent now: later where its webhook is paused, else for good."""
    delivery = store.find_delivery(work.connection, ref)
    webhook = store.find(work.connection, delivery.webhook) if delivery else None
    if delivery is None or webhook is None or delivery.state is not DeliveryState.WAITING:
        queue.finish(work.connection, job, now=work.now)
    elif not webhook.enabled:
        store.put_delivery(
            work.connection,
            rules.dropped(delivery, reason=f"The webhook is off. {webhook.disabled_reason}", at=work.now),
        )
        queue.finish(work.connection, job, now=work.now)
    else:
        # Switched on again, or no longer paused, since it was looked at: then it is its turn now.
        queue.postpone(work.connection, job, until=webhook.paused_until or work.now)


def _send(
    outbound: Outbound, url: str, body: bytes, headers: dict[str, str]
) -> tuple[int | None, str, str, int | None]:
    """What came of it: the status, the beginning of the answer, what went wrong, and the seconds it asks to wait."""
    try:
        answer = outbound.post_now(url, body, headers=headers, seconds_max=SECONDS_MAX)
    except ModelwardError as problem:
        return None, "", str(problem), None
    # PostgreSQL keeps no NUL.
    text = answer.body[: 4 * rules.ANSWER_CHARACTERS_MAX].decode("utf-8", "replace").replace("\0", "\ufffd")
    if rules.is_good(answer.status):
        return answer.status, text, "", None
    asked = answer.headers.get("retry-after", "")
    return answer.status, text, f"It answered {answer.status}.", int(asked) if asked.isdecimal() else None


def _keep(
    work: Work, ref: DeliveryRef, job: Job, *, status: int | None, answer: str, error: str, asked_seconds: int | None
) -> None:
    # Read anew: others may have sent to the same address meanwhile, or somebody switched it off.
    delivery = store.find_delivery(work.connection, ref)
    assert delivery is not None
    webhook = store.find(work.connection, delivery.webhook)
    assert webhook is not None
    if error:
        after, tried = rules.failed(
            webhook, delivery, status=status, answer=answer, error=error, asked_seconds=asked_seconds, at=work.now
        )
    else:
        assert status is not None
        after, tried = rules.delivered(webhook, delivery, status=status, answer=answer, at=work.now)
    if after != webhook:
        store.put_state(work.connection, after)
    store.put_delivery(work.connection, tried)
    if webhook.enabled and not after.enabled:
        work.record(WebhookDisabled(webhook=webhook.name, reason=after.disabled_reason))
    if tried.state is DeliveryState.WAITING:
        assert after.paused_until is not None
        queue.postpone(work.connection, job, until=after.paused_until, error=error)
    else:
        queue.finish(work.connection, job, now=work.now)


def give_up(workshop: Workshop, job: Job, error: str) -> None:
    """Show on a delivery that its job was given up for a fault of ours; told by the worker."""
    ref = DeliveryRef(job.payload["delivery"])

    def task(work: Work) -> None:
        found = store.find_delivery(work.connection, ref)
        if found is not None and found.state is DeliveryState.WAITING:
            store.put_delivery(work.connection, rules.dropped(found, reason=error, at=work.now))

    workshop.write(SYSTEM, task)
