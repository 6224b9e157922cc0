"""The catalogue is complete: every figure that a report can hold has a row, and lies within the bounds told there."""

import datetime
import json
import math
import typing

import numpy as np
import pyarrow as pa
import pytest

from modelward.analysis import (
    CATALOGUE,
    attribution_drift,
    bias_report,
    check,
    kernel_shap,
    partial_dependence,
    permutation_importance,
    profile,
    quality_report,
    suggest,
)
from modelward.analysis.checking.drift import Measure

ENTRIES = {entry.name: entry for entry in CATALOGUE}
NO_FIGURES = {"kind", "distinct_exact"}


def people(rows=600, seed=0):
    rng = np.random.default_rng(seed)
    chances = rng.dirichlet(np.ones(6), rows)
    return pa.table(
        {
            "label": rng.integers(0, 2, rows),
            "guess": rng.integers(0, 2, rows),
            "score": rng.random(rows),
            "class": rng.integers(0, 6, rows),
            **{f"p{place}": chances[:, place] for place in range(6)},
            "group": rng.choice(["a", "b", "c"], rows).tolist(),
            "region": rng.choice(["x", "y"], rows).tolist(),
            "income": rng.normal(size=rows),
        }
    )


def quality_figures():
    table = people()
    binary = quality_report(table, problem_type="binary", label="label", prediction="guess", probability="score")
    classes = quality_report(
        table,
        problem_type="multiclass",
        label="class",
        prediction=None,
        probability=[f"p{place}" for place in range(6)],
    )
    numbers = quality_report(table, problem_type="regression", label="income", prediction="score", quantile=0.9)
    found = [(name, one) for report in (binary, classes, numbers) for name, one in report.metrics.items()]
    return [*found, *((name, one) for by in classes.by_class for name, one in by.metrics.items())]


def bias_figures():
    report = bias_report(
        people(), label="label", prediction="guess", facet="group", group="region", features=["income"]
    )
    metrics = [*report.gaps, *(metric for one in report.comparisons for metric in one.metrics)]
    return [(metric.name, metric) for metric in metrics]


@pytest.mark.parametrize("figures, kind", [(quality_figures, "quality"), (bias_figures, "bias")])
def test_every_measure_of_a_report_has_a_row_with_its_bounds_and_every_row_a_measure(figures, kind):
    found = figures()

    assert {name for name, _ in found} == {name for name, entry in ENTRIES.items() if entry.kind == kind}
    for name, metric in found:
        for value in (metric.value, metric.low, metric.high):
            assert value is None or ENTRIES[name].lowest - 1e-9 <= value <= ENTRIES[name].highest + 1e-9, name


def test_every_figure_of_a_profile_has_a_row():
    moment = datetime.datetime(2026, 1, 1)
    table = pa.table(
        {
            "number": [1.5, None, math.nan, math.inf],
            "text": ["a", "b", "b", None],
            "flag": [True, False, None, True],
            "time": [moment] * 4,
            "whole": [1, 2, 3, 4],
            "list": [[1], [2], [3], [4]],
        }
    )
    told = json.loads(profile(table).to_json())

    names = {name for column in told.pop("columns").values() for name in column} - NO_FIGURES
    assert names | set(told) - {"notes"} <= set(ENTRIES)


def test_every_check_and_every_distance_has_a_row():
    before, now = people(seed=0), people(seed=1).append_column("extra", pa.array([1] * 600)).drop_columns(["region"])
    baseline = profile(before)

    report = check(profile(now), baseline, suggest(baseline))

    checks = {one.check for one in (*report.violations, *report.unchecked)} - {"drift", "check", "all"}
    assert {"missing_column", "extra_column"} <= checks <= set(ENTRIES)
    assert set(typing.get_args(Measure)) <= set(ENTRIES)
    assert {name for verdict in report.drift for name in verdict.also} <= set(ENTRIES)


def test_every_way_to_attribute_and_every_measure_of_its_drift_has_a_row():
    rng = np.random.default_rng(0)
    rows, weights = rng.normal(size=(40, 3)), np.array([1.0, 2.0, 3.0])

    def model(given):
        return given @ weights

    explained = kernel_shap(model, rows, rows[:1])
    drift = attribution_drift(explained.values[:, :, 0], explained.values[:, :, 0], list(explained.features))

    assert {explained.method, "tree_shap", "linear_shap"} <= set(ENTRIES)
    assert {"ndcg", "kendall", "spearman"} <= set(drift.order.__struct_fields__) & set(ENTRIES)
    assert partial_dependence(model, rows, "column_0").feature == "column_0"
    assert permutation_importance(model, rows, model(rows), loss="mse")[0].feature == "column_0"
    assert {"partial_dependence", "permutation_importance", "attribution_change"} <= set(ENTRIES)


def test_a_row_says_everything_and_stands_once():
    assert len(ENTRIES) == len(CATALOGUE)
    for entry in CATALOGUE:
        assert entry.title
        assert entry.source
        assert entry.applies_to
        assert entry.lowest < entry.highest
