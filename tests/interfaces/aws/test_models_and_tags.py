"""Models, recorded training jobs, tags and search through boto3."""

import json
from itertools import count

import pytest
from botocore.exceptions import ClientError

from support.aws import refused

NAMES = count(1)
ROLE = "arn:aws:iam::123456789012:role/gov"


@pytest.fixture
def name():
    return f"thing-{next(NAMES):03}"


def make_model(sm, name, **more):
    container = {"Image": "xgb:1", "ModelDataUrl": f"s3://models/{name}.tar.gz"}
    return sm.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE, **more)["ModelArn"]


def test_a_model_comes_back_as_it_was_sent_and_without_what_was_not_sent(sm, name):
    arn = make_model(sm, name)

    told = sm.describe_model(ModelName=name)

    assert told["ModelArn"] == arn
    assert told["PrimaryContainer"] == {"Image": "xgb:1", "ModelDataUrl": f"s3://models/{name}.tar.gz"}
    assert not {"Containers", "VpcConfig"} & set(told)


def test_a_model_is_a_deployable_of_the_house_and_the_other_way_round(aws, sm, name):
    make_model(sm, name)
    aws.native.deployables.make(f"{name}-n", [{"image": "own:1", "model_data": "s3://models/own"}])

    assert aws.native.deployables.get(name).containers[0].image == "xgb:1"
    assert sm.describe_model(ModelName=f"{name}-n")["Containers"] == [
        {"Image": "own:1", "ModelDataUrl": "s3://models/own"}
    ]
    listed = [each["ModelName"] for each in sm.list_models(NameContains=name, SortBy="Name")["Models"]]
    assert listed == [f"{name}-n", name]


def test_models_that_are_missing_or_doubled_are_told_in_the_words_clients_know(sm, name):
    make_model(sm, name)

    doubled = refused("ValidationException", sm.create_model, ModelName=name, PrimaryContainer={"Image": "i"})
    sm.delete_model(ModelName=name)
    missing = refused("ValidationException", sm.describe_model, ModelName=name)

    assert doubled.startswith("Cannot create already existing model")
    assert missing.startswith("Could not find model")


def test_a_model_has_one_container_or_several_and_never_both(sm, name):
    one = {"Image": "xgb:1"}

    refused("ValidationException", sm.create_model, ModelName=name)
    refused("ValidationException", sm.create_model, ModelName=name, PrimaryContainer=one, Containers=[one])
    sm.create_model(ModelName=name, Containers=[one, one])

    assert "PrimaryContainer" not in sm.describe_model(ModelName=name)


def test_a_training_run_that_was_recorded_is_a_training_job(aws, sm, name):
    uri = f"s3://out/{name}/model.tar.gz"
    aws.native.trainings.record(
        name, artifact_uri=uri, image="xgb:1", metrics={"auc": 0.8}, datasets={"train": "s3://d/t.csv"}, role=ROLE
    )

    told = sm.describe_training_job(TrainingJobName=name)
    found = sm.search(
        Resource="TrainingJob",
        SearchExpression={"Filters": [{"Name": "ModelArtifacts.S3ModelArtifacts", "Operator": "Equals", "Value": uri}]},
    )["Results"]

    assert (told["TrainingJobStatus"], told["SecondaryStatus"]) == ("Completed", "Completed")
    assert told["FinalMetricDataList"][0]["MetricName"] == "auc"
    assert told["InputDataConfig"][0]["ChannelName"] == "train"
    assert [each["TrainingJob"]["TrainingJobName"] for each in found] == [name]
    listed = sm.list_training_jobs(NameContains=name, StatusEquals="Completed")["TrainingJobSummaries"]
    assert [each["TrainingJobName"] for each in listed] == [name]


def test_a_training_job_is_refused_with_what_to_do_instead(sm, name):
    message = refused(
        "ValidationException",
        sm.create_training_job,
        TrainingJobName=name,
        RoleArn=ROLE,
        AlgorithmSpecification={"TrainingInputMode": "File", "TrainingImage": "xgb:1"},
        OutputDataConfig={"S3OutputPath": "s3://out/x"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )

    assert "training-runs" in message
    assert refused("ValidationException", sm.describe_training_job, TrainingJobName=name) == (
        "Requested resource not found."
    )


def things(aws, sm, name):
    aws.native.trainings.record(name)
    sm.create_model_package_group(ModelPackageGroupName=name)
    specification = {"Containers": [{"Image": "i"}]}
    return {
        "model-card": sm.create_model_card(ModelCardName=name, Content="{}", ModelCardStatus="Draft")["ModelCardArn"],
        "model": make_model(sm, name),
        "training-job": sm.describe_training_job(TrainingJobName=name)["TrainingJobArn"],
        "model-package-group": sm.describe_model_package_group(ModelPackageGroupName=name)["ModelPackageGroupArn"],
        "model-package": sm.create_model_package(ModelPackageGroupName=name, InferenceSpecification=specification)[
            "ModelPackageArn"
        ],
    }


@pytest.mark.parametrize("kind", ["model-card", "model", "training-job", "model-package-group", "model-package"])
def test_everything_with_an_arn_is_tagged_in_the_same_way(aws, sm, name, kind):
    arn = things(aws, sm, name)[kind]

    sm.add_tags(ResourceArn=arn, Tags=[{"Key": "b", "Value": "1"}, {"Key": "a", "Value": ""}])
    sm.add_tags(ResourceArn=arn, Tags=[{"Key": "b", "Value": "2"}])
    both = sm.list_tags(ResourceArn=arn)["Tags"]
    sm.delete_tags(ResourceArn=arn, TagKeys=["b", "nobody"])

    assert both == [{"Key": "a", "Value": ""}, {"Key": "b", "Value": "2"}]
    assert sm.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": ""}]


def test_what_is_not_there_and_more_than_fifty_tags_are_refused(sm, name):
    arn = make_model(sm, name, Tags=[{"Key": f"k{place}", "Value": "v"} for place in range(50)])

    refused("ValidationException", sm.add_tags, ResourceArn=arn, Tags=[{"Key": "more", "Value": "v"}])
    refused("ValidationException", sm.list_tags, ResourceArn=f"{arn}-nobody")
    refused("ValidationException", sm.add_tags, ResourceArn=arn, Tags=[{"Key": "aws:mine", "Value": "v"}])

    assert len(sm.list_tags(ResourceArn=arn)["Tags"]) == 50


def test_who_may_only_read_may_not_tag(aws, sm, name):
    arn = make_model(sm, name)
    auditor = aws.client("sagemaker", aws.key_of(f"aud-{name}", "auditor"))

    refused("AccessDeniedException", auditor.add_tags, ResourceArn=arn, Tags=[{"Key": "a", "Value": "b"}])

    assert auditor.list_tags(ResourceArn=arn)["Tags"] == []


def search(sm, resource, *filters, **more):
    expression = {"Filters": [dict(zip(("Name", "Operator", "Value"), each, strict=False)) for each in filters]}
    found = sm.search(Resource=resource, SearchExpression=expression, **more)["Results"]
    return [each[resource] for each in found]


def test_a_card_is_found_by_what_it_is_about_at_once(sm, name):
    arn = f"arn:aws:sagemaker:us-east-1:123456789012:model-package/{name}/1"
    package = {"model_package_arn": arn, "model_package_group_name": name}
    content = {"model_package_details": package, "intended_uses": {"risk_rating": "High"}}
    sm.create_model_card(ModelCardName=name, Content=json.dumps(content), ModelCardStatus="Draft")

    by_model = search(sm, "ModelCard", ("ModelId", "Equals", arn))
    by_group = search(sm, "ModelCard", ("ModelPackageGroupName", "Equals", name), ("RiskRating", "In", "High,Low"))

    assert [each["ModelCardName"] for each in by_model] == [name]
    assert [each["ModelCardName"] for each in by_group] == [name]
    assert search(sm, "ModelCard", ("ModelId", "Equals", f"{arn}0")) == []


def test_packages_are_found_by_stage_tag_and_metadata(sm, name):
    sm.create_model_package_group(ModelPackageGroupName=name)
    for place, stage in enumerate(("Development", "Production"), 1):
        sm.create_model_package(
            ModelPackageGroupName=name,
            InferenceSpecification={"Containers": [{"Image": f"i:{place}"}]},
            ModelLifeCycle={"Stage": stage, "StageStatus": "Approved"},
            CustomerMetadataProperties={"size": str(place)},
            Tags=[{"Key": "team", "Value": f"t{place}"}],
        )
    of = ("ModelPackageGroupName", "Equals", name)

    def numbers(*asked):
        return [each["ModelPackageVersion"] for each in search(sm, "ModelPackage", of, *asked)]

    assert numbers(("ModelLifeCycle.Stage", "Equals", "Production")) == [2]
    assert numbers(("Tags.team", "Equals", "t1")) == [1]
    assert numbers(("ModelPackageVersion", "GreaterThanOrEqualTo", "2")) == [2]
    assert numbers(("InferenceSpecification.Containers.Image", "Contains", "i:1")) == [1]
    assert numbers(("CustomerMetadataProperties.size", "NotEquals", "1")) == [2]
    assert numbers(("SourceUri", "NotExists")) == [2, 1]


def test_sub_expressions_and_nested_filters_are_judged_as_they_say(sm, name):
    for place in range(4):
        make_model(sm, f"{name}-{place}", Tags=[{"Key": "place", "Value": str(place)}])

    def found(expression):
        records = sm.search(Resource="Model", SearchExpression=expression, SortBy="Model.ModelName")["Results"]
        return [each["Model"]["Model"]["ModelName"][-1] for each in records]

    ours = {"Name": "Model.ModelName", "Operator": "Contains", "Value": name}
    ends = [{"Filters": [{"Name": "Model.ModelName", "Operator": "Equals", "Value": f"{name}-{n}"}]} for n in (0, 3)]
    nested = {
        "NestedPropertyName": "Model.Tags",
        "Filters": [
            {"Name": "Model.Tags.Key", "Operator": "Equals", "Value": "place"},
            {"Name": "Model.Tags.Value", "Operator": "Equals", "Value": "2"},
        ],
    }
    assert found({"Filters": [ours], "SubExpressions": [{"SubExpressions": ends, "Operator": "Or"}]}) == ["3", "0"]
    assert found({"Filters": [ours], "NestedFilters": [nested]}) == ["2"]


def test_pages_of_a_search_lead_through_everything_once(sm, name):
    for place in range(7):
        make_model(sm, f"{name}-{place}")
    expression = {"Filters": [{"Name": "Model.ModelName", "Operator": "Contains", "Value": name}]}
    asked = {"Resource": "Model", "SearchExpression": expression, "MaxResults": 3}

    found, token, totals = [], None, set()
    while True:
        page = sm.search(**asked, **({"NextToken": token} if token else {}))
        found += [each["Model"]["Model"]["ModelName"] for each in page["Results"]]
        totals.add(page["TotalHits"]["Value"])
        token = page.get("NextToken")
        if not token:
            break

    assert found == [f"{name}-{place}" for place in reversed(range(7))]
    assert totals == {7}


def test_the_dashboard_of_a_model_shows_its_card(sm, name):
    arn = make_model(sm, name)
    content = {"model_overview": {"model_id": arn}, "intended_uses": {"risk_rating": "Low"}}
    sm.create_model_card(ModelCardName=name, Content=json.dumps(content), ModelCardStatus="Draft")

    record = search(sm, "Model", ("Model.ModelName", "Equals", name))[0]

    assert record["ModelCard"]["ModelCardName"] == name
    assert record["ModelCard"]["RiskRating"] == "Low"
    assert search(sm, "Model", ("ModelCard.RiskRating", "Equals", "Low"), ("Model.ModelName", "Equals", name))


def test_a_search_that_cannot_be_judged_is_refused(sm):
    refused("ValidationException", sm.search, Resource="HubContent")
    with pytest.raises(ClientError, match="needs a Value"):
        search(sm, "ModelCard", ("ModelId", "Equals"))
    with pytest.raises(ClientError, match="only once"):
        search(sm, "ModelCard", ("ModelId", "Contains", "a"), ("ModelId", "Contains", "b"))


def test_suggestions_name_the_properties_that_there_are(sm, name):
    make_model(sm, name)

    told = sm.get_search_suggestions(
        Resource="Model", SuggestionQuery={"PropertyNameQuery": {"PropertyNameHint": "Model.Model"}}
    )

    assert {"PropertyName": "Model.ModelName"} in told["PropertyNameSuggestions"]
