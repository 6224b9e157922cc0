"""Which names a request may use for what is there already: all that were given natively, not only those of AWS's rule.

What is made through this interface keeps the published rule. What was made on the pages or by the CLI may have dots,
underscores and up to 128 characters in its name, and must be found, described, tagged and deleted here all the same.
"""

from typing import Any

NAME = r"[a-zA-Z0-9][a-zA-Z0-9._\-]{0,127}"
NAME_CHARACTERS_MAX = 128
# How much longer a name may be than AWS's own.
MORE = NAME_CHARACTERS_MAX - 63
_ANY = r"(arn:aws[a-z\-]*:sagemaker:[a-z0-9\-]*:[0-9]{12}:[a-z\-]*\/)?"
_CARD = r"arn:aws[a-z\-]*:sagemaker:[a-z0-9\-]{9,16}:[0-9]{12}:model-card/"
_FILTER = {"max": NAME_CHARACTERS_MAX, "pattern": r"[a-zA-Z0-9._\-]*"}
_PLAIN = {"min": 1, "max": NAME_CHARACTERS_MAX, "pattern": NAME}
# By the shape of a text that only ever refers to something.
REFERRING: dict[str, dict[str, Any]] = {
    "ArnOrName": {"min": 1, "max": 170 + MORE, "pattern": _ANY + NAME},
    "VersionedArnOrName": {"min": 1, "max": 176 + MORE, "pattern": _ANY + NAME + r"(\/[0-9]{1,9})?"},
    "ModelCardNameOrArn": {
        "min": 1,
        "max": 256 + MORE,
        "pattern": r"(arn:aws[a-z\-]*:sagemaker:[a-z0-9\-]*:[0-9]{12}:model-card/)?" + NAME,
    },
    "ModelCardExportJobArn": {"max": 256 + 2 * MORE, "pattern": _CARD + NAME + "/export-job/" + NAME},
    "NameContains": _FILTER,
    "ModelNameContains": _FILTER,
}
# By the shape of a name, which is a new one where something is made.
NAMES = frozenset({"EntityName", "ModelName", "TrainingJobName"})


def rule_of(operation: str, member: str, shape: Any) -> dict[str, Any] | None:
    """The rule that a member of a request itself keeps in place of its shape's own; None where that one stands."""
    if shape.type_name != "string":
        return None
    if shape.name in REFERRING:
        return REFERRING[shape.name]
    if shape.name not in NAMES:
        return None
    if member.endswith("NameContains"):
        return {**_FILTER, "min": shape.metadata.get("min", 0)}
    return None if operation.startswith("Create") else _PLAIN
