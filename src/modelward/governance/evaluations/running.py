"""The job of an evaluation: fetch the table, compute, keep the report, then say so in one transaction."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from modelward.governance.access.entities import SYSTEM
from modelward.governance.evaluations import use_cases
from modelward.governance.evaluations.entities import Evaluation
from modelward.jobs.queue import Job
from modelward.kernel.errors import Invalid, NotFound, NotImplementedYet
from modelward.kernel.refs import Digest, EvaluationRef
from modelward.storage.blobs import BlobDamaged, Blobs
from modelward.storage.work import Workshop

# What a second attempt cannot mend: it is the evaluation that failed, not the machine.
FINAL = (Invalid, NotFound, NotImplementedYet, BlobDamaged)


def run(workshop: Workshop, job: Job) -> None:
    """Run one evaluation. A wrong column or a damaged table ends it as failed, with the error's words."""
    ref = EvaluationRef(job.payload["evaluation"])
    evaluation = workshop.write(SYSTEM, lambda work: use_cases.start_evaluation(work, ref))
    try:
        _compute_and_keep(workshop, job, evaluation)
    except FINAL as problem:
        reason = str(problem)
        workshop.write(SYSTEM, lambda work: use_cases.fail_evaluation(work, ref, reason=reason, job=job))


def _compute_and_keep(workshop: Workshop, job: Job, evaluation: Evaluation) -> None:
    # Loaded here: numbers need numpy and pyarrow, and a server that computes nothing should not pay for them.
    from modelward.governance.evaluations.computing import compute

    with _as_file(workshop.blobs, evaluation.dataset) as path:
        try:
            computed = compute(evaluation, str(path))
        except (Invalid, NotFound) as problem:
            told = str(problem).replace(str(path), evaluation.dataset)
            raise Invalid(told) from problem
    report, _ = workshop.blobs.put(computed.report)
    workshop.write(
        SYSTEM,
        lambda work: use_cases.finish_evaluation(
            work, job, judgement=computed.judgement, report=report, summary=computed.summary
        ),
    )


@contextlib.contextmanager
def _as_file(blobs: Blobs, digest: Digest) -> Iterator[Path]:
    """The table as a file, after its bytes were checked against the digest."""
    kept = blobs.path(digest)
    with contextlib.ExitStack() as held:
        file = None if kept else held.enter_context(tempfile.NamedTemporaryFile())
        for piece in blobs.open(digest):
            if file:
                file.write(piece)
        if file:
            file.flush()
        yield kept or Path(file.name if file else "")


def give_up(workshop: Workshop, job: Job, error: str) -> None:
    """Say that an evaluation failed after the last attempt, as when it took the process down each time."""
    ref = EvaluationRef(job.payload["evaluation"])
    workshop.write(SYSTEM, lambda work: use_cases.fail_evaluation(work, ref, reason=error))
