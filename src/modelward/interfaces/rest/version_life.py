"""What happens to versions after they were registered, over REST: stages, metadata, withdrawal; and training runs."""

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.governance.registry import life, training
from modelward.governance.registry.entities import Model, Stage, Version
from modelward.governance.registry.training_run import TrainingFacts, TrainingRun, TrainingState
from modelward.interfaces.rest.browsing import browse_of, page_of
from modelward.interfaces.rest.operations import Operations
from modelward.kernel.pages import PAGE_SIZE_DEFAULT, Page
from modelward.kernel.refs import ModelRef, VersionRef
from modelward.storage.work import Work

version_life = Operations("versions")


class StageVersion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The stage that a version has reached, in words of the house, and how far it is there."""

    stage: str
    status: str
    note: str = ""


class AnnotateVersion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Metadata to put on a version, and keys to take off."""

    put: dict[str, str] = {}
    remove: list[str] = []


class TagVersion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The tags that a version is to have."""

    tags: dict[str, str]


class Withdraw(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why something is withdrawn."""

    reason: str = ""


class RecordTraining(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A training run to record."""

    name: str
    facts: TrainingFacts = TrainingFacts()


class ListTrainings(msgspec.Struct, frozen=True, kw_only=True):
    """Which training runs to list: by a text in the name, the state, and the address of the artifact they made."""

    text: str = ""
    state: TrainingState | None = None
    artifact_uri: str | None = None
    limit: int = PAGE_SIZE_DEFAULT
    cursor: str | None = None


@version_life.operation("PUT", "/versions/{version}/stage", permission=Permission.VERSION_STAGE)
def stage_version(work: Work, version: VersionRef, body: StageVersion) -> Version:
    """Say which stage of its life a version has reached."""
    return life.stage_version(work, version, stage=Stage(name=body.stage, status=body.status, note=body.note))


@version_life.operation("PATCH", "/versions/{version}/metadata", permission=Permission.VERSION_REGISTER)
def annotate_version(work: Work, version: VersionRef, body: AnnotateVersion) -> Version:
    """Put metadata on a version and take some off."""
    return life.annotate_version(work, version, put=body.put, remove=body.remove)


@version_life.operation("PUT", "/versions/{version}/tags", permission=Permission.VERSION_REGISTER)
def tag_version(work: Work, version: VersionRef, body: TagVersion) -> Version:
    """Give a version these tags and no others."""
    return life.tag_version(work, version, tags=body.tags)


@version_life.operation("POST", "/versions/{version}/withdraw", permission=Permission.VERSION_REGISTER)
def withdraw_version(work: Work, version: VersionRef, body: Withdraw) -> Version:
    """Withdraw a version that is not approved; what is known of it stays."""
    return life.withdraw_version(work, version, reason=body.reason)


@version_life.operation("POST", "/models/{model}/withdraw", permission=Permission.MODEL_WRITE)
def withdraw_model(work: Work, model: ModelRef, body: Withdraw) -> Model:
    """Withdraw a model that has no versions in use; its name may be registered again."""
    return life.withdraw_model(work, model, reason=body.reason)


@version_life.operation("POST", "/training-runs", permission=Permission.VERSION_REGISTER, status=201)
def record_training(work: Work, body: RecordTraining) -> TrainingRun:
    """Record a training that ran elsewhere; one that was recorded as running may be recorded again with its end."""
    return training.record_training(work, name=body.name, facts=body.facts)


@version_life.operation("GET", "/training-runs", permission=Permission.MODEL_READ)
def list_trainings(work: Work, query: ListTrainings) -> Page[TrainingRun]:
    """List training runs, the newest first."""
    browse = browse_of(query.limit, query.cursor, text=query.text)
    return page_of(training.browse_trainings(work, browse, state=query.state, artifact_uri=query.artifact_uri))


@version_life.operation("GET", "/training-runs/{training_run}", permission=Permission.MODEL_READ)
def get_training(work: Work, training_run: str) -> TrainingRun:
    """Get a recorded training run."""
    return training.get_training(work, training_run)
