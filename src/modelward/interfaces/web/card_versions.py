"""The versions of a card: the list, two side by side, what changed since the approval, and the card on a past day."""

from datetime import UTC, date, datetime, time, timedelta

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.governance.cards import reading
from modelward.governance.cards.entities import CardStatus, CardVersion
from modelward.governance.cards.reading import SinceApproval
from modelward.interfaces.web import card_content, card_difference
from modelward.interfaces.web.card_frame import frame, needed
from modelward.interfaces.web.views import Shown, Views, show
from modelward.kernel.errors import Invalid, NotFound
from modelward.kernel.pages import PageRequest
from modelward.kernel.refs import CardRef
from modelward.storage.work import Work

views = Views()
VERSIONS_ON_A_PAGE = 50


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """Which versions."""

    cursor: str | None = None


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """Which two versions; the current one and the one before when left out."""

    before: int | None = None
    after: int | None = None


class OnDay(msgspec.Struct, frozen=True, kw_only=True):
    """The day of interest, as 2026-03-31; its end counts."""

    day: str = ""


@views.page("GET", "/cards/{card}/versions", permission=Permission.CARD_READ)
def list_versions(work: Work, card: CardRef, query: Listed) -> Shown:
    """The versions of a card with the last status of each, and where to compare them."""
    page = reading.list_versions(work, card, page=PageRequest(limit=VERSIONS_ON_A_PAGE, cursor=query.cursor))
    found = reading.get_card(work, card)
    statuses = reading.list_statuses(work, card)
    return show(
        "card_versions.html",
        **frame(work, card, "versions", heading=f"Versions of {card}"),
        page=page,
        approved=[each for each in statuses if each.status is CardStatus.APPROVED],
        first_day=f"{found.created_at:%Y-%m-%d}",
        today=f"{work.now:%Y-%m-%d}",
    )


@views.page("GET", "/cards/{card}/difference", permission=Permission.CARD_READ)
def compare(work: Work, card: CardRef, query: Compared) -> Shown:
    """Two versions of a card side by side."""
    current = reading.get_card(work, card).number
    after = reading.get_version(work, card, number=query.after or current)
    before = reading.get_version(work, card, number=query.before or max(after.number - 1, 1))
    return _difference(work, card, before, after, heading=f"Version {before.number} and version {after.number}")


@views.page("GET", "/cards/{card}/since-approval", permission=Permission.CARD_READ)
def since_approval(work: Work, card: CardRef) -> Shown:
    """What changed since the card was approved last."""
    told = reading.since_approval(work, card)
    before = reading.get_version(work, card, number=told.approved)
    after = reading.get_version(work, card, number=told.current)
    return _difference(work, card, before, after, heading="Since the approval", since=told)


def _difference(
    work: Work,
    card: CardRef,
    before: CardVersion,
    after: CardVersion,
    *,
    heading: str,
    since: SinceApproval | None = None,
) -> Shown:
    return show(
        "card_difference.html",
        **frame(work, card, "versions", heading=heading),
        before=before,
        after=after,
        sections=card_difference.parts(before.content, after.content),
        since=since,
    )


@views.page("GET", "/cards/{card}/as-of", permission=Permission.CARD_READ)
def as_of(work: Work, card: CardRef, query: OnDay) -> Shown:
    """A card as it stood at the end of a day, with the evidence known then."""
    found = reading.get_card(work, card)
    at, problem, told = _end_of(query.day, work.now), None, None
    try:
        told = reading.as_of(work, card, at)
    except NotFound as missing:
        problem = missing
    bindings = {each.path: each for each in told.bindings} if told else {}
    content, origins = (told.version.content, told.version.origins) if told else ({}, {})
    return show(
        "card_as_of.html",
        **frame(work, card, "versions", heading=f"{card} on {at:%-d %b %Y}"),
        told=told,
        at=at,
        needed=needed(card, told.completeness) if told else None,
        sections=card_content.sections(content, origins, bindings),
        evaluations=card_content.evaluations(content, origins, bindings),
        day=f"{at:%Y-%m-%d}",
        first_day=f"{found.created_at:%Y-%m-%d}",
        today=f"{work.now:%Y-%m-%d}",
        problem=problem,
    )


def _end_of(text: str, now: datetime) -> datetime:
    """The last moment of a day in UTC, or now, whichever is earlier."""
    if not text:
        return now
    try:
        day = date.fromisoformat(text)
        end = datetime.combine(day, time(0), tzinfo=UTC) + timedelta(days=1, microseconds=-1)
    except (ValueError, OverflowError) as problem:
        raise Invalid(f"{text[:40]!r} is no day; write it as 2026-03-31.", field="day") from problem
    return min(end, now)
