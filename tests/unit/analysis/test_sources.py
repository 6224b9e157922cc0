"""Every way in, and every kind of bad input, which must be named in plain words."""

import gzip
import json
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from modelward.analysis import Kind, Plan, profile
from modelward.kernel.errors import Invalid, NotFound

TABLE = pa.table(
    {
        "amount": [1.5, None, 3.0, 4.0],
        "count": [1, 2, 3, 2**53 + 1],
        "city": ["Rome", "Oslo", None, "Rome"],
        "paid": [True, False, True, None],
    }
)


def write(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def facts(found):
    return {
        name: (column.kind, column.present, column.missing, column.minimum, column.maximum)
        for name, column in found.columns.items()
    }


def test_parquet_csv_json_tables_streams_and_frames_give_the_same_profile(tmp_path):
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    expected = facts(profile(TABLE))
    pq.write_table(TABLE, tmp_path / "t.parquet", row_group_size=2)
    buffer = pa.BufferOutputStream()
    pq.write_table(TABLE, buffer)
    rows = TABLE.to_pylist()
    write(tmp_path, "t.jsonl", "\n".join(json.dumps(row) for row in rows))
    write(tmp_path, "t.json", json.dumps(rows))
    lines = ["amount,count,city,paid"]
    for row in rows:
        lines.append(",".join("" if value is None else str(value).replace("True", "true") for value in row.values()))
    write(tmp_path, "t.csv", "\n".join(lines))
    write(tmp_path, "t.csv.gz", gzip.compress("\n".join(lines).encode()))

    sources = {
        "path": tmp_path / "t.parquet",
        "buffer": pa.BufferReader(buffer.getvalue()),
        "stream": TABLE.to_reader(),
        "batch": TABLE.to_batches()[0],
        "jsonl": str(tmp_path / "t.jsonl"),
        "json": str(tmp_path / "t.json"),
        "csv": str(tmp_path / "t.csv"),
        "csv.gz": str(tmp_path / "t.csv.gz"),
        "polars": polars.from_arrow(TABLE),
    }

    for name, source in sources.items():
        assert facts(profile(source)) == expected, name
    frame = pandas.DataFrame({"amount": [1.5, None], "city": ["Rome", None]})
    assert profile(frame).columns["city"].missing == 1


def test_a_file_without_an_ending_is_known_by_its_first_bytes(tmp_path):
    pq.write_table(TABLE, tmp_path / "one")
    write(tmp_path, "two", "a,b\n1,2\n")
    write(tmp_path, "three", '{"a": 1, "b": 2}\n')

    assert list(profile(tmp_path / "one").columns) == TABLE.column_names
    assert list(profile(tmp_path / "two").columns) == ["a", "b"]
    assert list(profile(tmp_path / "three").columns) == ["a", "b"]


def test_a_list_or_a_folder_of_files_is_one_table(tmp_path):
    for number in range(3):
        pq.write_table(TABLE, tmp_path / f"{number}.parquet")

    assert profile(tmp_path).rows == 12
    assert profile([tmp_path / "0.parquet", tmp_path / "1.parquet"]).rows == 8


def test_only_the_wanted_columns_are_read_in_their_order():
    assert list(profile(TABLE, Plan(columns=("city", "amount"))).columns) == ["city", "amount"]


def test_progress_is_told_up_to_the_end(tmp_path):
    pq.write_table(TABLE, tmp_path / "t.parquet", row_group_size=2)
    steps = []

    profile(tmp_path / "t.parquet", progress=lambda done, total: steps.append((done, total)))

    assert sorted(steps)[-1] == (8, 8)


def test_integers_beyond_2_to_the_53_are_marked_as_rounded():
    assert profile(TABLE).columns["count"].rounded
    assert not profile(TABLE).columns["amount"].rounded


def test_nan_is_missing_and_infinity_is_counted_apart():
    column = profile(pa.table({"x": [1.0, float("nan"), float("inf"), None, -float("inf"), 3.0]})).columns["x"]

    assert (column.present, column.missing, column.not_a_number, column.infinite) == (4, 2, 1, 2)
    assert (column.mean, column.minimum, column.maximum) == (2.0, 1.0, 3.0)


@pytest.mark.parametrize("name", ['a"b', "a'; DROP TABLE t; --", "a.b", "a b", "ä", "", "$1", "%s", "a,b", "SELECT"])
@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
def test_any_column_name_is_read_as_it_is(tmp_path, name, ending):
    path = tmp_path / f"t.{ending}"
    if ending == "parquet":
        pq.write_table(pa.table({name: ["x", "y"], "a": [1, 2]}), path)
    elif ending == "csv":
        if not name:
            pytest.skip("a CSV column without a name gets one")
        quoted = '"' + name.replace('"', '""') + '"'
        path.write_text(f"{quoted},a\nx,1\ny,2\n")
    else:
        if not name:
            pytest.skip("DuckDB reads no JSON key without a name")
        path.write_text("\n".join(json.dumps({name: value, "a": 1}) for value in "xy"))

    found = profile(path)

    assert list(found.columns) == [name, "a"]
    assert found.columns[name].categories.counts == {"x": 1, "y": 1}


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path):
    for name in ("t.csv", "t.jsonl"):
        content = "a,b\n1,2\n" if name == "t.csv" else '{"a": 1, "b": 2}\n{"a": 3, "b": 2}\n'
        found = profile(write(tmp_path, name, b"\xef\xbb\xbf" + content.encode()))
        assert list(found.columns) == ["a", "b"]


def test_a_header_alone_is_a_table_without_rows(tmp_path):
    found = profile(write(tmp_path, "t.csv", "a,b\n"))

    assert found.rows == 0
    assert [column.kind for column in found.columns.values()] == [Kind.UNKNOWN, Kind.UNKNOWN]


def test_a_table_of_nothing_but_nulls_has_unknown_kinds(tmp_path):
    pq.write_table(pa.table({"x": pa.array([None, None], pa.float64()), "y": pa.nulls(2)}), tmp_path / "t.parquet")

    found = profile(tmp_path / "t.parquet")

    assert {column.kind for column in found.columns.values()} == {Kind.UNKNOWN}
    assert found.columns["x"].missing == 2
    assert found.columns["x"].mean is None


def test_a_late_text_makes_a_csv_column_a_text_and_counts_the_numbers(tmp_path):
    path = write(tmp_path, "t.csv", "a,b\n" + "1,2\n" * 30_000 + "abc,2\n")

    column = profile(path).columns["a"]

    assert column.kind is Kind.STRING
    assert (column.present, column.numeric_texts) == (30_001, 30_000)


def test_records_that_are_not_json_objects_are_counted_and_named_by_line(tmp_path):
    path = write(tmp_path, "t.jsonl", '{"a": 1}\n{"a": \n\n[1]\n{"a": 3, "b": "x"}\n')

    found = profile(path)

    assert (found.rows, found.rejected) == (2, 2)
    assert any("line 2" in note and "not JSON" in note for note in found.notes)
    assert any("line 4" in note and "not an object" in note for note in found.notes)


def test_a_record_of_many_kinds_in_json_lines_is_read(tmp_path):
    path = write(tmp_path, "t.jsonl", '{"a": 1, "n": {"x": 1}}\n{"a": "two", "n": {"x": 2}}\n')

    found = profile(path)

    assert found.columns["a"].kind is Kind.STRING
    assert found.columns["n.x"].mean == 1.5


def test_a_json_record_of_10_mb_is_read(tmp_path):
    path = write(tmp_path, "t.jsonl", '{"a": "' + "x" * 10_000_000 + '"}\n{"a": "y"}\n')

    assert profile(path).columns["a"].lengths.longest == 10_000_000


def broken_parquet(folder):
    pq.write_table(TABLE, folder / "ok.parquet")
    return write(folder, "t.parquet", (folder / "ok.parquet").read_bytes()[:-20])


def damaged_pages(folder):
    table = pa.table({"s": [f"the value number {i}" for i in range(5_000)]})
    pq.write_table(table, folder / "ok.parquet", compression="zstd", use_dictionary=False)
    data = bytearray((folder / "ok.parquet").read_bytes())
    data[200:4_000] = bytes(3_800)
    return write(folder, "t.parquet", bytes(data))


BAD = {
    "an unknown file": (lambda f: f / "none.csv", NotFound, "There is no file .*none.csv"),
    "an empty file": (lambda f: write(f, "t.csv", ""), Invalid, "t.csv' is empty"),
    "an empty first line": (lambda f: write(f, "t.csv", "\n\n"), Invalid, "first line is empty"),
    "a cut Parquet file": (broken_parquet, Invalid, "t.parquet is not a readable Parquet file"),
    "damaged Parquet pages": (damaged_pages, Invalid, "t.parquet is not a readable Parquet file"),
    "a text with a Parquet ending": (lambda f: write(f, "t.parquet", "a,b\n1,2\n"), Invalid, "not a readable Parquet"),
    "two columns of one name": (
        lambda f: write(f, "t.csv", "a,b,a\n1,2,3\n"),
        Invalid,
        "more than one column named 'a'",
    ),
    "a row too long": (
        lambda f: write(f, "t.csv", "a,b\n" + "1,2\n" * 30_000 + "1,2,3\n"),
        Invalid,
        "line 30002 has 3 ",
    ),
    "a line of 10 MB": (lambda f: write(f, "t.csv", "a,b\n1," + "x" * 10_000_000 + "\n"), Invalid, "longer than 8 MiB"),
    "one line of 10 MB": (lambda f: write(f, "t.csv", "x" * 10_000_000), Invalid, "8 MiB|characters long"),
    "another encoding": (lambda f: write(f, "t.csv", "a,b\n1,é\n".encode("latin1")), Invalid, "not UTF-8"),
    "another encoding in the header": (
        lambda f: write(f, "t.csv", "é,b\n1,2\n".encode("latin1")),
        Invalid,
        "not UTF-8",
    ),
    "a cut gzip archive": (
        lambda f: write(f, "t.csv.gz", gzip.compress(b"a,b\n" + b"1,2\n" * 90_000)[:150]),
        Invalid,
        "gzip archive",
    ),
    "no gzip archive": (lambda f: write(f, "t.csv.gz", "a,b\n1,2\n"), Invalid, "gzip archive"),
    "a cut gzip archive of JSON lines": (
        lambda f: write(f, "t.jsonl.gz", gzip.compress(b'{"a": 1}\n' * 90_000)[:150]),
        Invalid,
        "gzip archive",
    ),
    "decimal commas": (
        lambda f: write(f, "t.csv", "a;b\n1,5;x\n2,25;y\n"),
        Invalid,
        "'a' of .*t.csv holds '1,5'.*decimal comma",
    ),
    "no JSON at all": (lambda f: write(f, "t.jsonl", "hello\nworld\n"), Invalid, "no JSON object.*line 1"),
    "an empty folder": (lambda f: f, NotFound, "holds no Parquet"),
    "an empty list": (lambda f: [], Invalid, "list of files is empty"),
    "a number": (lambda f: 7, Invalid, "int is not a source"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_named_in_plain_words(tmp_path, case):
    make, kind, words = BAD[case]
    source = make(tmp_path)

    with pytest.raises(kind, match=words) as caught:
        profile(source)

    assert len(str(caught.value)) < 1_000


def test_an_unknown_column_is_named_with_the_known_ones():
    with pytest.raises(NotFound, match="no column 'price'; it has: 'amount', 'count'"):
        profile(TABLE, Plan(columns=("price",)))


def test_two_columns_of_one_name_in_an_arrow_table_are_refused():
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])

    with pytest.raises(Invalid, match="more than one column named 'a'"):
        profile(table)


def test_decimal_commas_are_numbers_once_said(tmp_path):
    path = write(tmp_path, "t.csv", "a;b\n1,5;x\n2,25;y\n")

    assert profile(path, Plan(decimal=",")).columns["a"].sum == 3.75


def test_profiling_parquet_loads_neither_pandas_nor_duckdb(tmp_path):
    pq.write_table(TABLE, tmp_path / "t.parquet")
    script = (
        "import sys; import modelward.analysis as a; assert 'numpy' not in sys.modules; "
        f"p = a.profile({str(tmp_path / 't.parquet')!r}); a.check(p, p, a.suggest(p)); "
        "print([name for name in ('pandas', 'duckdb', 'sklearn', 'rich', 'numpy.ma') if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_an_object_in_s3_is_read_and_a_missing_one_is_named(monkeypatch):
    moto = pytest.importorskip("moto.server")
    boto3 = pytest.importorskip("boto3")
    server = moto.ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    for key, value in {
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(key, value)
    client = boto3.client("s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1")
    client.create_bucket(Bucket="data")
    buffer = pa.BufferOutputStream()
    pq.write_table(TABLE, buffer)
    client.put_object(Bucket="data", Key="t.parquet", Body=buffer.getvalue().to_pybytes())
    client.put_object(Bucket="data", Key="t.csv", Body=b"a,b\n1,2\n")
    query = f"?endpoint_override={host}:{port}&scheme=http&region=us-east-1"

    try:
        assert profile(f"s3://data/t.parquet{query}").rows == 4
        assert profile(f"s3://data/t.csv{query}").rows == 1
        with pytest.raises(NotFound, match="There is no object"):
            profile(f"s3://data/none.parquet{query}")
    finally:
        server.stop()
        client.close()
