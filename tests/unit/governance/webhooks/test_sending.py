"""What holds for deliveries with a real receiver: at least once, one id, the same bytes, signed; pauses and secrets."""

import sqlite3
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from modelward import settings
from modelward.app import open_house
from modelward.governance import reactions
from modelward.governance.cards import use_cases as cards
from modelward.governance.webhooks import sending, use_cases
from modelward.governance.webhooks.entities import DeliveryState, WebhookRef
from modelward.governance.webhooks.rules import WebhookOff
from modelward.governance.webhooks.use_cases import DeliveryUnderWay, WebhookExists
from modelward.jobs import queue
from modelward.kernel.errors import Conflict, NotAllowed, NotFound
from modelward.kernel.pages import PageRequest
from modelward.outbound import Outbound
from modelward.sdk.webhooks import verify
from modelward.storage import event_log
from support.houses import Visitor
from support.receivers import Receiver
from support.workshops import ANA

HOOK = WebhookRef("hook")
PAGE = PageRequest(limit=100)


class Hands:
    """A clock that is moved by hand."""

    def __init__(self):
        self.now = datetime.now(UTC)

    def __call__(self):
        return self.now


@pytest.fixture
def outbound():
    opened = Outbound(loopback=True)
    yield opened
    opened.close()


@pytest.fixture
def workshop(workshop):
    workshop.on_events = reactions.enqueue
    workshop.clock = Hands()
    return workshop


def add(workshop, url, events=("CardCreated",)):
    return workshop.write(ANA, lambda w: use_cases.add_webhook(w, name=HOOK, url=url, events=list(events))).secret


def happen(workshop, name="card"):
    workshop.write(ANA, lambda work: cards.create_card(work, name=name))


def take(workshop):
    """Claim the deliveries that are due."""
    claimed = workshop.database.write(lambda c: queue.claim(c, owner="test", now=workshop.clock(), limit=100))
    return [each for each in claimed if each.kind == sending.DELIVERY_JOB]


def run(workshop, outbound):
    """Run the deliveries that are due, and say how many there were."""
    jobs = take(workshop)
    for job in jobs:
        sending.deliver(workshop, job, outbound=outbound)
    return len(jobs)


def deliveries(workshop):
    return workshop.read(ANA, lambda work: use_cases.list_deliveries(work, HOOK, page=PAGE)).items


def hook(workshop):
    return workshop.read(ANA, lambda work: use_cases.get_webhook(work, HOOK))


def test_an_event_is_sent_with_its_detail_signed_and_noted(workshop, outbound):
    with Receiver() as receiver:
        secret = add(workshop, receiver.url)
        happen(workshop)
        run(workshop, outbound)

    (delivery,) = deliveries(workshop)
    ((headers, body),) = receiver.got
    told = msgspec.json.decode(body)
    assert verify(headers, body, secret=secret, now=workshop.clock().timestamp()) == delivery.id
    assert (told["type"], told["subject"], told["delivery"], told["actor"]) == (
        "CardCreated",
        "card",
        delivery.id,
        "ana",
    )
    assert told["data"]["card"] == "card"
    assert (delivery.state, delivery.attempts, delivery.last_status, delivery.last_answer) == (
        "delivered",
        1,
        200,
        "ok",
    )


def test_only_the_events_that_were_named_are_sent(workshop, outbound):
    with Receiver() as receiver:
        add(workshop, receiver.url, events=["CardStatusChanged"])
        happen(workshop)

        assert run(workshop, outbound) == 0
    assert receiver.got == []


def test_a_delivery_that_fails_is_tried_again_later_under_the_same_id_with_the_same_bytes(workshop, outbound):
    with Receiver(500, 503, 200) as receiver:
        add(workshop, receiver.url)
        happen(workshop)
        run(workshop, outbound)
        assert run(workshop, outbound) == 0, "It waits first."
        workshop.clock.now += timedelta(seconds=1)
        run(workshop, outbound)
        workshop.clock.now += timedelta(seconds=5)
        run(workshop, outbound)

    (delivery,) = deliveries(workshop)
    assert receiver.ids == [delivery.id] * 3
    assert len({body for _, body in receiver.got}) == 1
    assert (delivery.state, delivery.attempts, hook(workshop).failures) == (DeliveryState.DELIVERED, 3, 0)


def test_a_process_that_ends_between_sending_and_noting_sends_again_under_the_same_id(workshop, outbound):
    with Receiver() as receiver:
        add(workshop, receiver.url)
        happen(workshop)
        (job,) = take(workshop)
        workshop.clock.now += timedelta(minutes=1)
        (again,) = take(workshop)
        sending.deliver(workshop, again, outbound=outbound)
        with pytest.raises(Conflict):
            # The first worker comes back after its lease has passed on: what it did is not kept.
            sending.deliver(workshop, job, outbound=outbound)

    assert set(receiver.ids) == {deliveries(workshop)[0].id}
    assert deliveries(workshop)[0].attempts == 1


def test_while_an_address_does_not_answer_the_other_deliveries_wait_without_trying(workshop, outbound):
    with Receiver(500, 200) as receiver:
        add(workshop, receiver.url)
        for number in range(5):
            happen(workshop, f"card-{number}")
        run(workshop, outbound)
        assert len(receiver.got) == 1
        workshop.clock.now += timedelta(seconds=2)
        run(workshop, outbound)

    assert [each.state for each in deliveries(workshop)] == [DeliveryState.DELIVERED] * 5
    assert len(receiver.got) == 6


def test_the_other_side_may_ask_to_wait(workshop, outbound):
    with Receiver(429, 200) as receiver:
        receiver.headers = {"retry-after": "60"}
        add(workshop, receiver.url)
        happen(workshop)
        run(workshop, outbound)
        workshop.clock.now += timedelta(seconds=59)
        assert run(workshop, outbound) == 0
        workshop.clock.now += timedelta(seconds=1)
        run(workshop, outbound)

    assert deliveries(workshop)[0].state is DeliveryState.DELIVERED


def test_an_address_that_never_answers_is_switched_off_and_can_be_switched_on_again(workshop, outbound):
    with Receiver(500) as receiver:
        add(workshop, receiver.url)
        for number in range(3):
            happen(workshop, f"card-{number}")
        while hook(workshop).enabled:
            run(workshop, outbound)
            workshop.clock.now += timedelta(hours=2)
        tried = len(receiver.got)
        run(workshop, outbound)
        assert len(receiver.got) == tried == 12

        assert {each.state for each in deliveries(workshop)} == {DeliveryState.FAILED}
        with pytest.raises(WebhookOff, match="12 attempts"):
            workshop.write(ANA, lambda work: use_cases.test_webhook(work, HOOK))
        receiver.statuses = [200]
        workshop.write(ANA, lambda work: use_cases.change_webhook(work, HOOK, enabled=True))
        again = deliveries(workshop)[0]
        workshop.write(ANA, lambda work: use_cases.redeliver(work, again.id))
        with pytest.raises(DeliveryUnderWay):
            workshop.write(ANA, lambda work: use_cases.redeliver(work, again.id))
        run(workshop, outbound)

    assert receiver.ids[-1] == again.id
    assert workshop.read(ANA, lambda work: use_cases.get_delivery(work, again.id)).state is DeliveryState.DELIVERED
    names = [each.name for each in workshop.database.read(lambda c: event_log.read(c, subjects=[HOOK]))]
    assert names[::-1] == ["WebhookAdded", "WebhookDisabled", "WebhookChanged"]


def test_a_test_is_sent_at_once_and_its_failure_says_nothing_of_the_webhook(workshop, outbound):
    with Receiver(500, 200) as receiver:
        add(workshop, receiver.url)
        for _ in range(2):
            workshop.write(ANA, lambda work: use_cases.test_webhook(work, HOOK))
            run(workshop, outbound)

    assert sorted(each.state.value for each in deliveries(workshop)) == ["delivered", "failed"]
    assert (hook(workshop).enabled, hook(workshop).failures) == (True, 0)


def test_an_address_inside_is_not_called_and_the_delivery_says_why(workshop):
    with Receiver() as receiver:
        guarded = Outbound(loopback=False)
        add(workshop, receiver.url)
        happen(workshop)
        run(workshop, guarded)
        guarded.close()

    assert receiver.got == []
    assert "this very machine" in deliveries(workshop)[0].last_error


def test_a_renewed_secret_signs_beside_the_old_one_for_a_day(workshop, outbound):
    with Receiver() as receiver:
        old = add(workshop, receiver.url)
        new = workshop.write(ANA, lambda work: use_cases.renew_secret(work, HOOK)).secret
        happen(workshop, "one")
        run(workshop, outbound)
        workshop.clock.now += timedelta(hours=25)
        happen(workshop, "two")
        run(workshop, outbound)

    (first, body), (second, later) = receiver.got
    for secret in (old, new):
        verify(first, body, secret=secret, tolerance=10**6)
    verify(second, later, secret=new, tolerance=10**6)
    with pytest.raises(NotAllowed):
        verify(second, later, secret=old, tolerance=10**6)


def test_a_removed_webhook_sends_nothing_and_its_name_is_not_used_again(workshop, outbound):
    with Receiver() as receiver:
        add(workshop, receiver.url)
        happen(workshop)
        workshop.write(ANA, lambda work: use_cases.remove_webhook(work, HOOK))
        happen(workshop, "later")
        run(workshop, outbound)

        assert receiver.got == []
        with pytest.raises(NotFound):
            hook(workshop)
        with pytest.raises(WebhookExists):
            add(workshop, receiver.url)


def test_a_delivery_that_was_given_up_for_a_fault_of_ours_says_so(workshop):
    add(workshop, "https://example.org/")
    happen(workshop)
    (job,) = take(workshop)

    for _ in range(2):
        sending.give_up(workshop, job, "KeyError: x")

    assert (deliveries(workshop)[0].state, deliveries(workshop)[0].last_error) == (DeliveryState.FAILED, "KeyError: x")


def test_the_event_and_its_delivery_are_one_transaction(workshop):
    add(workshop, "https://example.org/")

    def task(work):
        cards.create_card(work, name="gone")
        raise NotAllowed("No.")

    with pytest.raises(NotAllowed):
        workshop.write(ANA, task)

    assert deliveries(workshop) == []


def test_a_secret_is_shown_once_and_stands_in_no_log_answer_or_list(tmp_path):
    house = open_house(settings.load({}, home=tmp_path / "data"), works=False)
    house.start()
    visitor = Visitor(house)
    given = "whsec_" + "QUJD" * 10
    body = {"name": "given", "url": "https://example.org/in/a-secret-path", "events": ["CardEdited"], "secret": given}
    drawn = {**body, "name": "drawn", "secret": None}
    try:
        first = visitor.ask("POST", "/api/v1/webhooks", body, idempotency_key="a")
        second = visitor.ask("POST", "/api/v1/webhooks", drawn, idempotency_key="b")
        again = visitor.ask("POST", "/api/v1/webhooks", drawn, idempotency_key="b")
        seen = visitor.ask("GET", "/api/v1/webhooks").body
        scientist = visitor.new_token("eva", "data-scientist")
        refused = visitor.ask("GET", "/api/v1/webhooks", token=scientist)
    finally:
        visitor.transport.close()
        house.close()

    made = second.body["secret"]
    assert first.body["secret"] == given
    assert (again.status, again.body["error"]["code"]) == (409, "AlreadyDone")
    assert refused.status == 403
    assert given not in str(seen)
    assert made not in str(seen)
    everything = rows(tmp_path / "data" / "modelward.db")
    assert made not in str(everything), "It is drawn from the key in the data folder when it is needed."
    assert given not in str({name: told for name, told in everything.items() if name != "webhook_secret"})
    assert "a-secret-path" not in str(everything["event"])


def rows(path):
    with sqlite3.connect(path) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: connection.execute(f'SELECT * FROM "{name}"').fetchall() for name in names}
