"""Laws of the demo's model server: real requests over real sockets, good and bad."""

import re
import socket
from urllib.parse import urlsplit

import httpx
import pytest

from modelward.cli.demo import serving
from modelward.kernel.errors import Unavailable


@pytest.fixture(scope="module")
def server(flight_delay):
    with serving.ModelServer(flight_delay.predictor) as running:
        yield running


@pytest.fixture(scope="module")
def client(server):
    with httpx.Client(base_url=server.url) as client:
        yield client


@pytest.fixture
def row(flight_delay):
    names = [name for name, _ in flight_delay.features]
    return flight_delay.evaluation.slice(0, 1).select(names).to_pylist()[0]


def test_the_server_says_what_the_model_says(client, flight_delay):
    rows = flight_delay.evaluation.slice(0, 500)
    instances = rows.select([name for name, _ in flight_delay.features]).to_pylist()

    answer = client.post("/predict", json={"instances": instances})

    assert answer.status_code == 200
    assert answer.json() == {"predictions": rows.select(["prediction", "probability"]).to_pylist()}


def test_the_server_is_reached_from_this_machine_only(server):
    assert urlsplit(server.url).hostname == "127.0.0.1"


def test_a_ping_is_answered(client):
    assert client.get("/ping").json() == {"status": "ok"}


def test_a_null_is_a_missing_value_and_no_error(client, row):
    answer = client.post("/predict", json={"instances": [dict.fromkeys(row)]})

    assert answer.status_code == 200


def test_columns_that_are_no_features_are_ignored(client, row):
    with_more = client.post("/predict", json={"instances": [row | {"flight_id": "x"}]})

    assert with_more.json() == client.post("/predict", json={"instances": [row]}).json()


@pytest.mark.parametrize(
    "body, reason",
    [
        (b"", "not a prediction request"),
        (b"{", "not a prediction request"),
        (b"[]", "not a prediction request"),
        (b"\xff\xfe", "not a prediction request"),
        (b'{"rows": []}', "instances"),
        (b'{"instances": []}', "no instances"),
        (b'{"instances": [1]}', r"instances\[0\]"),
        (b'{"instances": [{"carrier": ["UA"]}]}', "not a prediction request"),
        (b'{"instances": [{}]}', "lacks carrier"),
        (b"[" * 200_000, "not a prediction request"),
        (b'{"instances": ' + b"[" * 200_000, "not a prediction request"),
    ],
)
def test_a_body_that_is_no_request_is_refused_with_the_reason(client, body, reason):
    answer = client.post("/predict", content=body)

    assert answer.status_code == 400
    assert answer.json()["error"] == "Invalid"
    assert re.search(reason, answer.json()["message"])


@pytest.mark.parametrize(
    "change, field",
    [
        ({"carrier": 7}, "instances[1].carrier"),
        ({"hour": "five"}, "instances[1].hour"),
        ({"hour": True}, "instances[1].hour"),
        ({"distance_miles": 10**400}, "instances[1].distance_miles"),
    ],
)
def test_a_wrong_value_is_named_with_its_row(client, row, change, field):
    answer = client.post("/predict", json={"instances": [row, row | change]})

    assert answer.status_code == 400
    assert answer.json()["field"] == field


def test_a_body_over_the_limit_is_refused(client, monkeypatch):
    monkeypatch.setattr(serving, "BODY_BYTES_MAX", 1_000)

    answer = client.post("/predict", content=b" " * 2_000)

    assert answer.status_code == 400
    assert "larger than 1000 bytes" in answer.json()["message"]


def test_a_stopped_server_frees_its_port_and_can_start_again(flight_delay):
    server = serving.ModelServer(flight_delay.predictor)
    server.start()
    server.start()
    address = urlsplit(server.url)
    assert httpx.get(f"{server.url}/ping").status_code == 200

    server.stop()
    server.stop()

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address.hostname, address.port), timeout=1)
    with server:
        assert httpx.get(f"{server.url}/ping").status_code == 200
    with pytest.raises(Unavailable, match="not running"):
        _ = server.url


def test_a_client_that_keeps_its_connection_does_not_hold_up_the_stop(flight_delay):
    server = serving.ModelServer(flight_delay.predictor)
    server.start()
    with httpx.Client(base_url=server.url) as client:
        client.get("/ping")

        server.stop()

        with pytest.raises(httpx.TransportError):
            client.get("/ping")


def test_a_taken_port_is_reported(server, flight_delay):
    port = urlsplit(server.url).port

    with pytest.raises(Unavailable, match=f"Port {port} is taken"):
        serving.ModelServer(flight_delay.predictor, port=port).start()
