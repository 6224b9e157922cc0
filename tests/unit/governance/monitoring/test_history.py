"""Which runs are counted together: each moment once, with one baseline, whatever the order in which runs end."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from modelward.governance.monitoring import history
from modelward.governance.monitoring.entities import Run
from modelward.governance.monitoring.history_store import KeptHistory
from modelward.jobs.schedules import slots_a_month
from modelward.kernel.refs import BaselineRef, EndpointRef, MonitorRef, RunRef

ZERO = datetime(2026, 3, 1, tzinfo=UTC)
MONITOR, JANUARY = MonitorRef("inputs"), BaselineRef("january")


def at(hour: int) -> datetime:
    return ZERO + timedelta(hours=hour)


def run(start: int, end: int) -> Run:
    return Run(
        id=RunRef("run-1"),
        monitor=MONITOR,
        endpoint=EndpointRef("taxi"),
        baseline=JANUARY,
        window_start=at(start),
        window_end=at(end),
        requested_at=ZERO,
        requested_by="ana",
    )


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 6)), max_size=40))
def test_no_hour_is_counted_twice_and_stretches_stay_in_order_and_apart(windows: list[tuple[int, int]]) -> None:
    kept: KeptHistory | None = None
    counted: list[int] = []
    for start, length in windows:
        entered = history.history_for(run(start, start + length), JANUARY, kept)
        if entered is None:
            assert set(range(start, start + length)) & set(counted)
            continue
        counted += range(start, start + length)
        kept = history.with_run(entered, run(start, start + length))

    covered = kept.covered if kept else []
    assert len(counted) == len(set(counted))
    hours = [hour for hour in range(70) if history.is_covered(covered, at(hour), at(hour + 1))]
    assert hours == sorted(counted)
    assert all(left[1] < right[0] for left, right in pairwise(covered))


def test_another_baseline_begins_anew_and_a_run_of_the_one_before_enters_nothing() -> None:
    kept = KeptHistory(monitor=MONITOR, baseline=BaselineRef("old"), edition=7, covered=[(at(0), at(1))], runs=3)

    entered = history.history_for(run(0, 1), JANUARY, kept)

    assert entered == KeptHistory(monitor=MONITOR, baseline=JANUARY, edition=7)
    assert history.history_for(run(0, 1), "another", kept) is None
    assert history.history_for(run(0, 1), JANUARY, replace(kept, baseline=JANUARY)) is None


def test_of_very_many_stretches_the_oldest_become_one_so_that_nothing_is_counted_twice() -> None:
    covered: list[tuple[datetime, datetime]] = []
    for number in range(history.STRETCHES_MAX + 50):
        covered = history.with_stretch(covered, at(3 * number), at(3 * number + 1))

    assert len(covered) == history.STRETCHES_MAX
    assert all(
        history.is_covered(covered, at(3 * number), at(3 * number + 1)) for number in range(history.STRETCHES_MAX + 50)
    )


@pytest.mark.parametrize(
    "cron, expected",
    [("* * * * *", 43830), ("0 * * * *", 730.5), ("0 6 * * *", 30.4375), ("0 0 1 * *", 1), ("0 0 29 2 *", 1 / 48)],
)
def test_the_slots_of_a_month_follow_from_the_cron_line(cron: str, expected: float) -> None:
    assert slots_a_month(cron, "Europe/Zurich") == pytest.approx(expected, rel=0.01)
