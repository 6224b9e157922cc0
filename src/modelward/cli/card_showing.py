"""A card for a person at a terminal: what is missing, then its sections, where each field comes from, what it is bound to."""

import shutil
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from modelward.cli.showing import told

if TYPE_CHECKING:
    from modelward.governance.cards.documents.outline import Field, Group, Told

WIDTH_MAX = 110
NAME_WIDTH_MAX = 40
INDENT = "  "


def show_whole(card: dict[str, Any]) -> None:
    """Print a card as the server tells it: head, what is missing, sections, evaluations, bound fields."""
    for line in lines_of(card, width=min(shutil.get_terminal_size((WIDTH_MAX, 24)).columns, WIDTH_MAX)):
        heading = bool(line) and not line.startswith(" ")
        click.secho(line, bold=heading)


def lines_of(card: dict[str, Any], *, width: int) -> Iterator[str]:
    """The lines of a card, none with a control character; a heading is a line without indent."""
    for text in _parts(card, width):
        yield from told(text).split("\n")


def _parts(card: dict[str, Any], width: int) -> Iterator[str]:
    from modelward.governance.cards.documents.outline import outline

    bound = {each["path"]: each for each in card.get("bindings", [])}
    yield from _head(card)
    yield from _missing(card, width)
    found = outline(card["content"], card["origins"])
    for section in found.sections:
        yield f"\n{section.title}"
        for field in section.fields:
            yield from _field(field, bound.get(field.path), width)
    if found.evaluations:
        yield "\nEvaluations"
    for place, each in enumerate(found.evaluations):
        yield from _evaluation(each, bound.get(f"$.evaluation_details[{place}].metric_groups"), width)
    if bound:
        yield "\nBound to evidence"
        for each in bound.values():
            yield f"{INDENT}{each['path']}: {_bound_words(each)}"
    if card.get("warnings"):
        yield "\nWarnings"
        for each in card["warnings"]:
            yield _wrapped(each, INDENT, width)


def _head(card: dict[str, Any]) -> Iterator[str]:
    of = card.get("version") or card.get("model") or card.get("subject")
    yield f"{card['name']}" + (f", card of {of}" if of else "")
    facts = [card["status"], f"version {card['number']}", f"risk {card['risk_rating']}"]
    # Of an earlier day nobody knows any more who looked after it.
    facts += [f"owner {card['owner']}"] if "owner" in card else []
    yield INDENT + ", ".join(facts)
    yield f"{INDENT}changed {str(card['modified_at'])[:16].replace('T', ' ')} UTC by {card['modified_by']}"


def _missing(card: dict[str, Any], width: int) -> Iterator[str]:
    lack = card["completeness"]
    how = {each["path"]: each["how"] for each in lack["required"]}
    following = lack.get("next_status")
    if lack["blocking"]:
        yield f"\nMissing for {following}"
        for path in lack["blocking"]:
            yield f"{INDENT}{path}"
            if how.get(path):
                yield _wrapped(how[path], INDENT * 2, width)
    elif following:
        yield f"\nNothing is missing for {following}"
    advised = [each for each in lack["missing"] if each not in lack["blocking"]]
    if advised:
        yield f"\nRecommended, not filled ({lack['share']:.0%} is)"
        yield from (f"{INDENT}{path}" for path in advised)


def _field(field: "Field", bound: dict[str, Any] | None, width: int) -> Iterator[str]:
    source = f"  [{_bound_words(bound)}]" if bound else f"  [{field.origin}]" if field.origin else ""
    if field.rows:
        yield f"{INDENT}{field.title}{source}"
        yield from _rows(field.rows)
        return
    [first, *others] = field.lines or [""]
    if not others and "\n" not in first and len(first) + len(field.title) + len(source) + 6 <= width:
        yield f"{INDENT}{field.title}: {first}{source}"
        return
    yield f"{INDENT}{field.title}{source}"
    for line in field.lines:
        yield _wrapped(line, INDENT * 2 + ("- " if others else ""), width)


def _evaluation(each: "Told", bound: dict[str, Any] | None, width: int) -> Iterator[str]:
    source = f"  [{_bound_words(bound)}]" if bound else f"  [{each.origin}]" if each.origin else ""
    yield f"{INDENT}{each.name}" + (f": {each.outcome}" if each.outcome else "") + source
    if each.observation:
        yield _wrapped(each.observation, INDENT * 2, width)
    yield from _rows(each.rows)
    for group in each.groups:
        yield from _group(group, width)


def _group(group: "Group", width: int) -> Iterator[str]:
    yield f"{INDENT * 2}{group.name}"
    yield from _rows(group.rows, indent=INDENT * 3)
    for each in group.drawings:
        yield _wrapped(f"{each.name}: {each.alt}", INDENT * 3, width)


def _rows(rows: list[list[str]], indent: str = INDENT * 2) -> Iterator[str]:
    wide = min(max((len(row[0]) for row in rows), default=0), NAME_WIDTH_MAX)
    for name, value, *notes in rows:
        note = f"  ({notes[0]})" if notes and notes[0] else ""
        yield " ".join(f"{indent}{name.ljust(wide)}  {value}{note}".splitlines())


def _bound_words(bound: dict[str, Any]) -> str:
    days = bound["age_days"]
    age = "less than a day old" if days < 1 else f"{days:.0f} {'day' if round(days) == 1 else 'days'} old"
    state = f"stale: {bound['reason']}" if bound["state"] == "stale" else bound["state"]
    measure = f"{bound['measure']} of " if bound["measure"] else ""
    return f"{measure}{bound['source']}, {age}, {state}"


def _wrapped(text: str, indent: str, width: int) -> str:
    """A text of any number of lines, wrapped; what follows the first line is indented alike."""
    below = " " * len(indent)
    lines = [piece for line in text.splitlines() or [""] for piece in textwrap.wrap(line, width - len(indent)) or [""]]
    return "\n".join((indent if place == 0 else below) + line for place, line in enumerate(lines))
