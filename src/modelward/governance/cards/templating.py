"""What one can do with templates: see the one in force and those before it, put another in force, retire one's own."""

from datetime import datetime

import msgspec

from modelward.governance.access.permissions import Permission, require
from modelward.governance.cards import rules, templates
from modelward.governance.cards import template_store as store
from modelward.governance.cards.entities import CardTemplateAdopted
from modelward.governance.cards.template_store import KeptTemplate
from modelward.governance.cards.templates import Template
from modelward.kernel.errors import Conflict, Invalid, NotFound
from modelward.kernel.refs import Digest
from modelward.storage.work import Work

SHIPPED = "the one that comes with Modelward"


class TemplateInForce(msgspec.Struct, frozen=True, kw_only=True):
    """The template with the digest of its text, where the text came from, and since when it counts (None: from the start).

    ``number`` counts the templates that were put in force; 0: the one that comes with Modelward, which needs no word.
    """

    template: Template
    digest: Digest
    source: str
    text: str
    at: datetime | None = None
    by: str = ""
    number: int = 0


class TemplateEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A template that is or was in force, in a list. ``number`` 0 is the one that comes with Modelward, as it is now."""

    number: int
    name: str
    source: str
    digest: Digest
    built_in: bool
    in_force: bool
    at: datetime | None = None
    by: str = ""


def in_force(work: Work, *, at: datetime | None = None) -> TemplateInForce:
    """The template that counts now, or counted at a moment; the one that comes with Modelward where none was adopted."""
    kept = store.find_template(work, at=at)
    if kept is None:
        text = templates.default_text()
        return TemplateInForce(
            template=templates.default(), digest=templates.digest_of(text), source=SHIPPED, text=text
        )
    return _told(kept)


def _told(kept: KeptTemplate) -> TemplateInForce:
    return TemplateInForce(
        template=templates.parse(kept.text, source=kept.source),
        digest=kept.digest,
        source=kept.source,
        text=kept.text,
        at=kept.at,
        by=kept.by,
        number=kept.number,
    )


def get_template(work: Work, *, number: int | None = None) -> TemplateInForce:
    """The template that cards are measured by now, or one by number.

    Raises:
        NotFound: no template has this number.
    """
    require(work, Permission.CARD_READ)
    if number is None:
        return in_force(work)
    kept = store.find_template(work, number=number)
    if kept is None:
        raise NotFound(f"There is no template {number}.", field="number", hint="List them.")
    return _told(kept)


def list_templates(work: Work) -> list[TemplateEntry]:
    """Every template that is or was in force, the newest first; where none was adopted, the one that ships."""
    require(work, Permission.CARD_READ)
    kept = [_told(each) for each in store.list_templates(work)] or [in_force(work)]
    return [
        TemplateEntry(
            number=each.number,
            name=each.template.name,
            source=each.source,
            digest=each.digest,
            built_in=each.source == SHIPPED,
            in_force=place == 0,
            at=each.at,
            by=each.by,
        )
        for place, each in enumerate(kept)
    ]


def adopt_template(work: Work, *, text: str, source: str) -> TemplateInForce:
    """Put a template in force; the same text again changes nothing. Every template that ever was in force is kept.

    What cards lack is counted anew afterwards. Statuses that cards have stay.

    Raises:
        Invalid: the text is not a template.
    """
    require(work, Permission.CARD_GOVERN)
    templates.check_new(templates.parse(text, source=source))
    if source == SHIPPED and text != templates.default_text():
        raise Invalid("Only Modelward itself says of a template that it ships with it.", field="source")
    current, digest = in_force(work), templates.digest_of(text)
    if current.digest == digest:
        return current
    store.add_template(work, digest=digest, source=source, text=text)
    work.record(CardTemplateAdopted(template=digest, source=source, before=current.digest))
    return in_force(work)


def retire_template(work: Work, *, reason: str = "") -> TemplateInForce:
    """Let one's own template count no longer: the one that comes with Modelward is in force again.

    Raises:
        Conflict: it is in force already, and cannot be retired.
    """
    require(work, Permission.CARD_GOVERN)
    rules.check_note(reason, field="reason")
    current, text = in_force(work), templates.default_text()
    if current.source == SHIPPED:
        raise Conflict("The template in force comes with Modelward; it cannot be retired.", hint="Adopt another one.")
    store.add_template(work, digest=templates.digest_of(text), source=SHIPPED, text=text)
    work.record(
        CardTemplateAdopted(template=templates.digest_of(text), source=SHIPPED, before=current.digest, reason=reason)
    )
    return in_force(work)
