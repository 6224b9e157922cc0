"""What readers of text would drop or mistake without a word is refused, with its place."""

import json

import pyarrow as pa
import pytest

from modelward.analysis import Kind, Plan, baseline_files, profile
from modelward.analysis.sources import batches_of
from modelward.kernel.errors import Invalid

COMMAS = "y;p;g\n" + "1;0,7;a\n0;0,2;b\n" * 40


def written(folder, name, content):
    path = folder / name
    path.write_text(content)
    return str(path)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('{"a":1}\n{"a":1,"a":2}\n{"a":3}\n', r"line 2 holds a record that has 'a' twice"),
        ('{"a":1}\n{"a":1,"\\u0061":2}\n{"a":1,"a":1}\n', r"line 2 .* 'a' twice, and so do 1 more lines"),
        ('{"a":{"x":1}}\n{"a":{"x":1,"x":2}}\n', r"line 2 .* 'x' twice"),
        ('{"a":1}\nno json\n{"a":1,"a":2}\n', r"line 3 .* 'a' twice"),
        ('[{"a":1},\n{"a":1,\n"a":2}]\n', r"a record that has 'a' twice"),
    ],
)
def test_a_record_that_names_a_value_twice_is_refused_by_its_line(tmp_path, content, told):
    path = written(tmp_path, "t.jsonl", content)

    for read in (profile, lambda each: list(batches_of(each, None))):
        with pytest.raises(Invalid, match=told):
            read(path)


def test_decimal_commas_are_refused_wherever_a_csv_file_is_read(tmp_path):
    path = written(tmp_path, "t.csv", COMMAS)

    for read in (profile, lambda each: list(batches_of(each, ["y", "p"]))):
        with pytest.raises(Invalid, match=r"'p' of .* decimal comma") as problem:
            read(path)
        assert problem.value.field == "p"
    assert sum(batch.num_rows for batch in batches_of(path, ["y", "g"])) == 80
    assert next(batches_of(path, ["p"], Plan(decimal=","))).column("p").to_pylist()[:2] == [0.7, 0.2]


def test_texts_with_commas_that_are_no_numbers_are_texts(tmp_path):
    path = written(tmp_path, "t.csv", "y;p\n1;0,7\n0;a,b\n")

    assert [batch.num_rows for batch in batches_of(path, ["p"])] == [2]


def test_a_column_of_which_only_f_occurs_holds_texts_and_no_truths(tmp_path):
    file = tmp_path / "people.csv"
    file.write_text("sex,married,odd\n" + "f,true,t\nf,FALSE,true\n,,\n" * 5)

    found = profile(str(file))

    assert {name: column.kind for name, column in found.columns.items()} == {
        "sex": Kind.STRING,
        "married": Kind.BOOLEAN,
        "odd": Kind.STRING,
    }
    assert found.columns["sex"].missing == 5


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ([{"a": 1}], "it holds a dict"),
        ("gs://bucket/x.parquet", "addresses begin with s3://"),
        ("https://host/x.csv", "addresses begin with s3://"),
        (7, "A int is not a source"),
    ],
)
def test_what_is_no_source_is_told_with_what_would_be_one(source, told):
    with pytest.raises(Invalid, match=told) as refused:
        profile(source)
    assert refused.value.hint


def test_an_arrow_file_is_told_from_text(tmp_path):
    table = pa.table({"a": [1, 2]})
    with pa.OSFile(str(tmp_path / "t.arrow"), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)

    with pytest.raises(Invalid, match="is an Arrow file"):
        profile(str(tmp_path / "t.arrow"))


def test_only_profiles_add_up():
    with pytest.raises(TypeError, match="unsupported operand"):
        profile(pa.table({"a": [1]})) + 3


def test_a_baseline_tells_of_numbers_with_a_decimal_comma(tmp_path):
    found = baseline_files(written(tmp_path, "t.csv", COMMAS))

    assert [note.partition(": column ")[2][:18] for note in found.notes] == ["'p' holds '0,7': n"]


def test_objects_inside_json_lines_are_columns_of_a_baseline(tmp_path):
    lines = '{"a": {"b": 1, "c": "x"}, "l": [1, 2]}\n' * 3 + '{"a": {"b": 1, "b": 2}}\n'

    found = baseline_files(written(tmp_path, "t.jsonl", lines))

    names = [feature["name"] for feature in json.loads(found.files["constraints.json"])["features"]]
    assert names == ["a.b", "a.c", "l"]
    assert found.notes == (f"{tmp_path / 't.jsonl'}, line 4 was left out: an object names 'b' twice.",)


def test_a_baseline_of_ten_thousand_columns_of_text_is_made(tmp_path):
    names = [f"c{place}" for place in range(10_003)]
    row = ",".join(str(place % 97 / 8) for place in range(10_003))
    path = written(tmp_path, "wide.csv", "\n".join([",".join(names), *[row] * 300]) + "\n")

    found = baseline_files(path, sketches=False)

    assert len(json.loads(found.files["constraints.json"])["features"]) == 10_003
