"""The worker: runs what is due, sleeps when nothing is, survives what fails."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from modelward.jobs import queue, schedules
from modelward.jobs.queue import JobState
from modelward.jobs.schedules import Schedule
from modelward.jobs.worker import Worker
from modelward.kernel.errors import Invalid, Unavailable


class Watched:
    """A database that counts what is asked of it, and fails when told to."""

    def __init__(self, database):
        self.database, self.calls, self.failures = database, 0, 0

    def _ask(self, verb, unit):
        self.calls += 1
        if self.failures:
            self.failures -= 1
            raise Unavailable("The database is away.")
        return verb(unit)

    def read(self, unit):
        return self._ask(self.database.read, unit)

    def write(self, unit):
        return self._ask(self.database.write, unit)

    def in_background(self):
        return self.database.in_background()


@pytest.fixture
def rows(database):
    return Watched(database)


@pytest.fixture
def start(rows):
    workers = []

    def begin(handlers, **options):
        workers.append(Worker(rows, handlers, **options))
        workers[-1].start()
        return workers[-1]

    yield begin
    for worker in workers:
        worker.stop()


def add(rows, id, **options):
    now = datetime.now(UTC)
    rows.database.write(
        lambda connection: queue.enqueue(connection, id=id, kind="test", payload={}, now=now, **options)
    )


def state(rows, id):
    return rows.database.read(lambda connection: queue.get(connection, id))


def finishing(rows, done):
    def handle(job):
        rows.database.write(
            lambda connection: (queue.finish(connection, job, now=datetime.now(UTC)), done.append(job.id))
        )

    return handle


def wait_for(what, seconds=20):
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "It did not happen."
        time.sleep(0.005)


def test_every_job_that_is_due_is_run(rows, start):
    done = []
    for number in range(30):
        add(rows, f"job-{number}")
    worker = start({"test": finishing(rows, done)})

    wait_for(lambda: len(done) == 30)
    assert sorted(done) == sorted(f"job-{number}" for number in range(30))
    wait_for(worker.idle)


def test_a_worker_that_has_just_taken_a_job_is_not_idle(rows, start, monkeypatch):
    """Between the commit that takes a job and its start, nothing is due and nothing runs."""
    done, launch = [], Worker._launch

    def late(worker, job):
        time.sleep(0.3)
        launch(worker, job)

    monkeypatch.setattr(Worker, "_launch", late)
    add(rows, "a")
    worker = start({"test": finishing(rows, done)})

    wait_for(worker.idle)

    assert done == ["a"]


def test_a_job_made_later_is_run_when_the_worker_is_woken(rows, start):
    done = []
    worker = start({"test": finishing(rows, done)})
    wait_for(lambda: rows.calls > 0)
    add(rows, "a")

    worker.wake()

    wait_for(lambda: done == ["a"])


def test_without_anything_due_the_worker_asks_the_database_nothing(rows, start):
    start({})
    wait_for(lambda: rows.calls > 0)
    time.sleep(0.1)
    calls = rows.calls

    time.sleep(0.7)

    assert rows.calls == calls


def test_being_woken_by_every_commit_costs_a_look_now_and_then_and_not_each_time(rows, start):
    worker = start({})
    wait_for(lambda: rows.calls > 0)
    before, until = rows.calls, time.monotonic() + 0.5

    while time.monotonic() < until:
        worker.wake()

    assert rows.calls - before <= 30


def test_a_job_for_later_is_run_at_its_time_without_looking_meanwhile(rows, start):
    done = []
    at = datetime.now(UTC) + timedelta(seconds=0.8)
    add(rows, "a", run_at=at)
    start({"test": finishing(rows, done)})
    time.sleep(0.3)
    calls = rows.calls
    time.sleep(0.2)
    assert rows.calls == calls

    wait_for(lambda: done == ["a"])
    assert datetime.now(UTC) >= at


def test_a_slot_of_a_schedule_is_fired_and_run_in_time_even_while_all_hands_are_busy(rows, start):
    go, done = threading.Event(), []

    def handle(job):
        if job.kind == "slow":
            go.wait(20)
        finishing(rows, done)(job)

    now = datetime.now(UTC)
    rows.database.write(lambda c: queue.enqueue(c, id="slow", kind="slow", payload={}, now=now))
    due = Schedule(id="s", kind="test", payload={}, cron="* * * * *")
    rows.database.write(lambda c: schedules.put(c, due, now=now - timedelta(minutes=1)))
    start({"slow": handle, "test": handle}, slots=1)

    wait_for(lambda: len(rows.database.read(lambda c: queue.list_jobs(c, kind="test"))) == 1)
    go.set()
    wait_for(lambda: len(done) == 2)


def test_the_worker_goes_on_after_the_database_was_away(rows, start, monkeypatch):
    monkeypatch.setattr("modelward.jobs.worker.AFTER_ERROR_SECONDS", 0.05)
    done = []
    rows.failures = 3
    add(rows, "a")
    start({"test": finishing(rows, done)})

    wait_for(lambda: done == ["a"])


def test_a_failed_job_is_tried_again_and_the_reason_stands_on_it(rows, start, monkeypatch):
    monkeypatch.setattr(queue, "RETRY_PAUSES", (timedelta(milliseconds=20),))
    done, tries = [], []

    def handle(job):
        tries.append(job.attempt)
        if len(tries) < 3:
            raise OSError("the model store is away")
        finishing(rows, done)(job)

    add(rows, "a")
    start({"test": handle})

    wait_for(lambda: done == ["a"])
    assert tries == [1, 2, 3]


def test_a_job_that_can_never_succeed_is_given_up_at_once_and_told_of(rows, start):
    told = []

    def handle(job):
        raise Invalid("There is no such column.")

    add(rows, "a")
    start({"test": handle}, on_dead=lambda job, error: told.append((job.id, error)))

    wait_for(lambda: told)
    assert told == [("a", "Invalid: There is no such column.")]
    assert state(rows, "a").state is JobState.DEAD


def test_a_job_of_an_unknown_kind_is_given_up_with_a_reason(rows, start):
    add(rows, "a")
    start({})

    wait_for(lambda: state(rows, "a").state is JobState.DEAD)
    assert "No handler" in state(rows, "a").error


def test_a_job_that_makes_every_worker_vanish_is_given_up_and_told_of(rows, start):
    told = []
    add(rows, "a", attempts_max=1)
    rows.database.write(lambda c: queue.claim(c, owner="vanished", now=datetime.now(UTC) - timedelta(hours=1), limit=1))
    rows.database.write(
        lambda c: c.exec_driver_sql(
            "UPDATE job SET state = 'running', attempt = 100, owner = 'vanished', lease_until = '2020-01-01T00:00:00.000000Z'"
        )
    )
    start({}, on_dead=lambda job, error: told.append(job.id))

    wait_for(lambda: told == ["a"])


def test_no_more_jobs_run_at_once_than_there_are_hands(rows, start):
    running, most, lock = [0], [0], threading.Lock()
    done = []

    def handle(job):
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0.02)
        with lock:
            running[0] -= 1
        finishing(rows, done)(job)

    for number in range(12):
        add(rows, f"job-{number}")
    start({"test": handle}, slots=3)

    wait_for(lambda: len(done) == 12)
    assert most[0] == 3


def test_a_lease_is_kept_alive_while_its_job_runs(rows, start, monkeypatch):
    monkeypatch.setattr("modelward.jobs.worker.LEASE", timedelta(seconds=0.3))
    go, done = threading.Event(), []

    def handle(job):
        go.wait(20)
        finishing(rows, done)(job)

    add(rows, "a")
    start({"test": handle})
    wait_for(lambda: state(rows, "a").state is JobState.RUNNING)

    def lease():
        return rows.database.read(lambda c: c.exec_driver_sql("SELECT lease_until FROM job").scalar())

    first = lease()
    wait_for(lambda: lease() > first)
    go.set()
    wait_for(lambda: done == ["a"])


def test_stopping_finishes_the_running_job_and_takes_no_other(rows, start):
    begun, done = threading.Event(), []

    def handle(job):
        begun.set()
        time.sleep(0.2)
        finishing(rows, done)(job)

    add(rows, "a")
    worker = start({"test": handle}, slots=1)
    begun.wait(20)
    add(rows, "b")

    worker.stop()

    assert done == ["a"]
    assert state(rows, "b").state is JobState.WAITING


def test_the_only_worker_takes_up_at_once_what_an_earlier_process_left_running(rows, start):
    done = []
    add(rows, "a")
    rows.database.write(lambda c: queue.claim(c, owner="killed", now=datetime.now(UTC), limit=1))

    start({"test": finishing(rows, done)}, alone=True)

    wait_for(lambda: done == ["a"], seconds=5)
