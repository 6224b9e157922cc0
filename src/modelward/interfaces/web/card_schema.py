"""What kinds of fields the schema of a card asks for, their titles and a word of help. Pure; the schema says the rest."""

from functools import cache
from typing import Any

from modelward.governance.cards import rules
from modelward.interfaces.web import words

Spec = dict[str, Any]

# The order in which a card is read and written.
SECTIONS = (
    "model_overview",
    "intended_uses",
    "business_details",
    "training_details",
    "additional_information",
    "model_package_details",
)
SECTION_TITLES = {
    "model_overview": "Model",
    "intended_uses": "Intended use and risk",
    "business_details": "Business",
    "training_details": "Training",
    "evaluation_details": "Evaluations",
    "additional_information": "Considerations",
    "model_package_details": "Model package",
}
SECTION_HELP = {
    "model_overview": "What the model is, who made it and who answers for it.",
    "intended_uses": "What it is for, what it is not for, and how much harm a wrong answer can do.",
    "business_details": "Why it exists and whom it concerns.",
    "training_details": "What it was optimised for, on which data, in which environment.",
    "additional_information": "What a user should know before relying on it.",
    "model_package_details": "Filled by tools that speak the hosted service's API; rarely written by hand.",
}
TITLES = {
    "model_id": "Model ID",
    "training_arn": "Training job",
    "model_artifact": "Artifacts",
    "container_image": "Container images",
    "model_package_arn": "Package ARN",
    "evaluation_job_arn": "Evaluation job",
    "model_data_url": "Model data URL",
    "user_provided_training_metrics": "Training metrics added by hand",
    "user_provided_hyper_parameters": "Hyperparameters added by hand",
    "hyper_parameters": "Hyperparameters",
    "explanations_for_risk_rating": "Explanation of the risk rating",
    "factors_affecting_model_efficiency": "Factors that affect its quality",
    "x_axis_name": "X axis",
    "y_axis_name": "Y axis",
    "metric_data": "Metrics",
    "created_by": "Created by",
    "user_profile_name": "User profile",
}
HELP = {
    "model_description": "In two or three sentences a newcomer understands.",
    "model_owner": "The person or team that answers for it.",
    "problem_type": "For instance binary classification, regression, ranking.",
    "model_artifact": "Where the bytes of the model are, one place each.",
    "purpose_of_model": "The decision that it supports, and for whom.",
    "intended_uses": "Say also what it must not be used for.",
    "explanations_for_risk_rating": "Who is harmed by a wrong answer, how badly, and what limits the harm.",
    "business_stakeholders": "Who decides with it, and who is decided about.",
    "ethical_considerations": "Groups that may be treated differently, and what was done about it.",
    "caveats_and_recommendations": "Limits found so far, and advice to its users.",
    "custom_details": "Anything else, as a name and a text.",
    "training_datasets": "Where the training data is, one place each.",
}
LONG = frozenset(
    {
        "model_description",
        "purpose_of_model",
        "intended_uses",
        "factors_affecting_model_efficiency",
        "explanations_for_risk_rating",
        "business_problem",
        "business_stakeholders",
        "training_observations",
        "evaluation_observation",
        "ethical_considerations",
        "caveats_and_recommendations",
        "model_package_description",
        "approval_description",
    }
)
ITEM = {
    "model_artifact": "artifact",
    "container_image": "image",
    "training_datasets": "data set",
    "datasets": "data set",
    "training_metrics": "metric",
    "user_provided_training_metrics": "metric",
    "hyper_parameters": "hyperparameter",
    "user_provided_hyper_parameters": "hyperparameter",
    "custom_details": "detail",
    "metadata": "entry",
    "metric_groups": "group of metrics",
    "metric_data": "metric",
    "source_algorithms": "algorithm",
    "containers": "container",
}
METRIC_TYPES = ("number", "string", "boolean", "bar_chart", "matrix", "linear_graph")


def resolved(spec: Spec) -> Spec:
    """A part of the schema, with a reference followed."""
    while "$ref" in spec:
        spec = rules.schema()["definitions"][spec["$ref"].rpartition("/")[2]]
    return spec


def section(name: str) -> Spec:
    """The schema of one section."""
    return resolved(rules.schema()["properties"][name])


def evaluation() -> Spec:
    """The schema of one evaluation."""
    return resolved(section("evaluation_details")["items"])


def kind_of(spec: Spec, last: str) -> str:
    """How a field is filled in; ``last`` is the last step of its name."""
    kind = spec.get("type")
    if last == "objective_function":
        return "objective"
    if kind == "string":
        return "choice" if "enum" in spec else "text" if last in LONG else "line"
    if kind == "array":
        return "lines" if resolved(spec["items"]).get("type") == "string" else "rows"
    if kind == "object":
        extra = spec.get("additionalProperties")
        return "group" if "properties" in spec else "pairs" if isinstance(extra, dict) else "json"
    if "anyOf" in spec:
        return "metric"
    return "flag" if kind == "boolean" else "number"


def title_of(name: str) -> str:
    """The title of a field by its name in the schema."""
    return TITLES.get(name) or words.plain_name(name)


def section_title(name: str) -> str:
    """The title of a section by its name in the schema."""
    return SECTION_TITLES.get(name) or title_of(name)


@cache
def order() -> dict[str, int]:
    """The place of each field's name in the schema: in this order they are shown."""
    found: dict[str, int] = {}

    def walk(spec: Spec) -> None:
        spec = resolved(spec)
        for name, part in spec.get("properties", {}).items():
            found.setdefault(name, len(found))
            walk(part)
        if isinstance(spec.get("items"), dict):
            walk(spec["items"])

    for name in (*SECTIONS, "evaluation_details"):
        walk(section(name))
    return found


def title_at(path: str) -> str:
    """A path of a card in words: ``$.training_details.hyper_parameters[0].value`` reads Training › Hyperparameters 1 › Value."""
    told: list[str] = []
    for step in path.removeprefix("$").replace("[", ".[").split("."):
        if step.startswith("[") and step[1:-1].isdigit():
            told = [*told[:-1], f"{told[-1]} {int(step[1:-1]) + 1}" if told else str(int(step[1:-1]) + 1)]
        elif step:
            told.append((title_of if told else section_title)(step.strip('[]"')))
    hidden = {"Training job details", "Training environment", "Inference environment"}
    return " › ".join(each for each in told if each not in hidden) or "The whole card"
