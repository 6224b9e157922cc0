"""What one can do with templates: see the one in force, put another in force, ask what a card lacks."""

from datetime import datetime

import msgspec

from modelward.governance.access.permissions import Permission, require
from modelward.governance.cards import template_store as store
from modelward.governance.cards import templates
from modelward.governance.cards.entities import CardTemplateAdopted
from modelward.governance.cards.templates import Template
from modelward.kernel.refs import Digest
from modelward.storage.work import Work

SHIPPED = "the one that comes with Modelward"


class TemplateInForce(msgspec.Struct, frozen=True, kw_only=True):
    """The template with the digest of its text, where the text came from, and since when it counts (None: from the start)."""

    template: Template
    digest: Digest
    source: str
    text: str
    at: datetime | None = None


def in_force(work: Work, *, at: datetime | None = None) -> TemplateInForce:
    """The template that counts now, or counted at a moment; the one that comes with Modelward where none was adopted."""
    kept = store.find_template(work, at=at)
    if kept is None:
        text = templates.default_text()
        return TemplateInForce(
            template=templates.default(), digest=templates.digest_of(text), source=SHIPPED, text=text
        )
    template = templates.parse(kept.text, source=kept.source)
    return TemplateInForce(template=template, digest=kept.digest, source=kept.source, text=kept.text, at=kept.at)


def get_template(work: Work) -> TemplateInForce:
    """The template that cards are measured by now."""
    require(work, Permission.CARD_READ)
    return in_force(work)


def adopt_template(work: Work, *, text: str, source: str) -> TemplateInForce:
    """Put a template in force; the same text again changes nothing. Every template that ever was in force is kept.

    What cards lack is counted anew afterwards. Statuses that cards have stay.

    Raises:
        Invalid: the text is not a template.
    """
    require(work, Permission.CARD_GOVERN)
    templates.parse(text, source=source)
    current, digest = in_force(work), templates.digest_of(text)
    if current.digest == digest:
        return current
    store.add_template(work, digest=digest, source=source, text=text)
    work.record(CardTemplateAdopted(template=digest, source=source, before=current.digest))
    return in_force(work)
