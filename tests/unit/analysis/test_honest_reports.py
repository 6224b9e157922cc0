"""Reports say what they know and no more: rules that cannot be, domains of numbers, figures of few rows, rows left out."""

import json

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner

from modelward.analysis import (
    ColumnConstraints,
    Condition,
    Constraints,
    DriftSettings,
    Facet,
    Kind,
    Plan,
    bias_report,
    check,
    counted_rules,
    profile,
    quality_report,
)  # fmt: skip
from modelward.analysis.checking.constraint_reading import read_constraints
from modelward.analysis.expressions import understood
from modelward.cli.watch import watch
from modelward.kernel.errors import Invalid
from modelward.kernel.outcome import Outcome


def judged(table, **rule):
    rules = Constraints(columns=(ColumnConstraints(name="x", **rule),))
    return check(profile(pa.table({"x": table}), Plan(rules=counted_rules(rules))), None, rules)


def test_two_conditions_of_one_name_are_refused_for_one_would_hide_the_other():
    rules = Constraints(columns=(), conditions=(Condition(name="a", sql="x > 1"), Condition(name="a", sql="x > 90")))

    with pytest.raises(Invalid, match="same name"):
        check(profile(pa.table({"x": [1, 100]})), None, rules)


@pytest.mark.parametrize(
    "rules",
    [
        {"columns": (ColumnConstraints(name="x"), ColumnConstraints(name="x"))},
        {"columns": (ColumnConstraints(name="x", completeness_min=95),)},
        {"columns": (ColumnConstraints(name="x", minimum=3, maximum=1),)},
        {"columns": (), "rows_min": 10, "rows_max": 1},
        {"columns": (), "drift": DriftSettings(numeric_threshold=-1)},
        {"columns": (), "drift": DriftSettings(false_share=2)},
        {"columns": (), "unique_together": (("x", "x"),)},
        {"columns": (), "conditions": (Condition(name="a", sql="x > 1", share_min=3),)},
    ],
)
def test_rules_that_no_table_could_keep_are_refused(rules):
    with pytest.raises(Invalid, match="constraints"):
        check(profile(pa.table({"x": [1]})), None, Constraints(**rules))


def test_a_misspelt_rule_in_a_file_is_refused_with_those_there_are(tmp_path):
    (tmp_path / "t.csv").write_text("x\n1\n")
    (tmp_path / "c.json").write_text(json.dumps({"columns": [{"name": "x", "completness_min": 1}]}))

    done = CliRunner().invoke(watch, [str(tmp_path / "t.csv"), "--constraints", str(tmp_path / "c.json")])

    assert done.exit_code == 3
    assert "completness_min is not known; known are name, kind, completeness_min" in done.output


def test_constraints_of_the_hosted_service_given_to_watch_are_told_where_to_go(tmp_path):
    (tmp_path / "t.csv").write_text("x\n1\n")
    (tmp_path / "constraints.json").write_text('{"version": 0.0, "features": []}')

    done = CliRunner().invoke(watch, [str(tmp_path / "t.csv"), "--constraints", str(tmp_path / "constraints.json")])

    assert done.exit_code == 3
    assert "modelward check" in done.output


def test_a_history_that_cannot_be_read_is_named(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("x\n1\n")
    arguments = [str(path), "-r", str(path), "--history", str(tmp_path), "--false-alarms", "1", "--runs", "30"]

    done = CliRunner().invoke(watch, arguments)

    assert done.exit_code == 3
    assert "cannot be read" in done.output


def test_what_constraints_write_they_read():
    rules = Constraints(columns=(ColumnConstraints(name="x", kind=Kind.INTEGRAL, minimum=0, maximum=3),), rows_min=1)

    from modelward.kernel import codec

    assert read_constraints(codec.plain(rules)) == rules


@pytest.mark.parametrize("sql", ["1 = 1", "'x'", "NULL", "", "  "])
def test_an_expression_without_a_column_is_refused(sql):
    with pytest.raises(Invalid, match=r"names no column|is empty"):
        understood(sql)


def test_whole_numbers_have_a_domain_as_texts_have():
    assert judged([0, 1, 1], values=("0", "1")).outcome is Outcome.PASSED
    broken = judged([0, 1, 2], values=("0", "1"))
    assert "1 values of column 'x' (33.3333%) are not among the known ones: '2'" in broken.violations[0].description


@pytest.mark.parametrize(
    ("values", "rule", "reason"),
    [
        ([0.5, 0.7], {"values": ("0",)}, "single values of a column that is fractional were not counted"),
        (["a", "b"], {"minimum": 3.0}, "the column holds no numbers"),
        ([float("inf")] * 2, {"minimum": 3.0}, "no finite number"),
    ],
)
def test_a_rule_that_could_not_be_judged_is_never_passed(values, rule, reason):
    report = judged(values, **rule)

    assert report.outcome is not Outcome.PASSED
    assert any(reason in one.reason for one in report.unchecked)


def test_a_column_of_infinite_values_alone_is_a_violation():
    report = judged([float("inf")] * 2)

    assert [one.check for one in report.violations] == ["infinite"]


def test_lists_say_how_their_elements_become_columns():
    lists = profile(pa.table({"f": [[1.0, 2.0]] * 200}))

    report = check(lists, lists, Constraints(columns=(ColumnConstraints(name="f"),)))

    assert any("as f[0]" in one.reason for one in report.unchecked)


def test_a_profile_is_shown_in_few_words_and_never_counts_more_values_than_rows():
    rng = np.random.default_rng(0)
    found = profile(pa.table({"x": rng.normal(size=5_000), "t": rng.integers(0, 3, 5_000).astype(str)}))

    assert len(repr(found)) < 1_000
    assert "fractional, 5,000 of 5,000 present" in repr(found.columns["x"])
    assert found.columns["x"].distinct <= 5_000


def test_the_mean_percentage_error_is_that_of_scikit_learn_and_not_defined_beside_a_label_0():
    oracle = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    y = rng.uniform(1, 9, 3_000) * rng.choice([-1, 1], 3_000)
    guess = y + rng.normal(size=3_000)

    def mape(labels):
        table = pa.table({"y": labels, "guess": guess})
        return quality_report(table, problem_type="regression", label="y", prediction="guess").metrics["mape"]

    found = mape(y)
    assert found.value == pytest.approx(oracle.mean_absolute_percentage_error(y, guess), rel=1e-12)
    assert found.low < found.value < found.high
    y[7] = 0
    assert (mape(y).value, mape(y).reason) == (None, "A label is 0, and no error is a share of it.")


def binary(y, guess, score):
    table = pa.table({"y": y, "guess": guess, "score": score})
    return quality_report(table, problem_type="binary", label="y", prediction="guess", probability="score")


def test_figures_of_fewer_rows_than_the_others_are_told():
    report = binary([0, 1] * 20, [0, 1] * 20, [0.2, None] * 10 + [0.1, 0.9] * 10)

    assert any("30 rows with a label and a probability" in note for note in report.notes)


@pytest.mark.parametrize("rows", [2, 10, 500])
def test_a_faultless_model_may_still_be_at_fault(rows):
    """The interval holds every share of faults under which so many faultless rows are seen once in forty."""
    report = binary([0, 1] * rows, [0, 1] * rows, [0.1, 0.9] * rows)

    for name, of in (("accuracy", 2 * rows), ("recall", rows), ("precision", rows), ("auc", rows)):
        metric = report.metrics[name]
        assert (metric.value, metric.high) == (1, 1)
        assert metric.low**of == pytest.approx(0.025, rel=1e-9), name
    assert report.metrics["false_positive_rate"].high == pytest.approx(1 - 0.025 ** (1 / rows))
    assert report.metrics["f1"].low is None


def test_one_row_has_no_interval():
    one = quality_report(pa.table({"y": [2.0], "g": [1.0]}), problem_type="regression", label="y", prediction="g")

    assert {metric.low for metric in one.metrics.values()} <= {None, 0.0}
    assert one.metrics["mae"].reason == "One row has no interval."
    assert binary([1], [1], [0.7]).metrics["brier"].low is None


def test_an_interval_of_a_bias_metric_holds_its_own_value():
    rng = np.random.default_rng(3)
    table = pa.table({"y": rng.integers(0, 2, 4_000), "sex": rng.choice(["f", "m"], 4_000)})

    for comparison in bias_report(table, label="y", facet="sex").comparisons:
        for metric in comparison.metrics:
            assert metric.low is None or metric.low <= metric.value <= metric.high, metric.name


def test_a_facet_is_a_column_or_says_what_it_looks_at():
    rng = np.random.default_rng(3)
    table = pa.table({"y": rng.integers(0, 2, 400), "age": rng.uniform(18, 80, 400)})

    by_facet = bias_report(table, label="y", facet=Facet(column="age", threshold=40))

    assert by_facet == bias_report(table, label="y", facet="age", threshold=40)
