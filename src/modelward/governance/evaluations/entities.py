"""Evaluations of a version, and what happens to them. Frozen; no I/O."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from modelward.kernel.events import Happening
from modelward.kernel.outcome import Outcome
from modelward.kernel.refs import Digest, EvaluationRef, VersionRef


class EvaluationKind(StrEnum):
    """What is computed."""

    QUALITY = "quality"
    BIAS = "bias"


class EvaluationState(StrEnum):
    """How far an evaluation is."""

    WAITING = "waiting"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"


class ProblemType(StrEnum):
    """What the model predicts."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"


Value = str | int | float | bool
"""A value of a column, as it is named in the settings."""


class Limit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a measure must keep: at least, at most, or both."""

    at_least: float | None = None
    at_most: float | None = None


class EvaluationSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which columns mean what, and what the measures must keep.

    Quality takes ``problem_type``, ``label``, ``prediction``, ``probability``, ``positive``; bias takes ``label``,
    ``prediction``, ``facets`` (columns), ``facet_value``, ``favourable``, ``threshold`` (of a numeric facet), ``group``.
    ``prediction_threshold`` cuts scores in both. ``limits`` judge quality, by the name of the measure; without any,
    the measures are told and the outcome is undecided. Bias is judged by its findings.
    """

    label: str = ""
    prediction: str | None = None
    probability: str | None = None
    problem_type: ProblemType | None = None
    positive: Value | None = None
    facets: list[str] = []
    facet_value: Value | None = None
    favourable: Value | None = None
    threshold: float | None = None
    prediction_threshold: float | None = None
    group: str | None = None
    limits: dict[str, Limit] = {}


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """Some named numbers to be drawn as bars."""

    name: str
    labels: list[str]
    values: list[float]


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What lists and cards show of a report: rows read, measures by name, charts, and findings in words.

    ``shapes`` repeats the confusion matrix and the curves of the report, so that who draws them need not fetch it.
    """

    rows: int = 0
    metrics: dict[str, float] = {}
    charts: list[Chart] = []
    findings: list[str] = []
    shapes: list[dict[str, Any]] = []


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """An evaluation of a version on a stored table. The report is kept under its digest: that is the evidence."""

    id: EvaluationRef
    version: VersionRef
    kind: EvaluationKind
    dataset: Digest
    settings: EvaluationSettings
    state: EvaluationState = EvaluationState.WAITING
    outcome: Outcome | None = None
    reason: str = ""
    report: Digest | None = None
    summary: Summary = Summary()
    created_at: datetime
    created_by: str
    finished_at: datetime | None = None


class EvaluationRequested(Happening, frozen=True, kw_only=True):
    """Somebody asked for an evaluation of a version."""

    evaluation: EvaluationRef
    version: VersionRef
    kind: EvaluationKind
    dataset: Digest


class EvaluationStarted(Happening, frozen=True, kw_only=True):
    """An evaluation began to run."""

    evaluation: EvaluationRef
    version: VersionRef


class EvaluationFinished(Happening, frozen=True, kw_only=True):
    """An evaluation finished; its report is kept under the digest."""

    evaluation: EvaluationRef
    version: VersionRef
    kind: EvaluationKind
    dataset: Digest
    outcome: Outcome
    reason: str
    report: Digest


class EvaluationFailed(Happening, frozen=True, kw_only=True):
    """An evaluation could not be computed; the reason says why."""

    evaluation: EvaluationRef
    version: VersionRef
    kind: EvaluationKind
    reason: str
