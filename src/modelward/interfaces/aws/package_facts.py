"""What a model package tells that the registry knows in its own words: facts of the version and its artifact."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from modelward.governance.access.permissions import Permission, allow
from modelward.governance.objects import use_cases as objects
from modelward.governance.objects.entities import Stored
from modelward.governance.registry import model_data
from modelward.governance.registry import use_cases as registry
from modelward.governance.registry.entities import VersionFacts
from modelward.interfaces.aws.operations import Call
from modelward.interfaces.aws.s3.reading import bytes_of
from modelward.kernel.actors import Actor
from modelward.kernel.errors import NotAllowed, NotFound, Unavailable
from modelward.kernel.refs import Digest, VersionRef
from modelward.storage.object_store import ObjectStore
from modelward.storage.work import Workshop

# What a client waits for; more is read by a job once the version is registered.
OUTSIDE_BYTES_MAX = 256 << 20
# On our own disks: half a minute of reading, while clients wait a whole one.
PIECED_BYTES_MAX = 8 << 30


class Data(NamedTuple):
    """The bytes of a model, found before the version is registered; ``later``: they are there and still to be read."""

    digest: Digest | None = None
    size: int = 0
    later: bool = False


def facts_in(request: dict[str, Any]) -> VersionFacts:
    """The facts of a version that its package tells."""
    containers = _containers(request)
    first = containers[0] if containers else {}
    return VersionFacts(
        framework=first.get("Framework", ""),
        framework_version=first.get("FrameworkVersion", ""),
        inference_environment=[each["Image"] for each in containers if "Image" in each],
    )


def look_for_data(workshop: Workshop, actor: Actor, request: dict[str, Any]) -> dict[tuple[str, str], Data]:
    """Read the model data that lie outside, or here in several pieces, which takes longer than a transaction may."""
    found: dict[tuple[str, str], Data] = {}
    for bucket, key in _places(request):
        try:
            allow(actor, Permission.OBJECT_READ)
            if workshop.object_store and workshop.object_store.lists(bucket):
                found[bucket, key] = _outside(workshop, workshop.object_store, bucket, key)
            else:
                found[bucket, key] = _in_pieces(workshop, actor, bucket, key)
        except Unavailable:
            found[bucket, key] = Data(later=True)
        except (NotFound, NotAllowed):
            found[bucket, key] = Data()
            continue
        break
    return found


def _outside(workshop: Workshop, store: ObjectStore, bucket: str, key: str) -> Data:
    seen = store.look(bucket, key, hurry=True)
    if seen.size > OUTSIDE_BYTES_MAX:
        return Data(later=True)
    return Data(*model_data.copy_here(workshop, bucket=bucket, key=key, seen=seen, hurry=True))


def _in_pieces(workshop: Workshop, actor: Actor, bucket: str, key: str) -> Data:
    found: Stored = workshop.read(actor, lambda work: objects.get_object(work, bucket=bucket, key=key))
    if found.digest is not None or found.size > PIECED_BYTES_MAX:
        return Data()
    return Data(*workshop.blobs.put(bytes_of(workshop.blobs, found.pieces, 0, found.size)))


def artifact_in(call: Call, told: dict[str, Any]) -> Digest | None:
    """The artifact of a package whose model data lie in a bucket that is known; None where they lie elsewhere."""
    for bucket, key in _places(told):
        try:
            found = _data(call, bucket, key)
            if found.digest is not None:
                name = key.rpartition("/")[2]
                return registry.store_artifact(call.work, digest=found.digest, bytes=found.size, name=name).digest
        except (NotFound, NotAllowed):
            continue
    return None


def _data(call: Call, bucket: str, key: str) -> Data:
    looked = _looked(call, bucket, key)
    if looked.digest or (call.work.object_store and call.work.object_store.lists(bucket)):
        return looked
    found = objects.get_object(call.work, bucket=bucket, key=key)
    return Data(found.digest, found.size)


def _looked(call: Call, bucket: str, key: str) -> Data:
    """What was found before; an address that was inherited from another package is still to be looked at."""
    found: dict[tuple[str, str], Data] = call.prepared or {}
    return found.get((bucket, key), Data(later=True))


def read_data_later(call: Call, ref: VersionRef, told: dict[str, Any]) -> None:
    """Let a job read the model data of a package that lie outside and have not been read yet."""
    store = call.work.object_store
    for bucket, key in _places(told):
        if store is None or not store.lists(bucket) or not _looked(call, bucket, key).later:
            continue
        try:
            model_data.read_later(call.work, ref, bucket=bucket, key=key)
        except NotAllowed:
            continue
        return


def _places(told: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for container in _containers(told):
        source = container.get("ModelDataSource", {}).get("S3DataSource", {})
        single = source.get("S3Uri", "") if source.get("S3DataType") == "S3Object" else ""
        address = container.get("ModelDataUrl") or single
        bucket, slash, key = address.removeprefix("s3://").partition("/")
        if slash and address.startswith("s3://"):
            yield bucket, key


def _containers(told: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = told.get("InferenceSpecification", {}).get("Containers", [])
    return found
