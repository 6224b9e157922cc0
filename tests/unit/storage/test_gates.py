"""Those who put blobs and the one who removes some are kept apart: in one process, and in several on one PostgreSQL."""

import threading

import pytest
import sqlalchemy as sa

from modelward.kernel.errors import Unavailable
from modelward.storage import gates
from modelward.storage.gates import LocalGate, PostgresGate, gate_for


@pytest.fixture(params=["local", "postgres"])
def pair(request, monkeypatch):
    """Two gates that must act as one."""
    monkeypatch.setattr(gates, "PATIENCE_SECONDS", 0.1)
    if request.param == "local":
        one = LocalGate()
        yield one, one
        return
    postgres = request.getfixturevalue("postgres")
    name = postgres.new_database()
    opened = [PostgresGate(sa.make_url(postgres.url(name))) for _ in range(2)]
    yield tuple(opened)
    for each in opened:
        each.close()
    postgres.drop_database(name)


def test_many_may_put_at_the_same_time(pair):
    with pair[0].putting(), pair[1].putting(), pair[0].putting():
        pass


def test_while_somebody_puts_nobody_removes(pair):
    with pair[0].putting(), pair[1].removing() as free:
        assert free is False
    with pair[1].removing() as free:
        assert free is True


def test_who_puts_waits_for_a_removal_to_end(pair):
    told = []

    def put():
        with pair[1].putting():
            told.append("put")

    thread = threading.Thread(target=put)
    with pair[0].removing() as free:
        assert free
        thread.start()
        thread.join(0.3)
        told.append("removed")
    thread.join(10)

    assert told == ["removed", "put"]


def test_only_one_removes(pair):
    with pair[0].removing() as first, pair[1].removing() as second:
        assert (first, second) == (True, False)
    with pair[0].removing() as again:
        assert again


def test_an_error_inside_lets_go(pair):
    with pytest.raises(RuntimeError), pair[0].putting():
        raise RuntimeError
    with pytest.raises(RuntimeError), pair[0].removing():
        raise RuntimeError
    with pair[1].removing() as free:
        assert free


def test_a_removal_whose_session_was_ended_no_longer_holds_and_does_not_come_back(postgres):
    name = postgres.new_database()
    gate, admin = PostgresGate(sa.make_url(postgres.url(name))), PostgresGate(sa.make_url(postgres.url(name)))
    with gate.removing() as free:
        assert free
        assert gate.holds()
        with admin._connection() as connection:
            connection.execute(
                sa.text(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid() "
                    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
                )
            )
        assert not gate.holds()
        assert not gate.holds()
        with admin.putting():
            pass
    for each in (gate, admin):
        each.close()
    postgres.drop_database(name)


def test_too_many_at_once_are_told_to_come_again(postgres, monkeypatch):
    monkeypatch.setattr(gates, "POOL", 1)
    monkeypatch.setattr(gates, "POOL_BEYOND", 0)
    monkeypatch.setattr(gates, "POOL_SECONDS", 0.1)
    name = postgres.new_database()
    gate = PostgresGate(sa.make_url(postgres.url(name)))
    with gate.putting(), pytest.raises(Unavailable, match="Too many"), gate.putting():
        pass
    gate.close()
    postgres.drop_database(name)


def test_without_postgresql_the_gate_is_that_of_the_process():
    assert isinstance(gate_for(None), LocalGate)
