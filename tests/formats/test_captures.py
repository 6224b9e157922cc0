"""Captures, labels and merged records: read, joined, written again, and turned into rows."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as some
from msgspec import UNSET

from formats.golden import golden, normalised
from modelward.analysis.captures.files import rows_in
from modelward.analysis.compatible.data_statistics import data_statistics
from modelward.analysis.compatible.texts import read_texts
from modelward.analysis.formats.captures import (
    CaptureData,
    CaptureRecord,
    EventMetadata,
    GroundTruthRecord,
    MergedRecord,
    Payload,
    merge,
    read_records,
    rows_of,
    text_of,
    write_records,
)  # fmt: skip
from modelward.kernel.errors import Invalid

FILES = {
    "sdk_capture.jsonl": CaptureRecord,
    "sdk_actuals.jsonl": GroundTruthRecord,
    "sdk_captured-data.jsonl": CaptureRecord,
    "merged_batch_transform_json_record.json": MergedRecord,
}


def capture(key, *, own=UNSET, given="1,2", got="0.5"):
    bodies = CaptureData(
        endpoint_input=Payload(data=given, encoding="CSV"), endpoint_output=Payload(data=got, encoding="CSV")
    )
    return CaptureRecord(capture_data=bodies, event_metadata=EventMetadata(event_id=key, inference_id=own))


def truth(key, value="1"):
    return GroundTruthRecord(
        ground_truth_data=Payload(data=value, encoding="CSV"), event_metadata=EventMetadata(event_id=key)
    )


@pytest.mark.parametrize("name", FILES)
def test_records_of_the_service_are_written_again_without_loss(name):
    content = golden(f"capture/{name}").read_bytes()

    records = read_records(content)

    assert {type(record) for record in records} == {FILES[name]}
    written = write_records(records).splitlines()
    assert [normalised(line) for line in written] == [normalised(line) for line in content.splitlines() if line.strip()]


def test_a_record_that_the_service_captured_is_written_again_to_the_byte():
    content = golden("capture/sdk_captured-data.jsonl").read_bytes()

    assert write_records(read_records(content)).rstrip() == content.rstrip()


def test_every_capture_finds_its_label():
    """44 of them: the last line has no line end, so counting line ends gives one less."""
    captures = read_records(golden("capture/sdk_capture.jsonl").read_bytes())
    labels = read_records(golden("capture/sdk_actuals.jsonl").read_bytes())

    merged = list(merge(captures, labels))

    assert len(merged) == 44
    assert list(json.loads(write_records(merged[:1]))) == [
        "eventMetadata", "eventVersion", "groundTruthData", "captureData",
    ]  # fmt: skip


def test_what_has_no_partner_is_dropped_and_what_is_there_twice_stays():
    captures = [capture("a"), capture("b"), capture("a"), capture("x", own="c")]
    labels = [truth("a"), truth("c"), truth("x"), truth("nobody")]

    merged = list(merge(captures, labels))

    assert [record.event_metadata.key for record in merged] == ["a", "a", "c"]


def test_outputs_stand_before_inputs_unless_asked_otherwise():
    record = capture("a", given="1,2\n3,4\n", got="0.5\n0.7\n")

    assert rows_of(record) == [{"_c0": "0.5", "_c1": "1", "_c2": "2"}, {"_c0": "0.7", "_c1": "3", "_c2": "4"}]
    assert rows_of(record, outputs_first=False)[0] == {"_c0": "1", "_c1": "2", "_c2": "0.5"}


def rows_of_bodies(given, got=None, encoding="JSON"):
    sides = {"endpoint_input": given, "endpoint_output": got}
    bodies = {name: Payload(data=text, encoding=encoding) for name, text in sides.items() if text is not None}
    return rows_of(CaptureRecord(capture_data=CaptureData(**bodies), event_metadata=EventMetadata(event_id="a")))


def test_a_flat_json_body_names_its_columns():
    assert rows_of_bodies('{"x": 1, "y": 2.0, "z": null}') == [{"x": "1", "y": "2.0", "z": None}]


@pytest.mark.parametrize(
    ("given", "got", "rows"),
    [
        ('{"a": {"b": 1, "c": {"d": true}}}', None, [{"a.b": "1", "a.c.d": "true"}]),
        ("[[1, 2], [3, 4]]", None, [{"_c0": "1", "_c1": "2"}, {"_c0": "3", "_c1": "4"}]),
        ('[{"x": "a"}, {"x": ""}]', '{"predictions": [0.1, 2.0]}',
         [{"predictions": "0.1", "x": "a"}, {"predictions": "2.0", "x": None}]),
        ('{"instances": [{"features": [1, 2]}]}', '{"predictions": [{"score": 0.5}]}',
         [{"score": "0.5", "features[0]": "1", "features[1]": "2"}]),
        ('{"id": 7, "f": [1, 2]}', '{"id": 8}', [{"id": "8", "input.id": "7", "f[0]": "1", "f[1]": "2"}]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["JSON", "BASE64"])
def test_paths_name_the_columns_of_a_deep_body_and_its_lists_are_rows(given, got, rows, encoding):
    packed = [
        base64.b64encode(text.encode()).decode() if text is not None and encoding == "BASE64" else text
        for text in (given, got)
    ]

    assert rows_of_bodies(*packed, encoding=encoding) == rows


LEAVES = some.none() | some.booleans() | some.integers() | some.text(max_size=3)
DEEP = some.recursive(
    LEAVES, lambda one: some.lists(one, max_size=3) | some.dictionaries(some.text(max_size=2), one, max_size=3)
)


@given(DEEP)
def test_both_dialects_find_the_same_columns_and_rows_in_a_body(body):
    text = json.dumps(body)
    line = write_records([capture_of_json(text)])

    ours = [{name: text_of(value) for name, value in row.items()} for row in rows_in(line)]

    assert rows_of_bodies(text) == ours


def capture_of_json(text):
    return CaptureRecord(
        capture_data=CaptureData(endpoint_input=Payload(data=text, encoding="JSON")),
        event_metadata=EventMetadata(event_id="a"),
    )


@pytest.mark.parametrize(("body", "encoding"), [("{broken", "JSON"), ("[1, 2", "CSV"), ("a" * 200_000, "CSV")])
def test_a_body_that_cannot_be_read_is_refused(body, encoding):
    with pytest.raises(Invalid, match="A captured body is no"):
        rows_of_bodies(body, encoding=encoding)


def test_a_record_without_bodies_is_refused():
    with pytest.raises(Invalid, match="neither an input nor an output"):
        rows_of_bodies(None)


def test_a_file_of_deep_bodies_is_a_table_whose_columns_are_checked(tmp_path):
    lines = [capture_of_json(json.dumps({"instances": [{"f": [n, n / 2]}, {"f": [n + 1, 0.5]}]})) for n in range(50)]
    (tmp_path / "deep.jsonl").write_bytes(write_records(lines))

    found = data_statistics(tmp_path / "deep.jsonl")

    assert [(one.name, one.inferred_type) for one in found.features] == [("f[0]", "Integral"), ("f[1]", "Fractional")]
    assert found.dataset.item_count == 100


def test_a_body_in_base64_is_its_text():
    assert Payload(data="MSwy", encoding="BASE64").plain() == "1,2"
    with pytest.raises(Invalid):
        Payload(data="/w==", encoding="BASE64").plain()


def test_unequal_numbers_of_rows_are_refused():
    with pytest.raises(Invalid, match="1 rows of output stand against 2 rows of input"):
        rows_of(capture("a", given="1\n2", got="0.5"))


def test_a_file_of_captures_is_a_table(tmp_path):
    path = tmp_path / "capture.jsonl"
    path.write_bytes(golden("capture/sdk_capture.jsonl").read_bytes())

    table = read_texts(path)

    assert (table.rows, table.named, len(table.columns)) == (44, False, 8)
    assert data_statistics(path).features[0].inferred_type == "Fractional"


@pytest.mark.parametrize("line", [b"{}", b"[]", b"nothing", b'{"captureData": {}}', b"\xff"])
def test_a_line_that_is_no_record_is_named(line):
    with pytest.raises(Invalid, match=r"day\.jsonl, line 2"):
        read_records(b"\n" + line, name="day.jsonl")


TEXTS = some.text(max_size=10)
PAYLOADS = some.builds(
    Payload, observed_content_type=TEXTS | some.just(UNSET), mode=some.sampled_from(["INPUT", "OUTPUT", UNSET]),
    data=TEXTS, encoding=some.sampled_from(["CSV", "JSON", "BASE64"]),
)  # fmt: skip
METADATA = some.builds(
    EventMetadata, event_id=TEXTS, inference_id=TEXTS | some.just(UNSET),
    custom_attributes=some.lists(TEXTS, max_size=2) | some.just(UNSET), inference_time=TEXTS | some.just(UNSET),
)  # fmt: skip
BODIES = some.builds(
    CaptureData, endpoint_input=PAYLOADS | some.just(UNSET), endpoint_output=PAYLOADS | some.just(UNSET),
    batch_transform_output=PAYLOADS | some.just(UNSET),
)  # fmt: skip
RECORDS = some.one_of(
    some.builds(CaptureRecord, capture_data=BODIES, event_metadata=METADATA),
    some.builds(GroundTruthRecord, ground_truth_data=PAYLOADS, event_metadata=METADATA),
    some.builds(MergedRecord, capture_data=BODIES, ground_truth_data=PAYLOADS, event_metadata=METADATA),
)


@given(some.lists(RECORDS, max_size=4))
def test_records_written_and_read_are_the_same(records):
    assert read_records(write_records(records)) == records
