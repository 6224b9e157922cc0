"""Model Card Toolkit JSON (schema 0.0.2), in and out."""

from typing import Any

import msgspec

from modelward.governance.cards.documents import measures
from modelward.governance.cards.documents.dropping import (
    Dropped,
    Imported,
    Source,
    Written,
    first,
    fitting,
    parsed_object,
    without_empty,
)
from modelward.governance.cards.documents.facts import CardFacts
from modelward.governance.cards.documents.mapping import custom_of, joined, named_rows, nested, set_at
from modelward.governance.cards.entities import Content
from modelward.kernel import codec
from modelward.kernel.errors import Invalid

VERSION = "0.0.2"
WHY_OUT = "The Model Card Toolkit has no place for this."
WHY_IN = "A card has no place for this."
ONE = {
    "model_details.name": ("model_overview.model_name", 1024),
    "model_details.overview": ("model_overview.model_description", 1024),
    "model_parameters.model_architecture": ("model_overview.algorithm_type", 1024),
    "model_details.documentation": ("intended_uses.purpose_of_model", 2048),
}
LISTED = {
    "considerations.users": "business_details.business_stakeholders",
    "considerations.use_cases": "intended_uses.intended_uses",
    "considerations.limitations": "additional_information.caveats_and_recommendations",
    "considerations.tradeoffs": "intended_uses.factors_affecting_model_efficiency",
}


def write(facts: CardFacts) -> Written:
    """Write the card; what the format has no place for is told."""
    content, document = facts.content, {"schema_version": VERSION}
    source = Source(content)
    for theirs, (ours, _) in ONE.items():
        if text := source.take(ours):
            set_at(document, theirs, text)
    if not nested(document, "model_details", "name"):
        set_at(document, "model_details.name", str(facts.model or facts.name))
    for theirs, ours in LISTED.items():
        if text := source.take(ours):
            set_at(document, theirs, [{"description": text}])
    if owner := source.take("model_overview.model_owner"):
        set_at(document, "model_details.owners", [{"name": owner}])
    version = source.take("model_overview.model_version", (int, float))
    number = codec.encode(version).decode() if version is not None else str(facts.number)
    set_at(document, "model_details.version", {"name": number, "date": f"{facts.at:%Y-%m-%d}"})
    if ethics := source.take("additional_information.ethical_considerations"):
        set_at(document, "considerations.ethical_considerations", [{"name": ethics}])
    if datasets := source.take("training_details.training_job_details.training_datasets", list):
        set_at(document, "model_parameters.data", [{"name": each} for each in datasets])
    told = [{"type": each.name, "value": each.text, "slice": each.slice} for each in measures.plain_measures(content)]
    if told:
        set_at(document, "quantitative_analysis.performance_metrics", told)
    source.take("evaluation_details", list)
    dropped = [*source.leave(WHY_OUT), *measures.unplain(content)]
    return Written(data=msgspec.json.format(codec.encode(document), indent=1) + b"\n", dropped=dropped)


def read(data: bytes) -> Imported:
    """Read the JSON of the toolkit."""
    document = parsed_object(data)
    if not any(isinstance(document.get(key), dict) for key in ("model_details", "considerations", "model_parameters")):
        raise Invalid("The document is no model card of the Model Card Toolkit.", field="document.model_details")
    source = Source(document)
    content: Content = {}
    dropped = source.dropped
    source.take("schema_version")
    for theirs, (ours, most) in ONE.items():
        if text := source.take(theirs):
            set_at(content, ours, fitting(text, most, f"$.{theirs}", dropped))
    for theirs, ours in LISTED.items():
        if listed := source.take(theirs, list):
            set_at(content, ours, fitting(joined(listed, f"$.{theirs}", dropped), 2048, f"$.{theirs}", dropped))
    _details(source, content)
    _data(source, content)
    told = [
        ": ".join(str(each[key]) for key in ("name", "mitigation_strategy") if each.get(key))
        for each in named_rows(source.take("considerations.ethical_considerations", list))
    ]
    text = fitting("\n".join(told), 2048, "$.considerations.ethical_considerations", dropped)
    set_at(content, "additional_information.ethical_considerations", text)
    path = "quantitative_analysis.performance_metrics"
    found = _measures(source.take(path, list) or [], f"$.{path}", dropped)
    content["evaluation_details"] = measures.evaluations_of(found, name="performance metrics")
    name = str(nested(document, "model_details", "name") or "")
    return Imported(content=without_empty(content), dropped=source.leave(WHY_IN), name=name)


def _details(source: Source, content: Content) -> None:
    dropped = source.dropped
    owners = named_rows(source.take("model_details.owners", list))
    told = ", ".join(
        " ".join(
            part for part in (str(each.get("name", "")), f"<{each['contact']}>" if each.get("contact") else "") if part
        )
        for each in owners
    )
    set_at(content, "model_overview.model_owner", fitting(told, 1024, "$.model_details.owners", dropped))
    version = source.take("model_details.version.name")
    number = int(version) if version and version.isascii() and version.isdigit() and len(version) < 10 else 0
    if number >= 1:
        set_at(content, "model_overview.model_version", number)
    elif version:
        custom_of(content, "version", version, dropped)
    for key, name in (("version.date", "version date"), ("version.diff", "version difference"), ("path", "path")):
        if text := source.take(f"model_details.{key}"):
            custom_of(content, name, text, dropped)
    for key, field in (("licenses", "identifier"), ("references", "reference"), ("citations", "citation")):
        rows = named_rows(source.take(f"model_details.{key}", list))
        texts = [str(each.get(field) or each.get("custom_text") or "") for each in rows]
        custom_of(content, key, "\n".join(text for text in texts if text), dropped)


def _data(source: Source, content: Content) -> None:
    names = []
    for place, each in enumerate(named_rows(source.take("model_parameters.data", list))):
        name, link = str(each.get("name", "")), str(each.get("link", ""))
        told = f"{name} ({link})" if name and link else name or link
        here = f"model_parameters.data[{place}]"
        names.append(fitting(told, 1024, f"$.{here}", source.dropped))
        for key in sorted(set(each) - {"name", "link"}):
            source.drop(f"{here}.{key}", "A card keeps the names of data sets.")
    kept = first([name for name in names if name], 15, "$.model_parameters.data", source.dropped)
    set_at(content, "training_details.training_job_details.training_datasets", kept)
    for key in ("input_format", "output_format"):
        if text := source.take(f"model_parameters.{key}"):
            custom_of(content, key.replace("_", " "), text, source.dropped)


def _measures(listed: list[Any], path: str, dropped: list[Dropped]) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for place, each in enumerate(named_rows(listed)):
        interval, notes = each.get("confidence_interval"), ""
        if isinstance(interval, dict):
            notes = f"confidence interval {interval.get('lower_bound', '?')} to {interval.get('upper_bound', '?')}"
        here = f"{path}[{place}]"
        metric = measures.metric_of(each.get("type"), each.get("value"), notes=notes, path=here, dropped=dropped)
        if metric:
            found.append((str(each.get("slice", "")), metric))
    return found
