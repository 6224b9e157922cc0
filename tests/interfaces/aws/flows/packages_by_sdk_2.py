"""The tutorial on model packages and their cards, run by the SDK in its own environment.

Called with nothing. The bucket ``governance`` holds the model's data; the training run is recorded.
"""

import json
import os

import boto3
import sagemaker
from expecting import refused
from sagemaker.model import Model
from sagemaker.model_card import (
    AdditionalInformation,
    BusinessDetails,
    IntendedUses,
    ModelCard,
    ModelCardStatusEnum,
    ModelPackage,
    ModelPackageModelCard,
    RiskRatingEnum,
)
from sagemaker.model_metrics import MetricsSource, ModelMetrics
from sagemaker.session import Session

session = Session(boto3.Session(), default_bucket="governance")
client = session.sagemaker_client
ROLE = "arn:aws:iam::123456789012:role/gov"
DATA = "s3://governance/out/credit-train-1/output/model.tar.gz"
quality = {"binary_classification_metrics": {"accuracy": {"value": 0.9, "standard_deviation": "NaN"}}}
boto3.client("s3").put_object(Bucket="governance", Key="mq.json", Body=json.dumps(quality))


def register(description, **more):
    """Register the next version, as a notebook does."""
    model = Model(
        image_uri="123456789012.ECR.us-east-1/xgb:1",
        model_data=DATA,
        role=ROLE,
        name="credit-model-for-registry",
        sagemaker_session=session,
    )
    metrics = ModelMetrics(model_statistics=MetricsSource("application/json", "s3://governance/mq.json"))
    return model.register(
        content_types=["text/csv"],
        response_types=["text/csv"],
        inference_instances=["ml.m5.large"],
        transform_instances=["ml.m5.large"],
        model_package_group_name="credit-group",
        approval_status="PendingManualApproval",
        description=description,
        model_metrics=metrics,
        **more,
    )


first = register("The first.")
assert first.model_package_arn.endswith(":model-package/credit-group/1"), first.model_package_arn
package = ModelPackage.from_model_package_arn(first.model_package_arn, sagemaker_session=session)
assert package.model_package_group_name == "credit-group"
assert package.created_by.user_profile_name == "dana"
card = ModelCard(
    name="credit-package-card",
    status=ModelCardStatusEnum.DRAFT,
    business_details=BusinessDetails(business_problem="Defaults.", business_stakeholders="Risk"),
    intended_uses=IntendedUses(purpose_of_model="Loans.", risk_rating=RiskRatingEnum.HIGH),
    additional_information=AdditionalInformation(custom_details={"team": "credit"}),
    model_package_details=package,
    sagemaker_session=session,
)
assert card.training_details.training_job_details.training_arn.endswith("credit-train-1")
assert card.evaluation_details, "the quality report was not found"
card.create()
with refused("credit-package-card"):
    ModelPackage.from_model_package_arn(first.model_package_arn, sagemaker_session=session)

second = register("The second.")
assert second.model_package_arn.endswith("/2"), second.model_package_arn
inherited = ModelCard(
    name="credit-package-card-2",
    status=ModelCardStatusEnum.DRAFT,
    model_package_details=ModelPackage.from_model_package_arn(second.model_package_arn, sagemaker_session=session),
    sagemaker_session=session,
)
assert inherited.business_details.business_problem == "Defaults.", inherited.business_details
assert inherited.intended_uses.purpose_of_model == "Loans.", inherited.intended_uses
inherited.create()
assert (
    ModelCard.load("credit-package-card-2", sagemaker_session=session).business_details.business_stakeholders == "Risk"
)

# A card that was there before its package.
early = ModelCard(name="early-card", status=ModelCardStatusEnum.DRAFT, sagemaker_session=session)
early.create()
third = register("The third.")
early.model_package_details = ModelPackage.from_model_package_arn(third.model_package_arn, sagemaker_session=session)
early.update()
again = ModelCard.load("early-card", sagemaker_session=session)
assert again.model_package_details.model_package_arn == third.model_package_arn
assert again.version == 2, again.version

third.update_customer_metadata({"ticket": "MRM-7"})
told = client.describe_model_package(ModelPackageName=third.model_package_arn)
assert told["CustomerMetadataProperties"] == {"ticket": "MRM-7"}, told
numbers = [
    each["ModelPackageVersion"]
    for each in client.list_model_packages(ModelPackageGroupName="credit-group", SortBy="CreationTime")[
        "ModelPackageSummaryList"
    ]
]
assert numbers == [1, 2, 3], numbers
with refused("AccessDeniedException", "review.decide"):
    third.update_approval_status("Approved")
second_person = boto3.Session(
    aws_access_key_id=os.environ["SECOND_KEY_ID"], aws_secret_access_key=os.environ["SECOND_KEY_SECRET"]
)
approver = sagemaker.ModelPackage(
    role=ROLE,
    model_package_arn=third.model_package_arn,
    sagemaker_session=Session(second_person, default_bucket="governance"),
)
approver.update_approval_status("Approved", "Seen by a second person.")
told = client.describe_model_package(ModelPackageName=third.model_package_arn)
assert (told["ModelApprovalStatus"], told["ApprovalDescription"]) == ("Approved", "Seen by a second person."), told

own = ModelPackageModelCard(
    model_card_content={"intended_uses": {"purpose_of_model": "Loans."}}, model_card_status="Draft"
)
fourth = register("The fourth.", model_card=own)
inline = client.describe_model_package(ModelPackageName=fourth.model_package_arn)["ModelCard"]
assert json.loads(inline["ModelCardContent"])["intended_uses"]["purpose_of_model"] == "Loans.", inline
own.model_card_content = {"intended_uses": {"purpose_of_model": "Mortgages."}}
fourth.update_model_card(own)
inline = client.describe_model_package(ModelPackageName=fourth.model_package_arn)["ModelCard"]
assert json.loads(inline["ModelCardContent"])["intended_uses"]["purpose_of_model"] == "Mortgages.", inline
client.delete_model_package(ModelPackageName=fourth.model_package_arn)
print("done")
