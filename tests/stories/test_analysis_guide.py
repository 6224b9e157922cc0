"""What the guide to the analysis shows runs as it is printed."""

import json
import re
import shlex

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from click.testing import CliRunner

from house.tree import ROOT
from modelward.cli.main import modelward as command_line

GUIDE = (ROOT / "docs" / "analysis.md").read_text()
PYTHON = re.findall(r"```python\n(.*?)```", GUIDE, flags=re.DOTALL)
LINES = [line for block in re.findall(r"```sh\n(.*?)```", GUIDE, flags=re.DOTALL) for line in block.splitlines()]
MODEL = "import numpy as np\n\ndef score(rows):\n    return 1 / (1 + np.exp(-np.asarray(rows, float).sum(axis=1)))\n"


def people(rows, seed):
    rng = np.random.default_rng(seed)
    score = rng.random(rows)
    return pa.table(
        {
            "age": rng.integers(20, 80, rows),
            "income": rng.normal(50, 10, rows),
            "guess": rng.normal(50, 10, rows),
            "sex": rng.choice(["f", "m"], rows).tolist(),
            "region": rng.choice(["north", "south"], rows).tolist(),
            "label": (rng.random(rows) < score).astype(int),
            "predicted": (score > 0.5).astype(int),
            "score": score,
        }
    )


def animals(rows):
    rng = np.random.default_rng(0)
    chances = rng.dirichlet(np.ones(3), rows)
    labels = (chances.cumsum(axis=1) < rng.random((rows, 1))).sum(axis=1).clip(max=2)
    columns = {f"p_{name}": chances[:, place] for place, name in enumerate(("cat", "dog", "owl"))}
    return pa.table({"animal": np.array(["cat", "dog", "owl"])[labels].tolist(), **columns})


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    tables = {"train": people(1_000, 0), "now": people(600, 1), "people": people(800, 2), "animals": animals(400)}
    for name, table in tables.items():
        pa.parquet.write_table(table, f"{name}.parquet")
        pa.csv.write_csv(table, f"{name}.csv")
    rows = np.random.default_rng(3).normal(size=(30, 4)).round(3)
    (tmp_path / "rows.csv").write_text("a,b,c,d\n" + "".join(",".join(map(str, row)) + "\n" for row in rows.tolist()))
    (tmp_path / "asked.py").write_text(MODEL)
    bias = {
        "dataset_type": "text/csv", "label": "label", "label_values_or_threshold": [1], "predicted_label": "predicted",
        "facet": [{"name_or_index": "sex", "value_or_threshold": ["f"]}],
        "methods": {"pre_training_bias": {"methods": "all"}, "post_training_bias": {"methods": ["DI", "DPPL"]}},
    }  # fmt: skip
    shap = {"dataset_type": "text/csv", "methods": {"shap": {"baseline": [[0.0] * 4]}}, "predictor": {}}
    for name, content in (("analysis_config", bias), ("shap_config", shap)):
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    return tmp_path


def test_the_lines_of_python_run_as_printed(desk):
    linear = pytest.importorskip("sklearn.linear_model", reason="needs scikit-learn")
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(60, 3))
    labels = (rows[:, 0] > 0).astype(int)
    names = {
        "model": linear.LogisticRegression().fit(rows, labels), "rows": rows, "background": rows[:1], "labels": labels,
    }  # fmt: skip

    for block in PYTHON:
        exec(block, names)

    assert names["report"].outcome.value in ("passed", "failed", "undecided")
    assert names["classes"].metrics["auc_macro"].value > 0.5
    assert names["reports"][-1].facet == "sex & age"
    assert names["found"].method == "linear_shap"


@pytest.mark.parametrize("line", [line for line in LINES if not line.startswith("modelward check")])
def test_a_line_of_the_shell_runs_as_printed(desk, line):
    assert run(line) in (0, 1, 2)


def test_a_baseline_is_made_before_it_is_checked_against(desk):
    codes = [run(line) for line in LINES if line.startswith(("modelward baseline", "modelward check"))]
    assert len(codes) == 3
    assert set(codes) <= {0, 1, 2}


def run(line):
    [program, *arguments] = shlex.split(line, comments=True)
    assert program == "modelward"
    done = CliRunner().invoke(command_line, arguments)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code
