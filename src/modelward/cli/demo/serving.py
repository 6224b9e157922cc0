"""A small model server that the demo runs beside Modelward, as a team would run its own. It tells Modelward nothing."""

import socket
import threading
import time
from dataclasses import dataclass
from typing import Any, Final, Self, TypeAlias

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from modelward.cli.demo.predictor import Predictor
from modelward.kernel.errors import Invalid, Unavailable

BODY_BYTES_MAX: Final = 32 * 1024 * 1024
START_SECONDS_MAX: Final = 10.0
STOP_SECONDS_MAX: Final = 5.0

Instance: TypeAlias = dict[str, bool | int | float | str | None]


class PredictionRequest(msgspec.Struct, frozen=True):
    """What `POST /predict` takes: rows, each with every feature of the model."""

    instances: list[Instance]


def prediction_app(predictor: Predictor) -> Starlette:
    """The web application: `POST /predict` and `GET /ping`."""

    async def predict(request: Request) -> Response:
        try:
            instances = _instances(await _body(request))
            answer = await run_in_threadpool(_answer, predictor, instances)
        except Invalid as error:
            return _json({"error": error.code, "message": str(error), "field": error.field}, status=error.status)
        return _json(answer)

    async def ping(request: Request) -> Response:
        return _json({"status": "ok"})

    return Starlette(routes=[Route("/predict", predict, methods=["POST"]), Route("/ping", ping)])


async def _body(request: Request) -> bytes:
    """Read the body, but never more than the limit, whatever the request claims of its length."""
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > BODY_BYTES_MAX:
                raise Invalid(f"The body is larger than {BODY_BYTES_MAX} bytes.", hint="Send fewer instances at once.")
    except ClientDisconnect as gone:
        raise Invalid("The client left before the body was complete.") from gone
    return bytes(body)


def _instances(body: bytes) -> list[Instance]:
    try:
        request = msgspec.json.decode(body, type=PredictionRequest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        expected = 'Send {"instances": [{"carrier": "UA", ...}]}.'
        raise Invalid(f"The body is not a prediction request: {error}.", hint=expected) from error
    if not request.instances:
        raise Invalid("There are no instances to predict for.", field="instances")
    return request.instances


def _answer(predictor: Predictor, instances: list[Instance]) -> dict[str, Any]:
    output = predictor.predict_instances(instances)
    if predictor.threshold is None:
        return {"predictions": [{"prediction": value} for value in output.tolist()]}
    decided = predictor.decide(output).tolist()
    pairs = zip(decided, output.tolist(), strict=True)
    return {"predictions": [{"prediction": decision, "probability": chance} for decision, chance in pairs]}


def _json(content: dict[str, Any], *, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status_code=status, media_type="application/json")


class ModelServer:
    """The model server in a thread of this process, on 127.0.0.1 only.

    ``with ModelServer(model.predictor) as server: httpx.post(f"{server.url}/predict", ...)``
    """

    def __init__(self, predictor: Predictor, *, port: int = 0) -> None:
        """Keep what to serve; port 0 means any free one. Nothing listens before `start`."""
        self._app = prediction_app(predictor)
        self._port = port
        self._running: _Running | None = None

    @property
    def url(self) -> str:
        """Where it answers, such as ``http://127.0.0.1:41999``."""
        if self._running is None:
            raise Unavailable("The model server is not running.", hint="Call `start` first.")
        return f"http://127.0.0.1:{self._running.listening.getsockname()[1]}"

    def start(self) -> None:
        """Listen, and return when requests are answered. Starting a server that runs changes nothing."""
        if self._running is not None:
            return
        listening = _listening(self._port)
        config = uvicorn.Config(
            self._app,
            lifespan="off",
            log_config=None,  # The logging of the process belongs to the process.
            log_level="error",
            access_log=False,
            timeout_graceful_shutdown=int(STOP_SECONDS_MAX),
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listening]}, name="demo-model-server", daemon=True
        )
        self._running = _Running(listening=listening, server=server, thread=thread)
        thread.start()
        give_up = time.monotonic() + START_SECONDS_MAX
        while not server.started:
            if not thread.is_alive() or time.monotonic() > give_up:
                self.stop()
                raise Unavailable("The model server of the demo did not start.")
            time.sleep(0.01)

    def stop(self) -> None:
        """Answer what is in flight, close every connection and free the port. Stopping twice is harmless."""
        if self._running is None:
            return
        running, self._running = self._running, None
        running.server.should_exit = True
        running.thread.join(timeout=STOP_SECONDS_MAX + 1)
        running.listening.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Running:
    """What there is to stop."""

    listening: socket.socket
    server: uvicorn.Server
    thread: threading.Thread


def _listening(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except OSError as error:
        listening.close()
        raise Unavailable(f"Port {port} is taken: {error.strerror}.", hint="Choose another, or 0 for any.") from error
    return listening
