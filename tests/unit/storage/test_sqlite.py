"""How the SQLite database is opened: what keeps an acknowledged commit through a power cut."""

import sqlite3

import pytest
import sqlalchemy as sa

from modelward.storage.database import CRASH_POINTS, Database, StoreBroken, WriteNotKept


@pytest.fixture
def database(tmp_path):
    opened = Database.in_folder(tmp_path)
    yield opened
    opened.close()


def pragma(connection, name):
    return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def test_the_writer_flushes_every_commit_and_never_maps_the_file_into_memory(database):
    read = lambda connection: {name: pragma(connection, name) for name in ("journal_mode", "synchronous", "mmap_size")}  # noqa: E731

    assert database.write(read) == {"journal_mode": "wal", "synchronous": 2, "mmap_size": 0}


def test_a_reader_can_neither_write_nor_checkpoint(database):
    database.write(lambda connection: connection.exec_driver_sql("CREATE TABLE t (x)"))

    assert database.read(
        lambda connection: (pragma(connection, "query_only"), pragma(connection, "wal_autocheckpoint"))
    ) == (1, 0)


def test_closing_leaves_one_file_without_a_log_beside_it(tmp_path):
    database = Database.in_folder(tmp_path)
    database.write(lambda connection: connection.exec_driver_sql("CREATE TABLE t (x)"))
    database.read(lambda connection: connection.exec_driver_sql("SELECT * FROM t").all())

    database.close()

    assert {each.name for each in tmp_path.iterdir()} == {"modelward.db"}


def test_after_a_failed_commit_nothing_is_written_any_more_and_the_process_is_told(database):
    told = []
    database.on_broken = told.append

    def fail():
        raise sqlite3.OperationalError("disk I/O error")

    CRASH_POINTS["before-commit"] = fail
    try:
        with pytest.raises(StoreBroken, match="disk I/O error"):
            database.write(lambda connection: connection.exec_driver_sql("CREATE TABLE t (x)"))
    finally:
        CRASH_POINTS.clear()

    assert len(told) == 1
    with pytest.raises(StoreBroken):
        database.write(lambda connection: None)
    with pytest.raises(StoreBroken):
        database.write(lambda connection: None)


def test_a_full_database_keeps_nothing_of_the_batch_and_goes_on_when_there_is_room(database):
    database.write(lambda connection: connection.exec_driver_sql("CREATE TABLE t (x)"))
    pages = database.write(lambda connection: pragma(connection, "page_count"))
    database.write(lambda connection: connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 3}"))

    with pytest.raises(WriteNotKept, match="disk is full"):
        database.write(lambda connection: connection.execute(sa.text("INSERT INTO t VALUES (zeroblob(1000000))")))
    database.write(lambda connection: connection.exec_driver_sql("PRAGMA max_page_count=1000000"))
    database.write(lambda connection: connection.exec_driver_sql("INSERT INTO t VALUES (1)"))

    assert database.read(lambda connection: connection.exec_driver_sql("SELECT x FROM t").scalars().all()) == [1]
