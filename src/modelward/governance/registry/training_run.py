"""Training runs as facts: what was trained elsewhere, from what, with what result. Frozen; no I/O."""

from datetime import datetime
from enum import StrEnum

import msgspec

from modelward.kernel.events import Happening


class TrainingState(StrEnum):
    """How a training ended, or that it still goes on."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    STOPPED = "stopped"


class TrainingFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a training run; all but the state is optional."""

    state: TrainingState = TrainingState.COMPLETED
    artifact_uri: str = ""
    image: str = ""
    algorithm: str = ""
    hyperparameters: dict[str, str] = {}
    metrics: dict[str, float] = {}
    datasets: dict[str, str] = {}
    role: str = ""
    failure_reason: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None


class TrainingRun(msgspec.Struct, frozen=True, kw_only=True):
    """A training that ran outside, as it was recorded. Modelward runs no training itself."""

    name: str
    facts: TrainingFacts
    created_at: datetime
    created_by: str
    modified_at: datetime


class TrainingRecorded(Happening, frozen=True, kw_only=True):
    """A training run was recorded, or what is known of it was renewed."""

    training: str
    state: TrainingState
    artifact_uri: str
