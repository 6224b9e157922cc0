"""What a model package tells that the registry knows in its own words: facts of the version and its artifact."""

from typing import Any

from modelward.governance.objects import use_cases as objects
from modelward.governance.registry import use_cases as registry
from modelward.governance.registry.entities import VersionFacts
from modelward.interfaces.aws.operations import Call
from modelward.kernel.errors import NotAllowed, NotFound
from modelward.kernel.refs import Digest


def facts_in(request: dict[str, Any]) -> VersionFacts:
    """The facts of a version that its package tells."""
    containers = _containers(request)
    first = containers[0] if containers else {}
    return VersionFacts(
        framework=first.get("Framework", ""),
        framework_version=first.get("FrameworkVersion", ""),
        inference_environment=[each["Image"] for each in containers if "Image" in each],
    )


def artifact_in(call: Call, told: dict[str, Any]) -> Digest | None:
    """The artifact of a package whose model data lie in a bucket here; None where they lie elsewhere."""
    for container in _containers(told):
        bucket, slash, key = container.get("ModelDataUrl", "").removeprefix("s3://").partition("/")
        if not slash:
            continue
        try:
            found = objects.get_object(call.work, bucket=bucket, key=key)
            if found.digest is not None:
                name = key.rpartition("/")[2]
                return registry.store_artifact(call.work, digest=found.digest, bytes=found.size, name=name).digest
        except (NotFound, NotAllowed):
            continue
    return None


def _containers(told: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = told.get("InferenceSpecification", {}).get("Containers", [])
    return found
