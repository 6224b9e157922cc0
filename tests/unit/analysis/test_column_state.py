"""Statistics and checks are made piece by piece: how a table is cut changes nothing, and memory does not grow with the rows."""

import json
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelward.analysis.compatible import different_values, moments, table_parts, texts
from modelward.analysis.compatible.column_state import CATEGORIES_MAX, ColumnPlan, ColumnState
from modelward.analysis.compatible.data_checks import check_table
from modelward.analysis.compatible.data_statistics import data_statistics, suggested_constraints
from modelward.analysis.compatible.distinct import REGISTERS, estimate
from modelward.analysis.compatible.job_files import baseline_files, check_files
from modelward.analysis.compatible.kll import KllSketch
from modelward.analysis.compatible.moments import FileMoments
from modelward.analysis.compatible.text_columns import column_of
from modelward.analysis.compatible.texts import read_texts
from modelward.kernel.errors import Invalid

NUMBERS = st.integers(-9, 9) | st.floats(-1e6, 1e6, width=32) | st.sampled_from([0.1, -0.0, 1e-9, 1e12])
TEXTS = st.sampled_from(["a", "b", "", "true", "1", "2.5", "+3", "1E5", "x y"])
COLUMNS = st.lists(NUMBERS | st.none(), max_size=60) | st.lists(TEXTS | st.none(), max_size=60)


def as_array(values):
    texts = any(isinstance(value, str) for value in values)
    return pa.array(values if texts else [None if value is None else float(value) for value in values],
                    pa.large_string() if texts else pa.float64())  # fmt: skip


def in_pieces(array, sizes, plan):
    """The state after pieces of these sizes, and the rest."""
    state, start = ColumnState("a", plan), 0
    state.begin_file(first=True)
    for size in [*sizes, len(array)]:
        state.add(column_of("a", array.slice(start, size)))
        start += size
    state.end_file()
    return state.finish()


@settings(max_examples=100, deadline=None)
@given(COLUMNS, st.lists(st.integers(0, 20), max_size=6), st.booleans(), st.sampled_from([(5, 3), (40, 7), (99, 8)]))
def test_statistics_of_any_split_into_pieces_are_those_of_the_whole(values, sizes, compatible, limits):
    plan, array = (
        ColumnPlan(compatible=compatible, inside={0: pa.array(["a", "1", "2.5"], pa.large_string())}),
        as_array(values),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moments, "ONE_PARTITION_ROWS", limits[0])
        patch.setattr(moments, "BLOCK", limits[1])

        assert in_pieces(array, sizes, plan) == in_pieces(array, [], plan)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 400), min_size=1, max_size=12), st.integers(0, 9))
def test_moments_of_pieces_are_those_of_the_file_to_the_last_bit(sizes, seed):
    values = np.random.default_rng(seed).lognormal(size=sum(sizes))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moments, "ONE_PARTITION_ROWS", 700)
        patch.setattr(moments, "BLOCK", 130)
        whole, pieces = FileMoments(), FileMoments()
        whole.add(values)
        for some in np.split(values, np.cumsum(sizes)[:-1]):
            pieces.add(some)

        assert pieces.finish() == whole.finish()
        if len(values) > 700:
            known = FileMoments(many=True)
            known.add(values)
            assert known.finish() == whole.finish()


@given(st.lists(st.integers(0, REGISTERS - 1), unique=True), st.integers(1, 40), st.data())
def test_an_estimate_above_the_most_categories_never_comes_back(filled, rank, data):
    """So counts of texts may be given up for good once the estimate is above."""
    ranks = np.zeros(REGISTERS, np.int64)
    ranks[filled] = rank
    if estimate(ranks) <= CATEGORIES_MAX:
        return
    further = data.draw(st.lists(st.tuples(st.integers(0, REGISTERS - 1), st.integers(1, 56)), max_size=600))
    for place, higher in further:
        ranks[place] = max(ranks[place], higher)

    assert estimate(ranks) > CATEGORIES_MAX


def test_full_registers_of_the_lowest_rank_are_far_more_than_the_most_categories():
    assert estimate(np.ones(REGISTERS, np.int64)) > 4 * CATEGORIES_MAX


@pytest.fixture
def small_pieces(monkeypatch):
    monkeypatch.setattr(table_parts, "rows_of_piece", lambda columns: 7)
    monkeypatch.setattr(table_parts, "rows_of_texts", lambda columns: 2_048)
    monkeypatch.setattr(table_parts, "LINES_AT_ONCE", 3)
    monkeypatch.setattr(texts, "LINES_AT_ONCE", 3)


@pytest.fixture
def table():
    rng = np.random.default_rng(5)
    return pa.table({
        "x": pa.array(rng.normal(size=100), mask=rng.random(100) < 0.2), "n": rng.integers(0, 9, 100),
        "c": pa.array(rng.choice(["b", "a", ""], 100)), "late": [*map(str, range(99)), "no number"],
        "gap": [float(one) for one in range(99)] + [float("nan")],
    })  # fmt: skip


@pytest.mark.parametrize("compatible", [True, False])
def test_a_table_in_pieces_is_described_and_judged_as_the_one_that_is_held(table, tmp_path, request, compatible):
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=33)
    held = read_texts(tmp_path / "a.parquet")
    whole = data_statistics(held, compatible=compatible)
    rules = suggested_constraints(whole, compatible=compatible)
    judged = check_table(held, rules, whole, compatible=compatible)
    request.getfixturevalue("small_pieces")

    for data in (tmp_path / "a.parquet", table):
        assert data_statistics(data, compatible=compatible) == whole
        assert check_table(data, rules, whole, compatible=compatible) == judged


def test_a_column_whose_last_number_is_none_is_read_again_as_texts(table, small_pieces, monkeypatch):
    monkeypatch.setattr(moments, "ONE_PARTITION_ROWS", 10)

    column = data_statistics(table, compatible=True).of("gap")

    assert column.inferred_type == "String"
    expected = data_statistics(pa.table({"gap": [*(f"{one}.0" for one in range(99)), "NaN"]}), compatible=True)
    assert column == expected.features[0]


def test_a_key_that_a_late_line_brings_was_missing_before(tmp_path, small_pieces):
    lines = [{"a": 1}] * 10 + [{"a": 2, "b": "x"}] + [{"b": "y"}] * 2
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    made = data_statistics(tmp_path / "t.jsonl")

    assert made.dataset.item_count == 13
    assert [(one.name, one.common.num_present, one.common.num_missing) for one in made.features] == [
        ("a", 11, 2), ("b", 3, 10),
    ]  # fmt: skip
    held = read_texts(tmp_path / "t.jsonl")
    assert [column.rows for column in held.columns] == [13, 13]
    assert held.of("b").codes.tolist() == [-1] * 10 + [0, 1, 1]


def test_files_with_other_columns_are_refused_whatever_their_kind(tmp_path):
    (tmp_path / "1.csv").write_text("a,b\n1,2\n")
    (tmp_path / "2.jsonl").write_text('{"a": 1, "c": 2}\n')
    pq.write_table(pa.table({"a": [1], "d": [2]}), tmp_path / "3.parquet")

    with pytest.raises(Invalid, match="file 2 differs in 'c'"):
        data_statistics([tmp_path / "1.csv", tmp_path / "2.jsonl"])
    with pytest.raises(Invalid, match="file 2 differs in 'd'"):
        data_statistics([tmp_path / "1.csv", tmp_path / "3.parquet"])


def test_rows_inside_a_domain_are_counted_past_the_most_categories(tmp_path):
    words = [f"w{place}" for place in range(3_000)]
    (tmp_path / "t.csv").write_text("a\n" + "\n".join([*words, *words[:10]]) + "\n")
    baseline_files(pa.table({"a": ["w1", "w2"] * 30})).write(tmp_path / "base")

    found = check_files(tmp_path / "t.csv", tmp_path / "base")

    (entry,) = (one for one in found.violations if one.constraint_check_type == "categorical_values_check")
    assert f"Value: {4 / 3_010}" in entry.description


def test_columns_without_names_are_judged_by_the_domains_of_the_rules_in_their_places(tmp_path):
    (tmp_path / "t.csv").write_text("x,1\ny,2\n")
    baseline_files(pa.table({"word": ["x", "z"] * 20, "_c0": [1, 2] * 20})).write(tmp_path / "base")

    found = check_files(tmp_path / "t.csv", tmp_path / "base", header=False)

    told = [
        (one.feature_name, one.description) for one in found.violations if "categorical" in one.constraint_check_type
    ]
    assert told == [("word", "Value: 0.5 does not meet the constraint requirement! ")]


def test_different_values_are_counted_to_a_bound_and_estimated_beyond(monkeypatch):
    monkeypatch.setattr(different_values, "COUNTED_MAX", 5_000)
    numbers = np.arange(20_000) / 8
    made = {size: data_statistics(pa.table({"n": numbers[:size], "t": [f"{one}!" for one in range(size)]}))
            for size in (5_000, 20_000)}  # fmt: skip

    assert made[5_000].of("n").numerical_statistics.approximate_num_distinct_values == 5_000
    assert made[5_000].of("t").string_statistics.distinct_count == 5_000
    assert made[20_000].of("n").numerical_statistics.approximate_num_distinct_values == pytest.approx(20_000, rel=0.12)
    assert made[20_000].of("t").string_statistics.distinct_count == pytest.approx(20_000, rel=0.12)


def test_sketches_of_several_files_are_merged_file_by_file():
    numbers = np.random.default_rng(4).normal(size=9_000)
    merged, further = KllSketch(), KllSketch()
    merged.update(numbers[:4_000])
    further.update(numbers[4_000:])
    merged.merge(further)

    made = data_statistics([pa.table({"n": numbers[:4_000]}), pa.table({"n": numbers[4_000:]})])

    assert made.of("n").sketch.data == merged.levels


@pytest.mark.parametrize("different, shown", [(1, True), (CATEGORIES_MAX, True), (CATEGORIES_MAX + 1, False)])
def test_texts_are_shown_with_their_counts_up_to_the_most_categories(different, shown):
    words = [f"w{place}" for place in range(different)] * 2

    counts = data_statistics(pa.table({"t": words})).of("t").counts

    assert counts == (dict.fromkeys(words, 2) if shown else None)


def test_progress_ends_where_the_cells_end(table):
    told = []

    data_statistics(table.drop_columns(["gap"]), progress=lambda done, steps: told.append((done, steps)))

    assert told[-1] == (400, 400)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_a_single_json_list_that_would_not_fit_is_refused(tmp_path, monkeypatch):
    from modelward.analysis.compatible import free_memory

    (tmp_path / "t.json").write_text('[{"a": 1}]')
    monkeypatch.setattr(free_memory, "free_bytes", lambda: 10)

    with pytest.raises(Invalid, match="one JSON list, which is read whole"):
        data_statistics(tmp_path / "t.json")


PEAK = """
import resource, sys
from modelward.analysis.compatible.job_files import baseline_files
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
baseline_files(sys.argv[1], compatible=sys.argv[2] == "compatible")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
def test_memory_does_not_grow_with_the_rows(tmp_path, ending):
    grown = []
    for rows in (20_000, 160_000):
        path = tmp_path / f"{rows}.{ending}"
        numbers = np.random.default_rng(1).normal(size=rows).round(6)
        if ending == "parquet":
            pq.write_table(pa.table({f"c{place}": numbers for place in range(8)}), path)
        else:
            line = ",".join(["{0}"] * 8) + "\n" if ending == "csv" else '{{"a": {0}, "b": "{0} and more"}}\n'
            head = "a,b,c,d,e,f,g,h\n" if ending == "csv" else ""
            path.write_text(head + "".join(line.format(one) for one in numbers.tolist()))
        done = subprocess.run(
            [sys.executable, "-c", PEAK, str(path), "default"], capture_output=True, text=True, check=True, timeout=300
        )
        grown.append(int(done.stdout))

    # A table of texts that is held takes over 100 bytes a cell: 130 MB of the larger file.
    assert grown[1] - grown[0] < 45_000
