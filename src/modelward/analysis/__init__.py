"""Numbers from tables: pure, or by Arrow and DuckDB. Knows no monitor, user or table of ours; usable alone in a notebook.

Heavy libraries are loaded at the first use of a name, not at import. No module here may have the name of a function
here (so ``profiles.py``, ``checking.py``): importing a module puts it into this namespace.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelward.analysis.bias import BiasReport, bias_report
    from modelward.analysis.catalogue import CATALOGUE, MeasureEntry
    from modelward.analysis.checking import CheckReport, Unchecked, Violation, check
    from modelward.analysis.compatible.job_files import (
        JobFiles,
        analyze_files,
        baseline_files,
        check_files,
        quality_files,
    )  # fmt: skip
    from modelward.analysis.constraints import ColumnConstraints, Constraints, DriftSettings, suggest
    from modelward.analysis.drift import DriftVerdict
    from modelward.analysis.profiles import ColumnProfile, Kind, Profile
    from modelward.analysis.quality import QualityReport, quality_report
    from modelward.analysis.scan import profile
    from modelward.analysis.sources import Plan

_HOMES = {
    "BiasReport": "bias",
    "CATALOGUE": "catalogue",
    "CheckReport": "checking",
    "ColumnConstraints": "constraints",
    "ColumnProfile": "profiles",
    "Constraints": "constraints",
    "DriftSettings": "constraints",
    "DriftVerdict": "drift",
    "JobFiles": "compatible.job_files",
    "Kind": "profiles",
    "MeasureEntry": "catalogue",
    "Plan": "sources",
    "Profile": "profiles",
    "QualityReport": "quality",
    "Unchecked": "checking",
    "Violation": "checking",
    "analyze_files": "compatible.job_files",
    "baseline_files": "compatible.job_files",
    "bias_report": "bias",
    "check": "checking",
    "check_files": "compatible.job_files",
    "profile": "scan",
    "quality_files": "compatible.job_files",
    "quality_report": "quality",
    "suggest": "constraints",
}

__all__ = [
    "CATALOGUE",
    "BiasReport",
    "CheckReport",
    "ColumnConstraints",
    "ColumnProfile",
    "Constraints",
    "DriftSettings",
    "DriftVerdict",
    "JobFiles",
    "Kind",
    "MeasureEntry",
    "Plan",
    "Profile",
    "QualityReport",
    "Unchecked",
    "Violation",
    "analyze_files",
    "baseline_files",
    "bias_report",
    "check",
    "check_files",
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
