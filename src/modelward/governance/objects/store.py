"""The tables of buckets, objects, uploads and their parts."""

from functools import cache

import msgspec
import sqlalchemy as sa

from modelward.governance.objects.entities import Bucket, Part, Piece, Stored, Upload
from modelward.kernel.clock import moment, timestamp
from modelward.kernel.refs import Digest
from modelward.storage.upserts import insert_into
from modelward.storage.work import Work

# Keys are listed in the order of their bytes, whatever the language of the database.
BY_BYTES = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
metadata = sa.MetaData()
bucket = sa.Table(
    "bucket",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("region", sa.Text, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
)
bucket_object = sa.Table(
    "bucket_object",
    metadata,
    sa.Column("bucket", sa.Text, primary_key=True),
    sa.Column("key", BY_BYTES, primary_key=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("pieces", sa.Text, nullable=False),
    sa.Column("etag", sa.Text, nullable=False),
    sa.Column("headers", sa.Text, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("changed_at", sa.Text, nullable=False),
)
upload = sa.Table(
    "upload",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("bucket", sa.Text, nullable=False),
    sa.Column("key", BY_BYTES, nullable=False),
    sa.Column("headers", sa.Text, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("begun_at", sa.Text, nullable=False),
)
upload_part = sa.Table(
    "upload_part",
    metadata,
    sa.Column("upload", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("etag", sa.Text, nullable=False),
    sa.Column("checksums", sa.Text, nullable=False),
    sa.Column("stored_at", sa.Text, nullable=False),
)
_FIND_BUCKET = sa.select(bucket).where(bucket.c.name == sa.bindparam("name")).execution_options(prepared=True)
_FIND_OBJECT = (
    sa.select(bucket_object)
    .where(bucket_object.c.bucket == sa.bindparam("bucket"), bucket_object.c.key == sa.bindparam("key"))
    .execution_options(prepared=True)
)


def add_bucket(work: Work, new: Bucket) -> None:
    """Keep a new bucket."""
    row = {"name": new.name, "region": new.region, "made_by": new.made_by, "created_at": timestamp(new.created_at)}
    work.execute(sa.insert(bucket), row)


def find_bucket(work: Work, name: str) -> Bucket | None:
    """Find a bucket by its name."""
    row = work.execute(_FIND_BUCKET, {"name": name}).first()
    return _bucket(row) if row else None


def list_buckets(work: Work) -> list[Bucket]:
    """All buckets in the order of their names."""
    return [_bucket(row) for row in work.execute(sa.select(bucket).order_by(bucket.c.name))]


def remove_bucket(work: Work, name: str) -> None:
    """Forget a bucket, with the uploads that were not finished in it."""
    begun = sa.select(upload.c.id).where(upload.c.bucket == name)
    work.execute(sa.delete(upload_part).where(upload_part.c.upload.in_(begun)))
    work.execute(sa.delete(upload).where(upload.c.bucket == name))
    work.execute(sa.delete(bucket).where(bucket.c.name == name))


def any_object(work: Work, name: str) -> bool:
    """Whether a bucket holds anything."""
    query = sa.select(bucket_object.c.key).where(bucket_object.c.bucket == name).limit(1)
    return work.execute(query).first() is not None


def put_object(work: Work, new: Stored) -> None:
    """Keep an object in place of one with the same key."""
    row = {
        "bucket": new.bucket,
        "key": new.key,
        "size": new.size,
        "pieces": msgspec.json.encode(new.pieces).decode(),
        "etag": new.etag,
        "headers": msgspec.json.encode(new.headers).decode(),
        "made_by": new.made_by,
        "changed_at": timestamp(new.changed_at),
    }
    work.execute(_put_statement(work.connection.dialect.name), row)


@cache
def _put_statement(dialect: str) -> sa.UpdateBase:
    statement = insert_into(bucket_object, dialect)
    changed = {each.name: statement.excluded[each.name] for each in bucket_object.c if not each.primary_key}
    put = statement.on_conflict_do_update(index_elements=["bucket", "key"], set_=changed)
    return put.execution_options(prepared=True)


def find_object(work: Work, bucket_name: str, key: str) -> Stored | None:
    """Find an object by its key."""
    row = work.execute(_FIND_OBJECT, {"bucket": bucket_name, "key": key}).first()
    return _object(row) if row else None


def objects_from(
    work: Work, bucket_name: str, *, first: str, inclusive: bool, before: str | None, limit: int
) -> list[Stored]:
    """Objects from a key on, in the order of the keys, ending before another."""
    column = bucket_object.c.key
    query = sa.select(bucket_object).where(bucket_object.c.bucket == bucket_name)
    query = query.where(column >= first if inclusive else column > first)
    if before is not None:
        query = query.where(column < before)
    return [_object(row) for row in work.execute(query.order_by(column).limit(limit))]


def remove_objects(work: Work, bucket_name: str, keys: list[str]) -> None:
    """Forget objects; those that are not there are no fault."""
    work.execute(sa.delete(bucket_object).where(bucket_object.c.bucket == bucket_name, bucket_object.c.key.in_(keys)))


def add_upload(work: Work, new: Upload) -> None:
    """Keep an upload that begins."""
    row = {
        "id": new.id,
        "bucket": new.bucket,
        "key": new.key,
        "headers": msgspec.json.encode(new.headers).decode(),
        "made_by": new.made_by,
        "begun_at": timestamp(new.begun_at),
    }
    work.execute(sa.insert(upload), row)


def find_upload(work: Work, id: str) -> Upload | None:
    """Find an upload that is not finished."""
    row = work.execute(sa.select(upload).where(upload.c.id == id)).first()
    return _upload(row) if row else None


def list_uploads(work: Work, bucket_name: str) -> list[Upload]:
    """The uploads of a bucket that are not finished, by key."""
    query = sa.select(upload).where(upload.c.bucket == bucket_name).order_by(upload.c.key, upload.c.id)
    return [_upload(row) for row in work.execute(query)]


def remove_upload(work: Work, id: str) -> None:
    """Forget an upload and its parts."""
    work.execute(sa.delete(upload_part).where(upload_part.c.upload == id))
    work.execute(sa.delete(upload).where(upload.c.id == id))


def put_part(work: Work, part: Part) -> None:
    """Keep a part in place of one with the same number.

    Not through ``work.execute``: a part is nothing yet that the event log should tell of; the finished object is.
    """
    values = {
        "digest": str(part.digest),
        "size": part.size,
        "etag": part.etag,
        "checksums": msgspec.json.encode(part.checksums).decode(),
        "stored_at": timestamp(part.stored_at),
    }
    statement = insert_into(upload_part, work.connection.dialect.name).values(
        upload=part.upload, number=part.number, **values
    )
    work.connection.execute(statement.on_conflict_do_update(index_elements=["upload", "number"], set_=values))


def list_parts(work: Work, upload_id: str) -> list[Part]:
    """The parts of an upload by number."""
    query = sa.select(upload_part).where(upload_part.c.upload == upload_id).order_by(upload_part.c.number)
    return [_part(row) for row in work.execute(query)]


def empty(work: Work) -> None:
    """Forget all buckets, objects and uploads."""
    for table in (upload_part, upload, bucket_object, bucket):
        work.execute(sa.delete(table))


def _bucket(row: sa.Row[tuple[object, ...]]) -> Bucket:
    return Bucket(name=row.name, region=row.region, made_by=row.made_by, created_at=moment(row.created_at))


def _object(row: sa.Row[tuple[object, ...]]) -> Stored:
    return Stored(
        bucket=row.bucket,
        key=row.key,
        size=row.size,
        pieces=tuple(msgspec.json.decode(row.pieces, type=list[Piece])),
        etag=row.etag,
        headers=msgspec.json.decode(row.headers, type=dict[str, str]),
        made_by=row.made_by,
        changed_at=moment(row.changed_at),
    )


def _upload(row: sa.Row[tuple[object, ...]]) -> Upload:
    return Upload(
        id=row.id,
        bucket=row.bucket,
        key=row.key,
        headers=msgspec.json.decode(row.headers, type=dict[str, str]),
        made_by=row.made_by,
        begun_at=moment(row.begun_at),
    )


def _part(row: sa.Row[tuple[object, ...]]) -> Part:
    return Part(
        upload=row.upload,
        number=row.number,
        digest=Digest(row.digest),
        size=row.size,
        etag=row.etag,
        checksums=msgspec.json.decode(row.checksums, type=dict[str, str]),
        stored_at=moment(row.stored_at),
    )
