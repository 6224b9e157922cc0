"""A change is carried out once, however often the request comes, and who repeats it gets the same answer."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from modelward.interfaces.aws import once
from support.aws_inside import Inside


def create(inside, name, **options):
    body = json.dumps({"ModelCardName": name, "Content": "{}", "ModelCardStatus": "Draft"}).encode()
    return inside.json("CreateModelCard", body, **options)


def test_the_same_signed_request_gets_the_same_answer_and_is_carried_out_once(inside):
    raw = create(inside, "once")

    first, second = inside.send(raw), inside.send(raw)

    assert first.status == 200
    assert (second.status, second.body) == (first.status, first.body)


def test_sixty_four_copies_at_once_make_one_card(inside):
    raw = create(inside, "crowd", headers={"amz-sdk-invocation-id": "one"})

    with ThreadPoolExecutor(64) as pool:
        replies = list(pool.map(inside.send, [raw] * 64))

    assert {reply.status for reply in replies} == {200}
    assert len({reply.body for reply in replies}) == 1


def test_a_replay_is_remembered_over_a_restart(tmp_path):
    before = Inside(tmp_path / "house")
    raw = create(before, "kept")
    first = before.send(raw)
    before.close()

    after = Inside(tmp_path / "house")
    second = after.send(raw)
    after.close()

    assert (second.status, second.body) == (200, first.body)


def with_invocation(raw, id):
    return raw._replace(headers=[*raw.headers, ("amz-sdk-invocation-id", id)])


def test_a_second_call_in_the_same_second_is_asked_to_sign_anew_and_is_not_taken_for_the_first(inside, monkeypatch):
    monkeypatch.setattr(once, "SAME_SECOND", 0.01)
    at = datetime.now(UTC)
    raw = create(inside, "twice", at=at)
    assert inside.send(with_invocation(raw, "first")).status == 200

    reply = inside.send(with_invocation(raw, "second"))

    assert (reply.status, json.loads(reply.body)["__type"]) == (400, "ThrottlingException")


def test_a_refused_request_leaves_nothing_to_be_answered_again(inside):
    raw = create(inside, "once")
    fresh = with_invocation(create(inside, "once", at=datetime(2026, 1, 1, tzinfo=UTC)), "late")

    assert inside.send(fresh).status == 400
    assert inside.send(raw).status in (200, 400)


def package(inside, token, name="tokens"):
    body = {"ModelPackageGroupName": name, "ClientToken": token}
    return inside.json("CreateModelPackage", json.dumps(body).encode())


def test_a_client_token_gives_the_same_answer_after_a_lost_reply_and_none_to_another_request(inside):
    inside.send(inside.json("CreateModelPackageGroup", b'{"ModelPackageGroupName": "tokens"}'))
    first = inside.send(package(inside, "t1"))
    at_later = inside.json(
        "CreateModelPackage",
        json.dumps({"ModelPackageGroupName": "tokens", "ClientToken": "t1"}).encode(),
        headers={"X-Amz-Meta-Unlike": "1"},
    )
    second = inside.send(at_later)
    other = inside.send(package(inside, "t1", name="others"))

    assert first.status == 200, first.body
    assert second.body == first.body
    assert json.loads(other.body)["__type"] == "ValidationException"
