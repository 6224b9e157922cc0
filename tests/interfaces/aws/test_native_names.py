"""What was named natively is found, described, tagged, exported and deleted by AWS clients, whatever AWS's own rule."""

import json
from itertools import count

import pytest
from botocore.exceptions import ClientError

CARD, MODEL = "risk.card_2026.q1", "credit_risk.v2"
LONG = "x" * 128
SERVED = count(1)


@pytest.fixture(scope="module")
def sm(aws):
    return aws.client("sagemaker")


@pytest.fixture(scope="module")
def named(aws):
    """A model with a version and a card that was written for it, all with names that AWS would not take."""
    aws.native.models.register(MODEL)
    version = aws.native.versions.register(MODEL, facts={"inference_environment": ["image:1"]})
    aws.native.cards.create(CARD, content={"intended_uses": {"risk_rating": "Low"}})
    aws.native.models.register(LONG)
    return version


def arn(kind, name):
    return f"arn:aws:sagemaker:us-east-1:123456789012:{kind}/{name}"


def test_a_card_of_any_native_name_is_listed_described_updated_and_deleted(aws, sm, named):
    aws.native.cards.create("gone_soon.card", content={})

    listed = [each["ModelCardName"] for each in sm.list_model_cards(NameContains="card_2026.")["ModelCardSummaries"]]
    told = sm.describe_model_card(ModelCardName=CARD)
    by_arn = sm.describe_model_card(ModelCardName=told["ModelCardArn"])
    sm.update_model_card(ModelCardName=CARD, Content='{"intended_uses": {"risk_rating": "High"}}')
    versions = sm.list_model_card_versions(ModelCardName=CARD)["ModelCardVersionSummaryList"]
    sm.delete_model_card(ModelCardName="gone_soon.card")

    assert listed == [CARD]
    assert (told["ModelCardName"], told["ModelCardArn"]) == (CARD, arn("model-card", CARD))
    assert json.loads(by_arn["Content"]) == {"intended_uses": {"risk_rating": "Low"}}
    assert [each["ModelCardVersion"] for each in versions] == [1, 2]
    assert "gone_soon.card" not in str(sm.list_model_cards()["ModelCardSummaries"])


def test_a_card_of_any_native_name_is_exported(aws, sm, named):
    aws.client("s3").create_bucket(Bucket="native-names")

    job = sm.create_model_card_export_job(
        ModelCardName=CARD,
        ModelCardExportJobName="first",
        OutputConfig={"S3OutputPath": "s3://native-names/cards"},
    )["ModelCardExportJobArn"]
    told = sm.describe_model_card_export_job(ModelCardExportJobArn=job)
    listed = sm.list_model_card_export_jobs(ModelCardName=CARD)["ModelCardExportJobSummaries"]

    assert told["ModelCardName"] == CARD
    assert [each["ModelCardExportJobArn"] for each in listed] == [job]


def test_a_group_and_a_package_of_any_native_name_are_described_tagged_and_found(sm, named):
    group, package = arn("model-package-group", MODEL), arn("model-package", f"{MODEL}/1")

    for thing in (group, package, arn("model-card", CARD)):
        sm.add_tags(ResourceArn=thing, Tags=[{"Key": "team", "Value": "credit"}])
        assert sm.list_tags(ResourceArn=thing)["Tags"] == [{"Key": "team", "Value": "credit"}]

    for name in (MODEL, group):
        assert sm.describe_model_package_group(ModelPackageGroupName=name)["ModelPackageGroupArn"] == group
        listed = sm.list_model_packages(ModelPackageGroupName=name)["ModelPackageSummaryList"]
        assert [each["ModelPackageArn"] for each in listed] == [package]
    for name in (package, f"{MODEL}/1"):
        assert sm.describe_model_package(ModelPackageName=name)["ModelPackageArn"] == package
    told = sm.batch_describe_model_package(ModelPackageArnList=[package])["ModelPackageSummaries"]
    assert told[package]["ModelPackageGroupName"] == MODEL
    assert sm.list_model_package_groups(NameContains="risk.v")["ModelPackageGroupSummaryList"]


def test_a_package_is_added_to_a_group_of_any_native_name(aws, sm, named):
    made = sm.create_model_package(ModelPackageGroupName=MODEL)["ModelPackageArn"]
    sm.update_model_package(ModelPackageArn=made, CustomerMetadataProperties={"commit": "a1"})

    assert aws.native.versions.get(f"{MODEL}@{made.rpartition('/')[2]}").metadata.commit == "a1"
    sm.delete_model_package(ModelPackageName=made)


def test_a_name_of_128_letters_is_described(sm, named):
    assert sm.describe_model_package_group(ModelPackageGroupName=LONG)["ModelPackageGroupName"] == LONG
    sm.put_model_package_group_policy(ModelPackageGroupName=LONG, ResourcePolicy='{"Statement": []}')
    assert sm.get_model_package_group_policy(ModelPackageGroupName=LONG)["ResourcePolicy"] == '{"Statement": []}'
    sm.delete_model_package_group_policy(ModelPackageGroupName=LONG)


@pytest.mark.parametrize("name", ["a" * 129, ".begins-with-a-dot", "white space", "line\n", "a/b", "café"])
def test_what_no_name_can_be_is_refused_by_name(sm, name):
    with pytest.raises(ClientError, match="failed to satisfy constraint") as problem:
        sm.describe_model_package_group(ModelPackageGroupName=name)
    assert problem.value.response["Error"]["Code"] == "ValidationException"


@pytest.mark.parametrize("name", ["dot.ted", "under_scored", "a" * 64])
def test_what_is_made_through_this_interface_keeps_the_published_rule(sm, name):
    for call, request in (
        (sm.create_model_card, {"ModelCardName": name, "Content": "{}", "ModelCardStatus": "Draft"}),
        (sm.create_model_package_group, {"ModelPackageGroupName": name}),
        (sm.create_model_package, {"ModelPackageName": name}),
        (sm.create_model, {"ModelName": name, "PrimaryContainer": {"Image": "image:1"}}),
    ):
        with pytest.raises(ClientError) as problem:
            call(**request)
        assert problem.value.response["Error"]["Code"] == "ValidationException"
