"""From a signed request to an operation and back: find, verify, allow, check, run once, answer.

Everything that AWS clients send comes through here, whatever the service; objects go on to ``s3``.
"""

import asyncio
import hashlib
import logging
import random
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from modelward.governance.access.permissions import Permission, allow
from modelward.interfaces.aws import protocols, sigv4
from modelward.interfaces.aws.answering import AnswerInvalid, answer_writer
from modelward.interfaces.aws.errors import AwsError, from_native
from modelward.interfaces.aws.keys import TESTER, Holder, Keys
from modelward.interfaces.aws.once import Once, Told, Writer, signed_once
from modelward.interfaces.aws.operations import Call, Operation, user_arn
from modelward.interfaces.aws.protocols import Asked, Reply
from modelward.interfaces.aws.registry import all_operations
from modelward.interfaces.aws.s3.service import Objects, closing
from modelward.interfaces.aws.service_models import service_model, token_member
from modelward.interfaces.aws.sigv4 import ChunkSigner, Claim, Request, Unproven
from modelward.interfaces.aws.throttle import Throttle
from modelward.interfaces.aws.validation import request_check
from modelward.interfaces.http import Receive, Scope, Send, read_body, respond
from modelward.kernel.actors import Actor
from modelward.kernel.errors import Invalid, ModelwardError, NotAllowed
from modelward.storage.work import Work, Workshop

log = logging.getLogger("modelward.aws")
BODY_BYTES_MAX = 4 << 20
TOKEN_CHARACTERS_MAX = 128
# The object store has a word of its own for it, and so have the services that are asked by forms.
THROTTLED = {"s3": ("SlowDown", 503), "sts": ("Throttling", 400), "iam": ("Throttling", 400)}
_REGION = re.compile(r"[a-z0-9-]{1,32}")


class Caller(NamedTuple):
    """Who calls, from where, and the claim that was proven (none in test mode)."""

    actor: Actor
    region: str
    claim: Claim | None
    holder: Holder | None


class Wire:
    """The AWS interface as an ASGI app."""

    def __init__(self, workshop: Workshop, *, account: str, calls_per_second: int = 0, lenient: bool = False) -> None:
        """Serve a workshop. ``lenient`` is the test mode: nobody has to prove anything."""
        self._workshop, self._account, self._lenient = workshop, account, lenient
        self.keys = Keys(workshop)
        self._throttle = Throttle(calls_per_second=calls_per_second)
        self._operations = all_operations()
        self._inline = workshop.database.dialect == "sqlite"
        self._threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="modelward-aws")
        self._writer = Writer(workshop)
        self._objects = Objects(workshop, self._writer, threads=self._threads)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = _request(scope)
        request_id = _new_request_id()
        language = _language(request)
        try:
            if language == "s3":
                caller = await self._caller(request, lambda: "")
            else:
                body = await _body(receive)
                caller = await self._caller(request, lambda: hashlib.sha256(body).hexdigest())
                asked = self._asked(request, caller, body)
                reply = await self._run(asked, caller, request, body, request_id)
        except Exception as problem:  # noqa: BLE001 - a fault of ours becomes an answer in the client's language
            reply = protocols.refusal(language, _aws_error(problem, language, request_id), request_id)
            if language == "s3":
                reply.headers.extend(closing(request))
        else:
            if language == "s3":
                # Not within: where an answer breaks off, a second one must not follow.
                await self._serve_objects(receive, send, request, caller, request_id)
                return
        await _send(send, reply, request_id, language=language, method=request.method)

    async def _serve_objects(
        self, receive: Receive, send: Send, request: Request, caller: Caller, request_id: str
    ) -> None:
        signer = ChunkSigner(caller.claim, secret=caller.holder.secret) if caller.claim and caller.holder else None
        await self._objects.serve(
            receive, send, request=request, claim=caller.claim, actor=caller.actor, region=caller.region,
            signer=signer, request_id=request_id,
        )  # fmt: skip

    async def _caller(self, request: Request, body_hash: Callable[[], str]) -> Caller:
        try:
            claim = sigv4.read_claim(request)
        except Unproven:
            if not self._lenient:
                raise
            return Caller(TESTER, "us-east-1", None, None)
        if not _REGION.fullmatch(claim.region):
            raise Unproven("incomplete", "The credential scope names no region.")
        holder = await self._holder(claim.key)
        if holder is None:
            if self._lenient:
                return Caller(TESTER, claim.region, None, None)
            raise Unproven("unknown", "The security token included in the request is invalid.")
        sigv4.check_time(claim, self._workshop.clock())
        sigv4.check_headers(claim, request)
        told = request.headers.get("x-amz-content-sha256")
        hashed = body_hash()
        if claim.service == "s3":
            hashed = sigv4.UNSIGNED if claim.presigned and told is None else told or ""
        elif told is not None and told != hashed:
            raise Unproven("mismatch", "The body does not have the hash that the request names.")
        sigv4.check_signature(claim, request, secret=holder.secret, body_hash=hashed)
        # By who calls and not by key, for anybody may have as many keys as they like.
        if not self._throttle.admits(holder.actor.id):
            raise throttled(claim.service)
        self.keys.used(claim.key)
        return Caller(holder.actor, claim.region, claim, holder)

    async def _holder(self, id: str) -> Holder | None:
        remembered = self.keys.known(id)
        if remembered:
            return remembered.holder
        if self._inline:
            return self.keys.find(id)
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.keys.find, id)

    def _asked(self, request: Request, caller: Caller, body: bytes) -> Asked:
        scope = caller.claim.service if caller.claim else _scope_of(request)
        target = request.headers.get("x-amz-target")
        if target and (request.path, request.query) != ("/", ""):
            # The canonical form leaves out doubled slashes, so what was signed for / would count elsewhere.
            raise protocols.unknown_operation(f"{target} at {request.path}")
        if target:
            asked = protocols.ask_json(target, body)
        elif scope in protocols.FORMS:
            asked = protocols.ask_form(scope, body, request.query)
        elif scope in protocols.BY_PATH:
            asked = protocols.ask_path(scope, request.method, request.path, request.query, request.headers, body)
        else:
            raise protocols.unknown_operation(f"{scope}: {request.method} {request.path[:80]}")
        if caller.claim and service_model(asked.service).signing_name != caller.claim.service:
            raise Unproven("mismatch", f"Credential should be scoped to correct service: '{asked.service}'.")
        return asked

    async def _run(self, asked: Asked, caller: Caller, request: Request, body: bytes, request_id: str) -> Reply:
        operation = self._operations.get((asked.service, asked.operation))
        if operation is None:
            if asked.service == "iam":
                raise AwsError("AccessDenied", self._denied(caller.actor, f"iam:{asked.operation}"), status=403)
            raise protocols.unknown_operation(asked.operation)
        if isinstance(operation.permission, Permission):
            try:
                allow(caller.actor, operation.permission)
            except NotAllowed as problem:
                code, status = ("AccessDenied", 403) if asked.language == "query" else ("AccessDeniedException", 400)
                raise AwsError(code, self._denied(caller.actor, operation.action), status=status) from problem
        checked = request_check(asked.service, asked.operation)(asked.body)
        prepared = await self._prepared(operation, caller, checked)

        def task(work: Work) -> Reply:
            call = Call(
                work=work, account=self._account, region=caller.region, request_id=request_id, prepared=prepared,
                lenient=self._lenient,
            )  # fmt: skip
            written = answer_writer(asked.service, asked.operation)(operation.handler(call, checked))
            return protocols.answer(asked, written, request_id)

        if operation.writes:
            member = token_member(asked.service, asked.operation)
            once = self._once(asked, caller, checked.get(member) if member else None, request, body)
            told = await self._writer.write(caller.actor, once, lambda work: _kept_form(task(work)))
            headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in told.headers.items()]
            return Reply(told.status, told.body.encode("latin-1"), told.kind.encode(), headers)
        if self._inline:
            return self._workshop.read(caller.actor, task)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._workshop.read, caller.actor, task)

    async def _prepared(self, operation: Operation, caller: Caller, checked: dict[str, Any]) -> Any:
        if operation.prepare is None:
            return None
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, operation.prepare, self._workshop, caller.actor, checked)

    def _denied(self, actor: Actor, action: str) -> str:
        arn = user_arn(self._account, actor.id)
        return (
            f"User: {arn} is not authorized to perform: {action} because no identity-based policy allows the "
            f"{action} action"
        )

    def _once(self, asked: Asked, caller: Caller, token: Any, request: Request, body: bytes) -> Once | None:
        told = hashlib.sha256(f"{asked.service}.{asked.operation}\n".encode() + body).hexdigest()
        if isinstance(token, str) and 0 < len(token) <= TOKEN_CHARACTERS_MAX:
            return Once(key=f"aws-token:{asked.service}:{asked.operation}:{token}", request=told, by_token=True)
        return signed_once(caller.claim, request, told) if caller.claim else None


def throttled(service: str) -> AwsError:
    """Somebody calls too often, told so that clients wait and try again."""
    code, status = THROTTLED.get(service, ("ThrottlingException", 400))
    return AwsError(code, "Rate exceeded", status=status)


def _new_request_id() -> str:
    # As uuid4 writes one, but it is no secret, and asking the system for chance costs more than reading a card.
    drawn = f"{random.getrandbits(128):032x}"
    return f"{drawn[:8]}-{drawn[8:12]}-4{drawn[13:16]}-a{drawn[17:20]}-{drawn[20:]}"


def _kept_form(reply: Reply) -> Told:
    # Latin-1 holds any bytes, one for one.
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in reply.headers}
    return Told(reply.status, reply.body.decode("latin-1"), reply.kind.decode(), headers)


def _request(scope: Scope) -> Request:
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        headers[key] = f"{headers[key]},{text}" if key in headers else text
    path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1").partition("?")[0]
    return Request(scope["method"], path, scope["query_string"].decode("latin-1"), headers)


def _scope_of(request: Request) -> str:
    """The service of a request that claims to be signed, read without trust."""
    try:
        return sigv4.read_claim(request).service
    except Unproven:
        found = re.search(r"Credential=[^,]*/([a-z0-9-]+)/aws4_request", request.headers.get("authorization", ""))
        return found[1] if found else "s3" if sigv4.is_signed({}, request.query) else ""


def _language(request: Request) -> str:
    if "x-amz-target" in request.headers:
        return "json"
    scope = _scope_of(request)
    # Services that nobody serves here are refused in the language in which they were asked.
    asks_by_form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    return "s3" if scope == "s3" else "query" if scope in protocols.FORMS or asks_by_form else "json"


async def _body(receive: Receive) -> bytes:
    try:
        return await read_body(receive, bytes_max=BODY_BYTES_MAX)
    except Invalid as problem:
        raise AwsError("RequestEntityTooLargeException", problem.message, status=413) from problem


def _aws_error(problem: Exception, language: str, request_id: str) -> AwsError:
    if isinstance(problem, Unproven):
        codes = protocols.UNPROVEN.get(language, protocols.UNPROVEN["json"])
        return AwsError(codes[problem.why], problem.message, status=400 if language == "json" else 403)
    if isinstance(problem, AwsError):
        return problem
    if isinstance(problem, ModelwardError) and problem.status != 500:
        return from_native(problem)
    what = "gave an answer that the service model does not allow" if isinstance(problem, AnswerInvalid) else "failed"
    log.error("AWS request %s %s.", request_id, what, exc_info=problem)
    return AwsError("InternalFailure", "Something went wrong; the server's log tells more.", status=500)


async def _send(send: Send, reply: Reply, request_id: str, *, language: str, method: str) -> None:
    name = b"x-amz-request-id" if language == "s3" else b"x-amzn-requestid"
    headers = [*reply.headers, (name, request_id.encode())]
    await respond(send, reply.status, b"" if method == "HEAD" else reply.body, kind=reply.kind, headers=headers)
