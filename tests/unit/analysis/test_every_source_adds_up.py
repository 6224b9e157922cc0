"""profile(a) + profile(b) == profile(a ++ b) for every kind of source, any split and any order; alike records or not."""

import base64
import json
import zlib

import msgspec
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.analysis.test_profile_law import assert_same

from modelward.analysis import Profile, profile
from modelward.analysis.captures.files import read_captures, rows_in
from modelward.kernel.errors import Invalid

SETTINGS = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
numbers = st.floats(allow_nan=False, allow_infinity=False, width=32).map(lambda value: round(value, 3) + 0.5)
rows = st.lists(st.tuples(numbers, st.integers(-9, 9), st.sampled_from(["x", "ä", "z z"])), min_size=1, max_size=30)


def as_csv(some):
    return "a,b,c\n" + "".join(f"{a!r},{b},{c}\n" for a, b, c in some)


def as_lines(some):
    return "".join(json.dumps({"a": a, "b": b, "c": c}) + "\n" for a, b, c in some)


def as_captures(some, *, encode=lambda text: (text, "CSV"), body=lambda a, b, c: f"{b},{c}"):
    lines = []
    for number, (a, b, c) in enumerate(some):
        sides = {"endpointInput": body(a, b, c), "endpointOutput": repr(a)}
        data = {
            name: dict(zip(("observedContentType", "mode", "data", "encoding"), ("t", "m", *encode(text)), strict=True))
            for name, text in sides.items()
        }
        about = {"eventId": f"e{number}", "inferenceId": f"i{number}", "customAttributes": ["k=1", f"n={number}"]}
        lines.append(json.dumps({"captureData": data, "eventMetadata": about, "eventVersion": "0"}) + "\n")
    return "".join(lines)


def in_base64(text):
    return base64.b64encode(text.encode()).decode(), "BASE64"


def as_json_captures(some):
    return as_captures(some, body=lambda a, b, c: json.dumps({"b": b, "c": c}), encode=lambda text: (text, "JSON"))


def as_frame(some, library):
    columns = {name: [row[place] for row in some] for place, name in enumerate("abc")}
    return pytest.importorskip(library).DataFrame(columns)


FILES = {
    "csv": as_csv,
    "jsonl": as_lines,
    "captures.jsonl": as_captures,
    "base64.jsonl": lambda some: as_captures(some, encode=in_base64),
    "json.jsonl": as_json_captures,
}
WAYS = [*FILES, "pandas", "polars", "arrow"]


def source(folder, way, some, name):
    if way == "arrow":
        return pa.table({name: [row[place] for row in some] for place, name in enumerate("abc")})
    if way not in FILES:
        return as_frame(some, way)
    path = folder / f"{name}.{way}"
    path.write_text(FILES[way](some))
    return path


@pytest.mark.parametrize("way", WAYS)
@SETTINGS
@given(a=rows, b=rows)
def test_the_parts_of_a_table_add_up_to_the_whole_in_any_order(tmp_path, way, a, b):
    left, right = (profile(source(tmp_path, way, part, name)) for part, name in ((a, "a"), (b, "b")))
    whole = profile(source(tmp_path, way, a + b, "whole"))

    assert_same(left + right, whole)
    assert_same(right + left, whole)


tokens = st.one_of(
    st.sampled_from(
        ["", " ", "null", "nan", "-inf", "true", "False", "007", "+1", ".5", "1.", "1e5", "2026-01-31", "2026-02-30",
         "2026-01-31T10:00:00Z", str(2**63), "9" * 25, "x", "é", "a b", "\\u0041"]
    ),
    st.integers(-(10**18), 10**18).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
)  # fmt: skip


def values_read(path, folder):
    with read_captures([str(path)], str(folder), decimal=".", sure=True) as (schema, batches, left_out):
        found = [row for batch in batches for row in batch.to_pylist()]
    return schema, found, left_out.count


@SETTINGS
@given(st.lists(st.tuples(tokens, tokens, tokens), min_size=1, max_size=40))
def test_records_read_together_hold_the_values_of_records_read_one_by_one(tmp_path, some):
    path = tmp_path / "c.jsonl"
    records = [as_captures([(0.5, 0, 0)], body=lambda *_, text=",".join(row): text) for row in some]
    path.write_text("".join(records))
    alone = [row for line in path.read_bytes().splitlines() for row in rows_in(line)]

    _, together, rejected = values_read(path, tmp_path)

    assert rejected == 0
    assert len(together) == len(alone)
    for one, other in zip(alone, together, strict=True):
        for name, value in one.items():
            assert same(value, other[name]), (name, value, other[name])


def same(value, read):
    if value is None or read is None:
        return value is read
    if isinstance(read, float):
        return repr(float(value)) == repr(read)
    if isinstance(read, str):
        # A column of texts holds what was written.
        return isinstance(value, str | int | float | bool)
    return value == read or hasattr(read, "year")


def test_a_profile_written_by_an_older_release_is_read_or_refused_in_words():
    whole = profile(pa.table({"a": [1.5, None], "b": ["x", "y"]}))
    written = whole.to_bytes()
    fields = msgspec.msgpack.decode(zlib.decompress(written[8:]))
    # The first release had no segments, no rules, and told of no rejected records.
    older = {name: fields[name] for name in ("rows", "columns")}
    packed = written[:8] + zlib.compress(msgspec.msgpack.encode(older))

    assert Profile.from_bytes(packed) == whole
    with pytest.raises(Invalid, match="has version 9"):
        Profile.from_bytes(written[:6] + (9).to_bytes(2, "big") + written[8:])
    with pytest.raises(Invalid, match="damaged"):
        Profile.from_bytes(written[:-9])
