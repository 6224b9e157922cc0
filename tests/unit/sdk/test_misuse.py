"""The client used as in a notebook on a bad day: each mistake is told in a sentence by an error of ours, at once."""

import os
import time
from datetime import datetime

import numpy as np
import pytest

import modelward
from modelward.kernel.errors import Conflict, Invalid, ModelwardError, NotFound
from modelward.sdk.transports import AppTransport, ConnectionClosed, HttpTransport
from support.houses import visitor_of

SOON_SECONDS = 2.0


async def no_app(scope, receive, send):
    raise AssertionError("Nothing may be asked.")


@pytest.fixture(scope="module")
def owner(tmp_path_factory):
    with visitor_of(tmp_path_factory.mktemp("misuse") / "data") as visitor:
        client = visitor.client()
        client.models.register("fraud")
        client.versions.register("fraud")
        client.endpoints.create("fraud-live", "fraud@1")
        yield client


def test_a_closed_client_says_so_at_once_and_can_be_closed_again(tmp_path):
    client = modelward.connect(tmp_path / "data")
    client.close()
    begun = time.monotonic()

    with pytest.raises(ConnectionClosed, match="closed"):
        client.models.get("fraud")

    client.close()
    assert time.monotonic() - begun < SOON_SECONDS


def test_a_closed_connection_to_a_server_says_so():
    transport = HttpTransport("http://127.0.0.1:1")
    transport.close()

    with pytest.raises(ConnectionClosed):
        transport.send("GET", "/", {}, b"")


def test_after_a_fork_the_child_is_told_instead_of_waiting_for_ever(monkeypatch):
    closed = []
    transport = AppTransport(no_app, on_close=lambda: closed.append(True))
    parent = os.getpid()

    monkeypatch.setattr(os, "getpid", lambda: parent + 1)
    with pytest.raises(ConnectionClosed, match="fork"):
        transport.send("GET", "/api/v1/models", {}, b"")
    transport.close()
    assert closed == []

    monkeypatch.undo()
    transport.close()
    assert closed == [True]


@pytest.mark.parametrize("address", ["http://[::1", "ftp://host", "http://", "http:///x"])
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(Invalid, match="address"):
        HttpTransport(address)


def test_a_password_in_an_address_is_never_shown():
    transport = HttpTransport("http://ana:hush@127.0.0.1:1")
    client = modelward.sdk.Client(transport, token="x")
    client.pauses_seconds = ()

    with client, pytest.raises(ModelwardError) as told:
        client.models.get("fraud")

    assert "hush" not in str(told.value) + repr(client) + client.url


def test_a_setting_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(Invalid, match="databse_url"):
        modelward.connect(tmp_path / "data", databse_url="postgresql://db/modelward")

    assert not (tmp_path / "data").exists()


def test_a_folder_held_by_another_client_says_that_it_may_be_this_process(tmp_path):
    with modelward.connect(tmp_path / "data"), pytest.raises(ModelwardError, match="another client in this one"):
        modelward.connect(tmp_path / "data")


def test_numbers_of_numpy_are_numbers(owner):
    version = owner.versions.register("fraud", facts={"training_metrics": {"auc": np.float64(0.5), "n": np.int64(3)}})

    assert dict(version.facts.training_metrics) == {"auc": 0.5, "n": 3}


@pytest.mark.parametrize("value", [object(), {1: object()}, np.zeros(2)], ids=["object", "nested", "array"])
def test_what_has_no_json_form_is_refused(owner, value):
    with pytest.raises(Invalid, match="written as JSON"):
        owner.versions.register("fraud", facts={"hyperparameters": value})


@pytest.mark.parametrize(
    "rows", [[1], {"amount": 1}, [{"amount": b"1"}], [None]], ids=["number", "dict", "bytes", "none"]
)
def test_rows_that_are_no_records_are_refused(owner, rows):
    with pytest.raises(Invalid):
        owner.captures.store("fraud-live", rows)


def test_what_is_no_table_is_refused(owner):
    with pytest.raises(Invalid, match="not a table"):
        owner.captures.store_table("fraud-live", [1, 2], at=datetime(2026, 1, 1))


def test_a_moment_without_a_zone_is_meant_in_utc(owner, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        kept = owner.captures.store_table("fraud-live", {"amount": [1.0]}, at=datetime(2026, 1, 1, 12))
    finally:
        monkeypatch.undo()
        time.tzset()

    assert kept.at == "2026-01-01T12:00:00Z"


@pytest.mark.parametrize("id", ["../models", "a/b", "a?b", "a#b", "%2e%2e"])
def test_a_hostile_id_stays_one_part_of_the_address(owner, id):
    for ask in (owner.people.disable, owner.people.make_token, owner.people.revoke_token, owner.artifacts.get):
        with pytest.raises((NotFound, Invalid)) as told:
            ask(id)
        assert "openapi" not in str(told.value), ask


def test_the_errors_of_a_closed_connection_are_not_tried_again():
    assert issubclass(ConnectionClosed, Conflict)
