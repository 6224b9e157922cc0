"""The measures of a card as other formats know them: flat, each with its slice. Pure."""

import math
from collections.abc import Iterator
from typing import Any

import msgspec

from modelward.governance.cards.documents.dropping import Dropped, fitting
from modelward.governance.cards.entities import Content

NAME_CHARACTERS_MAX = 63
TEXT_VALUE_CHARACTERS_MAX = 63
NOTES_CHARACTERS_MAX = 1024
PLAIN = ("number", "string", "boolean")


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """One plain measure: its name, its value as text, and the evaluation and group it stands in."""

    evaluation: str
    group: str
    name: str
    value: Any
    path: str

    @property
    def slice(self) -> str:
        """Evaluation and group in one."""
        return self.evaluation if self.group == self.evaluation else f"{self.evaluation} / {self.group}"

    @property
    def text(self) -> str:
        """The value as JSON writes it, a text as it is."""
        return self.value if isinstance(self.value, str) else msgspec.json.encode(self.value).decode()


def plain_measures(content: Content) -> Iterator[Measure]:
    """The plain measures of all evaluations, in their order."""
    for place, told in enumerate(content.get("evaluation_details", [])):
        for at, group in enumerate(told.get("metric_groups", [])):
            for nth, metric in enumerate(group["metric_data"]):
                if metric["type"] in PLAIN:
                    path = f"evaluation_details[{place}].metric_groups[{at}].metric_data[{nth}]"
                    yield Measure(
                        evaluation=told["name"],
                        group=group["name"],
                        name=metric["name"],
                        value=metric["value"],
                        path=path,
                    )


def unplain(content: Content) -> list[Dropped]:
    """What a flat list of measures leaves out of the evaluations of a card, piece by piece."""
    dropped: list[Dropped] = []
    for place, told in enumerate(content.get("evaluation_details", [])):
        here = f"$.evaluation_details[{place}]"
        for key in told:
            if key not in ("name", "metric_groups") and told[key] not in ("", [], {}):
                dropped.append(
                    Dropped(path=f"{here}.{key}", why="The format knows measures, not what is told of them.")
                )
        for at, group in enumerate(told.get("metric_groups", [])):
            for nth, metric in enumerate(group["metric_data"]):
                path = f"{here}.metric_groups[{at}].metric_data[{nth}]"
                if metric["type"] not in PLAIN:
                    dropped.append(Dropped(path=path, why="The format has no place for the figures of a chart."))
                elif metric.get("notes"):
                    dropped.append(
                        Dropped(path=f"{path}.notes", why="The format has no place for the notes of a measure.")
                    )
    return dropped


def metric_of(name: Any, value: Any, *, notes: str, path: str, dropped: list[Dropped]) -> dict[str, Any] | None:
    """A plain measure of a card from a name and a value of another format; a text that is a number becomes one."""
    if name in (None, "") or value in (None, "") or isinstance(value, dict | list):
        dropped.append(Dropped(path=path, why="A measure needs a name and one value."))
        return None
    found: dict[str, Any] = {"name": fitting(name, 255, f"{path}.type", dropped)}
    if isinstance(value, bool):
        found |= {"type": "boolean", "value": value}
    elif (number := _number(value)) is not None:
        found |= {"type": "number", "value": number}
    else:
        found |= {"type": "string", "value": fitting(value, TEXT_VALUE_CHARACTERS_MAX, f"{path}.value", dropped)}
    if notes:
        found["notes"] = fitting(notes, NOTES_CHARACTERS_MAX, path, dropped)
    return found


def _number(value: Any) -> int | float | None:
    if isinstance(value, int | float):
        return value if not isinstance(value, float) or math.isfinite(value) else None
    try:
        found = msgspec.json.decode(str(value).strip())
    except msgspec.DecodeError:
        return None
    return found if isinstance(found, int | float) and not isinstance(found, bool) else None


def evaluation_of(name: str, measures: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """An evaluation of a card from measures with their groups."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for group, metric in measures:
        groups.setdefault(group or name, []).append(metric)
    return {
        "name": name,
        "metric_groups": [{"name": group, "metric_data": metrics} for group, metrics in groups.items()],
    }


def evaluations_of(measures: list[tuple[str, dict[str, Any]]], *, name: str) -> list[dict[str, Any]]:
    """Evaluations from measures with their slices, as ``Measure.slice`` writes them; ``name`` where there is none."""
    by_evaluation: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for slice, metric in measures:
        evaluation, _, group = slice.partition(" / ")
        by_evaluation.setdefault(evaluation or name, []).append((group, metric))
    return [evaluation_of(evaluation, found) for evaluation, found in by_evaluation.items()]
