"""From a request to an operation and back: find, sign in, allow, decode, run in one unit of work, encode."""

import asyncio
import hashlib
import json
import logging
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qsl, unquote

import msgspec

from modelward.governance.access.permissions import Permission, allow
from modelward.interfaces.http import Message, Receive, Scope, Send, header, read_body, respond
from modelward.interfaces.identity import Identity
from modelward.interfaces.rest.operations import Operation
from modelward.kernel import codec
from modelward.kernel.actors import NOBODY, Actor
from modelward.kernel.errors import Conflict, Invalid, ModelwardError, NotFound
from modelward.kernel.refs import Ref
from modelward.outbound import Outbound
from modelward.storage import answers
from modelward.storage.answers import Answer
from modelward.storage.waiting import kept
from modelward.storage.work import Work, Workshop

log = logging.getLogger("modelward.rest")
KEY_CHARACTERS_MAX = 200


# A text with one of these is never meant, and PostgreSQL cannot keep the first.
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
NUL_IN_JSON = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class MethodNotAllowed(Invalid):
    """This address knows no such method."""

    status = 405


class AlreadyDone(Conflict):
    """This was done before, and its answer held a secret that is shown once: revoke it and make a new one."""


class RawRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a raw operation gets besides its path and query: the ASGI request, who asks, and the workshop."""

    scope: Scope
    receive: Any
    send: Any
    actor: Actor
    workshop: Workshop
    outbound: Outbound


_ANY, _METHODS = object(), object()


class Rest:
    """The API as an ASGI app. Reads of SQLite run at once (they take microseconds), others in threads."""

    def __init__(
        self,
        operations: list[Operation],
        *,
        workshop: Workshop,
        identity: Identity,
        outbound: Outbound,
        prefix: str = "/api/v1",
    ) -> None:
        self.operations, self._workshop, self._identity, self._outbound = operations, workshop, identity, outbound
        self._prefix = prefix + "/"
        self._tree: dict[Any, Any] = {}
        for operation in operations:
            self._plant(operation)
        self._inline = workshop.database.dialect == "sqlite"
        self._threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="modelward-rest")

    def _plant(self, operation: Operation) -> None:
        node = self._tree
        for part in operation.path.strip("/").split("/"):
            node = node.setdefault(_ANY if part.startswith("{") else part, {})
        methods = node.setdefault(_METHODS, {})
        if operation.method in methods:
            raise TypeError(f"{operation.method} {operation.path} is declared twice.")
        methods[operation.method] = operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        started = False
        try:
            operation, values = self._find(scope)
            actor = await self._actor(scope, operation)
            path = {
                name: _path_value(kind, value, name)
                for (name, kind), value in zip(operation.path_types.items(), values, strict=True)
            }
            query = _query(operation, scope)
            if operation.raw:

                async def send_noted(message: Message) -> None:
                    nonlocal started
                    started = True
                    await send(message)

                wanted = {**path, "query": query} if operation.query_type else path
                request = RawRequest(
                    scope=scope,
                    receive=receive,
                    send=send_noted,
                    actor=actor,
                    workshop=self._workshop,
                    outbound=self._outbound,
                )
                await operation.handler(request, **wanted)
                return
            answer = await self._run(operation, actor, path, query, scope, receive)
        except Exception as problem:
            if started:
                raise  # half an answer is out: only breaking off tells the client that it is not whole
            answer = _answer_to(problem, scope)
        await respond(send, answer.status, answer.body)

    def _find(self, scope: Scope) -> tuple[Operation, list[str]]:
        raw = (scope.get("raw_path") or scope["path"].encode()).decode("ascii", "replace").partition("?")[0]
        node, values = self._tree, []
        if raw.startswith(self._prefix):
            # Split first and decode each part once, so that an encoded slash stays inside its part.
            for part in raw[len(self._prefix) :].split("/"):
                name = unquote(part)
                if name in node:
                    node = node[name]
                elif _ANY in node and name:
                    node = node[_ANY]
                    values.append(name)
                else:
                    node = {}
                    break
        methods = node.get(_METHODS)
        if not methods:
            raise NotFound(f"There is nothing at {scope['path'][:200]}.", hint="See /api/v1/openapi.json.")
        operation = methods.get(scope["method"])
        if operation is None:
            raise MethodNotAllowed(f"{scope['path'][:200]} knows {', '.join(sorted(methods))}, not {scope['method']}.")
        return operation, values

    async def _actor(self, scope: Scope, operation: Operation) -> Actor:
        kind, _, value = header(scope, b"authorization").partition(" ")
        actor = NOBODY
        if kind.lower() == "bearer" and value:
            if self._inline:
                actor = self._identity.by_token(value.strip())
            else:
                loop = asyncio.get_running_loop()
                actor = await loop.run_in_executor(self._threads, self._identity.by_token, value.strip())
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
            arguments["body"] = _body(operation, body)

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
            task = _once(task, key, hashlib.sha256(told).hexdigest(), secret=operation.secret)
        return await kept(self._workshop.submit(actor, task))


def _once(task: Any, key: str, request: str, *, secret: bool) -> Any:
    def run(work: Work) -> Answer:
        known = answers.find(work.connection, actor=work.actor.id, key=key, request=request)
        if known:
            if secret:
                raise AlreadyDone(field="Idempotency-Key")
            return known
        given: Answer = task(work)
        kept = Answer(status=given.status, body=b"") if secret else given
        answers.keep(work.connection, actor=work.actor.id, key=key, request=request, given=kept, now=work.now)
        return given

    return run


def _body(operation: Operation, body: bytes) -> Any:
    decoded = codec.decode(body or b"{}", operation.body_type)
    if b"\\u0000" in body and NUL_IN_JSON.search(body):
        raise Invalid("A text in the body holds the character NUL.", field="body")
    if body:
        json.loads(body, object_pairs_hook=_named_once)
    return decoded


def _named_once(pairs: list[tuple[str, Any]]) -> None:
    # Two readers of such a body may take different values, so that what is checked is not what is used.
    names = dict(pairs)
    if len(names) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise Invalid(f"The body names {twice[:80]!r} twice.", field=f"body.{twice[:80]}")


def _path_value(kind: Any, text: str, name: str) -> Any:
    if CONTROL.search(text):
        raise Invalid(f"{name} holds a control character.", field=name)
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
        if CONTROL.search(value):
            raise Invalid(f"{name} holds a control character.", field=f"query.{name}")
        given[name] = value
    return codec.convert(given, operation.query_type, field="query", strict=False)


def _answer_to(problem: Exception, scope: Scope) -> Answer:
    if isinstance(problem, ModelwardError):
        return error_answer(problem, scope)
    log.error("Request %s failed.", scope.get("request_id"), exc_info=problem)
    return error_answer(ModelwardError(hint="The server's log tells more under this request id."), scope)


def error_answer(problem: ModelwardError, scope: Scope) -> Answer:
    """The one shape of an error: code, message, field, hint, request id."""
    shown: dict[str, Any] = {"code": problem.code, "message": problem.message}
    if problem.field:
        shown["field"] = problem.field
    if problem.hint:
        shown["hint"] = problem.hint
    shown["request_id"] = scope.get("request_id", "")
    return Answer(status=problem.status, body=codec.encode({"error": shown}))
