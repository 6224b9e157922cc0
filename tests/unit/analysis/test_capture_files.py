"""Capture records as a table: the quick way and the careful way give the same columns, and a bad line is counted."""

import base64
import json

import pytest
from tests.unit.analysis.test_profile_law import assert_same

from modelward.analysis import Kind, Plan, profile
from modelward.analysis.captures.files import rows_in
from modelward.analysis.formats.captures import CaptureRecord, read_records
from modelward.analysis.formats.captures import rows_of as texts_of
from modelward.kernel.errors import Invalid

BIG = 3_000


def body(data: str, encoding: str = "CSV") -> dict[str, str]:
    return {"observedContentType": "text/csv", "mode": "INPUT", "data": data, "encoding": encoding}


def record(inputs: str | None, outputs: str | None, *, encoding: str = "CSV", number: int = 0) -> str:
    sides = {"endpointInput": inputs, "endpointOutput": outputs}
    return json.dumps(
        {
            "captureData": {key: body(data, encoding) for key, data in sides.items() if data is not None},
            "eventMetadata": {"eventId": f"e{number}", "inferenceTime": "2026-01-01T00:00:00Z"},
            "eventVersion": "0",
        }
    )


def write(folder, lines, name="c.jsonl") -> str:
    (folder / name).write_text("\n".join(lines) + "\n")
    return str(folder / name)


def plain(number: int) -> str:
    city = ("Rome", "Oslo")[number % 2]
    return record(f"{number},{number / 8},{city},{'' if number % 5 == 0 else 'true'}", f"{number / 4}\n", number=number)


def test_outputs_stand_before_inputs_and_every_value_has_its_kind(tmp_path):
    found = profile(write(tmp_path, map(plain, range(BIG))))

    assert found.rows == BIG
    kinds = [found.columns[f"_c{place}"].kind for place in range(5)]
    assert kinds == [Kind.FRACTIONAL, Kind.INTEGRAL, Kind.FRACTIONAL, Kind.STRING, Kind.BOOLEAN]
    assert found.columns["_c1"].maximum == BIG - 1
    assert found.columns["_c4"].missing == BIG // 5
    assert (found.rejected, found.notes) == (0, ())


def test_one_odd_record_changes_the_way_and_not_the_columns(tmp_path):
    quick = profile(write(tmp_path, map(plain, range(BIG))))
    lines = [*map(plain, range(BIG - 1)), plain(BIG - 1)]
    encoded = json.loads(lines[-1])
    for side in encoded["captureData"].values():
        side["data"], side["encoding"] = base64.b64encode(side["data"].encode()).decode(), "BASE64"

    careful = profile(write(tmp_path, [*lines[:-1], json.dumps(encoded)], "odd.jsonl"))

    assert_same(careful, quick)


@pytest.mark.parametrize(
    "late",
    [record("1.5,2,Rome,true", "1"), record("x,2,Rome,true", "1")],
    ids=["a fraction among whole numbers", "a text among numbers"],
)
def test_a_late_change_of_kind_is_seen(tmp_path, late):
    found = profile(write(tmp_path, [*map(plain, range(BIG)), late]))

    assert found.rows == BIG + 1
    assert found.columns["_c1"].kind is (Kind.FRACTIONAL if "1.5" in late else Kind.STRING)


def test_a_line_that_is_no_record_is_named_and_the_rest_goes_on(tmp_path):
    lines = [plain(1), "{broken", plain(2), '{"captureData":{},"eventMetadata":{"eventId":"x"}}', plain(3)]

    found = profile(write(tmp_path, lines))

    assert (found.rows, found.rejected) == (3, 2)
    assert "line 2 was left out: it is not JSON" in found.notes[0]
    assert "line 4 was left out: it holds neither an input nor an output" in found.notes[1]


@pytest.mark.parametrize(
    ("inputs", "outputs", "rows"),
    [
        ('{"age": 3, "home": {"city": "Rome"}}', '{"score": 0.5}', [{"score": 0.5, "age": 3, "home.city": "Rome"}]),
        ('{"instances": [1.0, 2.0]}', '{"predictions": [3, 4]}',
         [{"predictions": 3, "instances": 1.0}, {"predictions": 4, "instances": 2.0}]),
        ('{"instances": [{"f": [1, 2]}, {"f": [3, 4]}]}', '[{"p": 1}, {"p": 0}]',
         [{"p": 1, "f[0]": 1, "f[1]": 2}, {"p": 0, "f[0]": 3, "f[1]": 4}]),
        ('{"id": 7, "f": [1, 2]}', '{"id": 8}', [{"id": 8, "input.id": 7, "f[0]": 1, "f[1]": 2}]),
        ("1,a\n2,b", "0.1\n0.2", [{"_c0": 0.1, "_c1": 1, "_c2": "a"}, {"_c0": 0.2, "_c1": 2, "_c2": "b"}]),
    ],
)  # fmt: skip
def test_the_rows_inside_a_record(inputs, outputs, rows):
    encoding = "JSON" if inputs[0] == "{" else "CSV"

    assert rows_in(record(inputs, outputs, encoding=encoding).encode()) == rows


def test_unequal_sides_are_refused_and_told():
    with pytest.raises(Invalid, match="2 rows of output stand against 1 rows of input"):
        rows_in(record("1", "1\n2").encode())


def test_csv_bodies_have_the_columns_that_the_compatible_reader_gives_them():
    line = plain(7).encode()

    (known,) = read_records(line)
    assert isinstance(known, CaptureRecord)
    assert list(rows_in(line)[0]) == list(texts_of(known)[0])


def test_a_path_to_an_element_of_a_list_is_a_column(tmp_path):
    path = tmp_path / "n.jsonl"
    path.write_text('{"a": {"b": 1, "c": {"d": "x"}}, "f": [1.5, 2.5]}\n{"a": {"b": 3}, "f": [4.0]}\nnot json\n')

    found = profile(str(path))
    chosen = profile(str(path), Plan(columns=("a.c.d", "f[1]")))

    assert found.rejected == 1
    assert "line 3" in found.notes[0]
    assert found.columns["a.b"].mean == 2
    assert found.columns["a.c.d"].missing == 1
    assert (chosen.columns["f[1]"].present, chosen.columns["f[1]"].mean) == (1, 2.5)


def test_a_late_record_with_more_values_loses_none(tmp_path):
    found = profile(write(tmp_path, [*map(plain, range(BIG)), record("1,2,Rome,true,9", "1")]))

    assert found.rows == BIG + 1
    assert found.columns["_c5"].present == 1
