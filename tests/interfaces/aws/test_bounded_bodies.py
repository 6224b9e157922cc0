"""A body has the size that comes, not the one it names: what is too large is refused before it is read to its end."""

import asyncio

import pytest

from modelward.interfaces.aws.s3.routes import DOCUMENT_BYTES_MAX
from modelward.interfaces.aws.wire import BODY_BYTES_MAX
from support import buckets
from support.aws_inside import ANSWER_SECONDS_MAX, Inside

PIECE = 1 << 16
POURED = 1 << 30


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with buckets.object_store() as address, pytest.MonkeyPatch.context() as patch:
        for name, value in buckets.ENVIRONMENT.items():
            patch.setenv(name, value)
        buckets.make_bucket(address, "drawer")
        opened = Inside(tmp_path_factory.mktemp("bounded") / "house", s3_buckets="drawer", s3_endpoint=address)
        opened.send(opened.signed("s3", "PUT", "/own"))
        yield opened
        opened.close()


def poured(house, raw, *, chunks=False):
    """Send a body without an end and without a length; returns the status, the answer and how many bytes were taken."""
    taken, status, pieces = 0, 0, []
    piece = b" " * PIECE
    sent = b"%x\r\n%s\r\n" % (PIECE, piece) if chunks else piece

    async def receive():
        nonlocal taken
        taken += PIECE
        return {"type": "http.request", "body": sent, "more_body": taken < POURED}

    async def send(message):
        nonlocal status
        status = message.get("status", status)
        pieces.append(message.get("body", b""))

    assert not [name for name, _ in raw.headers if name == "content-length"]
    scope = {
        "type": "http", "http_version": "1.1", "method": raw.method, "scheme": "http", "path": raw.path,
        "raw_path": raw.path.encode(), "query_string": raw.query.encode(), "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8321),
        "headers": [(name.encode(), value.encode()) for name, value in [*raw.headers, ("transfer-encoding", "chunked")]],
    }  # fmt: skip
    asyncio.run_coroutine_threadsafe(house.house.asgi(scope, receive, send), house._loop).result(ANSWER_SECONDS_MAX)
    return status, b"".join(pieces), taken


@pytest.mark.parametrize("chunks", [False, True])
@pytest.mark.parametrize("target", ["?delete", "/a?uploadId=x", "CreateBucket"])
@pytest.mark.parametrize("bucket", ["drawer", "own"])
def test_a_document_without_an_end_is_read_no_further_than_its_bound(house, bucket, target, chunks):
    if target == "CreateBucket":
        raw = house.signed("s3", "PUT", f"/{bucket if bucket == 'own' else 'new'}", chunked=chunks)
    else:
        raw = house.signed("s3", "POST", f"/{bucket}{target}", chunked=chunks)

    status, told, taken = poured(house, raw, chunks=chunks)

    assert (status, b"MaxMessageLengthExceeded" in told) == (400, True), told
    assert taken <= DOCUMENT_BYTES_MAX + 2 * PIECE


@pytest.mark.parametrize("length", ["10000000", "9" * 30])
def test_a_document_that_names_too_great_a_length_is_not_read_at_all(house, length):
    for name in ("content-length", "x-amz-decoded-content-length"):
        for bucket in ("drawer", "own"):
            raw = house.signed("s3", "POST", f"/{bucket}?delete", body=b"<Delete/>", headers={name: length})
            reply = house.send(raw)
            assert (reply.status, b"MaxMessageLengthExceeded" in reply.body) == (400, True)


def test_a_call_without_an_end_is_read_no_further_than_its_bound(house):
    asked = [
        house.json("ListModelCards", b""),
        house.signed("sts", "POST", "/", headers={"content-type": "application/x-www-form-urlencoded"}),
        house.signed("iam", "POST", "/", headers={"content-type": "application/x-www-form-urlencoded"}),
        house.signed("scheduler", "POST", "/schedules/x"),
        house.signed("lambda", "POST", "/2015-03-31/functions/x/invocations"),
    ]
    for raw in asked:
        status, _, taken = poured(house, raw)

        assert status == 413, raw
        assert taken <= BODY_BYTES_MAX + 2 * PIECE


def test_what_carries_no_body_is_answered_without_reading_one(house):
    for method, path in [("GET", "/own"), ("GET", "/drawer"), ("DELETE", "/own/a"), ("HEAD", "/drawer")]:
        _, _, taken = poured(house, house.signed("s3", method, path))
        assert taken == 0
