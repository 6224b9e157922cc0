"""Operations on objects: store, read (whole or a range), copy, remove."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any
from urllib.parse import unquote

from modelward.governance.access.permissions import Permission
from modelward.governance.objects import rules, use_cases
from modelward.governance.objects.entities import Piece, Stored
from modelward.interfaces.aws.errors import AwsError
from modelward.interfaces.aws.s3.bodies import CHECKSUM, Received
from modelward.interfaces.aws.s3.documents import document
from modelward.interfaces.aws.s3.reading import bytes_of
from modelward.interfaces.aws.s3.routes import Answer, Ask, Routes
from modelward.storage.work import Work

routes = Routes()
READ, WRITE = Permission.OBJECT_READ, Permission.OBJECT_WRITE
KEPT = ("cache-control", "content-disposition", "content-encoding", "content-language", "content-type", "expires")
METADATA = "x-amz-meta-"
REFUSED = ("x-amz-server-side-encryption-customer-", "x-amz-object-lock-")
# The only version of an object in a bucket without versions.
NO_VERSION = ("", "null")
OVERRIDES = tuple(f"response-{name}" for name in KEPT)


@routes.operation("PutObject", "PUT", "object", permission=WRITE)
async def put_object(ask: Ask) -> Answer:
    """Store an object."""
    headers = kept_headers(ask.headers)
    rules.checked_key(ask.key)
    await ask.read(lambda work: use_cases.get_bucket(work, ask.bucket))
    with (received := await ask.content()).file:
        await _keep_bytes(ask, received)
    sums = {CHECKSUM + name: value for name, value in received.checksums.items()}
    piece = Piece(f"sha256:{received.sha256}", received.size)

    def name(work: Work) -> Answer:
        if ask.headers.get("if-none-match") == "*" and _there(work, ask):
            raise AwsError(
                "PreconditionFailed", "At least one of the pre-conditions you specified did not hold", status=412
            )
        stored = use_cases.store_object(
            work, bucket=ask.bucket, key=ask.key, pieces=[piece], etag=received.md5, headers={**headers, **sums}
        )
        return Answer(headers={"etag": f'"{stored.etag}"', **sums})

    return await ask.write(name, told=received.sha256)


async def _keep_bytes(ask: Ask, received: Received) -> None:
    digest, _ = await ask.run(lambda: ask.workshop.blobs.put(received.chunks()))
    assert digest.hex == received.sha256


def _there(work: Work, ask: Ask) -> bool:
    try:
        use_cases.get_object(work, bucket=ask.bucket, key=ask.key)
    except use_cases.ObjectMissing:
        return False
    return True


@routes.operation("CopyObject", "PUT", "object", permission=WRITE, marked="x-amz-copy-source")
async def copy_object(ask: Ask) -> Answer:
    """Give the bytes of an object another name."""
    source = copy_source(ask)
    headers = kept_headers(ask.headers) if ask.headers.get("x-amz-metadata-directive") == "REPLACE" else None
    if headers is None and source == (ask.bucket, ask.key):
        raise AwsError("InvalidRequest", "This copy request is illegal: it would change nothing.")

    def copy(work: Work) -> Answer:
        made = use_cases.copy_object(work, source=source, bucket=ask.bucket, key=ask.key, headers=headers)
        nodes = [("LastModified", made.changed_at), ("ETag", f'"{made.etag}"')]
        return Answer(body=document("CopyObjectResult", nodes))

    return await ask.write(copy)


def copy_source(ask: Ask) -> tuple[str, str]:
    """Bucket and key of the object that is copied.

    Raises:
        AwsError: InvalidArgument; NotImplemented, a version of it is named.
    """
    quoted, _, version = ask.headers["x-amz-copy-source"].partition("?versionId=")
    if version not in NO_VERSION:
        raise AwsError("NotImplemented", "Copy Source names a version; only the object as it is now is copied here.")
    try:
        text = unquote(quoted, errors="strict")
    except UnicodeDecodeError as problem:
        raise AwsError("InvalidArgument", "Copy Source must be percent-encoded UTF-8.") from problem
    bucket, _, key = text.removeprefix("/").partition("/")
    if not bucket or not key:
        raise AwsError("InvalidArgument", "Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
    return bucket, key


@routes.operation("GetObject", "GET", "object", permission=READ, takes=OVERRIDES)
async def get_object(ask: Ask) -> Answer:
    """Read an object, or a range of it."""
    found, headers, span = await _found(ask)
    headers |= {name.removeprefix("response-"): ask.query[name] for name in OVERRIDES if name in ask.query}
    first, behind = span or (0, found.size)
    pieces: Iterator[bytes] = bytes_of(ask.workshop.blobs, found.pieces, first, behind)
    return Answer(206 if span else 200, pieces, headers.pop("content-type"), headers)


@routes.operation("HeadObject", "HEAD", "object", permission=READ, takes=OVERRIDES)
async def head_object(ask: Ask) -> Answer:
    """Describe an object."""
    _, headers, span = await _found(ask)
    return Answer(206 if span else 200, b"", headers.pop("content-type"), headers)


async def _found(ask: Ask) -> tuple[Stored, dict[str, str], tuple[int, int] | None]:
    found = await ask.read(lambda work: use_cases.get_object(work, bucket=ask.bucket, key=ask.key))
    _check_conditions(ask, found)
    span = _span(ask.headers.get("range", ""), found.size)
    first, behind = span or (0, found.size)
    sums = span is None and ask.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED"
    headers = {name: value for name, value in found.headers.items() if sums or not name.startswith(CHECKSUM)}
    headers |= {
        "etag": f'"{found.etag}"',
        "last-modified": format_datetime(found.changed_at.astimezone(UTC), usegmt=True),
        "accept-ranges": "bytes",
        "content-length": str(behind - first),
    }
    if span:
        headers["content-range"] = f"bytes {first}-{behind - 1}/{found.size}"
    return found, headers, span


def _check_conditions(ask: Ask, found: Stored) -> None:
    failed = AwsError("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", status=412)
    same = AwsError("NotModified", "Not Modified", status=304)
    names = ask.headers.get("if-match"), ask.headers.get("if-none-match")
    if names[0] is not None and names[0].strip('"') not in (found.etag, "*"):
        raise failed
    if names[1] is not None and names[1].strip('"') in (found.etag, "*"):
        raise same
    changed = found.changed_at.replace(microsecond=0)
    since, unless = _moment(ask.headers.get("if-modified-since")), _moment(ask.headers.get("if-unmodified-since"))
    if unless and names[0] is None and changed > unless:
        raise failed
    if since and names[1] is None and changed <= since:
        raise same


def _moment(text: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(text) if text else None
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found.replace(tzinfo=UTC) if found and found.tzinfo is None else found


def _span(text: str, size: int) -> tuple[int, int] | None:
    """The range that a header asks for, as first byte and the one behind the last; None for all."""
    unit, _, rest = text.partition("=")
    first, dash, last = rest.strip().partition("-")
    plain = all(not part or (part.isdecimal() and part.isascii() and len(part) < 19) for part in (first, last))
    if unit.strip() != "bytes" or not dash or not plain or not (first or last):
        return None
    begin = int(first) if first else max(0, size - int(last))
    behind = min(size, int(last) + 1) if first and last else size
    if first and last and int(last) < int(first):
        return None
    if begin >= size or (not first and int(last) == 0):
        raise AwsError("InvalidRange", "The requested range is not satisfiable", status=416)
    return begin, behind


@routes.operation("DeleteObject", "DELETE", "object", permission=WRITE)
async def delete_object(ask: Ask) -> Answer:
    """Remove an object; one that is not there is no fault."""

    def remove(work: Work) -> Answer:
        use_cases.remove_objects(work, bucket=ask.bucket, keys=[ask.key])
        return Answer(204)

    return await ask.write(remove)


def kept_headers(headers: dict[str, str]) -> dict[str, str]:
    """The headers of an upload that readers of the object get back.

    Raises:
        AwsError: one asks for what is not served, or they are too large.
    """
    refused = next((name for name in headers if name.startswith(REFUSED)), None)
    if refused:
        raise AwsError(
            "NotImplemented", f"A header you provided implies functionality that is not served here: {refused}"
        )
    kept: dict[str, Any] = {name: value for name, value in headers.items() if name in KEPT or name.startswith(METADATA)}
    codings = [each.strip() for each in kept.pop("content-encoding", "").split(",")]
    codings = [each for each in codings if each and each != "aws-chunked"]
    if codings:
        kept["content-encoding"] = ",".join(codings)
    kept.setdefault("content-type", "binary/octet-stream")
    size = sum(len(name) + len(value) for name, value in kept.items())
    if size > rules.METADATA_BYTES_MAX:
        raise AwsError(
            "MetadataTooLarge", f"The headers to keep have {size} bytes; {rules.METADATA_BYTES_MAX} are allowed."
        )
    return kept
