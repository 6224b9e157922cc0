"""What model cards rest on, over REST: evidence, bound fields, reports, controls, history."""

from datetime import datetime
from typing import Any

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.governance.cards import binding, controls, reading
from modelward.governance.cards.control_packs import Assessment
from modelward.governance.cards.entities import Card, Completeness, StatusEntry
from modelward.governance.cards.evidence import BoundField, Evidence, EvidenceKind, EvidenceRef
from modelward.governance.cards.reading import CardAsOf, SinceApproval
from modelward.interfaces.rest.operations import Operations
from modelward.kernel.clock import in_utc
from modelward.kernel.pages import PAGE_SIZE_DEFAULT, Page, PageRequest
from modelward.kernel.refs import CardRef
from modelward.storage.work import Work

card_evidence = Operations("cards")
REPORT_BYTES_MAX = 2 << 20


class ListEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """Which evidence to list."""

    kind: EvidenceKind | None = None
    limit: int = PAGE_SIZE_DEFAULT
    cursor: str | None = None


class BindField(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which field to bind to which evidence. ``measure`` names a single value of it; without, its metric groups are shown.

    ``days_max`` is how old the evidence may become; ``number`` is the version of the card that you saw.
    """

    path: str
    evidence: EvidenceRef
    measure: str = ""
    days_max: int | None = None
    note: str = ""
    number: int | None = None


class OneField(msgspec.Struct, frozen=True, kw_only=True):
    """The path of a bound field."""

    field: str
    note: str = ""


class RefreshFields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The path of a bound field; all of them when left out."""

    path: str | None = None


class OfVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A version of the card; the current one when left out."""

    number: int | None = None


class ImportReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A report to take up: its JSON, a title for the card, which data it is about, and when it was made."""

    report: dict[str, Any]
    title: str = ""
    dataset: str = ""
    at: datetime | None = None


class AtMoment(msgspec.Struct, frozen=True, kw_only=True):
    """The moment of interest; now when left out."""

    at: datetime | None = None


class ThatMoment(msgspec.Struct, frozen=True, kw_only=True):
    """The moment of interest (RFC 3339)."""

    at: datetime


class StateApplicability(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether a control applies to a card, and why not."""

    applies: bool
    reason: str = ""


@card_evidence.operation("GET", "/cards/{card}/evidence", permission=Permission.CARD_READ)
def list_card_evidence(work: Work, card: CardRef, query: ListEvidence) -> Page[Evidence]:
    """List the evidence that fields of a card may be bound to, the newest first."""
    page = PageRequest(limit=query.limit, cursor=query.cursor)
    return binding.list_evidence(work, card, page=page, kind=query.kind)


@card_evidence.operation("GET", "/cards/{card}/bindings", permission=Permission.CARD_READ)
def list_card_bindings(work: Work, card: CardRef, query: OfVersion) -> list[BoundField]:
    """List the bound fields of a card: what they say, from where, how old it is, and whether it is stale."""
    return reading.list_bindings(work, card, number=query.number)


@card_evidence.operation("PUT", "/cards/{card}/bindings", permission=Permission.CARD_WRITE)
def bind_card_field(work: Work, card: CardRef, body: BindField) -> Card:
    """Bind a field of a card to a piece of evidence: from now on it holds what that says."""
    return binding.bind_field(
        work,
        card,
        path=body.path,
        evidence=body.evidence,
        measure=body.measure,
        days_max=body.days_max,
        note=body.note,
        expected=body.number,
    )


@card_evidence.operation("DELETE", "/cards/{card}/bindings", permission=Permission.CARD_WRITE)
def unbind_card_field(work: Work, card: CardRef, query: OneField) -> Card:
    """Let a bound field go; its value stays and may be written by hand."""
    return binding.unbind_field(work, card, path=query.field, note=query.note)


@card_evidence.operation("POST", "/cards/{card}/bindings/refresh", permission=Permission.CARD_WRITE)
def refresh_card_bindings(work: Work, card: CardRef, body: RefreshFields) -> Card:
    """Let bound fields say what the newest evidence of their series says."""
    return binding.refresh_bindings(work, card, path=body.path)


@card_evidence.operation(
    "POST", "/cards/{card}/reports", permission=Permission.CARD_WRITE, status=201, bytes_max=REPORT_BYTES_MAX
)
def import_card_report(work: Work, card: CardRef, body: ImportReport) -> Card:
    """Take up a report of bias, explanations or quality as an evaluation of the card, bound to the report."""
    report = msgspec.json.encode(body.report)
    return binding.import_report(work, card, report=report, title=body.title, dataset=body.dataset, at=body.at)


@card_evidence.operation("GET", "/evidence/{evidence}", permission=Permission.CARD_READ)
def get_evidence(work: Work, evidence: EvidenceRef) -> Evidence:
    """Get a piece of evidence as cards know it."""
    return binding.get_evidence(work, evidence)


@card_evidence.operation("GET", "/cards/{card}/completeness", permission=Permission.CARD_READ)
def get_card_completeness(work: Work, card: CardRef) -> Completeness:
    """Get what a card lacks, for which status, and how to supply it."""
    return reading.get_completeness(work, card)


@card_evidence.operation("GET", "/cards/{card}/as-of", permission=Permission.CARD_READ)
def get_card_as_of(work: Work, card: CardRef, query: ThatMoment) -> CardAsOf:
    """Get a card as it stood at a moment, with its status and the evidence known then."""
    return reading.as_of(work, card, in_utc(query.at))


@card_evidence.operation("GET", "/cards/{card}/since-approval", permission=Permission.CARD_READ)
def get_changes_since_approval(work: Work, card: CardRef) -> SinceApproval:
    """Get what changed since the card was approved last."""
    return reading.since_approval(work, card)


@card_evidence.operation("GET", "/cards/{card}/statuses", permission=Permission.CARD_READ)
def list_card_statuses(work: Work, card: CardRef) -> list[StatusEntry]:
    """List every status that a card had, the oldest first."""
    return reading.list_statuses(work, card)


@card_evidence.operation("GET", "/cards/{card}/controls/{pack}", permission=Permission.CARD_READ)
def assess_card_controls(work: Work, card: CardRef, pack: str, query: AtMoment) -> Assessment:
    """Get how a card answers the controls of a pack, now or as it stood at a moment."""
    return controls.assess_controls(work, card, pack, at=in_utc(query.at) if query.at else None)


@card_evidence.operation("PUT", "/cards/{card}/controls/{pack}/{control}", permission=Permission.CARD_GOVERN)
def state_card_control(work: Work, card: CardRef, pack: str, control: str, body: StateApplicability) -> Assessment:
    """Say that a control does not apply to a card, and why; or that it does after all."""
    return controls.state_applicability(work, card, pack, control, applies=body.applies, reason=body.reason)
