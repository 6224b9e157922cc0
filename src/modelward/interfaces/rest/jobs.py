"""The jobs over REST: what waits, runs, is done or was given up."""

import msgspec

from modelward.governance.access.permissions import Permission, require
from modelward.interfaces.rest.operations import Operations
from modelward.jobs import queue, schedules
from modelward.jobs.queue import Job, JobState
from modelward.kernel.errors import NotFound
from modelward.storage.work import Work

jobs = Operations("jobs")


class JobSummary(msgspec.Struct, frozen=True, kw_only=True):
    """How many jobs stand where. ``due`` counts those that wait although their time has come."""

    waiting: int
    running: int
    done: int
    dead: int
    due: int


class ListJobs(msgspec.Struct, frozen=True, kw_only=True):
    """Which jobs to list."""

    state: JobState | None = None
    kind: str | None = None
    limit: int = 100


@jobs.operation("GET", "/jobs", permission=Permission.JOB_READ)
def list_jobs(work: Work, query: ListJobs) -> list[Job]:
    """List jobs, the newest first."""
    require(work, Permission.JOB_READ)
    return queue.list_jobs(work.connection, state=query.state, kind=query.kind, limit=min(query.limit, 1000))


@jobs.operation("GET", "/jobs/summary", permission=Permission.JOB_READ)
def summarise_jobs(work: Work) -> JobSummary:
    """Count the jobs by state."""
    require(work, Permission.JOB_READ)
    counted = queue.counts(work.connection)
    due = queue.count_due(work.connection, now=work.now)
    return JobSummary(due=due, **{state.value: counted.get(state.value, 0) for state in JobState})


@jobs.operation("GET", "/schedules/{schedule}", permission=Permission.JOB_READ)
def get_schedule(work: Work, schedule: str) -> schedules.Schedule:
    """Get a schedule and its next slot."""
    require(work, Permission.JOB_READ)
    found = schedules.get(work.connection, schedule)
    if found is None:
        raise NotFound(f"There is no schedule {schedule}.", field="schedule")
    return found
