"""The commands write what the service would, and their exit code is the outcome."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

import modelward.analysis
from formats.golden import golden
from modelward.analysis import analyze_files, baseline_files, check_files, quality_files
from modelward.analysis.formats.statistics_file import read_statistics
from modelward.cli.analyze import analyze
from modelward.cli.baseline import baseline
from modelward.cli.check import check
from modelward.cli.quality import quality
from modelward.kernel.errors import Invalid, NotFound
from modelward.kernel.outcome import Outcome

GOOD, BAD = "a,b\n1,x\n2,y\n3,x\n", "a,b\n1,x\nno,y\n3,x\n"


def run(command, *arguments):
    return CliRunner().invoke(command, [str(one) for one in arguments])


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "good.csv").write_text(GOOD)
    (tmp_path / "bad.csv").write_text(BAD)
    (tmp_path / "empty.csv").write_text("a,b\n")
    (tmp_path / "pairs.csv").write_text("y,p\n1,1\n0,0\n1,0\n0,0\n")
    (tmp_path / "worse.csv").write_text("y,p\n1,0\n0,1\n1,0\n0,0\n")
    return tmp_path


def test_a_baseline_is_two_files(folder):
    told = run(baseline, folder / "good.csv", "--out", folder / "base")

    assert told.exit_code == 0, told.output
    assert sorted(path.name for path in (folder / "base").iterdir()) == ["constraints.json", "statistics.json"]


def test_a_compatible_baseline_is_that_of_the_service(tmp_path):
    told = run(baseline, golden("dq_sdk_100/baseline_dataset.csv"), "--out", tmp_path, "--compatible", "--no-header")

    assert told.exit_code == 0, told.output
    made = read_statistics((tmp_path / "statistics.json").read_bytes())
    expected = read_statistics(golden("dq_sdk_100/statistics.json").read_bytes())
    for ours, theirs in zip(made.features, expected.features, strict=True):
        assert ours.numerical_statistics.distribution == theirs.numerical_statistics.distribution


@pytest.mark.parametrize("name, code, files", [
    ("good.csv", 0, ["statistics.json"]),
    ("bad.csv", 1, ["constraint_violations.json", "statistics.json"]),
    ("empty.csv", 2, ["statistics.json"]),
])  # fmt: skip
def test_the_exit_code_is_the_outcome_and_violations_are_a_file_only_where_there_are_some(folder, name, code, files):
    run(baseline, folder / "good.csv", "--out", folder / "base")

    told = run(check, folder / name, "--baseline", folder / "base", "--out", folder / "out")

    assert told.exit_code == code, told.output
    assert sorted(path.name for path in (folder / "out").iterdir()) == files


def test_violations_of_an_earlier_run_do_not_stay(folder):
    run(baseline, folder / "good.csv", "--out", folder / "base")
    run(check, folder / "bad.csv", "--baseline", folder / "base", "--out", folder / "out")

    run(check, folder / "good.csv", "--baseline", folder / "base", "--out", folder / "out")

    assert not (folder / "out" / "constraint_violations.json").exists()


def test_what_could_not_run_exits_with_3(folder):
    command = [
        sys.executable,
        "-m",
        "modelward.cli.main",
        "check",
        str(folder / "good.csv"),
        "--out",
        str(folder / "o"),
    ]

    told = subprocess.run([*command, "--baseline", str(folder)], capture_output=True, text=True, timeout=60)

    assert told.returncode == 3
    assert "constraints.json" in told.stderr


def test_a_baseline_without_sketches_holds_no_values_and_leaves_drift_unchecked(folder):
    baseline_files(folder / "good.csv", sketches=False).write(folder / "base")

    found = check_files(folder / "good.csv", folder / "base")

    assert b"sketch" not in (folder / "base" / "statistics.json").read_bytes()
    assert found.outcome is Outcome.PASSED
    assert ("a", "baseline_drift_check", "the two have no distribution of one kind to compare") in found.unchecked


def test_an_empty_table_is_no_baseline(folder):
    with pytest.raises(Invalid, match="no rows"):
        baseline_files(folder / "empty.csv")


def test_a_missing_file_is_named(folder):
    with pytest.raises(NotFound, match=r"gone\.csv"):
        baseline_files(folder / "gone.csv")


def test_an_analysis_is_that_of_the_service_to_the_byte(tmp_path):
    given = golden("bias_sdk_100")

    told = run(analyze, given / "analysis_config.json", "--data", given / "dataset.csv", "--out", tmp_path)

    assert told.exit_code == 0, told.output
    assert (tmp_path / "analysis.json").read_bytes() == (given / "analysis.json").read_bytes()


@pytest.mark.parametrize("name, code", [("analysis.json", 0), ("analysis_that_must_fail.json", 1)])
def test_bias_against_a_baseline_is_judged(tmp_path, name, code):
    given = golden("bias_sdk_100")
    options = ["--data", given / "dataset.csv", "--out", tmp_path, "--baseline", given / name]

    assert run(analyze, given / "analysis_config.json", *options).exit_code == code
    assert (tmp_path / "constraint_violations.json").exists() == bool(code)


def test_explanations_are_refused_before_anything_is_written(folder):
    asked = {"dataset_type": "text/csv", "methods": {"shap": {}}}
    (folder / "analysis_config.json").write_text(json.dumps(asked))

    told = run(analyze, folder / "analysis_config.json", "--data", folder / "gone.csv", "--out", folder / "out")

    assert "Remove 'shap'" in str(told.exception)
    assert not (folder / "out").exists()


def test_quality_is_two_files_and_against_a_baseline_a_judgement(folder):
    names = ["--problem-type", "binary", "--label", "y", "--prediction", "p"]

    first = run(quality, folder / "pairs.csv", *names, "--out", folder / "base")
    same = run(quality, folder / "pairs.csv", *names, "--out", folder / "same", "--baseline", folder / "base")
    worse = run(quality, folder / "worse.csv", *names, "--out", folder / "worse", "--baseline", folder / "base")

    assert [told.exit_code for told in (first, same, worse)] == [0, 0, 1], worse.output
    assert sorted(path.name for path in (folder / "base").iterdir()) == ["constraints.json", "statistics.json"]
    violations = json.loads((folder / "worse" / "constraint_violations.json").read_text())["violations"]
    assert {"recall", "truePositiveRate"} <= {entry["metric_name"] for entry in violations}


def test_the_functions_are_exported_beside_the_others():
    for function in (analyze_files, baseline_files, check_files, quality_files):
        assert getattr(modelward.analysis, function.__name__) is function
        assert function.__name__ in modelward.analysis.__all__
