"""`kill -9` while a run of a monitor with a budget is kept: its records enter the history once."""

import sqlite3

import pytest

from support.servers import Server
from support.taxi import NOON, prepare, records, trips

# The process ends itself in the transaction that keeps the verdict, after the history was written into it.
PRELUDE = """
import os, signal
from modelward.governance.monitoring import running
put = running.put_history
def put_and_die(*arguments):
    put(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)
running.put_history = put_and_die
"""


@pytest.mark.faults
def test_a_run_whose_worker_was_killed_while_it_was_kept_is_counted_once(tmp_path):
    with Server(tmp_path / "data", prelude=PRELUDE) as server:
        with server.client() as client:
            prepare(client, tmp_path, cron="0 0 1 1 *", window_hours=1, false_alarms_a_month=0.01)
            client.captures.store("taxi", records(trips(300, seed=3)))
            run = client.monitors.run("taxi-inputs", NOON, NOON.replace(hour=13))
        assert server.process.wait(30) == -9
    with Server(tmp_path / "data") as server, server.client() as client:
        client.settle(seconds_max=120)
        found = client.runs.wait(run.id, seconds_max=60)
        finished = list(client.events.list(name="RunFinished", limit=100))
        broken = client.events.verify()["breaks"]
        assert server.stop() == 0

    kept = sqlite3.connect(tmp_path / "data" / "modelward.db")
    counted = kept.execute("SELECT runs, edition FROM monitor_history").fetchall()
    kept.close()
    assert (found.state, found.rows, len(finished), broken) == ("finished", 300, 1, [])
    assert counted == [(1, 1)]
