"""Capture files whose records differ in shape: what is read by shape is what is read record by record."""

import base64
import json
import random

import pytest

from modelward.analysis.captures import files as capture_files
from modelward.analysis.captures import learning as capture_learning
from modelward.analysis.captures.bodies import rows_in
from modelward.analysis.captures.files import read_captures
from modelward.analysis.captures.shapes import shapes_of
from modelward.analysis.columns import TypeChanged
from modelward.kernel.errors import Invalid

KINDS = ("one row", "rows", "json", "base64")


def value(rng: random.Random) -> str:
    odd = rng.random()
    if odd < 0.85:
        return str(round(rng.gauss(0, 1), 4))
    return rng.choice(["", " 7 ", "nan", "1e5", str(rng.randint(-5, 5))])


def record(rng: random.Random, kind: str, number: int) -> str:
    rows = 1 if kind == "one row" else rng.choice([1, 1, 2, 3])
    width = 3 if rng.random() < 0.97 else rng.choice([1, 2, 4])
    encoding = "CSV"
    if kind == "json":
        encoding = "JSON"
        given = json.dumps({"instances": [[rng.random() for _ in range(width)] for _ in range(rows)]})
        answer = json.dumps({"p": [rng.random() for _ in range(rows)]})
    else:
        given = "\n".join(",".join(value(rng) for _ in range(width)) for _ in range(rows))
        answer = "\n".join(value(rng) for _ in range(rows)) + rng.choice(["", "", "\n"])
    if rng.random() < (0.5 if kind == "base64" else 0.02):
        encoding = "BASE64"
        given, answer = (base64.b64encode(text.encode()).decode() for text in (given, answer))
    text = json.dumps(
        {
            "captureData": {
                "endpointInput": {"data": given, "encoding": encoding},
                "endpointOutput": {"data": answer, "encoding": encoding},
            },
            "eventMetadata": {"eventId": f"e{number}"},
            "eventVersion": "0",
        },
        separators=(",", ":"),
    )
    return broken(rng, text)


def broken(rng: random.Random, text: str) -> str:
    """Now and then something is wrong with a line, or it is empty."""
    ways = [text[:-3], "", text.replace('"data":"', '"data":"\t', 1), '{"a":1}', text.replace("\\n", "\\\\n", 1)]
    return rng.choice(ways) if rng.random() < 0.03 else text


def read(path: str, folder: str) -> tuple[list[dict], int]:
    for sure in (False, True):
        rows: list[dict] = []
        try:
            with read_captures([path], folder, decimal=".", sure=sure) as (_, batches, left_out):
                for batch in batches:
                    rows += batch.to_pylist()
                return rows, left_out.count
        except TypeChanged:
            assert not sure
    raise AssertionError


def one_by_one(lines: list[str]) -> tuple[list[dict], int]:
    rows, rejected = [], 0
    for line in filter(str.strip, lines):
        try:
            rows += rows_in(line.encode())
        except (Invalid, ValueError):
            rejected += 1
    return rows, rejected


def shown(row: dict) -> dict:
    """Values as texts and numbers alike: which of them a column holds is told by all its rows."""
    return {name: number(one) for name, one in row.items() if one is not None}


def number(one: object) -> object:
    try:
        found = float(one)  # type: ignore[arg-type]
    except ValueError:
        return one
    return found if found == found else "nan"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(4))
def test_rows_are_those_of_each_record_by_itself_in_the_order_of_the_lines(tmp_path, monkeypatch, kind, seed):
    # Many blocks of a small file.
    monkeypatch.setattr(capture_files, "BLOCK_BYTES", 1 << 15)
    rng = random.Random(f"{kind} {seed}")
    lines = [record(rng, kind, number) for number in range(700)]
    end = rng.choice(["\n", "\r\n"])
    path = tmp_path / "c.jsonl"
    path.write_bytes((end.join(lines) + rng.choice(["", end])).encode())

    rows, rejected = read(str(path), str(tmp_path))

    expected, broken_lines = one_by_one(lines)
    assert rejected == broken_lines
    assert [shown(row) for row in rows] == [shown(row) for row in expected]


def test_records_with_one_two_and_three_rows_are_read_by_their_shapes(tmp_path, monkeypatch):
    def no(line):
        raise AssertionError(f"{line!r} was read by itself")

    rng = random.Random(1)
    lines = []
    for number in range(2_000):
        rows = 1 + number % 3
        given = "\n".join(f"{number},{rng.random()}" for _ in range(rows))
        answer = "\n".join(str(rng.random()) for _ in range(rows))
        lines.append(
            f'{{"captureData":{{"endpointInput":{{"data":{json.dumps(given)},"encoding":"CSV"}},"endpointOutput":'
            f'{{"data":{json.dumps(answer)},"encoding":"CSV"}}}},"eventMetadata":{{"eventId":"e{number}"}},"eventVersion":"0"}}'
        )
    path = tmp_path / "c.jsonl"
    path.write_text("\n".join(lines) + "\n")
    with read_captures([str(path)], str(tmp_path), decimal=".", sure=False) as (_, batches, left_out):
        monkeypatch.setattr(capture_files, "raw_rows_in", no)
        rows = [row for batch in batches for row in batch.to_pylist()]

    assert rows == one_by_one(lines)[0]
    assert left_out.count == 0


def test_an_answer_without_a_value_is_no_row(tmp_path):
    """An empty text holds no row, so the record has unequal sides: also among thousands that are like it."""
    sides = '"endpointInput":{{"data":"{0},1.5","encoding":"CSV"}},"endpointOutput":{{"data":"{1}","encoding":"CSV"}}'
    body = f'{{{{"captureData":{{{{{sides}}}}},"eventMetadata":{{{{"eventId":"e"}}}},"eventVersion":"0"}}}}'
    lines = [body.format(number, "" if number == 1_500 else "0.25") for number in range(2_000)]
    path = tmp_path / "c.jsonl"
    path.write_text("\n".join(lines) + "\n")

    rows, rejected = read(str(path), str(tmp_path))

    assert (len(rows), rejected) == (1_999, 1)
    assert rows[1_500]["_c1"] == 1_501


def test_lines_are_of_one_shape_when_their_rows_end_in_the_same_cells():
    first, second = rb'{"a":"1,2\n3,4"}', rb'{"a":"1\n2,3,4"}'
    count, shapes = shapes_of(memoryview(b"\n".join([first, second, first, b"", second])))

    assert count == 5
    assert sorted(shape.lines.tolist() for shape in shapes) == [[0, 2], [1, 4]]
    assert [b'{"a":"1,2,\t3,4"}'] * 2 in [shape.head(9) for shape in shapes]


@pytest.mark.parametrize(
    ("line", "cut"),
    [(rb'{"a":"1\n2"}', True), (rb'{"a":"1\\n2,3"}', False), (b'{"a":"1\\n2,\t3"}', False), (b'{"a":"1,\t2"}', False)],
)
def test_rows_are_cut_at_line_breaks_alone_and_not_beside_bare_tabs(line, cut):
    _, (shape,) = shapes_of(memoryview(line))

    assert shape.cut == cut
    assert bytes(shape.text) == (line.replace(rb"\n", b",\t") if cut else line)


@pytest.mark.parametrize("among", [0, 2_000])
def test_a_body_that_names_a_value_twice_is_told_and_not_read_as_the_last_of_them(tmp_path, among):
    line = '{"captureData":{"endpointInput":{"data":"{\\"a\\":1,\\"b\\":2}","encoding":"JSON"}},"eventMetadata":{"eventId":"e"}}'
    path = tmp_path / "c.jsonl"
    path.write_text("\n".join([line] * (among + 1) + [line.replace("b", "a")] + [line] * among))

    assert read(str(path), str(tmp_path)) == ([{"a": 1, "b": 2}] * (2 * among + 1), 1)


def test_bytes_that_are_no_text_are_told_where_they_are_read(tmp_path):
    line = b'{"captureData":{"endpointInput":{"data":"1.5,2","encoding":"CSV","mode":"IN"}},"eventMetadata":{"eventId":"e"}}'
    lines = [line] * 2_000
    lines[100] = line.replace(b'"e"', b'"\xff"')
    lines[200] = line.replace(b"IN", b"\xff")
    path = tmp_path / "c.jsonl"
    path.write_bytes(b"\n".join(lines))

    rows, rejected = read(str(path), str(tmp_path))

    # Only in what is read a record must be text: not in its id.
    assert (len(rows), rejected) == (1_999, 1)


def test_very_many_shapes_are_read_record_by_record(tmp_path, monkeypatch):
    monkeypatch.setattr(capture_learning, "SHAPES_MAX", 4)
    rng = random.Random(3)
    lines = [
        json.dumps(
            {
                "captureData": {"endpointInput": {"data": "\n".join(["1.5,2"] * (1 + number % 40)), "encoding": "CSV"}},
                "eventMetadata": {"eventId": str(rng.random())},
            },
            separators=(",", ":"),
        )
        for number in range(800)
    ]
    path = tmp_path / "c.jsonl"
    path.write_text("\n".join(lines) + "\n")

    assert read(str(path), str(tmp_path))[0] == one_by_one(lines)[0]
