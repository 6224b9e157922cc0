"""Operations on a listed bucket, passed on to the object store outside for who may: one key pair opens both.

The same operations as on our own buckets, no others: nothing that changes who may read a bucket passes.
"""

import base64
import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from typing import IO, NamedTuple
from urllib.parse import quote

from modelward.governance.access.permissions import Permission, allow
from modelward.governance.objects import use_cases
from modelward.interfaces.aws.errors import AwsError
from modelward.interfaces.aws.s3 import documents
from modelward.interfaces.aws.s3.bodies import CHECKSUM
from modelward.interfaces.aws.s3.objects import copy_source, kept_headers
from modelward.interfaces.aws.s3.routes import Answer, Ask, Route, executor_runner
from modelward.kernel.errors import Unavailable
from modelward.storage.forwarding import Forwarded, Forwarder
from modelward.storage.object_store import ObjectStore

THREADS = 16
ANSWER_BYTES_MAX = 8 << 20
REFUSED = frozenset({"CreateBucket", "DeleteBucket"})
# One is told in the log when it is complete.
UNTOLD = frozenset({"AbortMultipartUpload", "CreateMultipartUpload", "UploadPart", "UploadPartCopy"})
UPLOADS = frozenset({"PutObject", "UploadPart"})
WITH_METADATA = frozenset({"CopyObject", "CreateMultipartUpload", "PutObject"})
# That the owner of the bucket keeps control says nothing new; any other list of access would.
HARMLESS_ACCESS = frozenset({"private", "bucket-owner-full-control", "bucket-owner-read"})
CONDITIONS = ("if-", "x-amz-copy-source-if-")
PASSED = frozenset(
    {
        "range",
        "x-amz-checksum-algorithm",
        "x-amz-checksum-mode",
        "x-amz-checksum-type",
        "x-amz-copy-source-range",
        "x-amz-metadata-directive",
        "x-amz-server-side-encryption",
        "x-amz-storage-class",
    }
)
# Which key of whose account encrypts is the server's affair; left out, an object would lie there otherwise than was asked.
REFUSED_HEADERS = ("x-amz-server-side-encryption-", "x-amz-copy-source-server-side-encryption-")


class Sent(NamedTuple):
    """The body of a request that was received and checked, and the headers that tell of it."""

    file: IO[bytes] | None
    headers: dict[str, str]
    keys: list[str]
    """The objects that it tells of, for the log."""


class Passing:
    """The listed buckets as a part of the object store here."""

    def __init__(self, store: ObjectStore) -> None:
        self._store, self._forwarder = store, Forwarder(store)
        # Threads of its own: while the store outside is slow, what is here is not.
        threads = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="modelward-outside")
        self.run = executor_runner(threads)

    def takes(self, bucket: str) -> bool:
        """Whether a bucket is one that lies outside."""
        return self._store.lists(bucket)

    async def pass_on(self, ask: Ask, route: Route) -> Answer:
        """Carry out one operation that has been let in."""
        if route.name == "CreateBucket":
            raise AwsError("BucketAlreadyOwnedByYou", f"The bucket {ask.bucket} is there already.", status=409)
        if route.name in REFUSED:
            raise AwsError("AccessDenied", f"The bucket {ask.bucket} is not Modelward's to remove.", status=403)
        self._store.check_may(ask.bucket, write=route.permission is Permission.OBJECT_WRITE)
        if ask.key:
            self._store.check_place(ask.bucket, ask.key, write=False)
        if route.marked:
            self._check_source(ask)
        passed = _headers(ask, route)
        sent = await self._body(ask, route)
        try:
            if route.permission is Permission.OBJECT_WRITE and route.name not in UNTOLD:
                await ask.run(
                    lambda: ask.workshop.write(
                        ask.actor,
                        lambda work: use_cases.note_change_outside(
                            work, bucket=ask.bucket, operation=route.name, keys=sent.keys
                        ),
                    )
                )
            answered = await ask.run(lambda: self._send(ask, route, {**passed, **sent.headers}, sent.file))
        finally:
            if sent.file:
                sent.file.close()
        if answered.status >= 400:
            raise _told(answered)
        headers = dict(answered.headers)
        if route.name == "DeleteObjects":
            return Answer(body=await ask.run(lambda: _deletion_told(answered)))
        return Answer(answered.status, answered.pieces, headers.pop("content-type", "application/xml"), headers)

    def _check_source(self, ask: Ask) -> None:
        source, key = copy_source(ask)
        if ask.headers["x-amz-copy-source"].endswith("?versionId=null"):
            # Where a bucket has versions it is one among others.
            raise AwsError(
                "NotImplemented", "Copy Source names a version; only the object as it is now is copied here."
            )
        if not self._store.lists(source):
            raise AwsError(
                "NotImplemented", "Objects are copied within one object store only: download it and upload it again."
            )
        allow(ask.actor, Permission.OBJECT_READ)
        self._store.check_place(source, key, write=False)

    async def _body(self, ask: Ask, route: Route) -> Sent:
        if route.name == "DeleteObjects":
            return await self._deletion(ask)
        if route.name == "CompleteMultipartUpload":
            # The checksums that come with it tell of the object, not of this document.
            headers = {name: value for name, value in ask.headers.items() if name.startswith(CHECKSUM)}
            return Sent(io.BytesIO(await ask.document(of_parts=True)), headers, [ask.key])
        kept = kept_headers(ask.headers) if route.name in WITH_METADATA else {}
        if route.name not in UPLOADS:
            return Sent(None, kept, [ask.key])
        received = await ask.content()
        headers = {CHECKSUM + name: value for name, value in received.checksums.items()} | kept
        if ask.headers.get("content-md5"):
            headers["content-md5"] = _in_header(bytes.fromhex(received.md5))
        received.file.seek(0)
        return Sent(received.file, headers, [ask.key])

    async def _deletion(self, ask: Ask) -> Sent:
        """What is to be removed, written anew: the store reads of it what was judged and logged here, and nothing else."""
        body = await ask.document()
        keys, quiet = await ask.run(lambda: documents.keys_named(body))
        for key in keys:
            self._store.check_place(ask.bucket, key, write=True)
        written = documents.deletion(keys, quiet=quiet)
        digest = hashlib.md5(written, usedforsecurity=False).digest()
        return Sent(io.BytesIO(written), {"content-md5": _in_header(digest)}, keys)

    def _send(self, ask: Ask, route: Route, headers: dict[str, str], body: IO[bytes] | None) -> Forwarded:
        return self._forwarder.send(
            route.method,
            bucket=ask.bucket,
            key=ask.key,
            query={name: value for name, value in ask.query.items() if name in route.needs | route.takes},
            headers=headers,
            body=body,
        )


def _in_header(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def _headers(ask: Ask, route: Route) -> dict[str, str]:
    access = ask.headers.get("x-amz-acl", "private")
    granted = next((name for name in ask.headers if name.startswith("x-amz-grant-")), "")
    if access not in HARMLESS_ACCESS or granted:
        raise AwsError("AccessDenied", "Who may read an object is not changed through Modelward.", status=403)
    refused = next((name for name in ask.headers if name.startswith(REFUSED_HEADERS)), "")
    if refused:
        raise AwsError(
            "NotImplemented", f"The keys that encrypt objects are not chosen through Modelward: {refused[:80]}"
        )
    passed = {name: value for name, value in ask.headers.items() if name in PASSED or name.startswith(CONDITIONS)}
    if route.name == "DeleteObjects":
        # What they tell of is the document of the caller.
        passed = {name: value for name, value in passed.items() if not name.startswith(CHECKSUM)}
    if route.marked:
        # Written anew, so that the store cannot read another bucket out of it than was judged here.
        passed["x-amz-copy-source"] = quote("/".join(copy_source(ask)), safe="/")
    return passed


def _told(answered: Forwarded) -> AwsError:
    """The store's error in its own words, but for what it says of the server's account."""
    code = answered.code or {404: "NoSuchKey", 403: "AccessDenied", 412: "PreconditionFailed"}.get(
        answered.status, "InvalidRequest"
    )
    return AwsError(
        code, _message("AccessDenied" if answered.status == 403 else code, answered.message), status=answered.status
    )


def _message(code: str, message: str) -> str:
    # These name the account, the role or the key of the server.
    own = code == "AccessDenied" or code.startswith("KMS")
    return "The object store refuses this to the server." if own else message or code


def _deletion_told(answered: Forwarded) -> bytes:
    body = b""
    for piece in answered.pieces:
        body += piece
        if len(body) > ANSWER_BYTES_MAX:
            raise Unavailable("The object store tells more of the removal than can be read.")
    try:
        return documents.deletion_told(body, _message)
    except AwsError as problem:
        raise Unavailable("What the object store tells of the removal cannot be read.") from problem
