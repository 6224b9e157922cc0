"""Which requests belong to the AWS interface, and what is loaded when the first of them comes."""

import asyncio
from typing import TYPE_CHECKING

from modelward.interfaces.http import Receive, Scope, Send, header, respond
from modelward.kernel.events import Event
from modelward.storage.work import Workshop

if TYPE_CHECKING:
    from modelward.interfaces.aws.wire import Wire

NEEDS = b"The AWS interface needs packages that are not installed here: pip install 'modelward[aws]'"
RESET = "/moto-api/reset"


def is_aws(scope: Scope) -> bool:
    """Whether a request is meant for the AWS interface: it is signed as AWS clients sign, or names a target."""
    for name, value in scope["headers"]:
        if name == b"x-amz-target" or (name == b"authorization" and value.startswith(b"AWS")):
            return True
    query = scope["query_string"]
    return b"X-Amz-Signature=" in query or b"AWSAccessKeyId=" in query


class Gate:
    """The AWS interface as an ASGI app. A server that no AWS client calls never loads it."""

    def __init__(self, workshop: Workshop, *, account: str, calls_per_second: int = 0, test_mode: bool = False) -> None:
        self._workshop, self._account, self._rate = workshop, account, calls_per_second
        self.test_mode = test_mode
        self._wire: Wire | None = None
        self._missing = False
        self._loading = asyncio.Lock()

    def takes(self, scope: Scope) -> bool:
        """Whether a request goes here."""
        if is_aws(scope):
            return True
        return self.test_mode and scope["path"] == RESET

    def may_name_any_host(self, scope: Scope) -> bool:
        """Whether a request may name any host: it is signed, or in test mode names one that nobody else can own.

        A page of another site that resolves its name to this address cannot sign, but in test mode need not.
        """
        if not is_aws(scope):
            return False
        host = header(scope, b"host").rpartition(":")[0] or header(scope, b"host")
        return not self.test_mode or host.lower().endswith((".amazonaws.com", ".amazonaws.com.cn"))

    def forget(self, events: list[Event]) -> None:
        """Forget who holds which key when access has changed."""
        if self._wire:
            self._wire.keys.forget(events)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if self.test_mode and scope["path"] == RESET and scope["method"] == "POST":
            await self._reset(send)
            return
        wire = self._wire or await self._load()
        if wire is None:
            said = b'{"__type":"UnknownOperationException","message":"' + NEEDS + b'"}'
            await respond(send, 400, said, kind=b"application/x-amz-json-1.1")
            return
        await wire(scope, receive, send)

    async def _load(self) -> "Wire | None":
        async with self._loading:
            if self._wire is None and not self._missing:
                # Half a second for the service models, in which others are served.
                self._wire = await asyncio.get_running_loop().run_in_executor(None, self._make)
                self._missing = self._wire is None
        return self._wire

    def _make(self) -> "Wire | None":
        try:
            from modelward.interfaces.aws.wire import Wire
        except ModuleNotFoundError as problem:
            if (problem.name or "").startswith("modelward"):
                raise
            return None
        return Wire(self._workshop, account=self._account, calls_per_second=self._rate, lenient=self.test_mode)

    async def _reset(self, send: Send) -> None:
        from modelward.interfaces.aws.emptying import empty_account

        await asyncio.get_running_loop().run_in_executor(None, empty_account, self._workshop)
        await respond(send, 200, b'{"status": "ok"}')
