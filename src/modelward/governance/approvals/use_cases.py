"""What one can do with reviews: open, judge anew, decide, let lapse, read. The facts come from the dossier."""

from msgspec.structs import asdict, replace

from modelward.governance.access.permissions import Permission, require
from modelward.governance.approvals import checks, dossier, gates, rules, store
from modelward.governance.approvals.entities import (
    ApprovalLapsed,
    CheckResult,
    Dossier,
    FullReview,
    PolicyAdopted,
    PolicyInForce,
    Review,
    ReviewChecked,
    ReviewDecided,
    ReviewOpened,
    ReviewState,
    ReviewWithdrawn,
    Verdict,
)
from modelward.governance.registry import use_cases as registry
from modelward.governance.registry.entities import ApprovalStatus
from modelward.governance.registry.rules import kept_status
from modelward.kernel.errors import Conflict, NotFound
from modelward.kernel.ids import new_id
from modelward.kernel.pages import Page, PageRequest
from modelward.kernel.refs import Digest, ReviewRef, VersionRef
from modelward.storage.work import Work


class ReviewExists(Conflict):
    """The version has an open review already."""


def open_review(work: Work, version: VersionRef, *, because: str) -> Review:
    """Open a review of a version and judge its checks on the facts as they are.

    Raises:
        ReviewExists: the version has an open review.
    """
    require(work, Permission.REVIEW_REQUEST, on=version)
    registry.get_version(work, version)
    found = store.find_open(work, version)
    if found:
        raise ReviewExists(f"{version} is under review already: {found.id}.", field="version")
    return _open(work, version, because=because)


def _open(work: Work, version: VersionRef, *, because: str) -> Review:
    facts = dossier.gather(work, version)
    new = Review(
        id=ReviewRef(new_id("review")),
        version=version,
        because=because,
        checks=_judge(work, facts),
        dossier=rules.digest_of(facts),
        opened_at=work.now,
        checked_at=work.now,
    )
    store.add(work, new)
    work.record(ReviewOpened(review=new.id, version=version, because=because))
    return new


def start_review(work: Work, version: VersionRef, *, because: str) -> Review:
    """As ``open_review``; where one is open already, that one."""
    return store.find_open(work, version) or open_review(work, version, because=because)


def take_up_review(work: Work, version: VersionRef, *, because: str) -> Review:
    """The open review of a version, or a new one for somebody who is about to decide it."""
    require(work, Permission.REVIEW_DECIDE, on=version)
    registry.get_version(work, version)
    return store.find_open(work, version) or _open(work, version, because=because)


def take_back(work: Work, version: VersionRef, *, reason: str) -> Review:
    """Let an approval lapse because somebody says so, and open a review anew.

    Raises:
        StatusMoveForbidden: the version is not approved.
    """
    require(work, Permission.REVIEW_DECIDE, on=version)
    rules.check_note(reason, field="reason")
    approval = store.find_approval(work, version)
    registry.change_status(work, version, status=ApprovalStatus.LAPSED, reason=reason)
    if approval is not None:
        work.record(ApprovalLapsed(review=approval.id, version=version, reason=reason))
    return store.find_open(work, version) or _open(work, version, because=reason)


def _judge(work: Work, facts: Dossier) -> list[CheckResult]:
    return checks.judge(facts, gates.in_force(work).policy, now=work.now)


def check_review(work: Work, version: VersionRef) -> Review | None:
    """Judge the checks of a version's open review anew, and keep them where they or the facts changed."""
    require(work, Permission.REVIEW_REQUEST, on=version)
    review = store.find_open(work, version)
    if review is None:
        return None
    facts = dossier.gather(work, version)
    results, seen = _judge(work, facts), rules.digest_of(facts)
    if results == review.checks and seen == review.dossier:
        return review
    judged = replace(review, checks=results, dossier=seen, checked_at=work.now)
    store.put(work, judged)
    outcomes = {each.check: each.outcome for each in results}
    work.record(ReviewChecked(review=review.id, version=version, outcomes=outcomes, dossier=seen))
    return judged


def decide_review(work: Work, ref: ReviewRef, *, verdict: Verdict, note: str, seen: Digest) -> Review:
    """Close a review with a person's verdict. ``seen`` is the digest of the dossier that the person saw.

    Raises:
        ReviewClosed: somebody decided it already.
        DossierChanged: the facts are others by now; nothing was decided.
        NotAllowed: not a person, not one of the policy's approvers, or four eyes would be two.
        ReviewUnfinished: a blocking check did not pass, or a justification is missing.
    """
    require(work, Permission.REVIEW_DECIDE, on=ref)
    review = _review(work, ref)
    policy = gates.in_force(work).policy
    facts = dossier.gather(work, review.version)
    results = checks.judge(facts, policy, now=work.now)
    decided = rules.decide(
        review,
        rules.Decision(verdict=verdict, note=note, seen=seen, by=dossier.decider(work), at=work.now),
        facts=facts,
        results=results,
        policy=policy,
    )
    store.put(work, decided)
    status = ApprovalStatus.APPROVED if verdict is Verdict.APPROVE else ApprovalStatus.REJECTED
    assert decided.bound is not None
    work.record(
        ReviewDecided(
            review=ref,
            version=review.version,
            verdict=verdict,
            note=note,
            bound=decided.bound,
            outcomes={each.check: each.outcome for each in results},
        )
    )
    until = rules.holds_until(facts, at=work.now)
    if registry.get_version(work, review.version).status is not status:
        reason = f"{ref}: {note}" if note else str(ref)
        registry.change_status(work, review.version, status=status, reason=reason, until=until)
    elif status is ApprovalStatus.APPROVED:
        registry.put_approval_term(work, review.version, until=until)
    return decided


def let_lapse(work: Work, version: VersionRef) -> Review | None:
    """Where something that the version's approval is bound to has changed: the approval lapses and a review opens."""
    require(work, Permission.REVIEW_DECIDE, on=version)
    if kept_status(registry.get_version(work, version)) is not ApprovalStatus.APPROVED:
        return None
    approval = store.find_approval(work, version)
    if approval is None or approval.bound is None:
        return None
    facts = dossier.gather(work, version)
    reason = rules.why_lapsed(approval.bound, facts)
    if reason is None:
        _keep_term(work, version, facts)
        return None
    registry.change_status(work, version, status=ApprovalStatus.LAPSED, reason=reason)
    work.record(ApprovalLapsed(review=approval.id, version=version, reason=reason))
    return start_review(work, version, because=f"The approval {approval.id} lapsed: {reason}")


def _keep_term(work: Work, version: VersionRef, facts: Dossier) -> None:
    found = registry.get_version(work, version)
    # Past its term only a new decision helps; the sweep will say so.
    if found.status is ApprovalStatus.APPROVED:
        registry.put_approval_term(work, version, until=rules.holds_until(facts, at=work.now))


def let_all_lapse(work: Work) -> None:
    """Let each approval lapse that was bound to something else than now, as when another policy came into force."""
    require(work, Permission.REVIEW_DECIDE)
    for version in store.list_approved_versions(work):
        let_lapse(work, version)


def withdraw_review(work: Work, ref: ReviewRef, *, reason: str) -> Review:
    """Close an open review without a verdict."""
    require(work, Permission.REVIEW_REQUEST, on=ref)
    review = _review(work, ref)
    rules.check_open(review)
    rules.check_note(reason, field="reason")
    withdrawn = replace(review, state=ReviewState.WITHDRAWN, decided_at=work.now, decided_by=work.actor.id, note=reason)
    store.put(work, withdrawn)
    work.record(ReviewWithdrawn(review=ref, version=review.version, reason=reason))
    return withdrawn


def get_review(work: Work, ref: ReviewRef) -> FullReview:
    """A review with the facts as they are now and, while it is open, its checks judged now.

    With it comes what stands against an approval by the one who asks.
    """
    review = _review(work, ref)
    facts, policy = dossier.gather(work, review.version), gates.in_force(work).policy
    if review.state is ReviewState.OPEN:
        review = replace(review, checks=checks.judge(facts, policy, now=work.now))
        hindrances = rules.hindrances(facts, review.checks, policy, by=dossier.decider(work))
        to_justify = rules.to_justify(review.checks)
    else:
        hindrances, to_justify = [f"{review.id} is {review.state.value}."], []
    return FullReview(
        **asdict(review), facts=facts, seen=rules.digest_of(facts), hindrances=hindrances, to_justify=to_justify
    )


def _review(work: Work, ref: ReviewRef) -> Review:
    require(work, Permission.REVIEW_READ, on=ref)
    found = store.find(work, ref)
    if found is None:
        raise NotFound(f"There is no review {ref}.", field="review", hint="List them with `modelward review list`.")
    return found


def find_open(work: Work, version: VersionRef) -> Review | None:
    """The open review of a version; None when there is none."""
    require(work, Permission.REVIEW_READ, on=version)
    return store.find_open(work, version)


def list_reviews(
    work: Work, *, page: PageRequest, state: ReviewState | None = None, version: VersionRef | None = None
) -> Page[Review]:
    """Reviews, the newest first; by state and version."""
    require(work, Permission.REVIEW_READ)
    return store.list_reviews(work, page=page, state=state, version=version)


def get_policy(work: Work) -> PolicyInForce:
    """The policy that reviews are judged by now."""
    require(work, Permission.POLICY_READ)
    return gates.in_force(work)


def adopt_policy(work: Work, *, text: str, source: str) -> PolicyInForce:
    """Put a policy in force; the same text again changes nothing. Every policy that ever was in force is kept.

    Raises:
        Invalid: the text is not a policy.
    """
    require(work, Permission.ACCESS_MANAGE)
    policy = gates.parse(text, source=source)
    current = store.find_policy(work)
    digest = gates.digest_of(text)
    if current and current[0] == digest:
        return gates.in_force(work)
    store.add_policy(work, digest=digest, source=source, text=text)
    work.record(PolicyAdopted(policy=digest, source=source, before=current[0] if current else None))
    return PolicyInForce(policy=policy, digest=digest, source=source, text=text, at=work.now)


def check_all_reviews(work: Work) -> None:
    """Judge the checks of all open reviews anew, as when another policy came into force."""
    require(work, Permission.REVIEW_REQUEST)
    for version in store.list_open_versions(work):
        check_review(work, version)
