"""What a card may rest on: pieces of evidence, and fields bound to them. Pure.

A bound field holds what a piece of evidence says, by its digest; nobody retypes it. It is stale once a newer piece of the
same series is known (the same kind of evaluation on the same table, another run of the same monitor), or once it is older
than the binding allows.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec
from msgspec.structs import replace

from modelward.governance.cards import paths
from modelward.kernel.errors import Conflict, Invalid
from modelward.kernel.refs import Digest, ModelRef, Ref, VersionRef

DAYS_MAX_MOST = 3650
SECONDS_OF_A_DAY = 86_400


class FieldBound(Conflict):
    """This field is bound to evidence, so nobody writes it by hand."""


class EvidenceRef(Ref):
    """A piece of evidence: the id of an evaluation, of a run of a monitor, or of an imported report."""

    __slots__ = ()


class EvidenceKind(StrEnum):
    """What a piece of evidence is about."""

    QUALITY = "quality"
    BIAS = "bias"
    EXPLAINABILITY = "explainability"
    MONITOR = "monitor"
    OTHER = "other"


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of evidence as cards know it. ``at`` is when it was made, ``known_at`` when cards learnt of it.

    ``series`` names what a newer piece supersedes. ``measures`` are its single values, ``groups`` its metric groups as a
    card shows them; ``digest`` is that of the whole report.
    """

    id: EvidenceRef
    kind: EvidenceKind
    series: str
    source: str
    model: ModelRef | None = None
    version: VersionRef | None = None
    digest: Digest
    dataset: str = ""
    outcome: str = ""
    reason: str = ""
    at: datetime
    known_at: datetime
    measures: dict[str, float | str] = {}
    groups: list[dict[str, Any]] = []


class Bound(msgspec.Struct, frozen=True, kw_only=True):
    """A field that holds what a piece of evidence says. An empty ``measure`` means all its metric groups.

    ``at`` is when the evidence was made, ``days_max`` how old it may become (None: without limit).
    """

    path: str
    evidence: EvidenceRef
    kind: EvidenceKind
    series: str
    source: str
    digest: Digest
    measure: str = ""
    at: datetime
    days_max: int | None = None
    by: str
    bound_at: datetime

    @property
    def expires_at(self) -> datetime | None:
        """When the evidence becomes too old."""
        return self.at + timedelta(days=self.days_max) if self.days_max is not None else None


class BoundField(Bound, frozen=True, kw_only=True):
    """A bound field as it is read: its value, the age of the evidence, and whether it is ``current`` or ``stale``, and why.

    ``newest`` is the piece of evidence that supersedes it, where there is one.
    """

    value: Any = None
    age_days: float
    state: str
    reason: str = ""
    newest: EvidenceRef | None = None


def superseded_by(newest: Evidence) -> str:
    """Why a field is stale that rests on an earlier piece of the same series."""
    return f"Superseded by {newest.source} of {newest.at:%Y-%m-%d}."


def why_stale(bound: Bound, newest: Evidence | None, *, now: datetime) -> str:
    """Why a binding is stale at a moment; empty while it is current.

    ``newest`` is the newest piece of its series. The same report once more supersedes nothing.
    """
    if newest is not None and newest.id != bound.evidence and newest.digest != bound.digest and newest.at >= bound.at:
        return superseded_by(newest)
    if bound.expires_at is not None and now > bound.expires_at:
        return f"Older than {bound.days_max} days: made on {bound.at:%Y-%m-%d}."
    return ""


def read(bound: Bound, content: Any, newest: Evidence | None, *, now: datetime) -> BoundField:
    """A binding as a reader sees it."""
    reason = why_stale(bound, newest, now=now)
    return BoundField(
        **msgspec.structs.asdict(bound),
        value=paths.value_at(content, bound.path),
        age_days=round(max((now - bound.at).total_seconds(), 0.0) / SECONDS_OF_A_DAY, 3),
        state="stale" if reason else "current",
        reason=reason,
        newest=newest.id if newest is not None and reason and newest.id != bound.evidence else None,
    )


def binding(evidence: Evidence, path: str, *, measure: str, days_max: int | None, by: str, at: datetime) -> Bound:
    """Bind a path to a piece of evidence.

    Raises:
        Invalid: the number of days is out of range, or the evidence has no such measure.
    """
    if days_max is not None and not 1 <= days_max <= DAYS_MAX_MOST:
        raise Invalid(f"days_max is {days_max}; it must be from 1 to {DAYS_MAX_MOST}.", field="days_max")
    value_of(evidence, measure)
    return Bound(
        path=path,
        evidence=evidence.id,
        kind=evidence.kind,
        series=evidence.series,
        source=evidence.source,
        digest=evidence.digest,
        measure=measure,
        at=evidence.at,
        days_max=days_max,
        by=by,
        bound_at=at,
    )


def value_of(evidence: Evidence, measure: str) -> Any:
    """What a piece of evidence says: one measure, or all its metric groups.

    Raises:
        Invalid: it has no such measure.
    """
    if not measure:
        return evidence.groups
    if measure not in evidence.measures:
        known = ", ".join(list(evidence.measures)[:20]) or "none"
        raise Invalid(f"{evidence.source} has no measure {measure[:80]!r}; it has {known}.", field="measure")
    return evidence.measures[measure]


def as_text(value: Any) -> str:
    """A measure as a field of text shows it: six digits that count, as in 0.912345."""
    return value if isinstance(value, str) else f"{value:.6g}"


def kept(bindings: dict[str, Bound], before: Any, after: Any) -> dict[str, Bound]:
    """The bindings that an edit by hand leaves: all of them, at the places where their values are now.

    Raises:
        FieldBound: the edit changes or removes what a bound field says.
    """
    found: dict[str, Bound] = {}
    for path, bound in bindings.items():
        place = _place_of(path, before, after, taken=found)
        if place is None:
            raise FieldBound(
                f"{path} is bound to {bound.source}; what it says is not written by hand.",
                field=path,
                hint="Unbind the field first, or refresh it from newer evidence.",
            )
        found[place] = replace(bound, path=place)
    return found


def _place_of(path: str, before: Any, after: Any, *, taken: dict[str, Bound]) -> str | None:
    value = paths.value_at(before, path)
    if path not in taken and paths.value_at(after, path) == value and value is not None:
        return path
    # An entry before it may have come or gone, so the same list is looked through for the same value.
    steps = paths.steps_of(path)
    number = next((each for each, step in enumerate(steps) if isinstance(step, int)), None)
    if number is None:
        return None
    around = paths.value_at(after, paths.path_of(steps[:number]))
    for other in range(len(around) if isinstance(around, list) else 0):
        candidate = paths.path_of([*steps[:number], other, *steps[number + 1 :]])
        if candidate not in taken and paths.value_at(after, candidate) == value:
            return candidate
    return None
