"""Scores counted in bins agree with scores kept one by one, within what the report says, however they are spread."""

import re

import numpy as np
import pyarrow as pa
import pytest

from modelward.analysis import quality_report
from modelward.analysis.quality.score_bins import Even, Graded, Ranked, ScoreBins

ROWS, FIRST_ROWS = 120_000, 30_000

SPREADS = {
    "all equal": lambda rng: np.full(ROWS, 0.3),
    "two values": lambda rng: rng.choice([0.3, 0.7], ROWS),
    "two neighbours": lambda rng: rng.choice([0.3, np.nextafter(0.3, 1)], ROWS),
    "heavy ties": lambda rng: np.where(rng.random(ROWS) < 0.9, rng.choice([0.0, 0.5, 1.0], ROWS), rng.random(ROWS)),
    "heavy ties in a tiny range": lambda rng: 0.4 + rng.integers(0, 40, ROWS) * 1e-12,
    "a tiny range": lambda rng: 0.4 + rng.random(ROWS) * 1e-9,
    "two tiny ranges": lambda rng: rng.choice([0.1, 0.9], ROWS) + rng.random(ROWS) * 1e-9,
    "near nought": lambda rng: rng.random(ROWS) * 1e-12,
    "near one": lambda rng: 1 - rng.random(ROWS) * 1e-12,
    "below all cells": lambda rng: rng.random(ROWS) * 1e-300,
    "each power of ten": lambda rng: 10.0 ** -(rng.random(ROWS) * 300),
    "first rows unlike the others": lambda rng: np.append(rng.random(FIRST_ROWS) * 1e-9, rng.random(ROWS - FIRST_ROWS)),
}


def reported(table, exact):
    batches = pa.Table.from_batches(table.to_batches(max_chunksize=FIRST_ROWS + 1))
    return quality_report(batches, problem_type="binary", label="y", prediction=None, probability="p", exact=exact)


@pytest.mark.parametrize("spread", SPREADS)
def test_bins_differ_from_kept_scores_by_no_more_than_the_report_says(spread, monkeypatch):
    monkeypatch.setattr("modelward.analysis.quality.scores.EXACT_ROWS_MAX", FIRST_ROWS)
    rng = np.random.default_rng(0)
    score = SPREADS[spread](rng)
    rank = np.argsort(np.argsort(score)) / ROWS
    table = pa.table({"y": (rng.random(ROWS) < 0.2 + 0.6 * rank).astype(np.int8), "p": score})

    kept, binned = reported(table, True), reported(table, False)

    stated = [float(found) for note in binned.notes for found in re.findall(r"at most ([\d.]+e-\d+)", note)]
    allowed = max(stated, default=0.0) + 1e-12
    assert abs(kept.metrics["auc"].value - binned.metrics["auc"].value) <= allowed
    assert allowed <= 3e-5
    # Within a bin, and for a row of a gap between the first scores, these change by about that row's share.
    for name in ("average_precision", "calibration_error"):
        assert binned.metrics[name].value == pytest.approx(kept.metrics[name].value, abs=2e-5)
    for name in ("brier", "log_loss", "accuracy"):
        assert kept.metrics[name] == binned.metrics[name]
    assert kept.confusion == binned.confusion


@pytest.mark.parametrize("spread", ["all equal", "two values", "two neighbours", "heavy ties in a tiny range"])
def test_scores_that_recur_lose_nothing_in_bins(spread, monkeypatch):
    monkeypatch.setattr("modelward.analysis.quality.scores.EXACT_ROWS_MAX", FIRST_ROWS)
    rng = np.random.default_rng(1)
    table = pa.table({"y": rng.integers(0, 2, ROWS), "p": SPREADS[spread](rng)})

    kept, binned = reported(table, True), reported(table, False)

    assert binned.notes == ()
    for name in ("auc", "average_precision", "calibration_error"):
        assert binned.metrics[name].value == pytest.approx(kept.metrics[name].value, abs=1e-12)


def test_the_cheapest_layout_that_is_fine_enough_is_taken():
    rng = np.random.default_rng(0)

    spreads = {
        "spread": rng.random(100_000),
        "near nought": rng.random(100_000) * 1e-6,
        "in a narrow band": 0.4 + rng.random(100_000) * 1e-9,
    }

    layouts = [type(ScoreBins(scores, np.zeros(scores.size, np.int8)).layout) for scores in spreads.values()]
    assert layouts == [Even, Graded, Ranked]


def test_a_million_scores_of_a_new_file_are_counted_to_a_millionth(tmp_path):
    import pyarrow.parquet as pq

    rng = np.random.default_rng(0)
    score = 1 / (1 + np.exp(-1.5 * rng.normal(size=1_400_000)))
    label = (rng.random(score.size) < score).astype(np.int8)
    pq.write_table(pa.table({"y": label, "p": score}), tmp_path / "scores.parquet", row_group_size=100_000)
    options = {"problem_type": "binary", "label": "y", "prediction": None, "probability": "p"}

    kept = quality_report(tmp_path / "scores.parquet", **options, exact=True)
    binned = quality_report(tmp_path / "scores.parquet", **options)

    assert abs(kept.metrics["auc"].value - binned.metrics["auc"].value) <= 1e-8
    assert any(float(one) <= 1e-6 for note in binned.notes for one in re.findall(r"at most ([\d.]+e-\d+)", note))


@pytest.mark.parametrize("labels", [[0, 1, 1, 0], [1, 0, 0, 1], [-1, 1, 1, -1], [0, 200, 200, 0], [3, 5, 5, 3]])
@pytest.mark.parametrize("kind", [pa.int8(), pa.uint8(), pa.int64(), pa.float64(), pa.string()])
@pytest.mark.parametrize("missing", [False, True])
def test_labels_of_any_kind_give_the_same_figures(labels, kind, missing):
    if (kind == pa.int8() and 200 in labels) or (kind == pa.uint8() and -1 in labels):
        pytest.skip(f"{kind} does not hold these labels")
    positive = labels[0] if labels[0] in (1, 3) else labels[1]
    observed = [*labels, None] if missing else labels
    y = pa.array(observed, pa.int64()).cast(kind)
    hits = [one == positive for one in labels]
    score = [0.1, 0.4, 0.35, 0.8, 0.9][: len(observed)]

    report = quality_report(
        pa.table({"y": y, "p": score}),
        problem_type="binary",
        label="y",
        prediction=None,
        probability="p",
        positive=positive if kind != pa.float64() else float(positive),
    )

    expected = np.mean([hit == (one > 0.5) for hit, one in zip(hits, score, strict=False)])
    assert report.metrics["accuracy"].value == pytest.approx(expected)
    assert report.metrics["brier"].value == pytest.approx(np.mean([(h - s) ** 2 for h, s in zip(hits, score)]))  # noqa: B905
    assert report.incomplete == int(missing)
