"""From reports to metric groups of a card: evaluations of ours, and the JSON files of bias, explanation and quality jobs. Pure.

The groups are named and filled as other tools do it, so that a card reads the same wherever a report was taken up.
"""

import math
from typing import Any

import msgspec

from modelward.governance.cards.entities import Curve, EvaluationEntry, Matrix
from modelward.governance.cards.evidence import EvidenceKind
from modelward.governance.cards.schema import check_content
from modelward.kernel.errors import Invalid

LABEL_CHARACTERS_MAX = 63
NAME_CHARACTERS_MAX = 255
METRICS_MAX = 50
MEASURES_MAX = 500
MATRIX_MOST = 20
POINTS_MAX = 60
REPORT_BYTES_MAX = 1 << 20
OWN_FORMAT = "modelward.evaluation/"

Group = dict[str, Any]


class ReportPart(msgspec.Struct, frozen=True, kw_only=True):
    """What a report says of one thing: the metric groups for a card, and what is known of the report besides."""

    kind: EvidenceKind
    groups: list[Group]
    outcome: str = ""
    reason: str = ""
    dataset: str = ""


def groups_of(entry: EvaluationEntry) -> list[Group]:
    """The metric groups of a finished evaluation: its measures, bars, matrices and curves."""
    charts = [bars(chart.name, chart.labels, chart.values) for chart in entry.charts if chart.values]
    found = _groups_from(entry.kind, entry.metrics, entry.matrices, entry.curves)
    told = found[0]["metric_data"] if found else []
    return [{"name": entry.kind, "metric_data": [*told, *charts[:METRICS_MAX]]}]


def measures_of(groups: list[Group]) -> dict[str, float | str]:
    """The single values of metric groups by name; where two groups have one of the same name, the group goes before it."""
    found: dict[str, float | str] = {}
    for group in groups:
        for each in group["metric_data"]:
            value = each.get("value")
            if isinstance(value, bool) or not isinstance(value, int | float | str):
                continue
            name = each["name"] if each["name"] not in found else f"{group['name']}: {each['name']}"
            if len(found) < MEASURES_MAX:
                found.setdefault(name, value)
    return found


def number(name: str, value: float | int | str) -> dict[str, Any]:
    """A single value; one that JSON has no number for is told as a text."""
    if isinstance(value, str) or not math.isfinite(value):
        return {"name": name[:NAME_CHARACTERS_MAX], "type": "string", "value": str(value)[:LABEL_CHARACTERS_MAX]}
    return {"name": name[:NAME_CHARACTERS_MAX], "type": "number", "value": value}


def bars(name: str, labels: list[str], values: list[float], *, y: str = "") -> dict[str, Any]:
    """Named numbers."""
    return {
        "name": name[:NAME_CHARACTERS_MAX],
        "type": "bar_chart",
        "value": values,
        "x_axis_name": [label[:LABEL_CHARACTERS_MAX] for label in labels],
        "y_axis_name": (y or name)[:LABEL_CHARACTERS_MAX],
    }


def matrix(told: Matrix) -> dict[str, Any]:
    """Counts by observed and predicted class."""
    labels = [label[:LABEL_CHARACTERS_MAX] for label in told.labels]
    return {"name": told.name, "type": "matrix", "value": told.rows, "x_axis_name": labels, "y_axis_name": labels}


def line(told: Curve) -> dict[str, Any]:
    """The points of a line, thinned to what a chart can show; the first and the last stay."""
    step = max(math.ceil((len(told.points) - 1) / POINTS_MAX), 1)
    points = [*told.points[:-1:step], told.points[-1]]
    return {
        "name": told.name[:NAME_CHARACTERS_MAX],
        "type": "linear_graph",
        "value": points,
        "x_axis_name": told.x[:LABEL_CHARACTERS_MAX],
        "y_axis_name": told.y[:LABEL_CHARACTERS_MAX],
    }


def shapes_in(report: Any) -> tuple[list[Matrix], list[Curve]]:
    """The confusion matrices and curves in an evaluation report of ours."""
    matrices, curves = list[Matrix](), list[Curve]()
    for each in report.get("reports", []) if isinstance(report, dict) else []:
        confusion, lines = each.get("confusion"), each.get("curves")
        if confusion:
            matrices.append(Matrix(name="confusion_matrix", labels=confusion["classes"], rows=confusion["counts"]))
        if lines:
            for name, key, x, y in (
                ("receiver_operating_characteristic_curve", "roc", "false_positive_rates", "true_positive_rates"),
                ("precision_recall_curve", "precision_recall", "recalls", "precisions"),
            ):
                points = [[point[0], point[1]] for point in lines.get(key, []) if None not in point[:2]]
                curves.append(Curve(name=name, x=x, y=y, points=points))
    return matrices, curves


def read_report(report: bytes) -> list[ReportPart]:
    """Read a report that a client brings.

    Known are evaluation reports of ours, ``analysis.json`` (bias and explanations), ``statistics.json`` of model quality,
    and JSON with ``metric_groups``.

    Raises:
        Invalid: it is none of these, or too large; the message says what is known.
    """
    if len(report) > REPORT_BYTES_MAX:
        raise Invalid(f"The report has {len(report)} bytes; at most {REPORT_BYTES_MAX} are read.", field="report")
    try:
        told = msgspec.json.decode(report)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise Invalid(f"The report is not JSON: {problem}.", field="report") from problem
    parts = _parts(told, report) if isinstance(told, dict) else []
    if not any(part.groups for part in parts):
        raise Invalid(
            "The report holds nothing that a card can show. Known are evaluation reports of Modelward, analysis.json of "
            "bias and explanation jobs, statistics.json of model-quality jobs, and JSON with metric_groups.",
            field="report",
        )
    for part in parts:
        check_content({"evaluation_details": [{"name": "report", "metric_groups": part.groups}]})
    return [part for part in parts if part.groups]


def _parts(told: dict[str, Any], report: bytes) -> list[ReportPart]:
    if str(told.get("format", "")).startswith(OWN_FORMAT):
        return [_own(told)]
    if isinstance(told.get("metric_groups"), list):
        return [ReportPart(kind=EvidenceKind.OTHER, groups=told["metric_groups"])]
    if any(key.endswith(("classification_metrics", "regression_metrics")) for key in told):
        return [ReportPart(kind=EvidenceKind.QUALITY, groups=_quality(report))]
    if "explanations" in told or any(key.endswith("training_bias_metrics") for key in told):
        return _analysis(report)
    return []


def _own(told: dict[str, Any]) -> ReportPart:
    """An evaluation report of ours."""
    try:
        matrices, curves = shapes_in(told)
        metrics: dict[str, float] = {}
        for each in told.get("reports", []):
            metrics |= _single_values(each)
        kind = str(told["kind"])
        groups = _groups_from(kind, metrics, matrices, curves)
    except (KeyError, TypeError, AttributeError, IndexError) as problem:
        raise Invalid(f"The evaluation report is not what it should be: {problem!r}.", field="report") from problem
    return ReportPart(
        kind=kind_of(kind),
        groups=groups,
        outcome=str(told.get("outcome", "")),
        reason=str(told.get("reason", "")),
        dataset=str(told.get("dataset", "")),
    )


def _single_values(report: dict[str, Any]) -> dict[str, float]:
    metrics = report.get("metrics", {})
    found = {name: each["value"] for name, each in metrics.items()} if isinstance(metrics, dict) else {}
    for compared in report.get("comparisons", []):
        for each in compared["metrics"]:
            found[f"{each['name']} ({report['facet']}={compared['group']})"] = each["value"]
    return {name: value for name, value in found.items() if value is not None}


def _groups_from(kind: str, metrics: dict[str, float], matrices: list[Matrix], curves: list[Curve]) -> list[Group]:
    numbers = [number(name, value) for name, value in metrics.items()][:METRICS_MAX]
    shapes = [matrix(each) for each in matrices if 0 < len(each.rows) <= MATRIX_MOST]
    shapes += [line(each) for each in curves if each.points]
    return [{"name": kind, "metric_data": [*numbers, *shapes]}] if numbers or shapes else []


def kind_of(text: str) -> EvidenceKind:
    """The kind of evidence that a kind of evaluation makes."""
    return EvidenceKind(text) if text in set(EvidenceKind) else EvidenceKind.OTHER


def _quality(report: bytes) -> list[Group]:
    """Metrics with their deviations, the confusion matrix and the curves of a model-quality job."""
    from modelward.analysis.formats.quality_files import NOT_A_NUMBER, read_quality_statistics

    told = read_quality_statistics(report, name="report")
    data = []
    for name in told.order:
        if name in told.plain:
            data += _plain(name, told.plain[name])
            continue
        found = told.metrics[name]
        data.append(number(name, found.value))
        deviation = found.standard_deviation
        if isinstance(deviation, float | int) or (isinstance(deviation, str) and deviation != NOT_A_NUMBER):
            data.append(number(f"{name} - standard_deviation", deviation))
    return [{"name": f"{told.family}_metrics", "metric_data": data}]


def _plain(name: str, told: dict[str, Any]) -> list[dict[str, Any]]:
    if name == "confusion_matrix":
        labels = [str(each) for each in told]
        rows = [[row.get(label, 0) for label in labels] for row in told.values()]
        return [matrix(Matrix(name=name, labels=labels, rows=rows))] if 0 < len(labels) <= MATRIX_MOST else []
    axes = {"receiver_operating_characteristic_curve": 0, "precision_recall_curve": 1}
    if name not in axes or len(told) < 2:
        return []
    # The files name precision first; it belongs on the upright axis.
    x, y = list(told)[:2] if axes[name] == 0 else list(told)[1::-1]
    points = [[a, b] for a, b in zip(told[x], told[y], strict=False)]
    return [line(Curve(name=name, x=x, y=y, points=points))] if points else []


def _analysis(report: bytes) -> list[ReportPart]:
    """The bias metrics of each facet and stage, and what features add to each label."""
    from modelward.analysis.formats.analysis_file import read_analysis

    told = read_analysis(report, name="report")
    bias: list[Group] = []
    for stage, part in (
        ("pre_training_bias_metrics", told.pre_training_bias_metrics),
        ("post_training_bias_metrics", told.post_training_bias_metrics),
    ):
        if part is msgspec.UNSET:
            continue
        for facet, found in part.facets.items():
            for each in found:
                name = f"{stage} - label {part.label} = {part.label_value_or_threshold} and facet {facet}={each.value_or_threshold}"
                data = [number(one.name, one.value) for one in each.metrics if one.value is not None]
                bias += [{"name": name, "metric_data": data}] if data else []
    explained = _explanations(told.explanations) if told.explanations is not msgspec.UNSET else []
    return [
        ReportPart(kind=EvidenceKind.BIAS, groups=bias),
        ReportPart(kind=EvidenceKind.EXPLAINABILITY, groups=explained),
    ]


def _explanations(told: Any) -> list[Group]:
    groups: list[Group] = []
    for label, found in (told.kernel_shap or {}).items() if told.kernel_shap is not msgspec.UNSET else ():
        shares = {name: value for name, value in found.global_shap_values.items() if isinstance(value, int | float)}
        data = [number(name, value) for name, value in shares.items()]
        if data:
            data.append(bars("global_shap_values", list(shares), list(shares.values()), y="mean |SHAP value|"))
            groups.append({"name": f"explanations - global_shap_values, label={label}", "metric_data": data})
        texts = found.global_top_shap_text if found.global_top_shap_text is not msgspec.UNSET else {}
        for feature, tokens in texts.items():
            data = [number(token, value) for token, value in tokens.items() if isinstance(value, int | float)]
            name = f"explanations - global_top_shap_text, label={label}, feature={feature}"
            groups += [{"name": name, "metric_data": data}] if data else []
    curves = told.pdp if told.pdp is not msgspec.UNSET else []
    data = [drawn for each in curves if isinstance(each, dict) and "error" not in each for drawn in _dependence(each)]
    return [*groups, {"name": "explanations - pdp", "metric_data": data}] if data else groups


def _dependence(told: dict[str, Any]) -> list[dict[str, Any]]:
    """How the prediction depends on one feature, and how that feature is spread."""
    try:
        feature, places = told["feature_name"], told["feature_values"]
        series = [(f"data_distribution - feature={feature}", "Data distribution", told.get("data_distribution", []))]
        for place, values in enumerate(told["model_predictions"]):
            headers = told.get("label_headers") or []
            label = headers[place] if place < len(headers) else f"label{place}"
            series.append((f"model_predictions - feature={feature}, label={label}", label, values))
        numeric = told.get("data_type") == "numerical"
        drawn = []
        for name, y, values in series:
            if not values or len(values) != len(places):
                continue
            if numeric:
                points = [[a, b] for a, b in zip(places, values, strict=True)]
                drawn.append(line(Curve(name=name, x=feature, y=y, points=points)))
            else:
                drawn.append(bars(name, [str(each) for each in places], values, y=y))
    except (KeyError, TypeError) as problem:
        raise Invalid(
            f"The partial dependence in the report is not what it should be: {problem!r}.", field="report"
        ) from problem
    return drawn
