"""Captured records, baselines, monitors, runs, and what happens to them. Frozen; no I/O."""

from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

import msgspec

from modelward.kernel.events import Happening
from modelward.kernel.outcome import Outcome
from modelward.kernel.refs import BaselineRef, Digest, EndpointRef, MonitorRef, RunRef, VersionRef

Scalar: TypeAlias = bool | int | float | str | None


class CaptureRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One prediction as the model made it: what went in, what came out, and when. A second one of its id is not kept."""

    inference_id: str
    at: datetime
    features: dict[str, Scalar]
    prediction: Scalar = None
    probability: float | None = None


class CapturesReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a batch of records: new ones, and those that were there before."""

    endpoint: EndpointRef
    stored: int
    duplicates: int


class FileKind(StrEnum):
    """Where a file of captured records comes from: an hour of single records, or a table that somebody sent."""

    HOUR = "hour"
    TABLE = "table"


class CaptureFile(msgspec.Struct, frozen=True, kw_only=True):
    """A Parquet file of captured records. ``at`` is the one time of all rows where there is no ``time_column``.

    ``id_column`` names the column of inference ids, if any.
    ``columns`` maps each column, the outcome columns among them and the id and time apart, to its Arrow type.
    """

    id: str
    endpoint: EndpointRef
    kind: FileKind
    digest: Digest
    bytes: int
    rows: int
    first_at: datetime
    last_at: datetime
    time_column: str = ""
    id_column: str = ""
    at: datetime | None = None
    columns: dict[str, str]
    notes: list[str] = []
    stored_at: datetime
    stored_by: str


class Traffic(msgspec.Struct, frozen=True, kw_only=True):
    """How many records an hour (or day) holds."""

    start: datetime
    rows: int


class BaselineState(StrEnum):
    """Whether a baseline can be compared with."""

    PREPARING = "preparing"
    READY = "ready"
    FAILED = "failed"


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """What data looked like when all was well: the profile of a data set, and the constraints that data must keep.

    The constraints are suggested from the profile (``constraints_version`` 1); each change by a person counts one up.
    ``dataset`` is the digest of an artifact: Parquet, CSV or JSON lines. ``columns``: only these (all when None).
    ``profile`` and ``constraints`` are digests of blobs, there when the state is ready.
    """

    name: BaselineRef
    version: VersionRef | None = None
    dataset: Digest
    columns: list[str] | None = None
    state: BaselineState = BaselineState.PREPARING
    reason: str = ""
    rows: int | None = None
    profile: Digest | None = None
    constraints: Digest | None = None
    constraints_version: int = 1
    created_at: datetime
    created_by: str
    ready_at: datetime | None = None


class MonitorKind(StrEnum):
    """What a monitor watches."""

    DATA_QUALITY = "data-quality"


class Monitor(msgspec.Struct, frozen=True, kw_only=True):
    """Compares windows of captured records of an endpoint with a baseline, by a cron line or on demand.

    ``cron`` empty: only on demand. ``window_hours`` None: from the end of the window before to the slot. A window ends
    ``lag_minutes`` before its slot, so that late records are in. ``next_at`` is the next slot.

    ``false_alarms_a_month``: how many drift alarms a month may come by chance; then runs are also judged together. None:
    that of the constraints, else of the installation; on demand each run for itself, by the share in the constraints.
    ``segments``: up to three columns by whose values groups of rows are compared apart.
    """

    name: MonitorRef
    endpoint: EndpointRef
    baseline: BaselineRef
    kind: MonitorKind = MonitorKind.DATA_QUALITY
    cron: str = ""
    zone: str = "UTC"
    window_hours: int | None = 24
    lag_minutes: int = 0
    false_alarms_a_month: float | None = None
    segments: list[str] = []
    enabled: bool = True
    created_at: datetime
    created_by: str
    next_at: datetime | None = None


class RunState(StrEnum):
    """Where a run stands. Finished: there is a verdict, passed or not; failed: none could be reached."""

    WAITING = "waiting"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a run found, for people: which column, which check, in a sentence with the figures.

    ``severity`` orders findings: how many times the limit was exceeded (structural breaks count as infinite: 1e9).
    """

    column: str
    check: str
    text: str
    observed: str
    expected: str
    severity: float = 0.0


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a run could not reach a verdict, and what to do about it."""

    cause: str
    what_to_do: str


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One comparison of a window ``[window_start, window_end)`` with a baseline; ``attempt`` counts from 1 per window.

    ``violations`` counts broken constraints, ``drifted`` names the columns that drifted, ``findings`` holds the worst.
    ``report`` and ``profile`` are digests of blobs.
    """

    id: RunRef
    monitor: MonitorRef
    endpoint: EndpointRef
    baseline: BaselineRef
    window_start: datetime
    window_end: datetime
    attempt: int = 1
    scheduled: bool = False
    state: RunState = RunState.WAITING
    outcome: Outcome | None = None
    reason: str = ""
    rows: int | None = None
    violations: int = 0
    drifted: list[str] = []
    findings: list[Finding] = []
    notes: list[str] = []
    failure: Failure | None = None
    report: Digest | None = None
    profile: Digest | None = None
    requested_at: datetime
    requested_by: str
    started_at: datetime | None = None
    finished_at: datetime | None = None


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of one run, for drawing: ``column`` is empty for the whole table; ``at`` is the end of the window.

    Measures: ``rows``, ``violations``, ``budget_spent`` (whole table; the last: the expected false alarms that the runs so
    far took, with what they may take as its threshold); ``drift`` (effect, with its threshold), ``distance``,
    ``completeness`` (with its threshold), ``mean`` (per column).
    """

    run: RunRef
    at: datetime
    column: str
    measure: str
    value: float
    threshold: float | None = None


class CapturesStored(Happening, frozen=True, kw_only=True):
    """A batch of records of an endpoint was stored."""

    endpoint: EndpointRef
    records: int
    duplicates: int
    first_at: datetime
    last_at: datetime


class CaptureTableStored(Happening, frozen=True, kw_only=True):
    """A table of records of an endpoint was stored."""

    endpoint: EndpointRef
    file: str
    table: Digest
    rows: int
    first_at: datetime
    last_at: datetime


class CapturesFiled(Happening, frozen=True, kw_only=True):
    """The single records of an hour were written to a file."""

    endpoint: EndpointRef
    file: str
    table: Digest
    rows: int
    hour: datetime


class BaselineCreated(Happening, frozen=True, kw_only=True):
    """A baseline was asked for; its profile is being made."""

    baseline: BaselineRef
    dataset: Digest
    version: VersionRef | None = None


class BaselineReady(Happening, frozen=True, kw_only=True):
    """A baseline has its profile and its constraints."""

    baseline: BaselineRef
    dataset: Digest
    rows: int
    profile: Digest
    constraints: Digest
    version: VersionRef | None = None


class BaselineConstraintsChanged(Happening, frozen=True, kw_only=True):
    """A person changed the constraints of a baseline; both versions are kept under their digests."""

    baseline: BaselineRef
    version: int
    constraints: Digest
    constraints_before: Digest
    note: str


class BaselineFailed(Happening, frozen=True, kw_only=True):
    """The profile of a baseline could not be made."""

    baseline: BaselineRef
    dataset: Digest
    reason: str


class MonitorCreated(Happening, frozen=True, kw_only=True):
    """A monitor began to watch an endpoint."""

    monitor: MonitorRef
    endpoint: EndpointRef
    baseline: BaselineRef
    cron: str


class MonitorChanged(Happening, frozen=True, kw_only=True):
    """The settings of a monitor changed; ``changed`` names the fields."""

    monitor: MonitorRef
    changed: list[str]


class MonitorRemoved(Happening, frozen=True, kw_only=True):
    """A monitor ended; its runs stay."""

    monitor: MonitorRef
    endpoint: EndpointRef


class RunRequested(Happening, frozen=True, kw_only=True):
    """A run of a monitor was asked for, by a person or by its schedule."""

    run: RunRef
    monitor: MonitorRef
    window_start: datetime
    window_end: datetime
    attempt: int
    scheduled: bool


class RunFinished(Happening, frozen=True, kw_only=True):
    """A run reached a verdict: passed, failed or undecided."""

    run: RunRef
    monitor: MonitorRef
    endpoint: EndpointRef
    baseline: BaselineRef
    window_start: datetime
    window_end: datetime
    outcome: Outcome
    reason: str
    rows: int
    violations: int
    drifted: list[str]
    report: Digest


class RunFailed(Happening, frozen=True, kw_only=True):
    """A run could not reach a verdict."""

    run: RunRef
    monitor: MonitorRef
    cause: str
    what_to_do: str
