"""Operations on uploads in parts."""

import base64
import hashlib
import re
from collections.abc import Iterator

from modelward.governance.access.permissions import Permission
from modelward.governance.objects import rules, use_cases
from modelward.governance.objects.entities import Part, Piece
from modelward.interfaces.aws.errors import AwsError
from modelward.interfaces.aws.s3 import documents
from modelward.interfaces.aws.s3.bodies import CHECKSUM, HASHES, OBJECT_BYTES_MAX, sums_told
from modelward.interfaces.aws.s3.documents import document
from modelward.interfaces.aws.s3.objects import copy_source, kept_headers
from modelward.interfaces.aws.s3.reading import bytes_of
from modelward.interfaces.aws.s3.routes import Answer, Ask, Routes
from modelward.kernel.refs import Digest
from modelward.storage.work import Work

routes = Routes()
READ, WRITE = Permission.OBJECT_READ, Permission.OBJECT_WRITE
_RANGE = re.compile(r"bytes=([0-9]{1,18})-([0-9]{1,18})")


@routes.operation("CreateMultipartUpload", "POST", "object", permission=WRITE, needs=("uploads",))
async def create_upload(ask: Ask) -> Answer:
    """Begin an upload in parts."""
    headers = kept_headers(ask.headers)

    def begin(work: Work) -> Answer:
        begun = use_cases.begin_upload(work, bucket=ask.bucket, key=ask.key, headers=headers)
        nodes = [("Bucket", begun.bucket), ("Key", begun.key), ("UploadId", begun.id)]
        return Answer(body=document("InitiateMultipartUploadResult", nodes))

    return await ask.write(begin)


@routes.operation("UploadPart", "PUT", "object", permission=WRITE, needs=("partNumber", "uploadId"))
async def upload_part(ask: Ask) -> Answer:
    """Store one part."""
    number = _number(ask)
    await ask.read(lambda work: use_cases.list_parts(work, upload=_upload(ask)))
    with (received := await ask.content()).file:
        digest, _ = await ask.run(lambda: ask.workshop.blobs.put(received.chunks()))

    def keep(work: Work) -> Answer:
        part = use_cases.store_part(
            work,
            upload=_upload(ask),
            number=number,
            digest=digest,
            size=received.size,
            etag=received.md5,
            checksums=received.checksums,
        )
        sums = {CHECKSUM + name: value for name, value in received.checksums.items()}
        return Answer(headers={"etag": f'"{part.etag}"', **sums})

    return await ask.write(keep, told=received.sha256)


@routes.operation(
    "UploadPartCopy",
    "PUT",
    "object",
    permission=WRITE,
    needs=("partNumber", "uploadId"),
    marked="x-amz-copy-source",
)
async def copy_part(ask: Ask) -> Answer:
    """Make a part of an object, or of a range of it."""
    number, source = _number(ask), copy_source(ask)
    found = await ask.read(lambda work: use_cases.get_object(work, bucket=source[0], key=source[1]))
    asked = ask.headers.get("x-amz-copy-source-range")
    span = _RANGE.fullmatch(asked) if asked else None
    first, behind = (int(span[1]), int(span[2]) + 1) if span else (0, found.size)
    if (asked and not span) or not 0 <= first < max(behind, 1) or behind > found.size:
        raise AwsError("InvalidArgument", "The x-amz-copy-source-range value must be of the form bytes=first-last.")
    if behind - first > OBJECT_BYTES_MAX:
        raise AwsError(
            "InvalidRequest",
            f"The specified copy source is larger than the maximum allowable size for a copy source: {OBJECT_BYTES_MAX}. "
            "Name a range of it.",
        )

    def copy() -> tuple[Digest, int, str]:
        md5 = hashlib.md5(usedforsecurity=False)

        def hashed() -> Iterator[bytes]:
            for piece in bytes_of(ask.workshop.blobs, found.pieces, first, behind):
                md5.update(piece)
                yield piece

        digest, size = ask.workshop.blobs.put(hashed())
        return digest, size, md5.hexdigest()

    digest, size, etag = await ask.run(copy)

    def keep(work: Work) -> Answer:
        part = use_cases.store_part(
            work, upload=_upload(ask), number=number, digest=digest, size=size, etag=etag, checksums={}
        )
        nodes = [("LastModified", part.stored_at), ("ETag", f'"{part.etag}"')]
        return Answer(body=document("CopyPartResult", nodes))

    return await ask.write(keep)


@routes.operation(
    "ListParts",
    "GET",
    "object",
    permission=READ,
    needs=("uploadId",),
    takes=("max-parts", "part-number-marker", "encoding-type"),
)
async def list_parts(ask: Ask) -> Answer:
    """List the parts stored so far."""
    found = await ask.read(lambda work: use_cases.list_parts(work, upload=_upload(ask)))
    after = ask.number("part-number-marker", default=0, most=rules.PARTS_MAX)
    limit = ask.number("max-parts", default=1000, most=1000)
    wanted = [each for each in found if each.number > after]
    page = wanted[:limit]
    parts = [
        (
            "Part",
            [
                ("PartNumber", each.number),
                ("LastModified", each.stored_at),
                ("ETag", f'"{each.etag}"'),
                ("Size", each.size),
            ],
        )
        for each in page
    ]
    nodes = [
        ("Bucket", ask.bucket),
        ("Key", ask.key),
        ("UploadId", ask.query["uploadId"]),
        ("PartNumberMarker", after),
        ("NextPartNumberMarker", page[-1].number if page else after),
        ("MaxParts", limit),
        ("IsTruncated", len(wanted) > len(page)),
        *parts,
    ]
    return Answer(body=document("ListPartsResult", nodes))


@routes.operation("CompleteMultipartUpload", "POST", "object", permission=WRITE, needs=("uploadId",))
async def complete_upload(ask: Ask) -> Answer:
    """Make an object of the parts."""
    body = await ask.document(of_parts=True)
    named = await ask.run(lambda: documents.parts_named(body))
    if told := sums_told(ask.headers):
        parts = await ask.read(lambda work: use_cases.list_parts(work, upload=_upload(ask)))
        await ask.run(lambda: _check_sums(ask, rules.chosen_parts(parts, named), told))

    def finish(work: Work) -> Answer:
        made = use_cases.finish_upload(work, upload=_upload(ask), named=named)
        nodes = [
            ("Location", f"/{made.bucket}/{made.key}"),
            ("Bucket", made.bucket),
            ("Key", made.key),
            ("ETag", f'"{made.etag}"'),
        ]
        return Answer(body=document("CompleteMultipartUploadResult", nodes))

    return await ask.write(finish, told=hashlib.sha256(body).hexdigest())


def _check_sums(ask: Ask, parts: list[Part], told: dict[str, str]) -> None:
    """See that checksums of an object are those of its bytes, or where they say so of the checksums of its parts."""
    for name, value in told.items():
        computed = HASHES[name]()
        behind = ""
        if "-" in value:
            behind = f"-{len(parts)}"
            for part in parts:
                computed.update(base64.b64decode(part.checksums.get(name, "")))
        else:
            pieces = [Piece(str(part.digest), part.size) for part in parts]
            for piece in bytes_of(ask.workshop.blobs, pieces, 0, sum(part.size for part in parts)):
                computed.update(piece)
        if base64.b64encode(computed.digest()).decode() + behind != value:
            raise AwsError("BadDigest", f"The {name.upper()} you specified did not match the calculated checksum.")


@routes.operation("AbortMultipartUpload", "DELETE", "object", permission=WRITE, needs=("uploadId",))
async def abort_upload(ask: Ask) -> Answer:
    """Give an upload up."""

    def give_up(work: Work) -> Answer:
        use_cases.give_up_upload(work, upload=_upload(ask))
        return Answer(204)

    return await ask.write(give_up)


def _upload(ask: Ask) -> tuple[str, str, str]:
    return ask.bucket, ask.key, ask.query["uploadId"]


def _number(ask: Ask) -> int:
    number = ask.number("partNumber", default=0, most=rules.PARTS_MAX + 1)
    if not 1 <= number <= rules.PARTS_MAX:
        raise AwsError("InvalidArgument", f"Part number must be an integer between 1 and {rules.PARTS_MAX}, inclusive")
    return number
