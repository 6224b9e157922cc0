"""Records as tables: numbers stay numbers, what does not mix becomes text and is noted, nothing unreadable is taken."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.governance.monitoring import tables
from modelward.governance.monitoring.capture_store import Body, HotRecord
from modelward.governance.monitoring.tables import Part, read_through, table_of_records, window_of
from modelward.kernel.errors import Invalid

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def records(name: str, values: list[Any]) -> list[HotRecord]:
    return [HotRecord(str(n), "2026-03-01T12:00:00.000000Z", Body({name: value})) for n, value in enumerate(values)]


@pytest.mark.parametrize(
    "values, kind, notes",
    [
        ([1, 2, None], "int64", 0),
        ([1, 2.5, None], "double", 0),
        ([True, False], "bool", 0),
        (["a", None], "string", 0),
        ([None, None], "null", 0),
        ([1, "a"], "string", 1),
        ([True, 1], "string", 1),
        ([2.5, "a", False, None], "string", 1),
    ],
)
def test_a_column_gets_the_type_that_holds_its_values(values: list[Any], kind: str, notes: int):
    table, told = table_of_records(records("fare", values))

    assert str(table.schema.field("fare").type) == kind
    assert len(told) == notes


def test_a_feature_that_some_records_lack_is_missing_there():
    table, _ = table_of_records([*records("a", [1]), *records("b", ["x"])])

    assert table.column("a").to_pylist() == [1, None]
    assert table.column("b").to_pylist() == [None, "x"]


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
)


@given(st.lists(st.lists(SCALARS, min_size=1, max_size=5), min_size=1, max_size=4))
def test_a_window_holds_every_row_and_every_value_of_its_parts(chunks: list[list[Any]]):
    parts = []
    for chunk in chunks:
        table, _ = table_of_records(records("x", chunk))
        table = table.select(["x"])
        parts.append(Part(name="p", schema=table.schema, batches=table.to_batches))

    seen = window_of(parts, []).reader().read_all()

    values = [value for chunk in chunks for value in chunk]
    assert seen.num_rows == len(values)
    assert seen.column("x").null_count == sum(value is None for value in values)


def parquet(table: pa.Table) -> io.BytesIO:
    file = io.BytesIO()
    pq.write_table(table, file)
    file.seek(0)
    return file


def reading(table: pa.Table, **request: Any) -> tables.TableFacts:
    return read_through(parquet(table), **{"time_column": "", "id_column": "", "at": None, **request})


def test_a_table_with_times_is_counted_by_the_hour():
    times = [NOON, NOON + timedelta(minutes=59), NOON + timedelta(hours=1)]

    facts = reading(pa.table({"when": times, "x": [1, 2, 3]}), time_column="when")

    assert (facts.rows, facts.first_at, facts.last_at) == (3, times[0], times[2])
    assert facts.hours == {NOON: 2, NOON + timedelta(hours=1): 1}
    assert facts.columns == {"x": "int64"}


@pytest.mark.parametrize(
    "times",
    [
        pa.array([NOON], pa.timestamp("ns", tz="Europe/Zurich")),
        pa.array([NOON.replace(tzinfo=None)], pa.timestamp("s")),
        pa.array(["2026-03-01T12:00:00Z"]),
        pa.array(["2026-03-01T13:00:00+01:00"]),
        pa.array(["2026-03-01 12:00:00"]),
        pa.array(["2026-03-01T12:00:00Z"]).dictionary_encode(),
    ],
)
def test_times_are_read_in_every_usual_form(times: Any):
    assert reading(pa.table({"when": times, "x": [1]}), time_column="when").first_at == NOON


@pytest.mark.parametrize(
    "table, request_, told",
    [
        (pa.table({"x": pa.array([], pa.int64())}), {"at": NOON}, "holds no rows"),
        (pa.table({"x": [1]}), {"time_column": "when"}, "has no column 'when'; it has: 'x'"),
        (pa.table({"x": [1]}), {"at": NOON, "id_column": "id"}, "has no column 'id'"),
        (pa.table({"when": [1], "x": [1]}), {"time_column": "when"}, "not a column of times"),
        (pa.table({"when": ["soon"], "x": [1]}), {"time_column": "when"}, "not a column of times"),
        (pa.table({"when": pa.array([NOON, None]), "x": [1, 2]}), {"time_column": "when"}, "1 rows have no time"),
        (pa.table({"when": [NOON]}), {"time_column": "when"}, "no column besides"),
        (pa.table([[1], [2]], names=["x", "x"]), {"at": NOON}, "more than one column named 'x'"),
        (pa.table({"": [1]}), {"at": NOON}, "must have 1 to 256"),
        (pa.table({"at": [1], "x": [1]}), {"at": NOON}, "cannot be named 'at'"),
    ],
)
def test_a_table_that_cannot_be_kept_is_told_why(table: pa.Table, request_: dict[str, Any], told: str):
    with pytest.raises(Invalid) as caught:
        reading(table, **request_)

    assert told in caught.value.message


def test_damage_anywhere_in_a_table_is_found_before_it_is_taken():
    whole = parquet(
        pa.table({"x": [float(n) for n in range(20_000)], "s": [f"text {n}" for n in range(20_000)]})
    ).getvalue()

    for broken in (
        b"",
        b"PAR1",
        b"not parquet at all",
        whole[:-10],
        whole[: len(whole) // 2],
        whole[:4] + bytes(4000) + whole[4004:],
    ):
        with pytest.raises(Invalid, match="not a readable Parquet file"):
            read_through(io.BytesIO(broken), time_column="", id_column="", at=NOON)


def test_a_table_of_nulls_is_kept_and_says_so():
    facts = reading(pa.table({"x": pa.nulls(3), "y": pa.array([None] * 3, pa.float64())}), at=NOON)

    assert facts.rows == 3
    assert facts.notes == ["Column 'x' holds no value at all.", "Column 'y' holds no value at all."]


def test_a_file_is_written_and_read_as_it_was(tmp_path: Path):
    table, _ = table_of_records(records("x", [1.5, None, 3.0]))

    (tmp_path / "f.parquet").write_bytes(tables.parquet_bytes(table))

    assert pq.read_table(tmp_path / "f.parquet").column("x").to_pylist() == [1.5, None, 3.0]
