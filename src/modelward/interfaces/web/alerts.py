"""Alerts: what they saw, why, who looks after them, and how they ended."""

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.governance.alerts import use_cases
from modelward.governance.alerts.entities import Alert, AlertState
from modelward.governance.monitoring import use_cases as monitoring
from modelward.governance.monitoring.entities import Run
from modelward.interfaces.web.history import history_of
from modelward.interfaces.web.views import Redirect, Shown, Views, show
from modelward.kernel.errors import ModelwardError, NotFound
from modelward.kernel.pages import PageRequest
from modelward.kernel.refs import AlertRef
from modelward.storage.work import Work

views = Views()
ALERTS_ON_A_PAGE = 50
RUNS_SHOWN = 12


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """Which alerts to list."""

    state: AlertState | None = None
    cursor: str | None = None


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What was just done."""

    done: str = ""


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """Words to an alert."""

    note: str = ""


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why an alert is closed."""

    reason: str = ""


@views.page("GET", "/alerts", permission=Permission.ALERT_READ)
def list_alerts(work: Work, query: Listed) -> Shown:
    """Alerts, the newest first."""
    page = PageRequest(limit=ALERTS_ON_A_PAGE, cursor=query.cursor)
    found = use_cases.list_alerts(work, page=page, state=query.state)
    return show("alerts.html", page=found, query=query, states=list(AlertState))


@views.page("GET", "/alerts/{alert}", permission=Permission.ALERT_READ)
def show_alert(work: Work, alert: AlertRef, query: Done) -> Shown:
    """An alert with its cause and its runs."""
    return _alert(work, alert, done=query.done, form={}, problem=None)


def alert_again(work: Work, alert: AlertRef, form: dict[str, str], problem: ModelwardError) -> Shown:
    """The alert with the refusal of what was asked."""
    return _alert(work, alert, done="", form=form, problem=problem)


def _alert(work: Work, ref: AlertRef, *, done: str, form: dict[str, str], problem: ModelwardError | None) -> Shown:
    found = use_cases.get_alert(work, ref)
    return show(
        "alert.html",
        alert=found,
        runs=_runs(work, found),
        rule=use_cases.get_rule(work, found.monitor),
        history=history_of(work, ref),
        done=done,
        form=form,
        problem=problem,
    )


def _runs(work: Work, alert: Alert) -> list[Run]:
    """The last failed runs of an alert, the newest first; none for one who may not read runs."""
    if Permission.MONITOR_READ not in work.actor.permissions:
        return []
    runs = []
    for ref in reversed(alert.runs[-RUNS_SHOWN:]):
        try:
            runs.append(monitoring.get_run(work, ref))
        except NotFound:
            continue
    return runs


@views.page("POST", "/alerts/{alert}/acknowledge", permission=Permission.ALERT_TRIAGE, again=alert_again)
def acknowledge(work: Work, alert: AlertRef, form: Note) -> Redirect:
    """Take an alert on."""
    use_cases.acknowledge_alert(work, alert, note=form.note.strip())
    return Redirect(to=f"/alerts/{alert}?done=acknowledged")


@views.page("POST", "/alerts/{alert}/close", permission=Permission.ALERT_TRIAGE, again=alert_again)
def close(work: Work, alert: AlertRef, form: Reason) -> Redirect:
    """Close an alert."""
    use_cases.close_alert(work, alert, reason=form.reason.strip())
    return Redirect(to=f"/alerts/{alert}?done=closed")
