"""statistics.json of data quality: the shape of the file, read in every observed spelling and written in the present one.

Absent since or until: ``approximate_num_distinct_values`` and ``completeness`` came in 2022; a feature without values
has no distribution. An absent key stays absent when the file is written again.
"""

import msgspec
from msgspec import UNSET, UnsetType

from modelward.analysis.formats.layout import parsed, shaped, spread

SKETCH_SHRINKING = 0.64
SKETCH_SIZE = 2048.0


class Common(msgspec.Struct, frozen=True):
    """Rows with and without a value."""

    num_present: int
    num_missing: int


class Bucket(msgspec.Struct, frozen=True):
    """A bin of a numeric histogram and the rows that the sketch puts there."""

    lower_bound: float
    upper_bound: float
    count: float


class SketchParameters(msgspec.Struct, frozen=True):
    """Shrinking factor and size of the sketch."""

    c: float = SKETCH_SHRINKING
    k: float = SKETCH_SIZE


class Sketch(msgspec.Struct, frozen=True):
    """The items of the sketch, level by level; an item of level h stands for 2^h rows."""

    parameters: SketchParameters
    data: list[list[float]]


class Kll(msgspec.Struct, frozen=True):
    """Histogram and sketch of numbers; the sketch may be withheld, since for few rows it is the data itself."""

    buckets: list[Bucket]
    sketch: Sketch | UnsetType = UNSET


class NumericDistribution(msgspec.Struct, frozen=True):
    """How numbers are distributed."""

    kll: Kll


class NumericalStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a numeric feature; ``std_dev`` divides by n."""

    common: Common
    mean: float
    sum: float
    std_dev: float
    min: float
    max: float
    approximate_num_distinct_values: int | UnsetType = UNSET
    completeness: float | UnsetType = UNSET
    distribution: NumericDistribution | UnsetType = UNSET


class CategoryBucket(msgspec.Struct, frozen=True):
    """A text and the rows that hold it."""

    value: str
    count: int


class Categorical(msgspec.Struct, frozen=True):
    """How often each text occurs."""

    buckets: list[CategoryBucket]


class CategoricalDistribution(msgspec.Struct, frozen=True):
    """How texts are distributed."""

    categorical: Categorical


class StringStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a feature of texts; no distribution where there are many different ones."""

    common: Common
    distinct_count: float
    completeness: float | UnsetType = UNSET
    distribution: CategoricalDistribution | UnsetType = UNSET


class FeatureStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """One column."""

    name: str
    inferred_type: str
    numerical_statistics: NumericalStatistics | UnsetType = UNSET
    string_statistics: StringStatistics | UnsetType = UNSET

    @property
    def common(self) -> Common | None:
        """Rows with and without a value, whichever kind the feature is of."""
        for side in (self.numerical_statistics, self.string_statistics):
            if side is not UNSET:
                return side.common
        return None

    @property
    def sketch(self) -> Sketch | None:
        """The sketch of a numeric feature, where there is one."""
        if self.numerical_statistics is UNSET or self.numerical_statistics.distribution is UNSET:
            return None
        sketch = self.numerical_statistics.distribution.kll.sketch
        return None if sketch is UNSET else sketch

    @property
    def counts(self) -> dict[str, int] | None:
        """The histogram of a feature of texts, where there is one."""
        if self.string_statistics is UNSET or self.string_statistics.distribution is UNSET:
            return None
        return {bucket.value: bucket.count for bucket in self.string_statistics.distribution.categorical.buckets}


class Dataset(msgspec.Struct, frozen=True):
    """Number of rows, and in newer files when they were looked at."""

    item_count: int
    evaluation_time: str | UnsetType = UNSET


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file."""

    version: float = 0.0
    dataset: Dataset
    features: list[FeatureStatistics]

    def of(self, name: str) -> FeatureStatistics | None:
        """One feature by its name, or None."""
        return next((feature for feature in self.features if feature.name == name), None)


def read_statistics(content: bytes, *, name: str = "statistics.json") -> Statistics:
    """Read a statistics file.

    Raises:
        Invalid: the file has another shape.
    """
    return shaped(parsed(content, name), Statistics, name)


def write_statistics(statistics: Statistics) -> bytes:
    """Write a statistics file as the service does, to the byte."""
    return spread(statistics)
