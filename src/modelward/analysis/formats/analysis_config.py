"""analysis_config.json, schema V1_0: what an analysis is asked to do. Keys that are not acted upon are kept as they are."""

from typing import Any, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from modelward.analysis.formats.layout import parsed, shaped

Column: TypeAlias = str | int
Value: TypeAlias = bool | int | float | str

DEFAULT_PROBABILITY_THRESHOLD = 0.5


class FacetConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A column that tells groups; the values or the threshold of the group that is looked at, or every value in turn."""

    name_or_index: Column
    value_or_threshold: list[Value] | UnsetType = UNSET


class AnalysisConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file, as far as it is read. ``methods`` by name with their settings."""

    version: str | UnsetType = UNSET
    dataset_type: str
    headers: list[str] | UnsetType = UNSET
    label: Column | UnsetType = UNSET
    predicted_label: Column | UnsetType = UNSET
    predicted_label_headers: list[str] | UnsetType = UNSET
    features: str | UnsetType = UNSET
    label_values_or_threshold: list[Value] | UnsetType = UNSET
    probability_threshold: float | UnsetType = UNSET
    facet: list[FacetConfig] | FacetConfig | UnsetType = UNSET
    group_variable: Column | UnsetType = UNSET
    joinsource_name_or_index: Column | UnsetType = UNSET
    excluded_columns: list[Column] | UnsetType = UNSET
    segment_config: list[Any] | UnsetType = UNSET
    predictor: dict[str, Any] | UnsetType = UNSET
    methods: dict[str, Any]

    @property
    def facets(self) -> list[FacetConfig]:
        """The facets, one or many."""
        if self.facet is UNSET:
            return []
        return self.facet if isinstance(self.facet, list) else [self.facet]


def read_analysis_config(content: bytes, *, name: str = "analysis_config.json") -> AnalysisConfig:
    """Read the configuration of an analysis.

    Raises:
        Invalid: a required key is missing, or one is of the wrong kind.
    """
    return shaped(parsed(content, name), AnalysisConfig, name)
