"""What model cards must have, over REST: templates and control packs, those that come with Modelward and one's own."""

from typing import Any

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.governance.cards import own_packs, templating
from modelward.governance.cards.control_packs import PackEntry, PackVersion
from modelward.governance.cards.templating import TemplateEntry, TemplateInForce
from modelward.interfaces.rest.operations import Operations
from modelward.kernel import codec
from modelward.kernel.errors import Invalid
from modelward.storage.work import Work

card_packs = Operations("cards")


class AdoptTemplate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A template, as text (TOML) or as an object, and a word on where it comes from."""

    text: str = ""
    template: dict[str, Any] | None = None
    source: str = ""


class PutPack(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A control pack: title, source, and its controls in their order. ``number`` is the version that was seen, 0 for none."""

    pack: dict[str, Any]
    note: str = ""
    number: int | None = None


class OfNumber(msgspec.Struct, frozen=True, kw_only=True):
    """Which version; the one in force or the newest when left out."""

    number: int | None = None


class ListPacks(msgspec.Struct, frozen=True, kw_only=True):
    """Whether retired ones are wanted as well."""

    retired: bool = False


class Why(msgspec.Struct, frozen=True, kw_only=True):
    """Why something is done; kept in the event log."""

    reason: str = ""


@card_packs.operation("GET", "/card-template", permission=Permission.CARD_READ)
def get_card_template(work: Work, query: OfNumber) -> TemplateInForce:
    """Get the template that says what cards must have, or an earlier one by its number."""
    return templating.get_template(work, number=query.number)


@card_packs.operation("PUT", "/card-template", permission=Permission.CARD_GOVERN)
def adopt_card_template(work: Work, body: AdoptTemplate) -> TemplateInForce:
    """Put a template in force; what cards lack is counted anew."""
    if bool(body.text) == (body.template is not None):
        raise Invalid("Give the template as text or as an object, one of them.", field="text")
    text = body.text or codec.canonical(body.template).decode()
    return templating.adopt_template(work, text=text, source=body.source or f"adopted by {work.actor.id}")


@card_packs.operation("DELETE", "/card-template", permission=Permission.CARD_GOVERN)
def retire_card_template(work: Work, query: Why) -> TemplateInForce:
    """Retire one's own template: the one that comes with Modelward is in force again."""
    return templating.retire_template(work, reason=query.reason)


@card_packs.operation("GET", "/card-templates", permission=Permission.CARD_READ)
def list_card_templates(work: Work) -> list[TemplateEntry]:
    """List the templates that are or were in force, the newest first."""
    return templating.list_templates(work)


@card_packs.operation("GET", "/card-packs", permission=Permission.CARD_READ)
def list_card_packs(work: Work, query: ListPacks) -> list[PackEntry]:
    """List the control packs: those that come with Modelward, and one's own."""
    return own_packs.list_packs(work, retired=query.retired)


@card_packs.operation("GET", "/card-packs/{pack}", permission=Permission.CARD_READ)
def get_card_pack(work: Work, pack: str, query: OfNumber) -> PackVersion:
    """Get a control pack with its controls: the newest version, or one by its number."""
    return own_packs.get_pack(work, pack, number=query.number)


@card_packs.operation("GET", "/card-packs/{pack}/versions", permission=Permission.CARD_READ)
def list_card_pack_versions(work: Work, pack: str) -> list[PackEntry]:
    """List the versions of a control pack, the newest first."""
    return own_packs.list_pack_versions(work, pack)


@card_packs.operation("PUT", "/card-packs/{pack}", permission=Permission.CARD_GOVERN)
def put_card_pack(work: Work, pack: str, body: PutPack) -> PackVersion:
    """Write a control pack of one's own, or its next version. Those that come with Modelward cannot be changed."""
    return own_packs.put_pack(work, pack, told=body.pack, note=body.note, expected=body.number)


@card_packs.operation("DELETE", "/card-packs/{pack}", permission=Permission.CARD_GOVERN)
def retire_card_pack(work: Work, pack: str, query: Why) -> PackVersion:
    """Retire a control pack of one's own: cards are no longer measured by it; what was is kept."""
    return own_packs.retire_pack(work, pack, reason=query.reason)
