"""The form over a card: its fields as the schema asks for them, with what was written, what is wrong and what is bound.

Pure. Between values and fields see card_parse.py.
"""

from typing import Any

import msgspec

from modelward.governance.cards.evidence import BoundField
from modelward.interfaces.web import card_schema
from modelward.interfaces.web.card_content import origin_of
from modelward.interfaces.web.card_metrics import Faults
from modelward.interfaces.web.card_parse import ABSENT, count_of, number_in, to_form, to_value
from modelward.interfaces.web.card_schema import Spec, kind_of, resolved, title_of


class Node(msgspec.Struct, kw_only=True):
    """One field of the form, or a group or list of them. ``name`` is that in the form, ``path`` that in the card."""

    kind: str
    name: str
    path: str
    title: str
    help: str = ""
    item: str = ""
    longest: int | None = None
    most: int | None = None
    choices: list[str] = []
    required: bool = False
    value: str = ""
    parts: list["Node"] = []
    rows: list["Row"] = []
    before: int = 0
    after: int = 0
    origin: str = ""
    bound: BoundField | None = None
    fault: str = ""

    @property
    def id(self) -> str:
        """The id of its element on the page."""
        return id_of(self.name)

    @property
    def many_lines(self) -> bool:
        """Whether the text needs more than one line; a browser would drop the line breaks of an input."""
        return self.kind == "text" or "\n" in self.value or len(self.value) > 300


class Row(msgspec.Struct, kw_only=True):
    """One row of a list. ``of`` is the place that it had in the card, where it had one."""

    place: int
    of: str
    name: str
    parts: list[Node]
    bound: BoundField | None = None


class Drawing(msgspec.Struct, kw_only=True):
    """What a form is drawn from besides the schema."""

    given: dict[str, str]
    faults: Faults = {}
    origins: dict[str, str] = {}
    bindings: dict[str, BoundField] = {}


def id_of(name: str) -> str:
    """The id of the element for a field."""
    return "f-" + name.replace(".", "-")


def draw(spec: Spec, name: str, path: str, drawing: Drawing, *, required: bool = False) -> Node:
    """The node for one part of the schema."""
    last = name.rpartition(".")[2]
    kind = kind_of(spec, last)
    node = Node(
        kind=kind,
        name=name,
        path=path,
        title=title_of(last) if "." in name else card_schema.section_title(last),
        help=card_schema.HELP.get(last, ""),
        item=card_schema.ITEM.get(last, "entry"),
        longest=spec.get("maxLength"),
        most=spec.get("maxItems"),
        choices=list(spec.get("enum", [])),
        required=required,
        value=drawing.given.get(name, ""),
        origin=origin_of(path, drawing.origins),
        bound=drawing.bindings.get(path),
        fault=drawing.faults.get(name, ""),
    )
    if kind == "group":
        node.parts = _parts(spec, name, path, drawing)
    elif kind in ("rows", "lines"):
        node.rows = _rows(spec, name, path, drawing)
        node.before, node.after = number_in(drawing.given, f"{name}.before"), number_in(drawing.given, f"{name}.after")
    elif kind == "pairs":
        inner = resolved(spec["additionalProperties"])
        node.rows = _pairs(inner, name, path, drawing)
    elif kind == "objective":
        node.parts = _named(name, path, drawing, ("function", "facet", "condition", "notes", "words", "shape"))
        node.parts[0].kind, node.parts[0].choices = "choice", ["Maximize", "Minimize"]
        node.parts[1].title, node.parts[4].title = "Of what", "Or in words"
        node.parts[1].help = "Such as loss, accuracy or AUC."
    elif kind == "metric":
        node.parts = _metric(name, path, drawing)
    return node


def _parts(spec: Spec, name: str, path: str, drawing: Drawing) -> list[Node]:
    needed = spec.get("required", [])
    return [
        draw(resolved(part), f"{name}.{key}", f"{path}.{key}", drawing, required=key in needed)
        for key, part in spec["properties"].items()
    ]


def _rows(spec: Spec, name: str, path: str, drawing: Drawing) -> list[Row]:
    inner, rows = resolved(spec["items"]), []
    for place in range(count_of(drawing.given, name)):
        of = drawing.given.get(f"{name}.{place}.of", "")
        here = f"{path}[{of}]" if of else f"{path}[new]"
        node = draw(inner, f"{name}.{place}", here, msgspec.structs.replace(drawing, origins={}))
        parts = node.parts if node.kind in ("group", "metric") else [node]
        rows.append(Row(place=place, of=of, name=f"{name}.{place}", parts=parts, bound=drawing.bindings.get(here)))
    return rows


def _pairs(inner: Spec, name: str, path: str, drawing: Drawing) -> list[Row]:
    rows = []
    for place in range(count_of(drawing.given, name)):
        parts = _named(f"{name}.{place}", f"{path}[new]", drawing, ("key", "value"))
        parts[0].title, parts[0].required = "Name", True
        parts[1].longest = inner.get("maxLength")
        rows.append(Row(place=place, of="", name=f"{name}.{place}", parts=parts))
    return rows


def _named(name: str, path: str, drawing: Drawing, keys: tuple[str, ...]) -> list[Node]:
    return [
        Node(
            kind="line",
            name=f"{name}.{key}",
            path=f"{path}.{key}",
            title=title_of(key),
            value=drawing.given.get(f"{name}.{key}", ""),
            fault=drawing.faults.get(f"{name}.{key}", ""),
            bound=drawing.bindings.get(f"{path}.{key}"),
        )
        for key in keys
    ]


def _metric(name: str, path: str, drawing: Drawing) -> list[Node]:
    parts = _named(name, path, drawing, ("name", "type", "value", "x_axis_name", "y_axis_name", "notes"))
    parts[0].required = True
    parts[1].kind, parts[1].choices = "choice", list(card_schema.METRIC_TYPES)
    parts[1].value, parts[1].required = parts[1].value or "number", True
    if parts[1].value not in ("number", "boolean", "string"):
        parts[2].kind = "text"
    return parts


def sections_form(content: dict[str, Any]) -> dict[str, str]:
    """The fields of all sections but the evaluations, as the content fills them."""
    given: dict[str, str] = {}
    for name in card_schema.SECTIONS:
        given |= to_form(card_schema.section(name), content.get(name), name)
    return given


def sections_content(given: dict[str, str], base: dict[str, Any]) -> tuple[dict[str, Any], Faults]:
    """The content that the fields write over what stood there before, and what is wrong with it by field."""
    faults: Faults = {}
    found = dict(base)
    for name in card_schema.SECTIONS:
        value = to_value(card_schema.section(name), given, name, base.get(name), faults)
        if value is ABSENT:
            found.pop(name, None)
        else:
            found[name] = value
    return found, faults


def name_at(path: str, given: dict[str, str], *, root: str = "$", name: str = "") -> str:
    """The field of the form that shows a path of the card, or the nearest list or group around it; empty for none."""
    if path != root and not path.startswith((root + ".", root + "[")):
        return ""
    steps = path[len(root) :].replace("[", ".[").split(".")
    told = name
    for step in steps:
        if not step:
            continue
        if step.startswith("["):
            key = step[1:-1]
            places = range(count_of(given, told))
            here = [each for each in places if given.get(f"{told}.{each}.of") == key]
            here = here or [each for each in places if given.get(f"{told}.{each}.key") == key.strip('"')]
            if not here:
                return told
            told = f"{told}.{here[0]}"
        else:
            told = f"{told}.{step}" if told else step
    return told
