"""The jobs of monitoring: profile a baseline, turn a slot into a run, compute a run. Gather, compute, keep in one transaction."""

from collections.abc import Callable
from datetime import datetime

from msgspec.structs import replace

from modelward.analysis import suggest
from modelward.governance.access.entities import SYSTEM
from modelward.governance.monitoring import comparing, reporting, rules, store, use_cases
from modelward.governance.monitoring.entities import (
    Baseline,
    BaselineFailed,
    BaselineReady,
    BaselineState,
    Failure,
    Monitor,
    Run,
    RunFailed,
    RunFinished,
    RunState,
)
from modelward.governance.monitoring.history_store import HistoryOvertaken, KeptHistory, put_history
from modelward.jobs import queue, schedules
from modelward.jobs.queue import Job
from modelward.jobs.worker import HOPELESS
from modelward.kernel import codec
from modelward.kernel.clock import Clock, moment
from modelward.kernel.errors import ModelwardError, Unavailable
from modelward.kernel.refs import BaselineRef, Digest, MonitorRef, RunRef
from modelward.storage.blobs import BlobDamaged, BlobMissing
from modelward.storage.work import Work, Workshop

JUDGED_AGAIN_MAX = 20
LAST_HELP = "Look at the server's log, mend the cause, and run the window again."


def prepare_baseline(workshop: Workshop, job: Job, *, clock: Clock) -> None:
    """Profile the data set of a baseline, suggest constraints, and keep both."""
    name = BaselineRef(job.payload["baseline"])
    found = workshop.read(SYSTEM, lambda work: use_cases.get_baseline(work, name))
    if found.state is not BaselineState.PREPARING:
        workshop.write(SYSTEM, lambda work: queue.finish(work.connection, job, now=clock()))
        return
    try:
        seen = comparing.profile_of(workshop, found)
    except (*HOPELESS, BlobDamaged, Unavailable) as problem:
        if not _is_last(problem, job):
            raise
        reason = str(problem)
        workshop.write(SYSTEM, lambda work: _keep_baseline_failure(work, found, job, reason, clock))
        return
    constraints, _ = workshop.blobs.put(codec.canonical(suggest(seen)))
    kept, _ = workshop.blobs.put(seen.to_bytes())
    ready = replace(found, state=BaselineState.READY, rows=seen.rows, profile=kept, constraints=constraints)
    workshop.write(SYSTEM, lambda work: _keep_baseline(work, ready, job, clock))


def _keep_baseline(work: Work, ready: Baseline, job: Job, clock: Clock) -> None:
    store.put_baseline(work, replace(ready, ready_at=work.now))
    assert ready.rows is not None
    assert ready.profile is not None
    assert ready.constraints is not None
    queue.finish(work.connection, job, now=clock())
    work.record(
        BaselineReady(
            baseline=ready.name,
            dataset=ready.dataset,
            rows=ready.rows,
            profile=ready.profile,
            constraints=ready.constraints,
            version=ready.version,
        )
    )


def _keep_baseline_failure(work: Work, found: Baseline, job: Job, reason: str, clock: Clock) -> None:
    store.put_baseline(work, replace(found, state=BaselineState.FAILED, reason=reason))
    queue.finish(work.connection, job, now=clock())
    work.record(BaselineFailed(baseline=found.name, dataset=found.dataset, reason=reason))


def start_slot(workshop: Workshop, job: Job, *, clock: Clock) -> None:
    """Turn a slot of a schedule into its one run; the run and the end of this job are one transaction."""
    name, slot = MonitorRef(job.payload["monitor"]), moment(job.payload["slot"])

    def task(work: Work) -> None:
        found = store.find_monitor(work, name)
        # A monitor that was paused or removed since the slot was due makes no run.
        if found is not None and found.enabled and found.cron:
            start, end = _window(work, found, slot)
            use_cases.request_run(work, found, start=start, end=end, scheduled=True)
        queue.finish(work.connection, job, now=clock())

    workshop.write(SYSTEM, task)


def _window(work: Work, monitor: Monitor, slot: datetime) -> tuple[datetime, datetime]:
    before = schedules.slot_before(monitor.cron, monitor.zone, slot)
    last_end = store.last_scheduled_end(work, monitor.name)
    return rules.window_of_slot(monitor, slot, last_end=last_end, slot_before=before)


def compute_run(workshop: Workshop, job: Job, *, clock: Clock) -> None:
    """Compare a window with its baseline and keep the verdict; what cannot be computed ends with its cause and remedy."""
    ref = RunRef(job.payload["run"])
    found = workshop.read(SYSTEM, lambda work: use_cases.get_run(work, ref))
    if found.state in (RunState.FINISHED, RunState.FAILED):
        workshop.write(SYSTEM, lambda work: queue.finish(work.connection, job, now=clock()))
        return
    workshop.write(SYSTEM, lambda work: store.note_start(work, ref))
    try:
        seen = comparing.look(workshop, found)
        _judge_and_keep(workshop, seen, lambda work: _finish(work, job, clock))
    except (*HOPELESS, BlobDamaged, Unavailable) as problem:
        if not _is_last(problem, job):
            raise
        failure = _failure(problem)
        workshop.write(SYSTEM, lambda work: _keep_failure(work, ref, failure, lambda: _finish(work, job, clock)))


def _judge_and_keep(workshop: Workshop, found: comparing.Look, finish: Callable[[Work], None]) -> None:
    """Keep the verdict, and in the same transaction the history it was made from; judge again if that has moved on."""
    seen, _ = workshop.blobs.put(found.seen.to_bytes())
    for _ in range(JUDGED_AGAIN_MAX):
        report, history = comparing.judge(workshop, found)
        kept, _ = workshop.blobs.put(report.to_json())
        try:
            workshop.write(SYSTEM, lambda work: _keep_run(work, report, kept, seen, history, lambda: finish(work)))  # noqa: B023 - runs before the next turn
            return
        except HistoryOvertaken:
            continue
    raise Unavailable(f"Other runs of {found.run.monitor} were counted all the time.")


def _finish(work: Work, job: Job, clock: Clock) -> None:
    queue.finish(work.connection, job, now=clock())


def _is_last(problem: Exception, job: Job) -> bool:
    """Whether another attempt would not help, or there is none left."""
    hopeless = isinstance(problem, (*HOPELESS, BlobDamaged))
    return hopeless or job.attempt >= job.attempts_max


def _failure(problem: Exception) -> Failure:
    if isinstance(problem, ModelwardError):
        what_to_do = problem.hint or LAST_HELP
        if isinstance(problem, BlobMissing | BlobDamaged):
            what_to_do = "The stored bytes are gone or changed: restore them from a backup, then run the window again."
        return Failure(cause=problem.message, what_to_do=what_to_do)
    return Failure(cause=str(problem), what_to_do=LAST_HELP)


def _keep_run(
    work: Work,
    report: reporting.Report,
    kept: Digest,
    seen: Digest,
    history: KeptHistory | None,
    finish: Callable[[], None],
) -> None:
    judged = report.judged_run(report=kept, profile=seen)
    finished = replace(judged, started_at=_started(work, judged), finished_at=work.now)
    store.put_run(work, finished)
    store.add_points(work, finished.monitor, reporting.points_of(report))
    if history is not None:
        put_history(work, history)
    finish()
    assert finished.outcome is not None
    work.record(
        RunFinished(
            run=finished.id,
            monitor=finished.monitor,
            endpoint=finished.endpoint,
            baseline=finished.baseline,
            window_start=finished.window_start,
            window_end=finished.window_end,
            outcome=finished.outcome,
            reason=finished.reason,
            rows=finished.rows or 0,
            violations=finished.violations,
            drifted=finished.drifted,
            report=kept,
        )
    )


def _keep_failure(work: Work, ref: RunRef, failure: Failure, finish: Callable[[], None]) -> None:
    found = use_cases.get_run(work, ref)
    store.put_run(work, replace(found, state=RunState.FAILED, failure=failure, finished_at=work.now))
    finish()
    work.record(RunFailed(run=ref, monitor=found.monitor, cause=failure.cause, what_to_do=failure.what_to_do))


def _started(work: Work, run: Run) -> datetime | None:
    return use_cases.get_run(work, run.id).started_at


def give_up(workshop: Workshop, job: Job, error: str) -> None:
    """Show on the run or baseline that its job was given up for a fault of ours; told by the worker."""

    def task(work: Work) -> None:
        if job.kind == use_cases.RUN_JOB:
            found = use_cases.get_run(work, RunRef(job.payload["run"]))
            if found.state not in (RunState.FINISHED, RunState.FAILED):
                _keep_failure(work, found.id, Failure(cause=error, what_to_do=LAST_HELP), lambda: None)
        elif job.kind == use_cases.BASELINE_JOB:
            known = use_cases.get_baseline(work, BaselineRef(job.payload["baseline"]))
            if known.state is BaselineState.PREPARING:
                store.put_baseline(work, replace(known, state=BaselineState.FAILED, reason=error))
                work.record(BaselineFailed(baseline=known.name, dataset=known.dataset, reason=error))

    workshop.write(SYSTEM, task)
