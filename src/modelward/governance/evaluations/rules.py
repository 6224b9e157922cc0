"""What an evaluation needs to be told, and how its numbers are judged. Pure."""

from collections.abc import Mapping

from modelward.governance.evaluations.entities import EvaluationKind, EvaluationSettings, Limit, ProblemType
from modelward.kernel.errors import Invalid
from modelward.kernel.outcome import Judgement, Outcome, worst

REASON_CHARACTERS_MAX = 2000
COLUMN_CHARACTERS_MAX = 256
FACETS_MAX = 20
LIMITS_MAX = 50


def check_settings(kind: EvaluationKind, settings: EvaluationSettings) -> None:
    """Refuse settings that lack what this kind of evaluation needs, or hold what it does not know.

    Raises:
        Invalid: the message names the setting.
    """
    if not settings.label:
        raise Invalid("An evaluation needs the column of the labels.", field="settings.label")
    _check_sizes(settings)
    (_check_quality if kind is EvaluationKind.QUALITY else _check_bias)(settings)


def _check_sizes(settings: EvaluationSettings) -> None:
    columns = [settings.label, settings.prediction, settings.probability, settings.group, *settings.facets]
    if any(name is not None and len(name) > COLUMN_CHARACTERS_MAX for name in columns):
        raise Invalid(f"The name of a column has more than {COLUMN_CHARACTERS_MAX} characters.", field="settings")
    if len(settings.facets) > FACETS_MAX or len(settings.limits) > LIMITS_MAX:
        raise Invalid(f"At most {FACETS_MAX} facets and {LIMITS_MAX} limits are taken.", field="settings")


def _check_quality(settings: EvaluationSettings) -> None:
    if settings.problem_type is None:
        known = ", ".join(each.value for each in ProblemType)
        raise Invalid(f"A quality evaluation needs a problem type: {known}.", field="settings.problem_type")
    if settings.prediction is None and (
        settings.probability is None or settings.problem_type is not ProblemType.BINARY
    ):
        raise Invalid("A quality evaluation needs the column of the predictions.", field="settings.prediction")
    if settings.facets:
        raise Invalid("Facets belong to a bias evaluation.", field="settings.facets")
    for name, limit in settings.limits.items():
        if limit.at_least is None and limit.at_most is None:
            raise Invalid(f"The limit of {name[:40]!r} says neither at_least nor at_most.", field="settings.limits")


def _check_bias(settings: EvaluationSettings) -> None:
    if not settings.facets:
        raise Invalid(
            "A bias evaluation needs at least one facet: a column that tells the groups.", field="settings.facets"
        )
    if settings.limits:
        raise Invalid("Limits belong to a quality evaluation; bias is judged by its findings.", field="settings.limits")


def judge_limits(metrics: Mapping[str, float | None], limits: Mapping[str, Limit]) -> Judgement:
    """Judge measures by their limits; without limits, or without the measure, it is undecided."""
    if not limits:
        return Judgement(
            outcome=Outcome.UNDECIDED, reason="No limits were given, so the measures are told and not judged."
        )
    judged = [judge_limit(name, metrics.get(name), limit) for name, limit in limits.items()]
    outcome = worst([each.outcome for each in judged])
    told = [each.reason for each in judged if each.outcome is outcome]
    return Judgement(outcome=outcome, reason=" ".join(told))


def judge_limit(name: str, value: float | None, limit: Limit) -> Judgement:
    """Judge one measure by its limit."""
    if value is None:
        return Judgement(outcome=Outcome.UNDECIDED, reason=f"{name} was not measured.")
    shown = f"{name} is {value:.4g}"
    if limit.at_least is not None and value < limit.at_least:
        return Judgement(outcome=Outcome.FAILED, reason=f"{shown}, below {limit.at_least:g}.")
    if limit.at_most is not None and value > limit.at_most:
        return Judgement(outcome=Outcome.FAILED, reason=f"{shown}, above {limit.at_most:g}.")
    return Judgement(outcome=Outcome.PASSED, reason=f"{shown}, within its limit.")
