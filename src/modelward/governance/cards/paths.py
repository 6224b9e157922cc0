"""Paths into a card's content, as errors, origins and bindings write them: ``$.evaluation_details[0].name``. Pure."""

import json
import re
from typing import Any

from modelward.kernel.errors import Invalid

PATH_CHARACTERS_MAX = 1024
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_STEP = re.compile(r"""\.([A-Za-z_][A-Za-z0-9_]*)|\[([0-9]{1,6})\]|\[("(?:[^"\\]|\\.)*")\]""")

Step = str | int


def path_of(steps: list[Step]) -> str:
    """Write steps as a path."""
    path = "$"
    for step in steps:
        path = deeper(path, step)
    return path


def deeper(path: str, step: Step) -> str:
    """A path with one more step."""
    if isinstance(step, int):
        return f"{path}[{step}]"
    return f"{path}.{step}" if _PLAIN_KEY.fullmatch(step) else f"{path}[{json.dumps(step)}]"


def steps_of(path: str, *, field: str = "path") -> list[Step]:
    """Read a path.

    Raises:
        Invalid: the text is not a path.
    """
    place, steps = 1, list[Step]()
    while place < len(path) <= PATH_CHARACTERS_MAX and (found := _STEP.match(path, place)):
        key, number, quoted = found.groups()
        steps.append(key if key is not None else int(number) if number is not None else _unquoted(quoted))
        place = found.end()
    if not path.startswith("$") or place != len(path) or None in steps:
        raise Invalid(
            f"{path[:100]!r} is not a path: write it as $.section.field or $.evaluation_details[0].name.", field=field
        )
    return steps


def _unquoted(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def value_at(content: Any, path: str) -> Any:
    """The value at a path; None where there is none."""
    value = content
    for step in steps_of(path):
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def with_value(content: Any, path: str, value: Any) -> Any:
    """A content with another value at a path; sections that are not there are made, a list grows by one at its end.

    Raises:
        Invalid: the path leads through a text or a number, or beyond the end of a list.
    """
    return _put(content, steps_of(path), value, path)


def _put(here: Any, steps: list[Step], value: Any, path: str) -> Any:
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if isinstance(step, int):
        items = list(here) if isinstance(here, list) else [] if here is None else None
        if items is None or step > len(items):
            raise Invalid(f"{path} leads to no place in the card.", field="path")
        inner = items[step] if step < len(items) else None
        return [*items[:step], _put(inner, rest, value, path), *items[step + 1 :]]
    if here is not None and not isinstance(here, dict):
        raise Invalid(f"{path} leads to no place in the card.", field="path")
    known = here or {}
    return {**known, step: _put(known.get(step), rest, value, path)}


def covers(outer: str, inner: str) -> bool:
    """Whether one path is, or leads to, another."""
    return inner == outer or (inner.startswith(outer) and inner[len(outer)] in ".[")
