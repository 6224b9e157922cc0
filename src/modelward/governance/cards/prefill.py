"""What Modelward can write into a card by itself, and where each field comes from. Pure."""

from collections.abc import Callable
from typing import Any

import msgspec

from modelward.governance.cards import rules
from modelward.governance.cards.entities import CardVersion, Content, EvaluationEntry
from modelward.governance.cards.paths import steps_of, value_at, with_value
from modelward.kernel.refs import CardRef, Digest, ModelRef, VersionRef

TEXT_CHARACTERS_MAX = 1024
USE_CHARACTERS_MAX = 2048
OBSERVATION_CHARACTERS_MAX = 2096
LIST_ITEMS_MAX = 15
METRICS_MAX = 50
PARAMETERS_MAX = 100


class RegisteredVersion(msgspec.Struct, frozen=True, kw_only=True):
    """What the registry knows of a version, as far as a card can tell of it."""

    ref: VersionRef
    model: ModelRef
    number: int
    description: str
    owner: str
    created_by: str
    artifact: Digest | None
    framework: str = ""
    framework_version: str = ""
    algorithm: str = ""
    problem_type: str = ""
    objective: str = ""
    hyperparameters: dict[str, str] = {}
    training_metrics: dict[str, float] = {}
    training_datasets: list[str] = []
    training_rows: int | None = None
    training_environment: list[str] = []
    inference_environment: list[str] = []
    features: list[dict[str, str]] = []
    intended_use: str = ""
    artifact_bytes: int | None = None
    artifact_name: str = ""


def prefill(registered: RegisteredVersion) -> tuple[Content, dict[str, str]]:
    """The content that the registration of a version gives, and the origin of each of its fields by path."""
    given = registered
    framework = f"{given.framework} {given.framework_version}".strip()
    drawn = {
        "model_overview": {
            "model_id": str(given.ref),
            "model_name": str(given.model),
            "model_description": _cut(given.description),
            "model_version": given.number,
            "problem_type": _cut(given.problem_type),
            "algorithm_type": _cut(given.algorithm),
            "model_creator": given.created_by,
            "model_owner": _cut(given.owner),
            "model_artifact": [str(given.artifact)] if given.artifact else [],
            "inference_environment": {"container_image": _cut_all(given.inference_environment)},
        },
        "intended_uses": {"intended_uses": given.intended_use[:USE_CHARACTERS_MAX]},
        "training_details": {
            "objective_function": _cut(given.objective),
            "training_observations": f"{given.training_rows} rows" if given.training_rows is not None else "",
            "training_job_details": {
                "training_datasets": _cut_all(given.training_datasets),
                "training_environment": {"container_image": _cut_all(given.training_environment)},
                "training_metrics": [
                    {"name": name, "value": value} for name, value in given.training_metrics.items() if name
                ][:METRICS_MAX],
                "hyper_parameters": [
                    {"name": name, "value": value} for name, value in given.hyperparameters.items() if name
                ][:PARAMETERS_MAX],
            },
        },
        "additional_information": {
            "custom_details": {
                "framework": _cut(framework),
                "signature": _cut(", ".join(f"{each['name']}: {each['type']}" for each in given.features)),
                "artifact_size": f"{given.artifact_bytes} bytes" if given.artifact_bytes is not None else "",
                "artifact_file": _cut(given.artifact_name),
            }
        },
    }
    content: Content = _without_empty(drawn) or {}
    return content, dict.fromkeys(rules.leaves(content), f"registration of {given.ref}")


def _cut(text: str) -> str:
    return text[:TEXT_CHARACTERS_MAX]


def _cut_all(texts: list[str]) -> list[str]:
    return [_cut(each) for each in texts[:LIST_ITEMS_MAX]]


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {key: _without_empty(each) for key, each in value.items()}
        return {key: each for key, each in kept.items() if each not in ("", None, {}, [])}
    return value


def carry_over(
    content: Content, origins: dict[str, str], earlier: CardVersion, *, paths: list[str]
) -> tuple[Content, dict[str, str], str]:
    """Add what an earlier version's card says at some paths; what is there already stays.

    With it come the origins by field, and the sections in words. What says which model a card is about is never taken.
    """
    origin, sections = f"carried over from {earlier.card} version {earlier.number}", list[str]()
    identity = [path for _, path in rules.SUBJECTS]
    for path in paths:
        old = value_at(earlier.content, path)
        if old is None:
            continue
        for leaf in rules.leaves(old, path):
            if leaf in identity or value_at(content, leaf) is not None:
                continue
            content = with_value(content, leaf, value_at(earlier.content, leaf))
            origins = {**origins, leaf: origin}
            sections.append(str(steps_of(path)[0]).replace("_", " "))
    told = " and ".join(dict.fromkeys(sections))
    return content, origins, told[:1].upper() + told[1:]


def free_name(version: VersionRef, *, is_taken: Callable[[CardRef], bool]) -> CardRef:
    """A name such as ``fraud-v3``; where it is taken, ``fraud-v3-2`` and so on."""
    number = 1
    while True:
        ending = f"-v{version.number}" if number == 1 else f"-v{version.number}-{number}"
        name = CardRef(version.model[: 128 - len(ending)] + ending)
        if not is_taken(name):
            return name
        number += 1


def with_evaluation(content: Content, entry: EvaluationEntry, groups: list[dict[str, Any]]) -> tuple[Content, str]:
    """A content that tells of an evaluation, in place of an earlier one of the same kind; and the path of it."""
    told = {
        "name": entry.kind,
        "evaluation_observation": entry.reason[:OBSERVATION_CHARACTERS_MAX],
        "datasets": [str(entry.dataset)],
        "metadata": {"evaluation": str(entry.evaluation), "report": str(entry.report), "outcome": entry.outcome},
        "metric_groups": groups,
    }
    return with_entry(content, told, written_by="evaluation")


def with_entry(content: Content, told: dict[str, Any], *, written_by: str) -> tuple[Content, str]:
    """A content with an entry about an evaluation, in place of an earlier one of the same name; and the path of it.

    Only an entry with the word ``written_by`` in its metadata is replaced; what a person wrote is left alone.
    """
    kept = list(content.get("evaluation_details", []))
    for place, known in enumerate(kept):
        if known["name"] == told["name"] and written_by in known.get("metadata", {}):
            # The same report once more is no news, so it makes no new version.
            kept[place] = known if known["metadata"].get("report") == told["metadata"]["report"] else told
            break
    else:
        place = len(kept)
        kept.append(told)
    return {**content, "evaluation_details": kept}, f"$.evaluation_details[{place}]"


def shown_reports(content: Content) -> list[Digest]:
    """The digests of the evaluation reports that a content tells of."""
    found = [each.get("metadata", {}).get("report", "") for each in content.get("evaluation_details", [])]
    return [Digest(text) for text in found if text.startswith("sha256:")]
