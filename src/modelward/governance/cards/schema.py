"""The schema of a card's content: which fields there are and what they may hold, and each fault in words. Pure."""

import json
from functools import cache
from importlib import resources
from typing import Any

from jsonschema_rs import Draft7Validator

from modelward.governance.cards import paths
from modelward.governance.cards.entities import Content
from modelward.kernel import codec
from modelward.kernel.errors import Invalid

# Unless a setting says otherwise.
CONTENT_CHARACTERS_MAX = 2_000_000
FAULTS_SHOWN_MAX = 3
VALUE_CHARACTERS_SHOWN_MAX = 80
METRICS = {
    "number": "simple_metric",
    "string": "simple_metric",
    "boolean": "simple_metric",
    "linear_graph": "linear_graph_metric",
    "bar_chart": "bar_chart_metric",
    "matrix": "matrix_metric",
}


@cache
def schema() -> dict[str, Any]:
    """The schema of a card's content."""
    text = resources.files("modelward.governance.cards").joinpath("schema.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


@cache
def _validator(definition: str = "") -> Draft7Validator:
    if not definition:
        return Draft7Validator(schema())
    return Draft7Validator({"$ref": f"#/definitions/{definition}", "definitions": schema()["definitions"]})


def check_content(content: Content, characters_max: int = CONTENT_CHARACTERS_MAX) -> None:
    """Refuse a content that breaks the schema or is too long as JSON.

    Raises:
        Invalid: the first faults, each with its path, its value and the rule.
    """
    try:
        size = len(codec.canonical(content).decode())
        faults = list(_validator().iter_errors(content))
    except (ValueError, RecursionError, TypeError) as problem:
        raise Invalid(f"The content of a card cannot be read as JSON: {problem}.", field="$") from problem
    if size > characters_max:
        raise Invalid(
            f"The content has {size} characters as JSON; at most {characters_max} are kept.",
            field="$",
            hint="Attach what is long as a file, or ask whoever runs Modelward to raise card_characters_max.",
        )
    if not faults:
        return
    told = [_in_words(fault) for fault in faults[:FAULTS_SHOWN_MAX]]
    more = f" And {len(faults) - len(told)} more." if len(faults) > len(told) else ""
    raise Invalid(" ".join(words for _, words in told) + more, field=told[0][0])


def knows(steps: list[paths.Step]) -> bool:
    """Whether a card may have something at this place."""
    return _has(schema(), steps)


def _has(kind: Any, steps: list[paths.Step]) -> bool:
    kind = _followed(kind)
    if not steps or not isinstance(kind, dict):
        return not steps
    step, rest = steps[0], steps[1:]
    if any(_has(each, steps) for each in kind.get("anyOf", [])):
        return True
    if isinstance(step, int):
        return "items" in kind and _has(kind["items"], rest)
    inner = kind.get("properties", {}).get(step) or kind.get("additionalProperties")
    return bool(inner) and _has(inner, rest)


def _in_words(fault: Any) -> tuple[str, str]:
    """The path of a fault, and the fault in words."""
    found = _within(fault) if fault.schema_path and fault.schema_path[-1] == "anyOf" else None
    if found is not None:
        return found
    return _told(fault, list(fault.instance_path))


def _within(fault: Any) -> tuple[str, str] | None:
    """Where a value may have one of several shapes: what is wrong with it as the one it is meant to have."""
    value, path = fault.instance, list(fault.instance_path)
    if "metric_data" not in path:
        name = _objective(value)
    elif not isinstance(value, dict) or value.get("type") not in METRICS:
        if not isinstance(value, dict):
            return None
        given = short(value["type"]) if "type" in value else "absent"
        at = paths.path_of([*path, "type"])
        return at, f"{at} is {given}; the rule is one of {', '.join(METRICS)}."
    else:
        name = METRICS[value["type"]]
    inner = next(_validator(name).iter_errors(value), None) if name else None
    if inner is None:
        return None
    return _told(inner, [*path, *inner.instance_path])


def _objective(value: Any) -> str:
    if not isinstance(value, dict):
        return ""
    return "objective_function_nested" if isinstance(value.get("function"), dict) else "objective_function_flat"


def _told(fault: Any, steps: list[Any]) -> tuple[str, str]:
    path, found = paths.path_of(steps), _rule_value(fault.schema_path)
    rule, limit = (list(fault.schema_path) or ["schema"])[-1], fault.kind
    told = f"{rule} {short(found)}" if found is not None else str(rule)
    if rule == "additionalProperties":
        unknown = ", ".join(repr(name)[:VALUE_CHARACTERS_SHOWN_MAX] for name in limit.unexpected)
        return path, f"{path} does not know the field {unknown}."
    if rule == "required":
        return path, f"{path} lacks the field {limit.property!r}, which is required."
    if rule == "anyOf" and isinstance(found, list):
        told = "one of " + ", ".join(_kind_in_words(_followed(each)) for each in found)
    return path, f"{path} is {short(fault.instance)}; the rule is {told}."


def _kind_in_words(kind: dict[str, Any]) -> str:
    limit = f" of at most {kind['maxLength']} characters" if "maxLength" in kind else ""
    return f"{kind.get('type', 'value')}{limit}"


def _rule_value(schema_path: list[Any]) -> Any:
    here: Any = schema()
    for step in schema_path:
        try:
            here = _followed(here)[step]
        except (KeyError, IndexError, TypeError):
            return None
        here = _followed(here)
    return here if isinstance(here, str | int | float) or (isinstance(here, list) and len(here) < 10) else None


def _followed(here: Any) -> Any:
    if isinstance(here, dict) and "$ref" in here:
        return schema()["definitions"][here["$ref"].rpartition("/")[2]]
    return here


def short(value: Any) -> str:
    """A value as an error shows it."""
    text = value if isinstance(value, str) and value in ("object", "string") else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= VALUE_CHARACTERS_SHOWN_MAX else text[: VALUE_CHARACTERS_SHOWN_MAX - 3] + "..."
