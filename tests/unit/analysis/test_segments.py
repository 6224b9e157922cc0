"""The profile by groups: the same figures as of the rows of each group alone, additive, bounded, and told to the end."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelward.analysis import Constraints, Plan, Profile, check, profile, suggest
from modelward.analysis.columns import ColumnProfile
from modelward.kernel.errors import Invalid, NotFound
from modelward.kernel.outcome import Outcome

rows = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c", None]), st.booleans(), st.one_of(st.none(), st.integers(-9, 9))),
    max_size=40,
)
BY_BOTH = Plan(threads=1, segments=("g", "h"))


def table_of(some) -> pa.Table:
    return pa.table(
        {
            "g": pa.array([row[0] for row in some], pa.string()),
            "h": pa.array([row[1] for row in some], pa.bool_()),
            "x": pa.array([row[2] for row in some], pa.int64()),
        }
    )


def exact(columns: dict[str, ColumnProfile]):
    return {
        name: {
            field: getattr(column, field) for field in column.__struct_fields__ if field not in ("sum", "deviations")
        }
        for name, column in columns.items()
    }


def figures(found: Profile):
    assert found.segments is not None
    return {group.values: (group.rows, group.unsure, exact(group.columns)) for group in found.segments.groups}


@settings(max_examples=60, deadline=None)
@given(rows, rows)
def test_the_groups_of_two_tables_are_the_sums_of_their_groups(a, b):
    together = profile(table_of(a + b), BY_BOTH)

    summed = profile(table_of(a), BY_BOTH) + profile(table_of(b), BY_BOTH)

    assert figures(summed) == figures(together)
    assert summed.segments.complete
    assert together.segments.complete


@settings(max_examples=40, deadline=None)
@given(rows)
def test_a_group_is_the_profile_of_its_rows_alone(some):
    found = profile(table_of(some), BY_BOTH)

    for group in found.segments.groups:
        own = [row for row in some if (row[0], str(row[1]).lower()) == group.values]
        assert group.rows == len(own)
        assert exact(group.columns) == exact(profile(table_of(own), Plan(threads=1)).columns)


def test_the_whole_is_the_same_with_and_without_groups(tmp_path):
    rng = np.random.default_rng(2)
    table = pa.table({"g": rng.integers(0, 4, 30_000), "x": rng.normal(size=30_000), "t": ["ab"] * 30_000})
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=7_000)

    for source in (table, str(tmp_path / "t.parquet")):
        apart = profile(source, Plan(segments=("g",)))

        assert exact(apart.columns) == exact(profile(source).columns)
        assert [group.values for group in apart.segments.groups] == [("0",), ("1",), ("2",), ("3",)]


def test_the_largest_groups_are_kept_and_the_rest_is_pooled_and_told(tmp_path):
    groups = np.repeat(np.arange(40), np.arange(1, 41) * 5)
    table = pa.table({"g": groups, "x": np.ones(groups.size)})
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=1_000)

    found = profile(str(tmp_path / "t.parquet"), Plan(segments=("g",), segments_max=10)).segments

    assert {group.rows for group in found.groups} == {5 * size for size in range(31, 41)}
    assert found.pooled.rows == sum(5 * size for size in range(1, 31))
    assert not found.complete
    assert found.pooled.columns["x"].present == found.pooled.rows


def test_after_pooling_no_group_lacks_more_rows_than_it_says():
    rng = np.random.default_rng(7)
    truth, total = {}, None
    for _ in range(12):
        groups = rng.zipf(1.4, 500) % 60
        for group, count in zip(*np.unique(groups, return_counts=True), strict=True):
            truth[(str(group),)] = truth.get((str(group),), 0) + int(count)
        one = profile(pa.table({"g": groups, "x": groups * 1.0}), Plan(segments=("g",), segments_max=8))
        total = one if total is None else total + one

    assert len(total.segments.groups) == 8
    assert sum(group.rows for group in total.segments.groups) + total.segments.pooled.rows == total.rows == 6_000
    for group in total.segments.groups:
        assert group.rows <= truth[group.values] <= group.rows + group.unsure


@settings(max_examples=30, deadline=None)
@given(rows)
def test_groups_survive_both_written_forms(some):
    found = profile(table_of(some), BY_BOTH)

    assert Profile.from_bytes(found.to_bytes()) == found
    shown = json.loads(found.to_json())["segments"]
    assert shown["by"] == ["g", "h"]
    assert [group["rows"] for group in shown["groups"]] == [group.rows for group in found.segments.groups]


def test_a_shift_in_one_group_is_found_though_the_whole_hides_it():
    rng = np.random.default_rng(5)
    groups = rng.choice(["north", "south", "west", "east"], 8_000)
    before = pa.table({"g": groups.tolist(), "x": rng.normal(size=8_000)})
    after = pa.table({"g": groups.tolist(), "x": rng.normal(size=8_000) + np.where(groups == "west", 0.35, -0.08)})
    plan = Plan(segments=("g",))
    baseline = profile(before, plan)

    report = check(profile(after, plan), baseline, suggest(baseline))

    assert not [verdict for verdict in report.drift if verdict.outcome is Outcome.FAILED]
    assert [group.values for group in report.segments if group.outcome is Outcome.FAILED] == [("west",)]
    assert report.outcome is Outcome.FAILED
    assert "g = west" in report.reason


def test_no_change_raises_no_group():
    rng = np.random.default_rng(6)
    tables = [pa.table({"g": rng.integers(0, 20, 9_000), "x": rng.normal(size=9_000)}) for _ in range(2)]
    baseline, current = (profile(table, Plan(segments=("g",))) for table in tables)

    report = check(current, baseline, Constraints(columns=()))

    assert [group.outcome for group in report.segments].count(Outcome.FAILED) == 0
    assert len(report.segments) == 20


def test_bad_segments_are_refused_with_the_rule():
    with pytest.raises(Invalid, match="at most 3"):
        Plan(segments=("a", "b", "c", "d"))
    with pytest.raises(Invalid, match="from 1 to"):
        Plan(segments=("a",), segments_max=0)
    with pytest.raises(NotFound, match="no column 'nope'"):
        profile(pa.table({"a": [1]}), Plan(segments=("nope",)))
    with pytest.raises(Invalid, match="by which no groups can be made"):
        profile(pa.table({"a": [[1]]}), Plan(segments=("a",)))
    with pytest.raises(Invalid, match="Only one of the two"):
        profile(pa.table({"a": [1]})) + profile(pa.table({"a": [1]}), Plan(segments=("a",)))
