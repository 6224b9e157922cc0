"""Numbers from tables: pure, or by Arrow and DuckDB. Knows no monitor, user or table of ours; usable alone in a notebook.

Heavy libraries are loaded at the first use of a name, not at import. No module here may have the name of a function
here (so ``profiles.py``, ``checking.py``): importing a module puts it into this namespace.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelward.analysis.attribution import AttributionDrift, OrderDrift, attribution_drift, order_drift
    from modelward.analysis.bias import BiasReport, Facet, bias_report
    from modelward.analysis.bias_facets import bias_reports
    from modelward.analysis.budget import RunHistory, Standing, check_run
    from modelward.analysis.catalogue import CATALOGUE, MeasureEntry
    from modelward.analysis.checking import CheckReport, Unchecked, Violation, check
    from modelward.analysis.classifier_drift import ClassifierVerdict, classifier_test
    from modelward.analysis.compatible.job_files import (
        JobFiles,
        analyze_files,
        baseline_files,
        check_files,
        quality_files,
    )  # fmt: skip
    from modelward.analysis.compatible.predictors import Predictor
    from modelward.analysis.constraints import (
        ColumnConstraints,
        Condition,
        Constraints,
        DriftSettings,
        counted_rules,
        suggest,
    )
    from modelward.analysis.distances import Distance
    from modelward.analysis.drift import DriftVerdict, distances_of
    from modelward.analysis.explain import Explanation, ShapState, kernel_shap
    from modelward.analysis.explain_curves import partial_dependence, permutation_importance
    from modelward.analysis.explain_models import explain_model
    from modelward.analysis.profiles import ColumnProfile, Kind, Profile
    from modelward.analysis.quality import quality_report
    from modelward.analysis.quality_shapes import QualityReport
    from modelward.analysis.scan import profile
    from modelward.analysis.sources import Plan

_HOMES = {
    "AttributionDrift": "attribution",
    "BiasReport": "bias",
    "CATALOGUE": "catalogue",
    "CheckReport": "checking",
    "ClassifierVerdict": "classifier_drift",
    "ColumnConstraints": "constraints",
    "ColumnProfile": "profiles",
    "Condition": "constraints",
    "Constraints": "constraints",
    "Distance": "distances",
    "DriftSettings": "constraints",
    "DriftVerdict": "drift",
    "Explanation": "explain",
    "Facet": "bias",
    "JobFiles": "compatible.job_files",
    "Kind": "profiles",
    "MeasureEntry": "catalogue",
    "OrderDrift": "attribution",
    "Plan": "sources",
    "Predictor": "compatible.predictors",
    "Profile": "profiles",
    "QualityReport": "quality_shapes",
    "RunHistory": "budget",
    "Standing": "budget",
    "ShapState": "explain",
    "Unchecked": "checking",
    "Violation": "checking",
    "analyze_files": "compatible.job_files",
    "attribution_drift": "attribution",
    "baseline_files": "compatible.job_files",
    "bias_report": "bias",
    "bias_reports": "bias_facets",
    "check": "checking",
    "check_files": "compatible.job_files",
    "check_run": "budget",
    "classifier_test": "classifier_drift",
    "distances_of": "drift",
    "counted_rules": "constraints",
    "explain_model": "explain_models",
    "kernel_shap": "explain",
    "order_drift": "attribution",
    "partial_dependence": "explain_curves",
    "permutation_importance": "explain_curves",
    "profile": "scan",
    "quality_files": "compatible.job_files",
    "quality_report": "quality",
    "suggest": "constraints",
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
