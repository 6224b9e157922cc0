"""What the SDKs really sent, sent again in the same order: each request is answered as the client needs it."""

import json
from pathlib import Path

import pytest

from modelward.governance.access.entities import SYSTEM
from modelward.governance.objects import use_cases as objects
from modelward.interfaces.aws.registry import all_operations
from modelward.interfaces.aws.service_models import service_model
from support.aws_inside import Inside

RECORDINGS = Path(__file__).parents[4] / "shared" / "spec" / "aws-samples" / "requests"
FILES = ["model-card.jsonl", "registry-lineage-search.jsonl", "sdk-v3.jsonl"]


def recorded(name):
    for line in (RECORDINGS / name).read_text().splitlines():
        each = json.loads(line)
        if (each.get("target") or "").startswith("SageMaker."):
            yield each


@pytest.fixture
def lenient(tmp_path):
    """A house in test mode, with the bucket that the recordings write to."""
    opened = Inside(tmp_path / "house", aws_test_mode=True)
    opened.house.workshop.write(SYSTEM, lambda work: objects.make_bucket(work, name="governance-default"))
    yield opened
    opened.close()


def missing_members(operation, answer):
    """Required members of the answer that are absent, at the top."""
    shape = service_model("sagemaker").operation_model(operation).output_shape
    return [name for name in (shape.required_members if shape else []) if name not in answer]


@pytest.mark.parametrize("name", FILES)
def test_recorded_requests_are_answered_with_the_status_that_the_client_needs(lenient, name):
    if not RECORDINGS.exists():
        pytest.skip("The recordings are not beside this repository (../shared/spec).")
    ours, wrong = {operation for service, operation in all_operations() if service == "sagemaker"}, []

    for each in recorded(name):
        operation = each["target"].removeprefix("SageMaker.")
        # In the recording what was deleted by a stub stayed there, and later requests are about it.
        if operation not in ours or (each["answered_by"] == "stub" and operation.startswith("DeleteModelPackage")):
            continue
        if "ResourceArn" in each["request"] and ":artifact/" in each["request"]["ResourceArn"]:
            continue  # Lineage is no part of these families.
        reply = lenient.send(lenient.json(operation, json.dumps(each["request"]).encode()))
        answer = json.loads(reply.body or b"{}")
        expected = 200 if each["status"] >= 500 else each["status"]
        if reply.status != expected or (reply.status == 200 and missing_members(operation, answer)):
            wrong.append((each["n"], each["flow"], operation, expected, reply.status, answer))
        elif reply.status == 400 and isinstance(each["response"], dict):
            code = each["response"].get("__type", "").rpartition("#")[2]
            if code and code != answer["__type"]:
                wrong.append((each["n"], operation, code, answer))

    assert not wrong, "\n".join(str(one) for one in wrong)
