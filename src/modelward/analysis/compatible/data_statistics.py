"""Statistics of a table in the shape of the data-quality file, and the constraints that are suggested from them."""

from msgspec import UNSET

from modelward.analysis.compatible.column_state import CATEGORIES_MAX, NULL_CATEGORY
from modelward.analysis.compatible.moments import Moments
from modelward.analysis.compatible.table_pass import Progress, TableFound, pass_over
from modelward.analysis.compatible.texts import Data
from modelward.analysis.formats import constraints_file as rules
from modelward.analysis.formats.statistics_file import Dataset, FeatureStatistics, Statistics

__all__ = ["CATEGORIES_MAX", "NULL_CATEGORY", "Moments", "data_statistics", "statistics_of", "suggested_constraints"]

ONCE_SHARE_MAX = 0.1


def data_statistics(
    data: Data, *, compatible: bool = False, header: bool = True, progress: Progress | None = None
) -> Statistics:
    """Compute the statistics of every column, piece by piece: memory depends on the columns, not on the rows.

    ``compatible``: different values are estimated as the service does. Else they are counted, up to 32 768 of a column, and
    estimated within 3 % beyond; and a missing value is no category of its own.

    Raises:
        NotFound, Invalid: the table cannot be read.
    """
    return statistics_of(pass_over(data, compatible=compatible, header=header, progress=progress))


def statistics_of(found: TableFound) -> Statistics:
    """The statistics that a pass over a table found."""
    return Statistics(dataset=Dataset(found.rows), features=[column.feature for column in found.columns])


def suggested_constraints(statistics: Statistics, *, compatible: bool = False) -> rules.ConstraintsFile:
    """Suggest the constraints that the described table keeps.

    ``compatible``: every histogram of texts becomes a domain, as in all real files; else only where at most a tenth of
    the texts occur once (deequ ``CategoricalRangeRule``).
    """
    config = rules.MonitoringConfig(
        distribution_constraints=rules.DistributionRule(
            categorical_comparison_threshold=0.1, categorical_drift_method=rules.LARGEST_GAP
        )
    )
    features = [_suggested(feature, compatible) for feature in statistics.features]
    return rules.ConstraintsFile(features=features, monitoring_config=config)


def _suggested(feature: FeatureStatistics, compatible: bool) -> rules.FeatureRule:
    common = feature.common
    rows = common.num_present + common.num_missing if common else 0
    numeric = feature.numerical_statistics
    domains = _domains(feature, compatible)
    return rules.FeatureRule(
        name=feature.name,
        inferred_type=feature.inferred_type,
        completeness=common.num_present / rows if common and rows else 0.0,
        num_constraints=UNSET if numeric is UNSET else rules.NumericRule(is_non_negative=numeric.min >= 0),
        string_constraints=UNSET if domains is None else rules.TextRule(domains=domains),
    )


def _domains(feature: FeatureStatistics, compatible: bool) -> list[str] | None:
    counts = feature.counts
    if counts is None:
        return None
    known = {text: count for text, count in counts.items() if not (compatible and text == NULL_CATEGORY)}
    once = sum(1 for count in known.values() if count == 1)
    return list(known) if compatible or once <= ONCE_SHARE_MAX * len(known) else None
