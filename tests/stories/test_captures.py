"""Captured records: each is kept once and as it was, and what cannot be kept is refused whole, with its reason."""

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import modelward
from modelward.kernel.errors import Conflict, Invalid, NotAllowed
from modelward.sdk import Client
from support.taxi import NOON, look, names, prepare, records, trips


@pytest.fixture
def house(tmp_path: Path, database_url: str) -> Iterator[Client]:
    with modelward.connect(tmp_path / "house", database_url=database_url) as client:
        prepare(client, tmp_path)
        yield client


def test_records_sent_twice_are_kept_once(house: Client):
    batch = records(trips(500, seed=5))

    first, again = house.captures.store("taxi", batch), house.captures.store("taxi", batch)

    assert (first.stored, again.stored, again.duplicates) == (500, 0, 500)
    assert look(house).rows == 500
    assert names(house, name="CapturesStored") == ["CapturesStored"]


def test_a_table_sent_twice_is_kept_once_and_counts_beside_single_records(house: Client):
    rows = [{**row, "when": NOON + timedelta(seconds=n), "trip": f"t{n}"} for n, row in enumerate(trips(600, seed=6))]
    table = pa.Table.from_pylist(rows)

    first = house.captures.store_table("taxi", table, time_column="when", id_column="trip")
    again = house.captures.store_table("taxi", table, time_column="when", id_column="trip")
    house.captures.store("taxi", records(trips(400, seed=7)))

    assert first == again
    run = look(house)
    assert (run.rows, run.outcome) == (1000, "passed")
    assert house.endpoints.traffic("taxi", NOON, NOON + timedelta(hours=1))[0].rows == 1000


def test_only_the_rows_of_a_table_inside_the_window_count(house: Client):
    rows = [{**row, "when": NOON + timedelta(minutes=n)} for n, row in enumerate(trips(180, seed=8))]
    house.captures.store_table("taxi", pa.Table.from_pylist(rows), time_column="when")

    assert look(house, NOON + timedelta(hours=1)).rows == 60
    assert look(house, NOON + timedelta(minutes=30), NOON + timedelta(minutes=31)).rows == 1


@pytest.mark.parametrize(
    "body, told",
    [
        (b"not parquet", "not a readable Parquet file"),
        (b"PAR1", "not a readable Parquet file"),
        (b"", "not a readable Parquet file"),
    ],
)
def test_a_broken_table_is_refused_and_nothing_is_kept(house: Client, body: bytes, told: str):
    with pytest.raises(Invalid, match=told):
        house.captures.store_table("taxi", body, at=NOON)

    assert list(house.captures.files("taxi")) == []
    assert house.endpoints.traffic("taxi", NOON, NOON + timedelta(hours=1)) == []


def test_a_table_without_rows_without_a_time_or_with_two_is_refused(house: Client):
    rows = pa.table({"fare": [1.0]})
    with pytest.raises(Invalid, match="holds no rows"):
        house.captures.store_table("taxi", rows.slice(0, 0), at=NOON)
    with pytest.raises(Invalid, match="Give either time_column"):
        house.captures.store_table("taxi", rows)
    with pytest.raises(Invalid, match="Give either time_column"):
        house.captures.store_table("taxi", rows, time_column="fare", at=NOON)
    with pytest.raises(Invalid, match="has no column 'when'; it has: 'fare'"):
        house.captures.store_table("taxi", rows, time_column="when")

    assert list(house.captures.files("taxi")) == []


def test_a_table_of_nulls_is_kept_and_fails_its_run(house: Client):
    empty = pa.table({"fare": pa.nulls(500, pa.float64()), "riders": pa.nulls(500, pa.int64()), "kind": pa.nulls(500)})
    house.captures.store_table("taxi", empty, at=NOON)

    run = look(house)

    assert (run.outcome, run.rows) == ("failed", 500)
    assert {finding.check for finding in run.findings} == {"completeness", "drift"}


def test_nan_is_a_missing_value_and_infinity_is_refused_by_the_client(house: Client):
    rows = trips(500, seed=13)
    rows[0]["fare"] = float("nan")
    house.captures.store("taxi", records(rows))
    with pytest.raises(Invalid, match="'fare' is inf"):
        house.captures.store("taxi", [{"fare": float("inf")}])

    (finding,) = look(house).findings
    assert (finding.column, finding.check) == ("fare", "completeness")


def test_a_batch_with_one_bad_record_is_refused_whole(house: Client):
    batch = records(trips(10))
    batch[3]["at"] = "yesterday"

    with pytest.raises(Invalid, match=r"1 of 10 records are not valid, and nothing was stored. records\[3\]"):
        house.captures.store("taxi", batch)

    assert house.endpoints.traffic("taxi", NOON, NOON + timedelta(hours=1)) == []


def test_a_capture_agent_sends_records_and_sees_nothing(house: Client):
    house.people.add("probe", persona="capture-agent", kind="service")
    probe = house.as_(house.people.make_token("probe").secret)

    assert probe.captures.store("taxi", [{"fare": 1.0}]).stored == 1
    for refused in (
        lambda: probe.endpoints.get("taxi"),
        lambda: probe.endpoints.traffic("taxi", NOON, NOON + timedelta(hours=1)),
        lambda: list(probe.monitors.list()),
        lambda: list(probe.alerts.list()),
        lambda: probe.monitors.run("taxi-inputs", NOON, NOON + timedelta(hours=1)),
    ):
        with pytest.raises(NotAllowed):
            refused()


def test_a_removed_endpoint_takes_no_records_and_pauses_its_monitors(house: Client):
    house.endpoints.remove("taxi", reason="Retired.")
    house.settle()

    with pytest.raises(Conflict, match="was removed"):
        house.captures.store("taxi", [{"fare": 1.0}])
    assert house.monitors.get("taxi-inputs").enabled is False
    assert list(house.endpoints.list()) == []


def test_missing_values_and_mixed_kinds_are_found_and_told(house: Client):
    rows = trips(1000, seed=11, missing=0.3)
    rows[5]["riders"] = "many"
    house.captures.store("taxi", records(rows))

    run = look(house)

    found = {(finding.column, finding.check) for finding in run.findings}
    assert {("fare", "completeness"), ("riders", "type")} <= found
    assert run.notes == ["Column 'riders' holds values of different kinds, so it was read as text."]


def test_columns_that_appear_or_vanish_are_violations(house: Client):
    rows = [{"fare": row["fare"], "kind": row["kind"], "surprise": 1} for row in trips(500, seed=12)]
    house.captures.store("taxi", records(rows))

    found = {(finding.column, finding.check) for finding in look(house).findings}

    assert {("riders", "missing_column"), ("surprise", "extra_column")} <= found


def test_columns_with_strange_names_are_watched_like_others(house: Client, tmp_path: Path):
    strange = ["<script>alert(1)</script>", 'a"b', "a'; DROP TABLE run;--", "../../etc/passwd", "Größe", "{{7*7}}"]
    chance = random.Random(1)
    rows = [{name: chance.gauss(0, 1) for name in strange} for _ in range(500)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "strange.parquet")
    house.endpoints.create("strange", "fares@1")
    house.baselines.create("strange", tmp_path / "strange.parquet")
    house.monitors.create("strange", "strange", "strange")
    house.captures.store("strange", records(rows))

    run = house.runs.wait(house.monitors.run("strange", NOON, NOON + timedelta(hours=1)).id)

    assert (run.outcome, run.rows) == ("passed", 500)
    assert {point.column for point in house.monitors.series("strange", measure="drift")} == set(strange)
