"""Statistics and constraints of data quality equal those of the service to the last bit."""

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as some
from msgspec import UNSET

from formats.golden import golden, monitored_rows
from modelward.analysis.compatible import kll
from modelward.analysis.compatible.data_statistics import Moments, data_statistics, suggested_constraints
from modelward.analysis.compatible.distinct import distinct_estimate, hash_texts, unbiased
from modelward.analysis.compatible.kinds import TextKind, count_kinds
from modelward.analysis.compatible.texts import read_texts
from modelward.analysis.formats.constraints_file import read_constraints, write_constraints
from modelward.analysis.formats.statistics_file import read_statistics, write_statistics
from modelward.kernel.errors import Invalid


def before_2022(statistics):
    """The statistics without the two keys that came later."""
    return msgspec.structs.replace(
        statistics,
        features=[
            msgspec.structs.replace(
                feature,
                numerical_statistics=msgspec.structs.replace(
                    feature.numerical_statistics, approximate_num_distinct_values=UNSET, completeness=UNSET
                ),
            )
            for feature in statistics.features
        ],
    )


def before_2023(constraints):
    """The constraints without the two keys that came later."""
    rule = msgspec.structs.replace(
        constraints.monitoring_config.distribution_constraints,
        categorical_comparison_threshold=UNSET,
        categorical_drift_method=UNSET,
    )
    config = msgspec.structs.replace(constraints.monitoring_config, distribution_constraints=rule)
    return msgspec.structs.replace(constraints, monitoring_config=config)


def test_statistics_of_100_rows_are_those_of_the_service_to_the_byte():
    made = data_statistics(golden("dq_sdk_100/baseline_dataset.csv"), compatible=True, header=False)

    assert write_statistics(before_2022(made)) == golden("dq_sdk_100/statistics.json").read_bytes()


def test_constraints_of_100_rows_are_those_of_the_service_to_the_byte():
    made = data_statistics(golden("dq_sdk_100/baseline_dataset.csv"), compatible=True, header=False)

    constraints = before_2023(suggested_constraints(made, compatible=True))

    assert write_constraints(constraints) == golden("dq_sdk_100/constraints.json").read_bytes()


def test_statistics_of_two_files_are_those_of_the_service_to_the_last_bit():
    """All of them, ``std_dev`` too: 4.97e-17 for a constant column is what merging 13 rows with 5 leaves."""
    rows = monitored_rows()

    made = data_statistics([rows.slice(0, 13), rows.slice(13)], compatible=True)

    expected = read_statistics(golden("dq_cookbook_3000/monitoring_statistics.json").read_bytes())
    assert before_2022(made) == expected


def test_statistics_of_one_file_differ_from_those_of_two_only_in_the_last_digits():
    rows = monitored_rows()

    one, two = data_statistics(rows), data_statistics([rows.slice(0, 13), rows.slice(13)])

    for left, right in zip(one.features, two.features, strict=True):
        assert left.numerical_statistics.distribution == right.numerical_statistics.distribution
        assert left.numerical_statistics.mean == pytest.approx(right.numerical_statistics.mean, rel=1e-15)
        assert left.numerical_statistics.std_dev == pytest.approx(
            right.numerical_statistics.std_dev, rel=1e-11, abs=1e-16
        )


def test_constraints_follow_from_the_statistics_of_68385_rows_to_the_byte():
    """The data are not public; their statistics are, and order of the domains is that of the histogram."""
    statistics = read_statistics(golden("dq_format_68385/statistics.json").read_bytes())

    constraints = suggested_constraints(statistics, compatible=True)

    assert write_constraints(constraints) == golden("dq_format_68385/constraints.json").read_bytes()


def test_constraints_follow_from_the_statistics_of_3000_rows():
    statistics = read_statistics(golden("dq_cookbook_3000/statistics.json").read_bytes())

    constraints = before_2023(suggested_constraints(statistics, compatible=True))

    assert constraints == read_constraints(golden("dq_cookbook_3000/constraints.json").read_bytes())


@pytest.mark.parametrize("name", ["dq_cookbook_3000", "dq_format_68385", "dq_sdk_100"])
def test_the_buckets_follow_from_the_sketch(name):
    statistics = read_statistics(golden(f"{name}/statistics.json").read_bytes())

    for feature in statistics.features:
        numbers = feature.numerical_statistics
        if numbers is not UNSET:
            made = kll.buckets(feature.sketch.data, numbers.min, numbers.max)
            assert made == numbers.distribution.kll.buckets, feature.name


@pytest.mark.parametrize("name", ["dq_cookbook_3000", "dq_format_68385"])
def test_a_sketch_has_as_many_items_on_each_level_as_that_of_the_service(name):
    """The rows themselves are not public, so only the shape of these sketches can be made again."""
    statistics = read_statistics(golden(f"{name}/statistics.json").read_bytes())
    expected = [len(level) for level in statistics.features[0].sketch.data]
    sketch = kll.KllSketch()

    sketch.update(np.random.default_rng(0).random(statistics.dataset.item_count))

    assert [len(level) for level in sketch.levels] == expected


def one_by_one(values):
    """deequ's sketch as it is written: one value at a time."""
    levels, calls, offsets = [[]], [0], [0]
    for value in values:
        levels[0].append(value)
        if sum(map(len, levels)) > sum(kll.capacity(level) for level in range(len(levels))):
            level = next(level for level, items in enumerate(levels) if len(items) >= kll.capacity(level))
            if level + 1 == len(levels):
                levels.append([])
                calls.append(0)
                offsets.append(0)
            items = levels[level]
            even = len(items) - len(items) % 2
            offsets[level] = 1 - offsets[level] if calls[level] % 2 else offsets[level]
            calls[level] += 1
            levels[level + 1] += sorted(items[:even])[offsets[level] :: 2]
            levels[level] = items[even:]
    return levels


def test_a_sketch_fed_in_batches_is_that_fed_one_by_one():
    rng = np.random.default_rng(7)
    values = rng.normal(size=15_000)
    sketch = kll.KllSketch()

    for batch in np.split(values, np.sort(rng.integers(0, len(values), 9))):
        sketch.update(batch)

    assert sketch.levels == one_by_one(values.tolist())


def test_merging_sketches_keeps_the_number_of_rows():
    sketches = [kll.KllSketch() for _ in range(3)]
    for sketch in sketches:
        sketch.update(np.random.default_rng(1).random(5_000))

    sketches[0].merge(sketches[1])
    sketches[0].merge(sketches[2])

    assert kll.weighted(sketches[0].levels)[1].sum() == 15_000


@given(some.lists(some.lists(some.floats(-1e6, 1e6), max_size=6), min_size=1, max_size=4))
def test_moments_of_parts_add_up_to_those_of_the_whole(parts):
    whole = Moments.of(np.array([value for part in parts for value in part], float))

    added = sum((Moments.of(np.array(part, float)) for part in parts), Moments())

    assert (added.count, added.minimum, added.maximum) == (whole.count, whole.minimum, whole.maximum)
    if whole.count:
        assert added.mean == pytest.approx(whole.mean, abs=1e-6)
        assert added.std_dev == pytest.approx(whole.std_dev, abs=1e-3)


@pytest.mark.parametrize(
    "text, expected",
    [
        (b"", 0xEF46DB3751D8E999),
        (b"a", 0xD24EC4F1A98C6E5B),
        (b"abc", 0x44BC2CF5AD770999),
        (b"Nobody inspects the spammish repetition", 0xFBCEA83C8A378BF1),
    ],
)
def test_the_hash_is_xxhash64_by_its_published_values(text, expected):
    assert hash_texts([text], seed=0).tolist() == [expected]


@given(some.lists(some.binary(max_size=80), max_size=12))
def test_hashing_many_texts_is_hashing_each(texts):
    assert hash_texts(texts).tolist() == [int(hash_texts([text])[0]) for text in texts]


@pytest.mark.parametrize("raw, rounded", [(1981.58, 1983), (2222.96, 2229), (2468.34, 2477)])
def test_the_bias_is_that_of_the_service(raw, rounded):
    assert round(unbiased(raw)) == rounded


def test_the_number_of_known_texts_is_estimated_as_by_the_service():
    statistics = read_statistics(golden("dq_format_68385/statistics.json").read_bytes())

    texts = [feature for feature in statistics.features if feature.counts is not None]

    assert texts
    for feature in texts:
        assert distinct_estimate(feature.counts) == feature.string_statistics.distinct_count, feature.name


def test_the_number_of_whole_numbers_is_estimated_as_by_the_service():
    """Where the sketch shows few values (all of them, surely): 29 ages, 3 grades, 2 flags. More may lack rare ones."""
    statistics = read_statistics(golden("dq_format_68385/statistics.json").read_bytes())

    for feature in statistics.features:
        estimate = feature.numerical_statistics and feature.numerical_statistics.approximate_num_distinct_values
        if feature.inferred_type == "Integral" and estimate < 10:
            shown = {str(int(item)) for level in feature.sketch.data for item in level}
            assert distinct_estimate(shown) == estimate, feature.name


@pytest.mark.parametrize("texts, kind", [
    (["1", "-2", "+ 3", "007"], TextKind.INTEGRAL), (["85086.0", "1"], TextKind.FRACTIONAL),
    (["-9.79E-4"], TextKind.FRACTIONAL), ([".5"], TextKind.STRING), (["1,000"], TextKind.STRING),
    (["NaN"], TextKind.STRING), (["TRUE"], TextKind.STRING), (["true", "false"], TextKind.BOOLEAN),
    (["true", "1"], TextKind.STRING), ([None], TextKind.UNKNOWN), (["", "1"], TextKind.INTEGRAL),
    (["1\n"], TextKind.STRING), (["١"], TextKind.STRING),
])  # fmt: skip
def test_the_kind_of_a_column_is_inferred_as_by_the_service(texts, kind):
    column = read_texts(pa.table({"a": pa.array(texts, pa.string())})).columns[0]

    assert count_kinds(column).kind is kind


def test_the_old_container_took_exponents_for_texts():
    column = read_texts(pa.table({"a": ["-9.79E-4", "1.5"]})).columns[0]

    assert count_kinds(column, exponents=False).kind is TextKind.STRING


def test_the_same_rows_have_the_same_statistics_from_every_kind_of_file(tmp_path):
    import pyarrow.parquet as pq

    table = pa.table({"n": [1, 2, None], "x": [0.5, 12345678.9, 2.0], "b": [True, False, True], "t": ["a", "b", None]})
    pq.write_table(table, tmp_path / "a.parquet")
    (tmp_path / "a.csv").write_text("n,x,b,t\n1,0.5,true,a\n2,1.23456789E7,false,b\n,2.0,true,\n")
    rows = ['{"n":1,"x":0.5,"b":true,"t":"a"}', '{"n":2,"x":12345678.9,"b":false,"t":"b"}', '{"x":2.0,"b":true}']
    (tmp_path / "a.jsonl").write_text("\n".join(rows))

    made = {name: data_statistics(tmp_path / name) for name in ("a.parquet", "a.csv", "a.jsonl")}

    assert made["a.csv"].features == made["a.parquet"].features
    assert {one.name: one for one in made["a.jsonl"].features} == {one.name: one for one in made["a.csv"].features}


@pytest.mark.parametrize("text, told", [
    ("", "no bytes"), ("a,a\n1,2\n", "more than one column named 'a'"), ("a,b\n1,2\n3\n", "line 3 has 1 values"),
    ("a,b\n1,2,3\n", "line 2 has 3 values"),
])  # fmt: skip
def test_a_csv_file_that_is_no_table_is_refused_with_the_place(tmp_path, text, told):
    (tmp_path / "odd.csv").write_text(text)

    with pytest.raises(Invalid, match=told):
        read_texts(tmp_path / "odd.csv")


def test_marks_of_other_programs_in_a_csv_file_are_plain_text(tmp_path):
    (tmp_path / "a.csv").write_bytes(b'\xef\xbb\xbfa,b\r\n#1,"x, ""y"""\r\n# 2,\r\n')

    columns = read_texts(tmp_path / "a.csv").columns

    assert {column.name: column.texts for column in columns} == {"a": ["#1", "# 2"], "b": ['x, "y"']}
