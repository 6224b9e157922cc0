"""The registry over REST."""

import asyncio
import tempfile
from collections.abc import Iterator
from typing import IO

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.governance.registry import use_cases
from modelward.governance.registry.entities import Artifact, Model, Version, VersionFacts
from modelward.interfaces.http import respond
from modelward.interfaces.rest.dispatch import RawRequest
from modelward.interfaces.rest.operations import Operations
from modelward.kernel import codec
from modelward.kernel.errors import Invalid
from modelward.kernel.pages import PAGE_SIZE_DEFAULT, Page, PageRequest
from modelward.kernel.refs import Digest, ModelRef, VersionRef
from modelward.storage.blobs import CHUNK_BYTES
from modelward.storage.work import Work

registry = Operations("registry")
ARTIFACT_BYTES_MAX = 64 << 30


class RegisterModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model to register."""

    name: str
    description: str = ""
    owner: str = ""
    tags: dict[str, str] = {}


class DescribeModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change of a model; what is left out stays."""

    description: str | msgspec.UnsetType = msgspec.UNSET
    owner: str | msgspec.UnsetType = msgspec.UNSET
    tags: dict[str, str] | msgspec.UnsetType = msgspec.UNSET


class RegisterVersion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A version to register. ``artifact`` is the digest of bytes that were uploaded before."""

    artifact: Digest | None = None
    facts: VersionFacts = VersionFacts()
    description: str = ""
    tags: dict[str, str] = {}


class ListModels(msgspec.Struct, frozen=True, kw_only=True):
    """Which models to list."""

    text: str = ""
    limit: int = PAGE_SIZE_DEFAULT
    cursor: str | None = None


class ListPage(msgspec.Struct, frozen=True, kw_only=True):
    """Which page of a list."""

    limit: int = PAGE_SIZE_DEFAULT
    cursor: str | None = None


class StoreArtifact(msgspec.Struct, frozen=True, kw_only=True):
    """How the uploaded bytes are called."""

    name: str = ""


@registry.operation("POST", "/models", permission=Permission.MODEL_WRITE, status=201)
def register_model(work: Work, body: RegisterModel) -> Model:
    """Register a model."""
    return use_cases.register_model(
        work, name=body.name, description=body.description, owner=body.owner, tags=body.tags
    )


@registry.operation("GET", "/models", permission=Permission.MODEL_READ)
def list_models(work: Work, query: ListModels) -> Page[Model]:
    """List models in the order of their names; with a text, those whose name or description holds it."""
    return use_cases.list_models(work, page=PageRequest(limit=query.limit, cursor=query.cursor), text=query.text)


@registry.operation("GET", "/models/{model}", permission=Permission.MODEL_READ)
def get_model(work: Work, model: ModelRef) -> Model:
    """Get a model."""
    return use_cases.get_model(work, model)


@registry.operation("PATCH", "/models/{model}", permission=Permission.MODEL_WRITE)
def describe_model(work: Work, model: ModelRef, body: DescribeModel) -> Model:
    """Change the description, owner or tags of a model."""
    return use_cases.describe_model(work, model, description=body.description, owner=body.owner, tags=body.tags)


@registry.operation("POST", "/models/{model}/versions", permission=Permission.VERSION_REGISTER, status=201)
def register_version(work: Work, model: ModelRef, body: RegisterVersion) -> Version:
    """Register the next version of a model; it waits for approval."""
    return use_cases.register_version(
        work, model, artifact=body.artifact, facts=body.facts, description=body.description, tags=body.tags
    )


@registry.operation("GET", "/models/{model}/versions", permission=Permission.MODEL_READ)
def list_versions(work: Work, model: ModelRef, query: ListPage) -> Page[Version]:
    """List the versions of a model, the newest first."""
    return use_cases.list_versions(work, model, page=PageRequest(limit=query.limit, cursor=query.cursor))


@registry.operation("GET", "/versions/{version}", permission=Permission.MODEL_READ)
def get_version(work: Work, version: VersionRef) -> Version:
    """Get a version, such as fraud@3."""
    return use_cases.get_version(work, version)


@registry.operation("PUT", "/artifacts", permission=Permission.ARTIFACT_WRITE, status=201, raw=True)
async def store_artifact(request: RawRequest, query: StoreArtifact) -> Artifact:
    """Store the bytes of the body and return their digest; the bytes are hashed, never opened."""
    loop = asyncio.get_running_loop()
    with tempfile.TemporaryFile() as file:
        await _receive_into(file, request)
        file.seek(0)
        digest, size = await loop.run_in_executor(None, request.workshop.blobs.put, _chunks(file))
    kept = await asyncio.wrap_future(
        request.workshop.submit(
            request.actor, lambda work: use_cases.store_artifact(work, digest=digest, bytes=size, name=query.name)
        )
    )
    await respond(request.send, 201, codec.encode(kept))
    return kept


async def _receive_into(file: IO[bytes], request: RawRequest) -> None:
    size = 0
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise Invalid("The client went away before the artifact was complete; nothing was kept.", field="body")
        size += len(message.get("body", b""))
        if size > ARTIFACT_BYTES_MAX:
            raise Invalid(f"An artifact may have at most {ARTIFACT_BYTES_MAX} bytes.", field="body")
        file.write(message.get("body", b""))
        if not message.get("more_body"):
            return


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(CHUNK_BYTES):
        yield piece


@registry.operation("GET", "/artifacts/{digest}", permission=Permission.ARTIFACT_READ)
def get_artifact(work: Work, digest: Digest) -> Artifact:
    """Get what is known of an artifact."""
    return use_cases.get_artifact(work, digest)


@registry.operation("GET", "/artifacts/{digest}/content", permission=Permission.ARTIFACT_READ, raw=True)
async def read_artifact(request: RawRequest, digest: Digest) -> None:
    """Download the bytes of an artifact, checked against the digest."""
    loop = asyncio.get_running_loop()
    read = request.workshop.read
    known = await loop.run_in_executor(None, read, request.actor, lambda work: use_cases.get_artifact(work, digest))
    pieces = await loop.run_in_executor(None, read, request.actor, lambda work: use_cases.read_artifact(work, digest))
    sent = [
        (b"content-type", b"application/octet-stream"),
        (b"content-length", str(known.bytes).encode()),
        (b"content-disposition", b"attachment"),
    ]
    await request.send({"type": "http.response.start", "status": 200, "headers": sent})
    while (piece := await loop.run_in_executor(None, next, pieces, None)) is not None:
        await request.send({"type": "http.response.body", "body": piece, "more_body": True})
    await request.send({"type": "http.response.body", "body": b""})
