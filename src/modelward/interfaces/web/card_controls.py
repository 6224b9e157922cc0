"""How a card answers the controls of a standard: covered, open or not applicable, each with what it rests on."""

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.governance.cards import controls
from modelward.governance.cards.control_packs import ControlState
from modelward.interfaces.web import card_schema
from modelward.interfaces.web.card_frame import frame, href_of
from modelward.interfaces.web.views import Redirect, Shown, Views, show
from modelward.kernel.errors import ModelwardError
from modelward.kernel.refs import CardRef
from modelward.storage.work import Work

views = Views()


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """Which pack, and which of its controls."""

    pack: str = ""
    state: ControlState | None = None
    done: str = ""


class Stated(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a control applies, and why."""

    applies: str = ""
    reason: str = ""


@views.page("GET", "/cards/{card}/controls", permission=Permission.CARD_READ)
def show_controls(work: Work, card: CardRef, query: Chosen) -> Shown:
    """The controls of one pack with their states."""
    return _controls(work, card, pack=query.pack, state=query.state, done=query.done, problem=None)


def controls_again(
    work: Work, card: CardRef, pack: str, control: str, form: dict[str, str], problem: ModelwardError
) -> Shown:
    """The same with the refusal."""
    return _controls(work, card, pack=pack, state=None, done="", problem=problem)


def _controls(
    work: Work,
    card: CardRef,
    *,
    pack: str,
    state: ControlState | None,
    done: str,
    problem: ModelwardError | None,
) -> Shown:
    packs = controls.list_packs(work)
    told = controls.assess_controls(work, card, pack or packs[0].id)
    results = [each for each in told.results if state in (None, each.state)]
    links = {
        field.path: (card_schema.title_at(field.path), href_of(card, field.path))
        for each in results
        for field in each.fields
    }
    return show(
        "card_controls.html",
        **frame(work, card, "controls", heading=f"Controls answered by {card}"),
        packs=packs,
        told=told,
        results=results,
        links=links,
        state=state,
        states=list(ControlState),
        done=done,
        problem=problem,
    )


@views.page("POST", "/cards/{card}/controls/{pack}/{control}", permission=Permission.CARD_GOVERN, again=controls_again)
def state_applicability(work: Work, card: CardRef, pack: str, control: str, form: Stated) -> Redirect:
    """Say that a control does not apply, and why; or that it does after all."""
    controls.state_applicability(work, card, pack, control, applies=form.applies == "yes", reason=form.reason.strip())
    return Redirect(to=f"/cards/{card}/controls?pack={pack}&done=stated#k-{control}")
