"""When evidence is looked through for what has become too old: every hour, once there is any."""

from modelward.jobs import schedules
from modelward.jobs.schedules import CatchUp, Schedule
from modelward.storage.work import Work

LAPSING_JOB = "lapse-card-evidence"
LAPSING_CRON = "20 * * * *"


def watch_evidence(work: Work) -> None:
    """Look every hour for evidence that has become too old; called when cards learn of some."""
    if schedules.get(work.connection, LAPSING_JOB) is None:
        hourly = Schedule(id=LAPSING_JOB, kind=LAPSING_JOB, payload={}, cron=LAPSING_CRON, catch_up=CatchUp.LATEST)
        schedules.put(work.connection, hourly, now=work.now)
