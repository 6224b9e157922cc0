"""Statistics of a table in the shape of the data-quality file, and the constraints that are suggested from them.

Moments run over the rows of a file in order, in doubles, one value after the other, and those of several files are merged:
any other order changes the last digits. Verified to the last bit against golden dq_sdk_100 (one file) and dq_cookbook_3000
(two files, of 13 and 5 rows).
"""

import math
from itertools import accumulate

import msgspec
import numpy as np
from msgspec import UNSET

from modelward.analysis.compatible.distinct import distinct_numbers, distinct_words
from modelward.analysis.compatible.kinds import TextKind, count_kinds
from modelward.analysis.compatible.kll import Floats, KllSketch, distribution
from modelward.analysis.compatible.text_columns import NumberColumn, TextColumn
from modelward.analysis.compatible.texts import Data, read_texts
from modelward.analysis.formats import constraints_file as rules
from modelward.analysis.formats.statistics_file import (
    Categorical,
    CategoricalDistribution,
    CategoryBucket,
    Common,
    Dataset,
    FeatureStatistics,
    NumericalStatistics,
    NumericDistribution,
    Statistics,
    StringStatistics,
)  # fmt: skip

# Spark reads a larger file in several partitions, by its cores, and merges them: the last digits are then not defined.
ONE_PARTITION_ROWS = 131_072
BLOCK = 32_768
CATEGORIES_MAX = 120
ONCE_SHARE_MAX = 0.1
NULL_CATEGORY = "NullValue"


class Moments(msgspec.Struct, frozen=True):
    """Sums over numbers in the order of the rows, that add up. An empty one changes nothing.

    Source: Welford 1962, Chan et al. 1979, in the order of operations of Spark's ``CentralMomentAgg``.
    """

    count: float = 0.0
    sum: float = 0.0
    average: float = 0.0
    squares: float = 0.0
    minimum: float = math.inf
    maximum: float = -math.inf

    @classmethod
    def of(cls, values: Floats) -> "Moments":
        """One pass in order; of very many values in blocks, which are summed in pairs and merged."""
        if not len(values):
            return cls()
        if len(values) > ONE_PARTITION_ROWS:
            found = cls()
            for start in range(0, len(values), BLOCK):
                found += cls._of_block(values[start : start + BLOCK])
            return found
        average = 0.0
        # Nothing but the running average needs a step for each value.
        averages = [average := average + (value - average) / count for count, value in enumerate(values.tolist(), 1)]
        delta = values - np.array([0.0, *averages[:-1]])
        further = delta * (delta - delta / np.arange(1.0, len(values) + 1))
        # Accumulating adds one value after the other; a plain sum of numpy would add in pairs.
        total, squares = (float(np.add.accumulate(some)[-1]) for some in (values, further))
        # Added to zero, as the service does, minus zero is zero.
        return cls(len(values), total, average, 0.0 + squares, float(values.min()), float(values.max()))

    @classmethod
    def _of_block(cls, values: Floats) -> "Moments":
        total = float(values.sum())
        average = total / len(values)
        apart = values - average
        squares = float(np.einsum("i,i->", apart, apart))
        return cls(len(values), total, average, squares, float(values.min()), float(values.max()))

    def __add__(self, other: "Moments") -> "Moments":
        count = self.count + other.count
        if not count:
            return self
        delta = other.average - self.average
        step = delta / count
        return Moments(
            count,
            self.sum + other.sum,
            self.average + step * other.count,
            self.squares + other.squares + delta * step * self.count * other.count,
            min(self.minimum, other.minimum),
            max(self.maximum, other.maximum),
        )

    @property
    def mean(self) -> float:
        """Sum over count, as the service divides."""
        return self.sum / self.count

    @property
    def std_dev(self) -> float:
        """Standard deviation of the population."""
        return math.sqrt(self.squares / self.count)


def data_statistics(data: Data, *, compatible: bool = False, header: bool = True) -> Statistics:
    """Compute the statistics of every column.

    ``compatible``: different values are estimated as the service does; else they are counted exactly, and a missing
    value is no category of its own.

    Raises:
        NotFound, Invalid: the table cannot be read.
    """
    table = read_texts(data, header=header)
    features = [_feature(column, table.parts, compatible) for column in table.columns]
    return Statistics(dataset=Dataset(table.rows), features=features)


def _feature(column: TextColumn, parts: tuple[int, ...], compatible: bool) -> FeatureStatistics:
    kinds = count_kinds(column)
    if kinds.numeric:
        return FeatureStatistics(
            name=column.name, inferred_type=kinds.kind, numerical_statistics=_numeric(column, parts, compatible)
        )
    # How the service writes columns of booleans, and those without any value, is not known; as texts they keep their domain.
    shown = TextKind.STRING if kinds.kind is TextKind.BOOLEAN else kinds.kind
    return FeatureStatistics(name=column.name, inferred_type=shown, string_statistics=_textual(column, compatible))


def _common(column: TextColumn) -> Common:
    return Common(column.present, column.rows - column.present)


def _completeness(column: TextColumn) -> float:
    return column.present / column.rows if column.rows else 0.0


def _distinct(column: TextColumn, compatible: bool) -> int:
    if not compatible:
        return column.different
    if isinstance(column, NumberColumn) and column.rows > ONE_PARTITION_ROWS:
        # To write millions of numbers as texts would take ten times as long as all else; the estimate errs by 5 %.
        return distinct_numbers(column.values())
    return distinct_words(column.words)


def _numeric(column: TextColumn, parts: tuple[int, ...], compatible: bool) -> NumericalStatistics:
    found, sketch = Moments(), KllSketch()
    for start, rows in zip(accumulate(parts, initial=0), parts, strict=False):
        numbers = column.numbers(start, rows)
        found += Moments.of(numbers)
        if start == 0:
            sketch.update(numbers)
        else:
            further = KllSketch()
            further.update(numbers)
            sketch.merge(further)
    return NumericalStatistics(
        common=_common(column),
        mean=found.mean,
        sum=found.sum,
        std_dev=found.std_dev,
        min=found.minimum,
        max=found.maximum,
        approximate_num_distinct_values=_distinct(column, compatible),
        completeness=_completeness(column),
        distribution=NumericDistribution(distribution(sketch.levels, found.minimum, found.maximum)),
    )


def _textual(column: TextColumn, compatible: bool) -> StringStatistics:
    distinct = _distinct(column, compatible)
    shown = CategoricalDistribution(Categorical(_buckets(column, compatible)))
    return StringStatistics(
        common=_common(column),
        distinct_count=float(distinct),
        completeness=_completeness(column),
        distribution=shown if 0 < distinct <= CATEGORIES_MAX else UNSET,
    )


def _buckets(column: TextColumn, compatible: bool) -> list[CategoryBucket]:
    counts = column.counts.tolist()
    found = [CategoryBucket(text, count) for text, count in zip(column.texts, counts, strict=True)]
    missing = column.rows - column.present
    return [*found, CategoryBucket(NULL_CATEGORY, missing)] if compatible and missing else found


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
