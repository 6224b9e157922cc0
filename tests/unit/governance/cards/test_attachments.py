"""What holds for the files of a card: their names, what they seem to be, when they may change, how they are handed out."""

from datetime import UTC, datetime
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.governance.cards import attachment as rules
from modelward.governance.cards import attachments, use_cases
from modelward.governance.cards.attachment import Attachment, AttachmentForbidden, AttachmentRef
from modelward.governance.cards.entities import CardStatus
from modelward.kernel.errors import Invalid, NotFound
from modelward.kernel.refs import CardRef
from modelward.storage import event_log
from modelward.storage.blobs import digest_of
from support.houses import visitor_of
from support.workshops import ANA

NUMBERS = count()
CONTENT = {
    "intended_uses": {"purpose_of_model": "x", "risk_rating": "Low", "explanations_for_risk_rating": "x"},
    "business_details": {"business_problem": "x"},
    "model_overview": {"model_description": "x"},
}


def new_card(workshop):
    name = f"filed-{next(NUMBERS)}"
    workshop.write(ANA, lambda work: use_cases.create_card(work, name=name, content=CONTENT))
    return CardRef(name)


def attach(workshop, card, name="a.txt", data=b"bytes"):
    digest, size = workshop.blobs.put(data)
    return workshop.write(
        ANA, lambda w: attachments.attach(w, card, digest=digest, bytes=size, file_name=name, head=data[:4096])
    )


def listed(workshop, card, number=None):
    found = workshop.read(ANA, lambda work: attachments.list_attachments(work, card, number=number))
    return [each.name for each in found]


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "a/b", "a\\b", "a\0b", "a\nb", " a", "a ", "a.", "x" * 256, "é" * 128, "\u202egnp.exe", "a\u2066b",
     "\ufeffa", 'a"b', "a<b", "a|b", "C:a", "a\u2028b", "a\ud800"],
)  # fmt: skip
def test_a_name_that_misleads_or_goes_astray_is_refused(name):
    with pytest.raises(Invalid) as caught:
        rules.check_name(name)

    assert caught.value.field == "name"


@pytest.mark.parametrize(
    "name", ["report.pdf", "Bericht über Kosten (2).xlsx", "報告.csv", "x" * 255, ".hidden", "a'b"]
)
def test_a_plain_name_is_taken(name):
    rules.check_name(name)


@given(name=st.text(max_size=60))
def test_a_name_that_is_taken_makes_a_header_of_one_line_that_only_names_it(name):
    try:
        rules.check_name(name)
    except Invalid:
        return
    one = Attachment(
        id=AttachmentRef("attachment-1"), card=CardRef("c"), number=1, name=name, digest=digest_of(b""), bytes=0,
        media_type="", at=datetime.now(UTC), by="ana",
    )  # fmt: skip

    value = dict(rules.download_headers(one))[b"content-disposition"].decode("ascii")

    assert value.startswith('attachment; filename="')
    assert value.count('"') == 2
    assert not set(value) & set("\r\n\0/\\")


@pytest.mark.parametrize(
    "data, kind",
    [
        (b"%PDF-1.7\n", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n123", "image/png"),
        (b"PK\x03\x04", "application/zip"),
        (b"PAR1....", "application/vnd.apache.parquet"),
        (b"  <!DOCTYPE html><script>", "text/html"),
        (b"<svg onload=alert(1)>", "text/html"),
        (b"a,b\n1,2\n", "text/plain"),
        ("é".encode() * 10 + b"\xc3", "text/plain"),
        (b"\xff\xfe\x00", "application/octet-stream"),
        (b"MZ\x90", "application/x-executable"),
    ],
)  # fmt: skip
def test_what_a_file_seems_to_be_is_told_by_its_first_bytes_and_not_by_its_name(data, kind):
    assert rules.guess_type(data) == kind


@given(data=st.binary(max_size=64))
def test_any_bytes_seem_to_be_something(data):
    assert "/" in rules.guess_type(data)


def test_the_same_bytes_under_the_same_name_are_one_attachment_and_others_must_have_another_name(workshop):
    card = new_card(workshop)

    first = attach(workshop, card)

    assert attach(workshop, card) == first
    assert attach(workshop, card, name="b.txt").digest == first.digest
    with pytest.raises(AttachmentForbidden, match=r"a\.txt already"):
        attach(workshop, card, data=b"other bytes")


def test_a_version_shows_the_files_it_had_last(workshop):
    card = new_card(workshop)
    early = attach(workshop, card, name="early.txt")
    workshop.write(ANA, lambda w: use_cases.edit_card(w, card, patch={"business_details": {"line_of_business": "2"}}))
    attach(workshop, card, name="late.txt")
    workshop.write(ANA, lambda w: attachments.remove_attachment(w, early.id, reason="Out of date."))

    assert listed(workshop, card, number=1) == ["early.txt"]
    assert listed(workshop, card) == listed(workshop, card, number=2) == ["late.txt"]
    with pytest.raises(NotFound):
        listed(workshop, card, number=3)


def test_a_file_that_was_taken_off_is_not_handed_out_and_the_log_remembers_it(workshop):
    card = new_card(workshop)
    one = attach(workshop, card)

    workshop.write(ANA, lambda work: attachments.remove_attachment(work, one.id, reason="Wrong file."))

    with pytest.raises(NotFound, match="taken off"):
        workshop.read(ANA, lambda work: attachments.read_attachment(work, one.id))
    known = workshop.read(ANA, lambda work: attachments.get_attachment(work, one.id))
    assert (known.removed_by, known.reason) == (ANA.id, "Wrong file.")
    names = [each.name for each in workshop.database.read(lambda c: event_log.read(c, subjects=[card]))]
    assert names == ["AttachmentRemoved", "AttachmentAdded", "CardCreated"]


def test_the_files_of_an_approved_or_archived_card_stay_as_they_are(workshop):
    card = new_card(workshop)
    one = attach(workshop, card)
    ben = type(ANA)(id="ben", name="Ben", kind=ANA.kind, permissions=ANA.permissions)
    for status in ("approved", "archived"):
        workshop.write(ben, lambda w, to=CardStatus(status): use_cases.change_status(w, card, status=to))
        with pytest.raises(AttachmentForbidden, match=status):
            attach(workshop, card, name="b.txt")
        with pytest.raises(AttachmentForbidden, match=status):
            workshop.write(ANA, lambda work: attachments.remove_attachment(work, one.id))


def test_an_empty_file_is_refused(workshop):
    with pytest.raises(Invalid, match="empty"):
        attach(workshop, new_card(workshop), data=b"")


@pytest.fixture(scope="module")
def visitor(tmp_path_factory):
    with visitor_of(tmp_path_factory.mktemp("attachments") / "data", attachment_bytes_max=100_000) as visitor:
        yield visitor


def test_a_page_that_was_attached_is_never_shown_by_a_browser(visitor):
    client = visitor.client()
    client.cards.create("shown")
    made = client.cards.attachments.add("shown", b"<script>alert(1)</script>", name="page.html")

    answer = visitor.ask("GET", f"/api/v1/attachments/{made.id}/content")

    assert (answer.status, answer.body) == (200, b"<script>alert(1)</script>")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("sandbox;")


def test_a_file_larger_than_the_setting_is_refused_and_leaves_nothing(visitor):
    client = visitor.client()
    client.cards.create("large")
    before = sorted(visitor.house.home.folder.joinpath("blobs").rglob("*"))

    with pytest.raises(Invalid, match="larger than 100000 bytes"):
        client.cards.attachments.add("large", b"x" * 100_001, name="large.bin")
    client.cards.attachments.add("large", b"y" * 100_000, name="fits.bin")

    assert [each.name for each in client.cards.attachments.list("large")] == ["fits.bin"]
    assert len(sorted(visitor.house.home.folder.joinpath("blobs").rglob("*"))) == len(before) + 2


def test_what_cannot_be_attached_is_refused_before_its_bytes_are_read(visitor):
    with pytest.raises(NotFound):
        visitor.client().cards.attachments.add("no-such-card", b"x" * 100_001, name="a")
