"""What one can do with the controls of a pack: see how a card answers them on any day; say what does not apply."""

from datetime import datetime

from modelward.governance.access.permissions import Permission, require
from modelward.governance.cards import (
    control_packs,
    evidence,
    evidence_store,
    own_packs,
    reading,
    rules,
    store,
    template_store,
)
from modelward.governance.cards.control_packs import Assessment, Known
from modelward.governance.cards.entities import CardControlStated
from modelward.governance.cards.own_packs import list_packs as list_packs
from modelward.kernel.errors import Invalid
from modelward.kernel.refs import CardRef
from modelward.storage.work import Work


def assess_controls(work: Work, name: CardRef, pack: str, *, at: datetime | None = None) -> Assessment:
    """How a card answers the controls of a pack, now or as it stood at a moment.

    Raises:
        PackMissing, PackRetired: there is no such pack, or it counts no longer.
        NotFound: there is no such card, or not yet at that moment.
    """
    asked = own_packs.find_in_force(work, pack, at=at)
    card = reading.get_card(work, name)
    version = reading.get_version(work, name, as_of=at)
    newest = evidence_store.newest_of(work, [each.series for each in version.bindings.values()], known_by=at)
    known = Known(
        version=version,
        risk_rating=rules.risk_rating_of(version.content),
        statuses=store.list_statuses(work, name, until=at),
        bindings=[
            evidence.read(each, version.content, newest.get(each.series), now=at or work.now)
            for each in version.bindings.values()
        ],
        evidence=evidence_store.kinds_known(work, card, known_by=at),
        statements=template_store.statements(work, name, pack, at=at),
    )
    return control_packs.assess(name, asked, known, at=at or work.now)


def state_applicability(
    work: Work, name: CardRef, pack: str, control: str, *, applies: bool, reason: str = ""
) -> Assessment:
    """Say that a control of a pack does not apply to a card, and why; or that it does after all.

    Raises:
        Invalid: it is said not to apply, without a reason.
        PackMissing: there is no such pack or control.
        CardArchived: the card is archived, which is final.
    """
    require(work, Permission.CARD_GOVERN, on=name)
    control_packs.find_control(own_packs.find_in_force(work, pack), control)
    card = reading.get_card(work, name)
    rules.check_editable(card)
    rules.check_note(reason, field="reason")
    if not applies and not reason.strip():
        raise Invalid("Say why the control does not apply.", field="reason")
    template_store.add_statement(work, name, pack, control=control, applies=applies, reason=reason)
    work.record(CardControlStated(card=name, pack=pack, control=control, applies=applies, reason=reason))
    return assess_controls(work, name, pack)
