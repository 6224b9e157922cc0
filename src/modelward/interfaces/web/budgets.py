"""The budget of false alarms of a monitor as a sentence and a small picture: what its runs spent over time. Pure."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from modelward.governance.monitoring.entities import Point, Run

WIDTH, HEIGHT, FOOT = 320, 92, 16


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """The budget as a run's report keeps it."""

    false_alarms_a_month: float | None = None
    runs_a_month: float | None = None
    columns: int = 0
    spent: float = 0.0
    earned: float | None = None
    spent_before: float | None = None
    outside: list[tuple[str, str]] = []


class Spending(msgspec.Struct, frozen=True, kw_only=True):
    """What is drawn: two lines as points of an SVG, marks of runs that raised a drift alarm, and all of it in words."""

    sentence: str
    words: str
    spent: str
    earned: str
    alarms: list[tuple[float, float]]
    begin: datetime
    end: datetime
    top: str


def spending_of(points: Sequence[Point], runs: Sequence[Run], declared: Budget | None) -> Spending | None:
    """The picture of a monitor's spending; None where no run has spent of a budget.

    Args:
        points: what the runs spent in all and may spend, the oldest first.
        runs: the latest runs, to mark those that drifted.
        declared: the budget as the last run had it.
    """
    points = _in_order(points)
    if not points or declared is None or declared.false_alarms_a_month is None:
        return None
    drifted = {run.id for run in runs if run.drifted}
    begin, end = points[0].at, points[-1].at
    # Both lines begin anew with another baseline, so the highest need not be the last.
    top = max(max(each.value, each.threshold or 0.0) for each in points)
    places = [_place(each, begin, end, top) for each in points]
    spent = _steps([(x, y) for x, y, _ in places])
    earned = " ".join(f"{x},{limit}" for x, _, limit in places)
    alarms = [(x, y) for (x, y, _), each in zip(places, points, strict=True) if each.run in drifted]
    last = points[-1]
    return Spending(
        sentence=_sentence(declared, last, len(points), len(alarms)),
        words=f"Spent {_figure(last.value)} of {_figure(last.threshold or 0.0)} after {len(points)} runs",
        spent=spent,
        earned=earned,
        alarms=alarms,
        begin=begin,
        end=end,
        top=_figure(top),
    )


def _in_order(points: Sequence[Point]) -> list[Point]:
    """The points by time with totals that never fall: runs may have ended in another order than their windows."""
    told: list[Point] = []
    for each in sorted((each for each in points if each.threshold), key=lambda each: each.at):
        last = told[-1] if told else None
        # Where a total falls by half it began anew, with another baseline.
        if last is not None and (last.threshold or 0.0) / 2 < (each.threshold or 0.0):
            each = msgspec.structs.replace(
                each, value=max(last.value, each.value), threshold=max(last.threshold or 0.0, each.threshold or 0.0)
            )
        told.append(each)
    return told


def _place(point: Point, begin: datetime, end: datetime, top: float) -> tuple[float, float, float]:
    span = (end - begin).total_seconds()
    x = (point.at - begin).total_seconds() / span if span else 1.0
    height = HEIGHT - FOOT - 8
    y, limit = (8 + height * (1 - value / top) for value in (point.value, point.threshold or 0.0))
    return round(4 + x * (WIDTH - 8), 1), round(y, 1), round(limit, 1)


def _steps(places: list[tuple[float, float]]) -> str:
    """A line that stays level until the next run spends."""
    told, before = [], None
    for x, y in places:
        if before is not None:
            told.append(f"{x},{before}")
        told.append(f"{x},{y}")
        before = y
    return " ".join(told)


def _sentence(declared: Budget, last: Point, runs: int, alarms: int) -> str:
    number = declared.false_alarms_a_month or 0.0
    columns = f"{declared.columns} column{'' if declared.columns == 1 else 's'}"
    return (
        f"At most {number:g} false alarm{'' if number == 1 else 's'} a month over {columns} and all runs together. "
        f"Up to now chance may have raised {_figure(last.value)}, of {_figure(last.threshold or 0.0)} that the budget allows "
        f"so many runs; {alarms or 'none'} of the {runs} runs drawn found drift."
    )


def _figure(value: float) -> str:
    return f"{float(f'{value:.2g}'):.10f}".rstrip("0").rstrip(".") or "0"
