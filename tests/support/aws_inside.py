"""AWS requests to a house in this process, signed by botocore's own signer, sent byte for byte as a test wants them."""

import asyncio
import datetime
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from modelward import settings
from modelward.app import open_house
from modelward.governance.access import key_pairs
from modelward.governance.access.entities import SYSTEM

HOST = "127.0.0.1:8321"
ANSWER_SECONDS_MAX = 20.0


class Raw(NamedTuple):
    """A request as it goes over the wire."""

    method: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    body: bytes


class Reply(NamedTuple):
    """What came back, and after how many seconds."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float


class Inside:
    """A house whose AWS interface is asked without a port, and the key pair of its owner."""

    def __init__(self, folder: Path, **chosen: Any) -> None:
        self.house = open_house(settings.load({}, home=folder, **chosen))
        made = self.house.workshop.write(SYSTEM, lambda work: key_pairs.make_key_pair(work, person="owner"))
        self.credentials = Credentials(made.key.id, made.secret)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self.house.close()

    def signed(
        self,
        service: str,
        method: str,
        target: str,
        *,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        at: datetime.datetime | None = None,
        credentials: Credentials | None = None,
        chunked: bool = False,
    ) -> Raw:
        """A request signed as boto3 would; ``chunked`` as it does over HTTPS, where the body is not signed."""
        request = AWSRequest(method, f"http://{HOST}{target}", headers={"Host": HOST, **(headers or {})}, data=body)
        signer = (S3SigV4Auth if service == "s3" else SigV4Auth)(credentials or self.credentials, service, "us-east-1")
        if chunked:
            request.context["checksum"] = {"request_algorithm": {"in": "trailer"}}
        if at is None:
            signer.add_auth(request)
        else:
            _sign_at(signer, request, at)
        path, _, query = target.partition("?")
        return Raw(method, path, query, [(name.lower(), str(value)) for name, value in request.headers.items()], body)

    def json(self, operation: str, body: bytes, **options: Any) -> Raw:
        """A signed request to SageMaker."""
        told = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"SageMaker.{operation}"}
        return self.signed(
            "sagemaker", "POST", "/", body=body, headers={**told, **options.pop("headers", {})}, **options
        )

    def send(self, raw: Raw) -> Reply:
        """Send a request."""
        begun = time.monotonic()
        call = asyncio.run_coroutine_threadsafe(self._send(raw), self._loop)
        status, headers, body = call.result(ANSWER_SECONDS_MAX)
        return Reply(status, headers, body, time.monotonic() - begun)

    async def _send(self, raw: Raw) -> tuple[int, dict[str, str], bytes]:
        scope = {
            "type": "http", "http_version": "1.1", "method": raw.method, "scheme": "http",
            "path": unquote(raw.path, "latin-1"), "raw_path": raw.path.encode("latin-1", "replace"),
            "query_string": raw.query.encode("latin-1", "replace"),
            "headers": [(name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in raw.headers],
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8321),
        }  # fmt: skip
        middle = len(raw.body) // 2
        messages = [
            {"type": "http.request", "body": raw.body[:middle], "more_body": True},
            {"type": "http.request", "body": raw.body[middle:], "more_body": False},
        ]
        status, headers, pieces = 0, {}, []

        async def receive() -> dict[str, Any]:
            return messages.pop(0) if messages else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                assert status == 0, "Two answers to one request."
                status = message["status"]
                headers.update({key.decode("latin-1"): value.decode("latin-1") for key, value in message["headers"]})
            else:
                pieces.append(message.get("body", b""))

        await self.house.asgi(scope, receive, send)
        return status, headers, b"".join(pieces)


def _sign_at(signer: SigV4Auth, request: AWSRequest, at: datetime.datetime) -> None:
    stamp = at.strftime("%Y%m%dT%H%M%SZ")
    request.context["timestamp"] = stamp
    signer._modify_request_before_signing(request)
    del request.headers["X-Amz-Date"]
    request.headers["X-Amz-Date"] = stamp
    canonical = signer.canonical_request(request)
    signature = signer.signature(signer.string_to_sign(request, canonical), request)
    signer._inject_signature_to_request(request, signature)
