"""The client: one method per request, retried safely, with the server's errors as exceptions."""

import secrets
import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import urlencode

import msgspec

from modelward.kernel import codec, errors
from modelward.kernel.errors import Invalid, ModelwardError, Unavailable
from modelward.sdk.access import Events, People
from modelward.sdk.alerts import Alerts
from modelward.sdk.captures import Captures
from modelward.sdk.card_life import Inbox
from modelward.sdk.cards import Cards
from modelward.sdk.evaluations import Evaluations
from modelward.sdk.lineage import Lineage
from modelward.sdk.monitoring import Baselines, Monitors, Runs
from modelward.sdk.records import wrap
from modelward.sdk.registry import Artifacts, Models, Versions
from modelward.sdk.reviews import Reviews
from modelward.sdk.serving import Endpoints
from modelward.sdk.transports import Response, Transport
from modelward.sdk.upkeep import Blobs
from modelward.sdk.version_life import Deployables, Stages, Trainings
from modelward.sdk.webhooks import Webhooks

ERRORS = {
    kind.__name__: kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, ModelwardError)
}


class Client:
    """A connection to Modelward. Make one with ``modelward.connect()``; close it, or use it in a ``with`` block."""

    pauses_seconds: ClassVar[tuple[float, ...]] = (0.1, 0.5, 2.0)

    def __init__(self, transport: Transport, *, token: str) -> None:
        self._transport, self._token = transport, token
        self.models = Models(self)
        self.versions = Versions(self)
        self.artifacts = Artifacts(self)
        self.stages = Stages(self)
        self.trainings = Trainings(self)
        self.deployables = Deployables(self)
        self.people = People(self)
        self.events = Events(self)
        self.cards = Cards(self)
        self.evaluations = Evaluations(self)
        self.reviews = Reviews(self)
        self.lineage = Lineage(self)
        self.endpoints = Endpoints(self)
        self.captures = Captures(self)
        self.baselines = Baselines(self)
        self.monitors = Monitors(self)
        self.runs = Runs(self)
        self.alerts = Alerts(self)
        self.inbox = Inbox(self)
        self.webhooks = Webhooks(self)
        self.blobs = Blobs(self)

    @property
    def url(self) -> str:
        """Where the requests go."""
        return self._transport.url

    def as_(self, token: str) -> "Client":
        """The same connection with another person's token."""
        return Client(self._transport, token=token)

    def who_am_i(self) -> Any:
        """Who the token belongs to, and what they may do."""
        return self.get("/self")

    def overview(self, *, text: str = "", show: str = "") -> Any:
        """All models at a glance: counts, and for each model its approval, card, endpoints, monitors and alerts."""
        return self.get("/overview", text=text or None, show=show or None)

    def settle(self, *, seconds_max: float = 60) -> None:
        """Wait until no job runs or is due, so that everything that follows from what was done has happened.

        Raises:
            Unavailable: jobs are still due after ``seconds_max``.
        """
        until = time.monotonic() + seconds_max
        while self.get("/jobs/summary").due:
            if time.monotonic() > until:
                raise Unavailable(f"Jobs are still due after {seconds_max} s.", hint="See `modelward doctor`.")
            time.sleep(0.02)

    def get(self, path: str, **query: Any) -> Any:
        """Ask for something; answers are records."""
        return self._ask("GET", path, query=query)

    def post(self, path: str, body: Any = None, **query: Any) -> Any:
        """Do something once: a retry after a lost answer gets the same answer."""
        return self._ask("POST", path, body=body, query=query)

    def put(self, path: str, body: Any = None, **query: Any) -> Any:
        """Set something."""
        return self._ask("PUT", path, body=body, query=query)

    def patch(self, path: str, body: Any = None, **query: Any) -> Any:
        """Change some fields of something."""
        return self._ask("PATCH", path, body=body, query=query)

    def delete(self, path: str, **query: Any) -> Any:
        """Remove something."""
        return self._ask("DELETE", path, query=query)

    def upload(self, path: str, content: bytes | Iterable[bytes], *, method: str = "PUT", **query: Any) -> Any:
        """Send bytes."""
        return self._answer(
            path, self._send(method, path, query, content, {"content-type": "application/octet-stream"})
        )

    def download(self, path: str, **query: Any) -> bytes:
        """Fetch bytes."""
        response = self._send("GET", path, query, b"", {})
        if response.status >= 400:
            self._answer(path, response)
        return response.body

    def each(self, path: str, **query: Any) -> Iterator[Any]:
        """All items of a paged list, page by page."""
        while True:
            page = self.get(path, **query)
            yield from page["items"]
            if not page["next_cursor"]:
                return
            query["cursor"] = page["next_cursor"]

    def close(self) -> None:
        """Close the connection (and the app, where it runs in this process)."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<modelward.Client {self.url}>"

    def _ask(self, method: str, path: str, *, query: dict[str, Any], body: Any = None) -> Any:
        content = _written(body) if body is not None else b""
        headers = {"content-type": "application/json"} if content else {}
        if method != "GET":
            headers["idempotency-key"] = secrets.token_hex(16)
        return self._answer(path, self._send(method, path, query, content, headers))

    def _send(
        self, method: str, path: str, query: dict[str, Any], content: bytes | Iterable[bytes], headers: dict[str, str]
    ) -> Response:
        given = {key: _text(value) for key, value in query.items() if value is not None}
        target = "/api/v1" + path + ("?" + urlencode(given) if given else "")
        headers = {"authorization": f"Bearer {self._token}", **headers}
        repeatable = method == "GET" or "idempotency-key" in headers
        for pause in (*self.pauses_seconds, None):
            try:
                return self._transport.send(method, target, headers, content)
            except Unavailable:
                if pause is None or not repeatable:
                    raise
                time.sleep(pause)
        raise AssertionError("unreachable")

    def _answer(self, path: str, response: Response) -> Any:
        try:
            content = msgspec.json.decode(response.body) if response.body else None
        except msgspec.DecodeError as problem:
            raise Unavailable(f"{self.url} answered {response.status} with something that is not JSON.") from problem
        if response.status < 400:
            return wrap(_kind(path), content)
        told = content.get("error", {}) if isinstance(content, dict) else {}
        kind = ERRORS.get(told.get("code", ""), _by_status(response.status))
        raise kind(told.get("message", f"HTTP {response.status}"), field=told.get("field"), hint=told.get("hint"))


def _written(body: Any) -> bytes:
    try:
        return msgspec.json.encode(body, enc_hook=_plain)
    except (TypeError, ValueError, OverflowError, RecursionError) as problem:
        raise Invalid(f"The request cannot be written as JSON: {problem}.", field="body") from problem


def _plain(value: Any) -> Any:
    # numpy's numbers know how to become Python's.
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        return value.item()
    return codec.plain(value)


def _by_status(status: int) -> type[ModelwardError]:
    by_status = {
        400: errors.Invalid,
        401: errors.NotSignedIn,
        403: errors.NotAllowed,
        404: errors.NotFound,
        409: errors.Conflict,
    }
    return by_status.get(status, errors.Unavailable if status >= 500 else errors.Invalid)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _kind(path: str) -> str:
    names = [piece for piece in path.split("/") if piece.isalpha()]
    return names[-1].removesuffix("s") if names else "answer"
