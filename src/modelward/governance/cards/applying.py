"""Many cards brought to what somebody wrote elsewhere, all of them or none: first on trial, then in one transaction."""

import contextlib
from collections.abc import Callable

import msgspec

from modelward.governance.access.permissions import Permission, require
from modelward.governance.cards import owning, rules, store, use_cases
from modelward.governance.cards.entities import Card, CardStatus, Content
from modelward.kernel.errors import Conflict, Invalid, ModelwardError
from modelward.kernel.refs import CardRef, ModelRef, VersionRef, checked_name
from modelward.storage.work import Work

CARDS_AT_ONCE_MAX = 500


class CardsRefused(Conflict):
    """Some of these cards cannot be brought to what was wanted, so none of them was changed."""


class CardSubjectOther(Conflict):
    """The card is of another model or version, which cannot be changed."""


class WantedCard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A card as it is wanted. ``content`` is a merge patch: fields that it does not name are left alone, null removes one.

    Owner and status that are left out stay. ``number`` is the version that was seen, 0 for none; left out: any.
    """

    card: str
    model: ModelRef | None = None
    version: VersionRef | None = None
    content: Content = {}
    owner: str | None = None
    status: CardStatus | None = None
    note: str = ""
    number: int | None = None


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a card is refused: the name of the error, its words, the path in the content where it is about one, what next."""

    code: str
    message: str
    field: str | None = None
    hint: str | None = None


class CardOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became (or would become) of a card: ``action`` is create, change, keep or refused."""

    card: str
    action: str
    number: int | None = None
    status: CardStatus | None = None
    problem: Problem | None = None


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """What became of all cards; ``applied`` is false where it was a trial."""

    applied: bool
    refused: int
    cards: list[CardOutcome]


class _Undone(Exception):
    """Ends a trial."""


def apply_cards(
    work: Work, wanted: list[WantedCard], *, dry_run: bool, check_subject: Callable[[Work, WantedCard], None]
) -> Applied:
    """Create and change cards until they are as wanted; a second time nothing changes.

    On trial (``dry_run``) everything is done, looked at and undone, so what it refuses is what the real thing would.
    ``check_subject`` refuses a model or version that is not registered.

    Raises:
        CardsRefused: not on trial, and some cards are refused; nothing is changed.
        Invalid: there are too many cards, or one of them twice.
    """
    require(work, Permission.CARD_WRITE)
    if len(wanted) > CARDS_AT_ONCE_MAX:
        raise Invalid(f"{len(wanted)} cards came; at most {CARDS_AT_ONCE_MAX} are applied at once.", field="cards")
    names = [each.card for each in wanted]
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise Invalid(f"The card {twice[:80]!r} stands twice.", field="cards")
    outcomes: list[CardOutcome] = []

    def everything() -> None:
        outcomes.extend(_tried(work, each, check_subject) for each in wanted)
        if dry_run:
            raise _Undone

    with contextlib.suppress(_Undone):
        _apart(work, everything)
    refused = [each for each in outcomes if each.problem]
    if refused and not dry_run:
        first = refused[0]
        assert first.problem is not None
        raise CardsRefused(
            f"{len(refused)} of {len(wanted)} cards are refused, so none was changed. {first.card}: {first.problem.message}",
            field=first.problem.field,
            hint=first.problem.hint,
        )
    return Applied(applied=not dry_run, refused=len(refused), cards=outcomes)


def _apart(work: Work, task: Callable[[], None]) -> None:
    """Run a part of the work so that nothing of it stays where it raises."""
    recorded, changed = list(work.recorded), work.changed
    work.connection.exec_driver_sql("SAVEPOINT part")
    try:
        task()
    except (ModelwardError, _Undone):
        work.connection.exec_driver_sql("ROLLBACK TO SAVEPOINT part")
        work.connection.exec_driver_sql("RELEASE SAVEPOINT part")
        work.recorded[:], work.changed = recorded, changed
        raise
    work.connection.exec_driver_sql("RELEASE SAVEPOINT part")


def _tried(work: Work, each: WantedCard, check_subject: Callable[[Work, WantedCard], None]) -> CardOutcome:
    found: list[tuple[str, Card]] = []

    def one() -> None:
        found.append(_applied(work, each, check_subject))

    try:
        _apart(work, one)
    except ModelwardError as problem:
        told = Problem(code=problem.code, message=problem.message, field=problem.field, hint=problem.hint)
        return CardOutcome(card=each.card, action="refused", problem=told)
    action, card = found[0]
    return CardOutcome(card=each.card, action=action, number=card.number, status=card.status)


def _applied(work: Work, each: WantedCard, check_subject: Callable[[Work, WantedCard], None]) -> tuple[str, Card]:
    name = CardRef(checked_name(each.card, field="card"))
    known = store.find_card(work, name)
    _check_seen(name, known, each.number)
    if known is None:
        check_subject(work, each)
        card = use_cases.create_card(
            work, name=name, content=without_null(each.content), model=each.model, version=each.version, note=each.note
        )
    else:
        _check_same_subject(known, each)
        card = known
        current = store.get_version(work, name, known.number).content
        # An archived card that says all this already stays as it is.
        if rules.merged(current, each.content) != current:
            card = use_cases.edit_card(work, name, patch=each.content, note=each.note)
    if each.owner is not None and each.owner != card.owner:
        card = owning.assign_owner(work, name, owner=each.owner)
    if each.status is not None and each.status is not card.status:
        card = use_cases.change_status(work, name, status=each.status, reason=each.note)
    return "create" if known is None else "keep" if card == known else "change", card


def _check_seen(name: CardRef, known: Card | None, seen: int | None) -> None:
    present = known.number if known else 0
    if seen is not None and seen != present:
        told = f"has version {present} by now" if known else "is not there any more"
        raise use_cases.CardChanged(
            f"{name} {told}; version {seen} was seen when this was planned." if seen else f"{name} was made meanwhile.",
            field="number",
            hint="Plan again.",
        )


def _check_same_subject(known: Card, each: WantedCard) -> None:
    # A card of a version is of its model as well.
    for kind, asked, present in (("version", each.version, known.version), ("model", each.model, known.model)):
        if asked is not None and asked != present:
            raise CardSubjectOther(
                f"The card {known.name} is of {present or f'no {kind}'}, not of {asked}; that cannot be changed.",
                field=kind,
                hint="Use another name, or archive the card first.",
            )


def without_null(content: Content) -> Content:
    """A content without the fields that are to be removed."""
    return {
        key: without_null(value) if isinstance(value, dict) else value
        for key, value in content.items()
        if value is not None
    }
