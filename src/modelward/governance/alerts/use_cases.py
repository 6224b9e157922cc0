"""What one can do with alerts: judge runs, set the rule, list, acknowledge, close.

Runs live in monitoring: the reaction hands their facts in.
"""

from msgspec.structs import replace

from modelward.governance.access.permissions import Permission, require
from modelward.governance.alerts import rules, store
from modelward.governance.alerts.entities import (
    Alert,
    AlertAcknowledged,
    AlertClosed,
    AlertContinued,
    AlertOpened,
    AlertRecovered,
    AlertRule,
    AlertRuleChanged,
    AlertState,
    RunFact,
    Severity,
)
from modelward.kernel.errors import NotFound
from modelward.kernel.ids import new_id
from modelward.kernel.pages import Page, PageRequest
from modelward.kernel.refs import AlertRef, EndpointRef, MonitorRef, VersionRef
from modelward.storage.work import Work


def judge_runs(
    work: Work,
    monitor: MonitorRef,
    *,
    endpoint: EndpointRef,
    version: VersionRef | None,
    latest: RunFact,
    runs: list[RunFact],
) -> Alert | None:
    """Open an alert, go on with it or note that all is well again, as the rule says of the last decided runs.

    ``runs`` are the last decided ones, the newest window first, at least as many as the rule judges. An undecided
    ``latest`` changes nothing. Judging the same run twice changes nothing either.
    """
    require(work, Permission.ALERT_TRIAGE, on=monitor)
    rule = get_rule(work, monitor)
    standing = store.unclosed(work, monitor)
    verdict = rules.judge(rule, standing, latest=latest, runs=runs)
    if verdict is rules.Verdict.OPEN:
        return _open(work, rule, endpoint, version, runs)
    if standing is None or verdict is rules.Verdict.NOTHING:
        return standing
    if verdict is rules.Verdict.CONTINUE:
        changed = rules.continued(standing, latest, at=work.now)
        relapsed = standing.recovered_at is not None
        store.put(work, changed)
        work.record(
            AlertContinued(alert=changed.id, monitor=monitor, run=latest.run, cause=latest.cause, relapsed=relapsed)
        )
        return changed
    recovered = replace(standing, recovered_at=work.now)
    store.put(work, recovered)
    work.record(AlertRecovered(alert=recovered.id, monitor=monitor, run=latest.run))
    return recovered


def _open(work: Work, rule: AlertRule, endpoint: EndpointRef, version: VersionRef | None, runs: list[RunFact]) -> Alert:
    failed = rules.failed_among(rule, runs)
    new = Alert(
        id=AlertRef(new_id("alert")),
        monitor=rule.monitor,
        endpoint=endpoint,
        version=version,
        severity=rule.severity,
        cause=failed[0].cause,
        runs=[each.run for each in reversed(failed)],
        runs_count=len(failed),
        opened_at=work.now,
        last_failed_at=work.now,
    )
    store.add(work, new)
    work.record(
        AlertOpened(
            alert=new.id,
            monitor=new.monitor,
            endpoint=endpoint,
            version=version,
            severity=new.severity,
            cause=new.cause,
            runs=new.runs,
        )
    )
    return new


def get_rule(work: Work, monitor: MonitorRef) -> AlertRule:
    """The rule by which a monitor alerts; where none was set, one failed run is enough."""
    require(work, Permission.ALERT_READ, on=monitor)
    return store.find_rule(work, monitor) or AlertRule(monitor=monitor)


def set_rule(
    work: Work, monitor: MonitorRef, *, runs_failed: int, runs_judged: int, severity: Severity = Severity.MEDIUM
) -> AlertRule:
    """Say when a monitor alerts: ``runs_failed`` of the last ``runs_judged`` decided runs failed.

    Raises:
        Invalid: the numbers make no rule.
    """
    require(work, Permission.MONITOR_MANAGE, on=monitor)
    wanted = AlertRule(monitor=monitor, runs_failed=runs_failed, runs_judged=runs_judged, severity=severity)
    if store.find_rule(work, monitor) == wanted:
        return wanted
    store.put_rule(work, wanted)
    work.record(AlertRuleChanged(monitor=monitor, runs_failed=runs_failed, runs_judged=runs_judged, severity=severity))
    return wanted


def get_alert(work: Work, ref: AlertRef) -> Alert:
    """An alert.

    Raises:
        NotFound: there is none.
    """
    require(work, Permission.ALERT_READ, on=ref)
    found = store.find(work, ref)
    if found is None:
        raise NotFound(f"There is no alert {ref}.", field="alert", hint="List them with `modelward alert list`.")
    return found


def list_alerts(
    work: Work,
    *,
    page: PageRequest,
    state: AlertState | None = None,
    monitor: MonitorRef | None = None,
    endpoint: EndpointRef | None = None,
) -> Page[Alert]:
    """Alerts, the newest first; in one state, of one monitor or endpoint, where asked for."""
    require(work, Permission.ALERT_READ)
    return store.list_alerts(work, page=page, state=state, monitor=monitor, endpoint=endpoint)


def acknowledge_alert(work: Work, ref: AlertRef, *, note: str = "") -> Alert:
    """Take an alert on: others see who looks after it.

    Raises:
        AlertClosedAlready: it is closed.
    """
    require(work, Permission.ALERT_TRIAGE, on=ref)
    found = get_alert(work, ref)
    rules.check_text(note, field="note")
    changed = rules.acknowledged(found, by=work.actor.id, at=work.now, note=note)
    store.put(work, changed)
    work.record(AlertAcknowledged(alert=ref, monitor=found.monitor, note=note))
    return changed


def close_alert(work: Work, ref: AlertRef, *, reason: str) -> Alert:
    """Close an alert and say why; a later failed run opens a new one.

    Raises:
        AlertClosedAlready: it is closed.
        Invalid: no reason is given.
    """
    require(work, Permission.ALERT_TRIAGE, on=ref)
    found = get_alert(work, ref)
    rules.check_text(reason, field="reason")
    changed = rules.closed(found, by=work.actor.id, at=work.now, reason=reason)
    store.put(work, changed)
    work.record(AlertClosed(alert=ref, monitor=found.monitor, reason=reason, recovered=found.recovered_at is not None))
    return changed
