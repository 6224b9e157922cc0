"""A process that ends at the worst named moment: just before a commit, and just after it, before anybody is told."""

import pytest

from modelward.kernel.errors import Unavailable
from modelward.sdk import Client
from modelward.sdk.transports import HttpTransport
from support.servers import Server

# The process ends itself at the moment of the first commit that holds a version.
PRELUDE = """
import os, signal
import modelward.storage.database as storage
from modelward.governance.registry import use_cases
real, armed = use_cases.register_version, []
def register_version(*arguments, **options):
    armed.append(True)
    return real(*arguments, **options)
use_cases.register_version = register_version
storage.CRASH_POINTS["{moment}"] = lambda: armed and os.kill(os.getpid(), signal.SIGKILL)
"""


class OneTry(Client):
    """A client that asks once."""

    pauses_seconds = ()


def send(client, key):
    """Register a version under a key, and return the answer."""
    headers = {"idempotency-key": key, "content-type": "application/json"}
    return client._answer("/versions", client._send("POST", "/models/fraud/versions", {}, b"{}", headers))


@pytest.mark.faults
@pytest.mark.parametrize(("moment", "kept"), [("before-commit", []), ("after-commit", [1])])
def test_what_was_sent_is_there_if_and_only_if_the_commit_was_reached_and_a_retry_does_it_once(tmp_path, moment, kept):
    with Server(tmp_path / "data") as server, server.client() as client:
        client.models.register("fraud")

    with Server(tmp_path / "data", prelude=PRELUDE.format(moment=moment)) as server:
        client = OneTry(HttpTransport(server.url), token=server.home.owner_secret())
        with pytest.raises(Unavailable):
            send(client, "the key")
        assert server.process.wait(20) == -9
        client.close()

    with Server(tmp_path / "data") as server, server.client() as client:
        assert [each["number"] for each in client.versions.list("fraud")] == kept
        assert send(client, "the key")["ref"] == "fraud@1"
        assert send(client, "the key")["ref"] == "fraud@1"
        assert [each["number"] for each in client.versions.list("fraud")] == [1]
        assert client.events.verify()["breaks"] == []
        registered = client.events.list(name="VersionRegistered", subject="fraud@1")
        assert len(registered) == 1
        client.settle()
        drafted = [each for each in client.events.list(name="CardCreated") if each["detail"]["version"] == "fraud@1"]
        assert len(drafted) == 1
        assert server.stop() == 0


FIRST_START = """
import os, signal
import modelward.storage.database as storage
commits = []
def count():
    commits.append(1)
    if len(commits) == {number}:
        os.kill(os.getpid(), signal.SIGKILL)
storage.CRASH_POINTS["{moment}"] = count
"""


CUTS = [(number, moment) for number in (1, 2, 3) for moment in ("before-commit", "after-commit")]


@pytest.mark.faults
@pytest.mark.parametrize(("number", "moment"), CUTS)
def test_a_first_start_that_is_cut_off_at_any_commit_is_taken_up_by_the_next(tmp_path, moment, number):
    cut_off = Server(tmp_path / "data", prelude=FIRST_START.format(moment=moment, number=number))
    cut_off.begin()
    assert cut_off.process.wait(30) == -9

    with Server(tmp_path / "data") as server, server.client() as client:
        assert client.who_am_i()["id"] == "owner"
        assert client.events.verify()["breaks"] == []
        client.models.register("fraud")
        assert server.stop() == 0
