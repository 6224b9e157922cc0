"""What one can do with evidence: keep it, bind fields to it, refresh and unbind them, import a report."""

from datetime import datetime
from typing import Any

from msgspec.structs import replace

from modelward.governance.access.permissions import Permission, require
from modelward.governance.cards import evidence as rules_of
from modelward.governance.cards import evidence_store, keeping, paths, prefill, reading, reports, store, templating
from modelward.governance.cards.entities import (
    Card,
    CardEvidenceStale,
    CardFieldBound,
    CardFieldUnbound,
    CardStatus,
    CardVersion,
    Content,
    EvaluationEntry,
    EvidenceKept,
)
from modelward.governance.cards.evidence import Bound, Evidence, EvidenceKind, EvidenceRef, FieldBound
from modelward.governance.cards.lapsing import watch_evidence
from modelward.governance.cards.schema import check_content
from modelward.kernel.clock import in_utc
from modelward.kernel.errors import Conflict, Invalid, NotFound
from modelward.kernel.ids import new_id
from modelward.kernel.pages import Page, PageRequest
from modelward.kernel.refs import CardRef, VersionRef
from modelward.storage.work import Work

NAME_CHARACTERS_MAX = 63
LAPSED_AT_ONCE = 500
GROUPS = ".metric_groups"


class FieldNotBound(Conflict):
    """This field is bound to nothing."""


def list_evidence(work: Work, name: CardRef, *, page: PageRequest, kind: EvidenceKind | None = None) -> Page[Evidence]:
    """The evidence that fields of a card may be bound to, the newest first: that of its version, model, or its own reports."""
    return evidence_store.list_for(work, reading.get_card(work, name), page=page, kind=kind)


def get_evidence(work: Work, ref: EvidenceRef) -> Evidence:
    """A piece of evidence.

    Raises:
        NotFound: cards know of none with this id.
    """
    require(work, Permission.CARD_READ, on=ref)
    found = evidence_store.find(work, ref)
    if found is None:
        raise NotFound(f"There is no evidence {ref}.", field="evidence", hint="See what there is for the card.")
    return found


def keep_evidence(work: Work, new: Evidence) -> None:
    """Let cards know of a piece of evidence; what is bound to an earlier one of its series is stale from now on.

    The same piece once more changes nothing.
    """
    require(work, Permission.CARD_WRITE, on=new.id)
    if _enter(work, new):
        _supersede(work, new)


def _enter(work: Work, new: Evidence) -> bool:
    if evidence_store.find(work, new.id) is not None:
        return False
    evidence_store.add(work, new)
    watch_evidence(work)
    work.record(EvidenceKept(evidence=new.id, kind=new.kind, series=new.series, version=new.version, digest=new.digest))
    return True


def _supersede(work: Work, new: Evidence) -> None:
    for place in evidence_store.bound_to(work, new.series):
        card = reading.get_card(work, place.card)
        bound = store.get_version(work, card.name, card.number).bindings[place.path]
        reason = rules_of.why_stale(bound, new, now=work.now)
        if reason:
            _mark(work, card, place, reason)


def _mark(work: Work, card: Card, place: evidence_store.BoundPlace, reason: str) -> None:
    evidence_store.mark_stale(work, place, reason)
    if card.status is not CardStatus.ARCHIVED:
        store.put_card(work, replace(card, stale=card.stale + 1))
    work.record(
        CardEvidenceStale(card=card.name, version=card.version, path=place.path, evidence=place.evidence, reason=reason)
    )


def lapse_evidence(work: Work) -> int:
    """Mark the bound fields whose evidence has become too old; return how many, at most some hundreds at once."""
    require(work, Permission.CARD_WRITE)
    places = evidence_store.expired(work, now=work.now, limit=LAPSED_AT_ONCE)
    for place in places:
        card = reading.get_card(work, place.card)
        bound = store.get_version(work, card.name, card.number).bindings[place.path]
        _mark(work, card, place, rules_of.why_stale(bound, None, now=work.now) or "Too old.")
    return len(places)


def add_evaluation(work: Work, version: VersionRef, entry: EvaluationEntry) -> Card | None:
    """Tell of a finished evaluation in the card of its version, bound to the report, while that is a draft; else None.

    Cards know of the evidence in any case.
    """
    require(work, Permission.CARD_WRITE, on=version)
    told = _of_evaluation(work, version, entry)
    is_new = _enter(work, told)
    card, edited = store.find_card_of(work, version), None
    if card is not None and card.status is CardStatus.DRAFT:
        current = store.get_version(work, card.name, card.number)
        content, path = prefill.with_evaluation(current.content, entry, told.groups)
        note = f"The {entry.kind} evaluation {entry.evaluation} finished."
        edited = _tell(work, card, current, content, path, told, note=note, origin=f"evaluation {entry.evaluation}")
    if is_new:
        _supersede(work, told)
    return edited


def _of_evaluation(work: Work, version: VersionRef, entry: EvaluationEntry) -> Evidence:
    groups = reports.groups_of(entry)
    return Evidence(
        id=EvidenceRef(entry.evaluation),
        kind=reports.kind_of(entry.kind),
        series=f"evaluation {version} {entry.kind} {entry.dataset}",
        source=entry.source or f"the {entry.kind} evaluation {entry.evaluation}",
        model=version.model,
        version=version,
        digest=entry.report,
        dataset=entry.dataset,
        outcome=entry.outcome,
        reason=entry.reason,
        at=entry.finished_at or work.now,
        known_at=work.now,
        measures={**reports.measures_of(groups), "outcome": entry.outcome},
        groups=groups,
    )


def _tell(
    work: Work,
    card: Card,
    current: CardVersion,
    content: Content,
    path: str,
    told: Evidence,
    *,
    note: str,
    origin: str,
) -> Card:
    """Keep a content with an entry about a piece of evidence, and bind its metric groups."""
    place = f"{path}{GROUPS}"
    if paths.value_at(content, place) != told.groups:
        return keeping.keep_content(work, card, current, content, note=note, origins={path: origin})
    others = {each: bound for each, bound in current.bindings.items() if not paths.covers(path, each)}
    bindings = rules_of.kept(others, current.content, content)
    bound = current.bindings.get(place)
    # The same report once more is no news.
    if bound is None or bound.digest != told.digest:
        bound = _bound(work, told, place, measure="", days_max=None)
    bindings[place] = bound
    return keeping.keep_content(work, card, current, content, note=note, origins={path: origin}, bindings=bindings)


def _bound(work: Work, told: Evidence, path: str, *, measure: str, days_max: int | None) -> Bound:
    days = days_max if days_max is not None else templating.in_force(work).template.evidence_days.get(told.kind)
    return rules_of.binding(told, path, measure=measure, days_max=days, by=work.actor.id, at=work.now)


def bind_field(
    work: Work,
    name: CardRef,
    *,
    path: str,
    evidence: EvidenceRef,
    measure: str = "",
    days_max: int | None = None,
    note: str = "",
    expected: int | None = None,
) -> Card:
    """Bind a field of a card to a piece of evidence: from now on it holds what that says, and turns stale with it.

    With a measure, ``path`` is a field; without, it is a list of metric groups, or ``$.evaluation_details`` to add an
    entry. ``days_max`` is how old the evidence may become; None: as the template says for its kind.

    Raises:
        Invalid: the field cannot hold the value, or the evidence is not about what the card is about.
        FieldBound: the field is part of another that is bound.
        CardArchived: the card is archived, which is final.
    """
    require(work, Permission.CARD_WRITE, on=name)
    card, told = reading.get_card(work, name), get_evidence(work, evidence)
    current = store.get_version(work, name, card.number)
    _check_about(card, told)
    _check_expected(card, expected)
    content, path = _written(current.content, path, told, measure)
    others = {each: bound for each, bound in current.bindings.items() if each != path}
    around = next((each for each in others if paths.covers(each, path) or paths.covers(path, each)), None)
    if around is not None:
        raise FieldBound(f"{path} cannot be bound, for {around} is.", field="path", hint="Unbind that first.")
    bindings = rules_of.kept(others, current.content, content)
    bindings[path] = _bound(work, told, path, measure=measure, days_max=days_max)
    note = note or f"{path} is bound to {told.source}."
    kept = keeping.keep_content(work, card, current, content, note=note, origins={path: told.source}, bindings=bindings)
    work.record(
        CardFieldBound(
            card=name, version=card.version, path=path, evidence=told.id, digest=told.digest, measure=measure
        )
    )
    return kept


def _check_about(card: Card, told: Evidence) -> None:
    own = told.series.startswith(f"report {card.name} ")
    fits = told.version == card.version if card.version else card.model is not None and told.model == card.model
    if not own and not fits:
        raise Invalid(
            f"{told.source} is about {told.version or 'another card'}, {card.name} about {card.version or card.model}.",
            field="evidence",
        )


def _check_expected(card: Card, expected: int | None) -> None:
    if expected is not None and expected != card.number:
        raise keeping.CardChanged(f"{card.name} has version {card.number} by now; you saw {expected}.", field="number")


def _written(content: Content, path: str, told: Evidence, measure: str) -> tuple[Content, str]:
    """The content with what the evidence says at the path, and the path it stands at."""
    value = rules_of.value_of(told, measure)
    if measure:
        return _fitting(content, path, value), path
    if path == "$.evaluation_details":
        entry = _entry(told, name=told.kind.value)
        place = len(content.get("evaluation_details", []))
        return paths.with_value(content, f"{path}[{place}]", entry), f"{path}[{place}]{GROUPS}"
    if not path.endswith(GROUPS):
        raise Invalid(
            f"{path} holds no metric groups; name a measure to be shown there, or bind $.evaluation_details.",
            field="measure",
        )
    return _retold(paths.with_value(content, path, value), path, told), path


def _fitting(content: Content, path: str, value: Any) -> Content:
    """The content with a value, as a number where the field takes numbers, else as a text."""
    wanted: Content = paths.with_value(content, path, value)
    try:
        check_content(wanted)
    except Invalid:
        wanted = paths.with_value(content, path, rules_of.as_text(value))
        check_content(wanted)
    return wanted


def _entry(told: Evidence, *, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "evaluation_observation": told.reason[: prefill.OBSERVATION_CHARACTERS_MAX],
        "datasets": [told.dataset] if told.dataset else [],
        "metadata": {"evidence": str(told.id), "report": str(told.digest), "outcome": told.outcome},
        "metric_groups": told.groups,
    }


def _retold(content: Content, path: str, told: Evidence) -> Content:
    """What stands beside metric groups about the piece they come from is told anew with them."""
    place = path.removesuffix(GROUPS)
    entry = paths.value_at(content, place)
    if not isinstance(entry, dict) or "report" not in entry.get("metadata", {}):
        return content
    known = entry["metadata"]
    word = "evaluation" if "evaluation" in known else "evidence"
    metadata = {**known, word: str(told.id), "report": str(told.digest), "outcome": told.outcome}
    observed = told.reason[: prefill.OBSERVATION_CHARACTERS_MAX]
    told_anew: Content = paths.with_value(
        content, place, {**entry, "metadata": metadata, "evaluation_observation": observed}
    )
    return told_anew


def unbind_field(work: Work, name: CardRef, *, path: str, note: str = "") -> Card:
    """Let a bound field go: its value stays, and may be written by hand from now on.

    Raises:
        FieldNotBound: it is bound to nothing.
    """
    require(work, Permission.CARD_WRITE, on=name)
    card = reading.get_card(work, name)
    current = store.get_version(work, name, card.number)
    bound = current.bindings.get(path)
    if bound is None:
        known = ", ".join(sorted(current.bindings)) or "none"
        raise FieldNotBound(f"{path} is bound to nothing; bound are {known}.", field="path")
    others = {each: one for each, one in current.bindings.items() if each != path}
    origins = {path: f"unbound from {bound.source}"}
    note = note or f"{path} was unbound from {bound.source}."
    kept = keeping.keep_content(work, card, current, current.content, note=note, origins=origins, bindings=others)
    work.record(CardFieldUnbound(card=name, version=card.version, path=path, evidence=bound.evidence))
    return kept


def refresh_bindings(work: Work, name: CardRef, *, path: str | None = None) -> Card:
    """Let bound fields (one, or all) say what the newest evidence of their series says; without news nothing changes.

    Raises:
        FieldNotBound: the field is bound to nothing.
        Invalid: the newest evidence has no such measure.
    """
    require(work, Permission.CARD_WRITE, on=name)
    card = reading.get_card(work, name)
    current = store.get_version(work, name, card.number)
    if path is not None and path not in current.bindings:
        raise FieldNotBound(f"{path} is bound to nothing.", field="path")
    wanted = [path] if path is not None else sorted(current.bindings)
    newest = evidence_store.newest_of(work, [current.bindings[each].series for each in wanted])
    content, bindings, origins = current.content, dict(current.bindings), dict[str, str]()
    for each in wanted:
        bound, told = bindings[each], newest.get(bindings[each].series)
        if told is None or told.id == bound.evidence:
            continue
        content, _ = _written(content, each, told, bound.measure)
        bindings[each] = rules_of.binding(
            told, each, measure=bound.measure, days_max=bound.days_max, by=work.actor.id, at=work.now
        )
        origins[each] = told.source
    note = "Refreshed from newer evidence."
    return keeping.keep_content(work, card, current, content, note=note, origins=origins, bindings=bindings)


def import_report(
    work: Work, name: CardRef, *, report: bytes, title: str = "", dataset: str = "", at: datetime | None = None
) -> Card:
    """Take up a report that a client brings: kept as evidence under its digest, told as an evaluation, bound to it.

    ``at`` is when the report was made; now when left out. A later report of the same title supersedes this one.

    Raises:
        Invalid: the report is of no kind that is known.
        CardArchived: the card is archived, which is final.
    """
    require(work, Permission.CARD_WRITE, on=name)
    card = reading.get_card(work, name)
    if len(title) > NAME_CHARACTERS_MAX:
        raise Invalid(f"title has {len(title)} characters; at most {NAME_CHARACTERS_MAX} are kept.", field="title")
    made = in_utc(at) if at else work.now
    if made > work.now:
        raise Invalid(f"at is {made.isoformat()}, which is still to come.", field="at")
    parts = reports.read_report(report)
    digest, _ = work.blobs.put(report)
    for part in parts:
        called = title if title and len(parts) == 1 else f"{title} {part.kind.value}".strip()
        told = Evidence(
            id=EvidenceRef(new_id("report")),
            kind=part.kind,
            series=f"report {name} {called}",
            source=f"the report {called!r} brought by {work.actor.id}",
            model=card.model,
            version=card.version,
            digest=digest,
            dataset=(dataset or part.dataset)[: prefill.TEXT_CHARACTERS_MAX],
            outcome=part.outcome,
            reason=part.reason,
            at=made,
            known_at=work.now,
            measures=reports.measures_of(part.groups),
            groups=part.groups,
        )
        card = _take_up(work, card, told, called)
    return card


def _take_up(work: Work, card: Card, told: Evidence, called: str) -> Card:
    current = store.get_version(work, card.name, card.number)
    content, path = prefill.with_entry(current.content, _entry(told, name=called), written_by="evidence")
    known = current.bindings.get(f"{path}{GROUPS}")
    if known is not None and known.digest == told.digest:
        return card
    check_content(content, work.card_characters_max)
    _enter(work, told)
    note = f"{told.source[:1].upper()}{told.source[1:]} was taken up."
    card = _tell(work, card, current, content, path, told, note=note, origin=told.source)
    _supersede(work, told)
    return card
