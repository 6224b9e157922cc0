"""One metric of an evaluation as fields of a form, and back: charts are written as lines of numbers. Pure."""

import json
from typing import Any

Faults = dict[str, str]
PARTS = ("name", "type", "value", "x_axis_name", "y_axis_name", "notes")


def number_of(text: str) -> int | float | None:
    """The number that a text writes; None for anything else, infinity and not-a-number among it."""
    text = text.strip().replace("\u2212", "-")
    try:
        return int(text)
    except ValueError:
        pass
    try:
        value = float(text)
    except ValueError:
        return None
    return value if value == value and abs(value) != float("inf") else None


def to_form(metric: dict[str, Any]) -> dict[str, str]:
    """A metric as texts, by part."""
    kind, value = str(metric.get("type", "number")), metric.get("value")
    told = {"name": str(metric.get("name", "")), "type": kind, "notes": str(metric.get("notes", ""))}
    told["value"] = _value_text(kind, value)
    for axis in ("x_axis_name", "y_axis_name"):
        named = metric.get(axis, "")
        told[axis] = "\n".join(str(each) for each in named) if isinstance(named, list) else str(named)
    return told


def _value_text(kind: str, value: Any) -> str:
    if kind == "bar_chart" and isinstance(value, list):
        return "\n".join(json.dumps(each) for each in value)
    if kind in ("matrix", "linear_graph") and isinstance(value, list):
        return "\n".join(", ".join(json.dumps(each) for each in row) for row in value)
    return value if isinstance(value, str) else json.dumps(value) if value is not None else ""


def to_metric(given: dict[str, str], *, name: str, base: Any, faults: Faults) -> dict[str, Any] | None:
    """The metric that some texts write; None when all are blank. What is wrong goes to ``faults`` by form name.

    ``base`` is the metric that stood there before: what was not touched is not judged.
    """
    before = base if isinstance(base, dict) else {}
    texts = {part: given.get(f"{name}.{part}", "") for part in PARTS}
    if not any(texts[part].strip() for part in PARTS if part != "type"):
        return None
    kind = texts["type"] or "number"
    metric: dict[str, Any] = {"name": texts["name"], "type": kind}
    if not texts["name"].strip():
        faults[f"{name}.name"] = "A metric needs a name."
    value, fault = _value(kind, texts["value"])
    if before.get("type") == kind and to_form(before)["value"] == texts["value"]:
        value, fault = before.get("value"), ""
    if fault:
        faults[f"{name}.value"] = fault
    metric["value"] = value
    _axes(metric, kind, texts, name, faults)
    if texts["notes"].strip():
        metric["notes"] = texts["notes"]
    if len(texts["notes"]) > 1024:
        faults[f"{name}.notes"] = f"{len(texts['notes'])} characters; at most 1024 are kept."
    return metric | {key: old for key, old in before.items() if key not in metric and old in ("", [])}


def _axes(metric: dict[str, Any], kind: str, texts: dict[str, str], name: str, faults: Faults) -> None:
    listed = {"bar_chart": ("x_axis_name",), "matrix": ("x_axis_name", "y_axis_name")}.get(kind, ())
    for axis in ("x_axis_name", "y_axis_name"):
        text = texts[axis].strip("\n")
        if not text.strip():
            continue
        named = text.split("\n") if axis in listed else [text]
        if any(len(each) > 63 for each in named):
            faults[f"{name}.{axis}"] = "At most 63 characters are kept for a name on an axis."
        metric[axis] = named if axis in listed else text
    if kind == "bar_chart" and isinstance(metric["value"], list):
        count = len(metric.get("x_axis_name", []))
        if count and count != len(metric["value"]):
            faults[f"{name}.x_axis_name"] = f"{count} names for {len(metric['value'])} bars; write one for each."


def _value(kind: str, text: str) -> tuple[Any, str]:
    if kind == "string":
        return text, "" if len(text) <= 63 else f"{len(text)} characters; at most 63 are kept."
    if kind == "boolean":
        said = text.strip().lower()
        return said == "true", "" if said in ("true", "false") else "Write true or false."
    if kind == "number":
        value = number_of(text)
        return value, "" if value is not None else "Write a number, such as 0.91."
    lines = [line for line in text.split("\n") if line.strip()]
    if kind == "bar_chart":
        numbers = [number_of(line) for line in lines]
        return numbers, "" if numbers and None not in numbers else "Write one number on each line."
    rows = [[number_of(part) for part in line.replace(",", " ").replace("\t", " ").split()] for line in lines]
    if not rows or any(None in row for row in rows):
        return rows, "Write numbers, with commas between them, a line for each row."
    if kind == "linear_graph":
        return rows, "" if all(len(row) == 2 for row in rows) else "Write two numbers on each line: x, y."
    if len(rows) > 20 or any(len(row) > 20 for row in rows):
        return rows, "A matrix has at most 20 rows and 20 columns."
    return rows, "" if len({len(row) for row in rows}) == 1 else "Each row needs equally many numbers."
