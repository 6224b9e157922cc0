"""Which runs of a monitor are judged together: each stretch of time once, since the last alarm. Pure.

Sums of profiles say how sure a small change is only if no record is in them twice. So a run enters the history when
its window shares no moment with one that was counted before; another attempt at a window, or a window that overlaps the
one before it, is judged for itself.
"""

from datetime import datetime

from msgspec.structs import replace

from modelward.analysis.checking.budget import Standing
from modelward.governance.monitoring.entities import Run
from modelward.governance.monitoring.history_store import KeptHistory

STRETCHES_MAX = 500


def history_for(run: Run, baseline_now: str, kept: KeptHistory | None) -> KeptHistory | None:
    """The history that a run may enter; None where the run is judged for itself.

    A history belongs to one baseline and begins anew with another; a run that was asked for before the baseline of its
    monitor changed enters none.
    """
    if run.baseline != baseline_now:
        return None
    if kept is None:
        return KeptHistory(monitor=run.monitor, baseline=run.baseline)
    if kept.baseline != run.baseline:
        return KeptHistory(monitor=run.monitor, baseline=run.baseline, edition=kept.edition)
    return None if is_covered(kept.covered, run.window_start, run.window_end) else kept


def is_covered(covered: list[tuple[datetime, datetime]], start: datetime, end: datetime) -> bool:
    """Whether some moment of ``[start, end)`` was counted."""
    return any(start < until and since < end for since, until in covered)


def standing_of(run: Run, entered: KeptHistory | None, before: KeptHistory | None) -> Standing:
    """What a run is to those before it; one that stands alone, against a baseline that is left, counts as planned."""
    if entered is not None:
        return Standing.NEW
    if run.attempt > 1:
        return Standing.AGAIN
    return Standing.PLANNED if run.scheduled or before is None else Standing.EXTRA


def with_run(kept: KeptHistory, run: Run) -> KeptHistory:
    """The history with the window of a run counted."""
    return replace(kept, covered=with_stretch(kept.covered, run.window_start, run.window_end))


def with_stretch(
    covered: list[tuple[datetime, datetime]], start: datetime, end: datetime
) -> list[tuple[datetime, datetime]]:
    """Add a stretch of time: those that touch become one; of very many the oldest are joined with what lies between."""
    joined: list[tuple[datetime, datetime]] = []
    for since, until in sorted([*covered, (start, end)]):
        if joined and since <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], until)
        else:
            joined.append((since, until))
    extra = len(joined) - STRETCHES_MAX
    return [(joined[0][0], joined[extra][1]), *joined[extra + 1 :]] if extra > 0 else joined
