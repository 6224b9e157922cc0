"""The difference of two contents of a card as people read it: by section and field, with the words that changed. Pure."""

import difflib
import re
from typing import Any

import msgspec

from modelward.governance.cards import rules
from modelward.governance.cards.entities import Content
from modelward.governance.cards.paths import steps_of
from modelward.interfaces.web import words
from modelward.interfaces.web.card_schema import SECTION_TITLES, section_title, title_of

LINES_SHOWN_MAX = 60
ROWS_SHOWN_MAX = 120
PLAIN = ("number", "string", "boolean")
WORDS_COMPARED_MAX = 3000
HIDDEN = frozenset(
    {"training_job_details", "training_environment", "inference_environment", "metric_groups", "metric_data"}
)
_WORDS = re.compile(r"\s*\S+\s*")
ALIKE_LEAST = 0.35


class Piece(msgspec.Struct, frozen=True):
    """A stretch of text, and whether the other side has it too."""

    text: str
    changed: bool


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One field that differs: what it says on either side, and in a word what happened to it."""

    title: str
    what: str
    before: list[Piece]
    after: list[Piece]

    @property
    def tall(self) -> bool:
        """Whether a side may need to be scrolled."""
        return any(_height(side) > 600 for side in (self.before, self.after))


def _height(pieces: list[Piece]) -> int:
    text = "".join(piece.text for piece in pieces)
    return len(text) + 40 * text.count("\n")


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """The differences within one section. ``more`` counts those that are not shown."""

    title: str
    rows: list[Row]
    more: int = 0


def parts(before: Content, after: Content) -> list[Part]:
    """What differs between two contents, by section. Entries of lists are matched by their names."""
    found: dict[str, list[Row]] = {}
    counts: dict[str, int] = {}
    for each in rules.difference(shaped(before), shaped(after)):
        for steps, old, new in _apart(steps_of(each.path), each.before, each.after):
            section = str(steps[0]) if steps else ""
            counts[section] = counts.get(section, 0) + 1
            if counts[section] <= ROWS_SHOWN_MAX:
                found.setdefault(section, []).append(_row(steps, old, new))
    order = [*SECTION_TITLES, *(name for name in found if name not in SECTION_TITLES)]
    return [
        Part(title=section_title(name), rows=found[name], more=counts[name] - len(found[name]))
        for name in order
        if name in found
    ]


def _apart(steps: list[str | int], before: Any, after: Any) -> list[tuple[list[str | int], Any, Any]]:
    """What was added or removed as a whole, field by field."""
    whole = before if after is None else after if before is None else None
    if not isinstance(whole, dict) or not whole or whole.keys() & {"metric_groups", "metric_data", "type"}:
        return [(steps, before, after)]
    return [
        one
        for key, each in whole.items()
        for one in _apart([*steps, key], each if after is None else None, each if before is None else None)
    ]


def shaped(value: Any) -> Any:
    """A content in which lists of named things are looked up by name, and lists of texts are one text of lines."""
    if isinstance(value, dict):
        if "name" in value and "value" in value and value.keys() <= {"name", "type", "value"}:
            # A named value is told as the value: its name is how it is looked up.
            return shaped(value["value"]) if isinstance(value["value"], list) else words.figure(value["value"])
        return {key: shaped(each) for key, each in value.items()}
    if not isinstance(value, list):
        return value
    names = [each.get("name") if isinstance(each, dict) else None for each in value]
    if value and all(isinstance(name, str) for name in names) and len(set(names)) == len(names):
        return {str(name): _without_name(shaped(each)) for name, each in zip(names, value, strict=True)}
    if all(isinstance(each, str) for each in value):
        return "\n".join(value)
    if all(isinstance(each, int | float) for each in value):
        return "\n".join(words.figure(each) for each in value)
    if all(isinstance(each, list) for each in value):
        return "\n".join(", ".join(words.figure(one) for one in each) for each in value)
    return {f"entry {place + 1}": shaped(each) for place, each in enumerate(value)}


def _without_name(value: Any) -> Any:
    return {key: each for key, each in value.items() if key != "name"} if isinstance(value, dict) else value


def _row(steps: list[str | int], before: Any, after: Any) -> Row:
    named = [str(step) for step in steps[1:] if step not in HIDDEN]
    titles = [title_of(step) if words.plain_name(step) and step.islower() else step for step in named]
    title = " › ".join(titles) or "The whole section"
    what = "added" if before is None else "removed" if after is None else "changed"
    old, new = _text(before), _text(after)
    if before is None or after is None:
        return Row(title=title, what=what, before=_whole(old), after=_whole(new))
    left, right = _words_that_differ(old, new)
    return Row(title=title, what=what, before=left, after=right)


def _whole(text: str) -> list[Piece]:
    return [Piece(text, True)] if text else []


def _text(value: Any) -> str:
    if value is None:
        return ""
    lines = _told(value) if isinstance(value, dict) else _lines(value, "")
    shown = lines[:LINES_SHOWN_MAX]
    more = [f"… and {len(lines) - len(shown)} more lines"] if len(lines) > len(shown) else []
    return words.with_short_names("\n".join([*shown, *more]))


def _told(value: dict[str, Any]) -> list[str]:
    """An evaluation or a group of metrics in a few lines; anything else field by field."""
    if "metric_groups" in value:
        groups = value["metric_groups"].values() if isinstance(value["metric_groups"], dict) else []
        count = sum(len(each.get("metric_data", {})) for each in groups)
        observed = value.get("evaluation_observation", "")
        outcome = value.get("metadata", {}).get("outcome", "") if isinstance(value.get("metadata"), dict) else ""
        return [
            each
            for each in (
                outcome,
                observed,
                f"{count} metrics in {len(groups)} {'group' if len(groups) == 1 else 'groups'}",
            )
            if each
        ]
    if "metric_data" in value:
        return [f"{len(value['metric_data'])} metrics"]
    return _lines(value, "")


def _lines(value: Any, title: str) -> list[str]:
    if isinstance(value, dict):
        found: list[str] = []
        for key, each in value.items():
            told = title_of(key) if key.islower() else key
            found.extend(_lines(each, f"{title} › {told}" if title else told))
        return found
    text = value if isinstance(value, str) else words.figure(value)
    return [f"{title}: {text}" if title else text]


def _words_that_differ(before: str, after: str) -> tuple[list[Piece], list[Piece]]:
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    if len(old) + len(new) > WORDS_COMPARED_MAX or len(old) < 2 or len(new) < 2:
        return _whole(before), _whole(after)
    left: list[Piece] = []
    right: list[Piece] = []
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    if matcher.ratio() < ALIKE_LEAST:
        return _whole(before), _whole(after)
    for what, a, b, c, d in matcher.get_opcodes():
        if b > a:
            left.append(Piece("".join(old[a:b]), what != "equal"))
        if d > c:
            right.append(Piece("".join(new[c:d]), what != "equal"))
    return left, right
