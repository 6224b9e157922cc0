"""The evidence behind a card: which fields are bound to what, what may be bound, and reports brought along."""

from datetime import UTC, date, datetime, time
from typing import Any

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.governance.cards import binding, reading
from modelward.governance.cards.entities import Content
from modelward.governance.cards.evidence import EvidenceKind, EvidenceRef
from modelward.interfaces.web.card_frame import frame
from modelward.interfaces.web.card_schema import title_at
from modelward.interfaces.web.uploads import Uploaded
from modelward.interfaces.web.views import Redirect, Shown, Views, show
from modelward.kernel.errors import Invalid, ModelwardError
from modelward.kernel.pages import PageRequest
from modelward.kernel.refs import CardRef
from modelward.storage.work import Work

views = Views()
EVIDENCE_ON_A_PAGE = 25
PLACES_MAX = 300
REPORT_BYTES_MAX = 8 << 20
EVALUATIONS = "$.evaluation_details"
GROUPS = ".metric_groups"
TEXTS = ("$.intended_uses.factors_affecting_model_efficiency", "$.training_details.training_observations")


class Sought(msgspec.Struct, frozen=True, kw_only=True):
    """For which field evidence is sought, of which kind."""

    path: str = ""
    kind: EvidenceKind | None = None
    cursor: str | None = None
    done: str = ""


class Binding(msgspec.Struct, frozen=True, kw_only=True):
    """A field and what it is to hold. An empty measure means all metric groups of the evidence."""

    path: str
    evidence: EvidenceRef
    measure: str = ""
    days_max: int | None = None
    number: int | None = None


class Unbinding(msgspec.Struct, frozen=True, kw_only=True):
    """A bound field; all of them when left empty."""

    path: str = ""


@views.page("GET", "/cards/{card}/evidence", permission=Permission.CARD_READ)
def show_evidence(work: Work, card: CardRef, query: Sought) -> Shown:
    """The bound fields of a card, and the evidence that fields may be bound to."""
    return _evidence(work, card, query=query, form={}, problem=None)


def evidence_again(work: Work, card: CardRef, form: dict[str, str], problem: ModelwardError) -> Shown:
    """The same with the refusal."""
    return _evidence(work, card, query=Sought(path=form.get("path", "")), form=form, problem=problem)


def _evidence(
    work: Work, card: CardRef, *, query: Sought, form: dict[str, str], problem: ModelwardError | None
) -> Shown:
    seen = reading.get_version(work, card)
    page = PageRequest(limit=EVIDENCE_ON_A_PAGE, cursor=query.cursor)
    bound = reading.list_bindings(work, card)
    taken = {each.path for each in bound}
    return show(
        "card_evidence.html",
        **frame(work, card, "evidence", heading=f"Evidence on {card}"),
        bound=[(title_at(each.path), each) for each in bound],
        page=binding.list_evidence(work, card, page=page, kind=query.kind),
        places=[(path, title) for path, title in _places(seen.content) if path not in taken],
        path=query.path,
        path_title=title_at(query.path) if query.path.startswith("$") else "",
        kinds=list(EvidenceKind),
        query=query,
        number=seen.number,
        today=f"{work.now:%Y-%m-%d}",
        form=form,
        done=query.done,
        problem=problem,
    )


def _places(content: Content) -> list[tuple[str, str]]:
    """The fields that one measure can stand in, each with its title."""
    found: list[tuple[str, str]] = [(path, title_at(path)) for path in TEXTS]
    details = content.get("training_details", {}).get("training_job_details", {})
    for part in ("training_metrics", "user_provided_training_metrics"):
        for place, each in enumerate(details.get(part, [])):
            path = f"$.training_details.training_job_details.{part}[{place}].value"
            found.append((path, f"Training metric {each.get('name', '')}"))
    for first, told in enumerate(content.get("evaluation_details", [])):
        found.extend(_metrics(told, f"{EVALUATIONS}[{first}]"))
    return found[:PLACES_MAX]


def _metrics(told: dict[str, Any], root: str) -> list[tuple[str, str]]:
    return [
        (
            f"{root}{GROUPS}[{second}].metric_data[{third}].value",
            f"{told.get('name', '')} › {group.get('name', '')} › {metric.get('name', '')}",
        )
        for second, group in enumerate(told.get("metric_groups", []))
        for third, metric in enumerate(group.get("metric_data", []))
        if metric.get("type") in ("number", "string")
    ]


@views.page("POST", "/cards/{card}/evidence/bind", permission=Permission.CARD_WRITE, again=evidence_again)
def bind_field(work: Work, card: CardRef, form: Binding) -> Redirect:
    """Bind a field to a piece of evidence; its value is taken from there."""
    binding.bind_field(
        work,
        card,
        path=form.path or EVALUATIONS,
        evidence=form.evidence,
        measure=form.measure,
        days_max=form.days_max,
        expected=form.number,
    )
    return Redirect(to=f"/cards/{card}/evidence?done=bound")


@views.page("POST", "/cards/{card}/evidence/unbind", permission=Permission.CARD_WRITE, again=evidence_again)
def unbind_field(work: Work, card: CardRef, form: Unbinding) -> Redirect:
    """Let a field go from its evidence; its value stays."""
    binding.unbind_field(work, card, path=form.path)
    return Redirect(to=f"/cards/{card}/evidence?done=unbound")


@views.page("POST", "/cards/{card}/evidence/refresh", permission=Permission.CARD_WRITE, again=evidence_again)
def refresh(work: Work, card: CardRef, form: Unbinding) -> Redirect:
    """Let bound fields say what the newest evidence of their series says."""
    binding.refresh_bindings(work, card, path=form.path or None)
    return Redirect(to=f"/cards/{card}/evidence?done=refreshed")


@views.page("POST", "/cards/{card}/evidence/report", permission=Permission.CARD_WRITE, again=evidence_again)
def bring_report(work: Work, card: CardRef, form: dict[str, str], file: Uploaded | None) -> Redirect:
    """Take up a report from a file as evidence, told as an evaluation of the card."""
    if file is None:
        raise Invalid("Choose the file of the report.", field="file")
    if file.size > REPORT_BYTES_MAX:
        raise Invalid(f"{file.name[:80]} is larger than {REPORT_BYTES_MAX} bytes.", field="file")
    binding.import_report(
        work,
        card,
        report=b"".join(file.chunks()),
        title=form.get("title", "").strip(),
        dataset=form.get("dataset", "").strip(),
        at=_day(form.get("day", ""), work.now),
    )
    return Redirect(to=f"/cards/{card}/evidence?done=imported")


def _day(text: str, now: datetime) -> datetime | None:
    if not text.strip():
        return None
    try:
        return min(datetime.combine(date.fromisoformat(text.strip()), time(12), tzinfo=UTC), now)
    except ValueError as problem:
        raise Invalid(f"{text[:40]!r} is no day; write it as 2026-03-31.", field="day") from problem
