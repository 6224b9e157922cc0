"""Every bias metric again, row by row in plain Python from its definition; counts of one pass equal counts of each column."""

import math
from collections import Counter as Count

import numpy as np
import pyarrow as pa
import pytest

from modelward.analysis import bias_report, quality_report, tally_counts
from modelward.analysis.bias.metrics import MEASURES
from modelward.analysis.tallies import Coder, tallies
from modelward.kernel.outcome import Outcome


def rows_of(seed, count=400):
    rng = np.random.default_rng(seed)
    group, region = rng.integers(0, 2, count), rng.integers(0, 3, count)
    label = (rng.random(count) < 0.3 + 0.2 * group).astype(int)
    guess = np.where(rng.random(count) < 0.7, label, rng.integers(0, 2, count))
    return [tuple(int(one) for one in row) for row in zip(group, label, guess, region, strict=True)]


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def divergence(p, q):
    return sum(one * math.log(one / other) for one, other in zip(p, q, strict=True) if one > 0)


def disparity(rows, outcome):
    """Conditional demographic disparity of the column ``outcome``."""
    total = 0.0
    for stratum in {row[3] for row in rows}:
        here = [row for row in rows if row[3] == stratum]
        refused, taken = ([row for row in here if row[outcome] == way] for way in (0, 1))
        total += len(here) * (mean(row[0] for row in refused) - mean(row[0] for row in taken))
    return total / len(rows)


def by_hand(rows):
    a, d = ([row for row in rows if row[0] == side] for side in (0, 1))

    def among(side, given, value, wanted):
        """The share of rows with ``wanted`` (place, value) among those of a side whose ``given`` column has a value."""
        return mean(row[wanted[0]] == wanted[1] for row in side if row[given] == value)

    q_a, q_d = (mean(row[1] for row in side) for side in (a, d))
    p, q = (1 - q_a, q_a), (1 - q_d, q_d)
    middle = [(one + other) / 2 for one, other in zip(p, q, strict=True)]
    count = {side: Count((row[1], row[2]) for row in rows_) for side, rows_ in (("a", a), ("d", d))}
    said_a, said_d = (mean(row[2] for row in side) for side in (a, d))
    benefit = [row[2] - row[1] + 1 for row in rows]
    return {
        "CI": (len(a) - len(d)) / len(rows),
        "DPL": q_a - q_d,
        "KL": divergence(p, q),
        "JS": (divergence(p, middle) + divergence(q, middle)) / 2,
        "LP": math.dist(p, q),
        "TVD": sum(abs(one - other) for one, other in zip(p, q, strict=True)) / 2,
        "KS": max(abs(one - other) for one, other in zip(p, q, strict=True)),
        "CDDL": disparity(rows, 1),
        "DPPL": said_a - said_d,
        "DI": said_d / said_a,
        "DCA": q_a / said_a - q_d / said_d,
        "DCR": (1 - q_d) / (1 - said_d) - (1 - q_a) / (1 - said_a),
        "AD": mean(row[1] == row[2] for row in a) - mean(row[1] == row[2] for row in d),
        "RD": among(a, 1, 1, (2, 1)) - among(d, 1, 1, (2, 1)),
        "SD": among(d, 1, 0, (2, 0)) - among(a, 1, 0, (2, 0)),
        "DAR": among(a, 2, 1, (1, 1)) - among(d, 2, 1, (1, 1)),
        "DRR": among(d, 2, 0, (1, 0)) - among(a, 2, 0, (1, 0)),
        "TE": count["d"][1, 0] / count["d"][0, 1] - count["a"][1, 0] / count["a"][0, 1],
        "CDDPL": disparity(rows, 2),
        "GE": mean((one / mean(benefit)) ** 2 - 1 for one in benefit) / 2,
    }


@pytest.mark.parametrize("seed", range(5))
def test_every_metric_is_that_of_its_definition(seed):
    rows = rows_of(seed)
    table = pa.table({name: [row[at] for row in rows] for at, name in enumerate(("group", "y", "g", "region"))})

    report = bias_report(table, label="y", prediction="g", facet="group", facet_value=1, group="region")

    expected = by_hand(rows)
    assert set(expected) == {measure.name for measure in MEASURES}
    for name, value in expected.items():
        assert report.comparisons[0].metric(name).value == pytest.approx(value, abs=1e-12), name


@pytest.mark.parametrize(
    "share, names",
    [(0, ("DI", "DCA", "DAR", "RD")), (1, ("DCR", "DRR", "SD"))],
)
def test_labels_and_predictions_of_one_kind_alone_are_told_with_a_reason(share, names):
    table = pa.table({"g": ["a", "d"] * 200, "y": [share] * 400, "p": [share] * 400})

    report = bias_report(table, label="y", prediction="p", facet="g", facet_value="d", favourable=1)

    for name in names:
        metric = report.comparisons[0].metric(name)
        assert metric.value is None
        assert metric.outcome in (None, Outcome.UNDECIDED)
        assert "no row" in metric.reason


def table_with_holes(seed):
    rng = np.random.default_rng(seed)
    texts = rng.choice(["x", "y", "z", None], 3_000, p=[0.5, 0.3, 0.1, 0.1]).tolist()
    scores = rng.random(3_000)
    scores[::17] = np.nan
    return pa.table({"t": texts, "n": rng.integers(0, 9, 3_000), "s": scores, "big": rng.integers(0, 2_000, 3_000)})


@pytest.mark.parametrize("cells", [1 << 16, 40, 1])
def test_counts_of_several_questions_in_one_pass_are_those_of_each_row_by_row(cells, monkeypatch):
    monkeypatch.setattr(tally_counts, "DENSE_CELLS_MAX", cells)
    table = table_with_holes(0)
    pieces = pa.Table.from_batches([batch for one in (0, 700, 1_500) for batch in table.slice(one, 800).to_batches()])
    text, number, score, big = Coder("t"), Coder("n"), Coder("s", above=0.5), Coder("big")

    found = tallies(pieces, [[text, number], [number, score], [text, big]])

    rows = pieces.to_pylist()
    for tally, read in zip(
        found,
        (
            lambda row: (row["t"], row["n"]),
            lambda row: (row["n"], None if row["s"] != row["s"] else row["s"] > 0.5),
            lambda row: (row["t"], row["big"]),
        ),
        strict=True,
    ):
        cells_seen = Count(read(row) for row in rows)
        whole = {cell: count for cell, count in cells_seen.items() if None not in cell}
        assert tally.rows == len(rows)
        assert tally.incomplete == len(rows) - sum(whole.values())
        assert tally.counts.sum() == sum(whole.values())
        for cell, count in whole.items():
            assert tally.counts[tuple(one.known[value] for one, value in zip(tally.coders, cell, strict=True))] == count


@pytest.mark.parametrize("power, truth", [(1.0, 0.0), (1.2, 0.0566), (0.6, 0.1574)])
def test_the_interval_of_the_calibration_error_holds_the_truth_of_good_and_of_bad_probabilities(power, truth):
    held = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        real = rng.beta(2, 3, 1_000)
        table = pa.table({"y": (rng.random(1_000) < real).astype(int), "p": real**power})
        report = quality_report(table, problem_type="binary", label="y", prediction=None, probability="p")
        error = report.metrics["calibration_error"]
        held += error.low <= truth <= error.high
    assert held >= 33
