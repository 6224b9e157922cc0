"""What each check finds in the facts."""

from datetime import timedelta

import pytest

from modelward.governance.approvals import checks, gates
from modelward.governance.approvals.entities import BoundFact, Requirement
from modelward.governance.evaluations.entities import Limit
from modelward.kernel.errors import Invalid
from modelward.kernel.outcome import Outcome
from modelward.storage.blobs import digest_of
from unit.governance.approvals.cases import NOON, POLICY, card, dossier, evidence, version

NOTHING = dossier(card=None, evidence=[], version=version(artifact=None, artifact_stored=False))


def judge(name, facts, **asked):
    return checks.CHECKS[name](facts, Requirement(check=name, **asked), NOON)


@pytest.mark.parametrize("name", sorted(checks.CHECKS))
def test_no_check_passes_on_nothing(name):
    judged = judge(name, NOTHING)

    assert judged.outcome is not Outcome.PASSED
    assert judged.reason


@pytest.mark.parametrize("name", sorted(set(checks.CHECKS) - {"card-approved"}))
def test_every_check_passes_on_a_full_dossier(name):
    assert judge(name, dossier()).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    "name, facts, outcome",
    [
        ("artifact-stored", dossier(version=version(artifact_stored=False)), Outcome.FAILED),
        ("card-approved", dossier(card=card(status="pending-review")), Outcome.FAILED),
        ("card-approved", dossier(card=card(status="approved")), Outcome.PASSED),
        ("card-complete", dossier(card=card(complete_share=0.5, missing=["$.x"])), Outcome.FAILED),
        ("card-exists", dossier(card=card(status="archived")), Outcome.FAILED),
        ("card-shows-evidence", dossier(card=card(shows=[])), Outcome.UNDECIDED),
        ("card-shows-evidence", dossier(card=card(shows=[], status="approved")), Outcome.FAILED),
        ("bias-findings", dossier(evidence=[evidence("bias", outcome=Outcome.FAILED)]), Outcome.FAILED),
        ("bias-evidence", dossier(evidence=[evidence("bias", outcome=Outcome.FAILED)]), Outcome.PASSED),
        ("bias-evidence", dossier(evidence=[evidence("bias", state="failed", report=None)]), Outcome.UNDECIDED),
        ("quality-evidence", dossier(evidence=[evidence("quality", outcome=Outcome.UNDECIDED)]), Outcome.UNDECIDED),
        (
            "evidence-fresh",
            dossier(evidence=[evidence("quality", finished_at=NOON - timedelta(days=366))]),
            Outcome.FAILED,
        ),
    ],
)
def test_a_check_finds_what_is_wrong(name, facts, outcome):
    assert judge(name, facts).outcome is outcome


@pytest.mark.parametrize(
    "metrics, outcome", [({"auc": 0.8}, Outcome.PASSED), ({"auc": 0.6}, Outcome.FAILED), ({}, Outcome.UNDECIDED)]
)
def test_quality_keeps_the_limits_of_its_problem_type(metrics, outcome):
    limits = {"binary": {"auc": Limit(at_least=0.7)}, "regression": {"r2": Limit(at_least=2)}}
    facts = dossier(evidence=[evidence("quality", metrics=metrics)])

    assert judge("quality-evidence", facts, metrics=limits).outcome is outcome


def test_quality_that_broke_its_own_limits_fails_whatever_the_policy_asks():
    facts = dossier(evidence=[evidence("quality", outcome=Outcome.FAILED, reason="auc is low.")])

    judged = judge("quality-evidence", facts, metrics={"binary": {"balanced_accuracy": Limit(at_least=0.1)}})

    assert (judged.outcome, judged.reason) == (Outcome.FAILED, "auc is low.")


def test_evidence_for_another_problem_type_than_the_registered_decides_nothing():
    facts = dossier(version=version(problem_type=""), evidence=[evidence("quality", problem_type="regression")])

    judged = judge("quality-evidence", facts, metrics={"regression": {"balanced_accuracy": Limit(at_least=0.1)}})

    assert judged.outcome is Outcome.UNDECIDED
    assert "computed for regression" in judged.reason


def bound(**known):
    fields = {"path": "$.x", "evidence": "evaluation-1", "digest": digest_of(b"x"), "at": NOON}
    return BoundFact(**(fields | known))


@pytest.mark.parametrize(
    "fields, outcome",
    [
        ([], Outcome.PASSED),
        ([bound()], Outcome.PASSED),
        ([bound(days_max=30)], Outcome.PASSED),
        ([bound(at=NOON - timedelta(days=31), days_max=30)], Outcome.FAILED),
        ([bound(), bound(stale="Superseded by a newer run.")], Outcome.FAILED),
    ],
)
def test_a_card_that_rests_on_what_is_out_of_date_is_told_with_the_field(fields, outcome):
    judged = judge("card-evidence-current", dossier(card=card(bound=fields)))

    assert judged.outcome is outcome
    assert outcome is Outcome.PASSED or "$.x" in judged.reason


@pytest.mark.parametrize("problem_type, asked", [("regression", False), ("binary", True), ("", True)])
def test_a_check_is_left_out_only_where_the_problem_type_is_known_to_be_another(problem_type, asked):
    facts = dossier(version=version(problem_type=problem_type), evidence=[])

    found = {each.check for each in checks.judge(facts, POLICY, now=NOON)}

    assert ("bias-evidence" in found) == asked


def test_the_default_policy_asks_for_known_checks_and_blocks_on_most():
    assert POLICY.four_eyes
    assert {each.check for each in POLICY.checks if not each.blocking} == {"bias-findings", "card-shows-evidence"}


@pytest.mark.parametrize(
    "text, words",
    [
        ("name = ", "is not TOML"),
        ('name = "x"\nchecks = [{check = "sorcery"}]', "asks for 'sorcery'; known checks are artifact-stored"),
        ('name = "x"\nchecks = []\nsurprise = 1', "surprise"),
        ('name = "x"\nchecks = [{check = "card-exists", blocking = "yes"}]', "blocking"),
        ("x" * 200_000, "at most 100000"),
    ],
)
def test_a_policy_that_cannot_be_read_says_why(text, words):
    with pytest.raises(Invalid, match=words):
        gates.parse(text, source="policy.toml")


def test_a_policy_is_known_by_the_digest_of_its_text():
    assert gates.digest_of("a") == digest_of(b"a")
