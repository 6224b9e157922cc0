"""Requests made from the service model: a valid one for each operation, and one for each rule that it can break."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from botocore.model import Shape

from modelward.interfaces.aws.service_models import service_model

PREFIX = "arn:aws:sagemaker:us-east-1:123456789012:"
# Texts that keep the pattern of their shape; all others are letters.
EXAMPLES = {
    "ModelCardArn": PREFIX + "model-card/a",
    "ModelCardExportJobArn": PREFIX + "model-card/a/export-job/a",
    "ModelPackageArn": PREFIX + "model-package/group/1",
    "ModelPackageFrameworkVersion": "1.0",
    "ResourceArn": PREFIX + "model-card/a",
    "RoleArn": "arn:aws:iam::123456789012:role/gov",
    "ResponseMIMEType": "text/csv",
    "ModelCardContent": "{}",
    "PolicyString": '{"Version": "2012-10-17", "Statement": []}',
}
ADDRESSES = ("S3Uri", "S3ModelUri", "Url")
DEPTH_MAX = 4


def input_of(operation: str) -> Shape:
    """The shape of the requests of an operation."""
    shape = service_model("sagemaker").operation_model(operation).input_shape
    assert shape is not None
    return shape


def example(shape: Shape) -> Any:
    """A valid value of a shape, with what is required and nothing else."""
    kind = shape.type_name
    if kind == "structure":
        return {name: example(shape.members[name]) for name in shape.required_members}
    if kind == "list":
        return [example(shape.member) for _ in range(max(1, shape.metadata.get("min", 1)))]
    if kind == "map":
        return {"a": example(shape.value)}
    if kind == "string":
        return _text(shape)
    return {"boolean": True, "timestamp": 1_700_000_000, "float": 0.5, "double": 0.5}.get(
        kind, shape.metadata.get("min", 1)
    )


def _text(shape: Any) -> str:
    if getattr(shape, "enum", None):
        return str(shape.enum[0])
    if shape.name in EXAMPLES:
        return EXAMPLES[shape.name]
    if shape.name in ADDRESSES:
        return "s3://some-bucket/key"
    return "a" * max(1, shape.metadata.get("min", 1))


def faults(shape: Any, value: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Values that break one rule each, with words for the rule; each optional member is tried as well."""
    kind = shape.type_name
    if kind == "structure":
        yield from _structure_faults(shape, value, path, depth)
    elif kind == "list":
        yield from _list_faults(shape, value, path, depth)
    elif kind == "string":
        yield from _text_faults(shape, path)
    elif kind in ("integer", "long"):
        if "min" in shape.metadata:
            yield f"{path} below {shape.metadata['min']}", shape.metadata["min"] - 1
        if "max" in shape.metadata:
            yield f"{path} above {shape.metadata['max']}", shape.metadata["max"] + 1


def _structure_faults(shape: Any, value: dict[str, Any], path: str, depth: int) -> Iterator[tuple[str, Any]]:
    for name in shape.required_members:
        yield f"{path}.{name} absent", {key: each for key, each in value.items() if key != name}
    if depth >= DEPTH_MAX:
        return
    for name, member in shape.members.items():
        given = value.get(name, example(member))
        for words, wrong in faults(member, given, f"{path}.{name}", depth + 1):
            yield words, {**value, name: wrong}


def _list_faults(shape: Any, value: list[Any], path: str, depth: int) -> Iterator[tuple[str, Any]]:
    if shape.metadata.get("max", 1000) < 1000:
        yield f"{path} with too many", [deepcopy(value[0]) for _ in range(shape.metadata["max"] + 1)]
    if shape.metadata.get("min", 0) > 0:
        yield f"{path} with too few", value[: shape.metadata["min"] - 1]
    for words, wrong in faults(shape.member, value[0], f"{path}[0]", depth + 1):
        yield words, [wrong, *value[1:]]


def _text_faults(shape: Any, path: str) -> Iterator[tuple[str, Any]]:
    if getattr(shape, "enum", None):
        yield f"{path} of no known value", "Nonsense"
        return
    longest = shape.metadata.get("max")
    if longest and longest < 200_000:
        yield f"{path} of {longest + 1} characters", "a" * (longest + 1)
    if shape.metadata.get("min", 0) > 0:
        yield f"{path} too short", "a" * (shape.metadata["min"] - 1)
    if shape.metadata.get("pattern") in ("[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",):
        yield f"{path} of another pattern", "no spaces"
