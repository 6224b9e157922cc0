"""Operations on a listed bucket, passed on to the object store outside for who may: one key pair opens both.

The same operations as on our own buckets, no others: nothing that changes who may read a bucket passes.
"""

import base64
from concurrent.futures import ThreadPoolExecutor
from typing import IO, NamedTuple
from urllib.parse import quote

from modelward.governance.access.permissions import Permission, allow
from modelward.governance.objects import use_cases
from modelward.interfaces.aws.errors import AwsError
from modelward.interfaces.aws.s3 import documents
from modelward.interfaces.aws.s3.bodies import CHECKSUM, Received, receive_object
from modelward.interfaces.aws.s3.objects import copy_source, kept_headers
from modelward.interfaces.aws.s3.routes import Answer, Ask, Route, executor_runner
from modelward.storage.forwarding import Forwarded, Forwarder
from modelward.storage.object_store import ObjectStore

THREADS = 16
REFUSED = frozenset({"CreateBucket", "DeleteBucket"})
# One is told in the log when it is complete.
UNTOLD = frozenset({"AbortMultipartUpload", "CreateMultipartUpload", "UploadPart", "UploadPartCopy"})
WITH_BODY = frozenset({"CompleteMultipartUpload", "DeleteObjects", "PutObject", "UploadPart"})
# That the owner of the bucket keeps control says nothing new; any other list of access would.
HARMLESS_ACCESS = frozenset({"private", "bucket-owner-full-control", "bucket-owner-read"})
PASSED = (
    "if-",
    "range",
    "x-amz-checksum-algorithm",
    "x-amz-checksum-mode",
    "x-amz-checksum-type",
    "x-amz-copy-source",
    "x-amz-metadata-directive",
    "x-amz-server-side-encryption",
    "x-amz-storage-class",
)


class Sent(NamedTuple):
    """The body of a request that was received and checked, and the headers that tell of it."""

    file: IO[bytes] | None
    headers: dict[str, str]
    received: Received | None


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
        sent = await _body(ask, route)
        try:
            if route.permission is Permission.OBJECT_WRITE and route.name not in UNTOLD:
                keys = _keys(ask, route, sent)
                await ask.run(
                    lambda: ask.workshop.write(
                        ask.actor,
                        lambda work: use_cases.note_change_outside(
                            work, bucket=ask.bucket, operation=route.name, keys=keys
                        ),
                    )
                )
            answered = await ask.run(lambda: self._send(ask, route, sent))
        finally:
            if sent.received:
                sent.received.file.close()
        if answered.status >= 400:
            raise _told(answered)
        headers = dict(answered.headers)
        return Answer(answered.status, answered.pieces, headers.pop("content-type", "application/xml"), headers)

    def _check_source(self, ask: Ask) -> None:
        source, key = copy_source(ask)
        if not self._store.lists(source):
            raise AwsError(
                "NotImplemented", "Objects are copied within one object store only: download it and upload it again."
            )
        allow(ask.actor, Permission.OBJECT_READ)
        self._store.check_place(source, key, write=False)

    def _send(self, ask: Ask, route: Route, sent: Sent) -> Forwarded:
        return self._forwarder.send(
            route.method,
            bucket=ask.bucket,
            key=ask.key,
            query={name: value for name, value in ask.query.items() if name in route.needs | route.takes},
            headers={**_headers(ask, route), **sent.headers},
            body=sent.file,
        )


async def _body(ask: Ask, route: Route) -> Sent:
    if route.name not in WITH_BODY:
        kept = kept_headers(ask.headers) if route.name in ("CopyObject", "CreateMultipartUpload") else {}
        return Sent(None, kept, None)
    if route.name == "CompleteMultipartUpload":
        # The checksums that come with it tell of the object, not of this document.
        headers = {name: value for name, value in ask.headers.items() if name.startswith(CHECKSUM)}
        received = await receive_object(ask.receive, _without_sums(ask.headers), ask.signer)
    else:
        received = await ask.content()
        headers = {CHECKSUM + name: value for name, value in received.checksums.items()}
    if route.name == "PutObject":
        headers |= kept_headers(ask.headers)
    if ask.headers.get("content-md5") or route.name == "DeleteObjects":
        headers["content-md5"] = base64.b64encode(bytes.fromhex(received.md5)).decode()
    received.file.seek(0)
    return Sent(received.file, headers, received)


def _without_sums(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if not name.startswith(CHECKSUM)}


def _headers(ask: Ask, route: Route) -> dict[str, str]:
    access = ask.headers.get("x-amz-acl", "private")
    granted = next((name for name in ask.headers if name.startswith("x-amz-grant-")), "")
    if access not in HARMLESS_ACCESS or granted:
        raise AwsError("AccessDenied", "Who may read an object is not changed through Modelward.", status=403)
    passed = {name: value for name, value in ask.headers.items() if name.startswith(PASSED)}
    if route.marked:
        # Written anew, so that the store cannot read another bucket out of it than was judged here.
        passed["x-amz-copy-source"] = quote("/".join(copy_source(ask)), safe="/")
    return passed


def _keys(ask: Ask, route: Route, sent: Sent) -> list[str]:
    if route.name != "DeleteObjects" or sent.received is None:
        return [ask.key]
    keys, _ = documents.keys_named(b"".join(sent.received.chunks()))
    sent.received.file.seek(0)
    return keys


def _told(answered: Forwarded) -> AwsError:
    """The store's error in its own words, but for what it says of the server's account."""
    code = answered.code or {404: "NoSuchKey", 403: "AccessDenied", 412: "PreconditionFailed"}.get(
        answered.status, "InvalidRequest"
    )
    message = "The object store refuses this to the server." if answered.status == 403 else answered.message
    return AwsError(code, message or code, status=answered.status)
