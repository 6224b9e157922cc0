"""What a quality report holds. No computing; see quality.py."""

from typing import Literal, TypeAlias

import msgspec

from modelward.analysis.quality.calibration import CalibrationBin

ProblemType: TypeAlias = Literal["binary", "multiclass", "regression"]


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """A figure with its 95 % interval; ``value`` is None where it is not defined, and ``reason`` says why."""

    value: float | None
    low: float | None = None
    high: float | None = None
    reason: str = ""


class Confusion(msgspec.Struct, frozen=True, kw_only=True):
    """Rows by label (first index) and prediction (second index), both in the order of ``classes``."""

    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


class Curves(msgspec.Struct, frozen=True, kw_only=True):
    """Thinned to 200 points. ``roc``: (false positive rate, recall, threshold); ``precision_recall``: (recall, precision,
    threshold); ``calibration``: tenths of the probability."""

    roc: tuple[tuple[float, float, float], ...]
    precision_recall: tuple[tuple[float, float, float], ...]
    calibration: tuple[CalibrationBin, ...]


class ClassQuality(msgspec.Struct, frozen=True, kw_only=True):
    """One class against all others: how many rows have it as their label, and what a binary report would say of it."""

    name: str
    rows: int
    metrics: dict[str, Metric]
    curves: Curves | None = None


class QualityReport(msgspec.Struct, frozen=True, kw_only=True):
    """The quality of predictions. ``rows`` are all rows; ``incomplete`` lack a label or a prediction and are left out.

    Of several classes ``probabilities`` names the column of each, ``by_class`` looks at each against the others, and
    ``confidence`` holds tenths of the probability of the most probable class beside how often that was right.
    """

    problem_type: ProblemType
    label: str
    prediction: str | None
    probability: str | None
    positive: str | None
    rows: int
    incomplete: int
    metrics: dict[str, Metric]
    confusion: Confusion | None = None
    curves: Curves | None = None
    notes: tuple[str, ...] = ()
    probabilities: dict[str, str] = {}
    by_class: tuple[ClassQuality, ...] = ()
    confidence: tuple[CalibrationBin, ...] = ()
