"""The PDF of a card: what a reader, an archive and a screen reader find in it, whatever the card says."""

import io
import json
import re
import time
import unicodedata
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelward.governance.cards import rules
from modelward.governance.cards.documents import glyphs, json_files, pdf
from modelward.governance.cards.documents.facts import BoundEvidence, Control, ControlPack, Signature
from modelward.governance.cards.documents.fonts import FontChoice
from modelward.governance.cards.documents.glyphs import MISSING, Glyphs
from support.card_contents import HOSTILE_LEGAL, NOON, contents, facts_of, letters

pypdf = pytest.importorskip("pypdf", reason="needs pypdf")

BAR = {"name": "Importance", "type": "bar_chart", "value": [3, -1.5], "x_axis_name": ["amount", "hour"]}
LINE = {"name": "ROC", "type": "linear_graph", "value": [[0, 0], [0.1, 0.8], [1, 1]], "x_axis_name": "FPR"}
MATRIX = {"name": "Confusion", "type": "matrix", "value": [[90, 2], [3, 5]], "y_axis_name": ["genuine", "fraud"]}
AUC = {"name": "auc", "type": "number", "value": 0.9431, "notes": "October"}


def content_with(*metrics):
    told = {
        "name": "quality",
        "metadata": {"outcome": "passed"},
        "metric_groups": [{"name": "g", "metric_data": [*metrics]}],
    }
    return {"intended_uses": {"purpose_of_model": "Stop fraud.", "risk_rating": "High"}, "evaluation_details": [told]}


def opened(data):
    return pypdf.PdfReader(io.BytesIO(data))


def text_of(data):
    return "\n".join(page.extract_text() for page in opened(data).pages)


def flat(text):
    return re.sub(r"[\s\u200b]+", "", text)


def test_a_reader_finds_the_card_its_status_on_every_page_and_who_signed_it():
    facts = facts_of(content_with(AUC))
    pages = [page.extract_text() for page in opened(pdf.render(facts)).pages]

    assert all("Version 4 · Approved" in page and f"of {len(pages)}" in page for page in pages)
    assert "Approvals and signatures" in pages[0]
    assert flat("maria 2026-11-05 12:00 UTC Approved fraud@3 for use. Agreed.") in flat(pages[0])
    assert facts.digest in flat(pages[0])
    assert facts.link in flat(pages[0])
    assert re.search(r"1\s*Intended uses[ .]*2", pages[0])
    assert flat("AUC 0.9431 October") in flat(pages[1])


def test_a_version_that_nobody_signed_says_so():
    assert "Nobody has signed this version" in text_of(pdf.render(facts_of({}, signatures=[], status="draft")))


def test_an_earlier_version_says_what_replaced_it():
    assert "superseded by version 7" in text_of(pdf.render(facts_of({}, current=7)))


def test_bound_evidence_is_told_with_its_source_and_age():
    evidence = [
        BoundEvidence(path="$.a", source="evaluation e-7", at=NOON - timedelta(days=9), value="0.94", state="stale")
    ]
    told = flat(text_of(pdf.render(facts_of({}, evidence=evidence))))

    assert flat("0.94 evaluation e-7 2026-10-25 (11 days before) Stale") in told


def test_a_control_pack_stands_in_its_own_order():
    controls = [Control(clause=f"4.{n}", title=f"Control {n}", result="open", told="$.x") for n in (3, 1, 2)]
    told = text_of(pdf.render(facts_of({}, pack=ControlPack(name="Pack of ours", controls=controls))))

    assert told.index("Control 3") < told.index("Control 1") < told.index("Control 2")


def test_the_record_is_attached_and_its_digest_is_the_one_on_the_first_page():
    facts = facts_of(content_with(AUC, BAR))
    (attached,) = opened(pdf.render(facts)).attachments["card.json"]

    assert attached == json_files.render(facts)
    assert rules.digest_of(json.loads(attached)["content"]) == facts.digest


def test_the_document_says_that_it_is_for_the_archive_and_for_a_screen_reader():
    reader = opened(pdf.render(facts_of(content_with(AUC, BAR))))
    told = reader.xmp_metadata.rdf_root.toxml()
    catalog = reader.trailer["/Root"]

    assert re.search(r"pdfaid:part(?:>|=\")3", told)
    assert re.search(r"pdfuaid:part(?:>|=\")1", told)
    assert catalog["/Lang"] == "en"
    assert catalog["/MarkInfo"]["/Marked"]
    assert reader.metadata.title == "fraud-v3, model card, version 4"
    assert b"Bar chart of Importance: amount 3; hour -1.5." in b"".join(_alternatives(catalog["/StructTreeRoot"]))


def _alternatives(node, depth=0):
    node = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(node, list):
        for each in node:
            yield from _alternatives(each, depth + 1)
    elif isinstance(node, dict):
        if "/Alt" in node:
            yield str(node["/Alt"]).encode()
        if "/K" in node and depth < 60:
            yield from _alternatives(node["/K"], depth + 1)


def test_charts_are_vectors_and_their_labels_are_text():
    data = pdf.render(facts_of(content_with(BAR, LINE, MATRIX), link=""))

    assert [image for page in opened(data).pages for image in page.images] == []
    told = flat(text_of(data))
    for label in ("amount", "hour", "FPR", "genuine", "90", "Figure3"):
        assert label in told


def test_equal_facts_give_equal_bytes():
    facts = facts_of(content_with(AUC, BAR, LINE, MATRIX))

    assert pdf.render(facts) == pdf.render(facts)


@pytest.mark.parametrize("text", HOSTILE_LEGAL)
def test_hostile_text_stays_text_wherever_it_stands(text):
    short = text[:60]
    metrics = [{**BAR, "name": short, "x_axis_name": [short, short]}, {"name": short, "type": "string", "value": short}]
    told = {"name": short, "evaluation_observation": text, "metadata": {short: text}, "datasets": [text],
            "metric_groups": [{"name": short, "metric_data": metrics}]}  # fmt: skip
    content = {
        "model_overview": {"model_description": text, "model_artifact": [text, text], "model_owner": text},
        "evaluation_details": [told],
        "additional_information": {"custom_details": {short: text}},
    }
    signed = [Signature(by=short, at=NOON, meaning=text, note=text)]
    facts = facts_of(content, note=text, by=short, signatures=signed, origins={"$.model_overview": text})

    shown = text_of(pdf.render(facts))

    first = re.match(r"[ -~]*", text)[0].split(" ")[0]
    assert flat(first) in flat(shown)
    assert "\u202e" not in shown
    assert not any(page.get("/AA") for page in opened(pdf.render(facts)).pages)


def test_signs_that_steer_are_told_by_their_numbers():
    shown = text_of(pdf.render(facts_of({"model_overview": {"model_name": "a\u202egnp\x1b"}})))

    assert "a[U+202E]gnp[U+001B]" in flat(shown)


def test_signs_without_a_glyph_become_squares_and_are_counted():
    shown = text_of(pdf.render(facts_of({"model_overview": {"model_name": "日本 fraud"}}), FontChoice(system=False)))

    assert f"{MISSING}{MISSING} fraud" in shown
    assert "2 characters have no glyph" in shown


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(contents())
def test_the_pdf_of_every_legal_card_opens(content):
    reader = opened(pdf.render(facts_of(content)))

    assert len(reader.pages) >= 2
    assert reader.attachments["card.json"]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text(letters, max_size=300))
def test_any_text_can_be_set_without_falling_back(text):
    facts = facts_of({"model_overview": {"model_description": text}})

    data, problem = pdf._compile(pdf._content(facts, Glyphs()), facts)

    assert data, problem


def test_a_hundred_thousand_characters_without_a_blank_are_broken_into_lines():
    facts = facts_of({"intended_uses": {"purpose_of_model": "x" * 100_000}})
    reader = opened(pdf.render(facts))

    assert flat("".join(page.extract_text() for page in reader.pages)).count("x") >= 100_000
    assert len(reader.pages) > 15


def test_ten_thousand_metrics_are_written_within_seconds():
    metrics = [{"name": f"metric {n}", "type": "number", "value": n / 7} for n in range(10_000)]
    start = time.process_time()
    reader = opened(pdf.render(facts_of(content_with(*metrics))))

    assert time.process_time() - start < 60
    assert "metric 9999" in "".join(page.extract_text() for page in reader.pages[-3:])


def test_huge_and_tiny_numbers_can_be_drawn():
    numbers = [1.7e308, -1.7e308, 5e-324, 0, 10**40]
    metrics = [
        {**BAR, "value": numbers, "x_axis_name": []},
        {**LINE, "value": [[each, -each] for each in numbers]},
        {**MATRIX, "value": [numbers], "y_axis_name": []},
        {**LINE, "value": [[1, 1]]},
        {**BAR, "value": [0]},
    ]

    assert opened(pdf.render(facts_of(content_with(*metrics)))).pages


def test_the_table_of_glyphs_is_what_typst_can_set():
    """A sample: what is in the table sets by itself, what is outside does not."""
    inside = sorted(glyphs.covered())[::197]
    outside = [chr(each) for each in range(0x3041, 0xFFFF, 977) if chr(each) not in glyphs.covered()]
    facts = facts_of({})

    def sets(sign):
        content = {**pdf._content(facts, Glyphs()), "note": sign}
        return pdf._compile(content, facts)[0] is not None

    assert all(sets(sign) for sign in inside)
    letters_outside = [each for each in outside if unicodedata.category(each) == "Lo"]
    assert letters_outside
    assert not any(sets(sign) for sign in letters_outside)
