"""HTTP at the edge, shared by all interfaces: request ids, security headers, allowed hosts, size limits."""

import ipaddress
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec

from modelward.kernel.errors import Invalid
from modelward.kernel.ids import new_id

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        b"font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        b"object-src 'none'",
    ),
]


class PermissionMissing(TypeError):
    """An operation or a page was declared without a permission."""


class Open(msgspec.Struct, frozen=True):
    """In place of a permission: it is for everybody, for the reason given. A test keeps the list short."""

    because: str


def header(scope: Scope, name: bytes) -> str:
    """The value of a request header, or an empty text."""
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return ""


async def read_body(receive: Receive, *, bytes_max: int) -> bytes:
    """Read a whole request body.

    Raises:
        Invalid: it is longer than ``bytes_max``, or the client went away.
    """
    pieces, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Invalid("The client went away before the request was complete.", field="body")
        piece = message.get("body", b"")
        size += len(piece)
        if size > bytes_max:
            raise Invalid(
                f"The body is larger than {bytes_max} bytes.", field="body", hint="Send it in smaller pieces."
            )
        pieces.append(piece)
        if not message.get("more_body"):
            return b"".join(pieces)


async def respond(
    send: Send,
    status: int,
    body: bytes,
    *,
    kind: bytes = b"application/json",
    headers: list[tuple[bytes, bytes]] | None = None,
) -> None:
    """Send a whole response; two messages, one write."""
    sent = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), *(headers or [])]
    await send({"type": "http.response.start", "status": status, "headers": sent})
    await send({"type": "http.response.body", "body": body})


class Edge:
    """Wraps an app: every response, errors included, carries the security headers and a request id."""

    def __init__(
        self, app: App, *, hosts: frozenset[str], proves_itself: Callable[[Scope], bool] = lambda _scope: False
    ) -> None:
        """Guard an app; ``hosts`` are the allowed Host names besides addresses of the loopback (empty: any).

        Requests that ``proves_itself`` knows may name any host: a page of another site cannot sign them.
        """
        self._app, self._hosts, self._proves_itself = app, hosts, proves_itself

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = new_id("request").encode()
        scope["request_id"] = request_id.decode()

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {key for key, _ in message["headers"]}
                added = [pair for pair in HEADERS if pair[0] not in present]
                message["headers"] = [*message["headers"], *added, (b"x-request-id", request_id)]
            await send(message)

        if not self._host_allowed(header(scope, b"host")) and not self._proves_itself(scope):
            text = (
                b'{"error":{"code":"Invalid","message":"This host name is not served here.","field":"Host",'
                b'"hint":"Add it to MODELWARD_HOSTS.","request_id":"' + request_id + b'"}}'
            )
            await respond(send_guarded, 421, text)
            return
        await self._app(scope, receive, send_guarded)

    def _host_allowed(self, host: str) -> bool:
        # A page of another site that resolves its name to this address (DNS rebinding) shows that name here.
        if not self._hosts:
            return True
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        name = name.strip("[]").lower()
        if name in self._hosts or name == "localhost":
            return True
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return False
