"""Operations on buckets: make, list, find, remove, and list what is in one."""

import base64
import binascii
import hashlib
from datetime import UTC, datetime
from typing import Any

from modelward.governance.access.permissions import Permission
from modelward.governance.objects import use_cases
from modelward.governance.objects.entities import Stored
from modelward.governance.objects.use_cases import LIST_MAX, Listing
from modelward.interfaces.aws.errors import AwsError
from modelward.interfaces.aws.s3 import documents
from modelward.interfaces.aws.s3.documents import document, keyed
from modelward.interfaces.aws.s3.routes import Answer, Ask, Routes
from modelward.storage.work import Work

routes = Routes()
READ, WRITE = Permission.OBJECT_READ, Permission.OBJECT_WRITE
LISTING = ("prefix", "delimiter", "max-keys", "encoding-type")


@routes.operation(
    "ListBuckets",
    "GET",
    "service",
    permission=READ,
    takes=("max-buckets", "prefix", "bucket-region", "continuation-token"),
)
async def list_buckets(ask: Ask) -> Answer:
    """List all buckets."""
    found = {each.name: each.created_at for each in await ask.read(use_cases.list_buckets)}
    outside = ask.workshop.object_store
    # When a bucket outside was made is not ours to know.
    found |= dict.fromkeys(outside.listed, datetime.fromtimestamp(0, UTC)) if outside else {}
    wanted = sorted(name for name in found if name.startswith(ask.query.get("prefix", "")))
    nodes: list[Any] = [("Bucket", [("Name", name), ("CreationDate", found[name])]) for name in wanted]
    owner = [("ID", ask.actor.id), ("DisplayName", ask.actor.name)]
    return Answer(body=document("ListAllMyBucketsResult", [("Owner", owner), ("Buckets", nodes)]))


@routes.operation("CreateBucket", "PUT", "bucket", permission=WRITE)
async def create_bucket(ask: Ask) -> Answer:
    """Make a bucket."""
    region = documents.region_named(await ask.document()) or ask.region

    def make(work: Work) -> Answer:
        use_cases.make_bucket(work, name=ask.bucket, region=region)
        return Answer(headers={"location": f"/{ask.bucket}"})

    return await ask.write(make)


@routes.operation("HeadBucket", "HEAD", "bucket", permission=READ)
async def head_bucket(ask: Ask) -> Answer:
    """Find out whether a bucket is there."""
    found = await ask.read(lambda work: use_cases.get_bucket(work, ask.bucket))
    return Answer(headers={"x-amz-bucket-region": found.region or ask.region})


@routes.operation("GetBucketLocation", "GET", "bucket", permission=READ, needs=("location",))
async def get_bucket_location(ask: Ask) -> Answer:
    """Tell the region of a bucket."""
    found = await ask.read(lambda work: use_cases.get_bucket(work, ask.bucket))
    region = "" if found.region == "us-east-1" else found.region
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<LocationConstraint xmlns="{documents.SPACE}">{region}</LocationConstraint>'
    return Answer(body=text.encode())


@routes.operation("DeleteBucket", "DELETE", "bucket", permission=WRITE)
async def delete_bucket(ask: Ask) -> Answer:
    """Remove an empty bucket."""

    def remove(work: Work) -> Answer:
        use_cases.remove_bucket(work, ask.bucket)
        return Answer(204)

    return await ask.write(remove)


@routes.operation(
    "ListObjectsV2",
    "GET",
    "bucket",
    permission=READ,
    needs=("list-type",),
    takes=(*LISTING, "continuation-token", "start-after", "fetch-owner"),
)
async def list_objects(ask: Ask) -> Answer:
    """List objects by prefix, page by page."""
    token = ask.query.get("continuation-token")
    after = _from_token(token) if token is not None else ask.query.get("start-after", "")
    limit, encoded = ask.number("max-keys", default=LIST_MAX, most=LIST_MAX), _encoded(ask)
    found = await _listed(ask, after=after, limit=limit)
    following = found.next_from
    nodes: list[Any] = [
        ("Name", ask.bucket),
        ("Prefix", keyed(ask.query.get("prefix", ""), encoded=encoded)),
        ("Delimiter", keyed(ask.query["delimiter"], encoded=encoded) if "delimiter" in ask.query else None),
        ("EncodingType", "url" if encoded else None),
        ("StartAfter", keyed(ask.query["start-after"], encoded=encoded) if "start-after" in ask.query else None),
        ("ContinuationToken", token),
        ("NextContinuationToken", _token(following) if following is not None else None),
        ("KeyCount", len(found.objects) + len(found.prefixes)),
        ("MaxKeys", limit),
        ("IsTruncated", following is not None),
        *_contents(found, encoded=encoded),
    ]
    return Answer(body=document("ListBucketResult", nodes))


@routes.operation("ListObjects", "GET", "bucket", permission=READ, takes=(*LISTING, "marker"))
async def list_objects_first(ask: Ask) -> Answer:
    """List objects in the first way, where a page begins behind a key."""
    limit, encoded = ask.number("max-keys", default=LIST_MAX, most=LIST_MAX), _encoded(ask)
    found = await _listed(ask, after=ask.query.get("marker", ""), limit=limit)
    following = found.next_from
    nodes: list[Any] = [
        ("Name", ask.bucket),
        ("Prefix", keyed(ask.query.get("prefix", ""), encoded=encoded)),
        ("Marker", keyed(ask.query.get("marker", ""), encoded=encoded)),
        ("Delimiter", keyed(ask.query["delimiter"], encoded=encoded) if "delimiter" in ask.query else None),
        ("EncodingType", "url" if encoded else None),
        ("NextMarker", keyed(following, encoded=encoded) if following is not None else None),
        ("MaxKeys", limit),
        ("IsTruncated", following is not None),
        *_contents(found, encoded=encoded),
    ]
    return Answer(body=document("ListBucketResult", nodes))


@routes.operation(
    "ListMultipartUploads", "GET", "bucket", permission=READ, needs=("uploads",), takes=("prefix", "encoding-type")
)
async def list_uploads(ask: Ask) -> Answer:
    """List the uploads that are not finished."""
    found = await ask.read(lambda work: use_cases.list_uploads(work, bucket=ask.bucket))
    prefix, encoded = ask.query.get("prefix", ""), _encoded(ask)
    uploads: list[Any] = [
        ("Upload", [("Key", keyed(each.key, encoded=encoded)), ("UploadId", each.id), ("Initiated", each.begun_at)])
        for each in found
        if each.key.startswith(prefix)
    ]
    nodes = [("Bucket", ask.bucket), ("EncodingType", "url" if encoded else None), ("IsTruncated", False), *uploads]
    return Answer(body=document("ListMultipartUploadsResult", nodes))


@routes.operation("DeleteObjects", "POST", "bucket", permission=WRITE, needs=("delete",))
async def delete_objects(ask: Ask) -> Answer:
    """Remove up to a thousand objects at once."""
    body = await ask.document()
    keys, quiet = await ask.run(lambda: documents.keys_named(body))

    def remove(work: Work) -> Answer:
        use_cases.remove_objects(work, bucket=ask.bucket, keys=keys)
        told: list[Any] = [] if quiet else [("Deleted", [("Key", key)]) for key in keys]
        return Answer(body=document("DeleteResult", told))

    return await ask.write(remove, told=hashlib.sha256(body).hexdigest())


async def _listed(ask: Ask, *, after: str, limit: int) -> Listing:
    prefix, delimiter = ask.query.get("prefix", ""), ask.query.get("delimiter", "")
    if any("\x00" in text for text in (prefix, delimiter, after)):
        raise AwsError("InvalidArgument", "A key cannot hold the character NUL.")

    def look(work: Work) -> Listing:
        if not limit:
            use_cases.get_bucket(work, ask.bucket)
            return Listing([], [], None)
        return use_cases.list_objects(
            work, bucket=ask.bucket, prefix=prefix, delimiter=delimiter, after=after, limit=limit
        )

    return await ask.read(look)


def _contents(found: Listing, *, encoded: bool) -> list[Any]:
    objects = [("Contents", _told(each, encoded=encoded)) for each in found.objects]
    return [*objects, *(("CommonPrefixes", [("Prefix", keyed(each, encoded=encoded))]) for each in found.prefixes)]


def _told(each: Stored, *, encoded: bool) -> list[Any]:
    return [
        ("Key", keyed(each.key, encoded=encoded)),
        ("LastModified", each.changed_at),
        ("ETag", f'"{each.etag}"'),
        ("Size", each.size),
        ("StorageClass", "STANDARD"),
    ]


def _encoded(ask: Ask) -> bool:
    asked = ask.query.get("encoding-type")
    if asked not in (None, "url"):
        raise AwsError("InvalidArgument", "Invalid Encoding Method specified in Request")
    return asked == "url"


def _token(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()


def _from_token(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token.encode("ascii")).decode()
    except (binascii.Error, ValueError) as problem:
        raise AwsError("InvalidArgument", "The continuation token provided is incorrect") from problem
