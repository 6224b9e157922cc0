"""State and event are one; the chain shows every change, gap and move; the schema forbids them."""

import sqlite3
from datetime import UTC, datetime
from itertools import pairwise

import pytest
import sqlalchemy as sa

from modelward.governance.registry import store
from modelward.governance.registry.entities import Model
from modelward.kernel.errors import Invalid
from modelward.kernel.refs import ModelRef
from modelward.storage import event_log
from modelward.storage.event_log import GENESIS
from modelward.storage.work import ChangeWithoutEvent
from support.workshops import ANA, Noted, verified

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def new_model(name="fraud"):
    return Model(name=ModelRef(name), created_at=NOON, created_by="ana")


def record(workshop, *notes):
    for text in notes:
        workshop.write(ANA, lambda work, text=text: work.record(Noted(note=text)))


def events(workshop):
    return workshop.database.read(lambda connection: event_log.read(connection, after=0, limit=1000))


def test_a_change_without_an_event_is_refused_and_not_kept(workshop):
    with pytest.raises(ChangeWithoutEvent):
        workshop.write(ANA, lambda work: store.add_model(work, new_model()))

    assert workshop.read(ANA, lambda work: store.find_model(work, ModelRef("fraud"))) is None


def test_state_and_event_are_one_transaction_whichever_fails(workshop):
    def fail_after_recording(work):
        store.add_model(work, new_model())
        work.record(Noted(note="fraud"))
        raise Invalid("No.")

    def fail_in_reactions(_connection, _events):
        raise Invalid("No reaction.")

    with pytest.raises(Invalid):
        workshop.write(ANA, fail_after_recording)
    workshop.on_events = fail_in_reactions
    with pytest.raises(Invalid, match="No reaction"):
        workshop.write(ANA, lambda work: (store.add_model(work, new_model()), work.record(Noted(note="fraud"))))

    assert workshop.read(ANA, lambda work: store.find_model(work, ModelRef("fraud"))) is None
    assert events(workshop) == []


def test_work_that_changes_nothing_leaves_no_event(workshop):
    workshop.write(ANA, lambda work: store.find_model(work, ModelRef("fraud")))

    assert events(workshop) == []


def test_the_log_says_who_did_what_when_in_one_unbroken_chain(workshop):
    record(workshop, "a", "b", "c")

    kept = events(workshop)
    assert [(each.sequence, each.actor, each.name, each.subject) for each in kept] == [
        (1, "ana", "Noted", "a"), (2, "ana", "Noted", "b"), (3, "ana", "Noted", "c"),
    ]  # fmt: skip
    assert kept[0].previous == GENESIS
    assert all(later.previous == earlier.hash for earlier, later in pairwise(kept))
    assert verified(workshop.database).whole


def test_a_number_taken_by_work_that_failed_is_given_to_the_next(workshop):
    record(workshop, "a")
    with pytest.raises(Invalid):
        workshop.write(ANA, lambda work: (work.record(Noted(note="lost")), _raise()))
    record(workshop, "b")

    assert [each.sequence for each in events(workshop)] == [1, 2]


def _raise():
    raise Invalid("No.")


def test_those_who_listen_are_told_after_the_commit_and_never_of_what_failed(workshop):
    told = []
    workshop.after_commit.append(
        lambda happened: told.append([each.subject for each in happened if each in events(workshop)])
    )
    record(workshop, "a")
    with pytest.raises(Invalid):
        workshop.write(ANA, lambda work: (work.record(Noted(note="lost")), _raise()))
    workshop.database.write(lambda _: None)

    assert [each for each in told if each] == [["a"]]


@pytest.mark.parametrize(
    "statement",
    ["UPDATE event SET actor = 'eve' WHERE sequence = 1", "DELETE FROM event WHERE sequence = 3", "DELETE FROM event"],
)
def test_the_schema_refuses_to_change_or_delete_an_event(workshop, statement):
    record(workshop, "a", "b", "c")

    with pytest.raises(sa.exc.DBAPIError, match="append-only"):
        workshop.database.write(lambda connection: connection.exec_driver_sql(statement))
    assert len(events(workshop)) == 3


def test_the_schema_refuses_to_empty_or_to_replace_the_log(workshop):
    record(workshop, "a", "b")
    row = "1, 'x', 'x', 'eve', 'Noted', 'x', '{}', 'x', 'x'"
    sneaky = (
        f"INSERT OR REPLACE INTO event VALUES ({row})" if workshop.database.dialect == "sqlite" else "TRUNCATE event"
    )

    with pytest.raises(sa.exc.DBAPIError, match="append-only"):
        workshop.database.write(lambda connection: connection.exec_driver_sql(sneaky))
    assert [each.subject for each in events(workshop)] == ["a", "b"]


TAMPERS = {
    "the actor": ("UPDATE event SET actor = 'eve' WHERE sequence = 5", 5),
    "the time": ("UPDATE event SET at = '2020-01-01T00:00:00.000000Z' WHERE sequence = 5", 5),
    "the name": ("UPDATE event SET name = 'Other' WHERE sequence = 5", 5),
    "the subject": ("UPDATE event SET subject = 'x' WHERE sequence = 5", 5),
    "the detail": ("UPDATE event SET detail = '{}' WHERE sequence = 5", 5),
    "the id": ("UPDATE event SET id = 'event-x' WHERE sequence = 5", 5),
    "the hash": ("UPDATE event SET hash = previous WHERE sequence = 5", 5),
    "the previous hash": ("UPDATE event SET previous = hash WHERE sequence = 5", 5),
    "a deletion": ("DELETE FROM event WHERE sequence = 5", 5),
    "a deletion of the first": ("DELETE FROM event WHERE sequence = 1", 1),
    "a deletion closed up": ("DELETE FROM event WHERE sequence = 5; UPDATE event SET sequence = sequence - 1 WHERE sequence > 5", 5),
    "a swap": (
        "UPDATE event SET sequence = 105 WHERE sequence = 5; UPDATE event SET sequence = 5 WHERE sequence = 6;"
        "UPDATE event SET sequence = 6 WHERE sequence = 105", 5,
    ),
    "an insertion": (
        "INSERT INTO event SELECT 11, 'event-x', at, actor, name, subject, detail, hash, hash FROM event WHERE sequence = 10",
        11,
    ),
}  # fmt: skip


@pytest.mark.parametrize("statements", TAMPERS.values(), ids=TAMPERS)
def test_the_chain_shows_an_event_that_was_changed_taken_out_moved_or_slipped_in(workshop, statements):
    record(workshop, *"abcdefghij")
    tamper, first_break = statements
    go_round_the_schema(workshop.database, tamper)

    report = verified(workshop.database)

    assert not report.whole
    assert report.breaks[0].sequence == first_break


def go_round_the_schema(database, statements):
    if database.dialect == "sqlite":
        with sqlite3.connect(database.url.database) as raw:
            raw.executescript("DROP TRIGGER event_is_never_updated; DROP TRIGGER event_is_never_deleted;" + statements)
        raw.close()
        return
    for statement in ("ALTER TABLE event DISABLE TRIGGER ALL", *statements.split(";")):
        database.write(lambda connection, statement=statement: connection.exec_driver_sql(statement))


def test_a_log_that_is_broken_everywhere_is_reported_in_short(workshop):
    record(workshop, *[str(number) for number in range(60)])
    go_round_the_schema(workshop.database, "UPDATE event SET actor = 'eve'")

    assert len(verified(workshop.database).breaks) == 20


def test_an_empty_log_is_whole(workshop):
    report = verified(workshop.database)

    assert (report.whole, report.events, report.head) == (True, 0, GENESIS)
