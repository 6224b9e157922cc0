"""Model cards, packages and models by the resources of the newer SDK, in its own environment.

Called with the folder to work in. The bucket ``governance`` and the model ``credit-model`` are there.
"""

import sys
from pathlib import Path

import boto3
from expecting import refused
from sagemaker.core.resources import Model, ModelCard, ModelCardExportJob, ModelPackage, ModelPackageGroup, TrainingJob
from sagemaker.core.shapes import (
    ContainerDefinition,
    ModelCardExportOutputConfig,
    ModelPackageModelCard,
    Tag,
)
from sagemaker.core.shapes.model_card_shapes import (
    BusinessDetails,
    IntendedUses,
    ModelCardContent,
    ModelOverview,
    ObjectiveFunction,
    TrainingDetails,
)

folder = Path(sys.argv[1])
ROLE = "arn:aws:iam::123456789012:role/gov"
DATA = "s3://governance/out/credit-train-1/output/model.tar.gz"
client = boto3.client("sagemaker")


def content_of(description):
    """A content as the shapes of the SDK write it."""
    content = ModelCardContent(
        model_overview=ModelOverview(
            model_description=description, model_creator="Science", model_artifact=[DATA], algorithm_type="trees"
        ),
        intended_uses=IntendedUses(
            purpose_of_model="Loans.", risk_rating="High", explanations_for_risk_rating="Money."
        ),
        business_details=BusinessDetails(line_of_business="Retail"),
        training_details=TrainingDetails(
            objective_function=ObjectiveFunction(function="Minimize", facet="Loss"), training_observations="A year."
        ),
    )
    return content.model_dump_json(exclude_none=True)


run = TrainingJob.get(training_job_name="credit-train-1")
assert run.model_artifacts.s3_model_artifacts == DATA
model = Model.get(model_name="credit-model")
assert model.primary_container.model_data_url == DATA

sent = content_of("The first.")
card = ModelCard.create(
    model_card_name="v3-card", content=sent, model_card_status="Draft", tags=[Tag(key="team", value="credit")]
)
assert card.content == sent
assert card.model_card_version == 1
metadata = ModelCard.get(model_card_name="v3-card", included_data="MetadataOnly")
assert metadata.content == '{"intended_uses":{"risk_rating":"High"}}', metadata.content
card.update(content=content_of("The second."))
newest = ModelCard.get(model_card_name="v3-card")
assert newest.model_card_version == 2
newest.update(model_card_status="PendingReview")
assert ModelCard.get(model_card_name="v3-card").model_card_status == "PendingReview"
assert "v3-card" in [each.model_card_name for each in ModelCard.get_all()]
numbers = [each.model_card_version for each in card.get_all_versions()]
assert numbers == [1], numbers  # The SDK asks with the status that it remembers.

job = ModelCardExportJob.create(
    model_card_name="v3-card",
    model_card_export_job_name="first",
    output_config=ModelCardExportOutputConfig(s3_output_path="s3://governance/cards"),
)
job.wait(poll=1, timeout=90)
address = job.export_artifacts.s3_export_artifacts
bucket, _, key = address.removeprefix("s3://").partition("/")
boto3.client("s3").download_file(bucket, key, str(folder / "v3.pdf"))
assert (folder / "v3.pdf").read_bytes().startswith(b"%PDF-")
assert [each.model_card_export_job_name for each in ModelCardExportJob.get_all(model_card_name="v3-card")] == ["first"]

group = ModelPackageGroup.create(model_package_group_name="v3-group", model_package_group_description="Loans.")
assert group.model_package_group_status == "Completed"
made = client.create_model_package(
    ModelPackageGroupName="v3-group",
    ModelApprovalStatus="PendingManualApproval",
    InferenceSpecification={
        "Containers": [{"Image": "123456789012.ECR.us-east-1/xgb:1", "ModelDataUrl": DATA}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    },
    ModelCard={"ModelCardContent": sent, "ModelCardStatus": "Draft"},
)["ModelPackageArn"]
package = ModelPackage.get(model_package_name=made)
assert package.model_card.model_card_content == sent
assert package.model_approval_status == "PendingManualApproval"
assert [each.model_package_arn for each in ModelPackage.get_all(model_package_group_name="v3-group")] == [made]
package.update(model_card=ModelPackageModelCard(model_card_content=content_of("The third."), model_card_status="Draft"))
assert "The third." in package.model_card.model_card_content
assert "The third." in ModelPackage.get(model_package_name=made).model_card.model_card_content

own = Model.create(
    model_name="v3-model",
    primary_container=ContainerDefinition(image="123456789012.ECR.us-east-1/xgb:1", model_data_url=DATA),
    execution_role_arn=ROLE,
)
assert own.model_arn.endswith(":model/v3-model")
own.delete()
with refused("ConflictException"):
    group.delete()
package.delete()
group.delete()
spare = ModelCard.create(model_card_name="v3-spare", content="{}", model_card_status="Draft")
spare.delete()
assert "v3-spare" not in [each.model_card_name for each in ModelCard.get_all()]
print("done")
