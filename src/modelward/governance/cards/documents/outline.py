"""How a card reads: sections of titled fields, evaluations with their measures and drawings. Pure; no markup here."""

from typing import Any

import msgspec

from modelward.governance.cards.documents import charts
from modelward.governance.cards.entities import Content
from modelward.kernel import codec

SECTIONS = (
    "model_overview",
    "model_package_details",
    "intended_uses",
    "business_details",
    "training_details",
    "additional_information",
)
TITLES = {
    "model_id": "Model ID",
    "model_overview": "Model overview",
    "model_package_details": "Model package",
    "intended_uses": "Intended uses",
    "business_details": "Business",
    "training_details": "Training",
    "additional_information": "Considerations and further information",
    "explanations_for_risk_rating": "Why this risk rating",
    "factors_affecting_model_efficiency": "Factors that affect the model",
    "container_image": "Container images",
    "hyper_parameters": "Hyperparameters",
    "user_provided_hyper_parameters": "Hyperparameters (given by a person)",
    "user_provided_training_metrics": "Training metrics (given by a person)",
    "auc": "AUC",
    "rmse": "RMSE",
    "mae": "MAE",
    "mape": "MAPE",
    "mse": "MSE",
    "r2": "R²",
    "f0_5": "F0.5",
    "f1": "F1",
    "f2": "F2",
}
DEPTH_MAX = 8


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field: its title, its value as lines or as rows of name, value and note, and where it comes from."""

    path: str
    title: str
    lines: list[str] = []
    rows: list[list[str]] = []
    origin: str = ""


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """One section of a card."""

    title: str
    fields: list[Field]


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    """A chart: its name, what it shows in words, and its Vega-Lite description.

    One that ``repeats`` draws figures that stand in the rows of its group too.
    """

    name: str
    alt: str
    spec: dict[str, Any]
    note: str = ""
    repeats: bool = False


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A group of measures: plain ones as rows of name, value and note; the others as drawings."""

    name: str
    rows: list[list[str]]
    drawings: list[Drawing]


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """An evaluation as the card tells of it."""

    name: str
    outcome: str
    observation: str
    rows: list[list[str]]
    groups: list[Group]
    origin: str


class Outline(msgspec.Struct, frozen=True, kw_only=True):
    """The whole content of a card in the order in which it is read."""

    sections: list[Section]
    evaluations: list[Told]


def outline(content: Content, origins: dict[str, str]) -> Outline:
    """Put a content into the order of reading; what is empty is left out, nothing else is."""
    sections = []
    for name in SECTIONS:
        fields = list(_fields(content.get(name) or {}, f"$.{name}", origins, 0))
        if fields:
            sections.append(Section(title=plain_name(name), fields=fields))
    told = [_told(each, place, origins) for place, each in enumerate(content.get("evaluation_details", []))]
    return Outline(sections=sections, evaluations=told)


def _fields(value: dict[str, Any], path: str, origins: dict[str, str], depth: int) -> list[Field]:
    found: list[Field] = []
    for key, each in value.items():
        here, title = f"{path}.{key}", plain_name(key)
        if ".objective_function" in path:
            title = f"Objective: {key.replace('_', ' ')}"
        origin = origin_of(here, origins)
        if each in ({}, [], ""):
            continue
        if _is_named(each):
            rows = [[str(one["name"]), figure(one.get("value", "")), str(one.get("notes", ""))] for one in each]
            found.append(Field(path=here, title=title, rows=rows, origin=origin))
        elif key == "custom_details" and isinstance(each, dict):
            rows = [[name, figure(one), ""] for name, one in each.items()]
            found.append(Field(path=here, title=title, rows=rows, origin=origin))
        elif isinstance(each, dict) and depth < DEPTH_MAX:
            found.extend(_fields(each, here, origins, depth + 1))
        else:
            lines = [figure(one) for one in each] if isinstance(each, list) else [figure(each)]
            found.append(Field(path=here, title=title, lines=lines, origin=origin))
    return found


def _is_named(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(each, dict) and set(each) <= {"name", "value", "notes"} and "name" in each for each in value)
    )


def _told(each: dict[str, Any], place: int, origins: dict[str, str]) -> Told:
    metadata = dict(each.get("metadata", {}))
    rows = [["Dataset", one] for one in each.get("datasets", [])]
    if each.get("evaluation_job_arn"):
        rows.append(["Job", each["evaluation_job_arn"]])
    outcome = metadata.pop("outcome", "")
    rows += [[plain_name(name), value] for name, value in metadata.items()]
    return Told(
        name=plain_name(each["name"]),
        outcome=outcome,
        observation=each.get("evaluation_observation", ""),
        rows=rows,
        groups=[_group(one) for one in each.get("metric_groups", [])],
        origin=origin_of(f"$.evaluation_details[{place}]", origins),
    )


def _group(group: dict[str, Any]) -> Group:
    rows, drawings = [], []
    for metric, limits in charts.with_limits(group["metric_data"]):
        spec = charts.spec_of(metric, limits)
        if spec is None:
            rows.append([plain_name(metric["name"]), figure(metric["value"]), str(metric.get("notes", ""))])
        else:
            alt = charts.words_for(metric, limits)
            drawings.append(
                Drawing(name=plain_name(metric["name"]), alt=alt, spec=spec, note=str(metric.get("notes", "")))
            )
    besides = charts.drawn_besides(group)
    spec = charts.spec_of(besides) if besides else None
    if besides and spec:
        drawings.append(Drawing(name=besides["name"], alt=charts.words_for(besides), spec=spec, repeats=True))
    return Group(name=plain_name(group["name"]), rows=rows, drawings=drawings)


def origin_of(path: str, origins: dict[str, str]) -> str:
    """Where the value at a path comes from: its own origin, or that of what holds it; empty: a person wrote it."""
    while path:
        if path in origins:
            return origins[path]
        path = path.rpartition(".")[0] if not path.endswith("]") else path.rpartition("[")[0]
    return ""


def plain_name(name: str) -> str:
    """A name in snake case as words; one that a person wrote stays as it is."""
    if name in TITLES:
        return TITLES[name]
    if not name.isascii() or not name.replace("_", "").isalnum() or name != name.lower():
        return name
    text = name.replace("_", " ").strip()
    return text[:1].upper() + text[1:]


def figure(value: Any) -> str:
    """A value as text: whole numbers in groups of three digits, others with up to six significant ones."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:,.6g}"
    return value if isinstance(value, str) else codec.encode(value).decode()
