"""Units of work: kept whole or not at all, apart from each other, acknowledged after the commit."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from modelward.kernel.errors import Invalid, Unavailable
from modelward.storage.database import BATCH_UNITS_MAX, Database

NOTES = sa.MetaData()
note = sa.Table(
    "note", NOTES, sa.Column("id", sa.Integer, primary_key=True), sa.Column("text", sa.Text, nullable=False)
)


@pytest.fixture
def notes(database):
    database.write(NOTES.create_all)
    return database


def add(id, text=""):
    return lambda connection: connection.execute(sa.insert(note), {"id": id, "text": text})


def ids(database):
    return set(database.read(lambda connection: connection.scalars(sa.select(note.c.id)).all()))


def hold_writer(database):
    """Keep the writer busy until the returned event is set, so that what follows shares one transaction."""
    go = threading.Event()
    database.submit(lambda _: go.wait(10))
    return go


def test_one_unit_that_fails_takes_nobody_of_its_transaction_with_it(notes):
    go = hold_writer(notes)
    futures = [notes.submit(add(number)) for number in range(10)]
    broken = notes.submit(add(3))
    after = [notes.submit(add(number)) for number in range(10, 20)]
    go.set()

    for future in futures + after:
        future.result()
    with pytest.raises(sa.exc.IntegrityError):
        broken.result()
    assert ids(notes) == set(range(20))


def test_a_unit_that_fails_after_it_has_written_leaves_nothing(notes):
    def write_then_fail(connection):
        add(1)(connection)
        raise Invalid("No.")

    with pytest.raises(Invalid, match=r"No\."):
        notes.write(write_then_fail)
    assert ids(notes) == set()


def test_units_see_what_units_before_them_wrote_also_within_one_transaction(notes):
    go = hold_writer(notes)
    futures = [
        notes.submit(
            lambda connection: add(connection.scalar(sa.select(sa.func.count()).select_from(note)))(connection)
        )
        for _ in range(50)
    ]
    go.set()

    for future in futures:
        future.result()
    assert ids(notes) == set(range(50))


def test_every_unit_of_more_than_one_transaction_holds_is_kept(notes):
    go = hold_writer(notes)
    futures = [notes.submit(add(number)) for number in range(BATCH_UNITS_MAX * 2 + 7)]
    go.set()

    for future in futures:
        future.result()
    assert ids(notes) == set(range(BATCH_UNITS_MAX * 2 + 7))


def test_an_acknowledged_unit_is_seen_by_the_next_reader_and_by_another_process(notes, database_url):
    notes.write(add(1))

    assert ids(notes) == {1}
    other = sa.create_engine(database_url.replace("postgresql:", "postgresql+psycopg:"), poolclass=sa.NullPool)
    with other.connect() as connection:
        assert connection.scalar(sa.select(note.c.id)) == 1
    other.dispose()


def test_a_reader_sees_one_moment_however_long_it_reads(notes):
    notes.write(add(1))

    def read(connection):
        before = connection.scalars(sa.select(note.c.id)).all()
        notes.write(add(2))
        return before, connection.scalars(sa.select(note.c.id)).all()

    before, after = notes.read(read)
    assert before == after == [1]


def test_a_unit_that_only_reads_cannot_write(notes):
    with pytest.raises((sa.exc.DBAPIError, Unavailable)):
        notes.read(add(1))
    assert ids(notes) == set()


def test_many_readers_at_once_never_wait_for_each_other_nor_for_the_writer(notes):
    go = hold_writer(notes)
    together = threading.Barrier(8)

    def read(_):
        return notes.read(
            lambda connection: (together.wait(20), connection.scalar(sa.select(sa.func.count(note.c.id))))
        )[1]

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(read, range(8))) == [0] * 8
    go.set()


def test_more_readers_than_are_kept_open_all_get_their_turn_on_sqlite(tmp_path):
    database = Database.in_folder(tmp_path)
    together = threading.Barrier(40)

    with ThreadPoolExecutor(40) as threads:
        seen = list(threads.map(lambda _: database.read(lambda _: together.wait(20)), range(40)))

    assert sorted(seen) == list(range(40))
    database.close()


def test_a_unit_that_its_client_no_longer_waits_for_harms_no_other(notes):
    go = hold_writer(notes)
    left = notes.submit(add(1))
    stays = notes.submit(add(2))
    assert left.cancel()
    go.set()

    stays.result()
    notes.write(add(3))
    assert ids(notes) == {2, 3}


def test_a_unit_cannot_wait_for_another_unit(notes):
    with pytest.raises(RuntimeError, match="itself"):
        notes.write(lambda _: notes.write(add(1)))
    notes.write(add(2))
    assert ids(notes) == {2}


def test_a_number_or_a_text_that_no_column_can_hold_is_invalid_and_harms_no_other(notes):
    go = hold_writer(notes)
    huge = notes.submit(add(10**30))
    fine = notes.submit(add(1))
    go.set()

    with pytest.raises(Invalid, match="outside of what"):
        huge.result()
    fine.result()
    with pytest.raises(Invalid, match="outside of what"):
        notes.read(lambda connection: connection.execute(sa.select(note).where(note.c.id == 10**30)).all())


def test_work_in_the_background_lets_others_first_but_is_done(notes):
    order = []
    go = hold_writer(notes)
    with notes.in_background():
        later = notes.submit(lambda _: order.append("later"))
    first = notes.submit(lambda _: order.append("first"))
    go.set()

    first.result()
    later.result()
    assert order == ["first", "later"]


def test_work_in_the_background_is_done_under_never_ending_load(notes):
    stop = threading.Event()

    def load():
        while not stop.is_set():
            notes.write(lambda _: None)

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    with notes.in_background():
        began = time.monotonic()
        notes.write(add(1))
    stop.set()
    for thread in threads:
        thread.join()

    assert ids(notes) == {1}
    assert time.monotonic() - began < 10


def test_closing_finishes_what_was_handed_in_and_then_refuses(notes):
    go = hold_writer(notes)
    futures = [notes.submit(add(number)) for number in range(300)]
    with notes.in_background():
        futures.append(notes.submit(add(300)))
    closing = threading.Thread(target=notes.close)
    closing.start()
    go.set()
    closing.join()

    for future in futures:
        assert future.result(0)
    with pytest.raises(Unavailable, match="closed"):
        notes.write(add(1000))


def test_closing_twice_is_the_same_as_once(notes):
    notes.close()
    notes.close()


def test_a_database_of_another_kind_is_refused_by_name():
    with pytest.raises(Invalid, match="mysql"):
        Database("mysql://localhost/x")
