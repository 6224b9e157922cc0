"""What the file commands print: figures for people, and with --json everything for programs."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from modelward.cli.analyze import analyze
from modelward.cli.baseline import baseline
from modelward.cli.check import check
from modelward.cli.quality import quality
from modelward.cli.watch import watch


def run(command, *arguments, **options):
    return CliRunner().invoke(command, [str(one) for one in arguments], **options)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "good.csv").write_text("a,b\n1,x\n2,y\n3,x\n")
    (tmp_path / "bad.csv").write_text("a,b\n1,x\nno,y\n3,x\n")
    (tmp_path / "pairs.csv").write_text("y,p,g\n1,1,f\n0,0,m\n1,0,f\n0,0,m\n")
    return tmp_path


def test_a_check_in_json_tells_its_outcome_its_violations_and_what_was_not_looked_at(folder):
    made = json.loads(run(baseline, folder / "good.csv", "--out", folder / "base", "--json").output)
    done = run(check, folder / "bad.csv", "--baseline", folder / "base", "--out", folder / "out", "--json")

    assert made["files"] == ["statistics.json", "constraints.json"]
    told = json.loads(done.output)
    assert (done.exit_code, told["exit_code"], told["outcome"]) == (1, 1, "failed")
    assert told["violations"][0]["feature_name"] == "a"
    assert all(set(one) == {"column", "check", "reason"} for one in told["unchecked"])


def test_quality_and_analyze_tell_json_too(folder):
    config = {
        "dataset_type": "text/csv", "headers": ["y", "p", "g"], "label": "y", "label_values_or_threshold": [1],
        "facet": [{"name_or_index": "g", "value_or_threshold": ["f"]}],
        "methods": {"pre_training_bias": {"methods": "all"}},
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))

    columns = ("--label", "y", "--prediction", "p")
    made = run(quality, folder / "pairs.csv", "--problem-type", "binary", *columns, "--out", folder / "q", "--json")
    found = run(analyze, folder / "config.json", "--data", folder / "pairs.csv", "--out", folder / "bias", "--json")

    assert json.loads(made.output)["files"] == ["statistics.json", "constraints.json"]
    assert json.loads(found.output)["files"] == ["analysis.json"]


def test_quality_shows_its_figures(folder):
    columns = ("--label", "y", "--prediction", "p")

    shown = run(quality, folder / "pairs.csv", "--problem-type", "binary", *columns, "--out", folder / "q").output

    assert "accuracy" in shown
    assert "0.75" in shown


def test_on_a_narrow_terminal_no_heading_is_cut(tmp_path):
    rng = np.random.default_rng(0)
    rows = "\n".join(
        f"{one:.6f},{one * 1e6:.3f},2026-01-01 10:{place % 60:02d}" for place, one in enumerate(rng.normal(size=90))
    )
    (tmp_path / "t.csv").write_text(f"share,money,moment\n{rows}\n")

    shown = run(watch, tmp_path / "t.csv", env={"COLUMNS": "80"}).output

    assert all(heading in shown for heading in ("column", "kind", "present", "distinct", "range", "float", "100.0%"))


@pytest.mark.parametrize(
    ("rows", "code", "told"), [("1,1,f\n", 2, "UNDECIDED"), ("1,1,f\n0,1,m\n1,0,f\n0,0,m\n", 0, "Wrote")]
)
def test_metrics_of_bias_that_are_not_defined_are_told_and_alone_decide_nothing(tmp_path, rows, code, told):
    config = {
        "dataset_type": "text/csv", "label": "y", "label_values_or_threshold": [1],
        "facet": [{"name_or_index": "g", "value_or_threshold": ["f"]}],
        "methods": {"pre_training_bias": {"methods": "all"}},
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "t.csv").write_text("y,p,g\n" + rows)

    done = run(analyze, tmp_path / "config.json", "--data", tmp_path / "t.csv", "--out", tmp_path / "bias")

    assert done.exit_code == code, done.output
    assert told in done.output
    assert ("Not checked: g = f: DPL: " in done.output) == (code == 2)
