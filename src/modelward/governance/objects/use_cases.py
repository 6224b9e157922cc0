"""What one can do with buckets and objects. Bytes are stored first, by their digest; here they get their name."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from modelward.governance.access.permissions import Permission, require
from modelward.governance.objects import rules, store
from modelward.governance.objects.entities import (
    Bucket,
    BucketMade,
    BucketRemoved,
    ObjectsChangedOutside,
    ObjectsRemoved,
    ObjectStored,
    Part,
    Piece,
    Stored,
    Upload,
    UploadBegun,
    UploadEnded,
)
from modelward.kernel.errors import Conflict, Invalid, NotFound
from modelward.kernel.ids import new_id
from modelward.kernel.refs import Digest
from modelward.storage.work import Work

LIST_MAX = 1000


class BucketMissing(NotFound):
    """The specified bucket does not exist"""


class ObjectMissing(NotFound):
    """The specified key does not exist."""


class UploadMissing(NotFound):
    """The specified upload does not exist: it was finished or given up, or it never began."""


class BucketTaken(Conflict):
    """There is a bucket of this name already."""


class BucketNotEmpty(Conflict):
    """The bucket holds objects: remove them first."""


def make_bucket(work: Work, *, name: str, region: str = "") -> Bucket:
    """Make a bucket.

    Raises:
        BucketNameInvalid: a bucket cannot have this name.
        BucketTaken: there is one of this name.
    """
    require(work, Permission.OBJECT_WRITE, on=name)
    rules.checked_bucket(name)
    if store.find_bucket(work, name):
        raise BucketTaken(f"There is a bucket {name} already.", field="bucket")
    new = Bucket(name=name, region=region, made_by=work.actor.id, created_at=work.now)
    store.add_bucket(work, new)
    work.record(BucketMade(bucket=name))
    return new


def get_bucket(work: Work, name: str) -> Bucket:
    """One bucket.

    Raises:
        BucketMissing: there is none of this name.
    """
    require(work, Permission.OBJECT_READ, on=name)
    return _bucket(work, name)


def check_none_hidden(work: Work) -> None:
    """See that no bucket of the object store outside has the name of one here that holds objects.

    Raises:
        BucketTaken: one has; its objects would no longer be found.
    """
    require(work, Permission.OBJECT_READ)
    for name in work.object_store.listed if work.object_store else ():
        if store.any_object(work, name):
            raise BucketTaken(
                f"s3_buckets lists {name}, and Modelward keeps a bucket of that name with objects in it.",
                field="s3_buckets",
                hint="Take it off the list, copy the objects to the other store and remove them here.",
            )


def note_change_outside(work: Work, *, bucket: str, operation: str, keys: Sequence[str]) -> None:
    """Say in the log that a change in a listed bucket is about to be passed on: it is made with the server's credentials.

    Raises:
        NotAllowed: the actor may not write objects, or the bucket is not listed for writing.
    """
    require(work, Permission.OBJECT_WRITE, on=bucket)
    if work.object_store is None:
        raise BucketMissing(field="bucket")
    work.object_store.check_may(bucket, write=True)
    work.record(ObjectsChangedOutside(bucket=bucket, operation=operation, keys=list(keys)))


def list_buckets(work: Work) -> list[Bucket]:
    """All buckets by name."""
    require(work, Permission.OBJECT_READ)
    return store.list_buckets(work)


def remove_bucket(work: Work, name: str) -> None:
    """Remove an empty bucket.

    Raises:
        BucketNotEmpty: it holds objects.
    """
    require(work, Permission.OBJECT_WRITE, on=name)
    _bucket(work, name)
    if store.any_object(work, name):
        raise BucketNotEmpty(f"The bucket {name} holds objects.", field="bucket", hint="Remove them first.")
    store.remove_bucket(work, name)
    work.record(BucketRemoved(bucket=name))


def store_object(
    work: Work, *, bucket: str, key: str, pieces: Sequence[Piece], etag: str, headers: Mapping[str, str]
) -> Stored:
    """Give stored bytes a name in a bucket; an object of the same key is replaced.

    Raises:
        BucketMissing: there is no such bucket.
        KeyInvalid: an object cannot have this key.
    """
    require(work, Permission.OBJECT_WRITE, on=bucket)
    _bucket(work, bucket)
    new = Stored(
        bucket=bucket,
        key=rules.checked_key(key),
        size=sum(piece.size for piece in pieces),
        pieces=tuple(pieces),
        etag=etag,
        headers=dict(headers),
        made_by=work.actor.id,
        changed_at=work.now,
    )
    store.put_object(work, new)
    work.record(ObjectStored(object=_address(bucket, key), size=new.size, digests=[each.digest for each in pieces]))
    return new


def get_object(work: Work, *, bucket: str, key: str) -> Stored:
    """One object, without its bytes.

    Raises:
        BucketMissing: there is no such bucket.
        ObjectMissing: it holds no such object.
    """
    require(work, Permission.OBJECT_READ, on=bucket)
    _bucket(work, bucket)
    found = store.find_object(work, bucket, key) if key and "\x00" not in key else None
    if found is None:
        raise ObjectMissing(field="key")
    return found


def copy_object(
    work: Work, *, source: tuple[str, str], bucket: str, key: str, headers: Mapping[str, str] | None = None
) -> Stored:
    """Give the bytes of an object another name; ``headers`` replace those of the source."""
    found = get_object(work, bucket=source[0], key=source[1])
    kept = found.headers if headers is None else {**_checksums(found.headers), **headers}
    return store_object(work, bucket=bucket, key=key, pieces=found.pieces, etag=found.etag, headers=kept)


def remove_objects(work: Work, *, bucket: str, keys: Sequence[str]) -> None:
    """Remove objects; one that is not there is no fault."""
    require(work, Permission.OBJECT_WRITE, on=bucket)
    _bucket(work, bucket)
    there = [key for key in dict.fromkeys(keys) if "\x00" not in key and store.find_object(work, bucket, key)]
    if there:
        store.remove_objects(work, bucket, there)
        work.record(ObjectsRemoved(bucket=bucket, keys=there))


class Listing(NamedTuple):
    """A page of a bucket: objects, common beginnings up to a delimiter, and where the next page begins."""

    objects: list[Stored]
    prefixes: list[str]
    next_from: str | None


def list_objects(
    work: Work, *, bucket: str, prefix: str = "", delimiter: str = "", after: str = "", limit: int = LIST_MAX
) -> Listing:
    """A page of the objects whose keys begin with ``prefix`` and come behind ``after``.

    Keys that have the delimiter behind the prefix are told as one common beginning, without being read one by one.
    """
    require(work, Permission.OBJECT_READ, on=bucket)
    _bucket(work, bucket)
    objects: list[Stored] = []
    prefixes: list[str] = []
    last, end = max(after, ""), _behind(prefix)
    first, inclusive = (prefix, True) if prefix > last else (last, False)
    if delimiter and last.startswith(prefix) and delimiter in last[len(prefix) :]:
        common = prefix + last[len(prefix) :].partition(delimiter)[0] + delimiter
        if common == last:
            first, inclusive = _behind(common) or "\U0010ffff", True
    while len(objects) + len(prefixes) <= limit:
        wanted = limit + 1 - len(objects) - len(prefixes)
        found = store.objects_from(work, bucket, first=first, inclusive=inclusive, before=end, limit=wanted)
        skipped = False
        for each in found:
            head, mark, _ = each.key[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
            if mark:
                prefixes.append(prefix + head + mark)
                first, inclusive, skipped = _behind(prefixes[-1]) or "\U0010ffff", True, True
                break
            objects.append(each)
            first, inclusive = each.key, False
        if not skipped and len(found) < wanted:
            return Listing(objects, prefixes, None)
    # One more than asked for was found: it begins the next page.
    if prefixes and (not objects or prefixes[-1] > objects[-1].key):
        prefixes.pop()
    else:
        objects.pop()
    return Listing(objects, prefixes, max([*prefixes[-1:], *(each.key for each in objects[-1:])], default=after))


def begin_upload(work: Work, *, bucket: str, key: str, headers: Mapping[str, str]) -> Upload:
    """Begin an upload in parts."""
    require(work, Permission.OBJECT_WRITE, on=bucket)
    _bucket(work, bucket)
    new = Upload(
        id=new_id("upload"),
        bucket=bucket,
        key=rules.checked_key(key),
        headers=dict(headers),
        made_by=work.actor.id,
        begun_at=work.now,
    )
    store.add_upload(work, new)
    work.record(UploadBegun(object=_address(bucket, key), upload=new.id))
    return new


def store_part(
    work: Work,
    *,
    upload: tuple[str, str, str],
    number: int,
    digest: Digest,
    size: int,
    etag: str,
    checksums: dict[str, str],
) -> Part:
    """Keep one part; ``upload`` is the bucket, the key and the id.

    Raises:
        UploadMissing: there is no such upload of this key.
        Invalid: the number is not from 1 to 10,000.
    """
    require(work, Permission.OBJECT_WRITE, on=upload[0])
    _upload(work, upload)
    if not 1 <= number <= rules.PARTS_MAX:
        raise Invalid(f"The part number is {number}; it must be from 1 to {rules.PARTS_MAX}.", field="partNumber")
    part = Part(
        upload=upload[2], number=number, digest=digest, size=size, etag=etag, checksums=checksums, stored_at=work.now
    )
    store.put_part(work, part)
    return part


def list_parts(work: Work, *, upload: tuple[str, str, str]) -> list[Part]:
    """The parts stored so far, by number."""
    require(work, Permission.OBJECT_READ, on=upload[0])
    _upload(work, upload)
    return store.list_parts(work, upload[2])


def list_uploads(work: Work, *, bucket: str) -> list[Upload]:
    """The uploads of a bucket that are not finished, by key."""
    require(work, Permission.OBJECT_READ, on=bucket)
    _bucket(work, bucket)
    return store.list_uploads(work, bucket)


def finish_upload(work: Work, *, upload: tuple[str, str, str], named: Sequence[tuple[int, str]]) -> Stored:
    """Make an object of the parts that are named by number and etag.

    Raises:
        UploadMissing: there is no such upload of this key.
        PartsInvalid: a part is missing or has another etag.
        PartTooSmall: one before the last is smaller than 5 MiB.
    """
    require(work, Permission.OBJECT_WRITE, on=upload[0])
    begun = _upload(work, upload)
    parts = rules.chosen_parts(store.list_parts(work, begun.id), named)
    store.remove_upload(work, begun.id)
    return store_object(
        work,
        bucket=begun.bucket,
        key=begun.key,
        pieces=[Piece(str(part.digest), part.size) for part in parts],
        etag=rules.etag_of_parts(parts),
        headers=begun.headers,
    )


def give_up_upload(work: Work, *, upload: tuple[str, str, str]) -> None:
    """Forget an upload and its parts."""
    require(work, Permission.OBJECT_WRITE, on=upload[0])
    begun = _upload(work, upload)
    store.remove_upload(work, begun.id)
    work.record(UploadEnded(object=_address(begun.bucket, begun.key), upload=begun.id))


def _bucket(work: Work, name: str) -> Bucket:
    found = store.find_bucket(work, name) if "\x00" not in name else None
    if found is None:
        raise BucketMissing(field="bucket")
    return found


def _upload(work: Work, upload: tuple[str, str, str]) -> Upload:
    found = store.find_upload(work, upload[2]) if "\x00" not in upload[2] else None
    if found is None or (found.bucket, found.key) != upload[:2]:
        raise UploadMissing(field="uploadId")
    return found


def _address(bucket: str, key: str) -> str:
    return f"s3://{bucket}/{key}"


def _checksums(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.startswith("x-amz-checksum-")}


def _behind(prefix: str) -> str | None:
    """The least text that no text beginning with ``prefix`` reaches; None when there is none."""
    while prefix and ord(prefix[-1]) == 0x10FFFF:
        prefix = prefix[:-1]
    if not prefix:
        return None
    following = ord(prefix[-1]) + 1
    return prefix[:-1] + chr(0xE000 if 0xD800 <= following <= 0xDFFF else following)
