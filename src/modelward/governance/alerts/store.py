"""The tables of alerts: alert and alert_rule."""

from typing import Any

import msgspec
import sqlalchemy as sa

from modelward.governance.alerts.entities import Alert, AlertRule, AlertState, Severity
from modelward.kernel.clock import moment, timestamp
from modelward.kernel.pages import Page, PageRequest, cursor_after
from modelward.kernel.refs import AlertRef, EndpointRef, MonitorRef, RunRef, VersionRef
from modelward.storage.work import Work

metadata = sa.MetaData()
alert = sa.Table(
    "alert",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("monitor", sa.Text, nullable=False),
    sa.Column("endpoint", sa.Text, nullable=False),
    sa.Column("version", sa.Text),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("cause", sa.Text, nullable=False),
    sa.Column("runs", sa.Text, nullable=False),
    sa.Column("runs_count", sa.Integer, nullable=False),
    sa.Column("opened_at", sa.Text, nullable=False),
    sa.Column("last_failed_at", sa.Text, nullable=False),
    sa.Column("recovered_at", sa.Text),
    sa.Column("acknowledged_by", sa.Text, nullable=False),
    sa.Column("acknowledged_at", sa.Text),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("closed_by", sa.Text, nullable=False),
    sa.Column("closed_at", sa.Text),
    sa.Column("reason", sa.Text, nullable=False),
)
sa.Index("alert_by_opening", alert.c.opened_at, alert.c.id)
sa.Index("alert_by_state", alert.c.state, alert.c.opened_at)
# The database itself keeps a monitor from having two alerts that are not closed: a partial index, which the migration
# alone declares, for to name PostgreSQL's condition here would load its dialect at each start.
alert_rule = sa.Table(
    "alert_rule",
    metadata,
    sa.Column("monitor", sa.Text, primary_key=True),
    sa.Column("runs_failed", sa.Integer, nullable=False),
    sa.Column("runs_judged", sa.Integer, nullable=False),
    sa.Column("severity", sa.Text, nullable=False),
)


def find(work: Work, ref: AlertRef) -> Alert | None:
    """Find an alert."""
    row = work.execute(sa.select(alert).where(alert.c.id == ref)).first()
    return _alert(row) if row else None


def unclosed(work: Work, monitor: MonitorRef) -> Alert | None:
    """The one alert of a monitor that is not closed."""
    query = sa.select(alert).where(alert.c.monitor == monitor, alert.c.state != AlertState.CLOSED.value)
    row = work.execute(query).first()
    return _alert(row) if row else None


def add(work: Work, new: Alert) -> None:
    """Keep a new alert."""
    work.execute(sa.insert(alert), _row(new))


def put(work: Work, changed: Alert) -> None:
    """Keep a changed alert."""
    work.execute(sa.update(alert).where(alert.c.id == changed.id).values(_row(changed)))


def list_alerts(
    work: Work,
    *,
    page: PageRequest,
    state: AlertState | None,
    monitor: MonitorRef | None,
    endpoint: EndpointRef | None,
) -> Page[Alert]:
    """Alerts, the newest first."""
    query = sa.select(alert).order_by(alert.c.opened_at.desc(), alert.c.id.desc()).limit(page.limit + 1)
    if page.after:
        query = query.where(sa.tuple_(alert.c.opened_at, alert.c.id) < sa.tuple_(*map(sa.literal, page.after[:2])))
    for column, wanted in ((alert.c.state, state), (alert.c.monitor, monitor), (alert.c.endpoint, endpoint)):
        if wanted:
            query = query.where(column == str(wanted))
    found = [_alert(row) for row in work.execute(query)]
    items = found[: page.limit]
    more = len(found) > page.limit
    return Page(items=items, next_cursor=cursor_after(timestamp(items[-1].opened_at), items[-1].id) if more else None)


def find_rule(work: Work, monitor: MonitorRef) -> AlertRule | None:
    """The rule that was set for a monitor."""
    row = work.execute(sa.select(alert_rule).where(alert_rule.c.monitor == monitor)).first()
    if row is None:
        return None
    return AlertRule(
        monitor=MonitorRef(row.monitor),
        runs_failed=row.runs_failed,
        runs_judged=row.runs_judged,
        severity=Severity(row.severity),
    )


def put_rule(work: Work, rule: AlertRule) -> None:
    """Keep the rule of a monitor."""
    work.execute(sa.delete(alert_rule).where(alert_rule.c.monitor == rule.monitor))
    row = {"monitor": rule.monitor, "runs_failed": rule.runs_failed, "runs_judged": rule.runs_judged}
    work.execute(sa.insert(alert_rule), {**row, "severity": rule.severity.value})


def _row(one: Alert) -> dict[str, Any]:
    plain = {name: getattr(one, name) for name in Alert.__struct_fields__}
    times = ("opened_at", "last_failed_at", "recovered_at", "acknowledged_at", "closed_at")
    plain |= {name: timestamp(plain[name]) if plain[name] else None for name in times}
    runs = msgspec.json.encode([str(run) for run in one.runs]).decode()
    return plain | {"runs": runs, "severity": one.severity.value, "state": one.state.value}


def _alert(row: sa.Row[Any]) -> Alert:
    fields = dict(row._mapping)
    for name in ("opened_at", "last_failed_at", "recovered_at", "acknowledged_at", "closed_at"):
        fields[name] = moment(fields[name]) if fields[name] else None
    fields["runs"] = [RunRef(run) for run in msgspec.json.decode(row.runs)]
    fields["version"] = VersionRef(row.version) if row.version else None
    return Alert(
        **fields
        | {
            "id": AlertRef(row.id),
            "monitor": MonitorRef(row.monitor),
            "endpoint": EndpointRef(row.endpoint),
            "severity": Severity(row.severity),
            "state": AlertState(row.state),
        }
    )
