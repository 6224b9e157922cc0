"""How a card and its versions are written: rows, counts, words and events together. Asks for no permission; use cases do."""

from msgspec.structs import replace

from modelward.governance.cards import evidence, evidence_store, rules, store, template_store, templates, templating
from modelward.governance.cards.entities import (
    Card,
    CardCreated,
    CardEdited,
    CardGroundsChanged,
    CardStatus,
    CardStatusChanged,
    CardVersion,
    Content,
)
from modelward.governance.cards.evidence import Bound
from modelward.kernel.errors import Conflict
from modelward.kernel.refs import CardRef
from modelward.storage.work import Work


class CardChanged(Conflict):
    """The card was changed by somebody else in the meantime."""


class CardSubjectTaken(Conflict):
    """Another card is about the same model or package already."""


def keep_new(work: Work, card: Card, first: CardVersion) -> Card:
    """Keep a new card with its first version."""
    check_subject_free(work, card)
    stale = stale_of(work, first)
    card = counted(work, card, first, stale=len(stale))
    store.add_card(work, card)
    store.add_version(work, first)
    store.put_words(work, card.name, rules.words_of(card, first.content))
    store.add_status(work, card, reason="")
    if first.bindings:
        evidence_store.put_bindings(work, card.name, first.bindings, stale)
    work.record(CardCreated(card=card.name, model=card.model, version=card.version, digest=card.digest))
    _record_grounds(work, card, {}, first.bindings)
    return card


def check_subject_free(work: Work, card: Card) -> None:
    """Refuse a card about something that another card is about.

    Raises:
        CardSubjectTaken: there is one that is not archived.
    """
    other = store.find_other(work, card.subject, than=card.name) if card.subject else None
    if other is not None:
        raise CardSubjectTaken(
            f"{other.name} is the card of the {card.subject} already.",
            field="content",
            hint="Edit that card, or archive it first.",
        )


def keep_content(
    work: Work,
    card: Card,
    current: CardVersion,
    wanted: Content,
    *,
    note: str,
    origins: dict[str, str],
    bindings: dict[str, Bound] | None = None,
) -> Card:
    """Keep a new content as the next version; equal content with equal bindings makes none.

    ``bindings`` are those of the new content; None: the present ones, none of which an edit by hand may touch.
    """
    rules.check_content(wanted, work.card_characters_max)
    rules.check_note(note)
    rules.check_editable(card)
    bindings = evidence.kept(current.bindings, current.content, wanted) if bindings is None else bindings
    changes = rules.difference(current.content, wanted)
    if not changes and bindings == current.bindings:
        return card
    rules.check_subject(current.content, wanted)
    edited, version = rules.edited(card, current, wanted, changes, at=work.now, by=work.actor.id, note=note)
    version = replace(version, origins={**version.origins, **origins}, bindings=bindings)
    if edited.subject != card.subject:
        check_subject_free(work, edited)
    stale = stale_of(work, version)
    edited = counted(work, edited, version, stale=len(stale))
    store.add_version(work, version)
    store.put_card(work, edited)
    store.add_status(work, edited, reason="Its content was edited.")
    if changes:
        store.put_words(work, card.name, rules.words_of(edited, wanted))
    if bindings or current.bindings:
        evidence_store.put_bindings(work, card.name, bindings, stale)
    _record_edit(
        work, card, edited, [each.path for each in changes] or sorted(_moved(current.bindings, bindings)), note
    )
    _record_grounds(work, card, current.bindings, bindings)
    return edited


def _record_grounds(work: Work, card: Card, before: dict[str, Bound], after: dict[str, Bound]) -> None:
    """Tell the log of evidence that the card stands on from now on, or no longer."""
    was, is_now = ({str(each.evidence) for each in bindings.values()} for bindings in (before, after))
    if was != is_now:
        gained, left = sorted(is_now - was), sorted(was - is_now)
        work.record(CardGroundsChanged(card=card.name, version=card.version, stands_on=gained, left=left))


def _moved(before: dict[str, Bound], after: dict[str, Bound]) -> set[str]:
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}


def _record_edit(work: Work, card: Card, edited: Card, changed: list[str], note: str) -> None:
    work.record(
        CardEdited(
            card=card.name,
            version=card.version,
            number=edited.number,
            digest=edited.digest,
            changed=changed[: rules.CHANGED_PATHS_MAX],
            note=note,
        )
    )
    if edited.status is not card.status:
        record_status(work, card, edited, reason="Its content was edited.")


def keep_status(work: Work, card: Card, status: CardStatus, *, reason: str) -> Card:
    """Keep another status of a card."""
    changed = replace(card, status=status, modified_at=work.now, modified_by=work.actor.id)
    if status is CardStatus.ARCHIVED:
        changed = replace(changed, missing=0, stale=0, debt=0)
    store.put_card(work, changed)
    store.add_status(work, changed, reason=reason)
    record_status(work, card, changed, reason=reason)
    return changed


def record_status(work: Work, before: Card, after: Card, *, reason: str) -> None:
    """Tell the log of another status."""
    work.record(
        CardStatusChanged(
            card=after.name,
            version=after.version,
            number=after.number,
            before=before.status,
            after=after.status,
            meaning=rules.MEANINGS[after.status],
            reason=reason,
        )
    )


def counted(work: Work, card: Card, version: CardVersion, *, stale: int) -> Card:
    """A card with what stands against its approval counted."""
    missing = templates.debt(templating.in_force(work).template, version, card.risk_rating)
    return replace(card, missing=missing, stale=stale, debt=missing + stale)


def stale_of(work: Work, version: CardVersion) -> dict[str, str]:
    """Which bound fields of a version are stale now, and why."""
    newest = evidence_store.newest_of(work, [each.series for each in version.bindings.values()])
    found = {
        path: evidence.why_stale(each, newest.get(each.series), now=work.now) for path, each in version.bindings.items()
    }
    return {path: reason for path, reason in found.items() if reason}


def forget(work: Work, name: CardRef) -> None:
    """Take away all but the versions of a card that is being deleted: statuses, words, bindings, what was said of controls."""
    evidence_store.forget(work, name)
    template_store.forget(work, name)
    store.forget(work, name)
