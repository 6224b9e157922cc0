"""A client that never gives up: it sends a request, with its idempotency key, until it knows the outcome."""

import threading
import time
from collections.abc import Iterable
from typing import Any

from modelward.kernel.errors import Unavailable
from modelward.sdk import Client
from modelward.sdk.transports import HttpTransport, Response


class PatientClient(Client):
    """The Python client, through any number of restarts of the server. ``over`` ends its patience."""

    pauses_seconds = ()

    def __init__(self, url: str, *, token: str, over: threading.Event) -> None:
        super().__init__(HttpTransport(url), token=token)
        self._over = over

    def _send(
        self, method: str, path: str, query: dict[str, Any], content: bytes | Iterable[bytes], headers: dict[str, str]
    ) -> Response:
        given = content if isinstance(content, bytes) else b"".join(content)
        while True:
            try:
                response = super()._send(method, path, query, given, headers)
                if response.status < 500:
                    return response
            except Unavailable:
                pass
            if self._over.is_set():
                raise Unavailable("The test is over.")
            time.sleep(0.02)
