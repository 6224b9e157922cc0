"""The form over a card: sections and evaluations, checked while one types, saved as a new version."""

from typing import Any

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.governance.cards import reading, use_cases
from modelward.governance.cards.entities import CardVersion, Content
from modelward.governance.cards.evidence import BoundField
from modelward.interfaces.web import card_form, card_merge, card_parse, card_schema
from modelward.interfaces.web.card_form import Drawing, Node
from modelward.interfaces.web.card_frame import frame, needed
from modelward.interfaces.web.card_metrics import Faults
from modelward.interfaces.web.card_parse import ABSENT, number_in, to_form, to_value
from modelward.interfaces.web.views import Redirect, Shown, Views, show
from modelward.kernel.errors import Invalid, ModelwardError, NotFound
from modelward.kernel.refs import CardRef
from modelward.storage.work import Work

views = Views()
EVALUATION = "evaluation"
DETAILS = "additional_information.custom_details"


class At(msgspec.Struct, frozen=True, kw_only=True):
    """The field to check."""

    at: str = ""


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """A custom detail to begin, by its name."""

    detail: str = ""


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """From which row on long lists are shown."""

    start: int = 0


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """A field with what is wrong with it, and the id of its element where the form shows it."""

    title: str
    id: str
    fault: str


class Conflicting(msgspec.Struct, frozen=True, kw_only=True):
    """Who saved the card in the meantime, when, and which fields both changed."""

    by: str
    at: Any
    note: str
    clashes: list[card_merge.Clash]


@views.page("GET", "/cards/{card}/edit", permission=Permission.CARD_WRITE)
def edit_card(work: Work, card: CardRef, query: Begun) -> Shown:
    """The form over all sections of a card but its evaluations."""
    seen = reading.get_version(work, card)
    given = card_form.sections_form(seen.content)
    known = seen.content.get("additional_information", {}).get("custom_details", {})
    if query.detail and query.detail not in known:
        given = {**card_parse.with_row(given, DETAILS), f"{DETAILS}.{len(known)}.key": query.detail}
    return _sections(work, card, base=seen, given=given)


def edit_again(work: Work, card: CardRef, form: dict[str, str], problem: ModelwardError) -> Shown:
    """The form once more with what was written, and what is wrong with it."""
    return _sections(work, card, base=_base(work, card, form), given=form, problem=problem)


@views.page("POST", "/cards/{card}/edit/rows", permission=Permission.CARD_WRITE, reads=True)
def change_rows(work: Work, card: CardRef, form: dict[str, str]) -> Shown:
    """The form with a row more or less in one of its lists; nothing is saved."""
    return _sections(work, card, base=_base(work, card, form), given=_acted(form), acted=form.get("do", ""))


@views.page("POST", "/cards/{card}/edit/check", permission=Permission.CARD_WRITE, reads=True)
def check_field(work: Work, card: CardRef, query: At, form: dict[str, str]) -> Shown:
    """What is wrong with one field, while it is written."""
    base = _base(work, card, form).content
    if query.at.startswith(EVALUATION + "."):
        place = number_in(form, "place") if form.get("place", "new") != "new" else None
        _, faults = _evaluation_value(form, _evaluation_at(base, place))
    else:
        _, faults = card_form.sections_content(form, base)
    text = form.get(query.at, "")
    longest = _longest(query.at)
    return show("card_check.html", fault=faults.get(query.at, ""), longest=longest, count=len(text))


@views.page("POST", "/cards/{card}/edit", permission=Permission.CARD_WRITE, again=edit_again)
def save_card(work: Work, card: CardRef, form: dict[str, str]) -> Redirect:
    """Keep what was written as a new version of the card."""
    base = _base(work, card, form)
    mine, faults = card_form.sections_content(form, base.content)
    return _save(work, card, form, base=base, mine=mine, faults=faults)


def _save(
    work: Work, card: CardRef, form: dict[str, str], *, base: CardVersion, mine: Content, faults: Faults
) -> Redirect:
    if faults:
        raise Invalid(next(iter(faults.values())), field=next(iter(faults)))
    expected = base.number
    if form.get("do") == "merge" and number_in(form, "onto"):
        theirs = reading.get_version(work, card, number=number_in(form, "onto"))
        mine, expected = card_merge.merged(base.content, mine, theirs.content), theirs.number
    saved = use_cases.edit_card(work, card, content=mine, note=form.get("note", "").strip(), expected=expected)
    return Redirect(to=f"/cards/{card}?done={'saved' if saved.number != expected else 'unchanged'}")


def _base(work: Work, card: CardRef, form: dict[str, str]) -> CardVersion:
    return reading.get_version(work, card, number=number_in(form, "number") or None)


def _acted(form: dict[str, str]) -> dict[str, str]:
    action, _, rest = form.get("do", "").partition(":")
    if action == "add" and f"{rest}.#" in form:
        return card_parse.with_row(form, rest)
    name, _, place = rest.rpartition(":")
    if action == "remove" and f"{name}.#" in form and place.isascii() and place.isdigit():
        return card_parse.without_row(form, name, int(place))
    return form


def _longest(name: str) -> int | None:
    spec: dict[str, Any] = {"properties": {**_properties(), EVALUATION: card_schema.evaluation()}}
    for step in name.split("."):
        spec = spec.get("items", {}) if step.isdigit() else spec.get("properties", {}).get(step, {})
        spec = card_schema.resolved(spec)
    longest = spec.get("maxLength")
    return longest if isinstance(longest, int) else None


def _properties() -> dict[str, Any]:
    return {name: card_schema.section(name) for name in card_schema.SECTIONS}


def _sections(
    work: Work,
    card: CardRef,
    *,
    base: CardVersion,
    given: dict[str, str],
    problem: ModelwardError | None = None,
    acted: str = "",
) -> Shown:
    mine, faults = card_form.sections_content(given, base.content)
    bindings = {each.path: each for each in reading.list_bindings(work, card)}
    faults |= _told(problem, given, faults)
    drawing = Drawing(given=given, faults=faults if problem else {}, origins=base.origins, bindings=bindings)
    sections = [card_form.draw(card_schema.section(name), name, f"$.{name}", drawing) for name in card_schema.SECTIONS]
    full = reading.get_full_card(work, card)
    root = f"/cards/{card}/edit"
    return show(
        "card_edit.html",
        **frame(work, card, "edit", heading=f"Edit {card}"),
        sections=sections,
        helps=card_schema.SECTION_HELP,
        evaluations=base.content.get("evaluation_details", []),
        needed=needed(card, full.completeness, local=True),
        urls={
            "save": root,
            "rows": f"{root}/rows",
            "check": f"{root}/check",
            "remove": "",
            "bind": f"/cards/{card}/evidence",
        },
        number=base.number,
        note=given.get("note", ""),
        faults=_listed(drawing.faults, sections),
        problem=problem,
        conflict=_conflict(work, card, base, mine) if problem else None,
        acted=acted,
    )


def _told(problem: ModelwardError | None, given: dict[str, str], faults: Faults) -> Faults:
    """What a use case refused, at the field of the form that shows the path."""
    if problem is None or not problem.field or problem.field in faults:
        return {}
    name = card_form.name_at(problem.field, given)
    return {name: problem.message} if name and name not in faults else {}


def _listed(faults: Faults, nodes: list[Node]) -> list[Fault]:
    known = {each.name: each for root in nodes for each in _all(root)}
    return [
        Fault(
            title=known[name].title if name in known else card_schema.title_at("$." + name),
            id=known[name].id if name in known else "",
            fault=fault,
        )
        for name, fault in faults.items()
    ]


def _all(node: Node) -> list[Node]:
    inner = [*node.parts, *(part for row in node.rows for part in row.parts)]
    return [node, *(each for part in inner for each in _all(part))]


def _conflict(work: Work, card: CardRef, base: CardVersion, mine: Content) -> Conflicting | None:
    current = reading.get_version(work, card)
    if current.number == base.number:
        return None
    clashes = card_merge.clashes(base.content, mine, current.content)
    return Conflicting(by=current.by, at=current.at, note=current.note, clashes=clashes)


@views.page("GET", "/cards/{card}/evaluations/{place}", permission=Permission.CARD_WRITE)
def edit_evaluation(work: Work, card: CardRef, place: str, query: Window) -> Shown:
    """The form over one evaluation of a card; ``new`` for one more."""
    seen = reading.get_version(work, card)
    value = _evaluation_at(seen.content, _place(place))
    given = to_form(card_schema.evaluation(), value, EVALUATION, start=max(query.start, 0))
    return _evaluation(work, card, place, base=seen, given=given)


def evaluation_again(work: Work, card: CardRef, place: str, form: dict[str, str], problem: ModelwardError) -> Shown:
    """The form over an evaluation once more with what was written."""
    return _evaluation(work, card, place, base=_base(work, card, form), given=form, problem=problem)


@views.page("POST", "/cards/{card}/evaluations/{place}/rows", permission=Permission.CARD_WRITE, reads=True)
def change_evaluation_rows(work: Work, card: CardRef, place: str, form: dict[str, str]) -> Shown:
    """The form over an evaluation with a row more or less; nothing is saved."""
    base = _base(work, card, form)
    return _evaluation(work, card, place, base=base, given=_acted(form), acted=form.get("do", ""))


@views.page("POST", "/cards/{card}/evaluations/{place}", permission=Permission.CARD_WRITE, again=evaluation_again)
def save_evaluation(work: Work, card: CardRef, place: str, form: dict[str, str]) -> Redirect:
    """Keep an evaluation in a new version of the card."""
    base, at = _base(work, card, form), _place(place)
    value, faults = _evaluation_value(form, _evaluation_at(base.content, at))
    if value is None and not faults:
        raise Invalid("An evaluation needs at least a name.", field=f"{EVALUATION}.name")
    return _save(work, card, form, base=base, mine=_with_evaluation(base.content, at, value), faults=faults)


@views.page(
    "POST", "/cards/{card}/evaluations/{place}/remove", permission=Permission.CARD_WRITE, again=evaluation_again
)
def remove_evaluation(work: Work, card: CardRef, place: str, form: dict[str, str]) -> Redirect:
    """Take an evaluation off the card, in a new version."""
    base, at = _base(work, card, form), _place(place)
    gone = _evaluation_at(base.content, at) or {}
    told = {**form, "note": f"Removed the evaluation {str(gone.get('name', ''))[:200]}."}
    return _save(work, card, told, base=base, mine=_with_evaluation(base.content, at, None), faults={})


def _place(text: str) -> int | None:
    if text == "new":
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise NotFound(f"There is no evaluation {text[:40]} on this card.")
    return int(text)


def _evaluation_at(content: Content, place: int | None) -> Any:
    if place is None:
        return None
    told = content.get("evaluation_details", [])
    if place >= len(told):
        raise NotFound(f"There is no evaluation {place + 1} on this card; it has {len(told)}.")
    return told[place]


def _evaluation_value(form: dict[str, str], base: Any) -> tuple[Any, Faults]:
    faults: Faults = {}
    value = to_value(card_schema.evaluation(), form, EVALUATION, base, faults)
    return (None if value is ABSENT else value), faults


def _with_evaluation(content: Content, place: int | None, value: Any) -> Content:
    told = list(content.get("evaluation_details", []))
    at = len(told) if place is None else place
    return {**content, "evaluation_details": [*told[:at], *([value] if value is not None else []), *told[at + 1 :]]}


def _evaluation(
    work: Work,
    card: CardRef,
    place: str,
    *,
    base: CardVersion,
    given: dict[str, str],
    problem: ModelwardError | None = None,
    acted: str = "",
) -> Shown:
    at = _place(place)
    value, faults = _evaluation_value(given, _evaluation_at(base.content, at))
    bindings: dict[str, BoundField] = {each.path: each for each in reading.list_bindings(work, card)}
    path = f"$.evaluation_details[{place}]"
    if problem is not None and problem.field and problem.field not in faults:
        name = card_form.name_at(problem.field, given, root=path, name=EVALUATION)
        faults |= {name: problem.message} if name else {}
    drawing = Drawing(given=given, faults=faults if problem else {}, origins=base.origins, bindings=bindings)
    node = card_form.draw(card_schema.evaluation(), EVALUATION, path, drawing)
    node.title = "Evaluation"
    root = f"/cards/{card}/evaluations/{place}"
    heading = f"Evaluation {at + 1} of {card}" if at is not None else f"A new evaluation on {card}"
    return show(
        "card_edit.html",
        **frame(work, card, "edit", heading=heading),
        sections=[node],
        helps={},
        evaluations=None,
        needed=None,
        urls={
            "save": root,
            "rows": f"{root}/rows",
            "check": f"/cards/{card}/edit/check",
            "remove": f"{root}/remove" if at is not None else "",
            "bind": f"/cards/{card}/evidence",
            "place": place,
        },
        number=base.number,
        note=given.get("note", ""),
        faults=_listed(drawing.faults, [node]),
        problem=problem,
        conflict=_conflict(work, card, base, _with_evaluation(base.content, at, value)) if problem else None,
        acted=acted,
    )
