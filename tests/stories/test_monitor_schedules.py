"""What happens by the clock: slots make runs, hours are filed, and nothing happens twice."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from modelward.app import open_house
from modelward.governance.access.entities import SYSTEM
from modelward.governance.monitoring import running
from modelward.jobs import queue, schedules
from modelward.jobs.queue import LeaseLost
from modelward.kernel.clock import moment
from modelward.kernel.refs import Digest
from modelward.sdk import Client
from modelward.sdk.transports import AppTransport
from modelward.settings import Settings
from support.taxi import NOON, Hands, house_with_clock, look, names, prepare, records, trips, turn


def test_a_slot_of_the_schedule_makes_one_run_of_the_window_before_it(tmp_path: Path):
    clock = Hands(NOON - timedelta(hours=1, minutes=30))
    with house_with_clock(tmp_path / "house", clock) as (opened, client):
        prepare(client, tmp_path, cron="0 * * * *", window_hours=1, lag_minutes=5)
        assert client.monitors.get("taxi-inputs").next_at == "2026-03-01T11:00:00Z"
        client.captures.store("taxi", records(trips(600, seed=14), at=NOON - timedelta(hours=1)))

        for minutes in (0, 1, 30, 60):
            turn(opened, clock, NOON + timedelta(minutes=minutes - 60))

        runs = list(client.monitors.runs("taxi-inputs"))
        assert [(run.window_start, run.window_end, run.scheduled) for run in runs] == [
            ("2026-03-01T10:55:00Z", "2026-03-01T11:55:00Z", True),
            ("2026-03-01T09:55:00Z", "2026-03-01T10:55:00Z", True),
        ]
        assert [run.rows for run in runs] == [600, 0]
        assert client.monitors.get("taxi-inputs").next_at == "2026-03-01T13:00:00Z"


def test_slots_missed_while_nothing_ran_are_each_run_or_covered_by_one_window(tmp_path: Path):
    clock = Hands(NOON - timedelta(minutes=30))
    with house_with_clock(tmp_path / "house", clock) as (opened, client):
        prepare(client, tmp_path, cron="0 * * * *", window_hours=1)
        client.monitors.create("since-last", "taxi", "january", cron="0 * * * *", window_hours=None)
        turn(opened, clock, NOON)

        turn(opened, clock, NOON + timedelta(hours=4, minutes=10))

        fixed = list(client.monitors.runs("taxi-inputs"))
        assert [run.window_end for run in fixed] == [f"2026-03-01T{hour}:00:00Z" for hour in (16, 15, 14, 13, 12)]
        since = list(client.monitors.runs("since-last"))
        assert [(run.window_start[11:16], run.window_end[11:16]) for run in since] == [
            ("12:00", "16:00"),
            ("11:00", "12:00"),
        ]


def test_a_slot_worked_on_twice_makes_one_run(tmp_path: Path):
    clock = Hands(NOON - timedelta(minutes=30))
    opened = open_house(Settings(home=tmp_path / "house"), works=False)
    opened.workshop.clock = clock
    with Client(AppTransport(opened.asgi, on_close=opened.close), token=opened.home.owner_secret()) as client:
        client.models.register("fares")
        client.versions.register("fares", artifact=b"model")
        client.endpoints.create("taxi", "fares@1")
        client.baselines.create("january", b"fare\n1\n2\n")
        client.monitors.create("taxi-inputs", "taxi", "january", cron="0 * * * *")
        clock.now = NOON
        database = opened.database
        assert [database.write(lambda c: schedules.fire_due(c, now=NOON)) for _ in range(2)] == [1, 0]

        def claim(owner: str, now: datetime) -> Any:
            held = database.write(lambda c: queue.claim(c, owner=owner, now=now, limit=10))
            return next(job for job in held if job.kind == "monitor-slot")

        first = claim("a worker that is killed", NOON)
        second = claim("the next worker", NOON + timedelta(minutes=2))
        running.start_slot(opened.workshop, second, clock=clock)
        with pytest.raises(LeaseLost):
            running.start_slot(opened.workshop, first, clock=clock)

        (run,) = client.monitors.runs("taxi-inputs")
        assert run.window_end == "2026-03-01T12:00:00Z"


def test_a_run_computed_twice_is_kept_once(tmp_path: Path):
    clock = Hands(NOON)
    with house_with_clock(tmp_path / "house", clock) as (opened, client):
        prepare(client, tmp_path)
        client.captures.store("taxi", records(trips(500, seed=15, fare=20.0), at=NOON - timedelta(hours=1)))
        run = look(client, NOON - timedelta(hours=1))
        job = opened.database.read(lambda c: queue.get(c, run.id))
        assert job is not None

        with pytest.raises(LeaseLost):
            running.compute_run(opened.workshop, job, clock=clock)

        assert names(client, subject=run.id).count("RunFinished") == 1
        (alert,) = client.alerts.list()
        assert alert.runs_count == 1


def test_records_are_filed_after_their_hour_and_the_window_stays_the_same(tmp_path: Path):
    clock = Hands(NOON + timedelta(minutes=50))
    with house_with_clock(tmp_path / "house", clock) as (opened, client):
        prepare(client, tmp_path)
        client.captures.store("taxi", records(trips(700, seed=16)))
        before = look(client)

        turn(opened, clock, NOON + timedelta(hours=1, minutes=6))

        (file,) = client.captures.files("taxi")
        assert (file.kind, file.rows, sorted(file.columns)) == (
            "hour", 700, ["fare", "kind", "prediction", "probability", "riders"],
        )  # fmt: skip
        after = look(client, again=True)
        assert (after.rows, after.outcome) == (before.rows, before.outcome) == (700, "passed")
        assert client.runs.report(after.id).profile == client.runs.report(before.id).profile
        assert client.captures.store("taxi", records(trips(700, seed=16))).stored == 0
        assert client.endpoints.traffic("taxi", NOON, NOON + timedelta(hours=2))[0].rows == 700


def test_a_paused_monitor_makes_no_runs_and_goes_on_at_its_next_slot(tmp_path: Path):
    clock = Hands(NOON - timedelta(minutes=30))
    with house_with_clock(tmp_path / "house", clock) as (opened, client):
        prepare(client, tmp_path, cron="0 * * * *")
        client.monitors.change("taxi-inputs", enabled=False)
        turn(opened, clock, NOON + timedelta(hours=3, minutes=1))
        assert list(client.monitors.runs("taxi-inputs")) == []

        client.monitors.change("taxi-inputs", enabled=True)
        turn(opened, clock, NOON + timedelta(hours=4, minutes=1))

        assert [moment(run.window_end) for run in client.monitors.runs("taxi-inputs")] == [NOON + timedelta(hours=4)]


def test_damaged_records_end_the_run_with_a_cause_and_a_remedy(tmp_path: Path):
    clock = Hands(NOON)
    with house_with_clock(tmp_path / "house", clock) as (opened, client):
        prepare(client, tmp_path)
        file = client.captures.store_table("taxi", pa.Table.from_pylist(trips(500)), at=NOON - timedelta(minutes=30))
        path = opened.workshop.blobs.path(Digest(file.digest))
        assert path is not None
        path.write_bytes(path.read_bytes()[:-1] + b"x")

        run = look(client, NOON - timedelta(hours=1))

        assert run.state == "failed"
        assert "have the digest" in run.failure.cause
        assert "restore them from a backup" in run.failure.what_to_do
        assert opened.workshop.read(SYSTEM, lambda work: queue.counts(work.connection)).get("dead") is None
