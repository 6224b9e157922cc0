"""The demo's story, built as `modelward demo --no-serve` builds it, and its banner's lines."""

import fcntl
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import modelward
from modelward.cli.demo.command import banner
from modelward.cli.serve import listen
from modelward.kernel.errors import Conflict, ModelwardError

COMMAND = Path(sys.executable).with_name("modelward")


@pytest.fixture(scope="module")
def demo_home(tmp_path_factory):
    home = tmp_path_factory.mktemp("demo") / "home"
    done = _demo(home, "--no-serve")
    assert done.returncode == 0, done.stderr
    return home


@pytest.fixture(scope="module")
def visitor(demo_home):
    with modelward.connect(demo_home) as client:
        yield client


def _demo(home, *options):
    environment = {**os.environ, "MODELWARD_HOME": str(home), "MODELWARD_PORT": "0"}
    return subprocess.run(
        [str(COMMAND), "demo", *options], env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def test_the_story_shows_each_state_a_model_can_be_in(visitor):
    rows = {row.model: row for row in visitor.overview().rows}

    assert rows["flight-delay"].status == "approved"
    assert len(rows["flight-delay"].open_alerts) == 1
    assert rows["mortgage-approval"].waiting_review
    assert rows["mortgage-approval"].status == "pending"
    assert rows["flight-air-time"].endpoints
    assert not rows["flight-air-time"].monitors
    assert rows["mortgage-prescreen"].card_status == "draft"


def test_the_seasons_of_2013_drift_away_from_its_winter(visitor):
    runs = list(visitor.monitors.runs("flight-delay-inputs"))[::-1]

    assert [run.rows for run in runs] == [28330, 28796, 28243, 29425, 29327, 27574, 28889, 27268, 28135]
    assert all(run.outcome == "failed" for run in runs)
    assert all({"temperature_f", "dew_point_f"} <= set(run.drifted) for run in runs)
    assert not any({"distance_miles", "hour", "plane_age_years"} & set(run.drifted) for run in runs)


def test_the_waiting_review_names_the_disparity_and_asks_for_a_reason(visitor):
    review = visitor.reviews.of("mortgage-approval@2")

    checks = {check.check: check.outcome for check in review.checks}
    assert checks["bias-findings"] == "failed"
    assert checks["quality-evidence"] == "passed"
    assert review.hindrances == []
    with pytest.raises(ModelwardError, match=r"justif|reason|note"):
        visitor.reviews.approve(review.id, note="")


def test_no_version_of_the_story_was_approved_by_who_registered_it(visitor):
    decided = list(visitor.events.list(name="ReviewDecided"))

    assert len(decided) == 3
    assert all(event.actor == "ben" for event in decided)
    assert visitor.events.verify().breaks == []


def test_live_calls_and_replayed_months_are_both_captured(visitor):
    now = datetime.now(UTC)
    lately = visitor.endpoints.traffic("flight-delay", now - timedelta(hours=4), now + timedelta(hours=1))
    files = [each for each in visitor.captures.files("flight-delay") if each.kind == "table"]

    assert sum(hour.rows for hour in lately) == 20
    assert sum(each.rows for each in files) == 255_987


def test_no_job_of_the_story_was_given_up(visitor):
    assert visitor.get("/jobs", state="dead") == []


def test_a_folder_that_the_demo_did_not_build_is_never_deleted(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")

    done = _demo(tmp_path, "--reset", "--no-serve")

    assert done.returncode == 3
    assert "was not built by the demo" in done.stderr
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_taken_port_is_told_before_anything_is_built(tmp_path):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        environment = {**os.environ, "MODELWARD_HOME": str(tmp_path / "home"), "MODELWARD_PORT": port}
        done = subprocess.run(
            [str(COMMAND), "demo"], env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    assert done.returncode == 3
    assert "MODELWARD_PORT" in done.stderr
    assert not (tmp_path / "home").exists()


def test_the_banner_names_the_address_and_a_way_to_sign_in(demo_home):
    told = json.loads((demo_home / "demo.json").read_text())
    text = banner("http://127.0.0.1:1", "mw_secret", demo_home, ("AKMWID", "key-secret"))

    assert told["model_server_port"] > 0
    assert (demo_home / "demo.json").stat().st_mode & 0o077 == 0
    assert "http://127.0.0.1:1/sign-in#token=mw_secret" in text
    assert str(demo_home) in text


def test_a_port_that_another_demo_has_taken_for_its_build_is_refused():
    taken = listen("127.0.0.1", 0)
    with taken, pytest.raises(Conflict, match="Address already in use"):
        listen("127.0.0.1", taken.getsockname()[1])


def test_a_folder_that_another_demo_builds_is_left_alone(tmp_path):
    (tmp_path / "demo-unfinished").touch()
    (tmp_path / "blobs").mkdir()

    with (tmp_path / "demo-unfinished").open("a") as mark:
        fcntl.flock(mark, fcntl.LOCK_EX)
        done = _demo(tmp_path, "--no-serve")

    assert done.returncode == 3
    assert "at this moment" in done.stderr
    assert (tmp_path / "blobs").exists()


@pytest.mark.parametrize("options", [(), ("--reset",)])
def test_a_file_in_place_of_the_folder_is_told_in_a_sentence(tmp_path, options):
    (tmp_path / "file").write_text("")

    done = _demo(tmp_path / "file", "--no-serve", *options)

    assert done.returncode == 3
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["MODELWARD_DATABASE_URL", "MODELWARD_STORE"])
def test_the_demo_never_tells_its_story_in_a_team_s_storage(tmp_path, monkeypatch, name):
    monkeypatch.setenv(name, "postgresql://team@db/modelward" if "URL" in name else "s3://models/team")

    done = _demo(tmp_path, "--no-serve")

    assert done.returncode == 3
    assert name in done.stderr
