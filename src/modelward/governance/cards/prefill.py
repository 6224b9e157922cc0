"""What Modelward can write into a card by itself, and where each field comes from. Pure."""

from collections.abc import Callable
from typing import Any

import msgspec

from modelward.governance.cards import rules
from modelward.governance.cards.entities import CardVersion, Content, EvaluationEntry
from modelward.kernel.refs import CardRef, Digest, ModelRef, VersionRef

TEXT_CHARACTERS_MAX = 1024
USE_CHARACTERS_MAX = 2048
OBSERVATION_CHARACTERS_MAX = 2096
LABEL_CHARACTERS_MAX = 63
LIST_ITEMS_MAX = 15
METRICS_MAX = 50
PARAMETERS_MAX = 100
CARRIED_SECTIONS = ("business_details", "intended_uses")


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
    intended_use: str = ""


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
        "additional_information": {"custom_details": {"framework": _cut(framework)}},
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


def carry_over(content: Content, origins: dict[str, str], earlier: CardVersion) -> tuple[Content, dict[str, str]]:
    """Add the business details and intended uses of an earlier version's card; what is there already stays."""
    content, origins = dict(content), dict(origins)
    for section in CARRIED_SECTIONS:
        old = earlier.content.get(section, {})
        carried = {key: value for key, value in old.items() if key not in content.get(section, {})}
        if carried:
            content[section] = {**content.get(section, {}), **carried}
            origin = f"carried over from {earlier.card} version {earlier.number}"
            origins |= dict.fromkeys(rules.leaves(carried, f"$.{section}"), origin)
    return content, origins


def free_name(version: VersionRef, *, is_taken: Callable[[CardRef], bool]) -> CardRef:
    """A name such as ``fraud-v3``; where it is taken, ``fraud-v3-2`` and so on."""
    number = 1
    while True:
        ending = f"-v{version.number}" if number == 1 else f"-v{version.number}-{number}"
        name = CardRef(version.model[: 128 - len(ending)] + ending)
        if not is_taken(name):
            return name
        number += 1


def with_evaluation(content: Content, entry: EvaluationEntry) -> tuple[Content, str]:
    """A content that tells of an evaluation, in place of an earlier one of the same kind; and the path of it."""
    told = {
        "name": entry.kind,
        "evaluation_observation": entry.reason[:OBSERVATION_CHARACTERS_MAX],
        "datasets": [str(entry.dataset)],
        "metadata": {"evaluation": str(entry.evaluation), "report": str(entry.report), "outcome": entry.outcome},
        "metric_groups": [{"name": entry.kind, "metric_data": _metrics(entry)}],
    }
    kept = list(content.get("evaluation_details", []))
    for place, known in enumerate(kept):
        # Only an entry that an evaluation wrote has this in its metadata; what a person wrote is left alone.
        if known["name"] == entry.kind and "evaluation" in known.get("metadata", {}):
            # The same report once more is no news, so it makes no new version.
            kept[place] = known if known["metadata"].get("report") == entry.report else told
            break
    else:
        place = len(kept)
        kept.append(told)
    return {**content, "evaluation_details": kept}, f"$.evaluation_details[{place}]"


def _metrics(entry: EvaluationEntry) -> list[dict[str, Any]]:
    numbers = [{"name": name, "type": "number", "value": value} for name, value in entry.metrics.items()]
    bars = [
        {
            "name": chart.name,
            "type": "bar_chart",
            "value": chart.values,
            "x_axis_name": [label[:LABEL_CHARACTERS_MAX] for label in chart.labels],
            "y_axis_name": chart.name[:LABEL_CHARACTERS_MAX],
        }
        for chart in entry.charts
        if chart.values
    ]
    return [*numbers[:METRICS_MAX], *bars[:METRICS_MAX]]


def shown_reports(content: Content) -> list[Digest]:
    """The digests of the evaluation reports that a content tells of."""
    found = [each.get("metadata", {}).get("report", "") for each in content.get("evaluation_details", [])]
    return [Digest(text) for text in found if text.startswith("sha256:")]
