"""How a request travels: over HTTP, or straight to an app in this process. The same bytes either way."""

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote, urlsplit, urlunsplit

from modelward.kernel.errors import Conflict, Invalid, Unavailable

Message = MutableMapping[str, Any]
AsgiApp = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]
TIMEOUT_SECONDS = 300


class ConnectionClosed(Conflict):
    """This connection is closed."""


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

        self._httpx = httpx
        try:
            parts = urlsplit(url)
            # A password may stand in the address; it is never shown.
            self.url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])).rstrip("/")
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise Invalid(
                    f"{self.url} is not the address of a server.",
                    field="url",
                    hint="Write https://host or http://host.",
                )
            self._client = httpx.Client(
                base_url=url.rstrip("/"), timeout=TIMEOUT_SECONDS, trust_env=not _is_local(parts.hostname)
            )
        except (ValueError, httpx.InvalidURL) as problem:
            raise Invalid(f"The address of the server cannot be read: {problem}.", field="url") from problem

    def send(self, method: str, target: str, headers: dict[str, str], body: bytes | Iterable[bytes]) -> Response:
        """Carry a request; see ``Transport.send``."""
        if self._client.is_closed:
            raise ConnectionClosed(hint="Open another with modelward.connect().")
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
        self._closed, self._process = False, os.getpid()

    def send(self, method: str, target: str, headers: dict[str, str], body: bytes | Iterable[bytes]) -> Response:
        """Carry a request; see ``Transport.send``."""
        if self._closed:
            raise ConnectionClosed(hint="Open another with modelward.connect().")
        if self._process != os.getpid():
            # Threads do not survive a fork: nobody here would ever answer.
            raise ConnectionClosed(
                "This connection was opened before this process was forked, and does not work here.",
                hint="Run `modelward serve` and connect to it in each process.",
            )
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
        if self._closed or self._process != os.getpid():
            return
        self._closed = True
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._on_close()


def _is_local(host: str) -> bool:
    return host in ("127.0.0.1", "localhost", "::1")
