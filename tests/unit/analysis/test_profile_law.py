"""profile(a) + profile(b) == profile(a ++ b), and what else must hold for every table."""

import math
from functools import reduce

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelward.analysis import Kind, Plan, Profile, profile
from modelward.analysis.sketches import (
    BINS_MAX,
    CATEGORIES_MAX,
    SHIFT_MAX,
    Categories,
    Distinct,
    Histogram,
    mixed_bits,
)
from modelward.kernel.errors import Invalid

ONE_THREAD = Plan(threads=1)
numbers = st.one_of(
    st.none(), st.floats(allow_nan=True, allow_infinity=True, width=64), st.integers(-50, 50).map(float)
)
texts = st.one_of(st.none(), st.sampled_from(["a", "b", "", "3.5", "ä", "x" * 300]), st.text(max_size=5))
columns = st.lists(st.tuples(numbers, texts, st.one_of(st.none(), st.booleans())), max_size=60)


def table_of(rows):
    return pa.table(
        {
            "number": pa.array([row[0] for row in rows], pa.float64()),
            "text": pa.array([row[1] for row in rows], pa.string()),
            "flag": pa.array([row[2] for row in rows], pa.bool_()),
        }
    )


def without_rounding(found: Profile):
    exact = {}
    for name, column in found.columns.items():
        fields = {field: getattr(column, field) for field in column.__struct_fields__}
        fields.pop("sum"), fields.pop("deviations")
        exact[name] = fields
    return found.rows, exact


def assert_same(left: Profile, right: Profile) -> None:
    assert without_rounding(left) == without_rounding(right)
    for name, column in left.columns.items():
        other = right.columns[name]
        if math.isfinite(column.sum) and column.minimum is not None:
            scale = max(abs(column.minimum), abs(column.maximum)) * max(1, column.finite)
            assert column.sum == pytest.approx(other.sum, rel=1e-12, abs=1e-12 * scale)
            if math.isfinite(column.deviations) and scale < 1e150:
                assert column.deviations == pytest.approx(
                    other.deviations, rel=1e-9, abs=max(1e-300, 1e-12 * scale * scale)
                )


@settings(max_examples=150, deadline=None)
@given(columns, columns)
def test_the_profile_of_two_tables_is_the_sum_of_their_profiles(a, b):
    together = profile(table_of(a + b), ONE_THREAD)

    summed = profile(table_of(a), ONE_THREAD) + profile(table_of(b), ONE_THREAD)

    assert_same(summed, together)


@settings(max_examples=50, deadline=None)
@given(columns, columns)
def test_the_order_of_adding_does_not_matter(a, b):
    left, right = profile(table_of(a), ONE_THREAD), profile(table_of(b), ONE_THREAD)

    assert_same(left + right, right + left)


@pytest.mark.parametrize("cuts", [(10, 20_000), (3_000, 3_001), (1, 39_999)])
@pytest.mark.parametrize(
    "draw",
    [
        lambda rng, n: rng.normal(size=n),
        lambda rng, n: rng.lognormal(size=n) * 1e-9,
        lambda rng, n: 300 + rng.normal(size=n) / 100,
        lambda rng, n: rng.integers(0, 5_000, n).astype(float),
        lambda rng, n: rng.integers(-3, 3, n).astype(float),
        lambda rng, n: np.where(rng.random(n) < 0.5, 0.0, rng.normal(size=n)),
        lambda rng, n: np.where(
            rng.random(n) < 0.01, np.inf, np.where(rng.random(n) < 0.1, np.nan, rng.normal(size=n))
        ),
        lambda rng, n: rng.integers(0, 2**62, n).astype(float),
        lambda rng, n: np.exp(rng.normal(size=n) * 100),
    ],
)
def test_the_law_holds_across_all_resolutions_of_the_histogram(draw, cuts):
    values = draw(np.random.default_rng(5), 40_000)
    whole = profile(pa.table({"x": values}))

    pieces = [values[: cuts[0]], values[cuts[0] : cuts[1]], values[cuts[1] :]]
    summed = reduce(lambda left, right: left + right, (profile(pa.table({"x": piece})) for piece in pieces))

    assert_same(summed, whole)
    assert summed.columns["x"].histogram == whole.columns["x"].histogram
    assert summed.columns["x"].sketch == whole.columns["x"].sketch


def test_category_counts_add_up_exactly_up_to_the_cap():
    values = [f"v{number % CATEGORIES_MAX}" for number in range(6_000)]

    summed = profile(pa.table({"x": values[:777]})) + profile(pa.table({"x": values[777:]}))

    assert_same(summed, profile(pa.table({"x": values})))
    assert summed.columns["x"].distinct == CATEGORIES_MAX


def test_after_an_overflow_no_category_is_off_by_more_than_the_stated_error():
    rng = np.random.default_rng(1)
    values = [f"v{number}" for number in np.minimum(rng.zipf(1.15, 30_000), 10**9)]
    truth = {value: values.count(value) for value in ("v1", "v2", "v3", "v50", "v1000")}

    summed = profile(pa.table({"x": values[:9_000]})) + profile(pa.table({"x": values[9_000:]}))
    categories = summed.columns["x"].categories

    assert categories.total == 30_000
    assert 0 < categories.error < 100
    for value, count in truth.items():
        assert count - categories.error <= categories.counts.get(value, 0) <= count


def test_distinct_sketches_add_up_when_texts_overflow():
    values = [f"id-{number}" for number in range(12_000)]
    whole = profile(pa.table({"x": values})).columns["x"]

    summed = (profile(pa.table({"x": values[:2_000]})) + profile(pa.table({"x": values[2_000:]}))).columns["x"]

    assert summed.sketch == whole.sketch
    assert summed.distinct == pytest.approx(12_000, rel=0.12)
    assert not summed.distinct_exact


@pytest.mark.parametrize("scale", [1e-300, 1e-3, 1.0, 1e6, 1e200])
def test_a_quantile_errs_by_at_most_1_6_percent_of_its_value(scale):
    values = np.exp(np.random.default_rng(2).normal(size=100_000) * 5) * scale

    column = profile(pa.table({"x": values})).columns["x"]

    for share in (0.001, 0.01, 0.25, 0.5, 0.9, 0.999):
        truth = np.quantile(values, share, method="inverted_cdf")
        assert column.quantile(share) == pytest.approx(truth, rel=0.0160)


def test_a_narrow_column_far_from_zero_keeps_a_fine_resolution():
    values = 1_700_000_000 + np.random.default_rng(3).normal(size=50_000) * 100

    column = profile(pa.table({"x": values})).columns["x"]

    assert abs(column.quantile(0.5) - np.median(values)) < 2


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=200))
def test_few_numbers_are_kept_exactly(values):
    column = profile(pa.table({"x": pa.array(values, pa.float64())}), ONE_THREAD).columns["x"]

    assert column.distinct == len(set(values))
    assert column.minimum == min(values)
    assert column.maximum == max(values)
    assert column.quantile(0.5) == sorted(values)[math.ceil(len(values) / 2) - 1]


def test_mean_and_sd_agree_with_numpy_far_from_zero():
    values = 1e9 + np.random.default_rng(4).normal(size=200_000)

    column = profile(pa.table({"x": values})).columns["x"]

    assert column.mean == pytest.approx(values.mean(), rel=1e-14)
    assert column.sd == pytest.approx(values.std(), rel=1e-9)


def test_the_histogram_never_holds_more_bins_than_it_may():
    column = profile(pa.table({"x": np.random.default_rng(5).normal(size=300_000)})).columns["x"]

    assert column.histogram.shift < SHIFT_MAX
    assert len(column.histogram.keys) // 8 <= BINS_MAX
    assert column.distinct == pytest.approx(300_000, rel=0.12)


def test_a_profile_survives_its_bytes():
    found = profile(table_of([(1.5, "a", True), (None, None, None), (math.nan, "ä", False)]))

    assert Profile.from_bytes(found.to_bytes()) == found


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda data: b"PAR1" + data[4:], "are not a profile"),
        (lambda data: data[:6] + b"\x00\x63" + data[8:], "has version 99; this release of Modelward reads version 1"),
        (lambda data: data[:-5], "damaged"),
        (lambda data: data[:8] + b"junk", "damaged"),
        (lambda data: b"", "are not a profile"),
    ],
)
def test_bytes_that_are_no_profile_of_this_version_are_refused(change, words):
    data = profile(pa.table({"x": [1.0]})).to_bytes()

    with pytest.raises(Invalid, match=words):
        Profile.from_bytes(change(data))


def test_a_profile_reads_as_json_for_people():
    import json

    found = json.loads(profile(table_of([(1.5, "a", True), (math.inf, "b", False)])).to_json())

    assert found["rows"] == 2
    assert found["columns"]["number"]["infinite"] == 1
    assert found["columns"]["text"]["top"][0] == {"value": "a", "count": 1}


def test_numbers_and_texts_in_one_column_cannot_be_added():
    with pytest.raises(Invalid, match="'x' is integral in one part and string in the other"):
        profile(pa.table({"x": [1]})) + profile(pa.table({"x": ["a"]}))


def test_a_column_that_one_part_lacks_is_missing_in_its_rows():
    summed = profile(pa.table({"x": [1, 2]})) + profile(pa.table({"y": ["a"]}))

    assert summed.rows == 3
    assert (summed.columns["x"].present, summed.columns["x"].missing) == (2, 1)
    assert (summed.columns["y"].present, summed.columns["y"].missing) == (1, 2)


def test_summaries_of_nothing_are_neutral():
    some = Histogram.of(0, np.array([1.5]).view(np.uint64), np.array([3]))

    assert some + Histogram() == some
    assert Distinct() + Distinct.of(mixed_bits(np.array([1], np.uint64))) == Distinct.of(
        mixed_bits(np.array([1], np.uint64))
    )
    assert Categories({"a": 1}) + Categories() == Categories({"a": 1})


def test_every_arrow_kind_finds_its_column_kind():
    from datetime import UTC, date, datetime, timedelta
    from decimal import Decimal

    table = pa.table(
        {
            "int8": pa.array([1, None], pa.int8()),
            "uint64": pa.array([2**63, 1], pa.uint64()),
            "float16": pa.array(np.array([1.5, 2], np.float16)),
            "float32": pa.array([1.5, None], pa.float32()),
            "decimal": pa.array([Decimal("1.25"), None]),
            "date": [date(1970, 1, 2), None],
            "moment": [datetime(1970, 1, 1, 0, 1, tzinfo=UTC), None],
            "span": [timedelta(seconds=2), None],
            "view": pa.array(["a", None], pa.string_view()),
            "list": [[1], None],
            "bytes": [b"a", None],
            "null": pa.nulls(2),
            "category": pa.array(["a", None]).dictionary_encode(),
            "coded_numbers": pa.array([1.5, None]).dictionary_encode(),
        }
    )

    found = profile(table).columns

    assert {name: column.kind for name, column in found.items()} == {
        "int8": Kind.INTEGRAL, "uint64": Kind.INTEGRAL, "float16": Kind.FRACTIONAL, "float32": Kind.FRACTIONAL,
        "decimal": Kind.FRACTIONAL, "date": Kind.TIMESTAMP, "moment": Kind.TIMESTAMP, "span": Kind.FRACTIONAL,
        "view": Kind.STRING, "list": Kind.UNKNOWN, "bytes": Kind.UNKNOWN, "null": Kind.UNKNOWN,
        "category": Kind.STRING, "coded_numbers": Kind.FRACTIONAL,
    }  # fmt: skip
    assert found["date"].minimum == 86_400
    assert found["moment"].minimum == 60
    assert found["span"].minimum == 2
    assert found["decimal"].sum == 1.25
    assert found["uint64"].rounded
    assert found["coded_numbers"].missing == 1
    assert (found["list"].present, found["list"].missing) == (1, 1)
