"""Requests made of everything but good will, on a listed bucket: nothing comes out of another bucket, and nothing goes in."""

import random
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from interfaces.aws.test_hostile_requests import SEED, Bender, refusal_is_told
from modelward.kernel.errors import Invalid, NotAllowed
from modelward.storage.object_store import ObjectStore
from support import buckets
from support.aws_inside import Inside
from support.outside import Outside

REQUESTS = 600
SECRET = b"what nobody here may read"
WAYS_OUT = [
    "/drawer/../cellar/secret",
    "/drawer/%2e%2e/cellar/secret",
    "/drawer//../../cellar/secret",
    "/cellar/secret",
]
SOURCES = ["/cellar/secret", "drawer/../cellar/secret", "%2Fcellar%2Fsecret", "drawer%2F..%2Fcellar%2Fsecret", "cellar"]


def test_whatever_is_asked_of_a_listed_bucket_no_other_bucket_is_touched(tmp_path, monkeypatch):
    for name, value in buckets.ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("modelward.interfaces.aws.once.SAME_SECOND", 0.0)
    draw, passed, served = random.Random(SEED), 0, []
    with buckets.object_store() as address:
        outside = Outside(address)
        for name in ("drawer", "cellar"):
            outside.s3.create_bucket(Bucket=name)
        outside.put("cellar", "secret", SECRET)
        inside = Inside(tmp_path / "house", s3_buckets="drawer", s3_endpoint=address)
        bender = Bender(inside, SEED)
        try:
            for _ in range(REQUESTS):
                raw = bender._objects()
                if draw.random() < 0.3:
                    headers = {"x-amz-copy-source": draw.choice(SOURCES)} if draw.random() < 0.5 else {}
                    method, path = draw.choice(["GET", "PUT", "HEAD", "DELETE"]), draw.choice(WAYS_OUT)
                    raw = inside.signed("s3", method, "/drawer/taken" if headers else path, headers=headers)
                reply = inside.send(bender._bent(raw) if draw.random() < 0.3 else raw)
                passed += reply.status < 300

                assert SECRET not in reply.body, (raw, reply)
                assert b"We encountered an internal error" not in reply.body, (raw, reply)
                if reply.status >= 400:
                    served.append(reply.status)
                    assert refusal_is_told(reply), (raw, reply)
            seen = outside.read("cellar", "secret"), outside.keys("cellar")
            stored = [outside.read("drawer", key) for key in outside.keys("drawer")]
        finally:
            inside.close()

    assert seen == (SECRET, ["secret"])
    assert SECRET not in stored
    assert passed > REQUESTS // 50
    assert not [status for status in served if status >= 500 and status != 503]


@cache
def two_buckets():
    return ObjectStore({"drawer": True, "seen": False}, endpoint="http://127.0.0.1:9")


@given(
    key=st.lists(st.sampled_from(["..", ".", "a", "", "b c", "\x00", "\n", "x" * 400]), max_size=4).map("/".join),
    bucket=st.sampled_from(["drawer", "seen", "cellar", "drawer/../cellar", "", "DRAWER"]),
)
@settings(max_examples=300, deadline=None)
def test_a_place_passes_only_in_a_listed_bucket_and_only_as_a_plain_name(key, bucket):
    store = two_buckets()

    def may(write):
        try:
            store.check_place(bucket, key, write=write)
        except (Invalid, NotAllowed):
            return False
        return True

    plain = 0 < len(key) <= 1024 and not {".", ".."} & set(key.split("/")) and "\x00" not in key and "\n" not in key
    assert may(write=False) == (plain and bucket in ("drawer", "seen"))
    assert may(write=True) == (plain and bucket == "drawer")
