"""Who wanted a job that was given up is told of it, also when the process ended in between."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from modelward.jobs import queue, worker
from modelward.jobs.queue import JobState
from modelward.jobs.worker import Worker

NOW = datetime.now(UTC) - timedelta(minutes=1)


@pytest.fixture
def start(database):
    workers = []

    def begin(on_dead):
        workers.append(Worker(database, {}, on_dead=on_dead))
        workers[-1].start()
        return workers[-1]

    yield begin
    for each in workers:
        each.stop()


def given_up(database, id):
    """A job that an earlier process gave up and told nobody of."""

    def task(connection):
        queue.enqueue(connection, id=id, kind="test", payload={}, now=NOW)
        (job,) = queue.claim(connection, owner="gone", now=NOW, limit=1)
        queue.fail(connection, job, error="It broke.", now=NOW, retry=False)

    database.write(task)


def wait_for(what):
    until = time.monotonic() + 20
    while not what():
        assert time.monotonic() < until, "It did not happen."
        time.sleep(0.01)


def untold(database):
    return [each.id for each in database.read(queue.untold)]


def test_the_next_process_tells_of_what_an_earlier_one_gave_up(database, start):
    given_up(database, "a")
    told = []

    start(lambda job, error: told.append((job.id, error)))

    wait_for(lambda: untold(database) == [])
    assert told == [("a", "It broke.")]
    assert database.read(lambda c: queue.get(c, "a")).state is JobState.DEAD


def test_what_was_told_is_not_told_again(database, start):
    given_up(database, "a")
    first, second = [], []
    workers = [start(lambda job, _: first.append(job.id))]
    wait_for(lambda: untold(database) == [])

    workers.append(start(lambda job, _: second.append(job.id)))
    database.write(lambda c: queue.enqueue(c, id="b", kind="unknown", payload={}, now=NOW))
    for each in workers:
        each.wake()

    wait_for(lambda: "b" in first + second)
    assert "a" not in second


def test_one_who_cannot_be_told_now_is_told_later_and_holds_up_no_other_job(database, start, monkeypatch):
    monkeypatch.setattr(worker, "TELL_AGAIN_SECONDS", 0.1)
    given_up(database, "a")
    given_up(database, "b")
    tries = []

    def tell(job, _):
        tries.append(job.id)
        if tries.count("a") < 3 and job.id == "a":
            raise OSError("not now")

    start(tell)

    wait_for(lambda: untold(database) == [])
    assert tries.count("a") == 3
    assert tries.count("b") == 1
