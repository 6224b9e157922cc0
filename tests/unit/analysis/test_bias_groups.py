"""All groups at once, crossings of facets, and the flip test: figures of the definitions and of scikit-learn."""

import numpy as np
import pyarrow as pa
import pytest

from modelward.analysis.bias.facets import bias_reports
from modelward.analysis.bias.flip_test import flip_test
from modelward.analysis.bias.groups import GROUP_MEASURES, pooled
from modelward.analysis.bias.report import Facet, bias_report
from modelward.kernel.errors import Invalid
from modelward.kernel.outcome import Outcome


def people(rows=6_000, seed=0, **shares):
    """Groups by sex and age; ``shares``: of favourable predictions by "sex age"."""
    rng = np.random.default_rng(seed)
    sex, age = rng.choice(["f", "m"], rows), rng.choice(["old", "young"], rows)
    share = np.array([shares.get(f"{one}_{other}", 0.5) for one, other in zip(sex, age, strict=True)])
    label, guess = rng.integers(0, 2, rows), (rng.random(rows) < share).astype(int)
    return pa.table({"sex": sex, "age": age, "label": label, "guess": guess, "x": rng.normal(size=rows)})


def gaps_of(table, facet="group", **options):
    report = bias_report(table, label="label", prediction="guess", facet=facet, **options)
    return {metric.name: metric for metric in report.gaps}


def counted(**cells):
    """A table of rows by group from (label, prediction) counts."""
    rows = [(group, *pair) for group, counts in cells.items() for pair, many in counts.items() for _ in range(many)]
    return pa.table({name: [row[at] for row in rows] for at, name in enumerate(("group", "label", "guess"))})


THREE = counted(
    a={(1, 1): 60, (1, 0): 20, (0, 1): 10, (0, 0): 30},
    b={(1, 1): 30, (1, 0): 30, (0, 1): 30, (0, 0): 30},
    c={(1, 1): 10, (1, 0): 30, (0, 1): 20, (0, 0): 20},
)


def test_the_figures_are_those_of_the_definitions():
    gaps = gaps_of(THREE)

    assert {name: metric.value for name, metric in gaps.items()} == pytest.approx(
        {
            "demographic_parity_difference": 70 / 120 - 30 / 80,
            "demographic_parity_ratio": (30 / 80) / (70 / 120),
            "equal_opportunity_difference": 0.75 - 0.25,
            "equal_opportunity_ratio": 0.25 / 0.75,
            "equalized_odds_difference": 0.5,
            "equalized_odds_ratio": 1 / 3,
        }
    )
    assert set(gaps) == {measure.name for measure in GROUP_MEASURES}
    assert gaps["demographic_parity_difference"].outcome is Outcome.FAILED
    assert "'c' having the least and 'a' the most" in gaps["demographic_parity_difference"].sentence


def test_of_two_groups_the_figures_are_those_of_the_comparison():
    report = bias_report(people(f_old=0.3), label="label", prediction="guess", facet="sex", facet_value="f")

    gaps, one = {metric.name: metric.value for metric in report.gaps}, report.comparisons[0]
    assert gaps["demographic_parity_difference"] == pytest.approx(abs(one.metric("DPPL").value))
    assert gaps["demographic_parity_ratio"] == pytest.approx(one.metric("DI").value)
    assert gaps["equal_opportunity_difference"] == pytest.approx(abs(one.metric("RD").value))


def test_groups_alike_pass_and_groups_apart_fail():
    assert {metric.outcome for metric in gaps_of(people(40_000), "sex").values()} == {Outcome.PASSED}
    assert {metric.outcome for metric in gaps_of(people(f_old=0.1, f_young=0.1), "sex").values()} == {Outcome.FAILED}


def test_what_chance_makes_of_many_small_groups_does_not_fail():
    failed = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        sizes = (("group", 12), ("label", 2), ("guess", 2))
        table = pa.table({name: rng.integers(0, size, 600) for name, size in sizes})
        failed += gaps_of(table)["demographic_parity_difference"].outcome is Outcome.FAILED
    assert failed <= 4


def test_small_groups_are_pooled_and_what_is_still_small_is_left_out():
    table = counted(
        a={(1, 1): 50, (0, 0): 50}, b={(1, 1): 50, (0, 0): 50}, c={(1, 0): 20, (0, 0): 1}, d={(1, 0): 20, (0, 0): 1}
    )

    together = gaps_of(table)["equal_opportunity_difference"]
    apart = gaps_of(table, group_rows_min=50)["equal_opportunity_difference"]

    assert together.value == 1
    assert "'small groups (2)' having the least" in together.sentence
    assert apart.value == 0
    groups = pooled(["a", "b"], np.array([[5.0], [100.0]]), 30)
    assert (groups.names, groups.pooled) == (("b", "a"), ())


def test_a_group_without_positive_labels_has_no_recall_and_takes_no_part_in_it():
    table = counted(a={(1, 1): 50, (0, 0): 50}, b={(1, 1): 50, (0, 0): 50}, c={(0, 0): 60})

    assert gaps_of(table)["equal_opportunity_difference"].value == 0
    assert gaps_of(table)["demographic_parity_difference"].value == 0.5


def test_without_predictions_there_are_no_gaps():
    assert bias_report(THREE, label="label", facet="group").gaps == ()


def reports(table, **options):
    return bias_reports(table, facets=["sex", "age"], label="label", prediction="guess", **options)


def test_several_facets_in_one_pass_are_the_reports_of_each():
    table = people(f_old=0.2)

    several = reports(table, group="age")

    for report in several:
        assert report == bias_report(table, label="label", prediction="guess", facet=report.facet, group="age")


def test_a_disparity_that_no_facet_shows_is_seen_in_the_crossings():
    table = people(20_000, f_old=0.2, m_young=0.2, f_young=0.8, m_old=0.8)

    sex, age, crossed = reports(table, intersections=True)

    gap = "demographic_parity_difference"
    assert {metric.outcome for metric in (*sex.gaps, *age.gaps) if metric.name == gap} == {Outcome.PASSED}
    assert next(metric for metric in crossed.gaps if metric.name == gap).outcome is Outcome.FAILED
    assert crossed.facet == "sex & age"
    assert crossed.comparisons[0].group == "sex f & age old"
    assert sum(one.group_rows for one in crossed.comparisons) == 20_000


def test_crossings_equal_the_report_of_a_column_that_holds_them():
    table = people(f_old=0.2)
    joined = pa.array(
        [f"sex {one} & age {other}" for one, other in zip(*(table[n].to_pylist() for n in ("sex", "age")), strict=True)]
    )

    crossed = reports(table, intersections=True)[-1]
    column = bias_report(table.append_column("both", joined), label="label", prediction="guess", facet="both")

    both = [{one.group: one for one in report.comparisons} for report in (crossed, column)]
    assert set(both[0]) == set(both[1])
    for name, one in both[0].items():
        values = [[metric.value for metric in side.metrics] for side in (one, both[1][name])]
        assert values[0] == pytest.approx(values[1])


def test_small_crossings_are_one_group_and_thresholds_have_two_sides():
    table = people(200).append_column("years", pa.array(np.arange(200)))
    facets = [Facet(column="sex"), Facet(column="years", threshold=190)]

    crossed = bias_reports(table, facets=facets, label="label", prediction="guess", intersections=True)[-1]

    assert [one.group for one in crossed.comparisons] == [
        "sex f & years up to 190", "sex m & years up to 190", "small groups (2)",
    ]  # fmt: skip


@pytest.mark.parametrize("options, words", [
    ({"facets": []}, "from 1 to 20"), ({"facets": ["sex"], "intersections": True}, "at least two"),
    ({"facets": ["sex", "many", "more"], "intersections": True}, "crossings"),
])  # fmt: skip
def test_questions_about_facets_that_cannot_be_met_are_refused(options, words):
    table = people(3_000)
    for name in ("many", "more"):
        table = table.append_column(name, pa.array(np.arange(3_000) % 40))

    with pytest.raises(Invalid, match=words):
        bias_reports(table, label="label", **options)


def test_the_flip_test_is_that_of_the_nearest_neighbours_of_scikit_learn():
    neighbors = pytest.importorskip("sklearn.neighbors", reason="scikit-learn is not installed (extra: demo)")
    for seed, others in ((0, 400), (1, 10), (2, 9), (3, 3)):
        rng = np.random.default_rng(seed)
        features, group = rng.normal(size=(others + 150, 3)), np.arange(others + 150) >= others
        predicted = features[:, 0] + rng.normal(size=len(features)) > 0
        count = 5 if others >= 10 else 1
        nearest = neighbors.KNeighborsClassifier(count).fit(features[~group], predicted[~group])
        says, got = nearest.predict(features[group]).astype(bool), predicted[group]

        expected = ((got & ~says).sum() - (~got & says).sum()) / group.sum()

        assert flip_test(features, group, predicted) == pytest.approx(expected, abs=1e-15)


def test_of_equally_near_neighbours_the_first_rows_count():
    features = np.zeros((21, 1))
    group = np.arange(21) == 20
    predicted = np.arange(21) < 3

    assert flip_test(features, group, predicted) == -1.0
    assert flip_test(features, group, predicted[::-1].copy()) == 1.0


def test_the_report_has_the_flip_test_where_features_are_named():
    table = people(2_000, f_old=0.1, f_young=0.1)
    options = {"label": "label", "prediction": "guess", "facet": "sex", "facet_value": "f"}

    with_features = bias_report(table, features=["x"], **options)
    without = bias_report(table, **options)

    metric = with_features.comparisons[0].metric("FT")
    expected = flip_test(
        np.asarray(table["x"])[:, np.newaxis], np.asarray(table["sex"]) == "f", np.asarray(table["guess"]) == 1
    )
    assert metric.value == pytest.approx(expected)
    assert metric.low < metric.value < metric.high < 0
    assert "nearest neighbours" in metric.sentence
    assert "FT" not in dict(with_features.unchecked)
    assert "FT" in dict(without.unchecked)


def test_of_many_rows_the_flip_test_takes_a_sample_and_says_so(monkeypatch):
    monkeypatch.setattr("modelward.analysis.bias.flips.ROWS_MAX", 500)
    table = people(4_000, f_old=0.1, f_young=0.1)

    report = bias_report(table, label="label", prediction="guess", facet="sex", facet_value="f", features=["x"], seed=3)

    assert "500 of 4000 rows" in report.notes[-1]
    whole = people(4_000, f_old=0.1, f_young=0.1)
    metric = report.comparisons[0].metric("FT")
    truth = flip_test(
        np.asarray(whole["x"])[:, np.newaxis], np.asarray(whole["sex"]) == "f", np.asarray(whole["guess"]) == 1
    )
    assert metric.value == pytest.approx(truth, abs=0.15)


def test_texts_as_features_of_the_flip_test_are_refused():
    with pytest.raises(Invalid, match="flip test needs numbers"):
        bias_report(people(100), label="label", prediction="guess", facet="sex", features=["age"])


def test_among_many_equally_near_neighbours_the_order_of_the_rows_decides():
    rng = np.random.default_rng(0)
    features, group = rng.integers(0, 3, (600, 2)).astype(float), rng.random(600) < 0.3
    predicted = rng.random(600) < 0.5
    far = ((features[group][:, np.newaxis] - features[~group]) ** 2).sum(axis=2)
    says = predicted[~group][np.argsort(far, axis=1, kind="stable")[:, :5]].sum(axis=1) > 2

    expected = ((predicted[group] & ~says).sum() - (~predicted[group] & says).sum()) / group.sum()

    assert flip_test(features, group, predicted) == pytest.approx(expected)
