"""All facts of a review, gathered once from the registry, the cards and the evaluations. Judges nothing."""

from modelward.governance.access import use_cases as access
from modelward.governance.access.entities import SYSTEM
from modelward.governance.approvals import gates
from modelward.governance.approvals.entities import BoundFact, CardFact, Decider, Dossier, Evidence, VersionFact
from modelward.governance.cards import evidence_store as card_evidence
from modelward.governance.cards import reading as card_reading
from modelward.governance.cards import use_cases as cards
from modelward.governance.cards.entities import CardVersion
from modelward.governance.cards.prefill import shown_reports
from modelward.governance.evaluations import use_cases as evaluations
from modelward.governance.evaluations.entities import Evaluation, EvaluationKind, ProblemType
from modelward.governance.registry import use_cases as registry
from modelward.kernel.errors import NotFound
from modelward.kernel.refs import Digest, VersionRef
from modelward.storage.work import Work


def gather(work: Work, ref: VersionRef) -> Dossier:
    """The facts about a version as they are now. The time is not among them, so equal facts have equal digests."""
    version = registry.get_version(work, ref)
    evidence = [_evidence(each) for each in evaluations.newest_of_each_kind(work, ref)]
    return Dossier(
        version=VersionFact(
            ref=ref,
            problem_type=_problem_type(version.facts.problem_type, evidence),
            artifact=version.artifact,
            artifact_stored=version.artifact is not None and _is_stored(work, version.artifact),
            registered_by=version.created_by,
        ),
        card=_card(work, ref),
        evidence=evidence,
        running=evaluations.list_unfinished(work, ref),
        policy=gates.in_force(work).digest,
    )


def _is_stored(work: Work, artifact: Digest) -> bool:
    try:
        registry.get_artifact(work, artifact)
    except NotFound:
        return False
    # A bucket is not asked here: a unit of work must not wait for the network. The row came after the bytes.
    return work.blobs.path(artifact) is None or work.blobs.exists(artifact)


def _card(work: Work, ref: VersionRef) -> CardFact | None:
    card = cards.find_card_of(work, ref)
    if card is None:
        return None
    current = cards.get_version(work, card.name)
    complete = card_reading.get_completeness(work, card.name)
    return CardFact(
        name=card.name,
        number=card.number,
        digest=card.digest,
        status=card.status.value,
        risk_rating=card.risk_rating.value,
        authors=cards.list_authors(work, card.name),
        complete_share=complete.share,
        missing=complete.missing,
        shows=shown_reports(current.content),
        bound=_bound(work, current),
    )


def _bound(work: Work, current: CardVersion) -> list[BoundFact]:
    # What is noted as stale, not what would be found so now: the time is no fact. Checks look at the age.
    noted = {each.path: each.stale for each in card_evidence.places_of(work, current.card)}
    return [
        BoundFact(
            path=path,
            evidence=each.evidence,
            digest=each.digest,
            at=each.at,
            days_max=each.days_max,
            stale=noted.get(path, ""),
        )
        for path, each in sorted(current.bindings.items())
    ]


def _evidence(evaluation: Evaluation) -> Evidence:
    problem_type = evaluation.settings.problem_type
    return Evidence(
        evaluation=evaluation.id,
        kind=evaluation.kind.value,
        state=evaluation.state.value,
        outcome=evaluation.outcome,
        reason=evaluation.reason,
        dataset=evaluation.dataset,
        report=evaluation.report,
        metrics=evaluation.summary.metrics,
        findings=evaluation.summary.findings,
        problem_type=problem_type.value if problem_type else "",
        requested_by=evaluation.created_by,
        finished_at=evaluation.finished_at,
    )


def _problem_type(registered: str, evidence: list[Evidence]) -> str:
    """What was registered or what the quality evidence was computed for; empty where neither says or both differ."""
    text = registered.lower()
    told = {each.value for each in ProblemType if text.startswith(each.value)}
    told |= {each.problem_type for each in evidence if each.kind == EvaluationKind.QUALITY.value and each.problem_type}
    return told.pop() if len(told) == 1 else ""


def decider(work: Work) -> Decider:
    """The actor of this work as one who decides."""
    persona = access.persona_of(work, id=work.actor.id)
    actor = work.actor
    key_made_by = "" if actor.key_made_by == SYSTEM.id else actor.key_made_by
    return Decider(id=actor.id, name=actor.name, kind=actor.kind, persona=persona, key_made_by=key_made_by)
