"""Alert rules, alerts, and what happens to them. Frozen; no I/O."""

from datetime import datetime
from enum import StrEnum

import msgspec

from modelward.kernel.errors import Invalid
from modelward.kernel.events import Happening
from modelward.kernel.outcome import Outcome
from modelward.kernel.refs import AlertRef, EndpointRef, MonitorRef, RunRef, VersionRef

RUNS_JUDGED_MAX = 100


class Severity(StrEnum):
    """How much an alert matters."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class AlertState(StrEnum):
    """Where an alert stands. One that has recovered stays open until a person closes it."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


class AlertRule(msgspec.Struct, frozen=True, kw_only=True):
    """When a monitor alerts: ``runs_failed`` of the last ``runs_judged`` decided runs failed (m of n)."""

    monitor: MonitorRef
    runs_failed: int = 1
    runs_judged: int = 1
    severity: Severity = Severity.MEDIUM

    def __post_init__(self) -> None:
        if not 1 <= self.runs_failed <= self.runs_judged <= RUNS_JUDGED_MAX:
            raise Invalid(
                f"{self.runs_failed} of {self.runs_judged} is not a rule: both are from 1 to {RUNS_JUDGED_MAX}, "
                "and the first is not larger than the second.",
                field="runs_failed",
            )


class RunFact(msgspec.Struct, frozen=True, kw_only=True):
    """A run as the judgement sees it: newest window first in a list; ``cause`` names the worst columns with figures."""

    run: RunRef
    window_end: datetime
    outcome: Outcome
    cause: str = ""


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """A monitor that saw something. One monitor has at most one alert that is not closed.

    ``runs`` are the failed runs that opened it and went on with it, the oldest first. ``recovered_at`` is set while the
    last runs are well again. ``version`` is what the endpoint served when the alert was opened.
    """

    id: AlertRef
    monitor: MonitorRef
    endpoint: EndpointRef
    version: VersionRef | None = None
    severity: Severity
    state: AlertState = AlertState.OPEN
    cause: str
    runs: list[RunRef]
    runs_count: int
    opened_at: datetime
    last_failed_at: datetime
    recovered_at: datetime | None = None
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None
    note: str = ""
    closed_by: str = ""
    closed_at: datetime | None = None
    reason: str = ""


class AlertRuleChanged(Happening, frozen=True, kw_only=True):
    """The rule by which a monitor alerts was set."""

    monitor: MonitorRef
    runs_failed: int
    runs_judged: int
    severity: Severity


class AlertOpened(Happening, frozen=True, kw_only=True):
    """Enough runs of a monitor failed."""

    alert: AlertRef
    monitor: MonitorRef
    endpoint: EndpointRef
    version: VersionRef | None
    severity: Severity
    cause: str
    runs: list[RunRef]


class AlertContinued(Happening, frozen=True, kw_only=True):
    """One more run failed while an alert is open; ``relapsed``: it had recovered in between."""

    alert: AlertRef
    monitor: MonitorRef
    run: RunRef
    cause: str
    relapsed: bool = False


class AlertRecovered(Happening, frozen=True, kw_only=True):
    """The last runs of a monitor are well again; its alert waits to be closed."""

    alert: AlertRef
    monitor: MonitorRef
    run: RunRef


class AlertAcknowledged(Happening, frozen=True, kw_only=True):
    """A person took an alert on."""

    alert: AlertRef
    monitor: MonitorRef
    note: str


class AlertClosed(Happening, frozen=True, kw_only=True):
    """A person closed an alert and said why."""

    alert: AlertRef
    monitor: MonitorRef
    reason: str
    recovered: bool
