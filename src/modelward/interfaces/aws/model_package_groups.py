"""Model package groups for AWS clients: a group is a model of the registry."""

from typing import Any

from modelward.governance.access.permissions import Permission
from modelward.governance.registry import life
from modelward.governance.registry import use_cases as registry
from modelward.governance.registry.entities import Model
from modelward.governance.registry.use_cases import ModelExists
from modelward.interfaces.aws.arns import name_in
from modelward.interfaces.aws.errors import AwsError, validation
from modelward.interfaces.aws.lists import browse_of, token_of
from modelward.interfaces.aws.operations import Call, Family
from modelward.interfaces.aws.words import tags_of, user
from modelward.kernel.errors import NotFound
from modelward.kernel.refs import ModelRef

family = Family("sagemaker")
COMPLETED = "Completed"


@family.operation("CreateModelPackageGroup", permission=Permission.MODEL_WRITE)
def create_model_package_group(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Register a model, which is to have versions."""
    name = request["ModelPackageGroupName"]
    try:
        registry.register_model(
            call.work,
            name=name,
            description=request.get("ModelPackageGroupDescription", ""),
            tags=tags_of(request.get("Tags")),
        )
    except ModelExists:
        raise validation(f"Model Package Group already exists: {group_arn(call, name)}") from None
    if config := request.get("ManagedConfiguration"):
        life.keep_model_particulars(call.work, ModelRef(name), {"ManagedConfiguration": config})
    return {"ModelPackageGroupArn": group_arn(call, name)}


def group_arn(call: Call, name: str) -> str:
    """The ARN of a group."""
    return call.arn("model-package-group", name)


def find_group(call: Call, name_or_arn: str) -> Model:
    """The model that a group stands for.

    Raises:
        AwsError: ValidationException, there is none.
    """
    name = name_in(name_or_arn, kind="model-package-group", field="ModelPackageGroupName")
    if call.is_elsewhere(name_or_arn):
        raise validation(f"Model Package Group {name_or_arn} does not exist.")
    try:
        found = life.get_known_model(call.work, ModelRef(name))
    except NotFound:
        raise _no_group(call, name) from None
    if found.single:
        raise _no_group(call, name)
    return found


def _no_group(call: Call, name: str) -> AwsError:
    return validation(f"Model Package Group {group_arn(call, name)} does not exist.")


@family.operation("DescribeModelPackageGroup", permission=Permission.MODEL_READ)
def describe_model_package_group(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Tell of a model."""
    found = find_group(call, request["ModelPackageGroupName"])
    return group_record(call, found, life.read_particulars(call.work, found.name))


def group_record(call: Call, found: Model, told: dict[str, Any]) -> dict[str, Any]:
    """All that is told of a group; ``told`` is what was sent of it."""
    return {**_summary(call, found), "CreatedBy": user(call, found.created_by), **told}


def _summary(call: Call, found: Model) -> dict[str, Any]:
    return {
        "ModelPackageGroupName": str(found.name),
        "ModelPackageGroupArn": group_arn(call, found.name),
        "ModelPackageGroupDescription": found.description or None,
        "CreationTime": found.created_at,
        "ModelPackageGroupStatus": COMPLETED,
    }


@family.operation("ListModelPackageGroups", permission=Permission.MODEL_READ)
def list_model_package_groups(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """List the models that have versions, by name and age. No other account shares any here."""
    browse = browse_of(request, kind="ModelPackageGroups")
    if request.get("CrossAccountFilterOption") == "CrossAccount":
        return {"ModelPackageGroupSummaryList": []}
    found = life.browse_models(call.work, browse, single=False)
    return {
        "ModelPackageGroupSummaryList": [_summary(call, each) for each in found.items],
        "NextToken": token_of(request, "ModelPackageGroups", found),
    }


@family.operation("DeleteModelPackageGroup", permission=Permission.MODEL_WRITE)
def delete_model_package_group(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Withdraw a model that has no versions in use."""
    found = find_group(call, request["ModelPackageGroupName"])
    life.withdraw_model(call.work, found.name, reason="Deleted by an AWS client.")
    return {}


@family.operation("PutModelPackageGroupPolicy", permission=Permission.ACCESS_MANAGE)
def put_model_package_group_policy(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Keep a resource policy with a model; it opens nothing here."""
    found = find_group(call, request["ModelPackageGroupName"])
    life.put_policy(call.work, found.name, request["ResourcePolicy"])
    return {"ModelPackageGroupArn": group_arn(call, found.name)}


@family.operation("GetModelPackageGroupPolicy", permission=Permission.MODEL_READ)
def get_model_package_group_policy(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Tell the resource policy that was put on a model."""
    found = find_group(call, request["ModelPackageGroupName"])
    try:
        return {"ResourcePolicy": life.get_policy(call.work, found.name)}
    except NotFound:
        raise validation(f"Cannot find resource policy for {group_arn(call, found.name)}.") from None


@family.operation("DeleteModelPackageGroupPolicy", permission=Permission.ACCESS_MANAGE)
def delete_model_package_group_policy(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Take the resource policy off a model."""
    found = find_group(call, request["ModelPackageGroupName"])
    get_model_package_group_policy(call, request)
    life.put_policy(call.work, found.name, None)
    return {}
