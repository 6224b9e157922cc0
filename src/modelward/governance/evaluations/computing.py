"""From a table to a report, a judgement and a summary, by ``modelward.analysis``. Reads the table; keeps nothing."""

import math
from collections.abc import Callable
from typing import Any

import msgspec

from modelward.analysis import BiasReport, QualityReport, bias_report, quality_report
from modelward.governance.evaluations import rules
from modelward.governance.evaluations.entities import Chart, Evaluation, EvaluationKind, Summary
from modelward.kernel import codec
from modelward.kernel.outcome import Judgement, Outcome, worst

REPORT_FORMAT = "modelward.evaluation/1"
METRICS_SHOWN_MAX = 50
FINDINGS_SHOWN_MAX = 20
BARS_MAX = 50
CLASSES_DRAWN_MAX = 50
FINDING_CHARACTERS_MAX = 400
# Measures outside [0, 1] would dwarf the others in one chart.
UNBOUNDED = frozenset({"log_loss", "matthews", "kappa", "r2", "mean_error", "mape", "mse"})


class Computed(msgspec.Struct, frozen=True, kw_only=True):
    """What came out: the report as JSON, its judgement and what lists show of it."""

    report: bytes
    judgement: Judgement
    summary: Summary


def compute(evaluation: Evaluation, source: Any) -> Computed:
    """Compute an evaluation over a table. Equal tables and settings give equal bytes, hence an equal digest.

    Raises:
        Invalid: a column holds something else than the settings say.
        NotFound: a column does not exist.
    """
    reports, judgement, summary = COMPUTATIONS[evaluation.kind](evaluation, source)
    report = codec.canonical(
        {
            "format": REPORT_FORMAT,
            "version": evaluation.version,
            "dataset": evaluation.dataset,
            "kind": evaluation.kind,
            "settings": evaluation.settings,
            "outcome": judgement.outcome,
            "reason": judgement.reason,
            "reports": reports,
        }
    )
    return Computed(report=report, judgement=judgement, summary=summary)


def _quality(evaluation: Evaluation, source: Any) -> tuple[list[Any], Judgement, Summary]:
    settings = evaluation.settings
    assert settings.problem_type is not None
    report = quality_report(
        source,
        problem_type=settings.problem_type.value,
        label=settings.label,
        prediction=settings.prediction,
        probability=settings.probability,
        positive=settings.positive,
        threshold=0.5 if settings.prediction_threshold is None else settings.prediction_threshold,
    )
    metrics = {name: _finite(metric.value) for name, metric in report.metrics.items()}
    return [report], rules.judge_limits(metrics, settings.limits), _quality_summary(report)


def _quality_summary(report: QualityReport) -> Summary:
    finite = {name: _finite(metric.value) for name, metric in report.metrics.items()}
    metrics = {name: value for name, value in finite.items() if value is not None}
    shares = {name: value for name, value in metrics.items() if name not in UNBOUNDED}
    charts = [Chart(name=f"quality ({report.problem_type})", labels=list(shares), values=list(shares.values()))]
    undefined = [
        f"{name}: {metric.reason or 'the numbers are too large for it.'}"
        for name, metric in report.metrics.items()
        if finite[name] is None
    ]
    return Summary(
        rows=report.rows,
        metrics=metrics,
        charts=charts if shares else [],
        findings=[*report.notes, *undefined],
        shapes=_shapes(report),
    )


def _shapes(report: QualityReport) -> list[dict[str, Any]]:
    """The matrix and the curves of a report, as the report has them; none of a matrix too large to be looked at."""
    told: dict[str, Any] = {}
    if report.confusion is not None and len(report.confusion.classes) <= CLASSES_DRAWN_MAX:
        told["confusion"] = codec.plain(report.confusion)
    if report.curves is not None:
        told["curves"] = codec.plain(report.curves)
    return [told] if told else []


def _finite(value: float | None) -> float | None:
    # JSON has no infinity: what overflowed would come back as null and could not be read as a number again.
    return value if value is not None and math.isfinite(value) else None


def _bias(evaluation: Evaluation, source: Any) -> tuple[list[Any], Judgement, Summary]:
    settings = evaluation.settings
    reports = [
        bias_report(
            source,
            label=settings.label,
            facet=facet,
            prediction=settings.prediction,
            favourable=settings.favourable,
            facet_value=settings.facet_value,
            threshold=settings.threshold,
            group=settings.group,
            prediction_threshold=settings.prediction_threshold,
        )
        for facet in settings.facets
    ]
    outcome = worst([report.outcome for report in reports])
    reason = " ".join(f"{report.facet}: {report.reason}" for report in reports)
    return list(reports), Judgement(outcome=outcome, reason=reason), _bias_summary(reports)


def _bias_summary(reports: list[BiasReport]) -> Summary:
    metrics: dict[str, float] = {}
    findings: list[str] = []
    for outcome in (Outcome.FAILED, Outcome.UNDECIDED, Outcome.PASSED):
        for report in reports:
            for compared in report.comparisons:
                for metric in compared.metrics:
                    if metric.outcome is not outcome:
                        continue
                    findings.append(f"{report.facet}: {metric.sentence}"[:FINDING_CHARACTERS_MAX])
                    if (value := _finite(metric.value)) is not None:
                        metrics[f"{metric.name} ({report.facet}={compared.group})"[:255]] = value
    return Summary(
        rows=reports[0].rows,
        metrics=dict(list(metrics.items())[:METRICS_SHOWN_MAX]),
        charts=[chart for report in reports for chart in _shares(report)],
        findings=findings[:FINDINGS_SHOWN_MAX],
    )


def _shares(report: BiasReport) -> list[Chart]:
    """The favourable share of each group, as labelled and as predicted."""
    charts = []
    for title, field in (("labelled", "label_share_group"), ("predicted", "predicted_share_group")):
        shares = [(one.group, getattr(one, field)) for one in report.comparisons]
        known = [(group, share) for group, share in shares if share is not None][:BARS_MAX]
        if known:
            name = f"favourable share by {report.facet}, {title}"
            charts.append(Chart(name=name, labels=[each[0] for each in known], values=[each[1] for each in known]))
    return charts


Computation = Callable[[Evaluation, Any], tuple[list[Any], Judgement, Summary]]
COMPUTATIONS: dict[EvaluationKind, Computation] = {EvaluationKind.QUALITY: _quality, EvaluationKind.BIAS: _bias}
