"""From a request to an operation and back: find, sign in, allow, decode, run in one unit of work, encode."""

import asyncio
import hashlib
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast
from urllib.parse import parse_qsl, unquote

import msgspec

from modelward.governance.access.permissions import Permission, allow
from modelward.interfaces.http import Receive, Scope, Send, header, read_body, respond
from modelward.interfaces.identity import Identity
from modelward.interfaces.rest.operations import Operation
from modelward.kernel import codec
from modelward.kernel.actors import NOBODY, Actor
from modelward.kernel.errors import Invalid, ModelwardError, NotFound
from modelward.kernel.refs import Ref
from modelward.storage import answers
from modelward.storage.answers import Answer
from modelward.storage.work import Work, Workshop

log = logging.getLogger("modelward.rest")
KEY_CHARACTERS_MAX = 200


class MethodNotAllowed(Invalid):
    """This address knows no such method."""

    status = 405


class RawRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a raw operation gets besides its path and query: the ASGI request, who asks, and the workshop."""

    scope: Scope
    receive: Any
    send: Any
    actor: Actor
    workshop: Workshop


class Rest:
    """The API as an ASGI app. Reads of SQLite run at once (they take microseconds), others in threads."""

    def __init__(
        self, operations: list[Operation], *, workshop: Workshop, identity: Identity, prefix: str = "/api/v1"
    ) -> None:
        self.operations, self._workshop, self._identity = operations, workshop, identity
        self._prefix = [part for part in prefix.split("/") if part]
        self._tree: dict[str, Any] = {}
        for operation in operations:
            self._plant(operation)
        self._inline = workshop.database.dialect == "sqlite"
        self._threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="modelward-rest")

    def _plant(self, operation: Operation) -> None:
        node = self._tree
        for part in operation.path.strip("/").split("/"):
            node = node.setdefault("{}" if part.startswith("{") else part, {})
        methods = node.setdefault("", {})
        if operation.method in methods:
            raise TypeError(f"{operation.method} {operation.path} is declared twice.")
        methods[operation.method] = operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        try:
            operation, values = self._find(scope)
            actor = self._actor(scope, operation)
            path = {
                name: _path_value(kind, value, name)
                for (name, kind), value in zip(operation.path_types.items(), values, strict=True)
            }
            query = _query(operation, scope)
            if operation.raw:
                wanted = {**path, "query": query} if operation.query_type else path
                request = RawRequest(scope=scope, receive=receive, send=send, actor=actor, workshop=self._workshop)
                await operation.handler(request, **wanted)
                return
            answer = await self._run(operation, actor, path, query, scope, receive)
        except ModelwardError as problem:
            answer = error_answer(problem, scope)
        except Exception:
            log.exception("Request %s failed.", scope.get("request_id"))
            answer = error_answer(ModelwardError(hint="The server's log tells more under this request id."), scope)
        await respond(send, answer.status, answer.body)

    def _find(self, scope: Scope) -> tuple[Operation, list[str]]:
        raw = scope.get("raw_path") or scope["path"].encode()
        # Split first and decode each part once, so that an encoded slash stays inside its part.
        parts = [unquote(part) for part in raw.decode("ascii", "replace").split("?")[0].split("/") if part][
            len(self._prefix) :
        ]
        node, values = self._tree, []
        for part in parts:
            if part and part in node:
                node = node[part]
            elif "{}" in node:
                node = node["{}"]
                values.append(part)
            else:
                raise NotFound(f"There is nothing at {scope['path'][:200]}.", hint="See /api/v1/openapi.json.")
        methods = node.get("", {})
        if not methods:
            raise NotFound(f"There is nothing at {scope['path'][:200]}.", hint="See /api/v1/openapi.json.")
        operation = methods.get(scope["method"])
        if operation is None:
            raise MethodNotAllowed(f"{scope['path'][:200]} knows {', '.join(sorted(methods))}, not {scope['method']}.")
        return operation, values

    def _actor(self, scope: Scope, operation: Operation) -> Actor:
        secret = header(scope, b"authorization")
        kind, _, value = secret.partition(" ")
        actor = self._identity.by_token(value.strip()) if kind.lower() == "bearer" and value else NOBODY
        if isinstance(operation.permission, Permission):
            allow(actor, operation.permission)
        return actor

    async def _run(
        self, operation: Operation, actor: Actor, path: dict[str, Any], query: Any, scope: Scope, receive: Receive
    ) -> Answer:
        arguments: dict[str, Any] = dict(path)
        if operation.query_type is not None:
            arguments["query"] = query
        body = b""
        if operation.writes:
            body = await read_body(receive, bytes_max=operation.bytes_max)
        if operation.body_type is not None:
            arguments["body"] = codec.decode(body or b"{}", operation.body_type)

        def task(work: Work) -> Answer:
            result = operation.handler(work, **arguments)
            encoded = codec.encode(result) if result is not None else b"{}"
            return Answer(status=operation.status, body=encoded)

        if operation.writes:
            return await self._write(operation, actor, task, scope, body)
        if self._inline and not operation.slow:
            return self._workshop.read(actor, task)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._workshop.read, actor, task)

    async def _write(self, operation: Operation, actor: Actor, task: Any, scope: Scope, body: bytes) -> Answer:
        key = header(scope, b"idempotency-key")
        if len(key) > KEY_CHARACTERS_MAX:
            raise Invalid(f"The key has more than {KEY_CHARACTERS_MAX} characters.", field="Idempotency-Key")
        if key:
            told = f"{operation.method} {scope['path']}?{scope['query_string'].decode('latin-1')}\n".encode() + body
            task = _once(task, key, hashlib.sha256(told).hexdigest())
        return cast(Answer, await asyncio.wrap_future(self._workshop.submit(actor, task)))


def _once(task: Any, key: str, request: str) -> Any:
    def run(work: Work) -> Answer:
        known = answers.find(work.connection, actor=work.actor.id, key=key, request=request)
        if known:
            return known
        given: Answer = task(work)
        answers.keep(work.connection, actor=work.actor.id, key=key, request=request, given=given, now=work.now)
        return given

    return run


def _path_value(kind: Any, text: str, name: str) -> Any:
    if isinstance(kind, type) and issubclass(kind, Ref):
        return kind.parse(text, field=name)
    if isinstance(kind, type) and hasattr(kind, "parse"):
        return kind.parse(text, field=name)
    return codec.convert(text, kind, field=name, strict=False)


def _query(operation: Operation, scope: Scope) -> Any:
    pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    if operation.query_type is None:
        if pairs:
            raise Invalid(f"{operation.name} takes no query parameters; {pairs[0][0][:80]!r} was given.", field="query")
        return None
    known = {field.name for field in msgspec.structs.fields(operation.query_type)}
    given: dict[str, str] = {}
    for name, value in pairs:
        if name not in known or name in given:
            fault = "given twice" if name in given else f"unknown; known are {', '.join(sorted(known))}"
            raise Invalid(f"The query parameter {name[:80]!r} is {fault}.", field=f"query.{name[:80]}")
        given[name] = value
    return codec.convert(given, operation.query_type, field="query", strict=False)


def error_answer(problem: ModelwardError, scope: Scope) -> Answer:
    """The one shape of an error: code, message, field, hint, request id."""
    shown: dict[str, Any] = {"code": problem.code, "message": problem.message}
    if problem.field:
        shown["field"] = problem.field
    if problem.hint:
        shown["hint"] = problem.hint
    shown["request_id"] = scope.get("request_id", "")
    return Answer(status=problem.status, body=codec.encode({"error": shown}))
