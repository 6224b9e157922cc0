"""From a run of a monitor to a piece of evidence. Pure; the facts are handed in from the floor above."""

import math
from datetime import datetime
from typing import Any

import msgspec

from modelward.governance.cards import reports
from modelward.governance.cards.evidence import Evidence, EvidenceKind, EvidenceRef
from modelward.kernel.clock import timestamp
from modelward.kernel.refs import Digest, MonitorRef, RunRef, VersionRef

COLUMNS_TOLD_MAX = 20
COLUMNS_DRAWN_MAX = 60


class Distance(msgspec.Struct, frozen=True, kw_only=True):
    """How far a column has drifted, and how far it may."""

    column: str
    value: float
    limit: float


class RunEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """A finished run as a card tells of it. ``version`` is what the endpoint serves; ``report`` the digest of the evidence."""

    run: RunRef
    monitor: MonitorRef
    version: VersionRef | None
    outcome: str
    reason: str
    report: Digest
    rows: int
    violations: int
    drifted: list[str]
    window_start: datetime
    window_end: datetime
    finished_at: datetime
    distances: list[Distance] = []


def evidence_of(run: RunEvidence, *, known_at: datetime) -> Evidence:
    """The piece of evidence that a run is; later runs of the same monitor supersede it."""
    columns = ", ".join(run.drifted[:COLUMNS_TOLD_MAX]) or "none"
    data = [
        reports.number("rows", run.rows),
        reports.number("violations", run.violations),
        reports.number("drifted_columns", len(run.drifted)),
        reports.number("drifted", columns),
        reports.number("window_start", timestamp(run.window_start)),
        reports.number("window_end", timestamp(run.window_end)),
    ]
    groups = [{"name": f"monitor {run.monitor}", "metric_data": [*data, *_drift(run.distances)]}]
    return Evidence(
        id=EvidenceRef(run.run),
        kind=EvidenceKind.MONITOR,
        series=f"monitor {run.monitor}",
        source=f"the run {run.run} of the monitor {run.monitor}",
        model=run.version.model if run.version else None,
        version=run.version,
        digest=run.report,
        outcome=run.outcome,
        reason=run.reason,
        at=run.finished_at,
        known_at=known_at,
        measures={**reports.measures_of(groups), "outcome": run.outcome},
        groups=groups,
    )


def _drift(distances: list[Distance]) -> list[dict[str, Any]]:
    """A bar for each column and beside it what it should keep; of many columns those nearest to their limits."""
    told = sorted(distances, key=lambda each: (-_nearness(each), each.column))
    drawn = told[:COLUMNS_DRAWN_MAX]
    if not drawn:
        return []
    labels, limits = [each.column for each in drawn], [each.limit for each in drawn]
    chart = reports.bars("drift", labels, [each.value for each in drawn], y="distance")
    if len(told) > len(drawn):
        chart["notes"] = f"The {len(drawn)} of {len(told)} columns that are nearest to their limits."
    if len(set(limits)) == 1:
        return [chart, reports.number("drift - limit", limits[0])]
    return [chart, reports.bars("drift - limit", labels, limits, y="distance")]


def _nearness(each: Distance) -> float:
    return each.value / each.limit if each.limit > 0 else math.inf
