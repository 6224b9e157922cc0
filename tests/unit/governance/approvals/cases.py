"""A review that is ready to be approved, to be spoiled by the tests."""

from datetime import UTC, datetime

from modelward.governance.approvals import checks, gates, rules
from modelward.governance.approvals.entities import (
    CardFact,
    Decider,
    Dossier,
    Evidence,
    Review,
    Verdict,
    VersionFact,
)
from modelward.kernel.actors import ActorKind
from modelward.kernel.outcome import Outcome
from modelward.kernel.refs import CardRef, EvaluationRef, ReviewRef, VersionRef
from modelward.storage.blobs import digest_of

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
POLICY = gates.parse(gates.default_text(), source="default")
VERSION = VersionRef("fraud@1")


def evidence(kind, **known):
    fields = {
        "evaluation": EvaluationRef(f"evaluation-{kind}"),
        "kind": kind,
        "state": "finished",
        "outcome": Outcome.PASSED,
        "reason": "Well.",
        "dataset": digest_of(b"table"),
        "report": digest_of(kind.encode()),
        "metrics": {"balanced_accuracy": 0.9},
        "findings": [],
        "problem_type": "binary" if kind == "quality" else "",
        "requested_by": "ana",
        "finished_at": NOON,
    }
    return Evidence(**(fields | known))


def card(**known):
    fields = {
        "name": CardRef("fraud-v1"),
        "number": 2,
        "digest": digest_of(b"card"),
        "status": "draft",
        "risk_rating": "Low",
        "authors": ["ana"],
        "complete_share": 1.0,
        "missing": [],
        "shows": [digest_of(b"quality"), digest_of(b"bias")],
    }
    return CardFact(**(fields | known))


def version(**known):
    fields = {
        "ref": VERSION,
        "problem_type": "binary",
        "artifact": digest_of(b"model"),
        "artifact_stored": True,
        "registered_by": "ana",
    }
    return VersionFact(**(fields | known))


def dossier(**known):
    fields = {
        "version": version(),
        "card": card(),
        "evidence": [evidence("quality"), evidence("bias")],
        "running": [],
        "policy": digest_of(b"policy"),
    }
    return Dossier(**(fields | known))


def decider(id="rita", kind=ActorKind.PERSON, persona="risk-manager"):
    return Decider(id=id, name=id, kind=kind, persona=persona)


def open_review(facts):
    return Review(
        id=ReviewRef("review-1"),
        version=VERSION,
        because="",
        dossier=rules.digest_of(facts),
        opened_at=NOON,
        checked_at=NOON,
    )


def decide(facts, *, by=None, verdict=Verdict.APPROVE, note="", seen=None, policy=POLICY, review=None):
    decision = rules.Decision(
        verdict=verdict, note=note, seen=seen or rules.digest_of(facts), by=by or decider(), at=NOON
    )
    results = checks.judge(facts, policy, now=NOON)
    return rules.decide(review or open_review(facts), decision, facts=facts, results=results, policy=policy)
