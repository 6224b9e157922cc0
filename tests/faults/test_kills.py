"""`kill -9` of the server under load, many times: no acknowledged write is lost, nothing is done twice, it starts again."""

import os
import random
import threading
import time

import pytest

from support import traffic
from support.needs import missing
from support.patience import PatientClient
from support.postgres import Postgres, binaries
from support.servers import Server, free_port

KILLS = int(os.environ.get("MODELWARD_KILLS", "40"))
SHARES = 2
PEOPLE = ["ana", "ben", "eva", "tom"]


def under_fire(server, kills, *, seed, between=lambda chance: None):
    """Send traffic while the server is killed again and again; returns what is wrong in the end, and what was told."""
    chance, over, ledger, failures = random.Random(seed), threading.Event(), traffic.Ledger(), []

    def visit(own, number):
        client = PatientClient(server.url_kept, token=server.home.owner_secret(), over=over)
        try:
            traffic.keep_going(client, ledger, own, over=over, seed=seed * 100 + number)
        except Exception as problem:  # noqa: BLE001 - told at the end
            failures.append(f"{own} met {type(problem).__name__}: {problem}")
        finally:
            client.close()

    with server:
        server.url_kept = server.url
        with server.client() as client:
            traffic.prepare(client, PEOPLE)
        visitors = [threading.Thread(target=visit, args=(own, number)) for number, own in enumerate(PEOPLE)]
        for visitor in visitors:
            visitor.start()
        for _ in range(kills):
            time.sleep(chance.uniform(0, 0.6))
            server.kill()
            between(chance)
            server.begin()
            # Every fourth time it is killed again while it starts.
            if chance.random() < 0.75:
                server.wait_until_ready()
        server.kill() if server.process.poll() is None else None
        server.begin()
        server.wait_until_ready()
        time.sleep(0.5)
        over.set()
        for visitor in visitors:
            visitor.join(60)
        with server.client() as client:
            found = failures + traffic.faults(client, ledger)
        assert server.stop() == 0
    return found, ledger


@pytest.mark.faults
@pytest.mark.parametrize("share", range(SHARES))
def test_a_killed_server_loses_nothing_and_does_nothing_twice_on_sqlite(tmp_path, share):
    server = Server(tmp_path / "data", "--port", free_port(), prelude=traffic.COUNTING)

    found, ledger = under_fire(server, KILLS // SHARES, seed=share)

    print(
        f"{KILLS // SHARES} kills, {len(ledger)} acknowledgements: {len(ledger.versions)} versions, {len(ledger.records)} records"
    )
    assert found == []
    assert len(ledger) > KILLS // SHARES


@pytest.fixture
def own_postgres():
    """A PostgreSQL of this test alone, for it is going to crash."""
    programs = binaries()
    if programs is None:
        missing("PostgreSQL (initdb)")
    server = Postgres(programs)
    server.start()
    yield server
    server.stop()


@pytest.mark.faults
@pytest.mark.postgres
def test_a_killed_server_and_a_crashed_database_lose_nothing_on_postgresql(tmp_path, own_postgres):
    url = own_postgres.url(own_postgres.new_database())
    server = Server(tmp_path / "data", "--port", free_port(), "--database-url", url, prelude=traffic.COUNTING)

    def crash_sometimes(chance):
        if chance.random() < 0.4:
            own_postgres.crash()
            own_postgres.start()

    found, ledger = under_fire(server, max(6, KILLS // 8), seed=7, between=crash_sometimes)

    assert found == []
    assert len(ledger) > 10


@pytest.mark.faults
@pytest.mark.postgres
def test_a_server_outlives_the_crash_of_its_database(tmp_path, own_postgres):
    over, ledger = threading.Event(), traffic.Ledger()
    url = own_postgres.url(own_postgres.new_database())
    with Server(tmp_path / "data", "--database-url", url, prelude=traffic.COUNTING) as server:
        with server.client() as client:
            traffic.prepare(client, PEOPLE)
        patient = PatientClient(server.url, token=server.home.owner_secret(), over=over)
        visitors = [
            threading.Thread(
                target=traffic.keep_going, args=(patient, ledger, own), kwargs={"over": over, "seed": number}
            )
            for number, own in enumerate(PEOPLE)
        ]
        for visitor in visitors:
            visitor.start()
        for _ in range(3):
            time.sleep(0.8)
            own_postgres.crash()
            own_postgres.start()
        time.sleep(0.8)
        over.set()
        for visitor in visitors:
            visitor.join(60)

        found = traffic.faults(patient, ledger)
        assert server.process.poll() is None
        patient.close()
    assert found == []
    assert len(ledger) > 10
