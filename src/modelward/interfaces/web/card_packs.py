"""What cards must have: the control packs, those that come with Modelward and one's own, and the template in force."""

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.governance.cards import control_packs, own_packs, templating
from modelward.governance.cards.control_packs import PackVersion
from modelward.interfaces.web import card_schema
from modelward.interfaces.web.views import Redirect, Shown, Views, show
from modelward.kernel.errors import ModelwardError
from modelward.storage.work import Work

views = Views()
BEGIN = """\
title = "Our rules"
source = "Handbook, chapter 4"

[[control]]
id = "owner"
clause = "4.1"
title = "Somebody answers for the model"
text = "Say who answers for the model."
fields = ["$.model_overview.model_owner"]
"""


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """What was done a moment ago."""

    done: str = ""


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A pack as it was written."""

    name: str = ""
    text: str = ""
    note: str = ""


class Retired(msgspec.Struct, frozen=True, kw_only=True):
    """Why a pack is retired."""

    reason: str = ""


@views.page("GET", "/card-packs", permission=Permission.CARD_READ)
def show_packs(work: Work, query: Listed) -> Shown:
    """All control packs, and the template in force with those before it."""
    return _packs(work, done=query.done)


def packs_again(work: Work, form: dict[str, str], problem: ModelwardError) -> Shown:
    """The same with the refusal, and what was written."""
    return _packs(work, given=form, problem=problem)


def _packs(
    work: Work, *, done: str = "", given: dict[str, str] | None = None, problem: ModelwardError | None = None
) -> Shown:
    return show(
        "card_packs.html",
        packs=own_packs.list_packs(work, retired=True),
        in_force=templating.get_template(work),
        templates=templating.list_templates(work),
        title_at=card_schema.title_at,
        given=given or {"name": "", "text": BEGIN, "note": ""},
        done=done,
        problem=problem,
    )


@views.page("POST", "/card-packs", permission=Permission.CARD_GOVERN, again=packs_again)
def keep_pack(work: Work, form: Written) -> Redirect:
    """Keep a pack of one's own, or its next version, written as TOML or JSON."""
    name = form.name.strip()
    own_packs.put_pack(work, name, told=control_packs.told_in(form.text), note=form.note.strip())
    return Redirect(to=f"/card-packs/{name}?done=pack-kept")


@views.page("GET", "/card-packs/{pack}", permission=Permission.CARD_READ)
def show_pack(work: Work, pack: str, query: Listed) -> Shown:
    """One pack with its controls and its versions."""
    return _pack(work, own_packs.get_pack(work, pack), done=query.done)


def pack_again(work: Work, pack: str, form: dict[str, str], problem: ModelwardError) -> Shown:
    """The same with the refusal."""
    return _pack(work, own_packs.get_pack(work, pack), problem=problem)


def _pack(work: Work, found: PackVersion, *, done: str = "", problem: ModelwardError | None = None) -> Shown:
    return show(
        "card_pack.html",
        pack=found,
        versions=own_packs.list_pack_versions(work, found.id),
        title_at=card_schema.title_at,
        done=done,
        problem=problem,
    )


@views.page("POST", "/card-packs/{pack}/retire", permission=Permission.CARD_GOVERN, again=pack_again)
def retire_pack(work: Work, pack: str, form: Retired) -> Redirect:
    """Let a pack of one's own count no longer."""
    own_packs.retire_pack(work, pack, reason=form.reason.strip())
    return Redirect(to=f"/card-packs/{pack}?done=pack-retired")
