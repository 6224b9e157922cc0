"""Where a card's status is changed with a signature, and where a draft is deleted."""

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.governance.cards import deletion, reading, rules, use_cases
from modelward.governance.cards.entities import CardStatus, StatusEntry
from modelward.interfaces.web.card_frame import frame, needed
from modelward.interfaces.web.views import Redirect, Shown, Views, show
from modelward.kernel.errors import Conflict, Invalid, ModelwardError
from modelward.kernel.refs import CardRef
from modelward.storage.work import Work

views = Views()


class ContentMoved(Conflict):
    """The card has another version by now than the one that was signed."""


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """The move, why, the digest of what the signer saw, and that they meant it."""

    status: CardStatus
    reason: str = ""
    seen: str = ""
    meant: str = ""


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why, and the name of the card typed once more."""

    reason: str = ""
    again: str = ""


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """The status that is chosen at first."""

    to: CardStatus | None = None


@views.page("GET", "/cards/{card}/status", permission=Permission.CARD_WRITE)
def show_status(work: Work, card: CardRef, query: Chosen) -> Shown:
    """The moves that the card's status can make, what stands in their way, and what signing one means."""
    return _status(work, card, form={"status": query.to.value} if query.to else {}, problem=None)


def status_again(work: Work, card: CardRef, form: dict[str, str], problem: ModelwardError) -> Shown:
    """The same with the refusal."""
    return _status(work, card, form=form, problem=problem)


def _status(work: Work, card: CardRef, *, form: dict[str, str], problem: ModelwardError | None) -> Shown:
    full = reading.get_full_card(work, card)
    may_approve = Permission.CARD_APPROVE in work.actor.permissions
    moves = [
        each
        for each in CardStatus
        if each in rules.STATUS_MOVES[full.status] and (each is not CardStatus.APPROVED or may_approve)
    ]
    return show(
        "card_status.html",
        **{**frame(work, card, "status", heading=f"Status of {card}"), "card": full},
        moves=[(each, rules.MEANINGS[each]) for each in moves],
        needed=needed(card, full.completeness),
        writers=reading.list_authors(work, card),
        statuses=_moves(reading.list_statuses(work, card)),
        form=form,
        problem=problem,
    )


def _moves(statuses: list[StatusEntry]) -> list[StatusEntry]:
    """The entries at which the status itself changed."""
    return [each for place, each in enumerate(statuses) if place == 0 or each.status is not statuses[place - 1].status]


@views.page("POST", "/cards/{card}/status", permission=Permission.CARD_WRITE, again=status_again)
def change_status(work: Work, card: CardRef, form: Signature) -> Redirect:
    """Move a card to another status, signed by the one who asks."""
    found = reading.get_card(work, card)
    if form.seen != str(found.digest):
        raise ContentMoved(f"{card} has version {found.number} by now; read it, then sign again.", field="seen")
    if form.meant != form.status.value:
        raise Invalid("Confirm that you mean what the signature says.", field="meant")
    use_cases.change_status(work, card, status=form.status, reason=form.reason.strip())
    return Redirect(to=f"/cards/{card}?done=status")


@views.page("GET", "/cards/{card}/delete", permission=Permission.CARD_WRITE)
def ask_to_delete(work: Work, card: CardRef) -> Shown:
    """What deleting a draft means, and the question whether it is meant."""
    return show("card_delete.html", **frame(work, card, "delete", heading=f"Delete {card}"), problem=None, form={})


def delete_again(work: Work, card: CardRef, form: dict[str, str], problem: ModelwardError) -> Shown:
    """The same with the refusal."""
    return show("card_delete.html", **frame(work, card, "delete", heading=f"Delete {card}"), problem=problem, form=form)


@views.page("POST", "/cards/{card}/delete", permission=Permission.CARD_WRITE, again=delete_again)
def delete_card(work: Work, card: CardRef, form: Reason) -> Redirect:
    """Delete a draft that was never approved."""
    if form.again.strip() != str(card):
        raise Invalid(f"Write the name of the card, {card}, to delete it.", field="again")
    deletion.delete_card(work, card, reason=form.reason.strip())
    return Redirect(to="/cards?done=deleted")
