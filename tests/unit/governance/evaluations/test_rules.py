"""What an evaluation needs to be told, and how measures are judged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.governance.evaluations import rules
from modelward.governance.evaluations.entities import EvaluationKind, EvaluationSettings, Limit, ProblemType
from modelward.kernel.errors import Invalid
from modelward.kernel.outcome import Outcome

QUALITY = {"label": "y", "prediction": "p", "problem_type": ProblemType.BINARY}
numbers = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    "kind, settings, field",
    [
        (EvaluationKind.QUALITY, {}, "settings.label"),
        (EvaluationKind.QUALITY, {"label": "y", "prediction": "p"}, "settings.problem_type"),
        (EvaluationKind.QUALITY, {"label": "y", "problem_type": ProblemType.REGRESSION}, "settings.prediction"),
        (EvaluationKind.QUALITY, QUALITY | {"facets": ["sex"]}, "settings.facets"),
        (EvaluationKind.QUALITY, QUALITY | {"limits": {"auc": Limit()}}, "settings.limits"),
        (EvaluationKind.QUALITY, QUALITY | {"label": "y" * 300}, "settings"),
        (EvaluationKind.BIAS, {"label": "y"}, "settings.facets"),
        (EvaluationKind.BIAS, {"label": "y", "facets": ["a"], "limits": {"x": Limit(at_least=0)}}, "settings.limits"),
        (EvaluationKind.BIAS, {"label": "y", "facets": ["a"] * 30}, "settings"),
    ],
)
def test_settings_that_lack_something_are_refused_by_name(kind, settings, field):
    with pytest.raises(Invalid) as told:
        rules.check_settings(kind, EvaluationSettings(**settings))

    assert told.value.field == field


def test_without_limits_nothing_is_passed():
    assert rules.judge_limits({"auc": 1.0}, {}).outcome is Outcome.UNDECIDED


def test_a_measure_that_was_not_made_is_undecided():
    judged = rules.judge_limits({"auc": None}, {"auc": Limit(at_least=0.1), "f1": Limit(at_least=0.1)})

    assert judged.outcome is Outcome.UNDECIDED
    assert judged.reason == "auc was not measured. f1 was not measured."


@given(value=numbers, least=numbers, most=numbers)
def test_a_measure_passes_exactly_within_its_limits(value, least, most):
    judged = rules.judge_limits({"m": value}, {"m": Limit(at_least=least, at_most=most)})

    assert (judged.outcome is Outcome.PASSED) == (least <= value <= most)


def test_one_failure_fails_all_and_is_the_one_told():
    judged = rules.judge_limits({"a": 1.0, "b": 0.0}, {"a": Limit(at_least=0.5), "b": Limit(at_least=0.5)})

    assert judged.outcome is Outcome.FAILED
    assert judged.reason == "b is 0, below 0.5."
