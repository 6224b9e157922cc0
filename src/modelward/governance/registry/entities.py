"""Models, versions and artifacts, and what happens to them. Frozen; no I/O."""

from datetime import datetime
from enum import StrEnum

import msgspec

from modelward.kernel.events import Happening
from modelward.kernel.refs import Digest, ModelRef, VersionRef


class ApprovalStatus(StrEnum):
    """Whether a version may be used. Only a decided review moves it."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    LAPSED = "lapsed"


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """Where a version stands on its way, in the words of the house: ``Development``, ``Production``; and how far there."""

    name: str
    status: str
    note: str = ""


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A registered model: what its versions have in common. ``versions`` counts them and numbers the next.

    A ``single`` model was registered as one package without a line of versions: it has version 1 only. A withdrawn model
    is left out of lists; its name can be registered again, and the numbers of its versions go on.
    """

    name: ModelRef
    description: str = ""
    owner: str = ""
    tags: dict[str, str] = {}
    versions: int = 0
    created_at: datetime
    created_by: str
    single: bool = False
    withdrawn_at: datetime | None = None


class Feature(msgspec.Struct, frozen=True, kw_only=True):
    """A column of the model's signature."""

    name: str
    type: str


class VersionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the one who registers knows of a version; everything is optional and goes into the card by itself."""

    framework: str = ""
    framework_version: str = ""
    algorithm: str = ""
    problem_type: str = ""
    objective: str = ""
    hyperparameters: dict[str, str] = {}
    training_metrics: dict[str, float] = {}
    training_datasets: list[str] = []
    training_rows: int | None = None
    training_environment: list[str] = []
    inference_environment: list[str] = []
    features: list[Feature] = []
    intended_use: str = ""


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """The bytes of a model, known by their digest. They are stored and hashed, never opened by the server."""

    digest: Digest
    bytes: int
    name: str
    created_at: datetime
    created_by: str


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a model. All but the status (and its reason), stage, metadata and tags stays as it was registered.

    A withdrawn version is left out of lists and cannot be used any more; what is known of it stays. ``approved_until`` is
    when evidence under its approval becomes too old (None: never, or it is not approved); after that the status reads
    lapsed, whether or not the lapse is in the log yet.
    """

    ref: VersionRef
    model: ModelRef
    number: int
    description: str = ""
    facts: VersionFacts
    artifact: Digest | None = None
    status: ApprovalStatus = ApprovalStatus.PENDING
    status_reason: str = ""
    tags: dict[str, str] = {}
    stage: Stage | None = None
    metadata: dict[str, str] = {}
    created_at: datetime
    created_by: str
    modified_at: datetime | None = None
    modified_by: str = ""
    withdrawn_at: datetime | None = None
    approved_until: datetime | None = None


class ModelRegistered(Happening, frozen=True, kw_only=True):
    """A model was registered."""

    model: ModelRef
    owner: str


class ModelDescribed(Happening, frozen=True, kw_only=True):
    """The description, owner or tags of a model were changed."""

    model: ModelRef
    changed: list[str]


class ArtifactStored(Happening, frozen=True, kw_only=True):
    """The bytes of a model were stored under their digest."""

    artifact: Digest
    bytes: int
    name: str


class VersionRegistered(Happening, frozen=True, kw_only=True):
    """A version of a model was registered."""

    version: VersionRef
    artifact: Digest | None
    training_datasets: list[str] = []


class VersionArtifactRead(Happening, frozen=True, kw_only=True):
    """The bytes of a version were read from where it said they lie, after it was registered."""

    version: VersionRef
    artifact: Digest
    source: str


class VersionApprovalTermChanged(Happening, frozen=True, kw_only=True):
    """The evidence under the approval of a version becomes too old at another moment than before, or never."""

    version: VersionRef
    until: datetime | None


class VersionStatusChanged(Happening, frozen=True, kw_only=True):
    """The approval status of a version changed."""

    version: VersionRef
    before: ApprovalStatus
    after: ApprovalStatus
    reason: str


class VersionStaged(Happening, frozen=True, kw_only=True):
    """A version reached another stage of its life, or another status in it."""

    version: VersionRef
    before: Stage | None
    after: Stage


class VersionDescribed(Happening, frozen=True, kw_only=True):
    """The metadata, the tags or what an outside tool tells of a version changed."""

    version: VersionRef
    changed: list[str]


class VersionWithdrawn(Happening, frozen=True, kw_only=True):
    """A version was withdrawn: nobody may use it any more; its number is not given again."""

    version: VersionRef
    reason: str


class ModelWithdrawn(Happening, frozen=True, kw_only=True):
    """A model without versions in use was withdrawn; its name may be registered again."""

    model: ModelRef
    reason: str
