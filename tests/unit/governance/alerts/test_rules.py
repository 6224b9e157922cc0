"""When an alert opens, goes on and recovers."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.governance.alerts import rules
from modelward.governance.alerts.entities import Alert, AlertRule, AlertState, RunFact, Severity
from modelward.governance.alerts.rules import Verdict, judge
from modelward.kernel.errors import Invalid
from modelward.kernel.outcome import Outcome
from modelward.kernel.refs import AlertRef, EndpointRef, MonitorRef, RunRef

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
OUTCOMES = {"F": Outcome.FAILED, "P": Outcome.PASSED, "U": Outcome.UNDECIDED}


def rule(m: int, n: int) -> AlertRule:
    return AlertRule(monitor=MonitorRef("m"), runs_failed=m, runs_judged=n)


def replay(m: int, n: int, story: str) -> tuple[list[str], Alert | None]:
    """Judge runs one after the other, as the reaction does; the oldest first."""
    decided: list[RunFact] = []
    standing: Alert | None = None
    verdicts = []
    for place, letter in enumerate(story):
        latest = RunFact(run=RunRef(f"r{place}"), window_end=NOON + timedelta(hours=place), outcome=OUTCOMES[letter])
        if letter != "U":
            decided.insert(0, latest)
        verdict = judge(rule(m, n), standing, latest=latest, runs=decided[:n])
        verdicts.append(verdict.value)
        if verdict is Verdict.OPEN:
            standing = alert([each.run for each in rules.failed_among(rule(m, n), decided)])
        elif verdict is Verdict.CONTINUE and standing:
            standing = rules.continued(standing, latest, at=NOON)
        elif verdict is Verdict.RECOVER and standing:
            standing = Alert(**{**_fields(standing), "recovered_at": NOON})
    return verdicts, standing


def _fields(one: Alert) -> dict[str, object]:
    return {name: getattr(one, name) for name in one.__struct_fields__}


def alert(runs: list[RunRef]) -> Alert:
    return Alert(
        id=AlertRef("alert-1"), monitor=MonitorRef("m"), endpoint=EndpointRef("e"), severity=Severity.HIGH, cause="fare",
        runs=runs, runs_count=len(runs), opened_at=NOON, last_failed_at=NOON,
    )  # fmt: skip


@pytest.mark.parametrize(
    "m, n, story, verdicts",
    [
        (1, 1, "F", "open"),
        (1, 1, "PPP", "nothing nothing nothing"),
        (1, 1, "FFP", "open continue recover"),
        (1, 1, "FPF", "open recover continue"),
        (1, 1, "FUP", "open nothing recover"),
        (1, 1, "U", "nothing"),
        (2, 3, "FPF", "nothing nothing open"),
        (2, 3, "FUF", "nothing nothing open"),
        (2, 3, "FPPF", "nothing nothing nothing nothing"),
        (2, 3, "FFPP", "nothing open nothing recover"),
        (2, 3, "FFPPF", "nothing open nothing recover nothing"),
        (2, 3, "FFPPFF", "nothing open nothing recover nothing continue"),
        (3, 3, "FFUUF", "nothing nothing nothing nothing open"),
    ],
)
def test_m_of_n_decided_runs_open_and_close(m: int, n: int, story: str, verdicts: str):
    assert replay(m, n, story)[0] == verdicts.split()


@given(st.integers(1, 5), st.integers(0, 5), st.text("FPU", max_size=30))
def test_undecided_runs_change_nothing_at_all(m: int, more: int, story: str):
    with_them, _ = replay(m, m + more, story)

    assert [verdict for verdict, letter in zip(with_them, story, strict=True) if letter != "U"] == replay(
        m, m + more, story.replace("U", "")
    )[0]


@given(st.integers(1, 5), st.integers(0, 5), st.text("FPU", max_size=30))
def test_an_alert_is_in_trouble_exactly_while_it_has_not_recovered(m: int, more: int, story: str):
    verdicts, standing = replay(m, m + more, story)

    assert verdicts.count("open") <= 1
    assert (standing is not None) == ("open" in verdicts)


def test_a_run_judged_twice_counts_once():
    run = RunFact(run=RunRef("r1"), window_end=NOON, outcome=Outcome.FAILED)

    assert judge(rule(1, 1), alert([RunRef("r1")]), latest=run, runs=[run]) is Verdict.NOTHING


def test_a_run_of_an_old_window_neither_opens_nor_ends_an_alert():
    old = RunFact(run=RunRef("old"), window_end=NOON - timedelta(days=9), outcome=Outcome.FAILED)
    new = RunFact(run=RunRef("new"), window_end=NOON, outcome=Outcome.PASSED)

    assert judge(rule(1, 1), None, latest=old, runs=[new]) is Verdict.NOTHING


def test_an_alert_is_closed_once_and_with_a_reason():
    closed = rules.closed(alert([RunRef("r")]), by="ana", at=NOON, reason="Retrained.")

    assert (closed.state, closed.closed_by) == (AlertState.CLOSED, "ana")
    with pytest.raises(Invalid, match="with a reason"):
        rules.closed(alert([RunRef("r")]), by="ana", at=NOON, reason="  ")
    with pytest.raises(rules.AlertClosedAlready, match="closed by ana: Retrained"):
        rules.acknowledged(closed, by="ben", at=NOON, note="")


@pytest.mark.parametrize("m, n", [(0, 1), (2, 1), (1, 101), (-1, -1)])
def test_a_rule_that_makes_no_sense_is_invalid(m: int, n: int):
    with pytest.raises(Invalid, match="is not a rule"):
        rule(m, n)
