"""Quality and analyses read the columns that they need, and say before they read whether these fit into memory."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest

from modelward.analysis.compatible import analysis_tables, memory_needed
from modelward.analysis.compatible.job_files import analyze_files, quality_files
from modelward.analysis.compatible.texts import columns_named, read_texts
from modelward.kernel.errors import Invalid, NotFound


@pytest.fixture
def folder(tmp_path):
    """A table whose first column is most of it, as Parquet, CSV and JSON lines."""
    rng = np.random.default_rng(2)
    table = pa.table({
        "long": [f"{place} " * 50 for place in range(400)], "y": rng.integers(0, 2, 400), "sex": rng.choice(["f", "m"], 400),
        "p": rng.random(400).round(3), "age": pa.array(rng.integers(20, 60, 400), mask=rng.random(400) < 0.1),
        "guess": rng.integers(0, 2, 400),
    })  # fmt: skip
    pq.write_table(table, tmp_path / "t.parquet")
    pc.write_csv(table, tmp_path / "t.csv")
    rows = ({name: value for name, value in row.items() if value is not None} for row in table.to_pylist())
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


QUALITY = {"problem_type": "binary", "label": "y", "probability": "p"}


@pytest.mark.parametrize("name", ["t.parquet", "t.csv", "t.jsonl"])
def test_columns_that_nobody_asks_about_do_not_count_as_memory(folder, name, monkeypatch):
    monkeypatch.setattr(memory_needed, "free_bytes", lambda: 100_000)

    assert quality_files(folder / name, **QUALITY).files
    with pytest.raises(Invalid, match=r"would take about .* held whole"):
        read_texts(folder / name)
    with pytest.raises(Invalid, match="would take about"):
        quality_files(folder / name, **{**QUALITY, "label": "long"})


def test_the_quality_of_numbers_is_that_of_their_texts(folder):
    made = [quality_files(folder / name, **QUALITY).files for name in ("t.parquet", "t.csv", "t.jsonl")]

    assert made[0] == made[1] == made[2]


@pytest.mark.parametrize("name", ["t.parquet", "t.csv", "t.jsonl"])
def test_a_column_that_is_missing_is_told_beside_those_that_are_there(folder, name):
    with pytest.raises(NotFound, match="no column 'gone'; there are: 'long', 'y', 'sex', 'p', 'age', 'guess'"):
        quality_files(folder / name, **{**QUALITY, "label": "gone", "probability": "gone"})


def analysis(**settings):
    from modelward.analysis.formats.analysis_config import read_analysis_config

    config = {
        "dataset_type": "text/csv", "label": "y", "predicted_label": 5, "label_values_or_threshold": [1],
        "facet": [{"name_or_index": "sex", "value_or_threshold": ["f"]}, {"name_or_index": 4, "value_or_threshold": [40]}],
        "group_variable": "p", "methods": {"pre_training_bias": {"methods": "all"}, "post_training_bias": {"methods": ["DPPL", "DI"]}},
    }  # fmt: skip
    return read_analysis_config(json.dumps(config | settings).encode(), name="config")


def lines_of_headless(folder):
    content = (folder / "t.csv").read_text().split("\n", 1)[1]
    (folder / "bare.csv").write_text(content)
    return folder / "bare.csv"


@pytest.mark.parametrize("kind", ["named", "numbered", "headers"])
def test_an_analysis_of_the_columns_it_names_is_that_of_the_whole_table(folder, kind, monkeypatch):
    data, config = folder / "t.csv", analysis()
    if kind == "headers":
        data, config = lines_of_headless(folder), analysis(headers=["long", "y", "sex", "p", "age", "guess"])
    if kind == "numbered":
        config = analysis(label=1, group_variable=3)
    read = []
    monkeypatch.setattr(
        analysis_tables, "read_texts", lambda *given, **how: read.append(read_texts(*given, **how)) or read[-1]
    )

    some = analyze_files(config, data)
    monkeypatch.setattr(analysis_tables, "columns_meant", lambda config: None)
    every = analyze_files(config, data)

    assert some.files == every.files
    assert [len(table.columns) for table in read] == [5, 6]


def test_the_flip_test_and_a_model_need_every_column(folder):
    config = analysis(methods={"post_training_bias": {"methods": ["FT"]}})

    assert analysis_tables.analysis_table(config, folder / "t.csv", asking=False)[1].of("long").rows == 400
    assert analysis_tables.analysis_table(analysis(), folder / "t.csv", asking=True)[1].of("long").rows == 400


def test_files_whose_unread_columns_differ_are_still_refused(tmp_path):
    (tmp_path / "1.csv").write_text("a,b\n1,2\n")
    (tmp_path / "2.csv").write_text("a,c\n1,2\n")

    with pytest.raises(Invalid, match="file 2 differs in 'c'"):
        read_texts([tmp_path / "1.csv", tmp_path / "2.csv"], chosen=columns_named("a"))
