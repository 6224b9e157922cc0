"""constraints.json of data quality: every observed spelling is read, the present one is written.

Spellings taken for the same: ``monitoringConfigOverrides`` (documents); ``linf_simple`` and ``linf_robust`` (documents);
``enable_comparisons`` and ``min_domain_mass`` (2019).
"""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from modelward.analysis.formats.layout import parsed, shaped, spread

ENABLED, DISABLED = "Enabled", "Disabled"
SIMPLE, ROBUST = "Simple", "Robust"
LARGEST_GAP, CHI_SQUARED = "LInfinity", "ChiSquared"
_METHODS = {"linf_simple": SIMPLE, "linf_robust": ROBUST, "simple": SIMPLE, "robust": ROBUST}
_OVERRIDES = "monitoring_config_overrides"


class Overrides(msgspec.Struct, frozen=True):
    """What one feature does otherwise than the rest."""

    evaluate_constraints: str | UnsetType = UNSET
    emit_metrics: str | UnsetType = UNSET


class NumericRule(msgspec.Struct, frozen=True):
    """What numbers must keep."""

    is_non_negative: bool | UnsetType = UNSET
    monitoring_config_overrides: Overrides | UnsetType = UNSET


class TextRule(msgspec.Struct, frozen=True):
    """What texts must keep."""

    domains: list[str] | UnsetType = UNSET
    monitoring_config_overrides: Overrides | UnsetType = UNSET


class FeatureRule(msgspec.Struct, frozen=True, kw_only=True):
    """What one column must keep."""

    name: str
    inferred_type: str
    completeness: float
    num_constraints: NumericRule | UnsetType = UNSET
    string_constraints: TextRule | UnsetType = UNSET
    monitoring_config_overrides: Overrides | UnsetType = UNSET

    @property
    def evaluated(self) -> bool:
        """Whether the feature is looked at; an override may stand in any of three places."""
        for place in (self, self.num_constraints, self.string_constraints):
            if place is not UNSET and place.monitoring_config_overrides is not UNSET:
                return place.monitoring_config_overrides.evaluate_constraints != DISABLED
        return True

    @property
    def domains(self) -> list[str] | None:
        """The allowed texts, where there is such a rule."""
        if self.string_constraints is UNSET or self.string_constraints.domains is UNSET:
            return None
        return self.string_constraints.domains

    @property
    def non_negative(self) -> bool:
        """Whether numbers must not be negative."""
        return self.num_constraints is not UNSET and self.num_constraints.is_non_negative is True


class DistributionRule(msgspec.Struct, frozen=True, kw_only=True):
    """How distributions are compared with the baseline."""

    perform_comparison: str = ENABLED
    comparison_threshold: float = 0.1
    comparison_method: str = ROBUST
    categorical_comparison_threshold: float | UnsetType = UNSET
    categorical_drift_method: str | UnsetType = UNSET


class MonitoringConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for all columns. Real files hold thresholds of 1.0, whatever documents say."""

    evaluate_constraints: str = ENABLED
    emit_metrics: str = ENABLED
    datatype_check_threshold: float = 1.0
    domain_content_threshold: float = 1.0
    distribution_constraints: DistributionRule = DistributionRule()


class ConstraintsFile(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file."""

    version: float = 0.0
    features: list[FeatureRule]
    monitoring_config: MonitoringConfig = MonitoringConfig()


def read_constraints(content: bytes, *, name: str = "constraints.json") -> ConstraintsFile:
    """Read a constraints file in any spelling.

    Raises:
        Invalid: the file has another shape.
    """
    return shaped(_present_spelling(parsed(content, name)), ConstraintsFile, name)


def write_constraints(constraints: ConstraintsFile) -> bytes:
    """Write a constraints file as the service does, to the byte."""
    return spread(constraints)


def _present_spelling(value: Any) -> Any:
    if isinstance(value, list):
        return [_present_spelling(one) for one in value]
    if not isinstance(value, dict):
        return value
    found = {
        _OVERRIDES if key == "monitoringConfigOverrides" else key: _present_spelling(one) for key, one in value.items()
    }
    inner = found.get("distribution_constraints")
    if isinstance(inner, dict) and "min_domain_mass" in inner:
        found.setdefault("domain_content_threshold", inner.pop("min_domain_mass"))
    if "enable_comparisons" in found:
        found.setdefault("perform_comparison", ENABLED if found.pop("enable_comparisons") else DISABLED)
    method = found.get("comparison_method")
    if isinstance(method, str):
        found["comparison_method"] = _METHODS.get(method.lower(), method)
    return found
