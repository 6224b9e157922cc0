"""The one way out: HTTP requests of the server to addresses that people gave, guarded against reaching inside.

A name is resolved once, every address it has is judged, and the connection goes to a judged address, so that a name that
changes its mind (DNS rebinding) finds nothing. No redirects, no proxies, no compressed answers; times and sizes have limits.
"""

import asyncio
import contextlib
import ipaddress
import re
import socket
import ssl
import threading
from collections.abc import AsyncIterator
from concurrent.futures import Future
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import msgspec

from modelward.kernel.errors import Invalid, NotAllowed, Unavailable

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

CONNECT_SECONDS_MAX = 5.0
READ_SECONDS_MAX = 30.0
TOTAL_SECONDS_MAX = 60.0
ANSWER_BYTES_MAX = 16 << 20
URL_CHARACTERS_MAX = 2048

# Only an entry that lies within one of these opens it: a wide entry such as 0.0.0.0/0 does not.
STRICT: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "169.254.0.0/16",  # link-local, with the metadata services of most clouds
        "fe80::/10",
        "fd00:ec2::/32",  # metadata of AWS by IPv6
        "100.100.100.200/32",  # metadata of Alibaba Cloud
        "168.63.129.16/32",  # the wire server of Azure
        "192.0.0.192/32",  # metadata of Oracle Cloud
    )
)
# IPv6 addresses that carry an IPv4 address: the network, and how many bits stand right of it.
_CARRIERS = (
    ("::ffff:0:0/96", 0),
    ("::/96", 0),
    ("::ffff:0:0:0/96", 0),
    ("64:ff9b::/96", 0),
    ("64:ff9b:1::/48", 0),
    ("2002::/16", 80),
)
_TEREDO = ipaddress.IPv6Network("2001::/32")


class AddressRefused(NotAllowed):
    """The server may not call this address."""


class TargetFailed(Unavailable):
    """The other side did not answer as it should."""

    status = 502


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A checked URL, taken apart. ``host`` is a name or an address in plain spelling."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return shown if self.port == (443 if self.scheme == "https" else 80) else f"{shown}:{self.port}"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the other side answered."""

    status: int
    headers: dict[str, str]
    body: bytes


def parse(url: str) -> Target:
    """Take a URL apart.

    Raises:
        Invalid: it is not http or https, holds a user, or its host is an address in a disguised spelling.
    """
    if len(url) > URL_CHARACTERS_MAX or not url.isascii() or re.search(r"[\x00-\x20\x7f\\]", url):
        raise _invalid(
            f"The URL must have at most {URL_CHARACTERS_MAX} plain characters without spaces or backslashes."
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as problem:
        raise _invalid(f"{url[:100]!r} is not a URL: {problem}.") from problem
    if parts.scheme not in ("http", "https"):
        raise _invalid(f"{url[:100]!r} must begin with http:// or https://.")
    if "@" in parts.netloc:
        raise _invalid("The URL must not hold a user or a password before an @.")
    if "]" in parts.netloc and not re.fullmatch(r"\[[^\[\]]*\](?::[0-9]*)?", parts.netloc):
        raise _invalid(f"{url[:100]!r} is not a URL: what stands around the brackets is no port.")
    host = (parts.hostname or "").rstrip(".")
    if not host:
        raise _invalid(f"{url[:100]!r} names no host.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    port = port if port is not None else (443 if parts.scheme == "https" else 80)
    return Target(scheme=parts.scheme, host=_plain_host(host), port=port, path=path)


def _plain_host(host: str) -> str:
    if ":" in host:
        try:
            return str(ipaddress.IPv6Address(host)) if "%" not in host else _refuse_host(host)
        except ValueError:
            return _refuse_host(host)
    # What ends in a number is an address to the system (2130706433, 0x7f.1, 0177.0.0.1): only the plain spelling passes.
    last = host.rsplit(".", 1)[-1]
    if last.isdigit() or re.fullmatch(r"0x[0-9a-f]*", last):
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError:
            return _refuse_host(host)
    if not re.fullmatch(r"(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*", host) or len(host) > 253:
        return _refuse_host(host)
    return host


def _refuse_host(host: str) -> str:
    raise _invalid(f"{host[:100]!r} is not a host name, nor an IP address in its usual spelling.")


def _invalid(message: str) -> Invalid:
    return Invalid(message, field="url")


def networks(allow: str) -> tuple[Network, ...]:
    """Read a list of addresses and networks with commas between.

    Raises:
        Invalid: an entry is neither.
    """
    found: list[Network] = []
    for text in filter(None, (each.strip() for each in allow.split(","))):
        try:
            found.append(ipaddress.ip_network(text, strict=False))
        except ValueError as problem:
            raise Invalid(
                f"{text!r} is not an IP address or network.", field="outbound_allow", hint="Write it as in 10.0.0.0/8."
            ) from problem
    return tuple(found)


def judge(address: Address, *, allow: tuple[Network, ...], loopback: bool = False) -> str:
    """Say why an address may not be called; empty when it may. An IPv6 address that carries an IPv4 one is judged twice."""
    carried = carried_by(address)
    if carried is None:
        return _judge_one(address, allow=allow, loopback=loopback)
    inner = _judge_one(carried, allow=allow, loopback=loopback)
    # A mapped address is its IPv4 address, spelled otherwise; other carriers must pass by themselves too.
    mapped = isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None
    return inner if mapped else inner or _judge_one(address, allow=allow, loopback=loopback)


def _judge_one(address: Address, *, allow: tuple[Network, ...], loopback: bool) -> str:
    strict = next((network for network in STRICT if address in network), None)
    if strict is not None:
        entries = [entry for entry in allow if entry.version == strict.version and address in entry]
        opened = any(entry.subnet_of(strict) for entry in entries)  # type: ignore[arg-type]
        return "" if opened else "is link-local, where clouds keep their credentials"
    if _listed(address, allow) or (loopback and address.is_loopback):
        return ""
    if address.is_loopback:
        return "is this very machine"
    if address.is_multicast or address.is_reserved or address.is_unspecified or not address.is_global:
        return "is private or reserved"
    return ""


def _listed(address: Address, allow: tuple[Network, ...]) -> bool:
    return any(address in entry for entry in allow if entry.version == address.version)


def carried_by(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address inside an IPv6 one: mapped, compatible, NAT64, 6to4 or Teredo; None where there is none."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _TEREDO:
        return ipaddress.IPv4Address(~int(address) & 0xFFFFFFFF)
    for text, right in _CARRIERS:
        if address in ipaddress.IPv6Network(text) and int(address) > 1:
            return ipaddress.IPv4Address((int(address) >> right) & 0xFFFFFFFF)
    return None


class Outbound:
    """Sends requests to addresses that are allowed.

    One for the process, with an event loop of its own: it keeps connections for the next request, and closes them all.
    """

    def __init__(self, *, allow: str = "", loopback: bool = False) -> None:
        """Say which private networks may be called besides the public ones, and whether this machine itself may.

        Raises:
            Invalid: an entry of ``allow`` is not a network.
        """
        self.allow, self.loopback = networks(allow), loopback
        self._clients: dict[str, Any] = {}
        self._tls: ssl.SSLContext | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    async def post(self, url: str, body: bytes, *, headers: dict[str, str]) -> Answer:
        """Send a body and return the answer, whatever its status.

        Raises:
            Invalid: the URL is not one that can be called.
            AddressRefused: its host is inside.
            TargetFailed: nobody answers, or too slowly, too much, with a redirect or compressed.
        """
        return await asyncio.wrap_future(self._submit(url, body, headers))

    def post_now(self, url: str, body: bytes, *, headers: dict[str, str], seconds_max: float | None = None) -> Answer:
        """As ``post``, for a job in a thread; one that others wait behind gives it less time."""
        return self._submit(url, body, headers, seconds_max=seconds_max).result()

    def close(self) -> None:
        """Close all connections; requests under way fail."""
        with self._lock:
            loop, thread, self._loop, self._thread = self._loop, self._thread, None, None
        if loop is None or thread is None:
            return
        asyncio.run_coroutine_threadsafe(self._close_clients(), loop).result(CONNECT_SECONDS_MAX)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    def _submit(
        self, url: str, body: bytes, headers: dict[str, str], *, seconds_max: float | None = None
    ) -> "Future[Answer]":
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="modelward-outbound", daemon=True)
                self._thread.start()
            sending = self._post(parse(url), body, headers, seconds_max=seconds_max or TOTAL_SECONDS_MAX)
            return asyncio.run_coroutine_threadsafe(sending, self._loop)

    async def _close_clients(self) -> None:
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.aclose()

    async def _post(self, target: Target, body: bytes, headers: dict[str, str], *, seconds_max: float) -> Answer:
        try:
            async with asyncio.timeout(seconds_max):
                found = await asyncio.get_running_loop().getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
                address = self._judged(target, found)
                async with self._stream(target, address, body, headers) as response:
                    return await _read(response)
        except TimeoutError as problem:
            raise TargetFailed(f"{target.authority} did not answer within {seconds_max:g} seconds.") from problem
        except OSError as problem:
            raise TargetFailed(f"{target.authority} cannot be reached: {problem.strerror or problem}.") from problem

    def _judged(self, target: Target, found: list[Any]) -> str:
        """The first address of a name, after all of them were judged."""
        for *_, place in found:
            address = ipaddress.ip_address(str(place[0]).partition("%")[0])
            reason = judge(address, allow=self.allow, loopback=self.loopback)
            if reason:
                raise AddressRefused(
                    f"{target.host} {reason}; Modelward does not call it.",
                    field="url",
                    hint="Who runs the server can list the network in MODELWARD_OUTBOUND_ALLOW.",
                )
        return str(found[0][-1][0])

    @contextlib.asynccontextmanager
    async def _stream(self, target: Target, address: str, body: bytes, headers: dict[str, str]) -> AsyncIterator[Any]:
        import httpx

        shown = f"[{address}]" if ":" in address else address
        client = self._client(target)
        request = client.build_request(
            "POST",
            f"{target.scheme}://{shown}:{target.port}{target.path}",
            content=body,
            headers={**headers, "host": target.authority, "accept-encoding": "identity", "user-agent": "modelward"},
            extensions={"sni_hostname": target.host},
        )
        try:
            response = await client.send(request, stream=True, follow_redirects=False)
            try:
                yield response
            finally:
                await response.aclose()
        except httpx.HTTPError as problem:
            told = str(problem) or type(problem).__name__
            raise TargetFailed(f"{target.authority} did not answer: {told}") from problem

    def _client(self, target: Target) -> Any:
        import httpx

        # One per host, since a kept TLS connection was proven for one name only.
        key = f"{target.scheme}://{target.authority}"
        client = self._clients.get(key)
        if client is None:
            if target.scheme == "https" and self._tls is None:
                self._tls = httpx.create_ssl_context()
            timeout = httpx.Timeout(READ_SECONDS_MAX, connect=CONNECT_SECONDS_MAX)
            limits = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=30)
            # A proxy of the environment would resolve the name again and undo the judgement.
            client = httpx.AsyncClient(verify=self._tls or False, timeout=timeout, limits=limits, trust_env=False)
            self._clients[key] = client
        return client


async def _read(response: Any) -> Answer:
    if 300 <= response.status_code < 400 and "location" in response.headers:
        raise TargetFailed("The other side answered with a redirect, which is not followed.", field="url")
    if response.headers.get("content-encoding", "identity") != "identity":
        raise TargetFailed("The other side answered compressed, though it was asked not to.")
    pieces, size = [], 0
    async for piece in response.aiter_raw():
        size += len(piece)
        if size > ANSWER_BYTES_MAX:
            raise TargetFailed(f"The answer is larger than {ANSWER_BYTES_MAX} bytes.")
        pieces.append(piece)
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(status=response.status_code, headers=headers, body=b"".join(pieces))
