"""What one can do with the registry: register models and versions, store artifacts, read them, change a status."""

from collections.abc import Iterator
from datetime import datetime

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from modelward.governance.access.permissions import Permission, require
from modelward.governance.registry import life_store, rules, store
from modelward.governance.registry.entities import (
    ApprovalStatus,
    Artifact,
    ArtifactStored,
    Model,
    ModelDescribed,
    ModelRegistered,
    Version,
    VersionApprovalTermChanged,
    VersionFacts,
    VersionRegistered,
    VersionStatusChanged,
)
from modelward.kernel.errors import Conflict, Invalid, NotFound
from modelward.kernel.pages import Page, PageRequest
from modelward.kernel.refs import Digest, ModelRef, VersionRef, checked_name
from modelward.storage.work import Work


class ModelExists(Conflict):
    """A model of this name is registered already."""


def register_model(
    work: Work, *, name: str, description: str = "", owner: str = "", tags: dict[str, str] | None = None
) -> Model:
    """Register a model. The owner is the actor unless another is named.

    Raises:
        ModelExists: the name is taken.
        Invalid: the name, description or a tag breaks its rule.
    """
    require(work, Permission.MODEL_WRITE, on=name)
    checked_name(name)
    rules.check_text(description, field="description")
    rules.check_text(owner, field="owner")
    rules.check_tags(tags or {})
    ref = ModelRef(name)
    known = store.find_model(work, ref)
    if known and known.withdrawn_at is None:
        raise ModelExists(
            f"A model named {name} is registered already.", field="name", hint="Register a version of it."
        )
    new = Model(
        name=ref,
        description=description,
        owner=owner or work.actor.id,
        tags=tags or {},
        created_at=work.now,
        created_by=work.actor.id,
    )
    if known:
        life_store.renew_model(work, new)
        new = replace(new, versions=known.versions)
    else:
        store.add_model(work, new)
    work.record(ModelRegistered(model=ref, owner=new.owner))
    return new


def describe_model(
    work: Work,
    name: ModelRef,
    *,
    description: str | UnsetType = UNSET,
    owner: str | UnsetType = UNSET,
    tags: dict[str, str] | UnsetType = UNSET,
) -> Model:
    """Change the description, owner or tags of a model; what is not given stays."""
    require(work, Permission.MODEL_WRITE, on=name)
    found = get_model(work, name)
    wanted = {"description": description, "owner": owner, "tags": tags}
    changes = {key: value for key, value in wanted.items() if value is not UNSET and value != getattr(found, key)}
    if isinstance(description, str):
        rules.check_text(description, field="description")
    if isinstance(owner, str):
        rules.check_text(owner, field="owner")
    if isinstance(tags, dict):
        rules.check_tags(tags)
    if not changes:
        return found
    changed = replace(found, **changes)
    store.put_model(work, changed)
    work.record(ModelDescribed(model=name, changed=sorted(changes)))
    return changed


def get_model(work: Work, name: ModelRef) -> Model:
    """A model by name.

    Raises:
        NotFound: there is none.
    """
    require(work, Permission.MODEL_READ, on=name)
    found = store.find_model(work, name)
    if found is None:
        raise NotFound(
            f"No model named {name} is registered.", field="model", hint="List them with `modelward model list`."
        )
    return found


def list_models(work: Work, *, page: PageRequest, text: str = "") -> Page[Model]:
    """Models in the order of their names; with a text, those whose name or description holds it."""
    require(work, Permission.MODEL_READ)
    return store.list_models(work, page=page, text=text)


def store_artifact(work: Work, *, digest: Digest, bytes: int, name: str) -> Artifact:
    """Note an artifact whose bytes have just been put into the blob store; the same bytes twice are one artifact."""
    require(work, Permission.ARTIFACT_WRITE, on=digest)
    rules.check_text(name, field="name")
    known = store.find_artifact(work, digest)
    if known:
        return known
    new = Artifact(digest=digest, bytes=bytes, name=name, created_at=work.now, created_by=work.actor.id)
    store.add_artifact(work, new)
    work.record(ArtifactStored(artifact=digest, bytes=bytes, name=name))
    return new


def get_artifact(work: Work, digest: Digest) -> Artifact:
    """What is known of an artifact."""
    require(work, Permission.ARTIFACT_READ, on=digest)
    found = store.find_artifact(work, digest)
    if found is None:
        raise NotFound(
            f"No artifact {digest} is stored.", field="artifact", hint="Upload it first: PUT /api/v1/artifacts."
        )
    return found


def read_artifact(work: Work, digest: Digest) -> Iterator[bytes]:
    """The bytes of an artifact, checked against the digest as they are read."""
    get_artifact(work, digest)
    return work.blobs.open(digest)


def register_version(
    work: Work,
    model: ModelRef,
    *,
    artifact: Digest | None = None,
    facts: VersionFacts | None = None,
    description: str = "",
    tags: dict[str, str] | None = None,
) -> Version:
    """Register the next version of a model; it waits for approval.

    Raises:
        NotFound: the model is not registered.
        Invalid: the artifact is not stored, or a text or tag breaks its rule.
    """
    require(work, Permission.VERSION_REGISTER, on=model)
    rules.check_text(description, field="description")
    rules.check_tags(tags or {})
    if artifact is not None and store.find_artifact(work, artifact) is None:
        raise Invalid(
            f"No artifact {artifact} is stored.",
            field="artifact",
            hint="Upload the bytes first: PUT /api/v1/artifacts.",
        )
    number = store.take_number(work, model)
    if number is None:
        raise NotFound(f"No model named {model} is registered.", field="model", hint="Register the model first.")
    new = Version(
        ref=VersionRef.of(model, number),
        model=model,
        number=number,
        description=description,
        facts=facts or VersionFacts(),
        artifact=artifact,
        tags=tags or {},
        created_at=work.now,
        created_by=work.actor.id,
    )
    store.add_version(work, new)
    work.record(VersionRegistered(version=new.ref, artifact=artifact, training_datasets=new.facts.training_datasets))
    return new


def get_version(work: Work, ref: VersionRef) -> Version:
    """A version.

    Raises:
        NotFound: there is none.
    """
    require(work, Permission.MODEL_READ, on=ref)
    found = store.find_version(work, ref)
    if found is None:
        raise NotFound(f"There is no version {ref}.", field="version")
    return found


def list_versions(work: Work, model: ModelRef, *, page: PageRequest) -> Page[Version]:
    """The versions of a model, the newest first."""
    get_model(work, model)
    return store.list_versions(work, model, page=page)


def change_status(
    work: Work, ref: VersionRef, *, status: ApprovalStatus, reason: str, until: datetime | None = None
) -> Version:
    """Move the approval status of a version; called when a review is decided or an approval lapses.

    ``until`` is when evidence under an approval becomes too old.

    Raises:
        StatusMoveForbidden: the move is not one of the legal ones.
    """
    require(work, Permission.REVIEW_DECIDE, on=ref)
    found = get_version(work, ref)
    # An approval that lapses by age reads as lapsed already before that enters the log.
    before = rules.kept_status(found) if status is ApprovalStatus.LAPSED else found.status
    rules.check_status_move(ref, before, status)
    until = until if status is ApprovalStatus.APPROVED else None
    changed = replace(
        found,
        status=status,
        status_reason=reason,
        approved_until=until,
        modified_at=work.now,
        modified_by=work.actor.id,
    )
    store.put_status(work, changed)
    work.record(VersionStatusChanged(version=ref, before=before, after=status, reason=reason))
    return changed


def put_approval_term(work: Work, ref: VersionRef, *, until: datetime | None) -> None:
    """Keep that the evidence under the approval of a version becomes too old at another moment than was known."""
    require(work, Permission.REVIEW_DECIDE, on=ref)
    found = get_version(work, ref)
    if rules.kept_status(found) is not ApprovalStatus.APPROVED or found.approved_until == until:
        return
    store.put_status(work, replace(found, status=ApprovalStatus.APPROVED, approved_until=until))
    work.record(VersionApprovalTermChanged(version=ref, until=until))
