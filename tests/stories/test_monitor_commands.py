"""`modelward endpoint`, `monitor` and `alert`: tables for people, JSON for programs, and exit codes that tell the verdict."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import modelward
from modelward.cli.main import modelward as command_line
from support.taxi import prepare, records, trips

HOUR = ["--start", "2026-03-01T12:00:00Z", "--end", "2026-03-01T13:00:00Z"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with modelward.connect(tmp_path / "house") as client:
        prepare(client, tmp_path)
        client.captures.store("taxi", records(trips(800, seed=2, fare=19.0)))
    monkeypatch.setenv("MODELWARD_HOME", str(tmp_path / "house"))
    return tmp_path / "house"


def say(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(command_line, arguments)
    assert done.exit_code == code, done.output
    return done.output


def told(*arguments: str, code: int = 0) -> Any:
    return json.loads(say(*arguments, "--json", code=code))


@pytest.mark.usefixtures("home")
def test_a_run_tells_its_verdict_in_words_in_json_and_by_its_exit_code():
    words = say("monitor", "run", "taxi-inputs", *HOUR, code=1)
    assert "failed" in words
    assert "Column 'fare' drifted: ks" in words

    assert told("monitor", "run", "taxi-inputs", *HOUR, code=1)["drifted"] == ["fare"]
    assert told("monitor", "run", "taxi-inputs", "--end", "2026-02-01T00:00:00Z", code=2)["outcome"] == "undecided"


@pytest.mark.usefixtures("home")
def test_an_alert_is_listed_taken_on_and_closed():
    say("monitor", "run", "taxi-inputs", *HOUR, code=1)
    with modelward.connect() as client:
        client.settle()
    (alert,) = told("alert", "list", "--state", "open")

    assert "high" not in say("alert", "list")
    assert "looked after by owner" in say("alert", "acknowledge", alert["id"], "--note", "Looking.")
    assert told("alert", "close", alert["id"], "--reason", "New tariff.")["state"] == "closed"
    assert told("alert", "list", "--state", "open") == []
    assert "There is no such alert." in say("alert", "list", "--state", "open")


@pytest.mark.usefixtures("home")
def test_endpoints_and_monitors_are_listed_shown_and_created():
    assert told("endpoint", "list")[0]["name"] == "taxi"
    assert "This version is not approved." in say("endpoint", "show", "taxi")
    made = told("monitor", "create", "nightly", "--endpoint", "taxi", "--baseline", "january", "--cron", "0 2 * * *")
    assert made["next_at"]
    assert [each["name"] for each in told("monitor", "list")] == ["nightly", "taxi-inputs"]
    assert "alerts when 1 of 1 runs failed (medium)" in say("monitor", "show", "nightly")
    assert told("monitor", "show", "nightly")["runs"] == []
