"""Groups, packages, models, tags and jobs by every method of the newer SDK's resources, in its own environment.

Called with the folder to work in. The bucket ``governance`` and the training job ``credit-train-1`` are there.
"""

import json
import os
from contextlib import suppress

import boto3
from expecting import refused
from sagemaker.core.resources import Model, ModelPackage, ModelPackageGroup, Tag, TrainingJob
from sagemaker.core.shapes import ContainerDefinition, ModelLifeCycle, ModelPackageModelCard
from sagemaker.core.shapes import Tag as KeyAndValue
from sagemaker.core.shapes.shapes import AdditionalInferenceSpecificationDefinition, ModelPackageContainerDefinition

ROLE = "arn:aws:iam::123456789012:role/gov"
SPECIFICATION = {
    "Containers": [{"Image": "xgb:1", "ModelDataUrl": "s3://governance/m.tar.gz"}],
    "SupportedContentTypes": ["text/csv"],
    "SupportedResponseMIMETypes": ["text/csv"],
}
client = boto3.client("sagemaker")

group = ModelPackageGroup.create(model_package_group_name="v3-all", tags=[KeyAndValue(key="team", value="credit")])
group.refresh()
group.wait_for_status("Completed", poll=1, timeout=5)
assert [each.model_package_group_name for each in ModelPackageGroup.get_all(name_contains="v3-a")] == ["v3-all"]
# A policy of a group is put on by who manages access.
owners = boto3.Session(
    aws_access_key_id=os.environ["OWNER_KEY_ID"], aws_secret_access_key=os.environ["OWNER_KEY_SECRET"]
)
policy = json.dumps({"Version": "2012-10-17", "Statement": []})
with refused("AccessDeniedException"):
    group.put_policy(resource_policy=policy)
group.put_policy(resource_policy=policy, session=owners)
assert group.get_policy() == policy
group.delete_policy(session=owners)
arn = group.model_package_group_arn
Tag.add_tags(resource_arn=arn, tags=[KeyAndValue(key="level", value="1")])
assert [each.key for each in Tag.get_all(resource_arn=arn)] == ["level", "team"]
Tag.delete_tags(resource_arn=arn, tag_keys=["level"])
assert [each.key for each in Tag.get_all(resource_arn=arn)] == ["team"]

first = client.create_model_package(ModelPackageGroupName="v3-all", InferenceSpecification=SPECIFICATION)[
    "ModelPackageArn"
]
second = client.create_model_package(ModelPackageGroupName="v3-all", InferenceSpecification=SPECIFICATION)[
    "ModelPackageArn"
]
package = ModelPackage.get(model_package_name=first)
newer = ModelPackage.get(model_package_name=second)
# Each asks anew for itself, not for another version of its group.
assert (package.refresh().model_package_version, newer.refresh().model_package_version) == (1, 2)
assert package.update(customer_metadata_properties={"commit": "a1"}).customer_metadata_properties == {"commit": "a1"}
assert package.update(customer_metadata_properties_to_remove=["commit"]).model_package_version == 1
staged = package.update(model_life_cycle=ModelLifeCycle(stage="QA", stage_status="Approved"))
assert staged.model_life_cycle.stage == "QA"
carded = package.update(model_card=ModelPackageModelCard(model_card_content="{}", model_card_status="Draft"))
assert carded.model_card.model_card_content == "{}"
added = AdditionalInferenceSpecificationDefinition(
    name="gpu", containers=[ModelPackageContainerDefinition(image="i:1")]
)
assert package.update(additional_inference_specifications_to_add=[added]).additional_inference_specifications
assert package.update(source_uri="s3://governance/code").source_uri == "s3://governance/code"
rejected = newer.update(model_package_registration_type="Registered", approval_description="Not yet.")
assert (rejected.model_package_registration_type, rejected.approval_description) == ("Registered", "Not yet.")
with refused("AccessDeniedException"):
    package.update(model_approval_status="Approved")
package.wait_for_status("Completed", poll=1, timeout=5)
metadata = ModelPackage.get(model_package_name=first, included_data="MetadataOnly").model_card.model_card_content
assert set(json.loads(metadata)) <= {"model_overview"}
listed = ModelPackage.get_all(model_package_group_name="v3-all", sort_by="CreationTime", sort_order="Descending")
assert [each.model_package_version for each in listed] == [2, 1]
told = package.batch_get(model_package_arn_list=[first, second, f"{first}9"])
assert sorted(told.model_package_summaries) == [first, second]
assert list(told.batch_describe_model_package_error_map) == [f"{first}9"]
with refused("ValidationException"):
    ModelPackage.get(model_package_name="v3-all")

# The SDK looks for a name in the answer, which the service never gives; the package is made all the same.
with suppress(KeyError):
    ModelPackage.create(model_package_group_name="v3-all", model_package_description="By the SDK.")
assert "By the SDK." in [
    each.model_package_description for each in ModelPackage.get_all(model_package_group_name="v3-all")
]

client.create_model_package(ModelPackageName="v3-single", InferenceSpecification=SPECIFICATION)
single = ModelPackage.get(model_package_name="v3-single")
assert single.update(customer_metadata_properties={"a": "b"}).customer_metadata_properties == {"a": "b"}
assert [each.model_package_name for each in ModelPackage.get_all(name_contains="v3-single")] == ["v3-single"]
single.delete()
single.wait_for_delete(poll=1, timeout=5)

model = Model.create(
    model_name="v3-all-model",
    containers=[ContainerDefinition(image="xgb:1"), ContainerDefinition(image="xgb:2")],
    execution_role_arn=ROLE,
)
assert [each.image for each in model.refresh().containers] == ["xgb:1", "xgb:2"]
assert [each.model_name for each in Model.get_all(name_contains="v3-all")] == ["v3-all-model"]
model.delete()

job = TrainingJob.get(training_job_name="credit-train-1")
job.refresh()
job.wait(poll=1, timeout=5)
assert [each.training_job_name for each in TrainingJob.get_all(status_equals="Completed")] == ["credit-train-1"]

package.delete()
package.wait_for_delete(poll=1, timeout=5)
for each in ModelPackage.get_all(model_package_group_name="v3-all"):
    each.delete()
group.delete()
group.wait_for_delete(poll=1, timeout=5)
print("done")
