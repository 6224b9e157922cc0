"""What a reviewer may decide, what an approval is bound to, and when it lapses. Pure; see dossier.py for the facts."""

import hashlib
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from modelward.governance.approvals.entities import (
    Binding,
    CheckResult,
    Decider,
    Dossier,
    Policy,
    Review,
    ReviewState,
    Verdict,
)
from modelward.kernel import codec
from modelward.kernel.actors import ActorKind
from modelward.kernel.errors import Conflict, Invalid, NotAllowed
from modelward.kernel.outcome import Outcome
from modelward.kernel.refs import Digest

NOTE_CHARACTERS_MAX = 4096
OUTDATED_TOLD_MAX = 3


class ReviewClosed(Conflict):
    """This review is closed already."""


class DossierChanged(Conflict):
    """The facts of this review are others than those you saw."""


class ReviewUnfinished(Conflict):
    """The review of this version is not finished."""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What a person says: the verdict, why, on which dossier, who and when."""

    verdict: Verdict
    note: str
    seen: Digest
    by: Decider
    at: datetime


def decide(review: Review, decision: Decision, *, facts: Dossier, results: list[CheckResult], policy: Policy) -> Review:
    """The review as decided, bound to what it was decided on.

    Raises:
        ReviewClosed: it is not open.
        DossierChanged: the facts are others than those the decider saw.
        NotAllowed: this one may not decide it.
        ReviewUnfinished: it would be approved while a blocking check did not pass or an evaluation runs.
        Invalid: the note is too long, or one is needed and there is none.
    """
    check_open(review)
    check_note(decision.note)
    digest = digest_of(facts)
    if decision.seen != digest:
        raise DossierChanged(
            f"The facts about {review.version} have changed since you looked; nothing was decided.",
            field="seen",
            hint=f"Look again: `modelward review show {review.id}`.",
        )
    faults = who_may_not(facts, policy, by=decision.by)
    if faults:
        raise NotAllowed(" ".join(faults), hint="Ask another person to decide this review.")
    if decision.verdict is Verdict.APPROVE:
        _check_approvable(review, decision, facts, results)
    elif not decision.note.strip():
        raise Invalid("A rejection needs a note that says why.", field="note")
    return replace(
        review,
        state=ReviewState.APPROVED if decision.verdict is Verdict.APPROVE else ReviewState.REJECTED,
        checks=results,
        dossier=digest,
        checked_at=decision.at,
        decided_at=decision.at,
        decided_by=decision.by.id,
        note=decision.note,
        bound=binding_of(facts),
    )


def _check_approvable(review: Review, decision: Decision, facts: Dossier, results: list[CheckResult]) -> None:
    open_points = unfinished(facts, results)
    if open_points:
        raise ReviewUnfinished(
            f"{review.version} cannot be approved: {' '.join(open_points)}",
            hint=f"See `modelward review show {review.id}`.",
        )
    wanting = to_justify(results)
    if wanting and not decision.note.strip():
        raise Invalid(
            f"An approval needs a note that answers for {', '.join(wanting)}, which did not pass.", field="note"
        )


def check_open(review: Review) -> None:
    """Refuse a review that is closed.

    Raises:
        ReviewClosed: it is.
    """
    if review.state is not ReviewState.OPEN:
        raise ReviewClosed(f"{review.id} of {review.version} is {review.state.value}, by {review.decided_by}.")


def check_note(text: str, *, field: str = "note") -> None:
    """Refuse a note that is too long.

    Raises:
        Invalid: it has more characters than are kept.
    """
    if len(text) > NOTE_CHARACTERS_MAX:
        raise Invalid(f"{field} has {len(text)} characters; at most {NOTE_CHARACTERS_MAX} are kept.", field=field)


def hindrances(facts: Dossier, results: list[CheckResult], policy: Policy, *, by: Decider) -> list[str]:
    """Everything that stands against an approval by this one, in sentences."""
    return [*who_may_not(facts, policy, by=by), *unfinished(facts, results)]


def who_may_not(facts: Dossier, policy: Policy, *, by: Decider) -> list[str]:
    """Why this one may not decide: not a person, not an approver of the policy, or one of the two pairs of eyes."""
    faults = []
    if by.kind is not ActorKind.PERSON:
        faults.append(f"{by.id} is a {by.kind.value}; only a person decides a review.")
    if policy.approvers and by.persona not in policy.approvers:
        faults.append(f"{by.id} is not one of the policy's approvers: {', '.join(policy.approvers)}.")
    if policy.four_eyes:
        faults += _two_eyes(facts, by.id)
        if by.key_made_by and by.key_made_by != by.id:
            faults += _borrowed_eyes(facts, by)
    return faults


def _borrowed_eyes(facts: Dossier, by: Decider) -> list[str]:
    """Whoever made the key of another can look through that one's eyes."""
    took_part = _two_eyes(facts, by.key_made_by)
    if not took_part:
        return []
    hint = f"Let {by.id} make a token of their own, or let somebody else make it, and decide with that."
    return [f"{by.id} uses a token that {by.key_made_by} made.", *took_part, hint]


def _two_eyes(facts: Dossier, who: str) -> list[str]:
    version, card = facts.version, facts.card
    faults = []
    if version.registered_by == who:
        faults.append(f"{who} registered {version.ref}.")
    if card and who in card.authors:
        faults.append(f"{who} wrote the card {card.name}.")
    asked = [each.evaluation for each in facts.evidence if each.requested_by == who]
    if asked:
        faults.append(f"{who} asked for the evidence {', '.join(asked)}.")
    return [*faults, "Four eyes must see it."] if faults else []


def unfinished(facts: Dossier, results: list[CheckResult]) -> list[str]:
    """What must happen before an approval: blocking checks that did not pass (undecided is not passed), runs to end."""
    told = [
        f"{each.check} is {each.outcome.value}: {each.reason}"
        for each in results
        if each.blocking and each.outcome is not Outcome.PASSED
    ]
    if not results:
        told.append("No check was judged.")
    return [*told, *(f"The evaluation {each} has not ended." for each in facts.running)]


def to_justify(results: list[CheckResult]) -> list[str]:
    """The checks that do not block and did not pass: an approval answers for them in its note."""
    return [each.check for each in results if not each.blocking and each.outcome is not Outcome.PASSED]


def digest_of(facts: Dossier) -> Digest:
    """The SHA-256 of the facts: what a person saw."""
    return Digest("sha256:" + hashlib.sha256(codec.canonical(facts)).hexdigest())


def binding_of(facts: Dossier) -> Binding:
    """What a decision on these facts holds for."""
    card = facts.card
    return Binding(
        artifact=facts.version.artifact,
        card=card.name if card else None,
        card_number=card.number if card else None,
        card_digest=card.digest if card else None,
        evidence=sorted(each.report for each in facts.evidence if each.report),
        card_evidence=sorted({each.digest for each in card.bound}) if card else [],
        policy=facts.policy,
    )


def holds_until(facts: Dossier, *, at: datetime) -> datetime | None:
    """When the first of the evidence that is current at a moment becomes too old; None: none of it ever does."""
    bound = facts.card.bound if facts.card else []
    ends = [each.at + timedelta(days=each.days_max) for each in bound if each.days_max is not None and not each.stale]
    return min((each for each in ends if each >= at), default=None)


def why_lapsed(bound: Binding, facts: Dossier) -> str | None:
    """Which of the bound things is another by now; None while all are the same."""
    now = binding_of(facts)
    if now.artifact != bound.artifact:
        return f"The artifact is {now.artifact}, no longer {bound.artifact}."
    if now.card != bound.card:
        return f"The card is {now.card}, no longer {bound.card}."
    if facts.card and facts.card.status == "archived":
        return f"The card {now.card} was archived."
    # Before the card, for newer evidence is told in the card too.
    if now.evidence != bound.evidence:
        fresh = [f"{each.kind} {each.evaluation}" for each in facts.evidence if each.report not in bound.evidence]
        return f"There is newer evidence: {', '.join(fresh)}." if fresh else "The evidence is no longer the same."
    outdated = [f"{each.path}: {each.stale}" for each in facts.card.bound if each.stale] if facts.card else []
    if outdated:
        return f"What the card {now.card} rests on is out of date. {' '.join(outdated[:OUTDATED_TOLD_MAX])}"
    if now.card_digest != bound.card_digest:
        return f"The card {now.card} was edited: version {bound.card_number} became {now.card_number}."
    if now.card_evidence != bound.card_evidence and now.card_number != bound.card_number:
        return f"The card {now.card} rests on other evidence than in version {bound.card_number}."
    if now.policy != bound.policy:
        return f"Another policy is in force: {now.policy}, no longer {bound.policy}."
    return None
