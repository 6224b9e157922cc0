"""Cards as documents, end to end: asked for, written by the worker, fetched, refused, made into cards again."""

import io
import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from modelward.cli.card import card as card_command
from modelward.governance.access.entities import SYSTEM
from modelward.governance.cards.documents import running, use_cases
from modelward.governance.cards.documents.entities import ExportRef
from modelward.governance.cards.documents.pdf import DocumentNotDrawn
from modelward.jobs import queue
from modelward.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from support.houses import visitor_of

CONTENT = {
    "model_overview": {"model_name": "fraud", "model_description": "Scores payments."},
    "intended_uses": {
        "purpose_of_model": "Stop fraud.",
        "risk_rating": "Low",
        "explanations_for_risk_rating": "A person looks at each.",
    },
    "business_details": {"business_problem": "Losses."},
}


@pytest.fixture
def visitor(tmp_path):
    with visitor_of(tmp_path, public_url="https://models.example.com/") as visitor:
        yield visitor


@pytest.fixture
def client(visitor):
    client = visitor.client()
    client.cards.create("fraud-card", content=CONTENT)
    return client


def text_of(data):
    pypdf = pytest.importorskip("pypdf", reason="needs pypdf")
    return " ".join(" ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages).split())


def test_a_card_is_saved_as_pdf_with_who_approved_it(visitor, client, tmp_path):
    risk = client.as_(visitor.new_token("maria", "risk-manager"))
    client.cards.change_status("fraud-card", "pending-review")
    risk.cards.change_status("fraud-card", "approved", reason="Complete and true.")

    client.cards.get("fraud-card").to_pdf(tmp_path / "card.pdf")

    told = text_of((tmp_path / "card.pdf").read_bytes())
    assert "Version 1 · Approved" in told
    assert "and I approve what it says. Complete and true." in told
    assert "https://models.example.com/cards/fraud-card" in told
    assert "maria" in told


def test_an_earlier_version_keeps_its_own_status_and_approvals(visitor, client):
    risk = client.as_(visitor.new_token("maria", "risk-manager"))
    client.cards.change_status("fraud-card", "pending-review")
    risk.cards.change_status("fraud-card", "approved")
    client.cards.edit("fraud-card", patch={"business_details": {"line_of_business": "Retail"}})

    first, second = (client.cards.export("fraud-card", "json", number=number) for number in (1, 2))

    told = [json.loads(client.cards.read_export(each.id)) for each in (first, second)]
    assert [(each["status"], len(each["signatures"]), each["current"]) for each in told] == [
        ("approved", 1, 2),
        ("draft", 0, 2),
    ]


def test_a_download_is_an_attachment_with_its_own_kind(visitor, client):
    done = client.cards.export("fraud-card", "html")

    answer = visitor.ask("GET", f"/api/v1/exports/{done.id}/document")

    assert answer.headers["content-disposition"] == 'attachment; filename="fraud-card-version-1.html"'
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["etag"] == f'"{done.document}"'
    assert (done.state, done.progress, done.size) == ("finished", 1.0, len(answer.body))


def test_equal_versions_give_equal_documents_and_one_blob(client):
    first, second = (client.cards.export("fraud-card", "pdf") for _ in range(2))

    assert first.document == second.document
    assert [each.id for each in client.cards.exports("fraud-card")] == [second.id, first.id]


def test_a_name_is_used_once_for_each_card(client):
    body = {"format": "markdown", "name": "board-2026"}
    client.post("/cards/fraud-card/exports", body)

    with pytest.raises(Conflict, match="board-2026 already"):
        client.post("/cards/fraud-card/exports", body)


def test_what_cannot_be_asked_for_is_refused(visitor, client):
    with pytest.raises(NotFound, match="no version 9"):
        client.cards.export("fraud-card", "pdf", number=9)
    with pytest.raises(NotFound, match="no card"):
        client.cards.export("unknown", "pdf")
    with pytest.raises(Invalid, match="docx"):
        client.post("/cards/fraud-card/exports", {"format": "docx"})
    with pytest.raises(Invalid, match="control pack"):
        client.cards.export("fraud-card", "spdx", pack="sr-26-2")
    with pytest.raises(NotFound, match="pack"):
        client.cards.export("fraud-card", "pdf", pack="none-such")
    agent = client.as_(visitor.new_token("agent", "capture-agent"))
    with pytest.raises(NotAllowed, match="lacks the permission"):
        agent.cards.export("fraud-card", "pdf")


def test_an_auditor_takes_along_what_others_had_written_and_what_there_is_to_read(visitor, client):
    auditor = client.as_(visitor.new_token("ines", "auditor"))

    done = client.cards.export("fraud-card", "pdf")

    assert auditor.cards.read_export(done.id) == client.cards.read_export(done.id)
    auditor.cards.export("fraud-card", "pdf")
    assert [(each.name, each.actor) for each in client.events.list(subject="fraud-card")][:2] == [
        ("CardExported", "modelward"),
        ("CardExportRequested", "ines"),
    ]


def test_controls_stand_in_the_pdf_in_the_order_of_the_pack(client):
    done = client.cards.export("fraud-card", "pdf", pack="sr-26-2")

    assert "Controls: " in text_of(client.cards.read_export(done.id))


@pytest.fixture
def quiet(tmp_path):
    """A house whose worker does not run, with a card and the id of an export that waits."""
    with visitor_of(tmp_path) as visitor:
        visitor.house.worker.stop()
        client = visitor.client()
        client.cards.create("fraud-card", content=CONTENT)
        asked = client.post("/cards/fraud-card/exports", {"format": "markdown"})
        yield visitor.house.workshop, client, ExportRef(asked.id)


def claimed(workshop, *, after=timedelta(0)):
    """The export's job, taken by a worker."""
    now = workshop.clock() + after
    jobs = workshop.database.write(lambda c: queue.claim(c, owner="w", now=now, limit=100, lease=timedelta(seconds=1)))
    (job,) = [job for job in jobs if job.kind == use_cases.EXPORT_JOB]
    return job


def gather(workshop):
    from modelward.governance.cards.documents import gathering

    return lambda work, export: gathering.gather(work, export, address="", signatures=lambda *_: [])


def test_a_worker_that_dies_before_the_end_is_followed_by_one_that_finishes(quiet):
    workshop, client, ref = quiet
    first = claimed(workshop)
    again = claimed(workshop, after=timedelta(seconds=60))

    running.run(workshop, again, gather=gather(workshop))
    with pytest.raises(queue.LeaseLost):
        running.run(workshop, first, gather=lambda *_: pytest.fail("it ended"))

    assert client.get(f"/exports/{ref}").state == "finished"
    assert [each.name for each in client.events.list(subject="fraud-card")].count("CardExported") == 1


def test_a_document_that_cannot_be_written_is_told_and_the_job_is_over(quiet):
    workshop, client, ref = quiet

    def fail(work, export):
        raise DocumentNotDrawn("The setter stopped.")

    running.run(workshop, claimed(workshop), gather=fail)

    found = client.get(f"/exports/{ref}")
    assert (found.state, found.reason, found.document) == ("failed", "The setter stopped.", None)
    with pytest.raises(Conflict, match="The setter stopped"):
        client.cards.read_export(ref)
    assert client.get("/jobs/summary").dead == 0


def test_an_export_that_is_given_up_is_told_as_failed(quiet):
    workshop, client, ref = quiet

    running.give_up(workshop, claimed(workshop), "The worker vanished.")

    assert client.get(f"/exports/{ref}").reason == "The worker vanished."


def test_progress_is_told_while_a_document_is_written(quiet):
    workshop, client, ref = quiet
    seen = []

    def watched(work, export):
        seen.append(client.get(f"/exports/{ref}").state)
        return gather(workshop)(work, export)

    real = running.write
    running.write = lambda *of: (seen.append(client.get(f"/exports/{ref}").progress), real(*of))[1]
    try:
        running.run(workshop, claimed(workshop), gather=watched)
    finally:
        running.write = real

    assert seen == ["waiting", running.GATHERED]


def test_a_deleted_card_takes_its_exports_from_the_list(client):
    done = client.cards.export("fraud-card", "json")

    client.cards.delete("fraud-card", reason="By mistake.")
    client.settle()

    with pytest.raises(NotFound):
        client.get(f"/exports/{done.id}")


def test_a_bom_becomes_a_card_through_the_api_and_what_was_dropped_is_told(client):
    bom = client.cards.read_export(client.cards.export("fraud-card", "cyclonedx").id).decode()
    bom = bom.replace('"fraud"', '"other"')

    seen = client.cards.preview_import("cyclonedx", bom)
    made = client.cards.import_card("other-card", "cyclonedx", bom)

    assert seen.name == "other"
    assert [each.path for each in made.dropped] == ["$.components[0].externalReferences"]
    card = client.cards.get("other-card")
    assert card.content.to_dict()["business_details"] == CONTENT["business_details"]
    assert set(card["origins"].values()) == {"a document (cyclonedx)"}


def test_a_document_that_is_none_makes_no_card(client):
    with pytest.raises(Invalid, match="CycloneDX"):
        client.cards.import_card("broken", "cyclonedx", "{}")
    with pytest.raises(NotFound):
        client.cards.get("broken")


def test_the_command_line_exports_and_imports(client, tmp_path, monkeypatch):
    monkeypatch.setattr("modelward.connect", lambda *_: _Kept(client))
    run = CliRunner().invoke

    out = run(card_command, ["export", "fraud-card", "--format", "hugging-face", "--output", str(tmp_path / "r.md")])
    assert out.exit_code == 0, out.output
    text = (tmp_path / "r.md").read_text().replace("model_name: fraud\n", "model_name: other\n")
    (tmp_path / "r.md").write_text(text + "\n## How to Start\n\nRun it.\n")

    out = run(card_command, ["import", "other-card", str(tmp_path / "r.md"), "--format", "hugging-face"])

    assert out.exit_code == 0, out.output
    assert "other-card is draft, version 1." in out.output
    assert "How to Start" in out.output
    assert run(card_command, ["export", "fraud-card"]).output.startswith("{")


class _Kept:
    """A client that stays open after its ``with`` block."""

    def __init__(self, client):
        self._client = client

    def __enter__(self):
        return self._client

    def __exit__(self, *_):
        return None


def test_exports_of_an_unknown_card_are_not_made_in_the_name_of_the_house(quiet):
    workshop, _, ref = quiet

    assert workshop.read(SYSTEM, lambda work: use_cases.get_export(work, ref)).card == "fraud-card"
