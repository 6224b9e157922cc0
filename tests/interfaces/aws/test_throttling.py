"""Who calls too often is told to wait, in words by which every client waits and tries again."""

import json
import time
from collections import deque

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from modelward.governance.access import key_pairs
from modelward.governance.access.entities import SYSTEM
from modelward.interfaces.aws.throttle import Throttle
from support.aws import aws_house
from support.aws_inside import Inside


def test_a_throttle_lets_a_burst_through_and_then_only_its_rate(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("modelward.interfaces.aws.throttle.time.monotonic", lambda: now[0])
    throttle = Throttle(calls_per_second=10)

    burst = sum(throttle.admits("a") for _ in range(100))
    now[0] = 1.0
    later = sum(throttle.admits("a") for _ in range(100))

    assert (burst, later, throttle.admits("b")) == (20, 10, True)


@pytest.fixture
def slow(tmp_path):
    opened = Inside(tmp_path / "house", aws_calls_per_second=1)
    yield opened
    opened.close()


def test_a_caller_has_one_limit_however_many_keys_they_have(slow):
    made = slow.house.workshop.write(SYSTEM, lambda work: key_pairs.make_key_pair(work, person="owner"))
    other = type(slow.credentials)(made.key.id, made.secret)

    codes = [slow.send(slow.json("ListModelCards", b"{}")).status for _ in range(4)]
    last = slow.send(slow.json("ListModelCards", b"{}", credentials=other))

    assert codes[:2] == [200, 200]
    assert (last.status, json.loads(last.body)["__type"]) == (400, "ThrottlingException")
    assert last.headers["x-amzn-requestid"]


def test_each_service_says_it_in_its_own_words(slow):
    for _ in range(3):
        slow.send(slow.json("ListModelCards", b"{}"))

    bucket = slow.send(slow.signed("s3", "GET", "/", headers={"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}))
    body = b"Action=GetCallerIdentity&Version=2011-06-15"
    form = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    identity = slow.send(slow.signed("sts", "POST", "/", body=body, headers=form))

    assert (bucket.status, b"<Code>SlowDown</Code>" in bucket.body) == (503, True)
    assert (identity.status, b"<Code>Throttling</Code>" in identity.body) == (400, True)


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
def test_clients_wait_and_are_served_in_the_end(tmp_path, mode):
    with aws_house(tmp_path / "house", MODELWARD_AWS_CALLS_PER_SECOND="4") as house:
        patient = house.client("sagemaker", config=Config(retries={"mode": mode, "total_max_attempts": 8}))
        hasty = house.client("sagemaker")
        storage = house.client("s3", config=Config(retries={"mode": mode, "total_max_attempts": 8}))

        with pytest.raises(ClientError) as problem:
            deque(hasty.list_model_cards() for _ in range(20))
        begun = time.monotonic()
        attempts = [patient.list_model_cards()["ResponseMetadata"]["RetryAttempts"] for _ in range(6)]
        buckets = storage.list_buckets()["Buckets"]

    assert problem.value.response["Error"]["Code"] == "ThrottlingException"
    assert buckets == []
    assert sum(attempts) > 0 or time.monotonic() - begun > 0.5
