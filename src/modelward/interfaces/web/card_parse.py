"""Between a card's content and the fields of a form, both ways, as the schema says. Pure.

A field is named by its steps with dots between them; a list keeps the count of its rows under ``name.#`` and for each row
the place that it had before under ``name.0.of``, so that what a form does not show is not lost.
"""

import json
from typing import Any

from modelward.interfaces.web import card_metrics
from modelward.interfaces.web.card_metrics import Faults, number_of
from modelward.interfaces.web.card_schema import Spec, kind_of, resolved

ABSENT: Any = object()
ROWS_SHOWN_MAX = 100


def to_form(spec: Spec, value: Any, name: str, *, start: int = 0) -> dict[str, str]:
    """A value as the fields of a form; of a long list, a hundred rows from ``start`` on."""
    kind, last = kind_of(spec, name.rpartition(".")[2]), name
    if kind == "group":
        inner = value if isinstance(value, dict) else {}
        found: dict[str, str] = {}
        for key, part in spec["properties"].items():
            found |= to_form(resolved(part), inner.get(key), f"{name}.{key}", start=start)
        return found
    if kind in ("rows", "lines"):
        return _list_to_form(spec, value, name, start=start)
    if kind == "pairs":
        pairs = list(value.items()) if isinstance(value, dict) else []
        found = {f"{name}.#": str(len(pairs))}
        for place, (key, text) in enumerate(pairs):
            found |= {f"{name}.{place}.key": str(key), f"{name}.{place}.value": str(text)}
        return found
    if kind == "objective":
        return _objective_to_form(value, name)
    if kind == "metric":
        told = card_metrics.to_form(value if isinstance(value, dict) else {})
        return {f"{name}.{part}": text for part, text in told.items()}
    if value is None:
        return {last: ""}
    return {last: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}


def _list_to_form(spec: Spec, value: Any, name: str, *, start: int) -> dict[str, str]:
    items = value if isinstance(value, list) else []
    first = start if 0 <= start < len(items) else 0
    shown = items[first : first + ROWS_SHOWN_MAX]
    found = {f"{name}.#": str(len(shown))}
    if len(shown) < len(items):
        found |= {f"{name}.before": str(first), f"{name}.after": str(len(items) - first - len(shown))}
    for place, item in enumerate(shown):
        found[f"{name}.{place}.of"] = str(first + place)
        found |= to_form(resolved(spec["items"]), item, f"{name}.{place}", start=start)
    return found


def _objective_to_form(value: Any, name: str) -> dict[str, str]:
    shape = "words" if isinstance(value, str) else "flat"
    inner = value if isinstance(value, dict) else {}
    if isinstance(inner.get("function"), dict):
        shape, inner = "nested", {**inner["function"], **{key: inner[key] for key in ("notes",) if key in inner}}
    parts = {part: str(inner.get(part, "")) for part in ("function", "facet", "condition", "notes")}
    parts |= {"words": value if isinstance(value, str) else "", "shape": shape}
    return {f"{name}.{part}": text for part, text in parts.items()}


def to_value(spec: Spec, given: dict[str, str], name: str, base: Any, faults: Faults) -> Any:
    """The value that the fields of a form write; ABSENT for none.

    ``base`` is what stood there before: what was not touched stays as it is, and is not judged.
    """
    if base is not None and _is_untouched(spec, given, name, base):
        return base
    kind = kind_of(spec, name.rpartition(".")[2])
    if kind == "group":
        return _group(spec, given, name, base, faults)
    if kind in ("rows", "lines"):
        return _rows(spec, given, name, base, faults)
    if kind == "pairs":
        return _pairs(spec, given, name, base, faults)
    if kind == "objective":
        return _objective(given, name, base, faults)
    if kind == "metric":
        found = card_metrics.to_metric(given, name=name, base=base, faults=faults)
        return ABSENT if found is None else found
    if name not in given:
        return ABSENT if base is None else base
    return _scalar(spec, kind, given[name], name, base, faults)


def _is_untouched(spec: Spec, given: dict[str, str], name: str, base: Any) -> bool:
    shown = to_form(spec, base, name)
    return all(field in given and _as_sent(given[field]) == _as_sent(text) for field, text in shown.items())


def _as_sent(text: str) -> str:
    # A browser sends every line break of a text alike.
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _scalar(spec: Spec, kind: str, text: str, name: str, base: Any, faults: Faults) -> Any:
    if not text.strip():
        return base if base == text and isinstance(base, str) else ABSENT
    if kind == "json":
        try:
            value = json.loads(text)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            faults[name] = "Write a JSON object, such as {}."
        return value
    if kind == "flag":
        return text == "true"
    if kind == "number":
        value = number_of(text)
        if value is None:
            faults[name] = "Write a number."
        elif value < spec.get("minimum", value):
            faults[name] = f"{text.strip()} is too small; the least is {spec['minimum']}."
        return value
    fault = text_fault(spec, text)
    if fault:
        faults[name] = fault
    return text


def text_fault(spec: Spec, text: str) -> str:
    """What is wrong with a text by the schema; empty when nothing is."""
    longest = spec.get("maxLength")
    if longest is not None and len(text) > longest:
        return f"{len(text)} characters; at most {longest} are kept."
    if "enum" in spec and text not in spec["enum"]:
        return f"Choose one of {', '.join(spec['enum'])}."
    return ""


def _group(spec: Spec, given: dict[str, str], name: str, base: Any, faults: Faults) -> Any:
    known = base if isinstance(base, dict) else {}
    found = {key: value for key, value in known.items() if key not in spec["properties"]}
    written: Faults = {}
    for key, part in spec["properties"].items():
        value = to_value(resolved(part), given, f"{name}.{key}", known.get(key), written)
        if value is not ABSENT:
            found[key] = value
    faults |= written
    if not found:
        return base if base == {} else ABSENT
    for key in spec.get("required", []):
        # A list that must be there may be empty; so may a new one.
        if key not in found and kind_of(resolved(spec["properties"][key]), key) in ("rows", "lines"):
            found[key] = []
        elif key not in found:
            faults[f"{name}.{key}"] = "This field is needed here."
    return {key: found[key] for key in [*known, *found] if key in found}


def count_of(given: dict[str, str], name: str) -> int:
    """How many rows a list has in the form."""
    return min(number_in(given, f"{name}.#"), 10_000)


def number_in(given: dict[str, str], field: str) -> int:
    """A whole number that a hidden field carries; 0 for anything else."""
    text = given.get(field, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0


def _rows(spec: Spec, given: dict[str, str], name: str, base: Any, faults: Faults) -> Any:
    if f"{name}.#" not in given:
        return ABSENT if base is None else base
    before = base if isinstance(base, list) else []
    inner, found = resolved(spec["items"]), []
    for place in range(count_of(given, name)):
        of = given.get(f"{name}.{place}.of", "")
        old = before[int(of)] if of.isascii() and of.isdigit() and int(of) < len(before) else None
        value = to_value(inner, given, f"{name}.{place}", old, faults)
        if value is not ABSENT:
            found.append(value)
    ahead, behind = number_in(given, f"{name}.before"), number_in(given, f"{name}.after")
    found = [*before[:ahead], *found, *before[max(len(before) - behind, ahead) :]]
    most = spec.get("maxItems")
    if most is not None and len(found) > most:
        faults[name] = f"{len(found)} entries; at most {most} are kept."
    return found if found or base == [] else ABSENT


def _pairs(spec: Spec, given: dict[str, str], name: str, base: Any, faults: Faults) -> Any:
    if f"{name}.#" not in given:
        return ABSENT if base is None else base
    found: dict[str, str] = {}
    for place in range(count_of(given, name)):
        key, value = given.get(f"{name}.{place}.key", ""), given.get(f"{name}.{place}.value", "")
        if not key.strip() and not value.strip():
            continue
        if not key.strip():
            faults[f"{name}.{place}.key"] = "A name is needed here."
        elif key in found:
            faults[f"{name}.{place}.key"] = "This name stands here twice."
        fault = text_fault(resolved(spec["additionalProperties"]), value)
        if fault:
            faults[f"{name}.{place}.value"] = fault
        found[key] = value
    return found if found or base == {} else ABSENT


def _objective(given: dict[str, str], name: str, base: Any, faults: Faults) -> Any:
    parts = {part: given.get(f"{name}.{part}", "") for part in ("function", "facet", "condition", "notes")}
    said, shape = given.get(f"{name}.words", ""), given.get(f"{name}.shape", "flat")
    for part, longest in (("facet", 63), ("condition", 63), ("notes", 1024), ("words", 1024)):
        text = given.get(f"{name}.{part}", "")
        if len(text) > longest:
            faults[f"{name}.{part}"] = f"{len(text)} characters; at most {longest} are kept."
    filled = {part: text for part, text in parts.items() if text.strip()}
    if said.strip() and filled:
        faults[f"{name}.words"] = "Write the objective in words or in parts, not in both."
        return filled
    if said.strip():
        return said
    if not filled:
        return base if base in ("", {}) else ABSENT
    if shape == "nested":
        notes = {"notes": filled.pop("notes")} if "notes" in filled else {}
        return {**({"function": filled} if filled else {}), **notes}
    return filled


def with_row(given: dict[str, str], name: str) -> dict[str, str]:
    """The fields with one more row at the end of a list."""
    count = min(count_of(given, name) + 1, 10_000)
    return {**given, f"{name}.#": str(count)}


def without_row(given: dict[str, str], name: str, place: int) -> dict[str, str]:
    """The fields without one row of a list; those behind it move up."""
    found: dict[str, str] = {}
    for field, text in given.items():
        row, _, rest = field[len(name) + 1 :].partition(".") if field.startswith(name + ".") else ("", "", "")
        if not (row.isascii() and row.isdigit()):
            found[field] = text
        elif int(row) != place:
            moved = int(row) - (int(row) > place)
            found[f"{name}.{moved}" + (f".{rest}" if rest else "")] = text
    return {**found, f"{name}.#": str(max(count_of(given, name) - 1, 0))}
