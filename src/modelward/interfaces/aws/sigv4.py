"""Signature version 4: what a request claims, and whether its signature proves it. No I/O.

The canonical form is that of the AWS documentation; the tests hold it against botocore's own signer.
"""

import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes

from modelward.interfaces.aws.errors import AwsError

ALGORITHM = "AWS4-HMAC-SHA256"
SKEW_MAX = timedelta(minutes=15)
PRESIGNED_SECONDS_MAX = 604_800
EMPTY = hashlib.sha256(b"").hexdigest()
UNSIGNED = "UNSIGNED-PAYLOAD"
STREAMING = "STREAMING-"
_HEX = re.compile(r"[0-9a-f]{64}")
_MOMENT = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_SPACES = re.compile(r" +")
# Sent by some clients after they have signed; they tell the server nothing that it acts on.
UNSIGNED_HEADERS = frozenset({"x-amz-user-agent", "x-amzn-trace-id"})


class Unproven(AwsError):
    """A request that proves nothing: ``why`` is one of missing, incomplete, skewed, unknown, mismatch."""

    def __init__(self, why: str, message: str) -> None:
        super().__init__(why, message, status=403)
        self.why = why


class Request(NamedTuple):
    """The parts of a request that are signed, as they came over the wire; header names in lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]


class Claim(NamedTuple):
    """What a request says of itself: which key signed it, when, for where, over which headers, with what result."""

    key: str
    at: datetime
    stamp: str
    day: str
    region: str
    service: str
    signed: tuple[str, ...]
    signature: str
    presigned: bool
    expires_seconds: int

    @property
    def scope(self) -> str:
        """The credential scope."""
        return f"{self.day}/{self.region}/{self.service}/aws4_request"


def is_signed(headers: dict[str, str], query: str) -> bool:
    """Whether a request claims to be signed at all, however badly."""
    return (
        headers.get("authorization", "").startswith("AWS") or "X-Amz-Signature=" in query or "AWSAccessKeyId=" in query
    )


def read_claim(request: Request) -> Claim:
    """Read the claim of a request from its header or its query.

    Raises:
        Unproven: there is none, or it is not complete.
    """
    given = request.headers.get("authorization", "")
    presigned = "X-Amz-Algorithm=" in request.query or "X-Amz-Signature=" in request.query
    if given and presigned:
        raise Unproven("incomplete", "Only one auth mechanism is allowed: a header or a presigned address.")
    fields = _from_query(request.query) if presigned else _from_header(given, request.headers)
    try:
        key, day, region, service, end = fields["credential"].rsplit("/", 4)
    except ValueError as problem:
        raise _incomplete("The credential is not of the form key/date/region/service/aws4_request.") from problem
    stamp = fields["date"]
    if not _MOMENT.fullmatch(stamp) or day != stamp[:8] or end != "aws4_request" or not (key and region and service):
        raise _incomplete("The date of the request and its credential scope do not fit together.")
    try:
        at = _moment(stamp)
    except ValueError as problem:
        raise _incomplete("The date of the request is no date.") from problem
    signed = tuple(fields["signed"].split(";"))
    if "host" not in signed or list(signed) != sorted(set(signed)) or not _HEX.fullmatch(fields["signature"]):
        raise _incomplete("The signed headers or the signature are not well formed.")
    seconds = int(fields["expires"])
    return Claim(key, at, stamp, day, region, service, signed, fields["signature"], presigned, seconds)


@lru_cache(maxsize=1024)
def _moment(stamp: str) -> datetime:
    return datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def _incomplete(message: str) -> Unproven:
    return Unproven("incomplete", message)


def _from_header(given: str, headers: dict[str, str]) -> dict[str, str]:
    if not given:
        raise Unproven("missing", "Missing Authentication Token")
    algorithm, _, rest = given.partition(" ")
    if algorithm != ALGORITHM:
        raise _incomplete(f"The request must be signed with {ALGORITHM}.")
    parts: dict[str, str] = {}
    for each in rest.split(","):
        name, _, value = each.strip().partition("=")
        if name in parts:
            raise _incomplete(f"The Authorization header names {name} twice.")
        parts[name] = value
    strange = next((name for name in parts if name not in ("Credential", "SignedHeaders", "Signature")), None)
    if strange is not None:
        raise _incomplete(f"The Authorization header has {strange[:40]!r}, which no signature has.")
    try:
        found = {
            "credential": parts["Credential"],
            "signed": parts["SignedHeaders"],
            "signature": parts["Signature"],
            "date": headers["x-amz-date"],
            "expires": "0",
        }
    except KeyError as problem:
        raise _incomplete(f"The request lacks {problem.args[0]}, which a signature needs.") from problem
    return found


def _from_query(query: str) -> dict[str, str]:
    given = dict(_query_pairs(query))
    try:
        found = {
            "credential": _text(given["X-Amz-Credential"]),
            "signed": _text(given["X-Amz-SignedHeaders"]),
            "signature": given["X-Amz-Signature"],
            "date": given["X-Amz-Date"],
            "expires": given["X-Amz-Expires"],
        }
    except KeyError as problem:
        raise _incomplete(f"The address lacks {problem.args[0]}, which a presigned one needs.") from problem
    seconds = found["expires"]
    if given.get("X-Amz-Algorithm") != ALGORITHM:
        raise _incomplete(f"The request must be signed with {ALGORITHM}.")
    if not re.fullmatch(r"[0-9]{1,6}", seconds) or not 0 < int(seconds) <= PRESIGNED_SECONDS_MAX:
        raise _incomplete(f"X-Amz-Expires must be from 1 to {PRESIGNED_SECONDS_MAX} seconds.")
    return found


def _text(quoted: str) -> str:
    return unquote_to_bytes(quoted).decode("utf-8", "replace")


def check_time(claim: Claim, now: datetime) -> None:
    """Whether the claim was made within a quarter of an hour, or the presigned address is still good.

    Raises:
        Unproven: it was not, or is no longer.
    """
    if claim.presigned:
        if now > claim.at + timedelta(seconds=claim.expires_seconds):
            raise Unproven("expired", "Request has expired")
        if claim.at - now > SKEW_MAX:
            raise Unproven("skewed", "The request is of the future: set the clock.")
    elif abs(now - claim.at) > SKEW_MAX:
        raise Unproven(
            "skewed",
            f"Signature expired: {claim.stamp} is more than 15 minutes from the server's {now:%Y%m%dT%H%M%SZ}.",
        )


def check_headers(claim: Claim, request: Request) -> None:
    """Whether every header that the server acts on is signed.

    Raises:
        Unproven: one is not, or one that is signed was not sent.
    """
    for name in request.headers:
        if name.startswith("x-amz-") and name not in claim.signed and name not in UNSIGNED_HEADERS:
            raise Unproven("mismatch", f"There were headers present in the request which were not signed: {name}")
    missing = next((name for name in claim.signed if name not in request.headers), None)
    if missing:
        raise Unproven("mismatch", f"The signed header {missing[:80]} was not sent.")


def signature_of(claim: Claim, request: Request, *, secret: str, body_hash: str) -> str:
    """The signature that the request must carry."""
    canonical = canonical_request(claim, request, body_hash=body_hash)
    to_sign = f"{ALGORITHM}\n{claim.stamp}\n{claim.scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = signing_key(secret, claim.day, claim.region, claim.service)
    return hmac.digest(key, to_sign.encode(), "sha256").hex()


def check_signature(claim: Claim, request: Request, *, secret: str, body_hash: str) -> None:
    """Whether the signature is right; compared in constant time.

    Raises:
        Unproven: it is not.
    """
    if not hmac.compare_digest(signature_of(claim, request, secret=secret, body_hash=body_hash), claim.signature):
        raise Unproven(
            "mismatch",
            "The request signature we calculated does not match the signature you provided. "
            "Check your AWS Secret Access Key and signing method.",
        )


def canonical_request(claim: Claim, request: Request, *, body_hash: str) -> str:
    """The one form of a request that both sides sign."""
    headers = "".join(f"{name}:{_SPACES.sub(' ', request.headers[name].strip())}\n" for name in claim.signed)
    path = request.path if claim.service == "s3" else _normal_path(request.path)
    query = _canonical_query(request.query) if request.query else ""
    return f"{request.method}\n{path}\n{query}\n{headers}\n{';'.join(claim.signed)}\n{body_hash}"


def _normal_path(path: str) -> str:
    if path == "/":
        return path
    kept: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del kept[-1:]
        elif part not in ("", "."):
            kept.append(part)
    end = "/" if path.endswith("/") and kept else ""
    return quote("/" + "/".join(kept) + end, safe="/~")


def _query_pairs(query: str) -> list[tuple[str, str]]:
    pairs = (each.partition("=") for each in query.split("&") if each)
    return [(name, value) for name, _, value in pairs]


def _canonical_query(query: str) -> str:
    pairs = [
        (quote(unquote_to_bytes(name), safe="-_.~"), quote(unquote_to_bytes(value), safe="-_.~"))
        for name, value in _query_pairs(query)
        if name != "X-Amz-Signature"
    ]
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


@lru_cache(maxsize=1024)
def signing_key(secret: str, day: str, region: str, service: str) -> bytes:
    """The key of one day, region and service."""
    key = ("AWS4" + secret).encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


class ChunkSigner:
    """Checks the chain of signatures over the chunks of a streamed body, the first resting on the request's own."""

    def __init__(self, claim: Claim, *, secret: str) -> None:
        self._claim, self._previous = claim, claim.signature
        self._key = signing_key(secret, claim.day, claim.region, claim.service)

    def check_chunk(self, chunk_hash: str, signature: str) -> None:
        """Check the signature of the next chunk, by the SHA-256 of its bytes."""
        self._check(f"{ALGORITHM}-PAYLOAD", f"{EMPTY}\n{chunk_hash}", signature)

    def check_trailer(self, trailer: bytes, signature: str) -> None:
        """Check the signature of the trailing headers, each as ``name:value`` and a line feed."""
        self._check(f"{ALGORITHM}-TRAILER", hashlib.sha256(trailer).hexdigest(), signature)

    def _check(self, kind: str, hashed: str, signature: str) -> None:
        claim = self._claim
        to_sign = f"{kind}\n{claim.stamp}\n{claim.scope}\n{self._previous}\n{hashed}"
        right = hmac.digest(self._key, to_sign.encode(), "sha256").hex()
        if not hmac.compare_digest(right.encode(), signature.encode()):
            raise Unproven("mismatch", "The signature of a chunk does not match its bytes.")
        self._previous = right
