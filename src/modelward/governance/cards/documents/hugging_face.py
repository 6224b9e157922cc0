"""Hugging Face model cards (README.md with YAML in front), in and out.

Texts stand under headings, measures in the model-index; what the format has no place for stands in the YAML under
``modelward``, where its own tools leave it alone, and goes before the rest when the card is read back.
"""

import re
from typing import Any

from modelward.governance.cards import rules
from modelward.governance.cards.documents import measures
from modelward.governance.cards.documents.dropping import (
    Dropped,
    Imported,
    Source,
    Written,
    first,
    fitting,
    without_empty,
)
from modelward.governance.cards.documents.facts import CardFacts
from modelward.governance.cards.documents.front_matter import read_front_matter, write_front_matter
from modelward.governance.cards.documents.mapping import custom_of, named_rows, nested, set_at
from modelward.governance.cards.documents.markdown import escaped
from modelward.governance.cards.documents.telling import visible
from modelward.governance.cards.entities import Content
from modelward.kernel.errors import Invalid

WHY = "A card has no place for this."
TAG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
# Heading: the field of a card and its length. The first heading of a field is the one that we write.
HEADINGS: dict[str, tuple[str, int]] = {
    "Model Description": ("model_overview.model_description", 1024),
    "Uses": ("intended_uses.intended_uses", 2048),
    "Direct Use": ("intended_uses.intended_uses", 2048),
    "Purpose": ("intended_uses.purpose_of_model", 2048),
    "Factors": ("intended_uses.factors_affecting_model_efficiency", 2048),
    "Bias, Risks, and Limitations": ("additional_information.ethical_considerations", 2048),
    "Ethical Considerations": ("additional_information.ethical_considerations", 2048),
    "Recommendations": ("additional_information.caveats_and_recommendations", 2048),
    "Limitations": ("additional_information.caveats_and_recommendations", 2048),
    "Training Data": ("training_details.training_observations", 1024),
}
WRITTEN = {field: heading for heading, (field, _) in reversed(HEADINGS.items())}
_HEADING = re.compile(r"^#{1,6}[ \t]+(.+?)[ \t#]*$")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


def write(facts: CardFacts) -> Written:
    """Write the README. Nothing is dropped: what the hub lacks goes into the YAML under ``modelward``."""
    content = facts.content
    source = Source(content)
    header: dict[str, Any] = {"model_name": str(facts.name), "tags": ["modelward"]}
    algorithm, problem = (content.get("model_overview", {}).get(key, "") for key in ("algorithm_type", "problem_type"))
    if TAG.fullmatch(problem) and source.take("model_overview.problem_type"):
        header["pipeline_tag"] = problem
    datasets = source.take("training_details.training_job_details.training_datasets", list)
    if datasets:
        header["datasets"] = datasets
    index = _model_index(content, name=str(facts.name), task=header.get("pipeline_tag", "other"))
    if index:
        header["model-index"] = index
    body = [f"# Model Card for {escaped(facts.name)}"]
    for field, heading in WRITTEN.items():
        text = source.take(field)
        if not text:
            continue
        shown = escaped(text)
        body += [f"## {heading}", shown]
        if _unescaped(shown) != text:
            # Blanks at the ends of lines and steering characters do not survive Markdown.
            set_at(header, f"modelward.{field}", text)
    facts_told = [("Algorithm", algorithm), ("Risk rating", facts.risk_rating), ("Status of this card", facts.status)]
    told = [f"- **{name}:** {escaped(value)}" for name, value in facts_told if value]
    body += ["## Model Details", "\n".join([*told, f"- **Version of this card:** {facts.number}, `{facts.digest}`"])]
    for each in source.leave(""):
        path = each.path.removeprefix("$.")
        set_at(header, f"modelward.{path}", _value_at(content, path))
    text = f"---\n{write_front_matter(header)}---\n\n" + "\n\n".join(body) + "\n"
    return Written(data=text.encode("utf-8", "replace"))


def _value_at(content: Content, path: str) -> Any:
    return nested(content, *path.split("."))


def _model_index(content: Content, *, name: str, task: str) -> list[dict[str, Any]]:
    results = []
    for place, told in enumerate(content.get("evaluation_details", [])):
        found = [
            {"type": each.name, "value": each.value, "name": each.slice}
            for each in measures.plain_measures({"evaluation_details": [told]})
        ]
        if found:
            dataset = (told.get("datasets") or [told["name"]])[0] or str(place + 1)
            results.append(
                {"task": {"type": task}, "dataset": {"name": told["name"], "type": dataset}, "metrics": found}
            )
    return [{"name": name, "results": results}] if results else []


def read(data: bytes) -> Imported:
    """Read a README with its YAML."""
    header, body = read_front_matter(data)
    source = Source(header)
    content: Content = {}
    title = _texts(body, content, source.dropped)
    _header(source, content)
    ours = source.take("modelward", dict) or {}
    listed = source.take("model-index", list) or []
    if "evaluation_details" not in ours:
        content["evaluation_details"] = _evaluations(listed, source.dropped)
    for section, value in ours.items():
        if section in rules.schema()["properties"]:
            _over(content, section, value)
        else:
            source.drop(f"modelward.{section}"[:200], "It is no section of a card.")
    named = next((each.get("name") for each in named_rows(listed)), None)
    name = str(header.get("model_name") or named or title)
    if not header and not without_empty(content) and not title:
        raise Invalid(
            "The document is no model card: it has no YAML in front and no heading that a card has a field for.",
            field="document",
        )
    return Imported(content=without_empty(content), dropped=source.leave(WHY), name=name)


def _over(content: Content, key: str, value: Any) -> None:
    """Put a value of ours over what was read before, object by object."""
    if isinstance(value, dict) and isinstance(content.get(key), dict):
        for name, each in value.items():
            _over(content[key], name, each)
    else:
        content[key] = value


def _texts(body: str, content: Content, dropped: list[Dropped]) -> str:
    """Put the texts under known headings into their fields; the heading of the whole is returned."""
    known = {heading.casefold(): field for heading, field in HEADINGS.items()}
    title, heading, held = "", "", dict[str, list[str]]()
    fenced = False
    for line in body.split("\n"):
        fenced ^= line.lstrip().startswith("```")
        found = None if fenced else _HEADING.match(line)
        if found is None:
            held.setdefault(heading, []).append(line)
            continue
        heading = _unescaped(found[1])
        if not title:
            title, heading = heading.removeprefix("Model Card for ").strip(), ""
        held.setdefault(heading, [])
    for heading, lines in held.items():
        text = _unescaped("\n".join(lines).strip("\n"))
        place = known.get(heading.casefold())
        if place is None:
            ours = heading == "Model Details" and "**Version of this card:**" in "\n".join(lines)
            if text.strip() and not ours:
                path = f"$.body[{heading[:80]!r}]"
                dropped.append(Dropped(path=path, why="A card has no field for the text under this heading."))
        elif text.strip() and "[More Information Needed]" not in text:
            field, most = place
            section, key = field.split(".")
            before = nested(content, section, key)
            joined = f"{before}\n\n{text}" if before else text
            set_at(content, field, fitting(joined, most, f"$.body[{heading[:80]!r}]", dropped))
    return title


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(r"\1", text.replace("  \n", "\n"))


def _header(source: Source, content: Content) -> None:
    if tag := source.take("pipeline_tag"):
        set_at(content, "model_overview.problem_type", fitting(tag, 1024, "$.pipeline_tag", source.dropped))
    datasets = source.take("datasets", (list, str))
    if datasets:
        listed = [datasets] if isinstance(datasets, str) else [str(each) for each in datasets]
        path = "training_details.training_job_details.training_datasets"
        kept = [
            fitting(each, 1024, "$.datasets", source.dropped)
            for each in first(listed, 15, "$.datasets", source.dropped)
        ]
        set_at(content, path, kept)
    source.take("model_name")
    tags = source.take("tags", list)
    if tags and tags != ["modelward"]:
        custom_of(content, "tags", ", ".join(visible(str(each)) for each in tags), source.dropped)
    for key in ("license", "license_name", "license_link", "language", "library_name", "base_model", "metrics"):
        value = source.take(key, (str, list))
        if value:
            text = value if isinstance(value, str) else ", ".join(str(each) for each in value)
            custom_of(content, key, text, source.dropped)


def _evaluations(listed: list[Any], dropped: list[Dropped]) -> list[dict[str, Any]]:
    told = []
    for at, model in enumerate(named_rows(listed)):
        for place, result in enumerate(named_rows(model.get("results"))):
            path = f"$.model-index[{at}].results[{place}]"
            name = str(nested(result, "dataset", "name") or nested(result, "task", "type") or "evaluation")
            found = []
            for nth, metric in enumerate(named_rows(result.get("metrics"))):
                here = f"{path}.metrics[{nth}]"
                group = str(metric.get("name") or name).partition(" / ")[2]
                one = measures.metric_of(metric.get("type"), metric.get("value"), notes="", path=here, dropped=dropped)
                if one:
                    found.append((group, one))
            if not found:
                continue
            evaluation = measures.evaluation_of(name, found)
            dataset = nested(result, "dataset", "type")
            if dataset and str(dataset) != name:
                evaluation["datasets"] = [fitting(dataset, 1024, f"{path}.dataset.type", dropped)]
            told.append(evaluation)
            known = {"task", "dataset", "metrics"}
            dropped += [Dropped(path=f"{path}.{key}", why=WHY) for key in sorted(set(result) - known)]
    return told
