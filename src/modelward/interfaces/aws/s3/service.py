"""From a request on a bucket or an object to its operation and back. Who asks is known already."""

import logging
from collections.abc import Iterator
from concurrent.futures import Executor
from typing import Any
from urllib.parse import parse_qsl, unquote

from modelward.governance.access.permissions import allow
from modelward.governance.objects import rules, use_cases
from modelward.interfaces.aws.errors import AwsError
from modelward.interfaces.aws.once import SignedTwice, Told, Writer, signed_once
from modelward.interfaces.aws.protocols import refusal
from modelward.interfaces.aws.s3 import buckets, multipart, objects
from modelward.interfaces.aws.s3.passing import Passing
from modelward.interfaces.aws.s3.routes import Answer, Ask, Level, Run, executor_runner, find
from modelward.interfaces.aws.sigv4 import ChunkSigner, Claim, Request
from modelward.interfaces.http import Message, Receive, Send, respond
from modelward.kernel.actors import Actor
from modelward.kernel.errors import Conflict, Invalid, ModelwardError, NotAllowed, NotFound, Unavailable
from modelward.storage.object_store import ObjectAbsent
from modelward.storage.work import Workshop

log = logging.getLogger("modelward.aws")
ROUTES = [*buckets.routes.all, *objects.routes.all, *multipart.routes.all]
QUERY_FIELDS_MAX = 100
# What others stored must run nowhere as a page of ours, nor be taken for a script of ours.
SANDBOX = (b"content-security-policy", b"default-src 'none'; sandbox")
EMBEDDED = frozenset(
    {"script", "style", "worker", "serviceworker", "sharedworker", "object", "embed", "frame", "iframe"}
)
# The first that fits stands for the error.
CODES: list[tuple[type[ModelwardError], str, int]] = [
    (use_cases.BucketMissing, "NoSuchBucket", 404),
    (use_cases.ObjectMissing, "NoSuchKey", 404),
    (use_cases.UploadMissing, "NoSuchUpload", 404),
    (use_cases.BucketTaken, "BucketAlreadyOwnedByYou", 409),
    (ObjectAbsent, "NoSuchKey", 404),
    (use_cases.BucketNotEmpty, "BucketNotEmpty", 409),
    (rules.BucketNameInvalid, "InvalidBucketName", 400),
    (rules.KeyTooLong, "KeyTooLongError", 400),
    (rules.PartsInvalid, "InvalidPart", 400),
    (rules.PartTooSmall, "EntityTooSmall", 400),
    (rules.ObjectTooLarge, "EntityTooLarge", 400),
    (NotAllowed, "AccessDenied", 403),
    (NotFound, "NoSuchKey", 404),
    (Conflict, "OperationAborted", 409),
    (Invalid, "InvalidArgument", 400),
    (Unavailable, "ServiceUnavailable", 503),
]


class Objects:
    """The object store as a part of the AWS interface."""

    def __init__(self, workshop: Workshop, writer: Writer, *, threads: Executor) -> None:
        self._workshop, self._writer, self._run = workshop, writer, executor_runner(threads)
        self._outside = Passing(workshop.object_store) if workshop.object_store else None

    async def serve(
        self,
        receive: Receive,
        send: Send,
        *,
        request: Request,
        claim: Claim | None,
        actor: Actor,
        region: str,
        signer: ChunkSigner | None,
        request_id: str,
    ) -> None:
        """Serve one request of somebody who is known."""
        started = False

        async def begin(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        async def once(ask: Ask, told: str, task: Any) -> Answer:
            mark = signed_once(claim, request, told) if claim else None
            given = await self._writer.write(actor, mark, lambda work: _kept_form(task(work)))
            return Answer(given.status, given.body.encode("latin-1"), given.kind, given.headers)

        try:
            level, bucket, key = _place(request)
            query = _query(request.query)
            if request.headers.get("sec-fetch-dest") in EMBEDDED:
                raise AwsError("AccessDenied", "Objects are not served into pages.", status=403)
            route = find(ROUTES, method=request.method, level=level, query=query, headers=request.headers)
            allow(actor, route.permission)
            passed_on = self._outside if self._outside and self._outside.takes(bucket) else None
            run = passed_on.run if passed_on else self._run
            ask = Ask(
                bucket=bucket, key=key, query=query, headers=request.headers, actor=actor, region=region,
                signer=signer, receive=receive, workshop=self._workshop, run=run, once=once,
            )  # fmt: skip
            answer = await (passed_on.pass_on(ask, route) if passed_on else route.handler(ask))
            await self._send(begin, answer, request_id, run=run, head=request.method == "HEAD")
        except Exception as problem:
            if started:
                raise  # half an answer is out: only breaking off tells the client that it is not whole
            told = _error(problem, request_id)
            told.resource = told.resource or unquote(request.path)
            reply = refusal("s3", told, request_id)
            silent = request.method == "HEAD" or reply.status == 304
            sent = [(b"x-amz-request-id", request_id.encode()), SANDBOX, *closing(request)]
            await respond(send, reply.status, b"" if silent else reply.body, kind=reply.kind, headers=sent)

    async def _send(self, send: Send, answer: Answer, request_id: str, *, run: Run, head: bool) -> None:
        headers = [(name.encode("latin-1"), _header_value(value)) for name, value in answer.headers.items()]
        headers += [(b"x-amz-request-id", request_id.encode()), (b"content-type", _header_value(answer.kind)), SANDBOX]
        if isinstance(answer.body, bytes):
            if not (head and "content-length" in answer.headers):
                headers.append((b"content-length", str(len(answer.body)).encode()))
            await send({"type": "http.response.start", "status": answer.status, "headers": headers})
            await send({"type": "http.response.body", "body": answer.body})
            return
        pieces: Iterator[bytes] = answer.body
        first = await run(lambda: next(pieces, b""))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        piece = first
        while piece:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            piece = await run(lambda: next(pieces, b""))
        await send({"type": "http.response.body", "body": b""})


def closing(request: Request) -> list[tuple[bytes, bytes]]:
    """What a refusal says besides, where a body may not have been read: on this connection it would be taken for a request."""
    empty = request.headers.get("content-length", "0") == "0" and "transfer-encoding" not in request.headers
    return [] if empty else [(b"connection", b"close")]


def _kept_form(answer: Answer) -> Told:
    assert isinstance(answer.body, bytes)
    return Told(answer.status, answer.body.decode("latin-1"), answer.kind, dict(answer.headers))


def _header_value(text: str) -> bytes:
    # A value may come from the query, where line breaks can be written.
    return "".join(each if each >= " " and each != "\x7f" else "?" for each in text).encode("latin-1", "replace")


def _place(request: Request) -> tuple[Level, str, str]:
    """Whether a request is about all buckets, one, or an object, and which. A key is taken literally, slashes and all."""
    try:
        path = unquote(request.path, errors="strict")
    except UnicodeDecodeError as problem:
        raise AwsError("InvalidURI", "Couldn't parse the specified URI.") from problem
    host = request.headers.get("host", "").rsplit(":", 1)[0].lower()
    bucket = _bucket_in(host)
    if bucket:
        key = path.removeprefix("/")
    else:
        bucket, _, key = path.removeprefix("/").partition("/")
    return ("object" if key else "bucket" if bucket else "service"), bucket, key


def _bucket_in(host: str) -> str:
    """The bucket that a host name begins with, as clients write it towards the hosted service."""
    if host.endswith(".localhost"):
        return host.removesuffix(".localhost")
    for end in (".amazonaws.com", ".amazonaws.com.cn"):
        if host.endswith(end):
            for mark in (".s3.", ".s3-"):
                bucket, found, _ = host.rpartition(mark) if mark in host else ("", "", "")
                if found:
                    return bucket
    return ""


def _query(text: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            text.replace("+", "%2B"), keep_blank_values=True, max_num_fields=QUERY_FIELDS_MAX, errors="strict"
        )
    except ValueError as problem:
        raise AwsError("InvalidArgument", "The query cannot be read.") from problem
    query = dict(pairs)
    if len(query) != len(pairs):
        raise AwsError("InvalidArgument", "A query parameter is given twice.")
    return query


def _error(problem: Exception, request_id: str) -> AwsError:
    if isinstance(problem, SignedTwice):
        # What clients of the object store repeat, signed anew.
        return AwsError("SlowDown", problem.message, status=503)
    if isinstance(problem, AwsError):
        return problem
    for kind, code, status in CODES:
        if isinstance(problem, kind):
            return AwsError(code, problem.message, status=status)
    log.error("AWS request %s failed.", request_id, exc_info=problem)
    return AwsError("InternalError", "We encountered an internal error.", status=500)
