"""Model cards: the hub with its filters, and one card by sections in any of its versions."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.governance.cards import comments, owning, reading, reviewing, rules
from modelward.governance.cards.conversation import RequestState
from modelward.governance.cards.entities import CardStatus, RiskRating
from modelward.governance.cards.listing import Sort
from modelward.interfaces.web import card_content
from modelward.interfaces.web.card_frame import frame, needed
from modelward.interfaces.web.history import history_of
from modelward.interfaces.web.views import Redirect, Shown, Views, show
from modelward.kernel.clock import in_utc
from modelward.kernel.errors import ModelwardError, NotFound
from modelward.kernel.pages import PAGE_SIZE_MAX, PageRequest
from modelward.kernel.refs import CardRef, ModelRef
from modelward.storage.work import Work

views = Views()
CARDS_ON_A_PAGE = 50
VERSIONS_SHOWN = 6
MEASURES_ON_A_PAGE = 500
SORTS: list[tuple[str, str]] = [
    ("name", "Name"),
    ("-modified", "Last changed"),
    ("-debt", "Most debt"),
    ("risk", "Highest risk"),
]


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """Which cards to list, in which order."""

    text: str = ""
    status: CardStatus | None = None
    risk: RiskRating | None = None
    owner: str = ""
    model: str = ""
    debt: int | None = None
    sort: Sort = "name"
    cursor: str | None = None
    done: str = ""


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """Which version of a card to show."""

    number: int | None = None
    compare: int | None = None
    done: str = ""


class Measures(msgspec.Struct, frozen=True, kw_only=True):
    """Which group of which evaluation of a version, counted from one, and from which measure on."""

    number: int | None = None
    evaluation: int = 1
    group: int = 1
    start: int = 0


class NewOwner(msgspec.Struct, frozen=True, kw_only=True):
    """Who looks after the card from now on."""

    owner: str = ""


@views.page("GET", "/cards", permission=Permission.CARD_READ)
def list_cards(work: Work, query: Listed) -> Shown:
    """The cards that fit the filters."""
    model = query.model.strip()
    page = reading.list_cards(
        work,
        page=PageRequest(limit=CARDS_ON_A_PAGE, cursor=query.cursor),
        text=query.text.strip(),
        status=query.status,
        risk_rating=query.risk,
        model=ModelRef.parse(model) if model else None,
        owner=query.owner.strip(),
        debt_min=query.debt or None,
        sort=query.sort,
    )
    return show(
        "cards.html",
        page=page,
        query=query,
        statuses=list(CardStatus),
        risks=list(RiskRating),
        sorts=SORTS,
        more=_address(query, cursor=page.next_cursor) if page.next_cursor else "",
        narrowed=bool(query.text or query.status or query.risk or query.owner or query.model or query.debt),
    )


def _address(query: Listed, **changed: Any) -> str:
    told = {**msgspec.structs.asdict(query), "done": "", **changed}
    return "/cards?" + urlencode({name: str(value) for name, value in told.items() if value})


@views.page("GET", "/cards/{card}", permission=Permission.CARD_READ)
def show_card(work: Work, card: CardRef, query: Looked) -> Shown | Redirect:
    """A card by sections, in its current or an earlier version."""
    if query.compare is not None:
        # Links to differences of earlier releases keep working.
        after = f"&after={query.number}" if query.number is not None else ""
        return Redirect(to=f"/cards/{card}/difference?before={query.compare}{after}")
    return _card(work, card, query=query, problem=None)


def card_again(work: Work, card: CardRef, form: dict[str, str], problem: ModelwardError) -> Shown:
    """The card with the refusal of what was asked."""
    return _card(work, card, query=Looked(), problem=problem)


def _card(work: Work, card: CardRef, *, query: Looked, problem: ModelwardError | None) -> Shown:
    full = reading.get_full_card(work, card)
    seen = reading.get_version(work, card, number=query.number)
    is_current = seen.number == full.number
    told = full.bindings if is_current else reading.list_bindings(work, card, number=seen.number)
    bindings = {each.path: each for each in told}
    asked = reviewing.list_requests(work, page=PageRequest(), card=card, state=RequestState.OPEN).items
    return show(
        "card.html",
        **{**frame(work, card, "card"), "card": full},
        seen=seen,
        is_current=is_current,
        sections=card_content.sections(seen.content, seen.origins, bindings),
        evaluations=card_content.evaluations(seen.content, seen.origins, bindings),
        needed=needed(card, full.completeness),
        talk=_open_comments(work, card),
        asked=asked,
        versions=reading.list_versions(work, card, page=PageRequest(limit=VERSIONS_SHOWN)).items,
        moves=sorted(rules.STATUS_MOVES[full.status]),
        approved=[each for each in reading.list_statuses(work, card) if each.status is CardStatus.APPROVED],
        history=history_of(work, card, limit=8),
        done=query.done,
        problem=problem,
    )


@views.page("GET", "/cards/{card}/measures", permission=Permission.CARD_READ)
def show_measures(work: Work, card: CardRef, query: Measures) -> Shown:
    """One group of measures of a card, some hundreds at a time."""
    seen = reading.get_version(work, card, number=query.number)
    told = card_content.evaluations(seen.content, seen.origins)
    if not 1 <= query.evaluation <= len(told) or not 1 <= query.group <= len(told[query.evaluation - 1].groups):
        raise NotFound(f"{card} has no such group of measures.", field="group")
    name, numbers, _ = told[query.evaluation - 1].groups[query.group - 1]
    start = min(max(query.start, 0), max(len(numbers) - 1, 0)) // MEASURES_ON_A_PAGE * MEASURES_ON_A_PAGE
    end = min(start + MEASURES_ON_A_PAGE, len(numbers))
    return show(
        "card_measures.html",
        **frame(work, card, "card", heading=f"Measures of {card}"),
        evaluation=told[query.evaluation - 1].name,
        group=name,
        number=seen.number,
        numbers=numbers[start:end],
        count=len(numbers),
        first=start + 1,
        last=end,
        before=start - MEASURES_ON_A_PAGE if start else None,
        after=end if end < len(numbers) else None,
        address=f"/cards/{card}/measures?number={seen.number}&evaluation={query.evaluation}&group={query.group}",
    )


def _open_comments(work: Work, card: CardRef) -> dict[str, int]:
    """How many open threads each section has."""
    found: dict[str, set[str]] = {}
    page = PageRequest(limit=PAGE_SIZE_MAX)
    for each in comments.list_comments(work, card, page=page, resolved=False).items:
        section = each.path.removeprefix("$").lstrip(".").split(".")[0].split("[")[0]
        found.setdefault(section, set()).add(each.thread)
    return {section: len(threads) for section, threads in found.items()}


@views.page("POST", "/cards/{card}/owner", permission=Permission.CARD_WRITE, again=card_again)
def assign_owner(work: Work, card: CardRef, form: NewOwner) -> Redirect:
    """Make somebody the owner of a card."""
    owning.assign_owner(work, card, owner=form.owner.strip())
    return Redirect(to=f"/cards/{card}?done=owner")


@views.page("GET", "/cards/{card}/print", permission=Permission.CARD_READ)
def print_card(work: Work, card: CardRef, query: Looked) -> Shown:
    """A card on paper: all sections in one column, without the frame."""
    seen = reading.get_version(work, card, number=query.number)
    bindings = {each.path: each for each in reading.list_bindings(work, card, number=seen.number)}
    found = reading.list_statuses(work, card)
    printed_at: datetime = in_utc(work.now)
    return show(
        "card_print.html",
        card=reading.get_card(work, card),
        seen=seen,
        status_then=next((each for each in reversed(found) if each.number == seen.number), None),
        sections=card_content.sections(seen.content, seen.origins, bindings),
        evaluations=card_content.evaluations(seen.content, seen.origins, bindings),
        printed_at=printed_at,
    )
