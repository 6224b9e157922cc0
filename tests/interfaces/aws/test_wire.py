"""What the service models say holds for every request, and what is registered is what they know."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
import regex

from modelward.governance.access.permissions import Permission
from modelward.interfaces.aws import validation
from modelward.interfaces.aws.answering import AnswerInvalid, answer_writer
from modelward.interfaces.aws.arns import Arn, S3Uri, make_arn, name_in
from modelward.interfaces.aws.errors import AwsError
from modelward.interfaces.aws.operations import Family
from modelward.interfaces.aws.registry import all_operations
from modelward.interfaces.aws.s3.service import ROUTES
from modelward.interfaces.aws.service_models import service_model
from modelward.interfaces.http import Open, PermissionMissing


def check(operation, body):
    return validation.request_check("sagemaker", operation)(body)


def test_every_registered_operation_is_one_of_the_service_model_and_has_a_permission():
    for (service, name), operation in all_operations().items():
        assert name in service_model(service).operation_names
        assert isinstance(operation.permission, Permission | Open)
    assert all(isinstance(route.permission, Permission) for route in ROUTES)


def test_an_operation_without_a_permission_cannot_be_registered():
    with pytest.raises(PermissionMissing, match="CreateModel"):
        Family("sagemaker").operation("CreateModel", permission=None)


def test_every_pattern_of_the_service_model_can_be_checked():
    model = service_model("sagemaker")
    free = {".*", "[\\s\\S]*", "[\\S\\s]*", "^[\\s\\S]*$"}
    written = {model.shape_for(name).metadata.get("pattern") for name in model.shape_names} - {None} - free

    unread = [pattern for pattern in written if validation._pattern(pattern) is None]

    assert unread == []


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "Value null at 'modelCardName' failed to satisfy constraint: Member must not be null"),
        ({"ModelCardName": "-a"}, "Member must satisfy regular expression pattern"),
        ({"ModelCardName": "a" * 64}, "Member must have length less than or equal to 63"),
        ({"ModelCardStatus": "Gone"}, "Member must satisfy enum value set"),
        ({"Content": "x" * 100_001}, "Member must have length less than or equal to 100000"),
        ({"Tags": [{"Key": "k"}]}, "Value null at 'tags.1.member.value' failed"),
    ],
)
def test_a_member_that_breaks_a_rule_is_named_with_the_rule(body, told):
    right = {"ModelCardName": "a", "ModelCardStatus": "Draft", "Content": "{}"}

    with pytest.raises(AwsError) as caught:
        check("CreateModelCard", {**right, **body} if body else {})

    assert caught.value.code == "ValidationException"
    assert told in caught.value.message


def test_several_faults_are_counted():
    with pytest.raises(AwsError, match="3 validation errors detected"):
        check("CreateModelCard", {})


@pytest.mark.parametrize("value", [1, True, [], {}, 1.5])
def test_a_value_of_the_wrong_kind_is_no_request_at_all(value):
    with pytest.raises(AwsError) as caught:
        check("DescribeModelCard", {"ModelCardName": value})

    assert caught.value.code == "SerializationException"


def test_unknown_members_and_nulls_are_dropped():
    assert check("DescribeModelCard", {"ModelCardName": "a", "Zzz": 1, "ModelCardVersion": None}) == {
        "ModelCardName": "a"
    }


@pytest.mark.parametrize("written", [1700000000, 1700000000.0, "2023-11-14T22:13:20Z", "Tue, 14 Nov 2023 22:13:20 GMT"])
def test_moments_may_be_written_in_each_way_that_clients_know(written):
    found = check("ListModelCards", {"CreationTimeAfter": written})["CreationTimeAfter"]

    assert found == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


def test_a_pattern_that_takes_too_long_counts_as_broken():
    slow = regex.compile(r"(?:(?:x+)+)+y")

    assert not validation._matches(slow, "x" * 60)


def test_an_answer_that_the_service_model_does_not_allow_is_a_fault_of_ours():
    write = answer_writer("sagemaker", "CreateModelCard")

    assert write({"ModelCardArn": "arn", "Other": None} | {}) == {"ModelCardArn": "arn"}
    for wrong in ({}, {"ModelCardArn": 1}, {"ModelCardArn": "a", "Other": 1}):
        with pytest.raises(AnswerInvalid):
            write(wrong)


def test_a_bent_answer_is_told_as_a_fault_without_its_words(inside, monkeypatch):
    wire_answer = inside.send(inside.json("ListModelCards", b"{}"))
    assert wire_answer.status == 200
    wire = inside.house.asgi._app._aws._wire
    key = ("sagemaker", "ListModelCards")

    def failing(_call, _request):
        raise RuntimeError("canary secret")

    monkeypatch.setitem(wire._operations, key, msgspec.structs.replace(wire._operations[key], handler=failing))

    reply = inside.send(inside.json("ListModelCards", b"{}"))

    assert reply.status == 500
    assert json.loads(reply.body)["__type"] == "InternalFailure"
    assert b"canary" not in reply.body


@pytest.mark.parametrize(
    ("region", "partition"), [("us-east-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_arns_are_read_as_they_are_written(region, partition):
    text = make_arn("sagemaker", region, "123456789012", "model-package", "group/3")

    found = Arn.parse(text)

    assert str(found) == text
    assert (found.partition, found.kind, found.name) == (partition, "model-package", "group/3")
    assert name_in(text, kind="model-package", field="x") == "group/3"
    assert name_in("group", kind="model-package", field="x") == "group"
    with pytest.raises(AwsError, match="not of a model-card"):
        name_in(text, kind="model-card", field="x")


def test_the_key_of_an_s3_address_is_taken_literally():
    assert S3Uri.parse("s3://b//a//c/") == ("b", "/a//c/")
    with pytest.raises(AwsError, match="not an S3 address"):
        S3Uri.parse("https://b/k")


def test_sts_and_iam_answer_in_their_own_language(aws):
    assert aws.client("sts").get_caller_identity()["Arn"] == "arn:aws:iam::123456789012:user/owner"
    role = aws.client("iam").get_role(RoleName="anything")["Role"]
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    iam = aws.client("iam")
    with pytest.raises(iam.exceptions.ClientError, match="AccessDenied"):
        iam.list_users()


WITHOUT = """
import sys
for name in ("regex", "cryptography"):
    sys.modules[name] = None
from pathlib import Path
from support.aws_inside import Inside
inside = Inside(Path(sys.argv[1]))
print(inside.send(inside.json("ListModelCards", b"{}")))
inside.close()
"""


def test_without_the_packages_it_needs_the_interface_says_what_to_install(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", WITHOUT, str(tmp_path / "house")]

    told = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)

    assert "status=400" in told.stdout, told.stderr
    assert "pip install 'modelward[aws]'" in told.stdout.replace("\\'", "'")


@pytest.mark.parametrize("kind", ["script", "style", "iframe"])
def test_what_is_stored_is_not_served_into_pages(inside, kind):
    inside.send(inside.signed("s3", "PUT", "/pages"))
    inside.send(inside.signed("s3", "PUT", "/pages/a.js", body=b"alert(1)"))

    embedded = inside.send(inside.signed("s3", "GET", "/pages/a.js", headers={"Sec-Fetch-Dest": kind}))
    alone = inside.send(inside.signed("s3", "GET", "/pages/a.js"))

    assert embedded.status == 403
    assert alone.headers["content-security-policy"] == "default-src 'none'; sandbox"
