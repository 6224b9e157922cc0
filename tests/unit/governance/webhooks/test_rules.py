"""What holds for webhooks without any sending: signatures, pauses, giving up, and what may be asked for."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.governance.webhooks import rules
from modelward.governance.webhooks.entities import Delivery, DeliveryRef, DeliveryState, Webhook, WebhookRef
from modelward.kernel.errors import Invalid, NotAllowed
from modelward.sdk.webhooks import verify

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOOK = Webhook(
    name=WebhookRef("hook"), url="https://example.org/", events=["CardEdited"], created_at=NOON, created_by="ana"
)
WAITING = Delivery(
    id=DeliveryRef("delivery-1"),
    webhook=HOOK.name,
    event="event-1",
    event_name="CardEdited",
    subject="c",
    created_at=NOON,
)


def test_a_signature_is_that_of_the_published_convention():
    signed = rules.signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        at=1614265330,
        body=b'{"test": 2432232314}',
    )

    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(
    body=st.binary(max_size=200),
    own=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=24, max_size=60),
)
def test_what_was_signed_is_taken_by_who_has_the_secret_and_by_nobody_else(body, own):
    secret = rules.new_secret()
    for signing in (secret, own):
        headers = rules.headers([signing], id="d-1", at=NOON, body=body)

        assert verify(headers, body, secret=signing, now=NOON.timestamp()) == "d-1"
        for changed in ({"webhook-id": "d-2"}, {"webhook-timestamp": str(int(NOON.timestamp()) + 1)}):
            with pytest.raises(NotAllowed):
                verify({**headers, **changed}, body, secret=signing, now=NOON.timestamp())
        with pytest.raises(NotAllowed):
            verify(headers, body + b" ", secret=signing, now=NOON.timestamp())
        with pytest.raises(NotAllowed):
            verify(headers, body, secret=rules.new_secret(), now=NOON.timestamp())


def test_an_old_delivery_is_not_taken_a_second_time():
    secret = rules.new_secret()
    headers = rules.headers([secret], id="d-1", at=NOON, body=b"{}")

    with pytest.raises(NotAllowed, match="too old"):
        verify(headers, b"{}", secret=secret, now=NOON.timestamp() + 301)
    with pytest.raises(NotAllowed, match="lacks"):
        verify({}, b"{}", secret=secret)


def test_while_a_secret_is_renewed_both_sign():
    old, new = rules.new_secret(), rules.new_secret()

    headers = rules.headers([new, old], id="d-1", at=NOON, body=b"{}")

    assert verify(headers, b"{}", secret=old, now=NOON.timestamp()) == "d-1"
    assert verify(headers, b"{}", secret=new, now=NOON.timestamp()) == "d-1"


@pytest.mark.parametrize("secret", ["", "short", "x" * 23, "x" * 201, "x" * 30 + "\n", "x" * 30 + "é"])
def test_a_secret_that_could_be_guessed_or_bends_a_header_is_refused_without_being_shown(secret):
    with pytest.raises(Invalid) as caught:
        rules.check_secret(secret)

    assert len(secret) < 6 or secret not in str(caught.value)


@pytest.mark.parametrize("events", [[], ["NoSuchEvent"], ["CardEdited", "CardEdited"], ["WebhookAdded"], ["SignedIn"]])
def test_only_known_events_are_sent_and_none_that_a_webhook_makes_itself(events):
    with pytest.raises(Invalid) as caught:
        rules.check_events(events)

    assert caught.value.field == "events"


@pytest.mark.parametrize(
    "url", ["", "ftp://x/", "http://user:pw@x/", "http://2130706433/", "javascript:alert(1)", "//x"]
)
def test_an_address_that_can_never_be_called_is_refused(url):
    with pytest.raises(Invalid) as caught:
        rules.host_of(url)

    assert caught.value.field == "url"


def fail(hook, delivery, at, status=500, asked=None):
    return rules.failed(hook, delivery, status=status, answer="no", error="It answered.", asked_seconds=asked, at=at)


def test_pauses_grow_and_the_other_side_may_ask_for_more_but_not_for_ever():
    pauses = [rules.pause_after(number) for number in range(1, 20)]

    assert pauses == sorted(pauses)
    assert pauses[0] == timedelta(seconds=1)
    assert rules.pause_after(1, asked_seconds=60) == timedelta(seconds=60)
    assert rules.pause_after(1, asked_seconds=10**9) == rules.PAUSE_ASKED_MAX


def test_a_delivery_is_given_up_after_its_attempts_and_the_webhook_goes_on():
    hook, delivery = HOOK, WAITING
    for number in range(rules.ATTEMPTS_MAX):
        assert delivery.state is DeliveryState.WAITING
        hook, delivery = fail(hook, delivery, NOON + timedelta(hours=number))

    assert delivery.state is DeliveryState.FAILED
    assert delivery.attempts == rules.ATTEMPTS_MAX
    assert hook.enabled


def test_failures_in_a_row_switch_a_webhook_off_and_one_good_attempt_forgets_them():
    hook = HOOK
    for _ in range(rules.FAILURES_MAX - 1):
        hook, _ = fail(hook, WAITING, NOON)
    mended, done = rules.delivered(hook, WAITING, status=200, answer="ok", at=NOON)
    off, given_up = fail(hook, WAITING, NOON)

    assert (mended.failures, mended.paused_until, done.state) == (0, None, DeliveryState.DELIVERED)
    assert not off.enabled
    assert "12 attempts in a row failed" in off.disabled_reason
    assert given_up.state is DeliveryState.FAILED


def test_an_address_that_wants_no_more_is_left_alone_at_once():
    off, given_up = fail(HOOK, WAITING, NOON, status=410)

    assert not off.enabled
    assert given_up.state is DeliveryState.FAILED


def test_what_is_kept_of_an_answer_has_a_limit():
    _, tried = rules.failed(
        HOOK, WAITING, status=500, answer="x" * 10**6, error="y" * 10**6, asked_seconds=None, at=NOON
    )

    assert len(tried.last_answer) == len(tried.last_error) == rules.ANSWER_CHARACTERS_MAX
