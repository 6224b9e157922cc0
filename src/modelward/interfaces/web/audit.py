"""The audit trail: every event, by filters, and whether its chain of hashes holds."""

from typing import Any

import msgspec

from modelward.governance.access.permissions import Permission, require
from modelward.governance.approvals import use_cases as approvals
from modelward.governance.cards import use_cases as cards
from modelward.governance.evaluations import use_cases as evaluations
from modelward.interfaces.web.views import Shown, Views, show
from modelward.kernel.errors import Invalid
from modelward.kernel.events import Event, Happening
from modelward.kernel.pages import PageRequest
from modelward.kernel.refs import VersionRef
from modelward.storage import event_log
from modelward.storage.work import Work

views = Views()
EVENTS_ON_A_PAGE = 50
DETAIL_CHARACTERS_MAX = 300
MAY_SEE_ALL = frozenset({Permission.CARD_READ, Permission.EVALUATION_READ, Permission.REVIEW_READ})


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """Which events to show."""

    subject: str = ""
    name: str = ""
    actor: str = ""
    before: int | None = None
    verify: bool = False


@views.page("GET", "/audit", permission=Permission.AUDIT_READ)
def audit(work: Work, query: Filters) -> Shown:
    """The event log, the newest first; on request with its chain recomputed."""
    require(work, Permission.AUDIT_READ)
    found = event_log.read(
        work.connection,
        subjects=subjects_about(work, query.subject.strip()) if query.subject.strip() else None,
        names=[query.name] if query.name else None,
        actor=query.actor.strip() or None,
        before=query.before,
        limit=EVENTS_ON_A_PAGE + 1,
    )
    return show(
        "audit.html",
        query=query,
        events=[(event, details(event)) for event in found[:EVENTS_ON_A_PAGE]],
        older=found[EVENTS_ON_A_PAGE - 1].sequence if len(found) > EVENTS_ON_A_PAGE else None,
        names=sorted(Happening.known),
        report=event_log.verify(work.connection) if query.verify else None,
    )


def subjects_about(work: Work, subject: str) -> list[str]:
    """What the log is searched for: a version together with its card, reviews and evaluations; else the subject alone."""
    try:
        version = VersionRef.parse(subject)
    except Invalid:
        return [subject]
    if not work.actor.permissions >= MAY_SEE_ALL:
        return [subject]
    card = cards.find_card_of(work, version)
    reviews = approvals.list_reviews(work, page=PageRequest(), version=version).items
    made = evaluations.list_evaluations(work, version, page=PageRequest()).items
    ids = [str(each.id) for each in reviews] + [str(each.id) for each in made]
    return [subject, *([str(card.name)] if card else []), *ids]


def details(event: Event) -> list[tuple[str, str]]:
    """The fields of an event but its subject, each as a short text."""
    return [(name, _short(value)) for name, value in event.detail.items() if str(value) != event.subject]


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= DETAIL_CHARACTERS_MAX else text[: DETAIL_CHARACTERS_MAX - 1] + "…"
