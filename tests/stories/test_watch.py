"""A person watches a file without any server: what is printed, written and returned."""

import json
import os
import subprocess
import sys
import time
from html.parser import HTMLParser

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from modelward.cli.watch import watch

EVIL = "<script>alert(1)</script>"


def table_of(
    rows: int, seed: int, *, shift: float = 0.0, cities: tuple[str, ...] = ("Rome", "Oslo", "Bern")
) -> pa.Table:
    rng = np.random.default_rng(seed)
    return pa.table(
        {
            "amount": rng.normal(size=rows) + shift,
            "age": rng.integers(18, 90, rows),
            "city": rng.choice(cities, rows),
            EVIL: rng.choice([EVIL, "b"], rows),
            "paid": pa.array(rng.random(rows) < 0.5),
        }
    )


@pytest.fixture
def files(tmp_path):
    pq.write_table(table_of(2_000, 1), tmp_path / "train.parquet")
    pq.write_table(table_of(2_000, 2), tmp_path / "same.parquet")
    pq.write_table(table_of(2_000, 3, shift=1.0, cities=("Rome", "Oslo", "Paris")), tmp_path / "other.parquet")
    pq.write_table(table_of(2_000, 3, shift=9.0), tmp_path / "far.parquet")
    pq.write_table(table_of(20, 4), tmp_path / "few.parquet")
    pq.write_table(table_of(10, 4).slice(0, 0), tmp_path / "none.parquet")
    return tmp_path


def write_rules(files):
    run(files / "train.parquet", "--write-constraints", files / "written.json")
    return files / "written.json"


def run(*arguments):
    return CliRunner(env={"COLUMNS": "120"}).invoke(watch, [str(argument) for argument in arguments])


def test_data_like_its_reference_exits_with_0(files):
    result = run(files / "same.parquet", "--reference", files / "train.parquet")

    assert result.exit_code == 0, result.output
    assert "PASSED" in result.output


def test_drift_and_violations_are_drawn_and_exit_with_1(files):
    result = run(files / "other.parquet", "--reference", files / "train.parquet")

    assert result.exit_code == 1
    assert "amount: ks" in result.output
    assert "baseline |" in result.output
    assert "'Paris'" in result.output
    assert "FAILED" in result.output


@pytest.mark.parametrize("name, words", [("few.parquet", "at least 100 are needed"), ("none.parquet", "no rows")])
def test_too_little_data_is_undecided_and_exits_with_2(files, name, words):
    result = run(files / name, "--reference", files / "train.parquet")

    assert result.exit_code == 2
    assert words in result.output
    assert "UNDECIDED" in result.output


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["gone.parquet"], "There is no file"),
        (["same.parquet", "--reference", "gone.parquet"], "There is no file"),
        (["same.parquet", "--constraints", "gone.json"], "cannot be read"),
        (["same.parquet", "--constraints", "same.parquet"], "is not valid"),
        (["same.parquet", "--column", "price"], "no column 'price'"),
        (["same.parquet", "--html", "no/such/folder.html"], "cannot be written"),
        (["same.parquet", "--colour"], "No such option"),
        ([], "Missing argument"),
    ],
)
def test_what_cannot_run_exits_with_3_and_says_why(files, monkeypatch, arguments, words):
    monkeypatch.chdir(files)

    result = run(*arguments)

    assert result.exit_code == 3
    assert words in result.output
    assert "Traceback" not in result.output


def test_without_a_reference_the_profile_and_suggestions_are_shown(files):
    result = run(files / "train.parquet")

    assert result.exit_code == 0
    assert "Suggested constraints" in result.output
    assert "one of 3: Bern, Oslo, Rome" in result.output


def test_with_a_reference_the_suggestions_are_those_of_the_reference_and_stand_beside_the_verdicts(files):
    beside = run(files / "other.parquet", "--reference", files / "train.parquet")
    given = run(files / "other.parquet", "--constraints", write_rules(files))

    assert "Suggested constraints from" in beside.output
    assert "one of 3: Bern, Oslo, Rome" in beside.output
    assert "Suggested" not in given.output


def test_a_chance_too_small_for_a_number_is_not_shown_as_none(files):
    result = run(files / "far.parquet", "--reference", files / "train.parquet")

    assert "chance below 1e-99" in result.output


def test_written_constraints_can_be_used_again(files):
    first = run(files / "train.parquet", "--write-constraints", files / "rules.json")

    kept = run(files / "same.parquet", "--constraints", files / "rules.json")
    broken = run(files / "other.parquet", "--constraints", files / "rules.json")

    assert first.exit_code == 0
    assert kept.exit_code == 0, kept.output
    assert broken.exit_code == 1
    assert "no baseline was given" in kept.output


def test_json_holds_everything_and_nothing_else_is_printed(files):
    result = run(files / "other.parquet", "--reference", files / "train.parquet", "--json")

    found = json.loads(result.stdout)

    assert (found["outcome"], found["exit_code"], result.exit_code) == ("failed", 1, 1)
    assert {verdict["column"] for verdict in found["report"]["drift"] if verdict["outcome"] == "failed"} >= {
        "amount",
        "city",
    }
    assert found["profile"]["columns"]["age"]["kind"] == "integral"
    assert found["constraints"]["columns"][0]["name"] == "amount"


class Outline(HTMLParser):
    """Tags with their attributes, and what was opened and never closed."""

    VOID = frozenset({"meta", "rect", "line", "br"})

    def __init__(self):
        super().__init__()
        self.tags, self.open, self.wrong = [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in self.VOID or tag == "rect":
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def test_the_page_stands_alone_escapes_every_text_and_describes_its_charts(files):
    run(files / "other.parquet", "--reference", files / "train.parquet", "--html", files / "page.html")
    page = (files / "page.html").read_text()
    outline = Outline()
    outline.feed(page)
    tags = [tag for tag, _ in outline.tags]

    assert EVIL not in page
    assert "script" not in tags
    assert not {"src", "href"} & {name for _, attributes in outline.tags for name in attributes}
    assert "http" not in page.replace("http-equiv", "")
    assert (outline.open, outline.wrong) == ([], [])
    assert page.startswith('<!doctype html>\n<html lang="en">')
    assert "prefers-color-scheme:dark" in page
    assert "width=device-width" in page
    charts = [attributes for tag, attributes in outline.tags if tag == "svg"]
    assert charts
    assert all(chart["role"] == "img" and chart["aria-label"] for chart in charts)
    assert tags.count("h1") == 1
    assert all("scope" in attributes for tag, attributes in outline.tags if tag == "th")


def test_a_page_is_written_without_a_reference_too(files):
    result = run(files / "train.parquet", "--html", files / "page.html")

    assert result.exit_code == 0
    assert "Profile only" in (files / "page.html").read_text()


def test_csv_and_json_lines_are_watched_alike(files):
    import csv

    for name in ("train", "same"):
        table = pq.read_table(files / f"{name}.parquet")
        with open(files / f"{name}.csv", "w", newline="") as file:
            writer = csv.DictWriter(file, table.column_names)
            writer.writeheader()
            writer.writerows(table.to_pylist())
        (files / f"{name}.jsonl").write_text("\n".join(json.dumps(row) for row in table.to_pylist()))

    assert run(files / "same.csv", "--reference", files / "train.jsonl").exit_code == 0


def test_rejected_records_are_told(files):
    (files / "bad.jsonl").write_text('{"a": 1}\nnot json\n{"a": 2}\n')

    assert "line 2 was left out" in run(files / "bad.jsonl").output.replace("\n", " ")


def test_a_whole_run_over_a_million_values_takes_seconds_and_no_pandas(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        pq.write_table(pa.table({f"x{i}": rng.normal(size=100_000) for i in range(10)}), tmp_path / f"{name}.parquet")
    script = (
        "import sys\nfrom modelward.cli.watch import watch\n"
        "try:\n    watch()\nfinally:\n    print([m for m in ('pandas', 'duckdb') if m in sys.modules], file=sys.stderr)"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "a.parquet"), "-r", str(tmp_path / "b.parquet"), "--json"]
    started = time.perf_counter()

    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"NO_COLOR": "1"}, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stderr.strip() == "[]"
    assert time.perf_counter() - started < 10
