"""Requests on a listed bucket, sent on to the object store outside, signed with the server's own credentials.

What may be asked, and by whom, is judged above; here only the bucket is, once more.
"""

import contextlib
import html
import re
from collections.abc import Iterator, Mapping
from typing import IO, Any, NamedTuple
from urllib.parse import quote

from modelward.kernel.errors import Unavailable
from modelward.storage.blobs import CHUNK_BYTES
from modelward.storage.object_store import CONNECT_SECONDS_MAX, READ_SECONDS_MAX, ObjectStore, StoreRefuses

READING = ("GET", "HEAD")
ERROR_BYTES_MAX = 64 << 10
# Codes that speak of the server's own credentials, which are no business of who asks.
OWN_AFFAIRS = frozenset({"ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch"})
# What a reader of an object is told; nothing of the connection, the server or its account.
KEPT = (
    "accept-ranges",
    "cache-control",
    "content-",
    "etag",
    "expires",
    "last-modified",
    "x-amz-bucket-region",
    "x-amz-checksum-",
    "x-amz-meta-",
    "x-amz-mp-parts-count",
    "x-amz-server-side-encryption",
    "x-amz-storage-class",
    "x-amz-version-id",
)
# A key that encrypts is named with the account that has it.
BESIDE = ("content-security-policy", "x-amz-server-side-encryption-")


class Forwarded(NamedTuple):
    """What the store answered; the body comes in pieces. An error has a code and a message instead."""

    status: int
    headers: dict[str, str]
    pieces: Iterator[bytes]
    code: str = ""
    message: str = ""


class Forwarder:
    """Sends requests on; keeps connections for the next one."""

    def __init__(self, store: ObjectStore) -> None:
        from botocore.httpsession import URLLib3Session
        from botocore.utils import get_environ_proxies

        self._store = store
        self._http: Any = URLLib3Session(
            proxies=get_environ_proxies(store.endpoint), timeout=(CONNECT_SECONDS_MAX, READ_SECONDS_MAX)
        )

    def send(
        self,
        method: str,
        *,
        bucket: str,
        key: str = "",
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: IO[bytes] | None = None,
    ) -> Forwarded:
        """Send a request on and return what came back, an error of the request included.

        Raises:
            BucketNotListed: the bucket may not be used so.
            KeyNotTaken: an object there cannot have this key.
            StoreRefuses: the server has no credentials for the store.
            Unavailable: the store does not answer, or not to these credentials.
        """
        self._store.check_may(bucket, write=method not in READING)
        if key:
            self._store.check_place(bucket, key, write=method not in READING)
        from botocore.exceptions import BotoCoreError

        try:
            response = self._http.send(self._signed(method, _path(bucket, key), query, headers, body))
        except (BotoCoreError, OSError) as problem:
            raise Unavailable(f"The object store could not be reached: {problem}") from problem
        answered = {name.lower(): value for name, value in response.headers.items()}
        kept = {
            name: value for name, value in answered.items() if name.startswith(KEPT) and not name.startswith(BESIDE)
        }
        if response.status_code < 300 or response.status_code == 304:
            length = answered.get("content-length", "")
            expected = int(length) if method != "HEAD" and response.status_code != 304 and length.isdecimal() else 0
            return Forwarded(response.status_code, kept, _pieces(response.raw, expected))
        return _refusal(response)

    def _signed(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: IO[bytes] | None
    ) -> Any:
        from botocore.auth import S3SigV4Auth
        from botocore.awsrequest import AWSRequest

        credentials = self._store.credentials()
        asked = "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in sorted(query.items()))
        url = f"{self._store.endpoint.rstrip('/')}{path}" + (f"?{asked}" if asked else "")
        request = AWSRequest(method=method, url=url, headers=dict(headers), data=body or b"", stream_output=True)
        request.context["client_config"] = self._store.config
        S3SigV4Auth(credentials, "s3", self._store.region).add_auth(request)
        return request.prepare()


def _path(bucket: str, key: str) -> str:
    return f"/{bucket}/{quote(key, safe='/~')}" if key else f"/{bucket}"


def _quoted(text: str) -> str:
    return quote(text, safe="-_.~")


def _pieces(raw: Any, expected: int) -> Iterator[bytes]:
    """The body as it comes; the library takes one that ends too early for whole."""
    from urllib3.exceptions import HTTPError

    with contextlib.closing(raw):
        try:
            for piece in raw.stream(CHUNK_BYTES, decode_content=False):
                expected -= len(piece)
                yield piece
        except HTTPError as problem:
            raise Unavailable(f"The object store broke off: {problem}") from problem
    if expected > 0:
        raise Unavailable(f"The object store broke off: {expected} bytes are missing.")


def _refusal(response: Any) -> Forwarded:
    with contextlib.closing(response.raw):
        text = bytes(response.raw.read(ERROR_BYTES_MAX) or b"").decode("utf-8", "replace")
    code, message = _element(text, "Code"), _element(text, "Message")
    if code in OWN_AFFAIRS:
        raise Unavailable("The object store does not take the credentials that the server has.")
    if response.status_code in (301, 307):
        raise StoreRefuses("The bucket lies in another region than s3_region says.")
    if response.status_code >= 500:
        raise Unavailable(f"The object store answered {code or response.status_code}.")
    return Forwarded(response.status_code, {}, iter(()), code, message)


def _element(text: str, name: str) -> str:
    found = re.search(rf"<{name}>([^<]{{0,1000}})</{name}>", text)
    return html.unescape(found[1]) if found else ""
