"""SPDX 3.0.1 with its AI and dataset profiles, out."""

import hashlib
from typing import Any

import msgspec

from modelward.governance.cards.documents import measures
from modelward.governance.cards.documents.dropping import Source, Written
from modelward.governance.cards.documents.facts import CardFacts
from modelward.kernel import codec

CONTEXT = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"
WHY = "The AI profile of SPDX has no place for this."
RISKS = {"High": "high", "Medium": "medium", "Low": "low"}
CREATION = "_:creationinfo"
HYPERPARAMETERS = ("hyper_parameters", "user_provided_hyper_parameters")
TRAINING_METRICS = ("training_metrics", "user_provided_training_metrics")


def write(facts: CardFacts) -> Written:
    """Write the card as an AI package with its data sets; what the profile has no place for is told."""
    source = Source(facts.content)
    base = f"urn:modelward:{hashlib.sha256(f'{facts.name}/{facts.number}/{facts.digest}'.encode()).hexdigest()[:32]}"
    made = f"{facts.at:%Y-%m-%dT%H:%M:%SZ}"
    package = _package(facts, source, base)
    datasets, relations = _datasets(source, base, package["spdxId"])
    people = [_element("Agent", f"{base}#author", name=facts.by)]
    if owner := source.take("model_overview.model_owner"):
        people.append(_element("Organization", f"{base}#owner", name=owner))
        package["suppliedBy"] = f"{base}#owner"
    else:
        package["suppliedBy"] = f"{base}#author"
    elements = [*people, package, *datasets, *relations]
    document = _element(
        "SpdxDocument",
        f"{base}#document",
        name=f"Model card {facts.name}, version {facts.number}",
        # The dataset profile asks when a data set was built and by whom, which a card does not tell.
        profileConformance=["core", "software", "ai"],
        rootElement=[package["spdxId"]],
        element=[each["spdxId"] for each in elements],
    )
    creation = {
        "@id": CREATION,
        "type": "CreationInfo",
        "specVersion": "3.0.1",
        "created": made,
        "createdBy": [f"{base}#author"],
    }
    written = {"@context": CONTEXT, "@graph": [creation, document, *elements]}
    dropped = [*source.leave(WHY), *measures.unplain(facts.content)]
    return Written(data=msgspec.json.format(codec.encode(written), indent=1) + b"\n", dropped=dropped)


def _element(kind: str, id: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "spdxId": id, "creationInfo": CREATION, **fields}


def _package(facts: CardFacts, source: Source, base: str) -> dict[str, Any]:
    overview = facts.content.get("model_overview", {})
    version = source.take("model_overview.model_version", (int, float))
    package = _element(
        "ai_AIPackage",
        f"{base}#model",
        name=source.take("model_overview.model_name") or str(facts.model or facts.name),
        software_packageVersion=codec.encode(version).decode() if version is not None else str(facts.number),
        software_primaryPurpose="model",
        software_downloadLocation=facts.link or f"{base}#model",
        releaseTime=f"{facts.at:%Y-%m-%dT%H:%M:%SZ}",
    )
    digests = [each for each in overview.get("model_artifact", []) if each.startswith("sha256:") and len(each) == 71]
    if digests:
        package["verifiedUsing"] = [{"type": "Hash", "algorithm": "sha256", "hashValue": each[7:]} for each in digests]
        if len(digests) == len(overview["model_artifact"]):
            source.take("model_overview.model_artifact", list)
    uses = [source.take(f"intended_uses.{key}") for key in ("purpose_of_model", "intended_uses")]
    notes = [source.take(f"additional_information.{key}") for key in ("caveats_and_recommendations",)]
    notes.append(source.take("intended_uses.factors_affecting_model_efficiency"))
    texts = {
        "description": source.take("model_overview.model_description"),
        "ai_informationAboutApplication": "\n\n".join(each for each in uses if each),
        "ai_informationAboutTraining": source.take("training_details.training_observations"),
        "ai_limitation": "\n\n".join(each for each in notes if each),
        "comment": source.take("additional_information.ethical_considerations"),
    }
    package |= {key: text for key, text in texts.items() if text}
    for key, path in (("ai_typeOfModel", "algorithm_type"), ("ai_domain", "problem_type")):
        if text := source.take(f"model_overview.{path}"):
            package[key] = [text]
    risk = facts.content.get("intended_uses", {}).get("risk_rating")
    if risk in RISKS and source.take("intended_uses.risk_rating"):
        package["ai_safetyRiskAssessment"] = RISKS[risk]
    for key, entries in (("ai_hyperparameter", _hyperparameters(source)), ("ai_metric", _metrics(facts, source))):
        if entries:
            package[key] = entries
    return package


def _entry(key: str, value: str) -> dict[str, str]:
    return {"type": "DictionaryEntry", "key": key, "value": value}


def _hyperparameters(source: Source) -> list[dict[str, str]]:
    found = []
    for name in HYPERPARAMETERS:
        for each in source.take(f"training_details.training_job_details.{name}", list) or []:
            found.append(_entry(each["name"], each.get("value", "")))
    return found


def _metrics(facts: CardFacts, source: Source) -> list[dict[str, str]]:
    found = []
    for name in TRAINING_METRICS:
        listed = source.take(f"training_details.training_job_details.{name}", list) or []
        for place, each in enumerate(listed):
            found.append(_entry(f"training / {each['name']}", codec.encode(each["value"]).decode()))
            if each.get("notes"):
                source.drop(f"training_details.training_job_details.{name}[{place}].notes", WHY)
    source.take("evaluation_details", list)
    for measure in measures.plain_measures(facts.content):
        found.append(_entry(f"{measure.slice} / {measure.name}", measure.text))
    return found


def _datasets(source: Source, base: str, model: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    names = source.take("training_details.training_job_details.training_datasets", list) or []
    datasets = [
        _element(
            "dataset_DatasetPackage",
            f"{base}#dataset-{place}",
            name=name or f"data set {place}",
            software_primaryPurpose="data",
            dataset_datasetType=["noAssertion"],
        )
        for place, name in enumerate(names, 1)
    ]
    if not datasets:
        return [], []
    relation = _element(
        "Relationship",
        f"{base}#trained-on",
        relationshipType="trainedOn",
        to=[each["spdxId"] for each in datasets],
        **{"from": model},
    )
    return datasets, [relation]
