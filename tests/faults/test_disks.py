"""Disks that are full or fail: a clear word, nothing half-written, and all that was acknowledged is there afterwards."""

import contextlib
import os
import resource
import shutil
import subprocess
import sys
import threading

import pytest

from modelward.kernel.errors import Conflict, Unavailable
from modelward.sdk import Client
from modelward.sdk.transports import HttpTransport
from support.needs import missing
from support.servers import Server

TEXT = "x" * 4000
MODELS_MAX = 5000


class OneTry(Client):
    """A client that asks once."""

    pauses_seconds = ()


def fill(client, told):
    """Register models until the server cannot keep one, and return what it said."""
    for number in range(MODELS_MAX):
        try:
            told.append(client.models.register(f"model-{number}", description=TEXT)["name"])
        except Unavailable as problem:
            return problem
    raise AssertionError("The disk never filled.")


def assert_whole(client, told):
    kept = {each["name"] for each in client.models.list()}
    registered = [each["subject"] for each in events_of(client, "ModelRegistered")]
    assert set(told) <= kept
    assert sorted(registered) == sorted(kept)
    assert client.events.verify()["breaks"] == []


def events_of(client, name):
    found, after = [], 0
    while page := client.events.list(name=name, after=after, limit=1000):
        found += page
        after = page[-1]["sequence"]
    return found


@pytest.fixture
def small_disk(tmp_path):
    """A file system of three megabytes with a file on it that can make room."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0:
        missing("the right to mount a small file system (root)")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)], capture_output=True).returncode:
        pytest.skip("No file system can be mounted here, root or not.")
    (folder / "ballast").write_bytes(bytes(500_000))
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.faults
def test_a_full_disk_is_told_in_a_sentence_and_the_server_goes_on_when_there_is_room(small_disk):
    told = []
    with Server(small_disk / "data") as server, server.client() as owner:
        client = OneTry(HttpTransport(server.url), token=server.home.owner_secret())
        problem = fill(client, told)

        assert "disk is full" in str(problem)
        assert "Make room" in str(problem)
        assert len(told) > 5
        assert owner.models.get(told[0])["name"] == told[0]
        with pytest.raises(Unavailable, match=r"could not be stored|disk is full"):
            client.artifacts.store(bytes(2_000_000))

        (small_disk / "ballast").unlink()
        told.append(owner.models.register("after", description="There is room again.")["name"])
        assert_whole(owner, told)
        client.close()
        server.stop()
    with Server(small_disk / "data") as server, server.client() as owner:
        assert_whole(owner, told)


@pytest.mark.faults
def test_a_file_that_may_not_grow_stops_the_server_and_the_next_start_has_all_that_was_acknowledged(tmp_path):
    told = []
    with Server(tmp_path / "data") as server:
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))
        client = OneTry(HttpTransport(server.url), token=server.home.owner_secret())
        fill(client, told)
        client.close()

        assert server.process.wait(20) == 70
        assert "start it again" in server.log()
    with Server(tmp_path / "data") as server, server.client() as client:
        assert_whole(client, told)
        assert client.models.register("after")["name"] == "after"


@pytest.mark.faults
@pytest.mark.parametrize("call", ["fdatasync", "pwrite64"])
def test_a_disk_that_fails_stops_the_server_and_nothing_that_it_acknowledged_is_lost(tmp_path, call):
    if shutil.which("strace") is None:
        missing("strace")
    told = []
    with Server(tmp_path / "data") as server:
        client = OneTry(HttpTransport(server.url), token=server.home.owner_secret())
        told.append(client.models.register("first")["name"])
        inject = [
            "strace",
            "-f",
            "-qq",
            "-o",
            os.devnull,
            "-e",
            f"trace={call}",
            "-e",
            f"inject={call}:error=EIO:when=100+",
        ]
        strace = subprocess.Popen([*inject, "-p", str(server.process.pid)], stderr=subprocess.DEVNULL)
        with contextlib.suppress(Unavailable):
            for number in range(MODELS_MAX):
                told.append(client.models.register(f"model-{number}")["name"])
        assert server.process.wait(20) == 70
        strace.wait(20)
        client.close()
    assert 1 < len(told) < MODELS_MAX
    with Server(tmp_path / "data") as server, server.client() as client:
        assert_whole(client, told)


@pytest.mark.faults
def test_a_second_server_on_the_same_folder_is_refused_in_a_sentence(tmp_path):
    with Server(tmp_path / "data") as server, server.client() as client:
        client.models.register("fraud")

        second = subprocess.run(
            [sys.executable, "-m", "modelward.cli.main", "serve", "--home", str(tmp_path / "data"), "--port", "0"],
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip

        assert second.returncode == 3
        assert "is in use by another process" in second.stderr
        assert server.url in second.stderr
        assert "Traceback" not in second.stderr
        assert client.models.get("fraud")["name"] == "fraud"
        assert server.home.server()["pid"] == server.process.pid


@pytest.mark.faults
def test_a_port_that_is_taken_is_refused_in_a_sentence(tmp_path):
    with Server(tmp_path / "data") as server:
        port = server.url.rpartition(":")[2]
        second = subprocess.run(
            [sys.executable, "-m", "modelward.cli.main", "serve", "--home", str(tmp_path / "other"), "--port", port],
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip

    assert second.returncode == 3
    assert "MODELWARD_PORT" in second.stderr


@pytest.mark.faults
def test_asking_whether_a_folder_is_taken_never_turns_a_server_away(tmp_path):
    from modelward.home import Home

    over = threading.Event()
    asker = threading.Thread(target=lambda: [Home(tmp_path / "data").is_taken() for _ in iter(over.is_set, True)])
    asker.start()
    try:
        with Server(tmp_path / "data") as server:
            assert server.stop() == 0
    finally:
        over.set()
        asker.join()


@pytest.mark.faults
def test_sigterm_ends_in_order_with_everything_in_one_file(tmp_path):
    with Server(tmp_path / "data") as server:
        with server.client() as client:
            client.models.register("fraud")
        assert (tmp_path / "data" / "modelward.db-wal").exists()

        assert server.stop() == 0

    left = {each.name for each in (tmp_path / "data").iterdir()}
    assert "server.json" not in left
    assert not {each for each in left if each.startswith("modelward.db-")}


@pytest.mark.faults
def test_sigterm_lets_requests_that_run_come_to_their_end(tmp_path):
    told, lost = [], []
    with Server(tmp_path / "data") as server:
        with server.client() as client:
            client.models.register("fraud")

        def register():
            client = OneTry(HttpTransport(server_url), token=secret)
            while True:
                try:
                    told.append(client.versions.register("fraud")["ref"])
                except (Unavailable, Conflict) as problem:
                    lost.append(problem)
                    client.close()
                    return

        server_url, secret = server.url, server.home.owner_secret()
        threads = [threading.Thread(target=register) for _ in range(4)]
        for thread in threads:
            thread.start()
        while len(told) < 20:
            pass
        assert server.stop() == 0
        for thread in threads:
            thread.join(30)
    with Server(tmp_path / "data") as server, server.client() as client:
        kept = {each["ref"] for each in client.versions.list("fraud")}
    assert set(told) <= kept
    # Whoever was refused was refused before the work was done, or the answer was cut off with the connection.
    assert len(kept) - len(told) <= len(threads)
    assert len(lost) == len(threads)
