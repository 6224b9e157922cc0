"""Does a table keep the constraints of its baseline? Violations in the words of the service, to the character.

Two ways of judging. ``compatible`` follows the service, its blind spots included (see distances.py). Else every row counts,
columns are compared by name, negative numbers are a violation of their own, and what was not checked is told.
"""

import math
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import UNSET

from modelward.analysis.buffers import large_strings
from modelward.analysis.compatible.column_state import NULL_CATEGORY, ColumnFound
from modelward.analysis.compatible.data_statistics import statistics_of
from modelward.analysis.compatible.distances import categorical_distance, chi_square, numeric_distance
from modelward.analysis.compatible.kinds import KindCounts
from modelward.analysis.compatible.table_pass import Progress, pass_over
from modelward.analysis.compatible.texts import Data, names_are_made_up
from modelward.analysis.formats import constraints_file as rules
from modelward.analysis.formats.layout import java_double
from modelward.analysis.formats.statistics_file import FeatureStatistics, Statistics
from modelward.analysis.formats.violations_file import ViolationEntry
from modelward.kernel.outcome import Outcome


class DataCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What a check found. ``unchecked``: feature, check and why it was not made."""

    outcome: Outcome
    reason: str
    statistics: Statistics
    violations: list[ViolationEntry]
    unchecked: list[tuple[str, str, str]]
    left_out: tuple[str, ...] = ()


def check_table(
    table: Data,
    constraints: rules.ConstraintsFile,
    baseline: Statistics | None,
    *,
    compatible: bool = False,
    strict_types: bool = False,
    header: bool = True,
    progress: Progress | None = None,
) -> DataCheck:
    """Judge a table in one pass. Columns without names take those of the constraints where there are as many.

    ``compatible`` ends after a wrong number of columns, as the one run did that is known. Undecided: no rows, or nothing
    that could be checked.
    """
    names = [feature.name for feature in constraints.features]
    found = pass_over(
        table, compatible=compatible, header=header, inside=_Domains(constraints.features).of, progress=progress
    )
    if not found.named and len(found.columns) == len(names):
        found = found.renamed(names)
    statistics = statistics_of(found)
    judge = _Judge(constraints, compatible, strict_types)
    if not found.rows:
        judge.skip("", "all", "the data has no rows")
    elif not judge.columns([column.feature.name for column in found.columns], names) or not compatible:
        judge.all(found.columns, statistics, baseline)
    return msgspec.structs.replace(judge.result(statistics), left_out=found.left_out)


class _Domains:
    """The allowed texts of each rule, by its place among the rules, for the columns that may turn out to be meant."""

    def __init__(self, features: list[rules.FeatureRule]) -> None:
        self.by_name: dict[str, dict[int, Any]] = {}
        self.names = [feature.name for feature in features]
        for place, feature in enumerate(features):
            if feature.domains is not None:
                self.by_name.setdefault(feature.name, {})[place] = large_strings(feature.domains)

    def of(self, place: int, name: str) -> dict[int, Any]:
        """Those of the rules for a column: by its name and, where that may have been made up, by its place too."""
        found = dict(self.by_name.get(name, {}))
        if names_are_made_up([name]) and place < len(self.names):
            found |= self.by_name.get(self.names[place], {})
        return found


class _Judge:
    def __init__(self, constraints: rules.ConstraintsFile, compatible: bool, strict_types: bool) -> None:
        self.features, self.config = constraints.features, constraints.monitoring_config
        self.compatible, self.strict_types = compatible, strict_types
        self.violations: list[ViolationEntry] = []
        self.unchecked: list[tuple[str, str, str]] = []
        self.made = 0

    def all(self, columns: list[ColumnFound], statistics: Statistics, baseline: Statistics | None) -> None:
        current = {column.feature.name: column for column in columns}
        for place, rule in enumerate(self.features):
            column = current.get(rule.name)
            if column is not None and self.wants(rule):
                self.values(place, rule, column)
        for rule in self.features:
            seen = statistics.of(rule.name)
            if seen is not None and rule.evaluated:
                self.drift(seen, baseline.of(rule.name) if baseline else None)

    def skip(self, feature: str, check: str, reason: str) -> None:
        self.unchecked.append((feature, check, reason))

    def rule(self, kept: bool, feature: str, check: str, description: str) -> None:
        self.made += 1
        if not kept:
            self.violations.append(
                ViolationEntry(feature_name=feature, constraint_check_type=check, description=description)
            )

    def wants(self, rule: rules.FeatureRule) -> bool:
        wanted = rule.evaluated and self.config.evaluate_constraints != rules.DISABLED
        if not wanted:
            self.skip(rule.name, "constraints", "switched off in the constraints")
        return wanted

    def result(self, statistics: Statistics) -> DataCheck:
        if self.violations:
            count = len(self.violations)
            outcome, reason = Outcome.FAILED, f"{count} {'violation' if count == 1 else 'violations'}."
        elif self.made:
            outcome, reason = Outcome.PASSED, f"{self.made} checks were made and kept."
        else:
            why = self.unchecked[0][2] if self.unchecked else "there are no constraints"
            outcome, reason = Outcome.UNDECIDED, f"Nothing could be checked: {why}."
        return DataCheck(
            outcome=outcome,
            reason=reason,
            statistics=statistics,
            violations=self.violations,
            unchecked=self.unchecked,
        )

    def columns(self, seen: list[str], expected: list[str]) -> bool:
        counted = (
            f"columns in current dataset. Number of columns in current dataset: {len(seen)}, "
            f"Number of columns in baseline constraints: {len(expected)}"
        )
        fewer, more = f"There are missing {counted}", f"There are extra {counted}"
        if self.compatible:
            self.rule(len(seen) >= len(expected), "Missing columns", "missing_column_check", fewer)
            self.rule(len(seen) <= len(expected), "Extra columns", "extra_column_check", more)
            return len(seen) != len(expected)
        # Counts alone would not see a column that was renamed.
        for name in expected:
            self.rule(name in seen, name, "missing_column_check", fewer)
        for name in seen:
            if name not in expected:
                self.rule(False, name, "extra_column_check", more)
        return len(seen) != len(expected)

    def values(self, place: int, rule: rules.FeatureRule, column: ColumnFound) -> None:
        self._type(rule, column.kinds)
        completeness = column.present / column.rows
        self.rule(completeness >= rule.completeness, rule.name, "completeness_check", _old_text(completeness))
        if rule.domains is not None and column.present:
            share = column.inside[place] / column.present
            kept = share >= self.config.domain_content_threshold
            self.rule(kept, rule.name, "categorical_values_check", _old_text(share))
        numbers = column.feature.numerical_statistics
        if not self.compatible and rule.non_negative and numbers is not UNSET:
            told = f"Numbers must not be negative. Observed minimum: {java_double(numbers.min)}"
            self.rule(numbers.min >= 0, rule.name, "non_negative_check", told)

    def _type(self, rule: rules.FeatureRule, kinds: KindCounts) -> None:
        share = kinds.share(rule.inferred_type, strict_types=self.strict_types)
        if share is None:
            self.skip(rule.name, "data_type_check", "there are no values, or no type is expected")
            return
        threshold = self.config.datatype_check_threshold
        told = (
            f"Data type match requirement is not met. Expected data type: {rule.inferred_type}, "
            f"Expected match: {java_double(threshold * 100)}%. "
            f"Observed: Only {java_double(share * 100)}% of data is {rule.inferred_type}."
        )
        self.rule(share >= threshold, rule.name, "data_type_check", told)

    def drift(self, seen: FeatureStatistics, baseline: FeatureStatistics | None) -> None:
        settings = self.config.distribution_constraints
        if settings.perform_comparison == rules.DISABLED:
            self.skip(seen.name, "baseline_drift_check", "switched off in the constraints")
        elif baseline is None:
            self.skip(seen.name, "baseline_drift_check", "the baseline has no statistics of it")
        elif seen.sketch is not None and baseline.sketch is not None:
            robust = settings.comparison_method != rules.SIMPLE
            distance = numeric_distance(seen.sketch.data, baseline.sketch.data, robust=robust, collapse=self.compatible)
            self._distance(seen.name, distance, settings.comparison_threshold)
        elif seen.counts is not None and baseline.counts is not None:
            self._categories(seen.name, seen.counts, baseline.counts)
        else:
            self.skip(seen.name, "baseline_drift_check", "the two have no distribution of one kind to compare")

    def _categories(self, name: str, seen: dict[str, int], baseline: dict[str, int]) -> None:
        settings = self.config.distribution_constraints
        robust = settings.comparison_method != rules.SIMPLE
        given = settings.categorical_comparison_threshold
        threshold = given if isinstance(given, float) else settings.comparison_threshold
        if not self.compatible:
            seen, baseline = _without_missing(seen), _without_missing(baseline)
        if settings.categorical_drift_method != rules.CHI_SQUARED:
            self._distance(name, categorical_distance(seen, baseline, robust=robust), threshold)
            return
        found = chi_square(seen, baseline)
        if not robust:
            self._distance(name, found.statistic, threshold)
            return
        # Documents say "exceeds" even of p-values; a small p-value is what tells of drift.
        told = f"Baseline drift p-value: {java_double(found.p_value)} is below threshold: {java_double(threshold)}"
        self._numbered(name, found.p_value, lambda p_value: p_value >= threshold, told)

    def _distance(self, name: str, distance: float, threshold: float) -> None:
        told = f"Baseline drift distance: {java_double(distance)} exceeds threshold: {java_double(threshold)}"
        self._numbered(name, distance, lambda gap: gap <= threshold, told)

    def _numbered(self, name: str, value: float, keeps: Callable[[float], bool], told: str) -> None:
        if math.isnan(value):
            self.skip(name, "baseline_drift_check", "too few rows or categories to compare")
        else:
            self.rule(keeps(value), name, "baseline_drift_check", told)


def _without_missing(counts: dict[str, int]) -> dict[str, int]:
    return {text: count for text, count in counts.items() if text != NULL_CATEGORY}


def _old_text(value: float) -> str:
    # The only wording ever seen of these two checks is that of 2019, with its blank at the end.
    return f"Value: {java_double(value)} does not meet the constraint requirement! "
