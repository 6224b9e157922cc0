"""`modelward quality` with a probability of each class: the hosted service's files, and what they have no place for."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from modelward.analysis import quality_files
from modelward.cli.quality import quality
from modelward.kernel.errors import Invalid, NotFound


@pytest.fixture
def scored(tmp_path):
    rng = np.random.default_rng(0)
    chances = rng.dirichlet(np.ones(3), 400).round(4)
    labels = (chances.cumsum(axis=1) < rng.random((400, 1))).sum(axis=1).clip(max=2)
    lines = ["y,p_cat,p_cow,p_dog"]
    lines += [f"{('cat', 'cow', 'dog')[at]},{a},{b},{c}" for at, (a, b, c) in zip(labels, chances, strict=True)]
    path = tmp_path / "scored.csv"
    path.write_text("\n".join(lines) + "\n")
    return path, labels, chances


NAMED = ("--problem-type", "multiclass", "--label", "y")


def run(path, out, *probabilities):
    options = [part for one in probabilities for part in ("--probability", one)]
    return CliRunner().invoke(quality, [str(path), *NAMED, *options, "--out", str(out)])


@pytest.mark.parametrize("columns", [("p_cat", "p_cow", "p_dog"), ("cat=p_cat", "cow=p_cow", "dog=p_dog")])
def test_the_most_probable_class_is_the_prediction_and_the_probabilities_have_a_file(scored, tmp_path, columns):
    path, labels, chances = scored

    told = run(path, tmp_path / "out", *columns)

    assert told.exit_code == 0, told.output
    found = json.loads((tmp_path / "out" / "quality.json").read_text())
    statistics = json.loads((tmp_path / "out" / "statistics.json").read_text())["multiclass_classification_metrics"]
    right = float((chances.argmax(axis=1) == labels).mean())
    assert statistics["accuracy"]["value"] == pytest.approx(right)
    assert found["metrics"]["accuracy"]["value"] == pytest.approx(right)
    logs = -np.log(np.maximum(chances[np.arange(400), labels], 2.220446049250313e-16))
    assert found["metrics"]["log_loss"]["value"] == pytest.approx(logs.mean())
    assert found["metrics"]["auc_macro"]["low"] < found["metrics"]["auc_macro"]["value"]
    assert [one["name"] for one in found["by_class"]] == ["cat", "cow", "dog"]


def test_a_table_without_a_header_is_read_by_places(scored, tmp_path):
    path, labels, chances = scored
    bare = tmp_path / "bare.csv"
    bare.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))

    columns = {"cat": "_c1", "cow": "_c2", "dog": "_c3"}
    files = quality_files(bare, problem_type="multiclass", label="_c0", probability=columns, header=False).files

    right = float((chances.argmax(axis=1) == labels).mean())
    assert json.loads(files["quality.json"])["metrics"]["accuracy"]["value"] == pytest.approx(right)


def test_bad_questions_are_refused_before_anything_is_written(scored, tmp_path):
    path, _, _ = scored
    with pytest.raises(Invalid, match="Only a multiclass model"):
        quality_files(path, problem_type="binary", label="y", probability=["p_cat", "p_cow"])
    with pytest.raises(NotFound, match="no column 'p_yak'"):
        quality_files(path, problem_type="multiclass", label="y", probability={"cat": "p_cat", "yak": "p_yak"})

    told = run(path, tmp_path / "out", "p_cat", "p_cow")

    assert "holds 'dog'" in str(told.exception)
    assert not (tmp_path / "out").exists()
