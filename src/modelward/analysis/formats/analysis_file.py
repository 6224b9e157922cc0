"""analysis.json: bias metrics and explanations of one model, as the bias and explanation jobs write them."""

import math
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from modelward.analysis.formats.layout import indented, parsed, shaped


class MetricEntry(msgspec.Struct, frozen=True):
    """One metric; ``value`` is None with an ``error``; infinities are the texts Infinity and -Infinity; old files hold 0 for 0.0."""

    name: str
    description: str
    value: int | float | str | None
    error: str | UnsetType = UNSET

    @property
    def number(self) -> float | None:
        """The value as a number."""
        return None if self.value is None else float(self.value)


class GroupMetrics(msgspec.Struct, frozen=True):
    """The metrics of one group against the rest."""

    value_or_threshold: str
    metrics: list[MetricEntry]

    def metric(self, name: str) -> MetricEntry | None:
        """One metric by its name, or None."""
        return next((metric for metric in self.metrics if metric.name == name), None)


class BiasMetrics(msgspec.Struct, frozen=True):
    """The metrics of every facet."""

    label: str
    facets: dict[str, list[GroupMetrics]]
    label_value_or_threshold: str


class ShapLabel(msgspec.Struct, frozen=True):
    """What features add to one label on average, and the output that they add to."""

    global_shap_values: dict[str, Any]
    expected_value: float
    global_top_shap_text: dict[str, Any] | UnsetType = UNSET


class Explanations(msgspec.Struct, frozen=True):
    """What the explanation methods found."""

    kernel_shap: dict[str, ShapLabel] | UnsetType = UNSET
    pdp: list[Any] | UnsetType = UNSET
    asymmetric_shapley_value: dict[str, Any] | UnsetType = UNSET


class AnalysisFile(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file."""

    version: str = "1.0"
    post_training_bias_metrics: BiasMetrics | UnsetType = UNSET
    pre_training_bias_metrics: BiasMetrics | UnsetType = UNSET
    explanations: Explanations | UnsetType = UNSET

    @property
    def bias(self) -> list[BiasMetrics]:
        """The bias parts that are there."""
        both = (self.pre_training_bias_metrics, self.post_training_bias_metrics)
        return [part for part in both if part is not UNSET]


def metric_entry(name: str, description: str, value: float | None, error: str = "") -> MetricEntry:
    """Make the entry of a metric; infinities become texts."""
    if value is None:
        return MetricEntry(name, description, None, error or UNSET)
    shown = value if math.isfinite(value) else "Infinity" if value > 0 else "-Infinity"
    return MetricEntry(name, description, shown)


def read_analysis(content: bytes, *, name: str = "analysis.json") -> AnalysisFile:
    """Read an analysis file.

    Raises:
        Invalid: the file has another shape.
    """
    return shaped(parsed(content, name), AnalysisFile, name)


def write_analysis(analysis: AnalysisFile) -> bytes:
    """Write an analysis file as the service does, to the byte."""
    return indented(analysis)
