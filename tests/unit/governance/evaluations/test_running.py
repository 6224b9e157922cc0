"""The job of an evaluation ends one way or the other, whatever happens to it."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace

from modelward.governance.evaluations import running, use_cases
from modelward.governance.evaluations.entities import EvaluationKind, EvaluationSettings, EvaluationState, ProblemType
from modelward.governance.registry import use_cases as registry
from modelward.jobs import queue
from modelward.jobs.queue import JobState, LeaseLost
from modelward.kernel.refs import ModelRef
from support.workshops import ANA

SETTINGS = EvaluationSettings(label="y", prediction="p", problem_type=ProblemType.BINARY)


def a_table():
    written = io.BytesIO()
    pq.write_table(pa.table({"y": [0, 1] * 50, "p": [0, 1] * 50}), written)
    return written.getvalue()


@pytest.fixture
def job(workshop):
    """A leased job for an evaluation of a version on a table."""
    digest, size = workshop.blobs.put(a_table())

    def prepare(work):
        registry.register_model(work, name="fraud")
        version = registry.register_version(work, ModelRef("fraud")).ref
        registry.store_artifact(work, digest=digest, bytes=size, name="table")
        use_cases.request_evaluation(work, version, kind=EvaluationKind.QUALITY, dataset=digest, settings=SETTINGS)

    workshop.write(ANA, prepare)
    return lease(workshop)


def lease(workshop):
    [leased] = workshop.database.write(lambda each: queue.claim(each, owner="me", now=workshop.clock(), limit=1))
    return leased


def the_evaluation(workshop, job):
    return workshop.read(ANA, lambda work: use_cases.get_evaluation(work, job.payload["evaluation"]))


def state_of(workshop, job):
    return workshop.database.read(lambda each: queue.get(each, job.id)).state


def test_the_evaluation_and_its_job_end_together(workshop, job):
    running.run(workshop, job)

    done = the_evaluation(workshop, job)
    assert done.state is EvaluationState.FINISHED
    assert workshop.blobs.exists(done.report)
    assert state_of(workshop, job) is JobState.DONE


def test_a_job_that_was_taken_over_keeps_nothing(workshop, job):
    with pytest.raises(LeaseLost):
        running.run(workshop, replace(job, attempt=job.attempt + 1))

    assert the_evaluation(workshop, job).state is EvaluationState.RUNNING


def test_a_damaged_table_is_never_evidence(workshop, job):
    workshop.blobs.path(the_evaluation(workshop, job).dataset).write_bytes(a_table() + b"\0")

    running.run(workshop, job)

    done = the_evaluation(workshop, job)
    assert done.state is EvaluationState.FAILED
    assert "have the digest" in done.reason


def test_an_evaluation_that_was_given_up_says_why(workshop, job):
    running.give_up(workshop, job, "MemoryError: too much")

    assert the_evaluation(workshop, job).state is EvaluationState.FAILED
    assert the_evaluation(workshop, job).reason == "MemoryError: too much"


def test_an_evaluation_that_has_ended_is_not_given_up(workshop, job):
    running.run(workshop, job)

    running.give_up(workshop, job, "late")

    assert the_evaluation(workshop, job).state is EvaluationState.FINISHED


def test_a_table_in_a_bucket_is_fetched_first(workshop, job, monkeypatch):
    monkeypatch.setattr(type(workshop.blobs), "path", lambda self, digest: None)

    running.run(workshop, job)

    assert the_evaluation(workshop, job).state is EvaluationState.FINISHED
