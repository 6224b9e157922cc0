"""From a captured record to an alert: what a monitor sees, what it cannot see, and what it must never do."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import modelward
from modelward.kernel.errors import Conflict, Invalid, NotFound
from modelward.sdk import Client
from support.taxi import NOON, look, names, prepare, records, trips


@pytest.fixture
def house(tmp_path: Path, database_url: str) -> Iterator[Client]:
    with modelward.connect(tmp_path / "house", database_url=database_url) as client:
        prepare(client, tmp_path)
        yield client


def test_real_drift_in_captured_traffic_opens_an_alert_that_names_the_column_and_the_figures(house: Client):
    house.captures.store("taxi", records(trips(1500, seed=2, fare=19.0)))

    run = look(house)

    assert (run.state, run.outcome, run.rows, run.drifted) == ("finished", "failed", 1500, ["fare"])
    (alert,) = house.alerts.list(state="open")
    assert (alert.monitor, alert.endpoint, alert.version, alert.runs) == ("taxi-inputs", "taxi", "fares@1", [run.id])
    assert "'fare' drifted" in alert.cause
    assert "allowed 0.05" in alert.cause
    assert house.runs.report(run.id).check.outcome == "failed"
    drift = house.monitors.series("taxi-inputs", column="fare", measure="drift")
    assert drift[0].value > drift[0].threshold


def test_traffic_like_the_baseline_passes_and_opens_nothing(house: Client):
    house.captures.store("taxi", records(trips(1500, seed=3)))

    run = look(house)

    assert (run.outcome, run.violations, run.drifted) == ("passed", 0, [])
    assert list(house.alerts.list()) == []


def test_an_empty_window_is_undecided_and_opens_nothing(house: Client):
    run = look(house)

    assert (run.state, run.outcome, run.rows) == ("finished", "undecided", 0)
    assert run.reason == "No records were captured in this window, so nothing can be said."
    assert list(house.alerts.list()) == []


def test_a_window_with_too_few_records_is_undecided(house: Client):
    house.captures.store("taxi", records(trips(30, seed=4)))

    run = look(house)

    assert run.outcome == "undecided"
    assert "Too few values" in run.reason


def test_an_alert_goes_on_recovers_relapses_and_is_closed_by_a_person(house: Client):
    for hour, fare in enumerate((19.0, 20.0, 12.0, 21.0)):
        at = NOON + timedelta(hours=hour)
        house.captures.store("taxi", records(trips(800, seed=10 + hour, fare=fare), at=at, name=f"h{hour}"))
        look(house, at)

    (alert,) = house.alerts.list()
    assert (alert.state, alert.runs_count, alert.recovered_at) == ("open", 3, None)
    assert names(house, subject=alert.id) == ["AlertOpened", "AlertContinued", "AlertRecovered", "AlertContinued"]
    assert house.alerts.acknowledge(alert.id, note="Looking.").acknowledged_by == "owner"
    with pytest.raises(Invalid, match="with a reason"):
        house.alerts.close(alert.id, reason=" ")
    assert house.alerts.close(alert.id, reason="New tariff; retrained.").state == "closed"
    with pytest.raises(Conflict, match="was closed by owner"):
        house.alerts.close(alert.id, reason="Again.")


def test_a_rule_of_two_out_of_three_waits_for_the_second_failure(house: Client):
    house.monitors.set_alert_rule("taxi-inputs", runs_failed=2, runs_judged=3, severity="high")
    for hour, fare in enumerate((19.0, 12.0, 20.0)):
        at = NOON + timedelta(hours=hour)
        house.captures.store("taxi", records(trips(800, seed=20 + hour, fare=fare), at=at, name=f"h{hour}"))
        look(house, at)
        assert len(list(house.alerts.list())) == (1 if hour == 2 else 0)

    (alert,) = house.alerts.list()
    assert (alert.severity, alert.runs_count) == ("high", 2)


def test_the_same_window_gives_its_run_back_and_again_makes_a_new_attempt(house: Client):
    first = look(house)
    house.captures.store("taxi", records(trips(500, seed=9)))

    assert look(house).id == first.id
    second = look(house, again=True)
    assert (second.attempt, second.rows) == (2, 500)
    assert [run.attempt for run in house.monitors.runs("taxi-inputs")] == [2, 1]


@pytest.mark.parametrize("name", ["../../etc", "<script>alert(1)</script>", 'a"b', "a'b", "", "a b", "x" * 200, ".."])
def test_a_name_that_is_none_is_refused_everywhere(house: Client, name: str):
    digest = house.artifacts.store(b"a,b\n1,2\n").digest
    for make in (
        lambda: house.endpoints.create(name, "fares@1"),
        lambda: house.baselines.create(name, digest),
        lambda: house.monitors.create(name, "taxi", "january"),
    ):
        with pytest.raises(Invalid, match="is not a name"):
            make()


def test_unknown_things_are_not_found_in_words(house: Client):
    with pytest.raises(NotFound, match="There is no endpoint nowhere"):
        house.captures.store("nowhere", [{"a": 1}])
    with pytest.raises(NotFound, match="There is no endpoint nowhere"):
        house.captures.store_table("nowhere", pa.table({"a": [1]}), at=NOON)
    with pytest.raises(NotFound, match="There is no baseline nowhere"):
        house.monitors.create("m", "taxi", "nowhere")
    with pytest.raises(NotFound, match="There is no monitor nowhere"):
        house.monitors.run("nowhere", NOON, NOON + timedelta(hours=1))
    with pytest.raises(NotFound, match="No artifact sha256:0"):
        house.baselines.create("b", "sha256:" + "0" * 64)
    with pytest.raises(NotFound, match="There is no version fares@9"):
        house.endpoints.create("x", "fares@9")


@pytest.mark.parametrize(
    "settings, told",
    [
        ({"cron": "often"}, "is not a cron line"),
        ({"cron": "0 0 30 2 *"}, "is not a cron line"),
        ({"cron": "0 * * * *", "zone": "Mars/Base"}, "is not a time zone"),
        ({"window_hours": 0}, "window_hours must be from 1"),
        ({"lag_minutes": -1}, "lag_minutes must be from 0"),
    ],
)
def test_a_monitor_with_a_wrong_setting_is_refused_whole(house: Client, settings: dict[str, Any], told: str):
    with pytest.raises(Invalid, match=told):
        house.monitors.create("wrong", "taxi", "january", **settings)

    assert [each.name for each in house.monitors.list()] == ["taxi-inputs"]


def test_a_baseline_that_cannot_be_read_fails_with_its_reason_and_so_do_the_runs_on_it(house: Client):
    house.baselines.create("bad", house.artifacts.store(b"PAR1 and then nonsense").digest)

    bad = house.baselines.wait("bad", seconds_max=30)

    assert bad.state == "failed"
    assert "not a readable Parquet file" in bad.reason
    house.monitors.change("taxi-inputs", baseline="bad")
    run = look(house)
    assert (run.state, run.outcome) == ("failed", None)
    assert "could not be made" in run.failure.cause
    assert run.failure.what_to_do == "Make another baseline and let the monitor use it."
    assert "RunFailed" in names(house, subject=run.id)
    assert list(house.alerts.list()) == []


def test_an_unapproved_version_is_shown_on_its_endpoint_and_its_history_is_kept(house: Client):
    house.versions.register("fares", artifact=b"second")

    changed = house.endpoints.change_version("taxi", "fares@2", reason="Better on nights.")

    assert (changed.version, changed.unapproved, changed.version_status) == ("fares@2", True, "pending")
    (event,) = house.events.list(subject="taxi", name="EndpointChanged")
    assert (event.detail.version_before, event.detail.version, event.detail.reason) == (
        "fares@1",
        "fares@2",
        "Better on nights.",
    )
