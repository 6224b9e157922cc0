"""Model cards: list, read, edit, move through statuses, compare versions."""

from typing import Any

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.governance.cards import rules, use_cases
from modelward.governance.cards.entities import CardStatus, Content, RiskRating
from modelward.interfaces.web import card_content
from modelward.interfaces.web.history import history_of
from modelward.interfaces.web.views import Redirect, Shown, Views, show
from modelward.kernel.errors import ModelwardError
from modelward.kernel.pages import PageRequest
from modelward.kernel.refs import CardRef
from modelward.storage.work import Work

views = Views()
CARDS_ON_A_PAGE = 50
RISK = "intended_uses.risk_rating"
FORM: dict[str, list[tuple[str, int]]] = {
    "Model": [
        ("model_overview.model_description", 1024),
        ("model_overview.model_owner", 1024),
        ("model_overview.problem_type", 1024),
        ("model_overview.algorithm_type", 1024),
    ],
    "Intended use": [
        ("intended_uses.purpose_of_model", 2048),
        ("intended_uses.intended_uses", 2048),
        ("intended_uses.factors_affecting_model_efficiency", 2048),
        ("intended_uses.explanations_for_risk_rating", 2048),
    ],
    "Business": [
        ("business_details.business_problem", 2048),
        ("business_details.business_stakeholders", 2048),
        ("business_details.line_of_business", 2048),
    ],
    "Training": [("training_details.training_observations", 1024)],
    "Considerations": [
        ("additional_information.ethical_considerations", 2048),
        ("additional_information.caveats_and_recommendations", 2048),
    ],
}
ONE_LINE = frozenset(
    {
        "model_overview.model_owner",
        "model_overview.problem_type",
        "model_overview.algorithm_type",
        "business_details.line_of_business",
    }
)


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """Which cards to list."""

    text: str = ""
    status: CardStatus | None = None
    risk: RiskRating | None = None
    cursor: str | None = None


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """Which version of a card to show, compared with which."""

    number: int | None = None
    compare: int | None = None
    done: str = ""


class NewStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The status that a card is to have, and why."""

    status: CardStatus
    reason: str = ""


@views.page("GET", "/cards", permission=Permission.CARD_READ)
def list_cards(work: Work, query: Listed) -> Shown:
    """Cards in the order of their names."""
    page = use_cases.list_cards(
        work,
        page=PageRequest(limit=CARDS_ON_A_PAGE, cursor=query.cursor),
        text=query.text.strip(),
        status=query.status,
        risk_rating=query.risk,
    )
    return show("cards.html", page=page, query=query, statuses=list(CardStatus), risks=list(RiskRating))


@views.page("GET", "/cards/{card}", permission=Permission.CARD_READ)
def show_card(work: Work, card: CardRef, query: Looked) -> Shown:
    """A card by sections, in its current or an earlier version."""
    return _card(work, card, query=query, problem=None)


def card_again(work: Work, card: CardRef, form: dict[str, str], problem: ModelwardError) -> Shown:
    """The card with the refusal of what was asked."""
    return _card(work, card, query=Looked(), problem=problem)


def _card(work: Work, card: CardRef, *, query: Looked, problem: ModelwardError | None) -> Shown:
    full = use_cases.get_full_card(work, card)
    seen = use_cases.get_version(work, card, number=query.number)
    changes = (
        use_cases.difference(work, card, before=query.compare, after=seen.number) if query.compare is not None else None
    )
    return show(
        "card.html",
        card=full,
        seen=seen,
        sections=card_content.sections(seen.content, seen.origins),
        evaluations=card_content.evaluations(seen.content, seen.origins),
        completeness=rules.completeness(seen.content),
        versions=use_cases.list_versions(work, card, page=PageRequest()).items,
        compare=query.compare,
        changes=changes,
        moves=[status for status in CardStatus if status in rules.STATUS_MOVES[full.status]],
        author=use_cases.get_version(work, card, number=full.number).by,
        history=history_of(work, card),
        done=query.done,
        problem=problem,
    )


@views.page("GET", "/cards/{card}/edit", permission=Permission.CARD_WRITE)
def edit_card(work: Work, card: CardRef) -> Shown:
    """The form over the texts of a card."""
    full = use_cases.get_full_card(work, card)
    given = {path: str(_at(full.content, path) or "") for path in _paths()}
    return _form(work, card, given={**given, "number": str(full.number), "note": ""}, problem=None)


def edit_again(work: Work, card: CardRef, form: dict[str, str], problem: ModelwardError) -> Shown:
    """The form once more with what was written, and what is wrong with it."""
    return _form(work, card, given=form, problem=problem)


def _form(work: Work, card: CardRef, *, given: dict[str, str], problem: ModelwardError | None) -> Shown:
    full = use_cases.get_full_card(work, card)
    at = (problem.field or "").removeprefix("$.") if problem else ""
    return show(
        "card_edit.html",
        card=full,
        form=FORM,
        one_line=ONE_LINE,
        risks=list(RiskRating),
        risk_path=RISK,
        given=given,
        origins=full.origins,
        problem=problem,
        problem_at=at if at in _paths() else "",
    )


@views.page("POST", "/cards/{card}/edit", permission=Permission.CARD_WRITE, again=edit_again)
def save_card(work: Work, card: CardRef, form: dict[str, str]) -> Redirect:
    """Keep the texts as a new version of the card."""
    before = use_cases.get_full_card(work, card)
    patch: Content = {}
    for path in _paths():
        if path in form and form[path].strip() != str(_at(before.content, path) or "").strip():
            _put(patch, path, form[path].strip() or None)
    number = form.get("number", "")
    saved = use_cases.edit_card(
        work,
        card,
        patch=patch,
        note=form.get("note", "").strip(),
        expected=int(number) if number.isascii() and number.isdigit() else None,
    )
    return Redirect(to=f"/cards/{card}?done={'saved' if saved.number != before.number else 'unchanged'}")


@views.page("POST", "/cards/{card}/status", permission=Permission.CARD_READ, again=card_again)
def change_status(work: Work, card: CardRef, form: NewStatus) -> Redirect:
    """Move a card to another status."""
    use_cases.change_status(work, card, status=form.status, reason=form.reason.strip())
    return Redirect(to=f"/cards/{card}?done=status")


def _paths() -> list[str]:
    return [RISK, *(path for fields in FORM.values() for path, _ in fields)]


def _at(content: Content, path: str) -> Any:
    value: Any = content
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _put(patch: Content, path: str, value: str | None) -> None:
    section, _, field = path.partition(".")
    patch.setdefault(section, {})[field] = value
