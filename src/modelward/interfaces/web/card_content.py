"""How the content of a card reads on a page: sections with their fields, each with where it comes from. Pure."""

from typing import Any

import msgspec

from modelward.governance.cards.documents import charts as drawings
from modelward.governance.cards.entities import Content
from modelward.governance.cards.evidence import BoundField
from modelward.governance.cards.paths import deeper
from modelward.interfaces.web import charts, words
from modelward.interfaces.web.card_schema import SECTIONS, order, section_title, title_of
from modelward.interfaces.web.charts import Bar

DEPTH_MAX = 6
POINTS_DRAWN_MAX = 400
Bindings = dict[str, BoundField]


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a card: its title, its value as lines, or as name and value pairs, its origin, and what it is bound to.

    A pair comes with the binding of its value, where there is one.
    """

    path: str
    title: str
    lines: list[str] = []
    pairs: list[tuple[str, str, BoundField | None]] = []
    origin: str = ""
    bound: BoundField | None = None


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """One section of a card."""

    name: str
    title: str
    fields: list[Field]


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """One measure or drawing of an evaluation on a card."""

    name: str
    value: Any = None
    bars: list[Bar] = []
    matrix: list[list[Any]] = []
    across: list[str] = []
    down: list[str] = []
    points: list[list[float]] = []
    chart: charts.Chart | None = None


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """An evaluation as a card tells of it."""

    name: str
    observation: str
    origin: str
    outcome: str
    evaluation: str
    groups: list[tuple[str, list[Shown], list[Shown]]]
    datasets: list[str] = []
    entries: list[tuple[str, str]] = []
    bound: BoundField | None = None


def sections(content: Content, origins: dict[str, str], bindings: Bindings | None = None) -> list[Section]:
    """The sections of a card in their order, empty ones left out; evaluations apart."""
    found = []
    for name in SECTIONS:
        if name in content:
            fields = _fields(content[name], f"$.{name}", origins, bindings or {}, 0)
            found.append(Section(name=name, title=section_title(name), fields=fields))
    return found


def _fields(value: dict[str, Any], path: str, origins: dict[str, str], bindings: Bindings, depth: int) -> list[Field]:
    fields: list[Field] = []
    places = order()
    for key, each in sorted(value.items(), key=lambda pair: places.get(pair[0], len(places))):
        here = deeper(path, key)
        title, origin = title_of(key) if depth < DEPTH_MAX else key, origin_of(here, origins)
        if _is_pairs(each):
            pairs = [
                (str(item.get("name", "")), words.figure(item.get("value", "")), bindings.get(f"{here}[{place}].value"))
                for place, item in enumerate(each)
            ]
            fields.append(Field(path=here, title=title, pairs=pairs, origin=origin))
        elif key == "custom_details" and isinstance(each, dict):
            named = [(name, _line(text), bindings.get(deeper(here, name))) for name, text in each.items()]
            fields.append(Field(path=here, title=title, pairs=named, origin=origin))
        elif key == "objective_function" and isinstance(each, dict):
            fields.append(Field(path=here, title=title, lines=_objective(each), origin=origin))
        elif isinstance(each, dict) and each and depth < DEPTH_MAX:
            fields.extend(_fields(each, here, origins, bindings, depth + 1))
        else:
            lines = [_line(item) for item in each] if isinstance(each, list) else [_line(each)]
            fields.append(Field(path=here, title=title, lines=lines, origin=origin, bound=bindings.get(here)))
    return fields


def _objective(value: dict[str, Any]) -> list[str]:
    """The objective in a line, with its notes below: Maximize AUC, on holdout."""
    inner = value["function"] if isinstance(value.get("function"), dict) else value
    named = [str(inner[part]) for part in ("function", "facet", "condition") if inner.get(part)]
    notes = [str(value["notes"])] if value.get("notes") else []
    return [" ".join(named), *notes] if named else notes


def _is_pairs(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) and "name" in each for each in value)


def _line(value: Any) -> str:
    if isinstance(value, str):
        return value
    return words.figure(value) if isinstance(value, int | float) else msgspec.json.encode(value).decode()


def origin_of(path: str, origins: dict[str, str]) -> str:
    """Where the value at a path comes from: its own origin, or that of what holds it; empty: a person wrote it."""
    while path:
        if path in origins:
            return origins[path]
        path = path.rpartition(".")[0] if not path.endswith("]") else path.rpartition("[")[0]
    return ""


def evaluations(content: Content, origins: dict[str, str], bindings: Bindings | None = None) -> list[Told]:
    """The evaluations of a card, numbers apart from drawings."""
    told = []
    for place, each in enumerate(content.get("evaluation_details", [])):
        meta = each.get("metadata", {})
        groups = []
        for group in each.get("metric_groups", []):
            measures = [_shown(*each) for each in drawings.with_limits(group.get("metric_data", []))]
            besides = drawings.drawn_besides({"metric_data": [], **group})
            measures += [_shown(besides, [])] if besides else []
            # A number that stands beside its bar below need not stand here too.
            drawn = {(bar.label, bar.value) for one in measures for bar in one.bars}
            plain = [one for one in measures if one.value is not None and (one.name, one.value) not in drawn]
            groups.append((group.get("name", ""), plain, [one for one in measures if one.value is None]))
        told.append(
            Told(
                name=each.get("name", ""),
                observation=each.get("evaluation_observation", ""),
                origin=origin_of(f"$.evaluation_details[{place}]", origins),
                outcome=str(meta.get("outcome", "")),
                evaluation=str(meta.get("evaluation", "")),
                groups=groups,
                datasets=[str(one) for one in each.get("datasets", [])],
                entries=[(str(key), str(text)) for key, text in meta.items() if key not in ("outcome", "evaluation")],
                bound=(bindings or {}).get(f"$.evaluation_details[{place}].metric_groups"),
            )
        )
    return told


def _with_limits(metric: dict[str, Any], limits: list[float]) -> charts.Chart:
    """The drawing that the documents show, as wide as the page has room for."""
    spec = drawings.spec_of(metric, limits) or {}
    told = spec["data"]["values"]
    fitted = {
        **spec,
        "title": None,
        "width": "container",
        "height": 18 * len(told),
        "autosize": {"type": "fit-x", "contains": "padding"},
    }
    return charts.Chart(
        spec=msgspec.json.encode(fitted).decode(),
        label=str(metric.get("name", "")),
        columns=["Name", str(metric.get("y_axis_name") or "Value"), "Limit"],
        rows=[[each["name"], each["value"], each["limit"]] for each in told],
        note=" ".join(part for part in (spec["description"], str(metric.get("notes", ""))) if part),
    )


def _shown(metric: dict[str, Any], limits: list[float]) -> Shown:
    name, kind, value = str(metric.get("name", "")), metric.get("type"), metric.get("value")
    across, down = metric.get("x_axis_name"), metric.get("y_axis_name")
    if kind == "bar_chart" and isinstance(value, list) and limits:
        return Shown(name=name, points=[[each] for each in value], chart=_with_limits(metric, limits))
    if kind == "bar_chart" and isinstance(value, list):
        labels = across if isinstance(across, list) else []
        named = [(str(labels[n]) if n < len(labels) else str(n + 1), number) for n, number in enumerate(value)]
        is_share = all(0 <= number <= 1 for number in value)
        return Shown(name=name, bars=charts.bars(named, full=1.0 if is_share else None))
    if kind == "matrix" and isinstance(value, list):
        return Shown(
            name=name,
            matrix=value,
            across=[str(each) for each in across] if isinstance(across, list) else [],
            down=[str(each) for each in down] if isinstance(down, list) else [],
        )
    if kind == "linear_graph" and isinstance(value, list):
        across_name, up = (one if isinstance(one, str) else "" for one in (across, down))
        few = value[:: max(1, len(value) // POINTS_DRAWN_MAX)]
        return Shown(name=name, points=value, chart=charts.line(few, label=name, across=across_name, up=up))
    return Shown(name=name, value=value if value is not None else "–")
