"""statistics.json and constraints.json of model quality, for regression, binary and multiclass models."""

from typing import Any, Literal, TypeAlias, get_args

import msgspec
from msgspec import UNSET, UnsetType

from modelward.analysis.formats.layout import parsed, shaped, spread
from modelward.analysis.formats.statistics_file import Dataset
from modelward.kernel.errors import Invalid

Family: TypeAlias = Literal["regression", "binary_classification", "multiclass_classification"]
GREATER, LESS = "GreaterThanThreshold", "LessThanThreshold"
CONFUSION = "confusion_matrix"
NOT_A_NUMBER = "NaN"


class Measured(msgspec.Struct, frozen=True):
    """A metric and its standard deviation over subsamples; the text NaN below 200 rows."""

    value: float | str
    standard_deviation: float | str | UnsetType = UNSET


class QualityStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """The whole statistics file. ``plain`` are the confusion matrix and the curves; ``order`` is that of the file.

    Excerpts without ``dataset`` are read as well."""

    family: Family
    dataset: Dataset | None
    metrics: dict[str, Measured]
    plain: dict[str, Any] = {}
    order: tuple[str, ...] = ()


class QualityRule(msgspec.Struct, frozen=True):
    """A metric must not be greater, or less, than its threshold."""

    threshold: float
    comparison_operator: str


class QualityConstraints(msgspec.Struct, frozen=True, kw_only=True):
    """The whole constraints file."""

    family: Family
    rules: dict[str, QualityRule]


def read_quality_statistics(content: bytes, *, name: str = "statistics.json") -> QualityStatistics:
    """Read the statistics file of a model-quality job.

    Raises:
        Invalid: the file has another shape.
    """
    value = parsed(content, name)
    family = _family(value, "metrics", name)
    block = value[f"{family}_metrics"]
    plain = {key: one for key, one in block.items() if "value" not in one}
    return QualityStatistics(
        family=family,
        dataset=shaped(value["dataset"], Dataset, name) if "dataset" in value else None,
        metrics={key: shaped(one, Measured, name) for key, one in block.items() if key not in plain},
        plain=plain,
        order=tuple(block),
    )


def write_quality_statistics(statistics: QualityStatistics) -> bytes:
    """Write the statistics file of a model-quality job as the service does, to the byte."""
    both = {**statistics.plain, **statistics.metrics}
    order = statistics.order or tuple(both)
    block = {name: both[name] for name in order}
    dataset = {} if statistics.dataset is None else {"dataset": statistics.dataset}
    return spread({"version": 0.0, **dataset, f"{statistics.family}_metrics": block})


def read_quality_constraints(content: bytes, *, name: str = "constraints.json") -> QualityConstraints:
    """Read the constraints file of a model-quality job.

    Raises:
        Invalid: the file has another shape.
    """
    value = parsed(content, name)
    family = _family(value, "constraints", name)
    return QualityConstraints(family=family, rules=shaped(value[f"{family}_constraints"], dict[str, QualityRule], name))


def write_quality_constraints(constraints: QualityConstraints) -> bytes:
    """Write the constraints file of a model-quality job as the service does, to the byte."""
    return spread({"version": 0.0, f"{constraints.family}_constraints": constraints.rules})


def _family(value: dict[str, Any], what: str, name: str) -> Family:
    for family in get_args(Family):
        if isinstance(value.get(f"{family}_{what}"), dict):
            return family  # type: ignore[no-any-return]
    known = ", ".join(f"{family}_{what}" for family in get_args(Family))
    raise Invalid(f"{name} holds none of {known}.", field=name, hint="Is it the file of a data-quality job?")
