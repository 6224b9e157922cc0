"""`modelward webhook`: what it prints and how it ends."""

import json

import pytest
from click.testing import CliRunner

from modelward.cli.webhook import webhook
from support.receivers import Receiver


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("MODELWARD_HOME", str(tmp_path / "data"))

    def call(*arguments):
        return CliRunner().invoke(webhook, list(arguments))

    return call


def test_a_webhook_is_added_tested_listed_and_removed(run):
    with Receiver(200, 500) as receiver:
        added = run("add", "hook", receiver.url, "--event", "CardEdited", "--event", "AlertOpened")
        good, bad = run("test", "hook"), run("test", "hook")

    assert "hook is told of AlertOpened, CardEdited." in added.output
    assert "whsec_" in added.output
    assert (good.exit_code, good.output) == (0, "hook took the test: 200.\n")
    assert (bad.exit_code, bad.output) == (1, "hook did not take the test: It answered 500.\n")
    listed = run("list")
    assert receiver.url in listed.output
    assert "whsec_" not in listed.output
    told = json.loads(run("deliveries", "hook", "--json").output)
    assert sorted(each["state"] for each in told) == ["delivered", "failed"]
    assert run("switch", "hook", "--off").output == "hook is off.\n"
    assert run("remove", "hook").output == "hook is removed.\n"
    assert "no webhook" in run("list").output


def test_the_events_that_can_be_sent_are_listed_with_their_sentences(run):
    assert "CardStatusChanged" in run("events").output
