"""Model packages through boto3: groups are models, packages are versions, approval is the decision of a review."""

import json
from itertools import count

import pytest

from support.aws import aws_house, refused

GROUPS = count(1)
ROLE = "arn:aws:iam::123456789012:role/gov"
SPECIFICATION = {
    "Containers": [{"Image": "xgb:1", "ModelDataUrl": "s3://models-of-tests/m.tar.gz", "Framework": "XGBOOST"}],
    "SupportedContentTypes": ["text/csv"],
    "SupportedResponseMIMETypes": ["text/csv"],
}
FREE_POLICY = (
    'name = "free"\nfour_eyes = true\napprovers = ["owner", "risk-manager"]\n[[checks]]\ncheck = "card-exists"\n'
)


@pytest.fixture
def group(sm):
    name = f"group-{next(GROUPS):03}"
    sm.create_model_package_group(ModelPackageGroupName=name, ModelPackageGroupDescription="Loans.")
    return name


def register(sm, group, **more):
    return sm.create_model_package(ModelPackageGroupName=group, InferenceSpecification=SPECIFICATION, **more)[
        "ModelPackageArn"
    ]


def test_a_group_is_a_model_and_a_package_a_version_of_the_same_number(aws, sm, group):
    first, second = register(sm, group), register(sm, group, ModelPackageDescription="Better.")

    native = aws.native.versions.get(f"{group}@2")
    told = sm.describe_model_package(ModelPackageName=second)

    assert (first.rpartition(":")[2], second.rpartition(":")[2]) == (
        f"model-package/{group}/1",
        f"model-package/{group}/2",
    )
    assert (native.number, native.description, native.facts.framework) == (2, "Better.", "XGBOOST")
    assert told["InferenceSpecification"] == SPECIFICATION
    assert told["ModelPackageStatusDetails"] == {"ValidationStatuses": []}
    assert aws.native.models.get(group).description == "Loans."


def test_a_version_that_was_registered_natively_is_a_package_too(aws, sm, group):
    aws.native.versions.register(group, facts={"inference_environment": ["image:1"]})

    listed = sm.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]
    told = sm.describe_model_package(ModelPackageName=listed[0]["ModelPackageArn"])

    assert [each["ModelPackageVersion"] for each in listed] == [1]
    assert told["InferenceSpecification"] == {"Containers": [{"Image": "image:1"}]}
    assert told["CreatedBy"]["UserProfileName"] == "owner"


def test_model_data_that_lie_in_a_bucket_here_are_the_artifact_of_the_version(aws, sm, group):
    storage = aws.client("s3")
    storage.create_bucket(Bucket="models-of-tests")
    storage.put_object(Bucket="models-of-tests", Key="m.tar.gz", Body=b"the model")

    register(sm, group)

    artifact = aws.native.versions.get(f"{group}@1").artifact
    assert aws.native.artifacts.read(artifact) == b"the model"


def test_the_card_in_a_package_is_the_card_of_the_version(aws, sm, group):
    content = json.dumps({"intended_uses": {"risk_rating": "Medium"}})
    arn = register(sm, group, ModelCard={"ModelCardContent": content, "ModelCardStatus": "Draft"})

    assert sm.describe_model_package(ModelPackageName=arn)["ModelCard"] == {
        "ModelCardContent": content,
        "ModelCardStatus": "Draft",
    }
    named = next(each for each in aws.native.cards.list() if each.version == f"{group}@1")
    assert named.risk_rating == "Medium"
    sm.update_model_package(ModelPackageArn=arn, ModelCard={"ModelCardContent": "null", "ModelCardStatus": "Archived"})
    archived = sm.describe_model_package(ModelPackageName=arn)["ModelCard"]
    assert archived == {"ModelCardContent": content, "ModelCardStatus": "Archived"}
    assert "Archived state" in refused(
        "ValidationException",
        sm.update_model_package,
        ModelPackageArn=arn,
        ModelCard={"ModelCardContent": "{}", "ModelCardStatus": "Archived"},
    )


def test_a_draft_of_the_house_gives_way_to_a_card_that_a_client_sends_for_the_package(aws, sm, group):
    arn = register(sm, group)
    aws.native.settle()
    assert any(each.version == f"{group}@1" for each in aws.native.cards.list())

    content = json.dumps({"model_package_details": {"model_package_arn": arn, "model_package_group_name": group}})
    sm.create_model_card(ModelCardName=f"{group}-card", Content=content, ModelCardStatus="Draft")

    assert [each.name for each in aws.native.cards.list() if each.version == f"{group}@1"] == [f"{group}-card"]


def test_a_card_that_is_sent_with_a_package_later_takes_the_place_of_the_draft_of_the_house(aws, sm, group):
    arn = register(sm, group)
    aws.native.settle()
    content = json.dumps({"model_overview": {"model_owner": "Risk"}, "intended_uses": {"risk_rating": "Low"}})

    sm.update_model_package(ModelPackageArn=arn, ModelCard={"ModelCardContent": content, "ModelCardStatus": "Draft"})
    sm.update_model_package(ModelPackageArn=arn, ModelCard={"ModelCardContent": content, "ModelCardStatus": "Draft"})

    card = next(each for each in aws.native.cards.list() if each.version == f"{group}@1")
    assert sm.describe_model_package(ModelPackageName=arn)["ModelCard"]["ModelCardContent"] == content
    assert (card.number, card.risk_rating) == (2, "Low")
    assert aws.native.cards.get(card.name).content.model_overview.model_id == f"{group}@1"


def test_metadata_stages_and_the_rest_of_a_package_change_and_come_back(sm, group):
    arn = register(
        sm,
        group,
        CustomerMetadataProperties={"ticket": "1"},
        ModelLifeCycle={"Stage": "Development", "StageStatus": "InProgress", "StageDescription": "new"},
        ModelPackageRegistrationType="Logged",
    )
    more = [{"Name": "batch", "Containers": [{"Image": "xgb:1"}]}]

    sm.update_model_package(
        ModelPackageArn=arn,
        CustomerMetadataProperties={"owner": "ana"},
        CustomerMetadataPropertiesToRemove=["ticket"],
        ModelLifeCycle={"Stage": "QA", "StageStatus": "PendingApproval"},
        ModelPackageRegistrationType="Registered",
        SourceUri="s3://models-of-tests/source",
        AdditionalInferenceSpecificationsToAdd=more,
    )

    told = sm.describe_model_package(ModelPackageName=arn)
    assert told["CustomerMetadataProperties"] == {"owner": "ana"}
    assert told["ModelLifeCycle"] == {"Stage": "QA", "StageStatus": "PendingApproval"}
    assert told["ModelPackageRegistrationType"] == "Registered"
    assert told["SourceUri"] == "s3://models-of-tests/source"
    assert told["AdditionalInferenceSpecifications"] == more
    assert told["LastModifiedBy"]["UserProfileName"] == "owner"


def test_a_package_made_from_another_serves_as_that_one_does(sm, group):
    source = register(sm, group)

    clone = sm.create_model_package(ModelPackageGroupName=group, SourceUri=source)["ModelPackageArn"]

    assert sm.describe_model_package(ModelPackageName=clone)["InferenceSpecification"] == SPECIFICATION


def test_a_package_without_a_group_stands_alone(sm, group):
    arn = sm.create_model_package(ModelPackageName=f"solo-{group}", InferenceSpecification=SPECIFICATION)[
        "ModelPackageArn"
    ]
    register(sm, group)

    told = sm.describe_model_package(ModelPackageName=f"solo-{group}")
    single = {each["ModelPackageArn"] for each in sm.list_model_packages()["ModelPackageSummaryList"]}
    groups = sm.list_model_package_groups(NameContains=group)["ModelPackageGroupSummaryList"]

    assert arn.endswith(f":model-package/solo-{group}")
    assert "ModelApprovalStatus" not in told
    assert "ModelPackageVersion" not in told
    assert single >= {arn}
    assert not any(f"/{group}/" in each for each in single)
    assert [each["ModelPackageGroupName"] for each in groups] == [group]
    assert "ModelPackage already exists" in refused(
        "ValidationException",
        sm.create_model_package,
        ModelPackageName=f"solo-{group}",
        InferenceSpecification=SPECIFICATION,
    )


def test_who_registered_a_version_cannot_approve_it_and_the_gate_stands_for_everybody_else(aws, sm, group):
    dana = aws.client("sagemaker", aws.key_of(f"dana-{group}", "data-scientist"))
    rita = aws.client("sagemaker", aws.key_of(f"rita-{group}", "risk-manager"))
    arn = register(dana, group)
    aws.native.settle()

    wanted = {"ModelPackageArn": arn, "ModelApprovalStatus": "Approved", "ApprovalDescription": "fine"}
    refused("AccessDeniedException", dana.update_model_package, **wanted)
    message = refused("ValidationException", rita.update_model_package, **wanted)

    assert "cannot be approved" in message
    assert sm.describe_model_package(ModelPackageName=arn)["ModelApprovalStatus"] == "PendingManualApproval"
    refused("ValidationException", sm.create_model, ModelName=f"m-{group}", Containers=[{"ModelPackageName": arn}])


def test_an_approval_that_the_gate_lets_through_is_the_decision_of_a_review(tmp_path):
    (tmp_path / "house").mkdir()
    (tmp_path / "house" / "policy.toml").write_text(FREE_POLICY)
    with aws_house(tmp_path / "house") as house:
        dana = house.client("sagemaker", house.key_of("dana", "data-scientist"))
        rita = house.client("sagemaker", house.key_of("rita", "risk-manager"))
        dana.create_model_package_group(ModelPackageGroupName="loans")
        arn = register(dana, "loans")
        house.native.settle()

        rita.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="Seen.")

        told = rita.describe_model_package(ModelPackageName=arn)
        review = next(iter(house.native.reviews.list(version="loans@1")))
        assert (told["ModelApprovalStatus"], told["ApprovalDescription"]) == ("Approved", "Seen.")
        assert (review.state, review.decided_by) == ("approved", "rita")
        dana.create_model(ModelName="served", Containers=[{"ModelPackageName": arn}], ExecutionRoleArn=ROLE)
        refused("ConflictException", dana.delete_model_package, ModelPackageName=arn)
        refused("ConflictException", dana.update_model_package, ModelPackageArn=arn,
                InferenceSpecification={"Containers": [{"Image": "other:1"}]})  # fmt: skip
        refused("AccessDeniedException", dana.update_model_package, ModelPackageArn=arn, ModelApprovalStatus="Rejected")
        rita.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="PendingManualApproval")
        assert rita.describe_model_package(ModelPackageName=arn)["ModelApprovalStatus"] == "PendingManualApproval"


def test_a_rejection_is_kept_with_its_words(aws, sm, group):
    dana = aws.client("sagemaker", aws.key_of(f"dan-{group}", "data-scientist"))
    arn = register(dana, group)
    aws.native.settle()
    eve = aws.client("sagemaker", aws.key_of(f"eve-{group}", "risk-manager"))

    eve.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected", ApprovalDescription="Too old.")

    told = sm.describe_model_package(ModelPackageName=arn)
    assert (told["ModelApprovalStatus"], told["ApprovalDescription"]) == ("Rejected", "Too old.")
    rejected = sm.list_model_packages(ModelPackageGroupName=group, ModelApprovalStatus="Rejected")
    assert [each["ModelPackageArn"] for each in rejected["ModelPackageSummaryList"]] == [arn]


def test_numbers_are_not_given_again_after_a_package_was_deleted(sm, group):
    arn = register(sm, group)
    refused("ConflictException", sm.delete_model_package_group, ModelPackageGroupName=group)

    sm.delete_model_package(ModelPackageName=arn)

    assert refused("ValidationException", sm.describe_model_package, ModelPackageName=arn).startswith(
        "Could not find model package"
    )
    assert sm.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"] == []
    assert register(sm, group).endswith("/2")


def test_the_name_of_a_deleted_group_may_be_taken_again_and_its_numbers_go_on(sm, group):
    sm.delete_model_package(ModelPackageName=register(sm, group))
    sm.delete_model_package_group(ModelPackageGroupName=group)
    refused("ValidationException", sm.describe_model_package_group, ModelPackageGroupName=group)

    sm.create_model_package_group(ModelPackageGroupName=group)

    assert register(sm, group).endswith("/2")


def test_a_missing_or_doubled_group_is_told_in_the_words_clients_know(sm, group):
    assert "already exists" in refused(
        "ValidationException", sm.create_model_package_group, ModelPackageGroupName=group
    )
    assert "does not exist" in refused(
        "ValidationException",
        sm.create_model_package,
        ModelPackageGroupName="nobody",
        InferenceSpecification=SPECIFICATION,
    )


def test_a_token_repeats_the_answer_and_registers_nothing_twice(sm, group):
    token = f"token-{group}"

    first, second = register(sm, group, ClientToken=token), register(sm, group, ClientToken=token)

    assert first == second
    assert len(sm.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]) == 1


def test_what_is_told_of_many_packages_says_which_are_not_there(sm, group):
    arn = register(sm, group)

    told = sm.batch_describe_model_package(ModelPackageArnList=[arn, f"{arn}9"])

    assert list(told["ModelPackageSummaries"]) == [arn]
    assert told["BatchDescribeModelPackageErrorMap"][f"{arn}9"]["ErrorCode"] == "ValidationException"


def test_a_policy_of_a_group_is_kept_given_back_and_taken_off(sm, group):
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    refused("ValidationException", sm.get_model_package_group_policy, ModelPackageGroupName=group)

    sm.put_model_package_group_policy(ModelPackageGroupName=group, ResourcePolicy=policy)

    assert sm.get_model_package_group_policy(ModelPackageGroupName=group)["ResourcePolicy"] == policy
    sm.delete_model_package_group_policy(ModelPackageGroupName=group)
    refused("ValidationException", sm.get_model_package_group_policy, ModelPackageGroupName=group)


def test_pages_lead_through_all_packages_of_a_group_by_number(sm, group):
    made = [register(sm, group) for _ in range(11)]
    pages = sm.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group, SortBy="Name", SortOrder="Descending", PaginationConfig={"PageSize": 3}
    )

    found = [each["ModelPackageArn"] for page in pages for each in page["ModelPackageSummaryList"]]

    assert found == made[::-1]
