"""constraint_violations.json of all four kinds of monitor. No file is written where nothing is violated."""

from pathlib import Path

import msgspec
from msgspec import UNSET, UnsetType

from modelward.analysis.formats.layout import content_of, indented, parsed, shaped, spread

CLARIFY_VERSION = "1.0"


class ViolationEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One violation. ``feature_name``: data quality; ``metric_name``: model quality, bias, attribution; facets: bias."""

    feature_name: str | UnsetType = UNSET
    label: str | UnsetType = UNSET
    facet: str | UnsetType = UNSET
    facet_value: str | UnsetType = UNSET
    constraint_check_type: str
    description: str
    metric_name: str | UnsetType = UNSET


class ViolationsFile(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file; only bias and attribution drift give a version."""

    version: str | UnsetType = UNSET
    violations: list[ViolationEntry]


def read_violations(content: bytes, *, name: str = "constraint_violations.json") -> ViolationsFile:
    """Read a violations file.

    Raises:
        Invalid: the file has another shape.
    """
    return shaped(parsed(content, name), ViolationsFile, name)


def read_violations_at(path: Path) -> ViolationsFile:
    """Read a violations file where there is one; none means that nothing was violated."""
    return read_violations(content_of(path), name=str(path)) if path.exists() else ViolationsFile(violations=[])


def write_violations(violations: ViolationsFile) -> bytes:
    """Write a violations file, laid out as the job that makes it does."""
    return spread(violations) if violations.version is UNSET else indented(violations)
