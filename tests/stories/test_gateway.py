"""The gateway asks a real model server, keeps what went in and came out, and answers with what the model said."""

import contextlib
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import modelward
from modelward.app import House, open_house
from modelward.kernel.errors import Conflict, Invalid, NotAllowed, Unavailable
from modelward.sdk import Client
from modelward.sdk.transports import AppTransport
from modelward.settings import Settings
from support.windows import rows_of_window


class _Model(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.asked.append(body)  # type: ignore[attr-defined]
        status, answer, kind = self.server.says(body)  # type: ignore[attr-defined]
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def doubled(body: bytes) -> tuple[int, bytes, str]:
    rows = json.loads(body)["instances"]
    said = [{"prediction": row["n"] * 2, "probability": 0.25} for row in rows]
    return 200, json.dumps({"predictions": said}).encode(), "application/json; charset=utf-8"


class Model:
    """A model server in a thread; ``says`` decides its answer."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.server = server
        self.url = f"http://127.0.0.1:{server.server_port}/predict"

    @property
    def asked(self) -> list[bytes]:
        return self.server.asked  # type: ignore[attr-defined,no-any-return]

    def answers(self, status: int, body: bytes, kind: str = "application/json") -> None:
        self.server.says = lambda _: (status, body, kind)  # type: ignore[attr-defined]


@pytest.fixture
def model() -> Iterator[Model]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Model)
    server.asked, server.says = [], doubled  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Model(server)
    server.shutdown()
    server.server_close()


@contextlib.contextmanager
def opened(folder: Path, **settings: Any) -> Iterator[tuple[House, Client]]:
    house = open_house(Settings(home=folder, **settings))
    house.start()
    with Client(AppTransport(house.asgi, on_close=house.close), token=house.home.owner_secret()) as client:
        client.models.register("fares")
        client.versions.register("fares", artifact=b"model")
        yield house, client


def invoke(client: Client, body: bytes, **headers: str) -> Any:
    sent = {"authorization": f"Bearer {client._token}", "content-type": "application/json"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return client._transport.send("POST", "/api/v1/endpoints/taxi/invocations", sent, body)


def captured(house: House) -> list[dict[str, Any]]:
    now = datetime.now(UTC)
    return rows_of_window(house.workshop, "taxi", start=now - timedelta(hours=1), end=now + timedelta(hours=1))


def test_the_answer_of_the_model_comes_back_unchanged_after_the_call_was_captured(
    tmp_path: Path, model: Model, database_url: str
):
    with opened(tmp_path, database_url=database_url) as (house, client):
        client.endpoints.create("taxi", "fares@1", url=model.url)
        body = b'{"instances": [{"n": 3, "kind": "cash"}]}'

        answer = invoke(client, body)

        assert model.asked == [body]
        assert (answer.status, answer.body) == (200, b'{"predictions": [{"prediction": 6, "probability": 0.25}]}')
        assert answer.headers["content-type"] == "application/json; charset=utf-8"
        assert answer.headers["x-modelward-inference-id"].startswith("inference-")
        assert answer.headers["x-modelward-captured"] == "yes"
        assert captured(house) == [{"n": 3, "kind": "cash", "prediction": 6, "probability": 0.25}]


def test_a_call_with_many_rows_makes_many_records(tmp_path: Path, model: Model):
    with opened(tmp_path) as (house, client):
        client.endpoints.create("taxi", "fares@1", url=model.url)

        client.endpoints.invoke("taxi", {"instances": [{"n": n} for n in range(50)]})

        assert [row["prediction"] for row in captured(house)] == [n * 2 for n in range(50)]


def test_a_call_repeated_under_its_own_id_is_captured_once(tmp_path: Path, model: Model):
    with opened(tmp_path) as (house, client):
        client.endpoints.create("taxi", "fares@1", url=model.url)

        for _ in range(3):
            invoke(client, b'{"instances": [{"n": 1}]}', x_modelward_inference_id="order-17")

        assert len(model.asked) == 3
        assert len(captured(house)) == 1


def test_single_calls_make_no_event_each(tmp_path: Path, model: Model):
    with opened(tmp_path) as (_, client):
        client.endpoints.create("taxi", "fares@1", url=model.url)
        client.settle()
        before = client.events.verify().events

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda n: client.endpoints.invoke("taxi", {"instances": [{"n": n}]}), range(64)))

        assert client.events.verify().events == before
        assert client.endpoints.traffic("taxi", datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC))[0].rows == 64


@pytest.mark.parametrize("status", [400, 422, 500, 503])
def test_an_error_of_the_model_comes_back_as_it_is_and_is_no_prediction(tmp_path: Path, model: Model, status: int):
    with opened(tmp_path) as (house, client):
        client.endpoints.create("taxi", "fares@1", url=model.url)
        model.answers(status, b"Sorry.", "text/plain")

        answer = invoke(client, b'{"instances": [{"n": 1}]}')

        assert (answer.status, answer.body, answer.headers["content-type"]) == (status, b"Sorry.", "text/plain")
        assert captured(house) == []


def test_what_cannot_be_captured_is_refused_before_the_model_is_asked(tmp_path: Path, model: Model):
    with opened(tmp_path) as (_, client):
        client.endpoints.create("taxi", "fares@1", url=model.url)

        with pytest.raises(
            Unavailable, match=r"The model was not asked, because the call cannot be captured: .*not JSON"
        ):
            client._answer("", invoke(client, b"not json"))
        with pytest.raises(Unavailable, match="neither a number, a text"):
            client.endpoints.invoke("taxi", {"instances": [{"n": [1, 2]}]})

        assert model.asked == []


def test_an_endpoint_that_does_not_demand_capture_lets_the_call_through(tmp_path: Path, model: Model):
    with opened(tmp_path) as (house, client):
        client.endpoints.create("taxi", "fares@1", url=model.url, capture_required=False)
        model.answers(200, b'"fine"')

        answer = invoke(client, b"not json")

        assert (answer.status, answer.headers["x-modelward-captured"]) == (200, "no")
        assert captured(house) == []


def test_the_answer_is_held_back_when_the_record_cannot_be_kept(
    tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch
):
    def full(*_: object, **__: object) -> None:
        raise Unavailable("The disk is full.")

    with opened(tmp_path) as (_, client):
        client.endpoints.create("taxi", "fares@1", url=model.url)
        monkeypatch.setattr("modelward.governance.monitoring.capture_store.add_records", full)

        with pytest.raises(Unavailable, match="so its answer is held back: The disk is full"):
            client.endpoints.invoke("taxi", {"instances": [{"n": 1}]})
        client.endpoints.change("taxi", capture_required=False)
        assert client.endpoints.invoke("taxi", {"instances": [{"n": 1}]}).predictions[0].prediction == 2


def test_a_share_of_the_calls_is_captured(tmp_path: Path, model: Model):
    with opened(tmp_path) as (house, client):
        client.endpoints.create("taxi", "fares@1", url=model.url, capture_share=0.0)
        client.endpoints.invoke("taxi", {"instances": [{"n": 1}]})
        assert captured(house) == []

        client.endpoints.change("taxi", capture_share=0.5)
        for _ in range(60):
            client.endpoints.invoke("taxi", {"instances": [{"n": 1}]})
        assert 10 < len(captured(house)) < 50
        with pytest.raises(Invalid, match="from 0 to 1"):
            client.endpoints.change("taxi", capture_share=1.5)


def test_an_endpoint_without_an_address_is_served_elsewhere(tmp_path: Path):
    with opened(tmp_path) as (_, client):
        client.endpoints.create("taxi", "fares@1")

        with pytest.raises(Conflict, match="its model is called elsewhere"):
            client.endpoints.invoke("taxi", {"n": 1})


def test_a_model_that_is_down_is_told_as_such(tmp_path: Path, model: Model):
    with opened(tmp_path) as (house, client):
        client.endpoints.create("taxi", "fares@1", url="http://127.0.0.1:9/predict")

        answer = invoke(client, b'{"n": 1}')

        assert (answer.status, json.loads(answer.body)["error"]["code"]) == (502, "TargetFailed")
        assert captured(house) == []


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/", "http://10.0.0.1/"]
)
def test_an_inner_address_is_not_called(tmp_path: Path, url: str):
    with opened(tmp_path) as (_, client):
        client.endpoints.create("taxi", "fares@1", url=url)

        with pytest.raises(NotAllowed, match="Modelward does not call it"):
            client.endpoints.invoke("taxi", {"n": 1})


def test_a_server_that_others_reach_does_not_call_its_own_machine(tmp_path: Path, model: Model):
    with opened(tmp_path, host="0.0.0.0") as (_, client):
        client.endpoints.create("taxi", "fares@1", url=model.url)

        with pytest.raises(NotAllowed, match="is this very machine"):
            client.endpoints.invoke("taxi", {"instances": [{"n": 1}]})
    with opened_again(tmp_path, host="0.0.0.0", outbound_allow="127.0.0.1") as client:
        assert client.endpoints.invoke("taxi", {"instances": [{"n": 1}]}).predictions[0].prediction == 2


@contextlib.contextmanager
def opened_again(folder: Path, **settings: Any) -> Iterator[Client]:
    with modelward.connect(folder, **settings) as client:
        yield client


@pytest.mark.parametrize(
    "url", ["ftp://model/", "http://user:secret@model/", "http://2130706433/", "javascript:alert(1)"]
)
def test_an_address_that_is_none_is_refused_when_it_is_given(tmp_path: Path, url: str):
    with opened(tmp_path) as (_, client):
        with pytest.raises(Invalid):
            client.endpoints.create("taxi", "fares@1", url=url)

        assert list(client.endpoints.list()) == []
