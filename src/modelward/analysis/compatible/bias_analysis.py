"""Bias metrics of an analysis configuration in the shape of analysis.json, and drift of bias against such a file.

The formulas are those of ``bias_metrics``; names, sentences and errors are those of the files. Verified against golden
bias_sdk_100, bias_german_1000 and bias_adult_chain.
"""

import math
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
from msgspec import UNSET

from modelward.analysis.bias.flip_test import flip_test
from modelward.analysis.bias.metrics import MEASURES, Stage, read_measures
from modelward.analysis.compatible.bias_columns import Chosen, Mask, choose, codes_of, favourable, numbers_of
from modelward.analysis.compatible.kinds import count_kinds
from modelward.analysis.compatible.texts import TextColumn, TextTable
from modelward.analysis.formats.analysis_config import DEFAULT_PROBABILITY_THRESHOLD, AnalysisConfig, Column
from modelward.analysis.formats.analysis_file import AnalysisFile, BiasMetrics, GroupMetrics, MetricEntry, metric_entry
from modelward.analysis.formats.violations_file import CLARIFY_VERSION, ViolationEntry, ViolationsFile
from modelward.kernel.errors import Invalid, NotImplementedYet

Counts: TypeAlias = Any

PRE, POST = "pre_training_bias", "post_training_bias"
_STAGES: dict[str, Stage] = {PRE: "pre_training", POST: "post_training"}
_NEED_A_MODEL = {"shap": "SHAP values", "pdp": "partial dependence"}
_TITLES = {"KL": "Kullback-Liebler Divergence"}
_CONDITIONAL = {"CDDL", "CDDPL"}
FLIP_TEST = "FT"


def analyzed(config: AnalysisConfig, table: TextTable) -> AnalysisFile:
    """Compute the bias part of an analysis.

    Raises:
        NotImplementedYet: segments are asked for.
        NotFound: a column does not exist.
        Invalid: a setting is missing or does not fit its column, or a model would have to be asked.
    """
    require_built(config, asking=False)
    asked = [stage for stage in (PRE, POST) if stage in config.methods]
    if not asked:
        raise Invalid(f"methods names neither {PRE} nor {POST}, so there is nothing to compute.", field="methods")
    return bias_parts(config, table)


def bias_parts(config: AnalysisConfig, table: TextTable) -> AnalysisFile:
    """The bias part of an analysis, empty where none is asked for.

    Raises:
        NotFound, Invalid: as ``analyzed``.
    """
    parts = {f"{stage}_metrics": _part(config, table, stage) for stage in (PRE, POST) if stage in config.methods}
    return AnalysisFile(
        pre_training_bias_metrics=parts.get(f"{PRE}_metrics", UNSET),
        post_training_bias_metrics=parts.get(f"{POST}_metrics", UNSET),
    )


def require_built(config: AnalysisConfig, *, asking: bool) -> None:
    """Refuse what an analysis cannot do, before anything is read. ``asking``: there is a model to ask.

    Raises:
        NotImplementedYet: time series or segments are asked for; the message says what to do.
        Invalid: explanations are asked for, and there is no model to ask.
    """
    if "asymmetric_shapley_value" in config.methods:
        raise NotImplementedYet(
            "The configuration asks for asymmetric Shapley values, which are not built yet.",
            field="methods.asymmetric_shapley_value",
            hint="Remove 'asymmetric_shapley_value' from methods to get the rest.",
        )
    if config.segment_config is not UNSET:
        raise NotImplementedYet(
            "Metrics by segment are not built yet.", field="segment_config", hint="Analyze each segment's rows apart."
        )
    for method, what in _NEED_A_MODEL.items():
        if method in config.methods and not asking:
            raise Invalid(
                f"The configuration asks for {what} ({method}), and no model was given to ask.",
                field=f"methods.{method}",
                hint=f"Give a predictor (--predictor). Remove {method!r} from methods to get the bias metrics alone.",
            )


def _part(config: AnalysisConfig, table: TextTable, stage: str) -> BiasMetrics:
    if config.label is UNSET or config.label_values_or_threshold is UNSET or not config.label_values_or_threshold:
        raise Invalid("The configuration names no label with label_values_or_threshold.", field="label")
    if not config.facets:
        raise Invalid("The configuration names no facet.", field="facet")
    label = column_of(table, config.label)
    positive = favourable(label, config.label_values_or_threshold)
    predicted = _predicted(config, table) if stage == POST else None
    condition = None if config.group_variable is UNSET else column_of(table, config.group_variable)
    facets: dict[str, list[GroupMetrics]] = {}
    for facet in config.facets:
        column = column_of(table, facet.name_or_index)
        values = [] if facet.value_or_threshold is UNSET else facet.value_or_threshold
        groups = choose(column, values)
        facets[column.name] = [
            GroupMetrics(
                group.name,
                _metrics(
                    _wanted(config, stage), stage, group, positive, predicted, condition,
                    lambda chosen=group, name=column.name: _flip(config, table, chosen, predicted, name),
                ),
            )
            for group in groups
        ]  # fmt: skip
    return BiasMetrics(label.name, facets, positive.name)


def columns_meant(config: AnalysisConfig) -> list[Column] | None:
    """The columns that the metrics look at, by name or number; None for all, which the flip test does.

    Raises:
        Invalid: the metrics that are asked for are none.
    """
    if POST in config.methods and FLIP_TEST in _wanted(config, POST):
        return None
    named = (config.label, config.predicted_label, config.group_variable)
    facets = () if not config.facets else tuple(facet.name_or_index for facet in config.facets)
    return [one for one in (*named, *facets) if one is not UNSET]


def column_of(table: TextTable, name: Column) -> TextColumn:
    """A column by its name or its number.

    Raises:
        NotFound: there is no such column.
    """
    if isinstance(name, int) and 0 <= name < len(table.names):
        return table.of(table.names[name])
    return table.of(str(name))


def _predicted(config: AnalysisConfig, table: TextTable) -> Mask:
    if config.predicted_label is UNSET:
        raise Invalid(
            "Post-training metrics need predictions: the configuration names no column of them, and no model was given.",
            field="predicted_label",
            hint="Name the column of predictions in predicted_label, or give a predictor (--predictor).",
        )
    threshold = config.probability_threshold
    cut = threshold if isinstance(threshold, float) else DEFAULT_PROBABILITY_THRESHOLD
    assert config.label_values_or_threshold is not UNSET
    return favourable(column_of(table, config.predicted_label), config.label_values_or_threshold, threshold=cut).rows


def _wanted(config: AnalysisConfig, stage: str) -> set[str]:
    settings = config.methods[stage]
    listed = settings.get("methods", "all") if isinstance(settings, dict) else "all"
    every = {measure.name for measure in MEASURES if measure.stage == _STAGES[stage]}
    every |= {FLIP_TEST} if stage == POST else set()
    if listed == "all":
        return every
    if not isinstance(listed, list) or not set(listed) <= every:
        raise Invalid(
            f'methods.{stage}.methods is neither "all" nor a list of {", ".join(sorted(every))}.', field="methods"
        )
    return set(listed)


def _metrics(
    wanted: set[str],
    stage: str,
    group: Chosen,
    positive: Chosen,
    predicted: Mask | None,
    condition: TextColumn | None,
    flip: Any,
) -> list[MetricEntry]:
    counts = _counts(group.rows, positive.rows, predicted, condition)
    sides = counts.sum(axis=(1, 2, 3))
    measures = tuple(one for one in MEASURES if one.stage == _STAGES[stage] and one.name in wanted)
    values = read_measures(counts, measures)
    if "LP" in values and sides.all():
        values["LP"] = _fused_norm(*(counts.sum(axis=(2, 3)) / sides[:, np.newaxis]))
    if "GE" in values and predicted is not None:
        values["GE"] = _entropy_by_row(positive.rows, predicted)
    entries = []
    for measure in measures:
        told = f"{_TITLES.get(measure.name, measure.title)} ({measure.name})"
        error = _error(measure.name, counts, sides, condition)
        value = None if error else float(values[measure.name])
        if value is not None and math.isnan(value):
            value, error = None, f"{measure.name}: the metric is not defined for these counts."
        entries.append(metric_entry(measure.name, told, value, error))
    if FLIP_TEST in wanted:
        entries.append(flip() if sides.all() else _flip_entry(None, _empty(FLIP_TEST, sides)))
    return sorted(entries, key=lambda entry: entry.name)


def _entropy_by_row(positive: Mask, predicted: Mask) -> float:
    """Generalized entropy (alpha 2) summed over the rows as smclarify does; not a number where all are false negatives."""
    benefit = predicted.astype(float) - positive.astype(float) + 1
    mean = benefit.mean()
    return float(np.sum((benefit / mean) ** 2 - 1) / (2 * len(benefit))) if mean else math.nan


def _fused_norm(rest: Any, ours: Any) -> float:
    """The L2 norm of a difference as processors with a fused multiply-add give it, on every processor alike."""
    first, second = (float(gap) for gap in rest - ours)
    return math.sqrt(float(Fraction(first * first) + Fraction(second) ** 2))


def _counts(group: Mask, positive: Mask, predicted: Mask | None, condition: TextColumn | None) -> Counts:
    """Rows by group, label, prediction and condition; without predictions or condition that axis has one place."""
    strata = codes_of(condition) if condition is not None else np.zeros(len(group), np.int64)
    size = int(strata.max(initial=0)) + 1
    guess = predicted if predicted is not None else np.zeros(len(group), np.bool_)
    cells = ((group * 2 + positive) * 2 + guess) * size + strata
    return np.bincount(cells.astype(np.int64), minlength=8 * size).reshape(2, 2, 2, size)


def _error(name: str, counts: Counts, sides: Any, condition: TextColumn | None) -> str:
    if not sides.all() and name != "GE":
        return _empty(name, sides)
    if name in _CONDITIONAL:
        if condition is None:
            return "Group variable is empty or not provided"
        outcomes = counts.sum(axis=(0, 2, 3) if name == "CDDL" else (0, 1, 3))
        for place, word in ((1, "positive"), (0, "negative")):
            if not outcomes[place]:
                return f"No {word} labels in set"
    return ""


def _empty(name: str, sides: Any) -> str:
    if not sides[1]:
        return f"{name}: facet set is empty. Check that x[facet] has non-zero length."
    return f"{name}: negated facet set is empty. Check that x[not facet] has non-zero length."


def _flip(config: AnalysisConfig, table: TextTable, group: Chosen, predicted: Mask | None, facet: str) -> MetricEntry:
    excluded = [] if config.excluded_columns is UNSET else config.excluded_columns
    named = [one for one in (config.label, config.predicted_label, *excluded) if one is not UNSET]
    without = {facet, *(column_of(table, one).name for one in named)}
    features = [column for column in table.columns if column.name not in without]
    if not features or not all(count_kinds(column).numeric and column.present == column.rows for column in features):
        return _flip_entry(None, "FlipTest does not support non-numeric columns")
    assert predicted is not None
    numbers = np.stack([numbers_of(column) for column in features], axis=1)
    return _flip_entry(flip_test(numbers, group.rows, predicted))


def _flip_entry(value: float | None, error: str = "") -> MetricEntry:
    return metric_entry(FLIP_TEST, f"Flip Test ({FLIP_TEST})", value, error)


def bias_violations(current: AnalysisFile, baseline: AnalysisFile) -> ViolationsFile:
    """Every metric that lies further from 0 than in the baseline, in the words of the service.

    That is its rule, for DI too, although 1 is balance there: DI that sinks toward 0 is never told of.
    """
    found = []
    known = {
        (part.label, facet, group.value_or_threshold, metric.name): metric.number
        for part in baseline.bias
        for facet, groups in part.facets.items()
        for group in groups
        for metric in group.metrics
    }
    for part in current.bias:
        for facet, groups in part.facets.items():
            for group in groups:
                for metric in group.metrics:
                    before = known.get((part.label, facet, group.value_or_threshold, metric.name))
                    now = metric.number
                    if before is not None and now is not None and abs(now) > abs(before):
                        found.append(_drifted(facet, group.value_or_threshold, metric.name, now, before))
    return ViolationsFile(version=CLARIFY_VERSION, violations=found)


def _drifted(facet: str, value: str, metric: str, now: float, before: float) -> ViolationEntry:
    return ViolationEntry(
        facet=facet,
        facet_value=value,
        metric_name=metric,
        constraint_check_type="bias_drift_check",
        description=f"Metric value {_python(now)} doesn't meet the baseline constraint requirement {_python(before)}",
    )


def _python(value: float) -> str:
    return repr(value) if math.isfinite(value) else "Infinity" if value > 0 else "-Infinity"
