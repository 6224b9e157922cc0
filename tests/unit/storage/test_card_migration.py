"""What becomes of the cards of an older database when what they rest on is added."""

import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from modelward.governance.access.entities import SYSTEM
from modelward.governance.cards import binding, reading, use_cases
from modelward.kernel.pages import PageRequest
from modelward.kernel.refs import CardRef
from modelward.storage.database import Database
from modelward.storage.migrations import upgrade
from modelward.storage.work import Workshop
from support.workshops import workshop_on

AT = "2026-01-0{}T00:00:00.000000Z"
DIGEST = "sha256:" + "a" * 64


def _stop_at(database, revision):
    def run(connection):
        # Within this transaction: Alembic ends one that it began itself.
        connection.execute(sa.text("SELECT 1"))
        config = Config()
        config.set_main_option("script_location", str(Path(upgrade.__code__.co_filename).parent))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    database.write(run)


@pytest.fixture
def older(empty_url):
    database = Database(empty_url)
    _stop_at(database, "0010")
    yield database
    database.close()


def _insert(connection, table, **row):
    names = ", ".join(f'"{name}"' for name in row)
    values = ", ".join(f":{name}" for name in row)
    connection.execute(sa.text(f"INSERT INTO {table} ({names}) VALUES ({values})"), row)


def _as_it_was(connection):
    by = {"created_at": AT.format(1), "created_by": "ana"}
    _insert(connection, "model", name="m", description="", owner="", tags="{}", words="m", versions=1, **by)
    _insert(
        connection, "version", ref="m@1", model="m", number=1, description="", facts="{}", status="pending",
        status_reason="", tags="{}", **by,
    )  # fmt: skip
    _insert(
        connection, "card", name="m-v1", model="m", version="m@1", version_number=1, status="draft", number=2,
        digest=DIGEST, risk_rating="Unknown", modified_at=AT.format(3), modified_by="ana", **by,
    )  # fmt: skip
    for number in (1, 2):
        content = json.dumps({"intended_uses": {"purpose_of_model": f"Purpose {number}."}})
        _insert(
            connection, "card_version", card="m-v1", number=number, content=content, digest=DIGEST, origins="{}",
            at=AT.format(number), by="ana", note="",
        )  # fmt: skip
    _insert(connection, "artifact", digest=DIGEST, bytes=9, name="table.parquet", **by)
    summary = json.dumps({"rows": 9, "metrics": {"auc": 0.9}, "charts": [], "findings": []})
    _insert(
        connection, "evaluation", id="evaluation-1", version="m@1", kind="quality", dataset=DIGEST, settings="{}",
        state="finished", outcome="passed", reason="Well.", report=DIGEST, summary=summary, finished_at=AT.format(2), **by,
    )  # fmt: skip
    told = [
        ("CardCreated", {"card": "m-v1", "digest": DIGEST}),
        ("CardStatusChanged", {"card": "m-v1", "number": 1, "before": "draft", "after": "approved", "reason": "Read."}),
        ("CardEdited", {"card": "m-v1", "number": 2, "digest": DIGEST, "changed": [], "note": ""}),
        (
            "CardStatusChanged",
            {"card": "m-v1", "number": 2, "before": "approved", "after": "draft", "reason": "Edited."},
        ),
    ]
    for sequence, (name, detail) in enumerate(told, 1):
        _insert(
            connection, "event", sequence=sequence, id=f"event-{sequence}", at=AT.format(sequence), actor="ana",
            name=name, subject="m-v1", detail=json.dumps(detail), previous=DIGEST, hash=DIGEST,
        )  # fmt: skip


def test_older_cards_have_their_statuses_words_and_evidence(older, tmp_path):
    older.write(_as_it_was)
    workshop: Workshop = workshop_on(older, tmp_path)
    card = CardRef("m-v1")

    statuses = workshop.read(SYSTEM, lambda work: reading.list_statuses(work, card))
    listed = workshop.read(SYSTEM, lambda work: use_cases.list_cards(work, page=PageRequest(), text="purpose 2"))
    known = workshop.read(SYSTEM, lambda work: binding.list_evidence(work, card, page=PageRequest()))
    since = workshop.read(SYSTEM, lambda work: reading.since_approval(work, card))

    assert [(each.number, each.status.value) for each in statuses] == [
        (1, "draft"), (1, "approved"), (2, "draft"), (2, "draft"),
    ]  # fmt: skip
    assert [each.name for each in listed.items] == [card]
    assert [(each.id, each.measures["auc"]) for each in known.items] == [("evaluation-1", 0.9)]
    assert (since.approved, [each.path for each in since.changes]) == (1, ["$.intended_uses.purpose_of_model"])
    workshop.write(
        SYSTEM,
        lambda work: binding.bind_field(
            work, card, path="$.intended_uses.intended_uses", evidence=known.items[0].id, measure="auc"
        ),
    )
