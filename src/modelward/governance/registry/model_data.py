"""Bytes of a model that lie in a listed bucket of the object store outside: copied here, so that they have a digest.

What was approved stays what it was, whatever becomes of the object. What is large, or cannot be read at once, is read by a job.
"""

from msgspec.structs import replace

from modelward.governance.access.entities import SYSTEM
from modelward.governance.access.permissions import Permission, require
from modelward.governance.registry import store
from modelward.governance.registry.entities import Version, VersionArtifactRead
from modelward.governance.registry.use_cases import get_version, store_artifact
from modelward.jobs import queue
from modelward.jobs.queue import Job
from modelward.kernel.errors import NotFound
from modelward.kernel.refs import Digest, VersionRef
from modelward.storage.object_store import Seen
from modelward.storage.work import Work, Workshop

MODEL_DATA_JOB = "model-data"


def read_later(work: Work, ref: VersionRef, *, bucket: str, key: str) -> None:
    """Let the bytes of a version be read from a listed bucket by a job; until then it has no artifact."""
    require(work, Permission.VERSION_REGISTER, on=ref)
    require(work, Permission.ARTIFACT_WRITE, on=ref)
    require(work, Permission.OBJECT_READ, on=bucket)
    payload = {"version": str(ref), "bucket": bucket, "key": key}
    queue.enqueue(work.connection, id=f"{ref}/model-data", kind=MODEL_DATA_JOB, payload=payload, now=work.now)


def copy_here(workshop: Workshop, *, bucket: str, key: str, seen: Seen, hurry: bool = False) -> tuple[Digest, int]:
    """Copy an object as it was seen among the blobs; returns its digest and size.

    Raises:
        NotFound: the object or its bucket is gone.
        NotAllowed: the bucket is not listed, or the store refuses.
        Unavailable: the store does not answer as it should, or the object was replaced meanwhile.
    """
    if workshop.object_store is None:
        raise NotFound(f"The bucket {bucket} is not listed in s3_buckets.", field="bucket")
    return workshop.blobs.put(workshop.object_store.open(bucket, key, as_seen=seen, hurry=hurry))


def run(workshop: Workshop, job: Job) -> None:
    """Read the bytes of one version, and give them to it in one transaction with the end of the job."""
    ref, bucket, key = VersionRef(job.payload["version"]), job.payload["bucket"], job.payload["key"]
    found = workshop.read(SYSTEM, lambda work: get_version(work, ref))
    if _has_its_bytes(found):
        workshop.write(SYSTEM, lambda work: queue.finish(work.connection, job, now=work.now))
        return
    if workshop.object_store is None:
        raise NotFound(f"The bucket {bucket} is no longer listed in s3_buckets.", field="bucket")
    seen = workshop.object_store.look(bucket, key)
    digest, size = copy_here(workshop, bucket=bucket, key=key, seen=seen)

    def keep(work: Work) -> None:
        version = get_version(work, ref)
        if not _has_its_bytes(version):
            stored = store_artifact(work, digest=digest, bytes=size, name=key.rpartition("/")[2])
            store.put_artifact_of(work, replace(version, artifact=stored.digest))
            work.record(VersionArtifactRead(version=ref, artifact=stored.digest, source=f"s3://{bucket}/{key}"))
        queue.finish(work.connection, job, now=work.now)

    workshop.write(SYSTEM, keep)


def _has_its_bytes(version: Version) -> bool:
    return version.artifact is not None or version.withdrawn_at is not None
