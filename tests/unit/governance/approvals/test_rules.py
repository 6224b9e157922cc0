"""Who may decide what, on which facts, and when it lapses."""

import pytest
from msgspec.structs import replace

from modelward.governance.approvals import rules
from modelward.governance.approvals.entities import BoundFact, ReviewState, Verdict
from modelward.kernel.actors import ActorKind
from modelward.kernel.errors import Invalid, NotAllowed
from modelward.kernel.outcome import Outcome
from modelward.kernel.refs import EvaluationRef
from modelward.storage.blobs import digest_of
from unit.governance.approvals.cases import NOON, POLICY, card, decide, decider, dossier, evidence, open_review, version


def test_an_approval_is_bound_to_what_it_was_given_for():
    facts = dossier()

    decided = decide(facts)

    assert (decided.state, decided.decided_by) == (ReviewState.APPROVED, "rita")
    assert decided.bound == rules.binding_of(facts)
    assert decided.bound.evidence == sorted([digest_of(b"quality"), digest_of(b"bias")])
    assert decided.bound.policy == facts.policy


@pytest.mark.parametrize("verdict", list(Verdict))
@pytest.mark.parametrize(
    "facts, words",
    [
        (dossier(version=version(registered_by="rita")), "rita registered fraud@1"),
        (dossier(card=card(authors=["ben", "rita"])), "rita wrote the card fraud-v1"),
        (
            dossier(evidence=[evidence("quality", requested_by="rita")]),
            "rita asked for the evidence evaluation-quality",
        ),
    ],
)
def test_a_review_is_decided_by_four_eyes(facts, words, verdict):
    with pytest.raises(NotAllowed, match=words):
        decide(facts, verdict=verdict, note="n", by=decider("rita"))


def test_a_policy_may_ask_for_two_eyes_only():
    facts = dossier(version=version(registered_by="rita"))

    assert decide(facts, policy=replace(POLICY, four_eyes=False)).state is ReviewState.APPROVED


@pytest.mark.parametrize("kind", [ActorKind.SERVICE, ActorKind.SYSTEM])
def test_only_a_person_decides(kind):
    with pytest.raises(NotAllowed, match="only a person"):
        decide(dossier(), by=decider("robot", kind=kind))


@pytest.mark.parametrize("persona", ["data-scientist", "auditor", None])
def test_only_an_approver_of_the_policy_decides(persona):
    with pytest.raises(NotAllowed, match="not one of the policy's approvers"):
        decide(dossier(), by=decider(persona=persona))


def test_who_saw_other_facts_decides_nothing():
    seen = rules.digest_of(dossier(card=card(number=1)))

    with pytest.raises(rules.DossierChanged, match="have changed since you looked"):
        decide(dossier(), seen=seen)


def test_a_decided_review_is_not_decided_again():
    facts = dossier()
    decided = decide(facts)

    with pytest.raises(rules.ReviewClosed, match="is approved, by rita"):
        decide(facts, review=decided)


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.UNDECIDED])
@pytest.mark.parametrize("ask", [each for each in POLICY.checks if each.blocking], ids=lambda ask: ask.check)
def test_a_blocking_check_that_did_not_pass_forbids_an_approval(monkeypatch, ask, outcome):
    from modelward.governance.approvals import checks
    from modelward.kernel.outcome import Judgement

    monkeypatch.setitem(checks.CHECKS, ask.check, lambda *_: Judgement(outcome=outcome, reason="So it is."))

    with pytest.raises(rules.ReviewUnfinished, match=f"{ask.check} is {outcome.value}: So it is."):
        decide(dossier(), note="I approve all the same.")


def test_a_policy_without_checks_approves_nothing():
    with pytest.raises(rules.ReviewUnfinished, match="No check was judged"):
        decide(dossier(), policy=replace(POLICY, checks=[]))


def test_nothing_is_approved_while_an_evaluation_runs():
    with pytest.raises(rules.ReviewUnfinished, match="evaluation-7 has not ended"):
        decide(dossier(running=[EvaluationRef("evaluation-7")]))


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.UNDECIDED])
def test_a_finding_that_does_not_block_asks_for_a_written_answer(outcome):
    facts = dossier(evidence=[evidence("quality"), evidence("bias", outcome=outcome)])

    with pytest.raises(Invalid, match="answers for bias-findings"):
        decide(facts, note="  ")
    assert decide(facts, note="Reviewed with the business.").state is ReviewState.APPROVED


def test_a_rejection_needs_a_reason_and_no_passed_check():
    facts = dossier(card=None, evidence=[])

    with pytest.raises(Invalid, match="says why"):
        decide(facts, verdict=Verdict.REJECT)
    assert decide(facts, verdict=Verdict.REJECT, note="No card.").state is ReviewState.REJECTED


def test_a_note_is_kept_word_for_word_or_refused():
    hostile = "<script>alert('\"')</script> ../../ \x00"

    assert decide(dossier(), note=hostile).note == hostile
    with pytest.raises(Invalid, match="at most 4096"):
        decide(dossier(), note="x" * 100_000)


@pytest.mark.parametrize(
    "after, words",
    [
        (dossier(card=card(number=3, digest=digest_of(b"edited"))), "edited: version 2 became 3"),
        (dossier(card=None), "The card is None"),
        (dossier(card=card(status="archived")), "The card fraud-v1 was archived"),
        (
            dossier(evidence=[evidence("quality", report=digest_of(b"newer")), evidence("bias")]),
            "newer evidence: quality evaluation-quality",
        ),
        (dossier(version=version(artifact=digest_of(b"other"))), "artifact"),
        (dossier(policy=digest_of(b"another policy")), "Another policy is in force"),
    ],
)
def test_an_approval_lapses_when_a_bound_thing_is_another(after, words):
    assert words in rules.why_lapsed(rules.binding_of(dossier()), after)


@pytest.mark.parametrize(
    "after",
    [
        dossier(),
        dossier(card=card(status="approved")),
        dossier(card=card(number=4)),
        dossier(running=[EvaluationRef("evaluation-9")]),
    ],
    ids=["nothing", "card approved", "card edited and put back", "an evaluation began"],
)
def test_an_approval_stands_while_the_bound_things_are_the_same(after):
    assert rules.why_lapsed(rules.binding_of(dossier()), after) is None


def test_an_approval_lapses_with_the_evidence_that_the_card_rests_on():
    fact = BoundFact(path="$.x", evidence="evaluation-1", digest=digest_of(b"x"), at=NOON)
    given = rules.binding_of(dossier(card=card(bound=[fact])))
    stale = dossier(card=card(bound=[replace(fact, stale="Superseded.")]))
    other = dossier(card=card(number=3, bound=[replace(fact, digest=digest_of(b"y"))]))

    assert given.card_evidence == [digest_of(b"x")]
    assert rules.why_lapsed(given, dossier(card=card(bound=[fact]))) is None
    assert "$.x: Superseded." in rules.why_lapsed(given, stale)
    assert "rests on other evidence" in rules.why_lapsed(given, other)


def test_what_hinders_one_person_is_told_to_that_person():
    facts = dossier(running=[EvaluationRef("evaluation-9")])

    assert rules.hindrances(facts, [], POLICY, by=decider("ana", persona="data-scientist"))[:2] == [
        "ana is not one of the policy's approvers: owner, risk-manager.",
        "ana registered fraud@1.",
    ]
    assert open_review(facts).bound is None


@pytest.mark.parametrize("maker, may", [("ana", False), ("rita", True), ("ines", True), ("", True)])
def test_whoever_made_the_token_of_another_cannot_decide_with_it_what_they_took_part_in(maker, may):
    faults = rules.who_may_not(dossier(), POLICY, by=replace(decider("rita"), key_made_by=maker))

    assert (faults == []) is may
    if not may:
        assert faults[:2] == ["rita uses a token that ana made.", "ana registered fraud@1."]
