"""Enqueued once, leased to one, finished under a fence."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelward.jobs import queue
from modelward.jobs.queue import LEASE, RETRY_PAUSES, VANISHED_MAX, JobState, LeaseLost

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Line:
    """The queue of a database, with the time in the hand of the test."""

    def __init__(self, database):
        self.database, self.now = database, NOON

    def __getattr__(self, name):
        verb = getattr(queue, name)
        return lambda *args, **options: self.database.write(lambda connection: verb(connection, *args, **options))

    def add(self, id, **options):
        return self.enqueue(id=id, kind="test", payload={"of": id}, now=self.now, **options)

    def take(self, owner="w1", limit=10):
        return self.claim(owner=owner, now=self.now, limit=limit)

    def state(self, id):
        return self.get(id).state


@pytest.fixture
def line(database):
    return Line(database)


def test_the_same_id_twice_is_one_job(line):
    assert line.add("a")
    assert not line.add("a")

    assert [each.id for each in line.take()] == ["a"]


def test_a_job_that_is_done_is_not_made_again_by_its_id(line):
    line.add("a")
    (job,) = line.take()
    line.finish(job, now=NOON)

    assert not line.add("a")
    assert line.take() == []


def test_a_job_comes_out_as_it_went_in(line):
    line.enqueue(id="a", kind="test", payload={"text": "ü\n", "list": [1, None, 0.5]}, now=NOON)

    (job,) = line.take()
    assert (job.kind, job.payload, job.attempt) == ("test", {"text": "ü\n", "list": [1, None, 0.5]}, 1)


def test_a_leased_job_is_given_to_nobody_else(line):
    line.add("a")
    line.take("w1")

    assert line.take("w2") == []


def test_a_job_is_not_taken_before_its_time(line):
    line.add("a", run_at=NOON + SECOND)

    assert line.take() == []
    line.now = NOON + SECOND
    assert len(line.take()) == 1


def test_the_longest_due_come_first_and_no_more_than_wanted(line):
    for number in (3, 1, 2):
        line.add(f"job-{number}", run_at=NOON - number * SECOND)

    assert [each.id for each in line.take(limit=2)] == ["job-3", "job-2"]


def test_a_job_whose_lease_has_run_out_is_run_again_by_another(line):
    line.add("a")
    line.take("w1")
    line.now = NOON + LEASE + SECOND

    (again,) = line.take("w2")
    assert (again.id, again.owner, again.attempt) == ("a", "w2", 2)


def test_a_lease_that_is_extended_does_not_run_out(line):
    line.add("a")
    line.take("w1")
    line.extend(owner="w1", ids=["a"], now=NOON + LEASE)
    line.now = NOON + LEASE + SECOND

    assert line.take("w2") == []


def test_nobody_extends_the_lease_of_another(line):
    line.add("a")
    line.take("w1")
    line.extend(owner="w2", ids=["a"], now=NOON + LEASE)
    line.now = NOON + LEASE + SECOND

    assert len(line.take("w2")) == 1


def test_who_lost_the_lease_can_neither_finish_nor_fail_and_its_results_are_not_kept(line):
    line.add("a")
    (slow,) = line.take("w1")
    line.now = NOON + LEASE + SECOND
    (quick,) = line.take("w2")

    def keep_results_and_finish(connection):
        queue.enqueue(connection, id="result-of-slow", kind="test", payload={}, now=NOON)
        queue.finish(connection, slow, now=NOON)

    with pytest.raises(LeaseLost):
        line.database.write(keep_results_and_finish)
    with pytest.raises(LeaseLost):
        line.fail(slow, error="late", now=line.now)
    line.finish(quick, now=line.now)

    assert line.state("a") is JobState.DONE
    assert line.get("result-of-slow") is None


def test_the_same_worker_cannot_finish_an_attempt_that_it_took_up_anew(line):
    line.add("a")
    (first,) = line.take("w1")
    line.now = NOON + LEASE + SECOND
    line.take("w1")

    with pytest.raises(LeaseLost):
        line.finish(first, now=line.now)


def test_a_job_is_finished_once(line):
    line.add("a")
    (job,) = line.take()
    line.finish(job, now=NOON)

    with pytest.raises(LeaseLost):
        line.finish(job, now=NOON)


def test_a_failed_job_waits_longer_each_time_and_is_given_up_in_the_end(line):
    line.add("a", attempts_max=len(RETRY_PAUSES) + 2)

    for pause in (*RETRY_PAUSES, RETRY_PAUSES[-1]):
        (job,) = line.take()
        assert line.fail(job, error="no", now=line.now) is JobState.WAITING
        line.now += pause - SECOND / 10
        assert line.take() == []
        line.now += SECOND / 10
    (job,) = line.take()

    assert line.fail(job, error="never", now=line.now) is JobState.DEAD
    assert (line.get("a").error, line.get("a").attempt) == ("never", len(RETRY_PAUSES) + 2)
    line.now += timedelta(days=1)
    assert line.take() == []


def test_a_hopeless_failure_is_not_tried_again(line):
    line.add("a")
    (job,) = line.take()

    assert line.fail(job, error="wrong", now=NOON, retry=False) is JobState.DEAD


def test_a_job_that_kills_every_worker_is_given_up_with_a_reason(line):
    line.add("a", attempts_max=3)
    for _ in range(3 + VANISHED_MAX):
        assert line.bury(now=line.now) == []
        assert len(line.take()) == 1
        line.now += LEASE + SECOND

    assert line.take() == []
    assert [each.id for each in line.bury(now=line.now)] == ["a"]
    assert (line.state("a"), line.get("a").error) == (JobState.DEAD, queue.VANISHED)


def test_a_job_that_kills_its_process_at_every_start_is_given_up_too(line):
    line.add("a", attempts_max=3)
    for _ in range(3 + VANISHED_MAX):
        assert len(line.take()) == 1
        line.release_all()

    assert line.take() == []
    assert [each.id for each in line.bury(now=line.now)] == ["a"]


def test_a_job_in_its_last_attempt_is_not_given_up_while_it_is_leased(line):
    line.add("a", attempts_max=1)
    for _ in range(VANISHED_MAX):
        line.take()
        line.release_all()
    (job,) = line.take()

    assert line.bury(now=line.now) == []
    line.finish(job, now=line.now)


def test_what_is_next_due_is_the_first_of_waiting_jobs_and_of_leases(line):
    assert line.next_due() is None
    line.add("later", run_at=NOON + timedelta(hours=1))
    assert line.next_due() == NOON + timedelta(hours=1)
    line.add("now")
    line.take()
    assert line.next_due() == NOON + LEASE


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 3)),
        st.tuples(st.just("take"), st.sampled_from(["w1", "w2"])),
        st.tuples(st.sampled_from(["finish", "fail"]), st.integers(0, 5)),
        st.tuples(st.just("pass time"), st.sampled_from([1, 29, 31, 400])),
        st.tuples(st.just("restart"), st.none()),
    ),
    max_size=40,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_whatever_happens_an_effect_is_kept_at_most_once_and_no_job_is_lost(database, steps):
    line = Line(database)
    database.write(lambda connection: connection.execute(queue.job.delete()))
    held, effects, added = [], [], set()
    for verb, what in steps:
        if verb == "add":
            added.add(f"job-{what}")
            line.add(f"job-{what}", attempts_max=1000)
        elif verb == "take":
            held += line.take(what, limit=2)
        elif verb == "pass time":
            line.now += timedelta(seconds=what)
        elif verb == "restart":
            line.release_all()
        elif held:
            job = held[what % len(held)]
            try:
                line.finish(job, now=line.now) if verb == "finish" else line.fail(job, error="no", now=line.now)
            except LeaseLost:
                continue
            effects += [job.id] if verb == "finish" else []

    assert len(effects) == len(set(effects))
    line.release_all()
    line.now += timedelta(days=1)
    left = {each.id for each in line.take(limit=100)}
    assert left | set(effects) == added
    assert not left & set(effects)
