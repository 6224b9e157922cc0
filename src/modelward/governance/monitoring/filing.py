"""Filing: single records of hours gone by become one Parquet file per endpoint and hour. Nothing is lost or doubled.

The bytes are stored first; then one transaction notes the file and empties exactly the rows it was made of. A crash in
between leaves a blob that nobody points to, and the rows as they were.
"""

from datetime import datetime, timedelta

from modelward.governance.access.entities import SYSTEM
from modelward.governance.monitoring import capture_store as store
from modelward.governance.monitoring import rules
from modelward.governance.monitoring.entities import CaptureFile, CapturesFiled, FileKind
from modelward.jobs import queue, schedules
from modelward.jobs.queue import Job
from modelward.jobs.schedules import CatchUp, Schedule
from modelward.kernel.clock import Clock, moment
from modelward.kernel.errors import Conflict
from modelward.kernel.refs import EndpointRef
from modelward.storage.work import Work, Workshop

FILING_JOB = "file-captures"
FILING_CRON = "5 * * * *"
ROWS_AT_ONCE = 200_000


class FiledAlready(Conflict):
    """Another worker has filed some of these records."""


def begin_filing(work: Work) -> None:
    """Let records be filed every hour; called when the first endpoint is made."""
    if schedules.get(work.connection, FILING_JOB) is None:
        hourly = Schedule(id=FILING_JOB, kind=FILING_JOB, payload={}, cron=FILING_CRON, catch_up=CatchUp.LATEST)
        schedules.put(work.connection, hourly, now=work.now)


def file_captures(workshop: Workshop, job: Job, *, clock: Clock) -> None:
    """File all records of hours that have ended, and forget the ids of those that were filed long ago."""
    now = clock()
    file_until(workshop, now)
    workshop.write(SYSTEM, lambda work: store.forget_ids(work.connection, now=now))
    workshop.write(SYSTEM, lambda work: queue.finish(work.connection, job, now=clock()))


def file_until(workshop: Workshop, now: datetime) -> int:
    """File the records of all hours that ended before a moment; return how many."""
    hours = workshop.read(SYSTEM, lambda work: store.hot_hours(work.connection, before=now))
    filed = 0
    for endpoint, hour in hours:
        while count := _file_hour(workshop, endpoint, hour):
            filed += count
    return filed


def _file_hour(workshop: Workshop, endpoint: EndpointRef, hour: datetime) -> int:
    from modelward.governance.monitoring import tables

    end = hour + timedelta(hours=1)
    records, last = workshop.read(
        SYSTEM,
        lambda work: store.hot_records(work.connection, endpoint, start=hour, end=end, limit=ROWS_AT_ONCE),
    )
    if not records:
        return 0
    table, notes = tables.table_of_records(records)
    digest, size = workshop.blobs.put(tables.parquet_bytes(table))
    times = [record.at for record in records]
    outside = (rules.ID_COLUMN, rules.TIME_COLUMN)
    file = CaptureFile(
        id=rules.file_id(endpoint, FileKind.HOUR, digest, str(last)),
        endpoint=endpoint,
        kind=FileKind.HOUR,
        digest=digest,
        bytes=size,
        rows=len(records),
        first_at=moment(min(times)),
        last_at=moment(max(times)),
        time_column=rules.TIME_COLUMN,
        id_column=rules.ID_COLUMN,
        columns={field.name: str(field.type) for field in table.schema if field.name not in outside},
        notes=notes,
        stored_at=workshop.clock(),
        stored_by=SYSTEM.id,
    )
    workshop.write(SYSTEM, lambda work: _keep(work, file, hour, last))
    return len(records)


def _keep(work: Work, file: CaptureFile, hour: datetime, last: int) -> None:
    end = hour + timedelta(hours=1)
    emptied = store.mark_filed(work, file.endpoint, start=hour, end=end, up_to=last, file=file.id)
    if emptied != file.rows:
        raise FiledAlready(f"{file.rows} records were read, {emptied} are left to be filed: this file is not kept.")
    store.add_file(work, file, {hour: file.rows})
    work.record(CapturesFiled(endpoint=file.endpoint, file=file.id, table=file.digest, rows=file.rows, hour=hour))
