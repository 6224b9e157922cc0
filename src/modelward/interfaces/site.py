"""One address for all interfaces: health, the API and the pages by path, AWS clients by how they sign."""

from collections.abc import Callable

from modelward.interfaces.aws.gate import Gate
from modelward.interfaces.http import App, Receive, Scope, Send, respond


class Site:
    """Sends a request to the interface it is meant for."""

    def __init__(self, *, api: App, pages: App | None, ready: Callable[[], bool], aws: Gate | None = None) -> None:
        self._api, self._pages, self._ready, self._aws = api, pages, ready, aws

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        path = scope["path"]
        if self._aws and self._aws.takes(scope):
            await self._aws(scope, receive, send)
        elif path == "/healthz":
            ready = self._ready()
            await respond(send, 200 if ready else 503, b'{"status":"ready"}' if ready else b'{"status":"starting"}')
        elif path == "/api" or path.startswith("/api/") or self._pages is None:
            await self._api(scope, receive, send)
        else:
            await self._pages(scope, receive, send)
