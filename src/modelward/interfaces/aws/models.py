"""Models for AWS clients: what is ready to be served, which we call a deployable."""

from typing import Any

from modelward.governance.access.permissions import Permission
from modelward.governance.registry import life
from modelward.governance.registry.entities import Version
from modelward.governance.registry.rules import standing
from modelward.governance.serving import deployables
from modelward.governance.serving.deployable import Container, Deployable
from modelward.governance.serving.deployables import DeployableExists, VersionFact, VersionNotApproved
from modelward.governance.tags import use_cases as tags
from modelward.interfaces.aws.errors import AwsError, validation
from modelward.interfaces.aws.lists import Order, browse_of, token_of
from modelward.interfaces.aws.model_packages import find_package
from modelward.interfaces.aws.operations import Call, Family
from modelward.interfaces.aws.words import tags_of
from modelward.kernel.errors import NotFound
from modelward.kernel.outcome import Outcome

family = Family("sagemaker")
KEPT = (
    "PrimaryContainer",
    "Containers",
    "InferenceExecutionConfig",
    "ExecutionRoleArn",
    "VpcConfig",
    "EnableNetworkIsolation",
)


@family.operation("CreateModel", permission=Permission.ENDPOINT_MANAGE)
def create_model(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Make a deployable from containers; a container may name a package, which must be approved then."""
    name, arn = request["ModelName"], call.arn("model", request["ModelName"])
    given = request.get("Containers") or []
    if "PrimaryContainer" in request:
        given = [request["PrimaryContainer"], *given]
    if not given or ("PrimaryContainer" in request and request.get("Containers")):
        raise validation("Exactly one of PrimaryContainer and Containers must be given.")
    packages = {
        each["ModelPackageName"]: find_package(call, each["ModelPackageName"])
        for each in given
        if "ModelPackageName" in each
    }
    told = {key: request[key] for key in KEPT if request.get(key) not in (None, [], {})}
    try:
        deployables.make_deployable(
            call.work,
            name=name,
            containers=[_container(call, each, packages) for each in given],
            versions=[_fact(call, each) for each in packages.values()],
            particulars=told,
        )
    except DeployableExists:
        raise validation(f'Cannot create already existing model "{arn}".') from None
    except VersionNotApproved as problem:
        raise validation(f"{problem.message} A versioned model package must be Approved to be deployed.") from problem
    if wanted := tags_of(request.get("Tags")):
        tags.put_tags(call.work, f"deployable/{name}", wanted, permission=Permission.ENDPOINT_MANAGE)
    return {"ModelArn": arn}


def _fact(call: Call, version: Version) -> VersionFact:
    # A package without a group has no approval status of its own; only versions in a line of them are gated.
    free = call.lenient or life.get_known_model(call.work, version.model).single
    judged = standing(version)
    return VersionFact(ref=version.ref, approved=free or judged.outcome is Outcome.PASSED, reason=judged.reason)


def _container(call: Call, given: dict[str, Any], packages: dict[str, Version]) -> Container:
    version = packages.get(given.get("ModelPackageName", ""))
    told: dict[str, Any] = {}
    if version is not None:
        specification = life.read_particulars(call.work, version.ref).get("InferenceSpecification", {})
        told = (specification.get("Containers") or [{}])[0]
    source = given.get("ModelDataSource", {}).get("S3DataSource", {}).get("S3Uri", "")
    return Container(
        image=given.get("Image", told.get("Image", "")),
        model_data=given.get("ModelDataUrl", source or told.get("ModelDataUrl", "")),
        environment=given.get("Environment", {}),
        hostname=given.get("ContainerHostname", ""),
        version=version.ref if version else None,
    )


@family.operation("DescribeModel", permission=Permission.ENDPOINT_READ)
def describe_model(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Tell of a deployable."""
    found = _find(call, request["ModelName"])
    return model_record(call, found, deployables.read_particulars(call.work, [found.name])[found.name])


def model_record(call: Call, found: Deployable, told: dict[str, Any]) -> dict[str, Any]:
    """A deployable as clients see one; one that was made natively has its containers told in their words."""
    return {
        **(told or {"Containers": [_told(call, each) for each in found.containers]}),
        "ModelName": found.name,
        "ModelArn": call.arn("model", found.name),
        "CreationTime": found.created_at,
        "EnableNetworkIsolation": told.get("EnableNetworkIsolation", False),
    }


def _told(call: Call, container: Container) -> dict[str, Any]:
    package = container.version
    told = {
        "Image": container.image,
        "ModelDataUrl": container.model_data,
        "Environment": container.environment,
        "ContainerHostname": container.hostname,
        "ModelPackageName": call.arn("model-package", f"{package.model}/{package.number}") if package else None,
    }
    return {key: value for key, value in told.items() if value}


def _find(call: Call, name: str) -> Deployable:
    try:
        return deployables.get_deployable(call.work, name)
    except NotFound:
        raise no_model(call, name) from None


def no_model(call: Call, name: str) -> AwsError:
    """There is no such model, in the words that clients look for."""
    return validation(f'Could not find model "{call.arn("model", name)}".')


@family.operation("ListModels", permission=Permission.ENDPOINT_READ)
def list_models(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """List deployables, by name and age."""
    browse = browse_of(request, kind="Models", order=Order(descending=True))
    found = deployables.browse_deployables(call.work, browse)
    return {
        "Models": [
            {"ModelName": each.name, "ModelArn": call.arn("model", each.name), "CreationTime": each.created_at}
            for each in found.items
        ],
        "NextToken": token_of(request, "Models", found),
    }


@family.operation("DeleteModel", permission=Permission.ENDPOINT_MANAGE)
def delete_model(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Remove a deployable."""
    found = _find(call, request["ModelName"])
    deployables.remove_deployable(call.work, found.name)
    tags.forget_tags(call.work, f"deployable/{found.name}", permission=Permission.ENDPOINT_MANAGE)
    return {}
