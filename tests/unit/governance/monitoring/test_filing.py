"""Filing loses nothing and doubles nothing, whatever comes when and as often as it is filed."""

import itertools
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelward.governance.access.entities import SYSTEM
from modelward.governance.monitoring import capture_store, captures, filing
from modelward.governance.monitoring.entities import CaptureRecord
from modelward.kernel.refs import EndpointRef
from modelward.storage.work import Workshop
from support.windows import rows_of_window

from .conftest import NOON

ENDPOINTS = (EndpointRef(f"e{n}") for n in itertools.count())
STORE = st.tuples(st.just("store"), st.lists(st.tuples(st.integers(0, 12), st.integers(-3, 0)), min_size=1, max_size=6))
FILE = st.tuples(st.just("file"), st.integers(-2, 1))


def record(number: int, hour: int) -> CaptureRecord:
    # The minute follows from the number, so that a record sent twice is the same one.
    at = NOON + timedelta(hours=hour, minutes=number)
    return CaptureRecord(inference_id=f"i{number}", at=at, features={"n": number, "hour": hour})


def store(workshop: Workshop, endpoint: EndpointRef, records: list[CaptureRecord]) -> Any:
    return workshop.write(SYSTEM, lambda work: captures.store_captures(work, endpoint, records))


def seen(workshop: Workshop, endpoint: EndpointRef, start: int = -10, end: int = 10) -> list[tuple[int, int]]:
    rows = rows_of_window(workshop, endpoint, start=NOON + timedelta(hours=start), end=NOON + timedelta(hours=end))
    return sorted((row["n"], row["hour"]) for row in rows)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(STORE, FILE), min_size=1, max_size=12))
def test_each_record_is_in_its_window_exactly_once(workshop: Workshop, steps: list[Any]):
    endpoint, expected = next(ENDPOINTS), {}
    for verb, what in steps:
        if verb == "store":
            for number, hour in what:
                expected.setdefault(number, hour)
            store(workshop, endpoint, [record(number, hour) for number, hour in what])
        else:
            filing.file_until(workshop, NOON + timedelta(hours=what))

    assert seen(workshop, endpoint) == sorted(expected.items())
    for hour in range(-4, 2):
        held = [(number, at) for number, at in sorted(expected.items()) if at == hour]
        assert seen(workshop, endpoint, hour, hour + 1) == held
    counted = workshop.read(
        SYSTEM,
        lambda work: captures.traffic(work, endpoint, start=NOON - timedelta(hours=10), end=NOON + timedelta(hours=10)),
    )
    assert sum(each.rows for each in counted) == len(expected)


def test_a_batch_sent_twice_is_kept_once(workshop: Workshop):
    endpoint = next(ENDPOINTS)
    batch = [record(number, -1) for number in range(5)]

    first, again = store(workshop, endpoint, batch), store(workshop, endpoint, [*batch, record(6, -1)])

    assert (first.stored, first.duplicates) == (5, 0)
    assert (again.stored, again.duplicates) == (1, 5)


def test_a_record_sent_again_after_it_was_filed_is_kept_once(workshop: Workshop):
    endpoint = next(ENDPOINTS)
    store(workshop, endpoint, [record(1, -2)])
    filing.file_until(workshop, NOON)

    assert store(workshop, endpoint, [record(1, 0)]).duplicates == 1
    assert seen(workshop, endpoint) == [(1, -2)]


def test_a_record_that_comes_while_its_hour_is_filed_is_not_lost(workshop: Workshop, monkeypatch: pytest.MonkeyPatch):
    endpoint = next(ENDPOINTS)
    store(workshop, endpoint, [record(1, -2)])
    put = workshop.blobs.put

    def slow_put(chunks: Any) -> Any:
        monkeypatch.setattr(workshop.blobs, "put", put)
        store(workshop, endpoint, [record(2, -2)])
        return put(chunks)

    monkeypatch.setattr(workshop.blobs, "put", slow_put)
    filing.file_until(workshop, NOON)

    assert seen(workshop, endpoint) == [(1, -2), (2, -2)]


def test_two_workers_that_file_the_same_hour_keep_it_once(workshop: Workshop, monkeypatch: pytest.MonkeyPatch):
    endpoint = next(ENDPOINTS)
    store(workshop, endpoint, [record(1, -2)])
    put = workshop.blobs.put

    def put_while_another_files(chunks: Any) -> Any:
        monkeypatch.setattr(workshop.blobs, "put", put)
        filing.file_until(workshop, NOON)
        return put(chunks)

    monkeypatch.setattr(workshop.blobs, "put", put_while_another_files)
    with pytest.raises(filing.FiledAlready, match="this file is not kept"):
        filing.file_until(workshop, NOON)

    assert seen(workshop, endpoint) == [(1, -2)]


def test_the_hour_that_still_runs_is_not_filed(workshop: Workshop):
    endpoint = next(ENDPOINTS)
    store(workshop, endpoint, [record(1, 0)])

    filing.file_until(workshop, NOON + timedelta(minutes=59))

    assert workshop.read(SYSTEM, lambda work: captures.list_files(work, endpoint)) == []


def test_ids_are_remembered_for_two_days(workshop: Workshop):
    endpoint = next(ENDPOINTS)
    store(workshop, endpoint, [record(1, -2)])
    filing.file_until(workshop, NOON)

    def forget(days: float) -> int:
        later = workshop.clock() + timedelta(days=days)
        return workshop.write(SYSTEM, lambda work: capture_store.forget_ids(work.connection, now=later))

    forget(1.9)
    assert store(workshop, endpoint, [record(1, -2)]).duplicates == 1
    assert forget(2.1) >= 1
