"""A proxy through which unmodified AWS programs reach Modelward: it answers for known AWS hosts and refuses all others."""

import asyncio
import contextlib
import re
import ssl
from typing import NamedTuple
from urllib.parse import urlsplit

from modelward.interfaces.aws.authority import Authority
from modelward.kernel.errors import Invalid

HEAD_BYTES_MAX = 16 << 10
PIECE_BYTES = 64 << 10
HANDSHAKE_SECONDS = 15
SERVICES = (
    r"api\.sagemaker|runtime\.sagemaker|metrics\.sagemaker|sagemaker|sts|iam|events|scheduler|logs|monitoring|sqs|lambda"
    r"|(?:[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\.)?s3"
)
# Also as it was written once, with a dash before the region of a bucket.
KNOWN_HOST = re.compile(
    rf"(?:{SERVICES})(?:[.-][a-z]{{2}}(?:-[a-z]{{1,12}}){{1,3}}-[0-9]{{1,2}})?\.amazonaws\.com(?:\.cn)?"
)


class Target(NamedTuple):
    """Where the server is."""

    host: str
    port: int
    encrypted: bool

    @classmethod
    def of(cls, url: str) -> "Target":
        """Read the address of a server.

        Raises:
            Invalid: it is no http or https address.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Invalid(f"{url!r} is not the address of a server: write it as http://host:port.", field="url")
        encrypted = parts.scheme == "https"
        return cls(parts.hostname, parts.port or (443 if encrypted else 80), encrypted)


def is_known(host: str) -> bool:
    """Whether the proxy answers for a host."""
    return KNOWN_HOST.fullmatch(host.lower()) is not None


class Proxy:
    """Takes the place of AWS hosts for the programs that were told to use it."""

    def __init__(self, target: Target, authority: Authority) -> None:
        self._target, self._authority = target, authority
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen and return the port."""
        self._server = await asyncio.start_server(self._serve, host, port, limit=HEAD_BYTES_MAX)
        taken: int = self._server.sockets[0].getsockname()[1]
        return taken

    async def run(self) -> None:
        """Serve until cancelled."""
        assert self._server is not None
        async with self._server:
            await self._server.serve_forever()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            host = await asyncio.wait_for(_asked(reader), HANDSHAKE_SECONDS)
            if host is None or not is_known(host):
                await _refuse(writer, host)
                return
            context = self._authority.context(host.lower())
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await writer.drain()
            await asyncio.wait_for(writer.start_tls(context), HANDSHAKE_SECONDS)
            await self._pass_on(reader, writer)
        except (OSError, ssl.SSLError, asyncio.IncompleteReadError, TimeoutError, asyncio.LimitOverrunError):
            pass  # the client went away, or does not trust the authority
        finally:
            writer.close()
            with contextlib.suppress(OSError, ssl.SSLError, TimeoutError):
                await asyncio.wait_for(writer.wait_closed(), 5)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target = self._target
        encryption = ssl.create_default_context() if target.encrypted else None
        try:
            there, here = await asyncio.open_connection(target.host, target.port, ssl=encryption)
        except OSError:
            writer.write(_answer(503, "Modelward does not answer at its address."))
            await writer.drain()
            return
        try:
            flows = [asyncio.create_task(_flow(reader, here)), asyncio.create_task(_flow(there, writer))]
            _, pending = await asyncio.wait(flows, return_when=asyncio.FIRST_COMPLETED)
            for flow in pending:
                flow.cancel()
            await asyncio.gather(*flows, return_exceptions=True)
        finally:
            here.close()


async def _asked(reader: asyncio.StreamReader) -> str | None:
    """The host of a CONNECT request to port 443; None for any other request."""
    head = await reader.readuntil(b"\r\n\r\n")
    method, _, rest = head.split(b"\r\n", 1)[0].decode("latin-1").partition(" ")
    host, _, port = rest.partition(" ")[0].rpartition(":")
    return host if method == "CONNECT" and port == "443" else None


async def _refuse(writer: asyncio.StreamWriter, host: str | None) -> None:
    what = f"{host[:100]!r} is no AWS host that Modelward answers for" if host else "Only CONNECT to port 443 is served"
    writer.write(_answer(403, f"{what}; this proxy leads nowhere else."))
    await writer.drain()


def _answer(status: int, text: str) -> bytes:
    body = text.encode("ascii", "replace")
    reason = {403: "Forbidden", 503: "Service Unavailable"}[status]
    return (
        f"HTTP/1.1 {status} {reason}\r\ncontent-type: text/plain\r\ncontent-length: {len(body)}\r\n"
        "connection: close\r\n\r\n"
    ).encode() + body


async def _flow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, ssl.SSLError):
        while piece := await reader.read(PIECE_BYTES):
            writer.write(piece)
            await writer.drain()
