"""Bad input as a user meets it: a defined result or a reason in plain words, and an exit code, whichever command is used."""

import bz2
import gzip
import json
import lzma
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from modelward.analysis import profile
from modelward.analysis.compatible.texts import read_texts
from modelward.cli.main import modelward
from modelward.kernel.errors import Invalid, ModelwardError

CSV = "a,b,label,pred\n" + "".join(f"{i},{i / 7:.3f},{i % 2},{i // 3 % 2}\n" for i in range(60))
LINES = "".join(json.dumps({"a": i, "b": i / 7, "label": i % 2, "pred": i // 3 % 2}) + "\n" for i in range(60))
ANALYSIS = {
    "dataset_type": "text/csv",
    "label": "label",
    "predicted_label": "pred",
    "label_values_or_threshold": [1],
    "facet": [{"name_or_index": "a", "value_or_threshold": [30]}],
    "methods": {"pre_training_bias": {"methods": "all"}},
}
COMMANDS = ("watch", "baseline", "check", "quality", "analyze")
TABLE = {"label": [0, 1], "pred": [1, 1]}


def write(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def zst(text: bytes) -> bytes:
    return pa.compress(text, codec="zstd", asbytes=True)


def ask(folder, command, path):
    """Run a command as a user does; its exit code, and all it says."""
    base, out = folder / "base", str(folder / "out")
    if not base.exists():
        CliRunner().invoke(modelward, ["baseline", str(write(folder, "g.csv", CSV)), "--out", str(base)])
    config = write(folder, "config.json", json.dumps(ANALYSIS))
    arguments = {
        "watch": ["watch", str(path)],
        "baseline": ["baseline", str(path), "--out", out],
        "check": ["check", str(path), "--baseline", str(base), "--out", out],
        "quality": [
            "quality", str(path), "--problem-type", "binary", "--label", "label", "--prediction", "pred", "--out", out,
        ],
        "analyze": ["analyze", str(config), "--data", str(path), "--out", out],
    }[command]  # fmt: skip
    done = CliRunner().invoke(modelward, arguments)
    if isinstance(done.exception, ModelwardError):
        # As main() ends.
        return 3, str(done.exception)
    assert done.exception is None or isinstance(done.exception, SystemExit), repr(done.exception)
    return done.exit_code, done.output


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b"\xef\xbb\xbf" + CSV.encode()),
        ("a.jsonl", b"\xef\xbb\xbf" + LINES.encode()),
        ("a.csv.gz", gzip.compress(CSV.encode())),
        ("a.csv.bz2", bz2.compress(CSV.encode())),
        ("a.csv.xz", lzma.compress(CSV.encode())),
        ("a.csv.zst", zst(CSV.encode())),
        ("a.jsonl.gz", gzip.compress(LINES.encode())),
        ("a.jsonl.bz2", bz2.compress(LINES.encode())),
        ("a.jsonl.zst", zst(LINES.encode())),
        ("packed-without-ending", gzip.compress(CSV.encode())),
        ("packed.csv", gzip.compress(CSV.encode())),
        ("lines", LINES.encode()),
        ("a.json", json.dumps([json.loads(line) for line in LINES.splitlines()]).encode()),
    ],
)
def test_a_table_is_read_however_it_is_packed(tmp_path, command, name, content):
    code, told = ask(tmp_path, command, write(tmp_path, name, content))

    assert code == 0, told


BROKEN = {
    "no bytes": ("t.csv", "", "is empty"),
    "UTF-16 with a mark": ("t.csv", CSV.encode("utf-16"), "looks like UTF-16"),
    "UTF-16 without a mark": ("t.csv", CSV.encode("utf-16-le"), "looks like UTF-16"),
    "big-endian UTF-16": ("t.jsonl", LINES.encode("utf-16-be"), "looks like UTF-16"),
    "latin-1": ("t.csv", CSV.encode() + "é,1,0,1\n".encode("latin-1"), "line 62 is not UTF-8"),
    "two columns of one name": ("t.csv", "a,b,a\n1,2,3\n", "more than one column named 'a'"),
    "a row too short": ("t.csv", CSV + "1,2\n" + CSV[15:], "line 62 has 2 values"),
    "a row too long": ("t.csv", CSV + "1,2,3,4,5\n" + CSV[15:], "line 62 has 5 values"),
    "a late row too short": ("t.csv", CSV + "1,2,0,1\n" * 40_000 + "1,2\n", "line 40062 has 2 values"),
    "a quote that does not end": ("t.csv", CSV + '1,"2,1,0\n' + CSV[15:], "line 62 has 2 values"),
    "a cut gzip archive": ("t.csv.gz", gzip.compress((CSV * 50).encode())[:500], "gzip archive"),
    "a cut gzip archive of lines": ("t.jsonl.gz", gzip.compress((LINES * 50).encode())[:500], "gzip archive"),
    "a cut bzip2 archive": ("t.csv.bz2", bz2.compress(CSV.encode())[:100], "bzip2 archive"),
    "a cut zstd archive": ("t.jsonl.zst", zst(LINES.encode())[:100], "zstd archive"),
    "no archive": ("t.jsonl.gz", LINES, "gzip archive"),
    "no JSON at all": ("t.jsonl", "hello\nworld\n", "line 1 was left out"),
    "no such file": ("t.csv", None, "no file"),
    "bytes": ("t.csv", b"\xd6\x00\xfe\x01" * 100, "not UTF-8"),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("case", BROKEN)
def test_what_cannot_be_read_is_named_with_the_place_and_ends_with_3(tmp_path, command, case):
    name, content, words = BROKEN[case]
    path = tmp_path / name if content is None else write(tmp_path, name, content)

    code, told = ask(tmp_path, command, path)

    assert code == 3, told
    assert words in " ".join(told.split()), told


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("packed", [False, True])
def test_a_line_that_is_no_json_is_named_and_the_rest_is_read(tmp_path, command, packed):
    content = (LINES + "{oops\n" + LINES).encode()
    path = write(tmp_path, "t.jsonl.gz" if packed else "t.jsonl", gzip.compress(content) if packed else content)

    code, told = ask(tmp_path, command, path)

    assert code == 0, told
    assert "line 61 was left out: it is not JSON" in " ".join(told.split())


def test_line_700_001_is_named_and_only_it_is_left_out(tmp_path):
    path = tmp_path / "t.jsonl"
    with open(path, "w") as file:
        file.write('{"a": 1, "b": "x"}\n' * 700_000 + '{"a": 1, "b"\n' + '{"a": 1, "b": "x"}\n' * 10)

    found = profile(path)

    assert (found.rows, found.rejected) == (700_010, 1)
    assert "line 700001 was left out: it is not JSON" in found.notes[0]


def test_more_bad_lines_than_are_told_are_counted(tmp_path):
    found = profile(write(tmp_path, "t.jsonl", LINES + "{oops\n" * 30))

    assert found.rejected == 30
    assert found.notes[-1] == "... and 25 more records were left out."


@pytest.mark.parametrize(
    ("content", "codes"),
    [
        ("a,b,label,pred\n", {"watch": 0, "baseline": 3, "check": 2, "quality": 3, "analyze": 3}),
        ("a,b,label,pred\n" + ",,,\n" * 50, {"watch": 0, "baseline": 0, "check": 1, "quality": 3, "analyze": 2}),
        ("a,b,label,pred\n1,2.5,1,0\n", {"watch": 0, "baseline": 0, "check": 0, "quality": 0, "analyze": 2}),
        ("a,b,label,pred\n" + "1,2.5,1,1\n" * 300, {"watch": 0, "baseline": 0, "check": 1, "quality": 0, "analyze": 2}),
        ("a,b,label,pred\n" + "nan,inf,1,0\n-inf,1.5,0,1\n" * 30,
         {"watch": 0, "baseline": 0, "check": 1, "quality": 0, "analyze": 2}),
        ("a,b,label,pred\n" + f"{2**53 + 1},{10**25},1,0\n" * 30,
         {"watch": 0, "baseline": 0, "check": 1, "quality": 0, "analyze": 2}),
    ],
    ids=["header only", "all null", "one row", "one value", "no numbers", "large whole numbers"],
)  # fmt: skip
def test_scant_tables_have_a_defined_end(tmp_path, content, codes):
    """What holds one group alone has no metric of bias: undecided."""
    path = write(tmp_path, "t.csv", content)

    assert {command: ask(tmp_path, command, path)[0] for command in COMMANDS} == codes


def odd_columns():
    return {
        "decimal": pa.array([Decimal("1.25"), None]),
        "time": pa.array([time(1, 2), None]),
        "span": pa.array([timedelta(seconds=2), None]),
        "struct": pa.array([{"x": 1, "y": {"z": "a"}}, None]),
        "map": pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())),
        "large_list": pa.array([[1, 2], None], pa.large_list(pa.int64())),
        "coded": pa.array([3, None]).dictionary_encode(),
        "moment": pa.array([datetime(2026, 1, 1, tzinfo=UTC), None], pa.timestamp("us", "Europe/Rome")),
        "unsigned": pa.array([2**64 - 1, None], pa.uint64()),
        "nothing": pa.nulls(2),
    }


@pytest.mark.parametrize("name", odd_columns())
@pytest.mark.parametrize("command", ["watch", "baseline", "quality"])
def test_every_type_of_parquet_is_read_or_refused_by_its_column(tmp_path, command, name):
    pq.write_table(pa.table({name: odd_columns()[name], **TABLE}), tmp_path / "t.parquet")

    code, told = ask(tmp_path, command, tmp_path / "t.parquet")

    assert code == 0, told


def test_bytes_that_are_no_text_are_refused_by_their_column(tmp_path):
    pq.write_table(pa.table({"raw": [b"\xff", None]}), tmp_path / "t.parquet")

    with pytest.raises(Invalid, match="'raw' holds bytes that are no text"):
        read_texts(tmp_path / "t.parquet")


def test_a_parquet_file_without_columns_is_refused(tmp_path):
    pq.write_table(pa.table({}), tmp_path / "t.parquet")

    with pytest.raises(Invalid, match="no columns"):
        profile(tmp_path / "t.parquet")


def test_dates_in_one_shape_are_times_and_in_two_shapes_texts(tmp_path):
    lines = (
        "iso,zoned,mixed\n2026-01-31,2026-01-31T10:00:00Z,2026-01-31\n2026-02-28,2026-01-31T12:00:00+02:00,28/02/2026\n"
    )

    found = profile(write(tmp_path, "t.csv", lines)).columns

    assert [found[name].kind.value for name in ("iso", "zoned", "mixed")] == ["timestamp", "timestamp", "string"]
    assert found["zoned"].minimum == found["zoned"].maximum


def test_a_pattern_stands_for_the_files_it_matches_and_their_columns_are_united(tmp_path):
    write(tmp_path, "1.csv", "a,b\n1,2\n")
    write(tmp_path, "2.csv", "a,c\n3,x\n")
    write(tmp_path, "3.jsonl", '{"a": "text"}\n')

    found = profile(str(tmp_path / "*.csv"))

    assert (found.rows, found.columns["b"].missing, found.columns["c"].missing) == (2, 1, 1)
    with pytest.raises(ModelwardError, match="No file matches"):
        profile(str(tmp_path / "*.parquet"))
    with pytest.raises(Invalid, match="'a' is integral in one part and string in the other"):
        profile(tmp_path)
    with pytest.raises(Invalid, match="file 2 differs in 'c'"):
        read_texts(str(tmp_path / "*.csv"))


def test_a_duckdb_relation_and_frames_are_sources():
    duckdb, pandas, polars = (pytest.importorskip(name) for name in ("duckdb", "pandas", "polars"))
    table = pa.table({"a": [1, 2, None], "b": ["x", None, "y"]})

    found = [profile(one) for one in (table, duckdb.from_arrow(table), polars.from_arrow(table))]

    assert found[1] == found[0]
    assert found[2].columns["b"].categories == found[0].columns["b"].categories
    assert profile(pandas.DataFrame({"a": [1.5, None]})).columns["a"].missing == 1
