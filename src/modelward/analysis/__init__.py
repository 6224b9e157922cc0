"""Numbers from tables: pure, or by Arrow and DuckDB. Knows no monitor, user or table of ours; usable alone in a notebook.

Heavy libraries are loaded at the first use of a name, not at import. No module here may have the name of a function
here (so ``profiles.py``, ``checking``): importing a module puts it into this namespace.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelward.analysis.attribution.curves import partial_dependence, permutation_importance
    from modelward.analysis.attribution.drift import AttributionDrift, OrderDrift, attribution_drift, order_drift
    from modelward.analysis.attribution.explain import Explanation, ShapState, kernel_shap
    from modelward.analysis.attribution.models import explain_model
    from modelward.analysis.bias.facets import bias_reports
    from modelward.analysis.bias.report import BiasReport, Facet, bias_report
    from modelward.analysis.catalogue import CATALOGUE, MeasureEntry
    from modelward.analysis.checking.budget import RunHistory, Standing, check_run
    from modelward.analysis.checking.checks import CheckReport, Unchecked, Violation, check
    from modelward.analysis.checking.classifier import ClassifierVerdict, classifier_test
    from modelward.analysis.checking.constraints import (
        ColumnConstraints,
        Condition,
        Constraints,
        DriftSettings,
        counted_rules,
        suggest,
    )
    from modelward.analysis.checking.distances import Distance
    from modelward.analysis.checking.drift import DriftVerdict, distances_of
    from modelward.analysis.compatible.job_files import (
        JobFiles,
        analyze_files,
        baseline_files,
        check_files,
        quality_files,
    )  # fmt: skip
    from modelward.analysis.compatible.predictors import Predictor
    from modelward.analysis.profiles import ColumnProfile, Kind, Profile
    from modelward.analysis.quality.report import quality_report
    from modelward.analysis.quality.shapes import QualityReport
    from modelward.analysis.scan import profile
    from modelward.analysis.sources import Plan

_HOMES = {
    "AttributionDrift": "attribution.drift",
    "BiasReport": "bias.report",
    "CATALOGUE": "catalogue",
    "CheckReport": "checking.checks",
    "ClassifierVerdict": "checking.classifier",
    "ColumnConstraints": "checking.constraints",
    "ColumnProfile": "profiles",
    "Condition": "checking.constraints",
    "Constraints": "checking.constraints",
    "Distance": "checking.distances",
    "DriftSettings": "checking.constraints",
    "DriftVerdict": "checking.drift",
    "Explanation": "attribution.explain",
    "Facet": "bias.report",
    "JobFiles": "compatible.job_files",
    "Kind": "profiles",
    "MeasureEntry": "catalogue",
    "OrderDrift": "attribution.drift",
    "Plan": "sources",
    "Predictor": "compatible.predictors",
    "Profile": "profiles",
    "QualityReport": "quality.shapes",
    "RunHistory": "checking.budget",
    "Standing": "checking.budget",
    "ShapState": "attribution.explain",
    "Unchecked": "checking.checks",
    "Violation": "checking.checks",
    "analyze_files": "compatible.job_files",
    "attribution_drift": "attribution.drift",
    "baseline_files": "compatible.job_files",
    "bias_report": "bias.report",
    "bias_reports": "bias.facets",
    "check": "checking.checks",
    "check_files": "compatible.job_files",
    "check_run": "checking.budget",
    "classifier_test": "checking.classifier",
    "distances_of": "checking.drift",
    "counted_rules": "checking.constraints",
    "explain_model": "attribution.models",
    "kernel_shap": "attribution.explain",
    "order_drift": "attribution.drift",
    "partial_dependence": "attribution.curves",
    "permutation_importance": "attribution.curves",
    "profile": "scan",
    "quality_files": "compatible.job_files",
    "quality_report": "quality.report",
    "suggest": "checking.constraints",
}

__all__ = [
    "CATALOGUE",
    "AttributionDrift",
    "BiasReport",
    "CheckReport",
    "ClassifierVerdict",
    "ColumnConstraints",
    "ColumnProfile",
    "Condition",
    "Constraints",
    "Distance",
    "DriftSettings",
    "DriftVerdict",
    "Explanation",
    "Facet",
    "JobFiles",
    "Kind",
    "MeasureEntry",
    "OrderDrift",
    "Plan",
    "Predictor",
    "Profile",
    "QualityReport",
    "RunHistory",
    "ShapState",
    "Standing",
    "Unchecked",
    "Violation",
    "analyze_files",
    "attribution_drift",
    "baseline_files",
    "bias_report",
    "bias_reports",
    "check",
    "check_files",
    "check_run",
    "classifier_test",
    "counted_rules",
    "distances_of",
    "explain_model",
    "kernel_shap",
    "order_drift",
    "partial_dependence",
    "permutation_importance",
    "profile",
    "quality_files",
    "quality_report",
    "suggest",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
    return value
