"""What one can do with evaluations: request one, follow it, read its report."""

from msgspec.structs import replace

from modelward.governance.access.permissions import Permission, require
from modelward.governance.evaluations import rules, store
from modelward.governance.evaluations.entities import (
    Evaluation,
    EvaluationFailed,
    EvaluationFinished,
    EvaluationKind,
    EvaluationRequested,
    EvaluationSettings,
    EvaluationStarted,
    EvaluationState,
    Summary,
)
from modelward.jobs import queue
from modelward.jobs.queue import Job
from modelward.kernel.errors import Conflict, NotFound
from modelward.kernel.ids import new_id
from modelward.kernel.outcome import Judgement
from modelward.kernel.pages import Page, PageRequest
from modelward.kernel.refs import Digest, EvaluationRef, VersionRef
from modelward.storage.work import Work

EVALUATION_JOB = "evaluation"
ATTEMPTS_MAX = 3


class ReportMissing(Conflict):
    """This evaluation has no report."""


def request_evaluation(
    work: Work, version: VersionRef, *, kind: EvaluationKind, dataset: Digest, settings: EvaluationSettings
) -> Evaluation:
    """Ask for an evaluation of a version on a stored table (Parquet or CSV); a job computes it.

    Raises:
        Invalid: the settings lack what this kind needs.
        NotFound: the version is not registered or the table is not stored.
    """
    require(work, Permission.EVALUATION_WRITE, on=version)
    rules.check_settings(kind, settings)
    new = Evaluation(
        id=EvaluationRef(new_id("evaluation")),
        version=version,
        kind=kind,
        dataset=dataset,
        settings=settings,
        created_at=work.now,
        created_by=work.actor.id,
    )
    store.add(work, new)
    queue.enqueue(
        work.connection,
        id=new.id,
        kind=EVALUATION_JOB,
        payload={"evaluation": str(new.id)},
        now=work.now,
        attempts_max=ATTEMPTS_MAX,
    )
    work.record(EvaluationRequested(evaluation=new.id, version=version, kind=kind, dataset=dataset))
    return new


def start_evaluation(work: Work, ref: EvaluationRef) -> Evaluation:
    """Note that an evaluation runs; one that runs again after a crash is not noted twice."""
    require(work, Permission.EVALUATION_WRITE, on=ref)
    found = get_evaluation(work, ref)
    if found.state is not EvaluationState.WAITING:
        return found
    started = replace(found, state=EvaluationState.RUNNING)
    store.put(work, started)
    work.record(EvaluationStarted(evaluation=ref, version=found.version))
    return started


def finish_evaluation(work: Work, job: Job, *, judgement: Judgement, report: Digest, summary: Summary) -> Evaluation:
    """Keep what was computed and close the job, in one transaction."""
    ref = EvaluationRef(job.payload["evaluation"])
    require(work, Permission.EVALUATION_WRITE, on=ref)
    finished = replace(
        get_evaluation(work, ref),
        state=EvaluationState.FINISHED,
        outcome=judgement.outcome,
        reason=judgement.reason,
        report=report,
        summary=summary,
        finished_at=work.now,
    )
    store.put(work, finished)
    queue.finish(work.connection, job, now=work.now)
    work.record(
        EvaluationFinished(
            evaluation=ref,
            version=finished.version,
            kind=finished.kind,
            dataset=finished.dataset,
            outcome=judgement.outcome,
            reason=judgement.reason,
            report=report,
        )
    )
    return finished


def fail_evaluation(work: Work, ref: EvaluationRef, *, reason: str, job: Job | None = None) -> Evaluation:
    """Keep why an evaluation could not be computed, and close the job where it is still open.

    One that has ended already stays as it is.
    """
    require(work, Permission.EVALUATION_WRITE, on=ref)
    if job is not None:
        queue.finish(work.connection, job, now=work.now)
    found = get_evaluation(work, ref)
    if found.state in (EvaluationState.FINISHED, EvaluationState.FAILED):
        return found
    told = reason[: rules.REASON_CHARACTERS_MAX]
    failed = replace(found, state=EvaluationState.FAILED, reason=told, finished_at=work.now)
    store.put(work, failed)
    work.record(EvaluationFailed(evaluation=ref, version=found.version, kind=found.kind, reason=told))
    return failed


def get_evaluation(work: Work, ref: EvaluationRef) -> Evaluation:
    """An evaluation by its id.

    Raises:
        NotFound: there is none.
    """
    require(work, Permission.EVALUATION_READ, on=ref)
    found = store.find(work, ref)
    if found is None:
        raise NotFound(f"There is no evaluation {ref}.", field="evaluation")
    return found


def list_evaluations(work: Work, version: VersionRef, *, page: PageRequest) -> Page[Evaluation]:
    """The evaluations of a version, the newest first."""
    require(work, Permission.EVALUATION_READ, on=version)
    return store.list_of(work, version, page=page)


def newest_of_each_kind(work: Work, version: VersionRef) -> list[Evaluation]:
    """Of each kind the evaluation that ended last: the evidence there is for a version."""
    require(work, Permission.EVALUATION_READ, on=version)
    return store.newest_of_each_kind(work, version)


def list_unfinished(work: Work, version: VersionRef) -> list[EvaluationRef]:
    """The evaluations of a version that wait or run."""
    require(work, Permission.EVALUATION_READ, on=version)
    return store.list_unfinished(work, version)


def read_report(work: Work, ref: EvaluationRef) -> bytes:
    """The report of a finished evaluation: JSON, checked against its digest.

    Raises:
        ReportMissing: the evaluation has not finished.
    """
    found = get_evaluation(work, ref)
    if found.report is None:
        why = found.reason or "it has not finished yet"
        raise ReportMissing(f"{ref} is {found.state.value} and has no report: {why}.", field="evaluation")
    return work.blobs.get(found.report)
