"""What the store answers a search is what looking at every record would; on both databases."""

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelward.governance.access.permissions import Permission
from modelward.governance.cards import use_cases as cards
from modelward.governance.registry import life, training
from modelward.governance.registry import use_cases as registry
from modelward.governance.registry.entities import Stage, VersionFacts
from modelward.governance.registry.training_run import TrainingFacts, TrainingState
from modelward.governance.serving import deployables
from modelward.governance.serving.deployable import Container
from modelward.governance.tags import use_cases as tags
from modelward.interfaces.aws import search
from modelward.interfaces.aws import search_rules as rules
from modelward.interfaces.aws.errors import AwsError
from modelward.interfaces.aws.operations import Call
from modelward.interfaces.aws.search_plans import plan_of
from modelward.interfaces.aws.search_queries import ALL, condition_of
from modelward.kernel.refs import ModelRef
from modelward.storage.database import Database
from support.workshops import ANA, workshop_on

ACCOUNT, REGION = "123456789012", "us-east-1"
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
PREFIX = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:"
OPERATORS = ["Equals", "NotEquals", "Contains", "In", "Exists", "NotExists"]
ORDERED = ["GreaterThan", "GreaterThanOrEqualTo", "LessThan", "LessThanOrEqualTo"]
MOMENTS = [(BEGIN + timedelta(hours=each)).isoformat() for each in (-1, 0, 3, 7, 60)] + ["2026-03-01", "yesterday", ""]
NUMBERS = ["1", "2", "1.0", "2.5", "-1", "many", "nan", "1e400"]
TAGS = {
    "Tags.team": ["red", "blue", "RED", "r"],
    "Tags.Team": ["red"],
    "Tags.Key": ["team", "level", "Key"],
    "Tags.Value": ["red", "1"],
    "Tags.strange key.x/y": ["1", "%", "é"],
}
COMMON = {
    "CreationTime": MOMENTS,
    "LastModifiedTime": MOMENTS,
    "CreatedBy.UserProfileName": ["ana", "an", "rita"],
    **TAGS,
}
VALUES = {
    "ModelCard": {
        "ModelCardName": ["card-1", "card-1,card-2", "CARD-1", "card", "_", "%"],
        "modelcardname": ["card-3"],
        "ModelCardArn": [
            PREFIX + "model-card/card-1",
            PREFIX + "model-card/card-1," + PREFIX + "model-card/card-4",
            "x",
        ],
        "ModelCardVersion": NUMBERS,
        "ModelCardStatus": ["Draft", "Archived", "A", "Draft,Archived", "draft"],
        "RiskRating": ["High", "Low,Unknown", "Unknown", "h"],
        "ModelId": ["m-1", "m", PREFIX + "model-package/fraud/1", "model", "M-1,m-2"],
        "ModelPackageGroupName": ["fraud", "churn", "fraud,churn", "fra"],
        "Content": ["fraud", "High"],
        "LastModifiedBy.UserProfileName": ["ana"],
        **COMMON,
    },
    "ModelPackage": {
        "ModelPackageGroupName": ["fraud", "solo", "fraud,churn", "a"],
        "ModelPackageArn": [
            PREFIX + f"model-package/{each}" for each in ("fraud/1", "solo", "solo/1", "fraud", "fraud/1,x")
        ],
        "ModelPackageName": ["fraud/2", "solo", "fraud"],
        "ModelPackageVersion": NUMBERS,
        "ModelApprovalStatus": ["PendingManualApproval", "Approved", "Pending", "Approved,PendingManualApproval"],
        "ModelPackageStatus": ["Completed", "Failed", "comp"],
        "ModelPackageDescription": ["Loans.", "loans", ""],
        "ModelLifeCycle.Stage": ["QA", "q", "Development,QA"],
        "ModelLifeCycle.StageStatus": ["Approved"],
        "CustomerMetadataProperties.commit": ["a1", "a", "b2,a1"],
        "CustomerMetadataProperties.Commit": ["a1"],
        "Domain": ["MACHINE_LEARNING", "vision"],
        "InferenceSpecification.Containers.Image": ["image:1", "image"],
        **COMMON,
    },
    "ModelPackageGroup": {
        "ModelPackageGroupName": ["fraud", "solo", "fraud,churn", "a"],
        "ModelPackageGroupArn": [PREFIX + "model-package-group/fraud"],
        "ModelPackageGroupDescription": ["about", "About fraud."],
        "ModelPackageGroupStatus": ["Completed"],
        **COMMON,
    },
    "TrainingJob": {
        "TrainingJobName": ["run-1", "run", "run-1,run-2"],
        "TrainingJobArn": [PREFIX + "training-job/run-1"],
        "TrainingJobStatus": ["Completed", "InProgress,Failed", "e"],
        "SecondaryStatus": ["Training", "Completed"],
        "ModelArtifacts.S3ModelArtifacts": ["s3://b/1", "s3://b", ""],
        "HyperParameters.depth": ["4", "4,5"],
        **COMMON,
    },
    "Model": {
        "Model.ModelName": ["served-1", "served", "served-1,served-2"],
        "ModelName": ["served-2"],
        "Model.ModelArn": [PREFIX + "model/served-1"],
        "Model.CreationTime": MOMENTS,
        "Model.Tags.team": ["red"],
        "ModelCard.RiskRating": ["High"],
        **TAGS,
    },
}


def kept(work, thing, given):
    tags.put_tags(work, thing, given, permission=Permission.CARD_WRITE)


def fill(workshop):
    """Some of everything, at hours of their own, some with what others lack."""
    now = [BEGIN]
    workshop.clock = lambda: now[0]

    def do(task):
        now[0] += timedelta(hours=1)
        return workshop.write(ANA, task)

    given = [{}, {"team": "red"}, {"team": "blue", "level": "1"}, {"Key": "red"}, {"strange key.x/y": "1"}]
    for name in ("fraud", "churn", "solo"):
        about = {"description": f"About {name}." if name == "fraud" else "", "tags": given[len(name) % 5]}
        do(lambda work, name=name, about=about: model(work, name, about))
    for place, name in enumerate(["fraud", "fraud", "fraud", "churn", "churn", "solo"]):
        do(lambda work, place=place, name=name: version(work, place, name, given[place % 5]))
    contents = [
        {"intended_uses": {"risk_rating": "High"}, "model_overview": {"model_id": "m-1"}},
        {"intended_uses": {"risk_rating": "Low"}, "model_overview": {"model_name": "m-2"}},
        {"model_package_details": {"model_package_arn": PREFIX + "model-package/fraud/1"}},
        {"model_package_details": {"model_package_group_name": "churn"}, "intended_uses": {"risk_rating": "Unknown"}},
        {},
    ]
    for place, content in enumerate(contents):
        do(lambda work, place=place, content=content: card(work, place, content, given[place]))
    do(lambda work: cards.edit_card(work, "card-4", content={"business_details": {"line_of_business": "Retail"}}))
    do(lambda work: cards.change_status(work, "card-4", status=cards.CardStatus.ARCHIVED, reason="Old."))
    for place, state in enumerate([TrainingState.COMPLETED, TrainingState.RUNNING, TrainingState.FAILED]):
        facts = TrainingFacts(
            state=state, artifact_uri=f"s3://b/{place}" if place else "", hyperparameters={"depth": f"{place + 3}"}
        )
        do(lambda work, place=place, facts=facts: training.record_training(work, name=f"run-{place}", facts=facts))
        do(lambda work, place=place: kept(work, f"training/run-{place}", given[place]))
    for place in range(3):
        do(
            lambda work, place=place: deployables.make_deployable(
                work, name=f"served-{place}", containers=[Container(image="image:1")], versions=[]
            )
        )
        do(lambda work, place=place: kept(work, f"deployable/served-{place}", given[place]))


def model(work, name, about):
    registry.register_model(work, name=name, **about)
    life.keep_model_particulars(work, ModelRef(name), {}, single=name == "solo")


def version(work, place, name, given):
    about = {"description": "Loans." if place % 2 else "", "tags": given}
    made = registry.register_version(
        work, ModelRef(name), facts=VersionFacts(inference_environment=["image:1"]), **about
    )
    if place % 2:
        life.stage_version(work, made.ref, stage=Stage(name="QA", status="Approved"))
        life.annotate_version(work, made.ref, put={"commit": "a1"})
    else:
        life.keep_version_particulars(work, made.ref, {"Domain": "MACHINE_LEARNING"}, changed=["Domain"])


def card(work, place, content, given):
    cards.create_card(work, name=f"card-{place}", content=content)
    kept(work, f"card/card-{place}", given)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def filled(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("filled")
    with contextlib.ExitStack() as opened:
        url = f"sqlite:///{folder / 'modelward.db'}"
        if request.param == "postgresql":
            url = opened.enter_context(request.getfixturevalue("postgres_databases").lend())
        database = opened.enter_context(contextlib.closing(Database(url)))
        workshop = workshop_on(database, folder)
        fill(workshop)
        yield workshop


def filters_of(resource):
    def of(name):
        values = VALUES[resource][name]
        compared = values in (MOMENTS, NUMBERS)
        made = st.fixed_dictionaries(
            {"Name": st.just(name), "Operator": st.sampled_from(OPERATORS + (ORDERED if compared else []))},
            optional={"Value": st.sampled_from(values)},
        )
        return made.map(lambda each: {"Value": values[0], **each})

    return st.sampled_from(sorted(VALUES[resource])).flatmap(of)


def nested():
    return st.fixed_dictionaries(
        {
            "NestedPropertyName": st.just("Tags"),
            "Filters": st.lists(
                st.fixed_dictionaries(
                    {
                        "Name": st.sampled_from(["Tags.Key", "Tags.Value", "Key"]),
                        "Operator": st.sampled_from(["Equals", "Contains"]),
                        "Value": st.sampled_from(["team", "red", "level", "1"]),
                    }
                ),
                min_size=1,
                max_size=2,
            ),
        }
    )


def expressions(resource):
    plain = st.fixed_dictionaries(
        {},
        optional={
            "Filters": st.lists(filters_of(resource), max_size=3),
            "NestedFilters": st.lists(nested(), max_size=1),
            "Operator": st.sampled_from(["And", "Or"]),
        },
    )
    return st.recursive(
        plain,
        lambda inner: st.fixed_dictionaries(
            {"SubExpressions": st.lists(inner, min_size=1, max_size=3), "Operator": st.sampled_from(["And", "Or"])},
            optional={"Filters": st.lists(filters_of(resource), max_size=2)},
        ),
        max_leaves=4,
    )


def can_be_judged(expression):
    """Whether an expression asks of no member twice what it contains."""
    try:
        rules.check(expression)
    except AwsError:
        return False
    return True


def by_looking(call, resource, expression):
    """The ARNs of the records that an expression asks for, every record looked at."""
    kind = search.KINDS[resource]
    found = search._looked_at(call, kind, resource, ALL, expression, "CreationTime")
    return sorted(key[1] for key, _ in found)


@pytest.mark.parametrize("resource", sorted(VALUES))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_store_finds_what_looking_at_every_record_finds(filled, resource, data):
    expression = data.draw(expressions(resource).filter(can_be_judged))

    def compare(work):
        call = Call(work=work, account=ACCOUNT, region=REGION, request_id="r")
        told = search.search(call, {"Resource": resource, "SearchExpression": expression})
        arn = search.KINDS[resource].arn
        found = sorted(str(rules.values_at(each[resource], arn)[0]) for each in told["Results"])
        assert (found, told["TotalHits"]["Value"]) == (by_looking(call, resource, expression), len(found))

    filled.read(ANA, compare)


@pytest.mark.parametrize("resource", sorted(VALUES))
@pytest.mark.parametrize("sort", ["CreationTime", "LastModifiedTime", "Name"])
@pytest.mark.parametrize("order", ["Ascending", "Descending"])
def test_pages_of_the_store_lead_through_everything_once_in_order(filled, resource, sort, order):
    names = {"Model": "Model.ModelName", "ModelPackage": "ModelPackageArn"}
    path = names.get(resource, f"{resource}Name") if sort == "Name" else sort
    asked = {"Resource": resource, "SortBy": path, "SortOrder": order, "MaxResults": 2}

    def ask(work, token):
        call = Call(work=work, account=ACCOUNT, region=REGION, request_id="r")
        return search.search(call, {**asked, **({"NextToken": token} if token else {})})

    found, token = [], None
    while True:
        page = filled.read(ANA, lambda work, token=token: ask(work, token))
        found += page["Results"]
        token = page["NextToken"]
        if token is None:
            break

    arn = f"{resource}.{search.KINDS[resource].arn}"
    arns = [rules.values_at(each, arn)[0] for each in found]
    keys = [rules.sort_key(each, f"{resource}.{path}") for each in found]
    assert len(set(arns)) == len(arns) == page["TotalHits"]["Value"]
    assert sort == "LastModifiedTime" or keys == sorted(keys, reverse=order == "Descending")


@pytest.mark.parametrize(
    ("resource", "name"),
    [
        ("ModelCard", "RiskRating"), ("ModelCard", "ModelCardStatus"), ("ModelCard", "ModelId"), ("ModelCard", "Tags.team"),
        ("ModelCard", "ModelPackageGroupName"), ("ModelPackage", "ModelApprovalStatus"), ("ModelPackage", "Tags.team"),
        ("ModelPackage", "ModelPackageGroupName"), ("ModelPackage", "ModelLifeCycle.Stage"), ("Model", "Model.ModelName"),
        ("TrainingJob", "ModelArtifacts.S3ModelArtifacts"), ("ModelPackageGroup", "ModelPackageGroupName"),
    ],
)  # fmt: skip
def test_common_filters_are_left_to_the_store(resource, name):
    plan = plan_of(resource, ACCOUNT, REGION)
    for operator in OPERATORS:
        filters = [{"Name": name, "Operator": operator, "Value": "a"}]
        assert condition_of(plan, {"Filters": filters}).exact


@pytest.mark.parametrize("operator", ["And", "Or"])
@pytest.mark.parametrize(
    ("resource", "name"),
    [("ModelCard", "ModelId"), ("ModelPackage", "ModelPackageGroupName"), ("ModelPackage", "ModelPackageName")],
)
def test_the_largest_search_that_may_be_asked_is_answered(filled, operator, resource, name):
    one = {"Name": name, "Operator": "In", "Value": ",".join(["fraud"] * (rules.VALUES_MAX // rules.FILTERS_MAX))}
    inner = {"Operator": operator, "Filters": [one] * 10}
    asked = {"Operator": operator, "SubExpressions": [inner] * (rules.FILTERS_MAX // 10)}

    def ask(work):
        call = Call(work=work, account=ACCOUNT, region=REGION, request_id="r")
        return search.search(call, {"Resource": resource, "SearchExpression": asked})["TotalHits"]["Value"]

    assert filled.read(ANA, ask) >= 0
