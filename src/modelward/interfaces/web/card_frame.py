"""What every page about one card shows around it: its head, the tabs with their counts, and what the card still lacks."""

from typing import Any
from urllib.parse import quote

import msgspec

from modelward.governance.cards import attachments, comments, reading
from modelward.governance.cards.entities import Card, CardStatus, Completeness
from modelward.interfaces.web import card_schema
from modelward.interfaces.web.card_form import id_of
from modelward.kernel.pages import PAGE_SIZE_MAX, PageRequest
from modelward.kernel.refs import CardRef
from modelward.storage.work import Work

DETAILS = "$.additional_information.custom_details"
TABS = (
    ("card", "Card", ""),
    ("discussion", "Discussion", "/discussion"),
    ("evidence", "Evidence", "/evidence"),
    ("controls", "Controls", "/controls"),
    ("versions", "Versions", "/versions"),
    ("attachments", "Attachments", "/attachments"),
    ("exports", "Exports", "/exports"),
)


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """Something to fill: where, in words, and how to supply it."""

    title: str
    href: str
    how: str = ""


class Needed(msgspec.Struct, frozen=True, kw_only=True):
    """What a card lacks: ``share`` in [0, 1], what blocks the next status, and what is recommended besides."""

    share: float
    filled: int
    total: int
    next: CardStatus | None
    blocking: list[Task]
    missing: list[Task]


def frame(work: Work, name: CardRef, tab: str, *, heading: str = "") -> dict[str, Any]:
    """What the template of a card's page needs besides its own."""
    card = reading.get_card(work, name)
    return {
        "card": card,
        "tab": "" if tab == "card" else tab,
        "tabs": _tabs(),
        "counts": _counts(work, card),
        "heading": heading,
    }


def _tabs() -> list[tuple[str, str, str]]:
    return [("" if name == "card" else name, title, path) for name, title, path in TABS]


def _counts(work: Work, card: Card) -> dict[str, int]:
    said = comments.list_comments(work, card.name, page=PageRequest(limit=PAGE_SIZE_MAX), resolved=False).items
    return {
        "discussion": len({each.thread for each in said}),
        "attachments": len(attachments.list_attachments(work, card.name)),
        "versions": card.number,
    }


def needed(name: CardRef, completeness: Completeness, *, local: bool = False) -> Needed:
    """The completeness of a card with links to where each missing field is filled; ``local`` on the form itself."""
    hows = {each.path: each.how for each in completeness.required}
    return Needed(
        share=completeness.share,
        filled=len(completeness.filled),
        total=len(completeness.filled) + len(completeness.missing),
        next=completeness.next_status,
        blocking=[_task(name, path, hows.get(path, ""), local=local) for path in completeness.blocking],
        missing=[
            _task(name, path, "", local=local) for path in completeness.missing if path not in completeness.blocking
        ],
    )


def _task(name: CardRef, path: str, how: str, *, local: bool) -> Task:
    if path.startswith("evidence:"):
        kind = path.partition(":")[2]
        return Task(title=f"Evidence: {kind}", href=f"/cards/{name}/evidence?kind={kind}", how=how)
    # The title is the link to the field, so a hint that only repeats its path adds nothing.
    how = "" if path in how else how
    return Task(title=card_schema.title_at(path).rpartition(" › ")[2], href=href_of(name, path, local=local), how=how)


def href_of(name: CardRef, path: str, *, local: bool = False) -> str:
    """Where a field of a card is filled in."""
    whole = "" if local else f"/cards/{name}/edit"
    if path.startswith("$.evaluation_details"):
        return f"{whole}#f-evaluation_details"
    if path.startswith(DETAILS):
        # A detail that is not there yet is begun with its name, so that only its text is left to write.
        wanted = "" if local else f"?detail={quote(path[len(DETAILS) + 1 :], safe='')}"
        return f"{whole}{wanted}#{id_of(DETAILS.removeprefix('$.'))}"
    return f"{whole}#{id_of(path.removeprefix('$.').split('[')[0])}"
