"""What is known of one column while its pieces go by: rows of each kind, moments, sketch, different values, categories.

Memory does not grow with the rows. Whether a column holds numbers or texts shows only at its end, so both are kept as long as
either may be: figures of numbers until the first text that is none, counts of texts until they are too many to be shown.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
import pyarrow.compute as pc
from msgspec import UNSET

from modelward.analysis.buffers import valid_bits
from modelward.analysis.compatible.different_values import Counted, DifferentValues, Estimated
from modelward.analysis.compatible.kinds import KindCounts, TextKind, count_kinds
from modelward.analysis.compatible.kll import Floats, KllSketch, distribution
from modelward.analysis.compatible.moments import FileMoments, Moments
from modelward.analysis.compatible.text_columns import NumberColumn, TextColumn
from modelward.analysis.formats.statistics_file import (
    Categorical,
    CategoricalDistribution,
    CategoryBucket,
    Common,
    FeatureStatistics,
    NumericalStatistics,
    NumericDistribution,
    StringStatistics,
)  # fmt: skip

CATEGORIES_MAX = 120
NULL_CATEGORY = "NullValue"


class ColumnPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How a column is looked at. ``compatible``: as the service does, its estimates included.

    ``by_value``: all its pieces are numbers of one type, and different ones are told by their bits and not by their texts.
    ``inside``: sets of texts, by any key, the rows of which are counted.
    """

    compatible: bool
    by_value: bool = False
    inside: Mapping[int, Any] = msgspec.field(default_factory=dict)


class ColumnFound(msgspec.Struct, frozen=True, kw_only=True):
    """What all pieces of a column told. ``inside``: rows with one of the texts of each set."""

    feature: FeatureStatistics
    kinds: KindCounts
    rows: int
    present: int
    inside: dict[int, int]

    def renamed(self, name: str) -> "ColumnFound":
        """The same column by another name."""
        return msgspec.structs.replace(self, feature=msgspec.structs.replace(self.feature, name=name))


class ColumnState:
    """Takes the pieces of a column in the order of the rows, file by file, then tells its statistics."""

    def __init__(self, name: str, plan: ColumnPlan, *, missing: int = 0) -> None:
        """Begin a column, of which ``missing`` rows went by without a value before it was first seen."""
        self.name, self.plan = name, plan
        self.rows, self.present = missing, 0
        self.kinds = KindCounts()
        self.texts_among_numbers = False
        self._inside = dict.fromkeys(plan.inside, 0)
        self._numbers: _Numbers | None = _Numbers()
        self._different: DifferentValues = (Estimated if plan.compatible else Counted)(by_value=plan.by_value)
        self._counts: dict[str, int] | None = {}

    def begin_file(self, *, first: bool, many: bool = False) -> None:
        """Begin a file. ``first``: no row came before it. ``many``: it is known to hold too many numbers for one partition."""
        if self._numbers is not None:
            self._numbers.begin_file(first=first, many=many)

    def end_file(self) -> None:
        """End a file."""
        if self._numbers is not None:
            self._numbers.end_file()

    def skip(self, rows: int) -> None:
        """Take rows without a value."""
        self.rows += rows

    def add(self, piece: TextColumn) -> None:
        """Take the next rows."""
        present = piece.present
        self.rows += piece.rows
        self.present += present
        if self.plan.by_value and not isinstance(piece, NumberColumn):
            # Not all doubles are finite: the column must be read again, as texts.
            self.texts_among_numbers = True
        if not present or self.texts_among_numbers:
            return
        self.kinds += count_kinds(piece)
        if not self.kinds.numeric:
            self._numbers = None
        if self._numbers is not None:
            self._numbers.add(piece.numbers())
        self._different.add(piece)
        if self._counts is not None:
            self._count(piece)
        for key, known in self.plan.inside.items():
            self._inside[key] += int(piece.counts[valid_bits(pc.is_in(piece.words, value_set=known))].sum())

    def _count(self, piece: TextColumn) -> None:
        # Neither a count nor the estimate of different texts comes back from above this bound: registers only fill up, and
        # the estimate grows with every one that does until it is far beyond.
        if self.plan.by_value or self._different.number() > CATEGORIES_MAX:
            self._counts = None
            return
        known = self._counts
        assert known is not None
        for text, count in zip(piece.texts, piece.counts.tolist(), strict=True):
            known[text] = known.get(text, 0) + count

    def finish(self) -> ColumnFound:
        """Tell what all pieces told."""
        return ColumnFound(
            feature=self._feature(), kinds=self.kinds, rows=self.rows, present=self.present, inside=self._inside
        )

    def _feature(self) -> FeatureStatistics:
        kind = self.kinds.kind
        if self.kinds.numeric:
            return FeatureStatistics(name=self.name, inferred_type=kind, numerical_statistics=self._numeric())
        # How the service writes columns of booleans, and those without any value, is not known; as texts they keep their
        # domain.
        shown = TextKind.STRING if kind is TextKind.BOOLEAN else kind
        return FeatureStatistics(name=self.name, inferred_type=shown, string_statistics=self._textual())

    @property
    def _common(self) -> Common:
        return Common(self.present, self.rows - self.present)

    @property
    def _completeness(self) -> float:
        return self.present / self.rows if self.rows else 0.0

    def _numeric(self) -> NumericalStatistics:
        assert self._numbers is not None
        found = self._numbers.moments
        return NumericalStatistics(
            common=self._common,
            mean=found.mean,
            sum=found.sum,
            std_dev=found.std_dev,
            min=found.minimum,
            max=found.maximum,
            approximate_num_distinct_values=self._different.number(),
            completeness=self._completeness,
            distribution=NumericDistribution(
                distribution(self._numbers.sketch.levels, found.minimum, found.maximum)
            ),
        )  # fmt: skip

    def _textual(self) -> StringStatistics:
        different = self._different.number()
        few = self._counts is not None and 0 < different <= CATEGORIES_MAX
        return StringStatistics(
            common=self._common,
            distinct_count=float(different),
            completeness=self._completeness,
            distribution=CategoricalDistribution(Categorical(self._buckets())) if few else UNSET,
        )

    def _buckets(self) -> list[CategoryBucket]:
        found = [CategoryBucket(text, count) for text, count in (self._counts or {}).items()]
        missing = self.rows - self.present
        return [*found, CategoryBucket(NULL_CATEGORY, missing)] if self.plan.compatible and missing else found


class _Numbers:
    """Moments and sketch of a column of numbers: file by file, those of several files merged."""

    def __init__(self) -> None:
        self.moments, self.sketch = Moments(), KllSketch()
        self._file, self._file_sketch = FileMoments(), self.sketch

    def begin_file(self, *, first: bool, many: bool) -> None:
        self._file, self._file_sketch = FileMoments(many=many), self.sketch if first else KllSketch()

    def add(self, values: Floats) -> None:
        self._file.add(values)
        self._file_sketch.update(values)

    def end_file(self) -> None:
        self.moments += self._file.finish()
        if self._file_sketch is not self.sketch:
            self.sketch.merge(self._file_sketch)
