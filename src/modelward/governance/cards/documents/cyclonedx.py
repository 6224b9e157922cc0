"""CycloneDX 1.6 ML-BOM, in and out: the card as ``modelCard`` of a component, what that lacks as properties of ours."""

import uuid
from typing import Any

import msgspec

from modelward.governance.cards import rules
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
from modelward.governance.cards.documents.mapping import artifacts_of, custom_of, joined, named_rows, nested, set_at
from modelward.governance.cards.entities import Content
from modelward.kernel import codec
from modelward.kernel.clock import timestamp
from modelward.kernel.errors import Invalid

VERSION = "1.6"
SCHEMA = "http://cyclonedx.org/schema/bom-1.6.schema.json"
READ = ("1.5", "1.6", "1.7")
# Names of properties of ours: this, then a path of the card; the value is JSON.
OURS = "modelward:"
WHY = "A card has no place for this."
ONE = {
    "description": "model_overview.model_description",
    "modelCard.modelParameters.task": "model_overview.problem_type",
    "modelCard.modelParameters.architectureFamily": "model_overview.algorithm_type",
    "supplier.name": "model_overview.model_owner",
}
LISTED = {
    "modelCard.considerations.useCases": "intended_uses.intended_uses",
    "modelCard.considerations.technicalLimitations": "additional_information.caveats_and_recommendations",
    "modelCard.considerations.performanceTradeoffs": "intended_uses.factors_affecting_model_efficiency",
}


def write(facts: CardFacts) -> Written:
    """Write the card as a BOM with one component. Nothing is dropped: what CycloneDX lacks goes into properties."""
    document = {
        "$schema": SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": VERSION,
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{facts.name}/{facts.number}/{facts.digest}')}",
        "version": 1,
        "metadata": {
            "timestamp": timestamp(facts.at),
            "tools": {"components": [{"type": "application", "name": "Modelward"}]},
            "properties": [
                {"name": "modelward-card:status", "value": facts.status},
                {"name": "modelward-card:digest", "value": str(facts.digest)},
            ],
        },
        "components": [_component(facts)],
    }
    return Written(data=msgspec.json.format(codec.encode(document), indent=1) + b"\n")


def _component(facts: CardFacts) -> dict[str, Any]:
    content = facts.content
    source = Source(content)
    component: dict[str, Any] = {
        "type": "machine-learning-model",
        "bom-ref": f"{facts.name}@{facts.number}",
        "name": source.take("model_overview.model_name") or str(facts.model or facts.name),
    }
    number = content.get("model_overview", {}).get("model_version")
    component["version"] = codec.encode(number).decode() if number is not None else str(facts.number)
    for theirs, ours in ONE.items():
        if text := source.take(ours):
            set_at(component, theirs, text)
    for theirs, ours in LISTED.items():
        if text := source.take(ours):
            set_at(component, theirs, [text])
    if creator := source.take("model_overview.model_creator"):
        component["authors"] = [{"name": creator}]
    if ethics := source.take("additional_information.ethical_considerations"):
        set_at(component, "modelCard.considerations.ethicalConsiderations", [{"name": ethics}])
    if datasets := source.take("training_details.training_job_details.training_datasets", list):
        data = [{"type": "dataset", "name": each} for each in datasets]
        set_at(component, "modelCard.modelParameters.datasets", data)
    hashes = [each[7:] for each in content.get("model_overview", {}).get("model_artifact", []) if _is_digest(each)]
    if len(hashes) == 1:
        component["hashes"] = [{"alg": "SHA-256", "content": hashes[0]}]
    told = [{"type": each.name, "value": each.text, "slice": each.slice} for each in measures.plain_measures(content)]
    if told:
        set_at(component, "modelCard.quantitativeAnalysis.performanceMetrics", told)
    component["properties"] = _properties(content, source)
    if facts.link:
        component["externalReferences"] = [{"type": "documentation", "url": facts.link}]
    return component


def _properties(content: Content, source: Source) -> list[dict[str, str]]:
    """What found no other place, as properties of ours."""
    left = [
        {"name": f"{OURS}{each.path.removeprefix('$.')}", "value": codec.encode(_at(content, each.path)).decode()}
        for each in source.leave("")
    ]
    # A component must have a name, and has a version; that they are not the card's own must not be lost.
    unsaid = [key for key in ("model_name", "model_version") if key not in content.get("model_overview", {})]
    return left + [{"name": f"{OURS}model_overview.{key}", "value": "null"} for key in unsaid]


def _is_digest(text: Any) -> bool:
    return isinstance(text, str) and text.startswith("sha256:") and len(text) == 71


def _at(content: Any, path: str) -> Any:
    # Paths that ``Source`` writes name whole values two or three steps down; their last step may hold dots.
    here, rest = content, path.removeprefix("$.")
    while rest:
        key = next(each for each in sorted(here, key=len, reverse=True) if rest == each or rest.startswith(f"{each}."))
        here, rest = here[key], rest[len(key) + 1 :]
    return here


def read(data: bytes) -> Imported:
    """Read the first machine learning model of a BOM that has a model card, or else the first model."""
    document = parsed_object(data)
    if document.get("bomFormat") != "CycloneDX" or document.get("specVersion") not in READ:
        raise Invalid(f"The document is no CycloneDX BOM of version {', '.join(READ)}.", field="document.specVersion")
    components = _models(document)
    if not components:
        raise Invalid("The BOM names no component of the type machine-learning-model.", field="document.components")
    place, component = next((one for one in components if isinstance(one[1].get("modelCard"), dict)), components[0])
    source = Source(component)
    content = without_empty(_content(source))
    dropped = source.leave(WHY)
    dropped = [Dropped(path=f"$.{place}{each.path[1:]}", why=each.why) for each in dropped]
    others = [other for other, _ in components if other != place]
    dropped += [Dropped(path=f"$.{other}", why="A card tells of one model.") for other in others]
    for section in ("dependencies", "vulnerabilities", "services", "declarations", "compositions", "annotations"):
        if document.get(section):
            dropped.append(Dropped(path=f"$.{section}", why=WHY))
    return Imported(content=content, dropped=dropped, name=str(component.get("name", "")))


def _models(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    metadata = document.get("metadata")
    found = [("metadata.component", metadata.get("component"))] if isinstance(metadata, dict) else []
    listed = document.get("components")
    found += [(f"components[{place}]", each) for place, each in enumerate(listed if isinstance(listed, list) else [])]
    return [
        (place, each)
        for place, each in found
        if isinstance(each, dict) and each.get("type") == "machine-learning-model"
    ]


def _content(source: Source) -> Content:
    dropped = source.dropped
    content: Content = {}
    for known in ("type", "bom-ref"):
        source.take(known)
    exact = _ours(source)
    if (name := source.take("name")) and "model_overview.model_name" not in exact:
        set_at(content, "model_overview.model_name", fitting(name, 1024, "$.name", dropped))
    for theirs, ours in ONE.items():
        if text := source.take(theirs):
            set_at(content, ours, fitting(text, 1024, f"$.{theirs}", dropped))
    for theirs, ours in LISTED.items():
        if listed := source.take(theirs, list):
            set_at(content, ours, fitting(joined(listed, f"$.{theirs}", dropped), 2048, f"$.{theirs}", dropped))
    version = source.take("version")
    if version and "model_overview.model_version" not in exact:
        custom_of(content, "version", version, dropped)
    _people(source, content)
    _parameters(source, content)
    _considerations(source, content)
    if "evaluation_details" not in exact:
        path = "modelCard.quantitativeAnalysis.performanceMetrics"
        found = _measures(source.take(path, list) or [], f"$.{path}", dropped)
        content["evaluation_details"] = measures.evaluations_of(found, name="performance metrics")
    else:
        source.take("modelCard.quantitativeAnalysis.performanceMetrics", list)
    hashes = artifacts_of(named_rows(source.take("hashes", list)))
    if hashes and "model_overview.model_artifact" not in exact:
        set_at(content, "model_overview.model_artifact", hashes)
    for path, value in exact.items():
        set_at(content, path, value)
    return content


def _ours(source: Source) -> dict[str, Any]:
    """What an export of ours put into properties: path -> value; other properties are kept as custom details."""
    exact: dict[str, Any] = {}
    for place, each in enumerate(named_rows(source.take("properties", list))):
        name, value = str(each.get("name", "")), each.get("value", "")
        path = name.removeprefix(OURS)
        try:
            if name.startswith(OURS) and path.partition(".")[0] in rules.schema()["properties"]:
                exact |= _spread(path, msgspec.json.decode(str(value)))
                continue
        except msgspec.DecodeError:
            pass
        source.drop(f"properties[{place}]", f"The property {name[:80]!r} is not one of ours.")
    return exact


def _spread(path: str, value: Any) -> dict[str, Any]:
    """A whole section as its fields, each by its path."""
    if isinstance(value, dict) and "." not in path:
        return {f"{path}.{key}": each for key, each in value.items()}
    return {path: value}


def _people(source: Source, content: Content) -> None:
    authors = [str(each["name"]) for each in named_rows(source.take("authors", list)) if each.get("name")]
    if not authors and (author := source.take("author")):
        authors = [author]
    if authors:
        set_at(content, "model_overview.model_creator", fitting(", ".join(authors), 1024, "$.authors", source.dropped))
    for key in ("publisher", "group", "copyright", "purl"):
        if text := source.take(key):
            custom_of(content, key, text, source.dropped)


def _parameters(source: Source, content: Content) -> None:
    path = "modelCard.modelParameters"
    if text := source.take(f"{path}.modelArchitecture"):
        custom_of(content, "model architecture", text, source.dropped)
    if text := source.take(f"{path}.approach.type"):
        custom_of(content, "learning approach", text, source.dropped)
    for side in ("inputs", "outputs"):
        formats = [
            str(each["format"]) for each in named_rows(source.take(f"{path}.{side}", list)) if each.get("format")
        ]
        if formats:
            custom_of(content, side, ", ".join(formats), source.dropped)
    names = []
    for place, each in enumerate(named_rows(source.take(f"{path}.datasets", list))):
        name = each.get("name") or nested(each, "contents", "url") or each.get("ref")
        if name:
            names.append(fitting(name, 1024, f"$.{path}.datasets[{place}]", source.dropped))
        for key in set(each) - {"type", "name", "ref", "bom-ref"}:
            if not (key == "contents" and not each.get("name")):
                source.drop(f"{path}.datasets[{place}].{key}", "A card keeps the names of data sets.")
    if names:
        kept = first(names, 15, f"$.{path}.datasets", source.dropped)
        set_at(content, "training_details.training_job_details.training_datasets", kept)


def _considerations(source: Source, content: Content) -> None:
    path, dropped = "modelCard.considerations", source.dropped
    if users := source.take(f"{path}.users", list):
        text = fitting(joined(users, f"$.{path}.users", dropped), 2048, f"$.{path}.users", dropped)
        set_at(content, "business_details.business_stakeholders", text)
    told = []
    for each in named_rows(source.take(f"{path}.ethicalConsiderations", list)):
        told.append(": ".join(str(each[key]) for key in ("name", "mitigationStrategy") if each.get(key)))
    for each in named_rows(source.take(f"{path}.fairnessAssessments", list)):
        words = {
            "groupAtRisk": "Group at risk",
            "benefits": "benefits",
            "harms": "harms",
            "mitigationStrategy": "remedy",
        }
        told.append("; ".join(f"{word}: {each[key]}" for key, word in words.items() if each.get(key)))
    if told:
        text = fitting("\n".join(told), 2048, f"$.{path}.ethicalConsiderations", dropped)
        set_at(content, "additional_information.ethical_considerations", text)


def _measures(listed: list[Any], path: str, dropped: list[Dropped]) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for place, each in enumerate(named_rows(listed)):
        interval = each.get("confidenceInterval")
        notes = ""
        if isinstance(interval, dict):
            notes = f"confidence interval {interval.get('lowerBound', '?')} to {interval.get('upperBound', '?')}"
        here = f"{path}[{place}]"
        metric = measures.metric_of(each.get("type"), each.get("value"), notes=notes, path=here, dropped=dropped)
        if metric:
            found.append((str(each.get("slice", "")), metric))
    return found
