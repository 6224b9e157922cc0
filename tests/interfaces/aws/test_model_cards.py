"""Model cards through boto3: the same cards as on the pages and over REST, with the rules of the house."""

import json
import time
from itertools import count

import pytest

from support.aws import refused

NAMES = count(1)
CONTENT = '{"model_overview": {"model_description":  "Loans."}, "evaluation_details": []}'


@pytest.fixture
def name():
    return f"card-{next(NAMES):03}"


def make(sm, name, content=CONTENT, status="Draft", **more):
    return sm.create_model_card(ModelCardName=name, Content=content, ModelCardStatus=status, **more)["ModelCardArn"]


def test_a_content_comes_back_byte_for_byte(sm, name):
    arn = make(sm, name)

    told = sm.describe_model_card(ModelCardName=arn)

    assert told["Content"] == CONTENT
    assert (told["ModelCardVersion"], told["ModelCardStatus"]) == (1, "Draft")
    assert told["CreatedBy"]["UserProfileName"] == "owner"


def test_a_card_that_a_client_made_is_a_card_of_the_house_and_the_other_way_round(aws, sm, name):
    make(sm, name)
    aws.native.cards.create(f"{name}-native", content={"intended_uses": {"risk_rating": "High"}})

    listed = {each["ModelCardName"] for each in sm.list_model_cards(NameContains=name)["ModelCardSummaries"]}

    assert aws.native.cards.get(name).content.model_overview.model_description == "Loans."
    assert json.loads(sm.describe_model_card(ModelCardName=f"{name}-native")["Content"]) == {
        "intended_uses": {"risk_rating": "High"}
    }
    assert {name, f"{name}-native"} <= listed


def test_another_content_makes_a_version_and_the_same_content_makes_none(sm, name):
    make(sm, name)
    changed = CONTENT.replace("Loans.", "Mortgages.")

    sm.update_model_card(ModelCardName=name, Content=changed)
    sm.update_model_card(ModelCardName=name, Content=changed)

    assert sm.describe_model_card(ModelCardName=name)["ModelCardVersion"] == 2
    assert sm.describe_model_card(ModelCardName=name, ModelCardVersion=1)["Content"] == CONTENT
    assert "does not exist" in refused(
        "ResourceNotFound", sm.describe_model_card, ModelCardName=name, ModelCardVersion=3
    )


def test_content_and_status_are_not_changed_in_one_call_unless_one_of_them_stays(sm, name):
    make(sm, name)
    changed = CONTENT.replace("Loans.", "Mortgages.")

    message = refused(
        "ValidationException", sm.update_model_card, ModelCardName=name, Content=changed, ModelCardStatus="Archived"
    )
    sm.update_model_card(ModelCardName=name, Content=changed, ModelCardStatus="Draft")

    assert message.startswith("You cannot update both model card content and model card status")
    assert sm.describe_model_card(ModelCardName=name)["ModelCardVersion"] == 2


def test_a_status_may_be_changed_beside_the_content_that_is_there(sm, name):
    make(sm, name)

    sm.update_model_card(ModelCardName=name, Content=CONTENT, ModelCardStatus="Archived")

    told = sm.describe_model_card(ModelCardName=name)
    assert (told["ModelCardVersion"], told["ModelCardStatus"]) == (1, "Archived")


def test_each_version_keeps_the_last_status_that_the_card_had_with_it(sm, name):
    make(
        sm,
        name,
        '{"intended_uses": {"purpose_of_model": "p", "risk_rating": "Low", "explanations_for_risk_rating": "e"}}',
    )
    sm.update_model_card(ModelCardName=name, ModelCardStatus="PendingReview")
    sm.update_model_card(ModelCardName=name, Content='{"intended_uses": {"risk_rating": "Low"}}')
    sm.update_model_card(ModelCardName=name, ModelCardStatus="Archived")

    versions = sm.list_model_card_versions(ModelCardName=name)["ModelCardVersionSummaryList"]
    archived = sm.list_model_card_versions(ModelCardName=name, ModelCardStatus="Archived")

    told = [(each["ModelCardVersion"], each["ModelCardStatus"]) for each in versions]
    assert told == [(1, "PendingReview"), (2, "Archived")]
    assert [each["ModelCardVersion"] for each in archived["ModelCardVersionSummaryList"]] == [2]
    first = sm.describe_model_card(ModelCardName=name, ModelCardVersion=1)
    assert first["ModelCardStatus"] == "PendingReview"


def test_an_archived_card_takes_no_new_content_but_is_still_exported(aws, sm, name):
    make(sm, name, status="Archived")
    aws.client("s3").create_bucket(Bucket=f"bucket-{name}")

    refused("ConflictException", sm.update_model_card, ModelCardName=name, Content="{}")
    job = sm.create_model_card_export_job(
        ModelCardName=name,
        ModelCardVersion=1,
        ModelCardExportJobName="last",
        OutputConfig={"S3OutputPath": f"s3://bucket-{name}"},
    )["ModelCardExportJobArn"]

    told = finished(sm, job)
    assert told["Status"] == "Completed", told
    bucket, _, key = told["ExportArtifacts"]["S3ExportArtifacts"].removeprefix("s3://").partition("/")
    document = aws.client("s3").get_object(Bucket=bucket, Key=key)
    assert document["Body"].read().startswith(b"%PDF-")
    assert document["ContentType"] == "application/pdf"


def finished(sm, job):
    until = time.monotonic() + 60
    while time.monotonic() < until:
        told = sm.describe_model_card_export_job(ModelCardExportJobArn=job)
        if told["Status"] != "InProgress":
            return told
        time.sleep(0.2)
    raise AssertionError("The export did not end.")


def test_an_export_name_is_used_once_for_a_card_and_its_bucket_must_be_there(aws, sm, name):
    make(sm, name)
    wanted = {"ModelCardName": name, "ModelCardExportJobName": "one", "OutputConfig": {"S3OutputPath": "s3://absent-b"}}

    message = refused("ValidationException", sm.create_model_card_export_job, **wanted)
    aws.client("s3").create_bucket(Bucket=f"bucket-{name}")
    wanted["OutputConfig"] = {"S3OutputPath": f"s3://bucket-{name}/a//b"}
    sm.create_model_card_export_job(**wanted)
    refused("ConflictException", sm.create_model_card_export_job, **wanted)

    assert "does not exist" in message
    jobs = sm.list_model_card_export_jobs(ModelCardName=name, ModelCardExportJobNameContains="ON")
    assert [each["ModelCardExportJobName"] for each in jobs["ModelCardExportJobSummaries"]] == ["one"]


def test_a_name_is_given_once_and_a_missing_card_is_told_in_the_words_clients_know(sm, name):
    make(sm, name)

    assert refused(
        "ConflictException", sm.create_model_card, ModelCardName=name, Content="{}", ModelCardStatus="Draft"
    ) == (f"Modelcard {name} already exists")
    assert refused("ResourceNotFound", sm.describe_model_card, ModelCardName="nobody") == (
        "Modelcard nobody does not exist."
    )


def test_a_model_has_one_card(sm, name):
    content = json.dumps({"model_overview": {"model_id": f"arn:aws:sagemaker:us-east-1:123456789012:model/{name}"}})
    make(sm, name, content)

    message = refused(
        "ConflictException",
        sm.create_model_card,
        ModelCardName=f"{name}-b",
        Content=content,
        ModelCardStatus="Draft",
    )

    assert name in message


def test_who_wrote_a_card_cannot_approve_it_and_an_incomplete_one_is_not_approved(aws, sm, name):
    make(sm, name)
    rita = aws.client("sagemaker", aws.key_of(f"rita-{name}", "risk-manager"))

    refused("AccessDeniedException", sm.update_model_card, ModelCardName=name, ModelCardStatus="Approved")
    message = refused("ConflictException", rita.update_model_card, ModelCardName=name, ModelCardStatus="Approved")

    assert "purpose_of_model" in message


def test_a_draft_is_deleted_for_good_and_what_was_approved_is_kept(aws, sm, name):
    make(sm, name, Tags=[{"Key": "team", "Value": "credit"}])
    sm.delete_model_card(ModelCardName=name)
    refused("ResourceNotFound", sm.describe_model_card, ModelCardName=name)
    arn = make(sm, name)

    assert sm.list_tags(ResourceArn=arn)["Tags"] == []


@pytest.mark.parametrize("content", ["no json", "[]", '{"nobody": 1}', '{"intended_uses": {"risk_rating": "Huge"}}'])
def test_a_content_that_is_no_card_is_refused_and_nothing_is_kept(sm, name, content):
    message = refused(
        "ValidationException", sm.create_model_card, ModelCardName=name, Content=content, ModelCardStatus="Draft"
    )

    assert message
    refused("ResourceNotFound", sm.describe_model_card, ModelCardName=name)


def test_numbers_that_json_does_not_know_are_taken_and_never_given_back(sm, name):
    metric = '{"name": "auc", "type": "number", "value": NaN}'
    content = CONTENT.replace("[]", '[{"name": "e", "metric_groups": [{"name": "g", "metric_data": [METRIC]}]}]')
    content = content.replace("METRIC", metric)

    make(sm, name, content)

    told = json.loads(sm.describe_model_card(ModelCardName=name)["Content"], parse_constant=lambda name: 1 / 0)
    kept = told["evaluation_details"][0]["metric_groups"][0]["metric_data"][0]
    assert (kept["type"], kept["value"]) == ("string", "nan")


def test_names_of_metric_groups_beyond_63_characters_are_kept(sm, name):
    group = {"name": "g" * 75, "metric_data": [{"name": "a", "type": "number", "value": 1}]}
    make(sm, name, json.dumps({"evaluation_details": [{"name": "e", "metric_groups": [group]}]}))

    told = json.loads(sm.describe_model_card(ModelCardName=name)["Content"])

    assert told["evaluation_details"][0]["metric_groups"][0]["name"] == "g" * 75


def test_the_metadata_alone_says_what_the_card_is_about_and_how_risky_it_is(sm, name):
    content = {
        "model_overview": {"model_id": name, "model_description": "secret"},
        "intended_uses": {"risk_rating": "High", "purpose_of_model": "secret"},
    }
    make(sm, name, json.dumps(content))

    told = json.loads(sm.describe_model_card(ModelCardName=name, IncludedData="MetadataOnly")["Content"])

    assert told == {"model_overview": {"model_id": name}, "intended_uses": {"risk_rating": "High"}}


@pytest.mark.parametrize(
    ("by", "order"), [("Name", "Ascending"), ("Name", "Descending"), ("CreationTime", "Descending")]
)
def test_pages_lead_through_all_cards_once_in_order(sm, name, by, order):
    made = [f"page-{name}-{place}" for place in (3, 1, 2, 5, 4)]
    for each in made:
        make(sm, each, "{}")

    found, token = [], None
    while True:
        more = {"NextToken": token} if token else {}
        page = sm.list_model_cards(NameContains=f"PAGE-{name}", SortBy=by, SortOrder=order, MaxResults=2, **more)
        found += [each["ModelCardName"] for each in page["ModelCardSummaries"]]
        token = page.get("NextToken")
        if not token:
            break

    expected = sorted(made) if by == "Name" else made
    assert found == (expected if order == "Ascending" else expected[::-1])


def test_a_token_of_another_list_is_refused(sm, name):
    for place in range(3):
        make(sm, f"{name}-{place}", "{}")
    token = sm.list_model_cards(MaxResults=1)["NextToken"]

    for other in ({"NextToken": "nonsense"}, {"NextToken": token, "SortBy": "Name", "SortOrder": "Descending"}):
        assert "NextToken" in refused("ValidationException", sm.list_model_cards, MaxResults=1, **other)


def test_cards_are_listed_by_age_and_status(sm, name):
    make(sm, name, "{}", status="Archived")
    at = sm.describe_model_card(ModelCardName=name)["CreationTime"]

    def names(**asked):
        found = sm.list_model_cards(NameContains=name, **asked)["ModelCardSummaries"]
        return [each["ModelCardName"] for each in found]

    assert names(ModelCardStatus="Archived") == [name]
    assert names(ModelCardStatus="Draft") == []
    assert names(CreationTimeBefore=at.timestamp() - 1) == []
    assert names(CreationTimeAfter=at.timestamp() - 1) == [name]


def test_settings_of_encryption_come_back_as_they_were_sent(sm, name):
    make(sm, name, SecurityConfig={"KmsKeyId": "alias/mine"})

    assert sm.describe_model_card(ModelCardName=name)["SecurityConfig"] == {"KmsKeyId": "alias/mine"}
