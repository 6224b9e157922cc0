"""The explanations of an analysis configuration in the shape of analysis.json: Kernel SHAP, partial dependence, their drift.

Checked against golden shap_german_100 (aggregation, expected value, files) and feature_attribution_drift (texts). Values
of single rows come from other coalitions than the service draws, so they agree within the sampling error that is told.
"""

import csv
import io
from typing import Any, get_args

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType

from modelward.analysis.attribution.asking import Rows
from modelward.analysis.attribution.curves import partial_dependence
from modelward.analysis.attribution.drift import NDCG_THRESHOLD, Aggregation, global_attributions, order_drift
from modelward.analysis.attribution.explain import Explanation, Progress, ShapState, kernel_shap
from modelward.analysis.compatible.bias_analysis import column_of
from modelward.analysis.compatible.model_inputs import feature_columns, given_rows, rows_of
from modelward.analysis.compatible.predictors import Predictor, numbers
from modelward.analysis.compatible.prototypes import prototypes
from modelward.analysis.compatible.texts import TextColumn, TextTable
from modelward.analysis.formats.analysis_config import AnalysisConfig
from modelward.analysis.formats.analysis_file import AnalysisFile, Explanations, ShapLabel
from modelward.analysis.formats.layout import java_double, shaped
from modelward.analysis.formats.violations_file import ViolationEntry
from modelward.kernel.errors import Invalid, NotImplementedYet

LOCAL, BASELINE = "explanations_shap/out.csv", "explanations_shap/baseline.csv"
TOP_FEATURES = 10


class ShapSettings(msgspec.Struct, frozen=True, kw_only=True):
    """``methods.shap``."""

    baseline: str | list[Any] | dict[str, Any] | UnsetType = UNSET
    num_clusters: int | UnsetType = UNSET
    use_logit: bool = False
    num_samples: int | UnsetType = UNSET
    agg_method: str = "mean_abs"
    save_local_shap_values: bool = False
    seed: int | None = None
    features_to_explain: list[str | int] | UnsetType = UNSET
    text_config: Any = UNSET
    image_config: Any = UNSET


class DependenceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """``methods.pdp``."""

    grid_resolution: int
    features: list[str | int] | UnsetType = UNSET
    top_k_features: int = TOP_FEATURES


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """The part of analysis.json, further files by name, and what a reader should know."""

    explanations: Explanations
    files: dict[str, bytes]
    notes: tuple[str, ...]


def shap_settings(config: AnalysisConfig) -> ShapSettings:
    """Read ``methods.shap``.

    Raises:
        Invalid: a setting is of another kind, or settings exclude each other.
        NotImplementedYet: texts or images are to be explained.
    """
    settings = shaped(config.methods["shap"] or {}, ShapSettings, "methods.shap")
    for name, what in (("text_config", "texts"), ("image_config", "images")):
        if getattr(settings, name) is not UNSET:
            raise NotImplementedYet(
                f"Explanations of {what} are not built yet.", field=f"methods.shap.{name}", hint=f"Remove {name!r}."
            )
    if settings.agg_method not in get_args(Aggregation):
        raise Invalid(
            f"agg_method {settings.agg_method!r} is none of {', '.join(get_args(Aggregation))}.",
            field="methods.shap.agg_method",
        )
    if settings.baseline is not UNSET and settings.num_clusters is not UNSET:
        raise Invalid("baseline and num_clusters exclude each other.", field="methods.shap.num_clusters")
    if settings.num_samples is not UNSET and settings.num_samples < 1:
        raise Invalid(f"num_samples is {settings.num_samples}; at least 1 is needed.", field="methods.shap.num_samples")
    return settings


def explained(
    config: AnalysisConfig,
    table: TextTable,
    predictor: Predictor,
    *,
    state: ShapState | None = None,
    on_progress: Progress | None = None,
) -> Explained:
    """Compute what the configuration asks of ``shap`` and ``pdp``.

    Raises:
        Invalid, NotFound: a setting or a column does not fit, or the model answers otherwise than it should.
        Conflict: the state is of another explanation.
    """
    columns = feature_columns(config, table)
    names = [column.name for column in columns]
    rows = rows_of(columns, as_written=predictor.as_written)
    parts: dict[str, Any] = {}
    files: dict[str, bytes] = {}
    notes: list[str] = []
    order: list[str] = []

    def ask(some: Rows) -> Any:
        return numbers(predictor.ask(some, names))

    if "shap" in config.methods:
        settings = shap_settings(config)
        background, told = _background(settings, columns, rows)
        found = kernel_shap(
            ask,
            rows,
            background,
            names=names,
            samples=None if settings.num_samples is UNSET else settings.num_samples,
            link="logit" if settings.use_logit else "identity",
            seed=settings.seed or 0,
            only=_only(settings, table, names),
            batch_rows=predictor.batch_rows,
            state=state,
            on_progress=on_progress,
        )
        labels = label_names(predictor, found.expected.shape[0])
        parts["kernel_shap"], order = _by_label(found, labels, settings)
        notes += [*told, *found.notes, _convergence(found)]
        if settings.save_local_shap_values:
            files |= {LOCAL: _local(found, labels), BASELINE: _csv(names, background.tolist())}
    if "pdp" in config.methods:
        asked = shaped(config.methods["pdp"] or {}, DependenceSettings, "methods.pdp")
        parts["pdp"] = _curves(asked, ask, rows, names, table, order, predictor)
    return Explained(explanations=Explanations(**parts), files=files, notes=tuple(notes))


def _convergence(found: Explanation) -> str:
    if found.exact:
        return f"SHAP values are exact; the model was asked about {found.evaluations} rows."
    return (
        f"SHAP values carry a sampling error of {found.convergence_error:.2g} (root mean square); "
        f"the model was asked about {found.evaluations} rows."
    )


def _only(settings: ShapSettings, table: TextTable, names: list[str]) -> list[str] | None:
    if settings.features_to_explain is UNSET:
        return None
    chosen = [column_of(table, one).name for one in settings.features_to_explain]
    strange = [name for name in chosen if name not in names]
    if strange or not chosen:
        raise Invalid(
            f"{', '.join(strange) or 'Nothing'} in features_to_explain is no feature of the model.",
            field="methods.shap.features_to_explain",
        )
    return chosen


def _background(settings: ShapSettings, columns: list[TextColumn], rows: Rows) -> tuple[Rows, list[str]]:
    if settings.baseline is UNSET:
        count = None if settings.num_clusters is UNSET else settings.num_clusters
        made = prototypes(rows, count, settings.seed or 0)
        return made, [f"No baseline was given: {len(made)} typical rows of the data stand for it."]
    return given_rows(settings.baseline, columns, rows.dtype), []


def label_names(predictor: Predictor, count: int) -> list[str]:
    """The names of the outputs: the label headers where they fit, else label0, label1, ..."""
    headers = predictor.settings.label_headers
    if headers is not UNSET and len(headers) == count:
        return list(headers)
    return [f"label{place}" for place in range(count)]


def _by_label(found: Explanation, labels: list[str], settings: ShapSettings) -> tuple[dict[str, ShapLabel], list[str]]:
    how: Any = settings.agg_method
    totals = global_attributions(found.values, how)
    by_label = {
        label: ShapLabel(
            global_shap_values={name: float(totals[at, place]) for at, name in enumerate(found.features)},
            expected_value=float(found.expected[place]),
        )
        for place, label in enumerate(labels)
    }
    largest = np.abs(totals).sum(axis=1)
    return by_label, [found.features[at] for at in np.argsort(-largest, kind="stable")]


def _local(found: Explanation, labels: list[str]) -> bytes:
    header = [f"{name}_{label}" for label in labels for name in found.features]
    flat = found.values.transpose(0, 2, 1).reshape(len(found.values), -1)
    return _csv(header, flat.tolist())


def _csv(header: list[str], rows: list[list[Any]]) -> bytes:
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return target.getvalue().encode()


def _curves(
    settings: DependenceSettings,
    ask: Any,
    rows: Rows,
    names: list[str],
    table: TextTable,
    order: list[str],
    predictor: Predictor,
) -> list[dict[str, Any]]:
    if settings.features is not UNSET:
        chosen = [column_of(table, one).name for one in settings.features]
    elif order:
        chosen = order[: settings.top_k_features]
    else:
        raise Invalid(
            "pdp without features takes those with the largest SHAP values, and shap is not asked for.",
            field="methods.pdp.features",
            hint="Name features, or ask for shap too.",
        )
    if settings.grid_resolution < 2:
        raise Invalid(
            f"grid_resolution is {settings.grid_resolution}; at least 2 is needed.", field="methods.pdp.grid_resolution"
        )
    entries: list[dict[str, Any]] = []
    for name in chosen:
        try:
            curve = partial_dependence(
                ask, rows, name, names=names, grid=settings.grid_resolution, batch_rows=predictor.batch_rows
            )
        except Invalid as problem:
            if problem.field not in (name, "only"):
                raise
            entries.append({"feature_name": name, "error": str(problem)})
            continue
        entry = {
            "feature_name": name,
            "data_type": curve.kind,
            "feature_values": list(curve.values),
            "model_predictions": [list(label) for label in curve.outputs],
            "data_distribution": list(curve.shares),
        }
        headers = predictor.settings.label_headers
        fits = headers is not UNSET and len(headers) == len(curve.outputs)
        entries.append(entry | ({"label_headers": headers} if fits else {}))
    return entries


def attribution_violations(current: AnalysisFile, baseline: AnalysisFile) -> tuple[list[ViolationEntry], list[str]]:
    """Labels whose features have left the order of the baseline: NDCG below 0.9, in the words of the service.

    Its words say "exceeds" where the value is below. Second, what a reader should know of the measure.

    Raises:
        Invalid: the features are not those of the baseline.
    """
    found, notes = [], []
    before, now = (_shap_labels(one) for one in (baseline, current))
    for label, known in before.items():
        if label not in now:
            continue
        drift = order_drift(known.global_shap_values, now[label].global_shap_values)
        if drift.ndcg < NDCG_THRESHOLD:
            found.append(
                ViolationEntry(
                    label=label,
                    metric_name="shap",
                    constraint_check_type="feature_attribution_drift_check",
                    description=f"Feature attribution drift {java_double(drift.ndcg)} exceeds threshold {NDCG_THRESHOLD}",
                )
            )
        notes.append(
            f"{label}: NDCG {drift.ndcg:.3f}; the worst order would give {drift.least:.3f}, a random one "
            f"{drift.chance:.3f}. {drift.weakness}"
        )
    return found, notes


def _shap_labels(analysis: AnalysisFile) -> dict[str, ShapLabel]:
    if analysis.explanations is UNSET or analysis.explanations.kernel_shap is UNSET:
        return {}
    return analysis.explanations.kernel_shap
