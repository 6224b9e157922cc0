"""`modelward doctor` finds each fault that is planted, and leaves no trace of having looked."""

import json
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from modelward.app import open_house
from modelward.cli import examination, reading
from modelward.cli.doctor import doctor
from modelward.home import Home
from modelward.jobs import queue
from modelward.kernel.outcome import Outcome
from modelward.settings import Settings


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch):
    for name in ("HOME", "PORT", "URL", "TOKEN", "DATABASE_URL", "STORE"):
        monkeypatch.delenv(f"MODELWARD_{name}", raising=False)
    monkeypatch.setenv("MODELWARD_PORT", "0")


@pytest.fixture
def home(tmp_path):
    """A data folder that a server has used and left."""
    folder = tmp_path / "data"
    open_house(Settings(home=folder, port=0)).close()
    return folder


def ask(home):
    result = CliRunner().invoke(doctor, ["--json", "--home", str(home)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    told = json.loads(result.stdout)
    return result.exit_code, {each["name"]: each for each in told["checks"]}


def state_of(folder):
    return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in [folder, *folder.rglob("*")]}


def change(home, *statements):
    with sqlite3.connect(home / "modelward.db") as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def test_looking_where_nothing_is_makes_nothing(tmp_path):
    code, checks = ask(tmp_path / "nowhere" / "data")

    assert code == 2
    assert checks["data folder"]["outcome"] == checks["server"]["outcome"] == "undecided"
    assert "event log" not in checks
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_nobody_holds_is_read_and_stays_as_it_is(home):
    before = state_of(home)

    code, checks = ask(home)

    assert code == 2
    assert [name for name, each in checks.items() if each["outcome"] != "passed"] == ["server"]
    assert "holds" in checks["event log"]["told"]
    assert state_of(home) == before


def test_what_a_crash_left_beside_the_database_is_read_from_a_copy(tmp_path):
    house = open_house(Settings(home=tmp_path / "data", port=0))
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for name in ("modelward.db", "modelward.db-wal", "lock", "owner-token"):
        shutil.copy(tmp_path / "data" / name, crashed / name)
    (crashed / "blobs").mkdir()
    house.close()
    before = state_of(crashed)

    _, checks = ask(crashed)

    assert (crashed / "modelward.db-wal").stat().st_size > 0
    assert checks["event log"]["outcome"] == "passed"
    assert state_of(crashed) == before


def test_a_server_that_runs_is_asked_over_http_and_all_is_well(tmp_path):
    command = [sys.executable, "-m", "modelward.cli.main", "serve", "--home", str(tmp_path / "data"), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            until = time.monotonic() + 30
            while not (tmp_path / "data" / "server.json").exists() and time.monotonic() < until:
                assert server.poll() is None, server.stderr.read()
                time.sleep(0.05)

            code, checks = ask(tmp_path / "data")
        finally:
            server.terminate()

    assert code == 0, checks
    assert "is ready" in checks["server"]["told"]
    assert "held by process" in checks["data folder"]["told"]
    assert "holds" in checks["event log"]["told"]


def test_a_folder_held_by_one_who_serves_nobody_is_still_read(tmp_path):
    house = open_house(Settings(home=tmp_path / "data", port=0))
    try:
        code, checks = ask(tmp_path / "data")
    finally:
        house.close()

    assert code == 2
    assert "serves no one" in checks["server"]["told"]
    assert checks["event log"]["outcome"] == "passed"


def test_a_server_that_does_not_answer_is_a_failure(home):
    holder = Home(home)
    holder.take()
    holder.announce("http://127.0.0.1:9")
    try:
        code, checks = ask(home)
    finally:
        holder.release()

    assert code == 1
    assert "does not answer" in checks["server"]["told"]
    assert checks["server"]["next"]


def test_a_changed_event_is_found(home):
    change(home, "DROP TRIGGER event_is_never_updated", "UPDATE event SET actor = 'mallory' WHERE sequence = 1")

    code, checks = ask(home)

    assert code == 1
    assert "entry 1" in checks["event log"]["told"]


def test_jobs_that_were_given_up_are_listed_with_their_error(home):
    insert = (
        "INSERT INTO job (id, kind, payload, state, run_at, attempt, attempts_max, error, created_at)"
        " VALUES ('{}', 'reaction', '{{}}', '{}', '{}', 5, 5, 'ValueError: no column age', '2026-01-01')"
    )
    now = datetime.now(UTC)
    change(home, insert.format("job-1", "dead", now.isoformat()), insert.format("job-2", "waiting", now.isoformat()))

    code, checks = ask(home)

    assert code == 1
    assert "job-1: ValueError: no column age" in checks["jobs"]["told"]
    assert "job-2" not in checks["jobs"]["told"]


def test_jobs_that_are_due_and_do_not_run_are_a_failure_only_beside_a_server():
    class OneLate:
        def schema(self):
            return "0001"

        def jobs(self, state):
            late = datetime.now(UTC) - timedelta(hours=1)
            return [reading.ToldJob("job-1", "run", late, "")] if state is queue.JobState.WAITING else []

    assert examination.check_jobs(patient(kept=OneLate(), url="http://127.0.0.1:9")).outcome is Outcome.FAILED
    assert examination.check_jobs(patient(kept=OneLate())).outcome is Outcome.PASSED


def test_a_database_of_a_newer_version_is_refused(home):
    change(home, "UPDATE alembic_version SET version_num = '9999'")

    code, checks = ask(home)

    assert code == 1
    assert "newer version" in checks["database"]["told"]


def test_a_file_that_is_no_database_is_a_failure(home):
    (home / "modelward.db").write_bytes(b"not a database, " * 100)

    code, checks = ask(home)

    assert code == 1
    assert checks["database"]["outcome"] == "failed"


def test_a_damaged_blob_is_found(home):
    blobs = home / "blobs"
    (blobs / "ab").mkdir(parents=True)
    (blobs / "ab" / ("c" * 62)).write_bytes(b"something else")

    code, checks = ask(home)

    assert code == 1
    assert "sha256:abc" in checks["blobs"]["told"]


def test_a_port_in_use_is_found(home, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setenv("MODELWARD_PORT", str(other.getsockname()[1]))
        code, checks = ask(home)

    assert code == 1
    assert "MODELWARD_PORT" in checks["port"]["next"]


def test_a_setting_that_is_not_valid_is_told_and_the_rest_is_left(home):
    (home / "modelward.toml").write_text("colour = 'blue'\n")

    code, checks = ask(home)

    assert code == 1
    assert "colour" in checks["settings"]["told"]


def test_postgresql_that_does_not_answer_is_told_without_its_password(home, monkeypatch):
    monkeypatch.setenv("MODELWARD_DATABASE_URL", "postgresql://ana:secret@127.0.0.1:9/records")

    code, checks = ask(home)

    assert code == 1
    assert checks["postgresql"]["outcome"] == "failed"
    assert "secret" not in json.dumps(checks)


def test_a_clock_behind_the_newest_event_is_found():
    class FromTomorrow:
        def schema(self):
            return "0001"

        def newest_event_at(self):
            return datetime.now(UTC) + timedelta(days=1)

    assert examination.check_clock(patient(kept=FromTomorrow())).outcome is Outcome.FAILED
    assert examination.check_clock(patient(clock=lambda: datetime(1990, 1, 1, tzinfo=UTC))).outcome is Outcome.FAILED


def test_a_full_disk_and_a_half_installed_demo_are_found(monkeypatch):
    monkeypatch.setattr(examination, "FREE_BYTES_MIN", 1 << 60)
    monkeypatch.setattr(examination, "find_spec", lambda name: None if name == "sklearn" else object())

    assert examination.check_disk(patient()).outcome is Outcome.FAILED
    assert examination.check_demo(patient()).outcome is Outcome.FAILED


def test_each_failure_and_doubt_says_what_next(tmp_path):
    _, checks = ask(tmp_path / "none")

    assert all(each["next"] for each in checks.values() if each["outcome"] != "passed")


def patient(**given):
    settings = Settings(port=0)
    facts = {"taken": False, "url": "", "health": None, "kept": None, "trouble": None, **given}
    return examination.Patient(settings=settings, home=Home(settings.home), **facts)
