"""`kill -9` while cards are edited, discussed and given files, and while webhooks are sent: nothing told is lost."""

import os
import random
import threading
import time

import msgspec
import pytest

from modelward.kernel.errors import Unavailable
from modelward.sdk.webhooks import verify
from support.patience import PatientClient
from support.receivers import Receiver
from support.servers import Server, free_port
from support.traffic import all_events

KILLS = int(os.environ.get("MODELWARD_KILLS", "40")) // 4
PEOPLE = ["ana", "ben"]
EVENTS = ["CardEdited", "CommentWritten", "AttachmentAdded"]


class Ledger:
    """What the server acknowledged, by kind."""

    def __init__(self):
        self.edits, self.comments, self.files = [], [], []

    def __len__(self):
        return len(self.edits) + len(self.comments) + len(self.files)


def live(client, ledger, own, over, seed):
    """Edit one's card, comment on it and attach files to it, until it is over."""
    chance = random.Random(seed)
    while not over.is_set():
        word = f"{own}-{chance.randrange(10**12)}"
        try:
            what = chance.choice([ledger.edits, ledger.comments, ledger.files])
            if what is ledger.edits:
                client.cards.edit(own, patch={"model_overview": {"model_description": word}}, note=word)
            elif what is ledger.comments:
                client.cards.comments.write(own, word, path="$.model_overview")
            elif len(ledger.files) < 90:
                client.cards.attachments.add(own, word.encode() * chance.randint(1, 20_000), name=word)
            else:
                continue
            what.append(word)
        except Unavailable:
            if not over.is_set():
                raise


def lost(client, own, ledger):
    """What was acknowledged and is not there exactly once."""
    kept = {
        "edits": [each["note"] for each in client.cards.versions(own) if each["note"]],
        "comments": [each["text"] for each in client.cards.comments.list(own)],
        "files": [each["name"] for each in client.cards.attachments.list(own)],
    }
    found = [
        f"{own}: {kind} differ by {sorted(set(words) ^ set(getattr(ledger, kind)))} of {len(words)}"
        for kind, words in kept.items()
        if sorted(words) != sorted(getattr(ledger, kind))
    ]
    for each in client.cards.attachments.list(own):
        assert len(client.cards.attachments.read(each["id"])) == each["bytes"]
    numbers = sorted(each["number"] for each in client.cards.versions(own))
    return found + ([] if numbers == list(range(1, len(numbers) + 1)) else [f"{own} has gaps: {numbers}"])


def undelivered(client, receiver, secret):
    """Which events of the log did not reach the receiver, or under more than one id."""
    ids = {}
    for headers, body in list(receiver.got):
        id = verify(headers, body, secret=secret, tolerance=3600)
        ids.setdefault(msgspec.json.decode(body)["event"], set()).add(id)
    wanted = {each["id"] for each in all_events(client) if each["name"] in EVENTS}
    found = [f"{len(wanted - set(ids))} events were not delivered."] if wanted - set(ids) else []
    return found + [f"{event} came as {sorted(known)}." for event, known in ids.items() if len(known) != 1]


@pytest.mark.faults
def test_a_killed_server_loses_no_edit_comment_or_file_and_delivers_each_event_at_least_once(tmp_path):
    chance, over = random.Random(5), threading.Event()
    server = Server(tmp_path / "data", "--port", free_port())
    ledgers = {own: Ledger() for own in PEOPLE}
    failures = []

    def visit(own, number):
        client = PatientClient(url, token=server.home.owner_secret(), over=over)
        try:
            live(client, ledgers[own], own, over, number)
        except Exception as problem:  # noqa: BLE001 - told at the end
            failures.append(f"{own} met {type(problem).__name__}: {problem}")
        finally:
            client.close()

    with Receiver(200) as receiver, server:
        url = server.url
        with server.client() as client:
            secret = client.webhooks.add("hook", receiver.url, EVENTS)["secret"]
            for own in PEOPLE:
                client.cards.create(own)
        visitors = [threading.Thread(target=visit, args=(own, number)) for number, own in enumerate(PEOPLE)]
        for visitor in visitors:
            visitor.start()
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.1, 0.8))
            server.kill()
            server.begin()
            server.wait_until_ready()
        time.sleep(0.5)
        over.set()
        for visitor in visitors:
            visitor.join(60)
        with server.client() as client:
            client.settle(seconds_max=120)
            until = time.monotonic() + 60
            while list(client.webhooks.deliveries("hook", state="waiting")) and time.monotonic() < until:
                time.sleep(0.1)
            found = [problem for own in PEOPLE for problem in lost(client, own, ledgers[own])]
            found += undelivered(client, receiver, secret) + failures
            broken = client.events.verify()["breaks"]
        assert server.stop() == 0

    print(f"{KILLS} kills, {sum(map(len, ledgers.values()))} acknowledgements, {len(receiver.got)} deliveries")
    assert (found, broken) == ([], [])
    assert sum(map(len, ledgers.values())) > KILLS
    assert [path.name for path in (tmp_path / "data" / "blobs").glob("incoming-*")] == []


# The process ends itself after the other side has answered, before that is noted.
PRELUDE = """
import os, signal
from modelward.governance.webhooks import sending
def keep(*arguments, **options):
    os.kill(os.getpid(), signal.SIGKILL)
sending._keep = keep
"""


@pytest.mark.faults
def test_a_delivery_that_was_taken_but_not_noted_comes_again_under_the_same_id(tmp_path):
    with Receiver(200) as receiver:
        with Server(tmp_path / "data") as server, server.client() as client:
            client.webhooks.add("hook", receiver.url, ["ModelRegistered"])
        with Server(tmp_path / "data", prelude=PRELUDE) as server:
            with server.client() as client:
                client.models.register("fraud")
            assert server.process.wait(30) == -9
        with Server(tmp_path / "data") as server, server.client() as client:
            client.settle()
            (delivery,) = client.webhooks.deliveries("hook")

    assert receiver.ids == [delivery["id"]] * 2
    assert receiver.got[0][1] == receiver.got[1][1]
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 1)


# The process ends itself after a job was given up, before whoever wanted it is told.
GIVEN_UP = """
import os, signal
from modelward.governance.evaluations import running, use_cases
def run(*arguments, **options):
    raise KeyError("a fault of ours")
running.run = run
from modelward.jobs import queue
queue.RETRY_PAUSES = (__import__("datetime").timedelta(0),)
from modelward import app
app.evaluating.give_up = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.faults
def test_an_evaluation_whose_job_was_given_up_in_a_crash_does_not_run_for_ever(tmp_path):
    table = b"prediction,label\n" + b"1,1\n0,0\n" * 20
    with Server(tmp_path / "data", prelude=GIVEN_UP) as server:
        with server.client() as client:
            client.models.register("fraud")
            client.versions.register("fraud")
            dataset = client.artifacts.store(table)["digest"]
            wanted = client.evaluations.request(
                "fraud@1",
                kind="quality",
                dataset=dataset,
                problem_type="binary",
                label="label",
                prediction="prediction",
            )
        assert server.process.wait(60) == -9

    with Server(tmp_path / "data") as server, server.client() as client:
        client.settle()
        until = time.monotonic() + 20
        while client.evaluations.get(wanted["id"])["state"] != "failed" and time.monotonic() < until:
            time.sleep(0.05)
        found = client.evaluations.get(wanted["id"])
        assert server.stop() == 0
    assert (found["state"], "a fault of ours" in found["reason"]) == ("failed", True)
