"""Watching by groups, over many runs, by rules over rows, with a classifier, and elsewhere than here."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from modelward.cli.watch import watch


def run(*arguments):
    return CliRunner().invoke(watch, [str(argument) for argument in arguments])


def table_of(seed: int, *, shift: float = 0.0, where: str = "west", rows: int = 4_000) -> pa.Table:
    rng = np.random.default_rng(seed)
    regions = rng.choice(["north", "south", "west"], rows)
    return pa.table(
        {
            "region": regions.tolist(),
            "amount": rng.normal(size=rows) + shift * (regions == where),
            "code": [f"c{place % 7}" for place in range(rows)],
        }
    )


@pytest.fixture
def files(tmp_path):
    pq.write_table(table_of(1, rows=8_000), tmp_path / "train.parquet")
    pq.write_table(table_of(2), tmp_path / "same.parquet")
    pq.write_table(table_of(3, shift=0.3), tmp_path / "west.parquet")
    return tmp_path


def test_a_person_sees_which_group_drifted(files):
    found = run(files / "west.parquet", "-r", files / "train.parquet", "-s", "region")

    assert found.exit_code == 1, found.output
    assert "region = west" in found.output
    assert "Groups by region: 1 of 3 drifted" in found.output


def test_the_groups_stand_in_the_json(files):
    found = run(files / "same.parquet", "-s", "region", "-s", "code", "--json")

    groups = json.loads(found.output)["profile"]["segments"]["groups"]
    assert len(groups) == 21
    assert groups[0]["values"] == {"region": "north", "code": "c0"}


def test_rules_over_rows_are_judged_from_the_file_of_constraints(files):
    run(files / "train.parquet", "--write-constraints", files / "rules.json")
    rules = json.loads((files / "rules.json").read_text())
    next(rule for rule in rules["columns"] if rule["name"] == "code")["pattern"] = "^c[0-5]$"
    rules["conditions"] = [{"name": "near", "sql": "abs(amount) < 9"}]
    (files / "rules.json").write_text(json.dumps(rules))

    found = run(files / "same.parquet", "--constraints", files / "rules.json", "--json")

    report = json.loads(found.output)["report"]
    assert [violation["check"] for violation in report["violations"]] == ["pattern"]
    assert "'c6'" in report["violations"][0]["description"]


def test_a_history_makes_a_budget_over_runs(files):
    budget = ("--history", files / "runs.bin", "--false-alarms", 1, "--runs", 30)

    codes = [run(files / "same.parquet", "-r", files / "train.parquet", *budget).exit_code for _ in range(3)]

    assert codes == [0, 0, 0]
    assert (files / "runs.bin").stat().st_size > 100
    without = run(files / "same.parquet", "-r", files / "train.parquet", "--history", files / "other.bin")
    assert without.exit_code == 3
    assert "no budget of false alarms" in without.output
    assert not (files / "other.bin").exists()


def test_a_classifier_looks_at_all_columns_together(files):
    same = run(files / "same.parquet", "-r", files / "train.parquet", "--together")
    alone = run(files / "same.parquet", "--together")

    assert same.exit_code == 0, same.output
    assert "classifier" in same.output
    assert alone.exit_code == 3
    assert "--reference" in alone.output


def test_another_engine_gives_the_same(files):
    here = run(files / "same.parquet", "--json")
    there = run(files / "same.parquet", "--json", "--engine", "processes")

    assert json.loads(here.output)["profile"] == json.loads(there.output)["profile"]
