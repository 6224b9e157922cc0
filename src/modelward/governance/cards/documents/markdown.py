"""A card as Markdown (CommonMark with tables). Texts of the card are escaped, so that they stay texts."""

import re
from collections.abc import Iterable

from modelward.governance.cards.documents.facts import CardFacts
from modelward.governance.cards.documents.outline import Field, Group, Told, outline
from modelward.governance.cards.documents.telling import days_before, identity, state_words, visible, when

_SIGNS = re.compile(r"[\\`*_{}\[\]()<>#|~$&!@]")
_LINE_START = re.compile(r"^(\s*)([-+](?=[\s-]|$)|=|\d{1,9}(?=[.)](?:\s|$)))", re.MULTILINE)


def render(facts: CardFacts) -> bytes:
    """Write the card, the content only as text and tables; a chart becomes the table of its figures."""
    return render_text(facts).encode("utf-8", "replace")


def render_text(facts: CardFacts) -> str:
    """As ``render``, before it becomes bytes."""
    told = outline(facts.content, facts.origins)
    parts = [f"# {escaped(facts.name)}", _table(("Model card", ""), identity(facts))]
    if facts.note:
        parts.append(escaped(facts.note))
    parts.append(f"Content digest: `{facts.digest}`")
    if facts.link:
        parts.append(f"Live record: <{facts.link}>")
    parts.append("## Approvals and signatures")
    signed = [(each.by, when(each.at), each.meaning, each.note) for each in facts.signatures]
    head = ("Who", "When", "What the signature means", "Note")
    parts.append(_table(head, signed) if signed else "Nobody has signed this version of the card.")
    for section in told.sections:
        parts.append(f"## {escaped(section.title)}")
        parts += [part for field in section.fields for part in _field(field)]
    if told.evaluations:
        parts.append("## Evaluations")
        parts += [part for each in told.evaluations for part in _told(each)]
    if facts.evidence:
        parts.append("## Bound evidence")
        rows = [
            (each.path, each.value, each.source, days_before(facts.as_of, each.at), state_words(each.state))
            for each in facts.evidence
        ]
        parts.append(_table(("Field", "Value", "Source", "Measured", "State"), rows))
    if facts.pack:
        parts.append(f"## {escaped(facts.pack.name)}")
        controls = [(one.clause, one.title, state_words(one.result), one.told) for one in facts.pack.controls]
        parts.append(_table(("Clause", "Control", "Result", "How it is answered"), controls))
    return "\n\n".join(part for part in parts if part) + "\n"


def _field(field: Field) -> list[str]:
    title = f"**{escaped(field.title)}**" + (f" (from {escaped(field.origin)})" if field.origin else "")
    if field.rows:
        return [title, _table(("Name", "Value", "Note"), field.rows)]
    if len(field.lines) > 1:
        return [title, "\n".join(f"- {_in_line(line)}" for line in field.lines)]
    return [title, *(escaped(line) for line in field.lines)]


def _told(told: Told) -> list[str]:
    parts = [f"### {_in_line(told.name)}"]
    if told.outcome:
        parts.append(f"Outcome: **{_in_line(told.outcome)}**")
    if told.observation:
        parts.append(escaped(told.observation))
    if told.rows:
        parts.append(_table(("Name", "Value"), told.rows))
    return [*parts, *(part for group in told.groups for part in _group(group))]


def _group(group: Group) -> list[str]:
    parts = [f"#### {_in_line(group.name)}"]
    if group.rows:
        parts.append(_table(("Measure", "Value", "Note"), group.rows))
    for each in group.drawings:
        if each.repeats:
            continue
        parts.append(f"**{_in_line(each.name)}**" + (f" {_in_line(each.note)}" if each.note else ""))
        values = each.spec["data"]["values"]
        columns = [name for name in values[0] if name != "place"]
        parts.append(_table(columns, [[str(row[name]) for name in columns] for row in values]))
    return parts


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table; a last column that is empty throughout is left out."""
    names, cells = list(head), [list(row) for row in rows]
    if len(names) > 2 and not any(row[-1] for row in cells):
        names, cells = names[:-1], [row[:-1] for row in cells]
    lines = ["| " + " | ".join(names) + " |", "|" + " --- |" * len(names)]
    lines += ["| " + " | ".join(_in_line(str(cell)) for cell in row) + " |" for row in cells]
    return "\n".join(lines)


def _in_line(text: str) -> str:
    return " ".join(escaped(text).replace("  \n", " ").split())


def escaped(text: str) -> str:
    """A text in which nothing is markup; its line breaks stay."""
    shown = _SIGNS.sub(lambda one: f"\\{one[0]}", visible(str(text)).replace("\t", " "))
    shown = _LINE_START.sub(lambda one: f"{one[1].strip()}{one[2]}\\" if one[2].isdigit() else f"\\{one[2]}", shown)
    return "  \n".join(line.strip() for line in shown.split("\n"))
