"""When an alert opens, goes on and recovers, and what a person may do with it. Pure."""

from datetime import datetime
from enum import StrEnum

from msgspec.structs import replace

from modelward.governance.alerts.entities import Alert, AlertRule, AlertState, RunFact
from modelward.kernel.errors import Conflict, Invalid
from modelward.kernel.outcome import Outcome

TEXT_CHARACTERS_MAX = 4096
RUNS_KEPT_MAX = 200


class AlertClosedAlready(Conflict):
    """This alert is closed."""


class Verdict(StrEnum):
    """What a run means for the alert of its monitor."""

    NOTHING = "nothing"
    OPEN = "open"
    CONTINUE = "continue"
    RECOVER = "recover"


def failed_among(rule: AlertRule, runs: list[RunFact]) -> list[RunFact]:
    """The failed ones of the last runs that the rule judges, the newest first."""
    return [each for each in runs[: rule.runs_judged] if each.outcome is Outcome.FAILED]


def judge(rule: AlertRule, standing: Alert | None, *, latest: RunFact, runs: list[RunFact]) -> Verdict:
    """Say what the latest run means, given the last decided runs (the newest window first).

    An undecided run, one that was judged before, and one of a window that is too old to be judged mean nothing.
    Only a failed run opens or goes on with an alert, only a passed one ends the trouble.
    """
    judged = runs[: rule.runs_judged]
    if latest.outcome is Outcome.UNDECIDED or all(each.run != latest.run for each in judged):
        return Verdict.NOTHING
    enough = len(failed_among(rule, runs)) >= rule.runs_failed
    if latest.outcome is Outcome.PASSED:
        troubled = standing is not None and standing.recovered_at is None
        return Verdict.RECOVER if troubled and not enough else Verdict.NOTHING
    if standing is None:
        return Verdict.OPEN if enough else Verdict.NOTHING
    if latest.run in standing.runs or (standing.recovered_at is not None and not enough):
        return Verdict.NOTHING
    return Verdict.CONTINUE


def continued(alert: Alert, latest: RunFact, *, at: datetime) -> Alert:
    """The alert with one more failed run; the newest runs are kept by name, all are counted."""
    return replace(
        alert,
        runs=[*alert.runs, latest.run][-RUNS_KEPT_MAX:],
        runs_count=alert.runs_count + 1,
        cause=latest.cause or alert.cause,
        last_failed_at=at,
        recovered_at=None,
    )


def acknowledged(alert: Alert, *, by: str, at: datetime, note: str) -> Alert:
    """The alert in the hands of a person; taking over from another is allowed.

    Raises:
        AlertClosedAlready: it is closed.
    """
    _refuse_closed(alert)
    return replace(alert, state=AlertState.ACKNOWLEDGED, acknowledged_by=by, acknowledged_at=at, note=note)


def closed(alert: Alert, *, by: str, at: datetime, reason: str) -> Alert:
    """The alert, closed by a person with a reason.

    Raises:
        AlertClosedAlready: it is closed.
        Invalid: the reason is empty.
    """
    _refuse_closed(alert)
    if not reason.strip():
        raise Invalid("An alert is closed with a reason: what was it, what was done?", field="reason")
    return replace(alert, state=AlertState.CLOSED, closed_by=by, closed_at=at, reason=reason)


def _refuse_closed(alert: Alert) -> None:
    if alert.state is AlertState.CLOSED:
        raise AlertClosedAlready(f"{alert.id} was closed by {alert.closed_by}: {alert.reason}", field="alert")


def check_text(text: str, *, field: str) -> None:
    """Refuse a text that is too long or holds control characters other than line breaks and tabs.

    Raises:
        Invalid: the text breaks the rule.
    """
    if len(text) > TEXT_CHARACTERS_MAX:
        raise Invalid(f"{field} has {len(text)} characters; at most {TEXT_CHARACTERS_MAX} are kept.", field=field)
    if any(character < " " and character not in "\n\r\t" for character in text):
        raise Invalid(f"{field} holds a control character.", field=field)
