"""How a request travels: over HTTP, or straight to an app in this process. The same bytes either way."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote, urlsplit

from modelward.kernel.errors import Unavailable

Message = MutableMapping[str, Any]
AsgiApp = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]
TIMEOUT_SECONDS = 300


class Response(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes


class Transport(Protocol):
    """Carries one request and brings the response."""

    url: str

    def send(self, method: str, target: str, headers: dict[str, str], body: bytes | Iterable[bytes]) -> Response:
        """Carry a request.

        Raises:
            Unavailable: the server cannot be reached.
        """
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


class HttpTransport:
    """To a server."""

    def __init__(self, url: str) -> None:
        import httpx

        self.url = url.rstrip("/")
        self._httpx = httpx
        self._client = httpx.Client(base_url=self.url, timeout=TIMEOUT_SECONDS, trust_env=not _is_local(url))

    def send(self, method: str, target: str, headers: dict[str, str], body: bytes | Iterable[bytes]) -> Response:
        """Carry a request; see ``Transport.send``."""
        try:
            answer = self._client.request(method, target, headers=headers, content=body or None)
        except self._httpx.TransportError as problem:
            raise Unavailable(
                f"{self.url} cannot be reached: {problem}", hint="Is the server running? See `modelward doctor`."
            ) from problem
        return Response(answer.status_code, dict(answer.headers), answer.content)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


class AppTransport:
    """To an app in this process: an event loop of its own runs the app, no port is opened."""

    def __init__(self, app: AsgiApp, *, on_close: Callable[[], None]) -> None:
        self.url = "app://this-process"
        self._app, self._on_close = app, on_close
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="modelward-app", daemon=True)
        self._thread.start()
        self._closed = False

    def send(self, method: str, target: str, headers: dict[str, str], body: bytes | Iterable[bytes]) -> Response:
        """Carry a request; see ``Transport.send``."""
        if self._closed:
            raise Unavailable("This connection is closed.", hint="Open another with modelward.connect().")
        whole = body if isinstance(body, bytes) else b"".join(body)
        call = self._call(method, target, headers, whole)
        return asyncio.run_coroutine_threadsafe(call, self._loop).result(TIMEOUT_SECONDS)

    async def _call(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Response:
        parts = urlsplit(target)
        scope: Message = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": parts.path,
            "raw_path": quote(parts.path, safe="/%@:").encode(),
            "query_string": parts.query.encode(),
            "headers": [(k.lower().encode(), v.encode()) for k, v in {"host": "localhost", **headers}.items()],
            "client": ("127.0.0.1", 0),
            "server": ("localhost", 80),
        }
        messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
        status, sent, pieces = 500, {}, []

        async def receive() -> Message:
            return messages.pop(0) if messages else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
                sent = {key.decode(): value.decode() for key, value in message["headers"]}
            else:
                pieces.append(message.get("body", b""))

        await self._app(scope, receive, send)
        return Response(status, sent, b"".join(pieces))

    def close(self) -> None:
        """Stop the loop and close the app."""
        if self._closed:
            return
        self._closed = True
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._on_close()


def _is_local(url: str) -> bool:
    return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")
