"""What a review checks: each a pure function from the facts to a three-valued judgement. Adding one is a line in CHECKS."""

from collections.abc import Callable
from datetime import datetime, timedelta

from modelward.governance.approvals.entities import CheckResult, Dossier, Evidence, Policy, Requirement
from modelward.governance.evaluations.entities import EvaluationKind, EvaluationState
from modelward.governance.evaluations.rules import judge_limits
from modelward.kernel.outcome import Judgement, Outcome, worst

SHARE_MIN_DEFAULT = 0.6
DAYS_MAX_DEFAULT = 365
MISSING_SHOWN_MAX = 6


def judge(facts: Dossier, policy: Policy, *, now: datetime) -> list[CheckResult]:
    """Judge the checks that the policy asks for of a version of this problem type."""
    problem_type = facts.version.problem_type
    results = []
    for ask in policy.checks:
        # While the problem type is not known every check counts, so that leaving it out saves nobody a check.
        if ask.problem_types and problem_type and problem_type not in ask.problem_types:
            continue
        found = CHECKS[ask.check](facts, ask, now)
        results.append(CheckResult(check=ask.check, outcome=found.outcome, reason=found.reason, blocking=ask.blocking))
    return results


def _passed(reason: str) -> Judgement:
    return Judgement(outcome=Outcome.PASSED, reason=reason)


def _failed(reason: str) -> Judgement:
    return Judgement(outcome=Outcome.FAILED, reason=reason)


def _undecided(reason: str) -> Judgement:
    return Judgement(outcome=Outcome.UNDECIDED, reason=reason)


def artifact_stored(facts: Dossier, ask: Requirement, now: datetime) -> Judgement:
    """The bytes of the model are kept under the digest that was registered."""
    if facts.version.artifact is None:
        return _failed(f"{facts.version.ref} was registered without an artifact.")
    if not facts.version.artifact_stored:
        return _failed(f"The bytes of {facts.version.artifact} are missing from the store.")
    return _passed(f"{facts.version.artifact} is stored.")


def card_exists(facts: Dossier, ask: Requirement, now: datetime) -> Judgement:
    """The version has a card that is not archived."""
    if facts.card is None:
        return _undecided(f"{facts.version.ref} has no card yet.")
    if facts.card.status == "archived":
        return _failed(f"The card {facts.card.name} is archived.")
    return _passed(f"The card is {facts.card.name}.")


def card_complete(facts: Dossier, ask: Requirement, now: datetime) -> Judgement:
    """Enough of the recommended fields of the card are filled."""
    if facts.card is None:
        return _undecided(f"{facts.version.ref} has no card yet.")
    wanted = ask.share_min if ask.share_min is not None else SHARE_MIN_DEFAULT
    told = f"{facts.card.name} fills {facts.card.complete_share:.0%} of the recommended fields; {wanted:.0%} are asked."
    if facts.card.complete_share < wanted:
        return _failed(f"{told} Missing: {', '.join(facts.card.missing[:MISSING_SHOWN_MAX])}.")
    return _passed(told)


def card_approved(facts: Dossier, ask: Requirement, now: datetime) -> Judgement:
    """The card itself is approved."""
    if facts.card is None:
        return _undecided(f"{facts.version.ref} has no card yet.")
    told = f"The card {facts.card.name} is {facts.card.status}."
    return _passed(told) if facts.card.status == "approved" else _failed(told)


def card_shows_evidence(facts: Dossier, ask: Requirement, now: datetime) -> Judgement:
    """The card tells of each piece of evidence by its digest."""
    if facts.card is None:
        return _undecided(f"{facts.version.ref} has no card yet.")
    reports = [each.report for each in facts.evidence if each.report]
    absent = [each.evaluation for each in facts.evidence if each.report and each.report not in facts.card.shows]
    if not reports:
        return _undecided("There is no evidence to show yet.")
    if not absent:
        return _passed(f"{facts.card.name} shows all {len(reports)} reports.")
    told = f"{facts.card.name} does not tell of {', '.join(absent)}"
    if facts.card.status == "draft":
        return _undecided(f"{told} yet.")
    return _failed(f"{told}, because it is {facts.card.status}: only a draft is updated.")


def card_evidence_current(facts: Dossier, ask: Requirement, now: datetime) -> Judgement:
    """No field of the card rests on evidence that was superseded or has become too old."""
    if facts.card is None:
        return _undecided(f"{facts.version.ref} has no card yet.")
    stale = []
    for each in facts.card.bound:
        too_old = each.days_max is not None and now - each.at > timedelta(days=each.days_max)
        if each.stale or too_old:
            stale.append(f"{each.path}: {each.stale or f'older than {each.days_max} days'}")
    if stale:
        return _failed(
            f"{facts.card.name} rests on evidence that is out of date. {' '.join(stale[:MISSING_SHOWN_MAX])}"
        )
    if not facts.card.bound:
        return _passed(f"{facts.card.name} has no bound field, so none rests on what is out of date.")
    return _passed(f"All {len(facts.card.bound)} bound fields of {facts.card.name} rest on current evidence.")


def _evidence(facts: Dossier, kind: EvaluationKind) -> Evidence | Judgement:
    """The finished evidence of a kind, or why there is none."""
    for each in facts.evidence:
        if each.kind == kind.value and each.state == EvaluationState.FINISHED.value:
            return each
        if each.kind == kind.value:
            return _undecided(f"The {kind.value} evaluation {each.evaluation} could not be computed: {each.reason}")
    return _undecided(f"No {kind.value} evaluation of {facts.version.ref} has finished.")


def quality_evidence(facts: Dossier, ask: Requirement, now: datetime) -> Judgement:
    """A quality evaluation finished, keeps its own limits, and the policy's for its problem type."""
    found = _evidence(facts, EvaluationKind.QUALITY)
    if isinstance(found, Judgement):
        return found
    if found.problem_type and facts.version.problem_type != found.problem_type:
        # Else whoever asks for the evidence would choose by which limits it is judged.
        return _undecided(
            f"{found.evaluation} was computed for {found.problem_type}, but {facts.version.ref} is registered as another."
        )
    judged = []
    limits = ask.metrics.get(found.problem_type, {})
    if limits:
        judged.append(judge_limits(found.metrics, limits))
    if not limits or found.outcome is Outcome.FAILED:
        judged.append(
            Judgement(outcome=found.outcome or Outcome.UNDECIDED, reason=found.reason or "It was not judged.")
        )
    outcome = worst([each.outcome for each in judged])
    reason = " ".join(each.reason for each in judged if each.outcome is outcome)
    return Judgement(outcome=outcome, reason=reason)


def bias_evidence(facts: Dossier, ask: Requirement, now: datetime) -> Judgement:
    """A bias evaluation finished, whatever it found."""
    found = _evidence(facts, EvaluationKind.BIAS)
    return found if isinstance(found, Judgement) else _passed(f"{found.evaluation} finished.")


def bias_findings(facts: Dossier, ask: Requirement, now: datetime) -> Judgement:
    """What the bias evaluation found."""
    found = _evidence(facts, EvaluationKind.BIAS)
    if isinstance(found, Judgement):
        return found
    return Judgement(outcome=found.outcome or Outcome.UNDECIDED, reason=found.reason or "It was not judged.")


def evidence_fresh(facts: Dossier, ask: Requirement, now: datetime) -> Judgement:
    """No piece of evidence is older than the policy allows."""
    days_max = ask.days_max if ask.days_max is not None else DAYS_MAX_DEFAULT
    ended = {each.evaluation: each.finished_at for each in facts.evidence if each.report and each.finished_at}
    if not ended:
        return _undecided("There is no evidence yet.")
    old = sorted(name for name, at in ended.items() if now - at > timedelta(days=days_max))
    if old:
        return _failed(f"Older than {days_max} days: {', '.join(old)}.")
    return _passed(f"All {len(ended)} reports are at most {days_max} days old.")


Check = Callable[[Dossier, Requirement, datetime], Judgement]
CHECKS: dict[str, Check] = {
    "artifact-stored": artifact_stored,
    "bias-evidence": bias_evidence,
    "bias-findings": bias_findings,
    "card-approved": card_approved,
    "card-complete": card_complete,
    "card-evidence-current": card_evidence_current,
    "card-exists": card_exists,
    "card-shows-evidence": card_shows_evidence,
    "evidence-fresh": evidence_fresh,
    "quality-evidence": quality_evidence,
}
