"""The tutorial on model cards, run by the SDK in its own environment: a card of a model, from its facts to its PDF.

Called with the folder to work in. The model, its training run and the bucket ``governance`` are there.
"""

import json
import sys
from pathlib import Path

import boto3
from expecting import refused
from sagemaker.model_card import (
    AdditionalInformation,
    BusinessDetails,
    EvaluationJob,
    EvaluationMetricTypeEnum,
    FacetEnum,
    Function,
    IntendedUses,
    Metric,
    MetricGroup,
    MetricTypeEnum,
    ModelCard,
    ModelCardStatusEnum,
    ModelOverview,
    ObjectiveFunction,
    ObjectiveFunctionEnum,
    RiskRatingEnum,
    TrainingDetails,
)
from sagemaker.session import Session

folder = Path(sys.argv[1])
session = Session(boto3.Session(), default_bucket="governance")
NAME = "credit-card"

overview = ModelOverview.from_model_name(
    model_name="credit-model",
    sagemaker_session=session,
    model_description="Predicts who pays back.",
    problem_type="Binary Classification",
    algorithm_type="Gradient boosting",
    model_creator="Science",
    model_owner="Risk",
)
assert overview.model_artifact == ["s3://governance/out/credit-train-1/output/model.tar.gz"], overview.model_artifact
with refused("could not be found"):
    ModelOverview.from_model_name("nobody", sagemaker_session=session)

objective = ObjectiveFunction(
    function=Function(function=ObjectiveFunctionEnum.MINIMIZE, facet=FacetEnum.LOSS), notes="log loss"
)
training = TrainingDetails.from_model_overview(
    model_overview=overview,
    sagemaker_session=session,
    objective_function=objective,
    training_observations="A year of loans.",
)
details = training.training_job_details
assert details.training_arn.endswith(":training-job/credit-train-1"), details.training_arn
assert {each.name: each.value for each in details.training_metrics} == {"validation:auc": 0.81}
assert {each.name: each.value for each in details.hyper_parameters} == {"depth": "4"}
assert TrainingDetails.from_training_job_name("credit-train-1", sagemaker_session=session).training_job_details

quality = {
    "binary_classification_metrics": {
        "confusion_matrix": {"0": {"0": 10, "1": 1}, "1": {"0": 2, "1": 9}},
        "accuracy": {"value": 0.86, "standard_deviation": "NaN"},
        "receiver_operating_characteristic_curve": {
            "false_positive_rates": [0, 0.1, 1],
            "true_positive_rates": [0, 0.8, 1],
        },
    }
}
boto3.client("s3").put_object(Bucket="governance", Key="quality.json", Body=json.dumps(quality))
evaluation = EvaluationJob(
    name="holdout",
    datasets=["s3://governance/holdout.csv"],
    metric_groups=[
        MetricGroup(name="by hand", metric_data=[Metric(name="gini", type=MetricTypeEnum.NUMBER, value=0.62)])
    ],
)
evaluation.add_metric_group_from_s3(
    session=session.boto_session,
    s3_url="s3://governance/quality.json",
    metric_type=EvaluationMetricTypeEnum.MODEL_MONITOR_MODEL_QUALITY,
)

card = ModelCard(
    name=NAME,
    status=ModelCardStatusEnum.DRAFT,
    model_overview=overview,
    training_details=training,
    intended_uses=IntendedUses(
        purpose_of_model="Loans.",
        intended_uses="Support of a clerk.",
        risk_rating=RiskRatingEnum.MEDIUM,
        explanations_for_risk_rating="A clerk decides.",
    ),
    business_details=BusinessDetails(business_problem="Defaults.", line_of_business="Retail"),
    evaluation_details=[evaluation],
    additional_information=AdditionalInformation(
        ethical_considerations="Age is not used.", custom_details={"team": "credit"}
    ),
    sagemaker_session=session,
)
card.create()
assert card.arn.endswith(f":model-card/{NAME}"), card.arn
assert card.version == 1, card.version
listed = [each["ModelCardName"] for each in session.sagemaker_client.list_model_cards()["ModelCardSummaries"]]
assert NAME in listed, listed
with refused(NAME):
    ModelOverview.from_model_name("credit-model", sagemaker_session=session)

loaded = ModelCard.load(name=NAME, sagemaker_session=session)
assert loaded.intended_uses.risk_rating == RiskRatingEnum.MEDIUM
assert loaded.evaluation_details[0].metric_groups[0].metric_data[0].value == 0.62
loaded.model_overview.model_description = "Predicts who pays back, per month."
loaded.update()
loaded.update(status=ModelCardStatusEnum.PENDING_REVIEW)
history = loaded.get_version_history()
assert sorted(each["ModelCardVersion"] for each in history) == [1, 2], history
first = ModelCard.load(name=NAME, version=1, sagemaker_session=session)
assert first.model_overview.model_description == "Predicts who pays back."

address = loaded.export_pdf(s3_output_path="s3://governance/cards", export_job_name="first", model_card_version=1)
assert address.startswith("s3://governance/cards/"), address
bucket, _, key = address.removeprefix("s3://").partition("/")
target = folder / "card.pdf"
boto3.client("s3").download_file(bucket, key, str(target))
assert target.read_bytes().startswith(b"%PDF-"), target
jobs = loaded.list_export_jobs()
assert [each["ModelCardExportJobName"] for each in jobs["ModelCardExportJobSummaries"]] == ["first"], jobs

spare = ModelCard(name="spare-card", status=ModelCardStatusEnum.DRAFT, sagemaker_session=session)
spare.create()
spare.delete()
with refused("ResourceNotFound"):
    ModelCard.load(name="spare-card", sagemaker_session=session)
print("done")
