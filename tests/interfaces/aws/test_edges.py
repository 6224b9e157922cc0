"""Where one account ends, which tags are nobody's, what is seen, and in which language strangers are refused."""

from itertools import count

import pytest
from botocore.exceptions import ClientError

from support.aws import aws_house, refused

NAMES = count(1)
HERE, THERE = "123456789012", "210987654321"


@pytest.fixture(scope="module")
def sm(aws):
    return aws.client("sagemaker")


@pytest.fixture
def name(sm):
    made = f"edge-{next(NAMES)}"
    sm.create_model_card(ModelCardName=made, Content="{}", ModelCardStatus="Draft")
    sm.create_model_package_group(ModelPackageGroupName=made)
    sm.create_model_package(ModelPackageGroupName=made)
    return made


def arn(kind, name, account=HERE, region="us-east-1"):
    return f"arn:aws:sagemaker:{region}:{account}:{kind}/{name}"


def test_what_another_account_has_is_not_here_whatever_it_is_called(sm, name):
    card, group = arn("model-card", name, THERE), arn("model-package-group", name, THERE)
    package = arn("model-package", f"{name}/1", THERE)

    assert "does not exist" in refused("ResourceNotFound", sm.describe_model_card, ModelCardName=card)
    refused("ResourceNotFound", sm.update_model_card, ModelCardName=card, Content='{"intended_uses": {}}')
    refused("ValidationException", sm.describe_model_package_group, ModelPackageGroupName=group)
    refused("ValidationException", sm.create_model_package, ModelPackageGroupName=group)
    message = refused("ValidationException", sm.describe_model_package, ModelPackageName=package)
    assert message.startswith("Could not find model package")
    refused("ValidationException", sm.delete_model_package, ModelPackageName=package)
    assert sm.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"] == []
    told = sm.batch_describe_model_package(ModelPackageArnList=[package])
    assert list(told["BatchDescribeModelPackageErrorMap"]) == [package]
    for thing in (card, group, package):
        refused("ValidationException", sm.add_tags, ResourceArn=thing, Tags=[{"Key": "a", "Value": "b"}])


def test_every_region_of_the_account_shows_the_same(sm, name):
    assert sm.describe_model_card(ModelCardName=arn("model-card", name, region="eu-west-1"))["ModelCardName"] == name


def test_a_test_mode_minds_no_account(tmp_path):
    with aws_house(tmp_path / "house", MODELWARD_AWS_TEST_MODE="true") as house:
        client = house.client("sagemaker")
        client.create_model_card(ModelCardName="any", Content="{}", ModelCardStatus="Draft")
        assert client.describe_model_card(ModelCardName=arn("model-card", "any", THERE))["ModelCardName"] == "any"


def test_tags_that_only_aws_gives_are_taken_from_nobody(sm, name):
    tags = [{"Key": "AWS:cloudformation:stack-name", "Value": "x"}]

    for call, request in (
        (sm.create_model_card, {"ModelCardName": f"{name}-t", "Content": "{}", "ModelCardStatus": "Draft"}),
        (sm.create_model_package_group, {"ModelPackageGroupName": f"{name}-t"}),
        (sm.create_model_package, {"ModelPackageName": f"{name}-t"}),
        (sm.create_model, {"ModelName": f"{name}-t", "PrimaryContainer": {"Image": "image:1"}}),
        (sm.add_tags, {"ResourceArn": arn("model-card", name)}),
    ):
        assert "reserved" in refused("ValidationException", call, Tags=tags, **request)
    refused("ResourceNotFound", sm.describe_model_card, ModelCardName=f"{name}-t")


def test_conditions_of_visibility_leave_out_what_has_the_tag_with_another_value(sm, name):
    for place, team in enumerate(("red", "blue", None)):
        tags = [{"Key": "team", "Value": team}] if team else []
        card = {"ModelCardName": f"{name}-v{place}", "Content": "{}", "ModelCardStatus": "Draft"}
        sm.create_model_card(**card, Tags=tags)
    filters = [{"Name": "ModelCardName", "Operator": "Contains", "Value": f"{name}-v"}]

    found = sm.search(
        Resource="ModelCard",
        SearchExpression={"Filters": filters},
        SortBy="ModelCardName",
        SortOrder="Ascending",
        VisibilityConditions=[{"Key": "Tags.team", "Value": "red"}],
    )

    assert [each["ModelCard"]["ModelCardName"] for each in found["Results"]] == [f"{name}-v0", f"{name}-v2"]
    assert found["TotalHits"]["Value"] == 2


def test_what_is_said_of_an_approval_that_is_waited_for_is_kept(sm, name):
    package = arn("model-package", f"{name}/1")
    before = sm.describe_model_package(ModelPackageName=package)

    sm.update_model_package(
        ModelPackageArn=package, ModelApprovalStatus="PendingManualApproval", ApprovalDescription="Look again."
    )

    told = sm.describe_model_package(ModelPackageName=package)
    assert told["ApprovalDescription"] == "Look again."
    assert told["LastModifiedTime"] > before.get("LastModifiedTime", before["CreationTime"])


def test_a_decision_is_a_change_of_the_package(aws, sm, name):
    aws.native.people.add(f"rita-{name}", persona="risk-manager")
    key = aws.native.people.make_key(f"rita-{name}")
    package, before = (
        arn("model-package", f"{name}/1"),
        sm.describe_model_package(ModelPackageName=arn("model-package", f"{name}/1")),
    )
    aws.native.people.add(f"ana-{name}", persona="data-scientist")
    other = aws.client("sagemaker", aws.native.people.make_key(f"ana-{name}"))
    made = other.create_model_package(ModelPackageGroupName=name)["ModelPackageArn"]

    refused(
        "AccessDeniedException",
        aws.client("sagemaker", key).update_model_package,
        ModelPackageArn=package,
        ModelApprovalStatus="Rejected",
    )
    assert sm.describe_model_package(ModelPackageName=package).get("LastModifiedTime") == before.get("LastModifiedTime")
    sm.update_model_package(ModelPackageArn=made, ModelApprovalStatus="Rejected", ApprovalDescription="No.")
    told = sm.describe_model_package(ModelPackageName=made)
    assert (told["LastModifiedBy"]["UserProfileName"], told["ApprovalDescription"]) == ("owner", "No.")
    assert told["LastModifiedTime"] > told["CreationTime"]


@pytest.mark.parametrize(
    ("service", "call"),
    [("ec2", "describe_instances"), ("sns", "list_topics"), ("rds", "describe_db_instances"), ("dynamodb", "list_tables"),
     ("events", "list_rules"), ("sqs", "list_queues"), ("scheduler", "list_schedules"), ("lambda", "list_functions"),
     ("kms", "list_keys"), ("cloudwatch", "list_metrics"), ("logs", "describe_log_groups")],
)  # fmt: skip
def test_every_service_that_is_not_served_is_refused_in_words_its_client_reads(aws, service, call):
    with pytest.raises(ClientError) as problem:
        getattr(aws.client(service), call)()

    assert problem.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert problem.value.response["ResponseMetadata"]["RetryAttempts"] == 0
