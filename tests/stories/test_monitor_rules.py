"""Rules that people give to monitors: constraints they edit, groups they compare, budgets of false alarms they set."""

import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import modelward
from modelward.cli.main import modelward as command_line
from modelward.governance.access.entities import SYSTEM
from modelward.governance.monitoring import history_store, running
from modelward.jobs.queue import LeaseLost
from modelward.kernel.errors import Conflict, Invalid
from modelward.kernel.refs import MonitorRef
from modelward.sdk import Client
from support.taxi import NOON, Hands, house_with_clock, look, names, prepare, records, trips, turn

HOURLY = {"cron": "0 * * * *", "window_hours": 1}


@pytest.fixture
def house(tmp_path: Path, database_url: str) -> Iterator[Client]:
    with modelward.connect(tmp_path / "house", database_url=database_url) as client:
        prepare(client, tmp_path, **HOURLY, false_alarms_a_month=1)
        yield client


def rules(house: Client, **columns: dict[str, Any]) -> dict[str, Any]:
    """The constraints of January with more rules for some columns."""
    read: dict[str, Any] = deepcopy(house.baselines.constraints("january").to_dict())
    for column in read["columns"]:
        column |= columns.get(column["name"], {})
    return read


def hour(house: Client, number: int, *, rows: int = 120, **options: Any) -> Any:
    """Capture an hour of trips and look at it."""
    at = NOON + timedelta(hours=number)
    house.captures.store("taxi", records(trips(rows, seed=100 + number, **options), at=at, name=f"h{number}"))
    return look(house, at)


def test_a_slow_shift_that_no_run_shows_is_found_over_many_and_stable_hours_raise_nothing(house: Client):
    changed = rules(house, kind={"pattern": "^[a-z]+$"})
    house.baselines.set_constraints("january", changed)

    stable = [hour(house, number) for number in range(8)]
    shifted = [hour(house, number, fare=12.7) for number in range(8, 16)]

    assert [(run.drifted, run.violations) for run in stable] == [([], 0)] * 8
    first = next(run for run in shifted if run.outcome == "failed")
    assert first.drifted == ["fare"]
    (finding,) = first.findings
    assert finding.check == "drift_over_runs"
    assert "'fare' drifted over the last" in finding.text
    (alert,) = house.alerts.list()
    assert "runs together" in alert.cause
    assert alert.runs[0] == first.id
    check = house.runs.report(first.id).check
    assert [each.outcome for each in check.drift if each.column == "fare"] != ["failed"]


def test_a_pattern_a_repetition_and_a_condition_that_somebody_asked_for_are_judged(house: Client):
    changed = rules(house, kind={"pattern": "^c"}, fare={"unique_share_min": 1})
    changed["conditions"] = [{"name": "fair", "sql": "fare >= riders * 100"}]
    changed["rows_min"] = 1000
    house.baselines.set_constraints("january", changed)

    run = hour(house, 0)

    assert run.outcome == "failed"
    assert {finding.check for finding in run.findings} == {"pattern", "unique", "condition fair", "rows"}
    report = house.runs.report(run.id)
    assert report.constraints == house.baselines.get("january").constraints


def test_freshness_is_measured_from_the_end_of_the_window(house: Client):
    import pyarrow as pa

    rows = [{**row, "seen": NOON} for row in trips(200)]
    digest = house.artifacts.store(_parquet(pa.Table.from_pylist(rows)))["digest"]
    house.baselines.create("with-times", digest)
    house.baselines.wait("with-times")
    changed = deepcopy(house.baselines.constraints("with-times").to_dict())
    for column in changed["columns"]:
        column["age_seconds_max"] = 1800 if column["name"] == "seen" else None
    house.baselines.set_constraints("with-times", changed)
    house.monitors.change("taxi-inputs", baseline="with-times")
    house.captures.store_table("taxi", pa.Table.from_pylist(rows), at=NOON)

    near, far = look(house, NOON, NOON + timedelta(minutes=20)), look(house, NOON, NOON + timedelta(hours=1))

    assert "freshness" not in {each.check for each in near.findings}
    assert "freshness" not in {each.check for each in house.runs.report(near.id).check.unchecked}
    assert "3600 s old" in next(each.text for each in far.findings if each.check == "freshness")


def _parquet(table: Any) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kept = pa.BufferOutputStream()
    pq.write_table(table, kept)
    return kept.getvalue().to_pybytes()


def test_a_condition_that_does_not_fit_what_comes_is_undecided_and_told_not_a_failure_of_the_run(house: Client):
    changed = rules(house)
    changed["conditions"] = [{"name": "dear", "sql": "fare + 1 > 0"}]
    house.baselines.set_constraints("january", changed)
    texts = [{**row, "fare": f"about {n}"} for n, row in enumerate(trips(150))]
    house.captures.store("taxi", records(texts))

    run = look(house)

    assert run.state == "finished"
    assert any("condition dear" in note for note in run.notes)
    assert "type" in {finding.check for finding in run.findings}


def test_a_group_that_drifts_alone_is_named(house: Client):
    house.monitors.change("taxi-inputs", segments=["kind"])
    rows = [{**row, "fare": row["fare"] + (6 if row["kind"] == "voucher" else -3)} for row in trips(3000, seed=5)]
    house.captures.store("taxi", records(rows))

    run = look(house)

    assert run.outcome == "failed"
    assert any("in the group kind = voucher" in each.text for each in run.findings)
    assert house.monitors.get("taxi-inputs").segments == ["kind"]
    # The baseline by groups is made once.
    assert look(house, again=True).outcome == "failed"


def test_edited_constraints_are_a_new_version_in_the_audit_and_the_old_ones_stay(house: Client):
    before = house.baselines.get("january")
    kept = house.baselines.set_constraints(
        "january", rules(house, kind={"pattern": "^c"}), note="Cash or card.", replaces=before.constraints
    )

    assert (before.constraints_version, kept.constraints_version) == (1, 2)
    (event,) = house.events.list(name="BaselineConstraintsChanged")
    assert (event.actor, event.subject, event.detail.note) == ("owner", "january", "Cash or card.")
    assert (event.detail.constraints_before, event.detail.constraints) == (before.constraints, kept.constraints)
    with pytest.raises(Conflict, match="Read them again"):
        house.baselines.set_constraints("january", rules(house), replaces=before.constraints)
    # The same ones again are no change.
    assert house.baselines.set_constraints("january", rules(house)).constraints_version == 2
    assert names(house).count("BaselineConstraintsChanged") == 1


@pytest.mark.parametrize(
    "wrong, told",
    [
        ({"kind": {"patern": "^c"}}, r"columns\[\d\].patern is not known"),
        ({"kind": {"pattern": "("}}, "'pattern kind' is no regular expression"),
        ({"kind": {"pattern_share_min": 1.5}}, "pattern_share_min is '1.5'; it must be from 0 to 1"),
        ({"fare": {"minimum": 9, "maximum": 2}}, "minimum is '9.0'; it must not be above maximum"),
        ({"fare": {"name": "fee"}}, "name is 'fee'; the baseline has no such column"),
        ({"fare": {"name": "kind"}}, "that column was named before"),
        ({"fare": {"age_seconds_max": 0}}, "age_seconds_max is '0.0'; it must be above 0"),
        ({"fare": {"kind": "money"}}, "Invalid enum value 'money'"),
    ],
)
def test_constraints_that_break_a_rule_are_refused_whole(house: Client, wrong: dict[str, Any], told: str):
    before = house.baselines.get("january")

    with pytest.raises(Invalid, match=told):
        house.baselines.set_constraints("january", rules(house, **wrong))

    assert house.baselines.get("january") == before


@pytest.mark.parametrize(
    "wrong, told",
    [
        ({"conditions": [{"name": "x", "sql": "fare >"}]}, "condition x"),
        ({"conditions": [{"name": "x", "sql": "fare > (SELECT 1)"}]}, "condition x"),
        ({"conditions": [{"name": "x", "sql": "fee > 1"}]}, "no such column"),
        ({"conditions": [{"name": "x", "sql": "fare + 1"}]}, "must be true or false"),
        ({"conditions": [{"name": "x", "sql": "fare"}, {"name": "x", "sql": "riders"}]}, "same name"),
        ({"conditions": [{"name": "x", "sqll": "fare"}]}, r"conditions\[0\].sqll is not known"),
        ({"unique_together": [["fare", "fare"]]}, "none twice"),
        ({"rows_min": 5, "rows_max": 4}, "must not be above rows_max"),
        ({"rows_change_max": -1}, "must be 0 or more"),
        ({"drift": {"numeric_threshold": 0}}, "must be above 0"),
        ({"drift": {"false_alarms_a_month": 1}}, "runs a month says nothing"),
        ({"drift": {"false_shares": 1}}, "drift.false_shares is not known"),
        ({"rowsmin": 5}, "rowsmin is not known"),
    ],
)
def test_rules_of_the_whole_table_that_break_a_rule_are_refused_whole(house: Client, wrong: dict[str, Any], told: str):
    with pytest.raises(Invalid, match=told):
        house.baselines.set_constraints("january", {**rules(house), **wrong})

    assert names(house, name="BaselineConstraintsChanged") == []


@pytest.mark.parametrize(
    "settings, told",
    [
        ({"false_alarms_a_month": 0, "cron": "0 * * * *"}, "false_alarms_a_month is 0"),
        ({"false_alarms_a_month": 1}, "on demand only"),
        ({"segments": ["a", "b", "c", "d"]}, "at most 3 different columns"),
        ({"segments": ["a", "a"]}, "at most 3 different columns"),
    ],
)
def test_a_budget_or_groups_that_cannot_be_are_refused(house: Client, settings: dict[str, Any], told: str):
    with pytest.raises(Invalid, match=told):
        house.monitors.create("wrong", "taxi", "january", **settings)
    assert [each.name for each in house.monitors.list()] == ["taxi-inputs"]


def test_the_command_prints_constraints_and_keeps_edited_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with modelward.connect(tmp_path / "house") as client:
        prepare(client, tmp_path)
    monkeypatch.setenv("MODELWARD_HOME", str(tmp_path / "house"))
    printed = CliRunner().invoke(command_line, ["monitor", "constraints", "taxi-inputs"])
    file = tmp_path / "rules.json"
    file.write_text(json.dumps({**json.loads(printed.output), "rows_min": 10}))

    done = CliRunner().invoke(command_line, ["monitor", "constraints", "taxi-inputs", "--file", str(file)])

    assert (done.exit_code, "january has version 2" in done.output) == (0, True), done.output
    file.write_text("[]")
    refused = CliRunner().invoke(command_line, ["monitor", "constraints", "taxi-inputs", "--file", str(file)])
    assert refused.exit_code != 0


def test_a_run_is_counted_once_whatever_becomes_of_its_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Its worker dies before the commit, another one that lost the lease comes late, and people look again."""
    clock = Hands(NOON + timedelta(minutes=30))
    with house_with_clock(tmp_path / "house", clock) as (opened, client):
        prepare(client, tmp_path, **HOURLY, false_alarms_a_month=1)
        client.captures.store("taxi", records(trips(300, seed=3)))
        done, failures = running.put_history, []

        def die_once(*arguments: Any) -> None:
            done(*arguments)
            if not failures:
                failures.append("died")
                raise LeaseLost("Planted.")

        monkeypatch.setattr(running, "put_history", die_once)
        run = client.monitors.run("taxi-inputs", NOON, NOON + timedelta(hours=1))
        for minutes in (31, 40, 50):
            turn(opened, clock, NOON + timedelta(minutes=minutes))
        assert client.runs.get(run.id).state == "finished"
        again = client.monitors.run("taxi-inputs", NOON, NOON + timedelta(hours=1), again=True)
        overlapping = client.monitors.run("taxi-inputs", NOON - timedelta(hours=1), NOON + timedelta(minutes=30))
        turn(opened, clock, NOON + timedelta(minutes=55))
        done_now = [client.runs.wait(each.id, seconds_max=60) for each in (again, overlapping)]

        kept = opened.workshop.read(SYSTEM, lambda work: history_store.find_history(work, MonitorRef("taxi-inputs")))
        assert failures == ["died"]
        assert kept is not None
        # The run that overlaps is no part of the sums, but it spends of the budget.
        assert (kept.runs, kept.edition) == (1, 2)
        for other in done_now:
            (note,) = other.notes
            assert "judged for itself" in note


def test_the_history_begins_anew_after_an_alarm_and_with_another_baseline(tmp_path: Path):
    clock = Hands(NOON + timedelta(minutes=30))
    with house_with_clock(tmp_path / "house", clock) as (opened, client):
        prepare(client, tmp_path, **HOURLY, false_alarms_a_month=1)

        def runs_after(number: int, **options: Any) -> tuple[str, int]:
            hour(client, number, **options)
            kept = opened.workshop.read(
                SYSTEM, lambda work: history_store.find_history(work, MonitorRef("taxi-inputs"))
            )
            assert kept is not None
            return kept.baseline, kept.runs

        assert [runs_after(number) for number in range(3)] == [("january", 1), ("january", 2), ("january", 3)]
        assert runs_after(3, fare=20.0) == ("january", 0)
        assert runs_after(4) == ("january", 1)
        client.baselines.create("february", tmp_path / "training.parquet")
        client.baselines.wait("february")
        client.monitors.change("taxi-inputs", baseline="february")
        assert runs_after(5) == ("february", 1)


def test_runs_that_end_at_the_same_time_are_each_counted(tmp_path: Path):
    clock = Hands(NOON + timedelta(hours=7))
    with house_with_clock(tmp_path / "house", clock) as (opened, client):
        prepare(client, tmp_path, **HOURLY, false_alarms_a_month=1)
        hours = [NOON + timedelta(hours=number) for number in range(6)]
        for number, at in enumerate(hours):
            client.captures.store("taxi", records(trips(150, seed=number), at=at, name=f"h{number}"))
        asked = [client.monitors.run("taxi-inputs", at, at + timedelta(hours=1)) for at in hours]
        done = [client.runs.wait(run.id, seconds_max=60) for run in asked]

        kept = opened.workshop.read(SYSTEM, lambda work: history_store.find_history(work, MonitorRef("taxi-inputs")))
        assert kept is not None
        assert [run.outcome for run in done] == ["passed"] * 6
        assert (kept.runs, kept.edition, kept.covered) == (6, 6, [(NOON, NOON + timedelta(hours=6))])
