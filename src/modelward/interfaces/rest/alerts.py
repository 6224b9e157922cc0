"""Alerts and their rules over REST."""

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.governance.alerts import use_cases
from modelward.governance.alerts.entities import Alert, AlertRule, AlertState, Severity
from modelward.governance.monitoring import use_cases as monitoring
from modelward.interfaces.rest.operations import Operations
from modelward.kernel.pages import PAGE_SIZE_DEFAULT, Page, PageRequest
from modelward.kernel.refs import AlertRef, EndpointRef, MonitorRef
from modelward.storage.work import Work

alerts = Operations("alerts")


class ListAlerts(msgspec.Struct, frozen=True, kw_only=True):
    """Which alerts to list."""

    state: AlertState | None = None
    monitor: MonitorRef | None = None
    endpoint: EndpointRef | None = None
    limit: int = PAGE_SIZE_DEFAULT
    cursor: str | None = None


class AcknowledgeAlert(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one wants to say when taking an alert on."""

    note: str = ""


class CloseAlert(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why an alert is closed."""

    reason: str


class SetRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When to alert: so many failed among so many of the last decided runs."""

    runs_failed: int = 1
    runs_judged: int = 1
    severity: Severity = Severity.MEDIUM


@alerts.operation("GET", "/alerts", permission=Permission.ALERT_READ)
def list_alerts(work: Work, query: ListAlerts) -> Page[Alert]:
    """List alerts, the newest first."""
    page = PageRequest(limit=query.limit, cursor=query.cursor)
    return use_cases.list_alerts(work, page=page, state=query.state, monitor=query.monitor, endpoint=query.endpoint)


@alerts.operation("GET", "/alerts/{alert}", permission=Permission.ALERT_READ)
def get_alert(work: Work, alert: AlertRef) -> Alert:
    """Get an alert."""
    return use_cases.get_alert(work, alert)


@alerts.operation("POST", "/alerts/{alert}/acknowledge", permission=Permission.ALERT_TRIAGE)
def acknowledge_alert(work: Work, alert: AlertRef, body: AcknowledgeAlert) -> Alert:
    """Take an alert on."""
    return use_cases.acknowledge_alert(work, alert, note=body.note)


@alerts.operation("POST", "/alerts/{alert}/close", permission=Permission.ALERT_TRIAGE)
def close_alert(work: Work, alert: AlertRef, body: CloseAlert) -> Alert:
    """Close an alert, with a reason."""
    return use_cases.close_alert(work, alert, reason=body.reason)


@alerts.operation("GET", "/monitors/{monitor}/alert-rule", permission=Permission.ALERT_READ)
def get_alert_rule(work: Work, monitor: MonitorRef) -> AlertRule:
    """Get the rule by which a monitor alerts."""
    return use_cases.get_rule(work, monitoring.get_monitor(work, monitor).name)


@alerts.operation("PUT", "/monitors/{monitor}/alert-rule", permission=Permission.MONITOR_MANAGE)
def set_alert_rule(work: Work, monitor: MonitorRef, body: SetRule) -> AlertRule:
    """Set the rule by which a monitor alerts."""
    found = monitoring.get_monitor(work, monitor)
    return use_cases.set_rule(
        work, found.name, runs_failed=body.runs_failed, runs_judged=body.runs_judged, severity=body.severity
    )
