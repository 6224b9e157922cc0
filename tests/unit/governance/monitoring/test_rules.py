"""What a record and a window may be."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.governance.monitoring import rules
from modelward.governance.monitoring.entities import Monitor
from modelward.governance.monitoring.rules import RecordsRejected, read_records, run_id, window_of_slot
from modelward.kernel.errors import Invalid
from modelward.kernel.refs import BaselineRef, EndpointRef, MonitorRef

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
GOOD = {
    "inference_id": "a",
    "at": "2026-03-01T12:00:00Z",
    "features": {"fare": 1.5, "kind": "x", "day": True, "none": None},
}


def test_a_good_record_is_read():
    (record,) = read_records([GOOD])

    assert record.at == NOON
    assert record.features == GOOD["features"]


@pytest.mark.parametrize(
    "change, told",
    [
        ({"inference_id": ""}, "inference_id must have 1 to 200"),
        ({"inference_id": "x" * 201}, "inference_id must have 1 to 200"),
        ({"inference_id": "a\nb"}, "control character"),
        ({"inference_id": 7}, "Expected `str`"),
        ({"at": "yesterday"}, "RFC3339"),
        ({"at": "2026-03-01T12:00:00"}, "no time zone"),
        ({"at": "1812-03-01T12:00:00Z"}, "year 1812"),
        ({"features": {}}, "no features"),
        ({"features": {"": 1}}, "must have 1 to 256"),
        ({"features": {"a" * 257: 1}}, "must have 1 to 256"),
        ({"features": {"at": 1}}, "cannot be named 'at'"),
        ({"features": {"prediction": 1}}, "cannot be named 'prediction'"),
        ({"features": {"a\x00b": 1}}, "control character"),
        ({"features": {"a": [1, 2]}}, "Expected `bool | int | float | str | null`"),
        ({"features": {"a": {"b": 1}}}, "Expected `bool | int | float | str | null`"),
        ({"features": {"a": 2**63}}, "more than 64 bits"),
        ({"features": {"a": float("nan")}}, "is nan"),
        ({"features": {"a": "\ud800"}}, "cannot be kept"),
        ({"features": {f"f{n}": 1 for n in range(2001)}}, "2001 features"),
        ({"probability": "high"}, "Expected `float | null`"),
        ({"color": "red"}, "unknown field `color`"),
    ],
)
def test_a_bad_record_is_rejected_with_its_place_and_its_reason(change: dict[str, Any], told: str):
    with pytest.raises(
        RecordsRejected, match=r"1 of 2 records are not valid, and nothing was stored. records\[1\]: "
    ) as caught:
        read_records([GOOD, {**GOOD, **change}])

    assert told in caught.value.message


@pytest.mark.parametrize(
    "name", ['a"b', "a'b", "<script>alert(1)</script>", "../../etc/passwd", "Größe", "a b", "{{7*7}}"]
)
def test_a_feature_may_have_any_name_that_can_be_shown(name: str):
    (record,) = read_records([{**GOOD, "features": {name: 1}}])

    assert list(record.features) == [name]


def test_a_batch_is_neither_empty_nor_endless():
    with pytest.raises(Invalid, match="0 records"):
        read_records([])
    with pytest.raises(Invalid, match="10001 records"):
        read_records([GOOD] * 10_001)


def test_only_the_first_rejected_records_are_shown_and_all_are_counted():
    with pytest.raises(RecordsRejected, match="500 of 500") as caught:
        read_records([{"inference_id": ""}] * 500)

    assert caught.value.message.count("records[") == rules.REJECTED_SHOWN_MAX


def monitor(**settings: Any) -> Monitor:
    return Monitor(
        name=MonitorRef("m"),
        endpoint=EndpointRef("e"),
        baseline=BaselineRef("b"),
        created_at=NOON,
        created_by="ana",
        **settings,
    )


def test_a_window_of_fixed_length_ends_the_lag_before_its_slot():
    start, end = window_of_slot(
        monitor(window_hours=6, lag_minutes=15), NOON, last_end=None, slot_before=NOON - timedelta(hours=1)
    )

    assert (start, end) == (datetime(2026, 3, 1, 5, 45, tzinfo=UTC), datetime(2026, 3, 1, 11, 45, tzinfo=UTC))


@given(st.lists(st.integers(1, 500), min_size=1, max_size=20), st.integers(0, 120))
def test_windows_since_the_last_slot_follow_each_other_without_gap_or_overlap(steps: list[int], lag: int):
    watching = monitor(window_hours=None, lag_minutes=lag)
    slot, last_end, windows = NOON, None, []
    for hours in steps:
        before, slot = slot, slot + timedelta(hours=hours)
        windows.append(window_of_slot(watching, slot, last_end=last_end, slot_before=before))
        last_end = windows[-1][1]

    assert all(left[1] == right[0] for left, right in pairwise(windows))
    assert windows[0][0] == NOON - timedelta(minutes=lag)


def test_a_run_of_the_same_window_and_attempt_has_the_same_id():
    one = run_id(MonitorRef("m"), NOON, NOON + timedelta(hours=1), 1)

    assert one == run_id(MonitorRef("m"), NOON, NOON + timedelta(hours=1), 1)
    assert one != run_id(MonitorRef("m"), NOON, NOON + timedelta(hours=1), 2)
    assert one != run_id(MonitorRef("n"), NOON, NOON + timedelta(hours=1), 1)
