"""Columns as texts: numbers of typed sources keep every digit, and large columns keep their figures."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelward.analysis.compatible import data_statistics as statistics
from modelward.analysis.compatible import moments
from modelward.analysis.compatible.distinct import Registers, distinct_numbers
from modelward.analysis.compatible.text_columns import column_of, java_doubles, joined_column
from modelward.analysis.formats.layout import java_double
from modelward.analysis.sketches import Distinct, DistinctGathering, mixed_bits

FLOATS = st.floats() | st.floats(-1e8, 1e8) | st.integers(-(10**8), 10**8).map(float)


@given(st.lists(FLOATS, max_size=30))
def test_many_doubles_are_written_as_each_of_them(values):
    assert java_doubles(np.array(values, float)).to_pylist() == [java_double(value) for value in values]


@pytest.fixture
def numbers(tmp_path):
    """The same numbers, with gaps, as Parquet and as CSV."""
    rng = np.random.default_rng(3)
    drawn = np.concatenate((rng.normal(size=2_900), rng.integers(-5, 5, 80), [1e9, 1e-9, 2.0, 0.0] * 5))
    table = pa.table({
        "x": pa.array(drawn, mask=rng.random(3_000) < 0.1), "n": rng.integers(0, 50, 3_000),
        "c": pa.array(rng.choice(["b", "a", "c"], 3_000)).dictionary_encode(),
    })  # fmt: skip
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=700)
    rows = zip(*(table.column(name).to_pylist() for name in table.column_names), strict=True)
    lines = [",".join((("" if x is None else java_double(x)), str(n), c)) for x, n, c in rows]
    (tmp_path / "a.csv").write_text("\n".join(["x,n,c", *lines]) + "\n")
    return tmp_path


def test_numbers_and_their_texts_have_the_same_statistics_to_the_last_bit(numbers):
    found = [statistics.data_statistics(numbers / name, compatible=True) for name in ("a.parquet", "a.csv")]

    assert found[0] == found[1]


def test_beyond_one_partition_only_last_digits_and_the_estimate_differ(numbers, monkeypatch):
    whole = statistics.data_statistics(numbers / "a.parquet", compatible=True).of("x").numerical_statistics
    monkeypatch.setattr(moments, "ONE_PARTITION_ROWS", 1_000)
    monkeypatch.setattr(moments, "BLOCK", 700)

    blocks = statistics.data_statistics(numbers / "a.parquet", compatible=True).of("x").numerical_statistics

    assert (blocks.min, blocks.max, blocks.common) == (whole.min, whole.max, whole.common)
    assert blocks.distribution == whole.distribution
    assert (blocks.mean, blocks.std_dev) == pytest.approx((whole.mean, whole.std_dev), rel=1e-12)
    estimates = [one.approximate_num_distinct_values for one in (blocks, whole)]
    assert estimates[0] == pytest.approx(estimates[1], rel=0.2)


def test_a_dictionary_keeps_just_the_values_that_occur_by_their_first_row():
    codes = pa.array([3, None, 1, 3, 0], pa.int32())
    column = column_of("c", pa.DictionaryArray.from_arrays(codes, pa.array(["", "b", "unused", "d"])))

    assert column.texts == ["d", "b"]
    assert column.codes.tolist() == [0, -1, 1, 0, -1]
    assert (column.rows, column.present, column.different) == (5, 3, 2)


def test_files_of_numbers_and_of_texts_join_by_their_texts():
    number, text = column_of("a", pa.array([1, None, 7])), column_of("a", pa.array(["7", "x"]))

    joined = joined_column([number, text])

    assert joined.texts == ["1", "7", "x"]
    assert joined.codes.tolist() == [0, -1, 1, 1, 2]


def test_whole_numbers_beyond_doubles_count_as_different():
    identifiers = 2**60 + np.arange(20_000)

    assert distinct_numbers(identifiers) == pytest.approx(20_000, rel=0.2)


@settings(max_examples=20)
@given(st.lists(st.integers(0, 2**64 - 1), max_size=200), st.randoms())
def test_registers_mind_neither_order_nor_repetition(words, random):
    once, again = Registers(), Registers()
    once.add(np.array(words, np.uint64))
    shuffled = words * 2
    random.shuffle(shuffled)
    for word in shuffled:
        again.add(np.array([word], np.uint64))

    assert once.ranks.tolist() == again.ranks.tolist()


@pytest.mark.parametrize("sizes", [(10, 5), (900, 200, 3), (5_000, 1, 0, 7_000), (1_024, 1_024)])
def test_gathered_hashes_are_those_of_all_values(sizes):
    parts = [mixed_bits(np.arange(start, start + size, dtype=np.uint64)) for start, size in enumerate(sizes)]
    gathering = DistinctGathering(parts[0])
    for part in parts[1:]:
        gathering.add(part)

    assert gathering.sketch() == Distinct.of(np.concatenate(parts))
