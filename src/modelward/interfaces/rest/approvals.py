"""Reviews and the approval policy over REST."""

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.governance.approvals import use_cases
from modelward.governance.approvals.entities import FullReview, PolicyInForce, Review, ReviewState, Verdict
from modelward.interfaces.rest.operations import Operations
from modelward.kernel.pages import PAGE_SIZE_DEFAULT, Page, PageRequest
from modelward.kernel.refs import Digest, ReviewRef, VersionRef
from modelward.storage.work import Work

approvals = Operations("approvals")


class ListReviews(msgspec.Struct, frozen=True, kw_only=True):
    """Which reviews to list."""

    state: ReviewState | None = None
    version: VersionRef | None = None
    limit: int = PAGE_SIZE_DEFAULT
    cursor: str | None = None


class OpenReview(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a review is wanted."""

    because: str = ""


class DecideReview(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A verdict, why, and ``seen``: the digest of the dossier that the person saw."""

    verdict: Verdict
    note: str = ""
    seen: Digest


class WithdrawReview(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a review is withdrawn."""

    reason: str = ""


@approvals.operation("GET", "/reviews", permission=Permission.REVIEW_READ)
def list_reviews(work: Work, query: ListReviews) -> Page[Review]:
    """List reviews, the newest first; by state and version."""
    page = PageRequest(limit=query.limit, cursor=query.cursor)
    return use_cases.list_reviews(work, page=page, state=query.state, version=query.version)


@approvals.operation("GET", "/reviews/{review}", permission=Permission.REVIEW_READ)
def get_review(work: Work, review: ReviewRef) -> FullReview:
    """Get a review with the facts as they are now, the checks, and what stands against an approval by you."""
    return use_cases.get_review(work, review)


@approvals.operation("POST", "/versions/{version}/reviews", permission=Permission.REVIEW_REQUEST, status=201)
def open_review(work: Work, version: VersionRef, body: OpenReview) -> Review:
    """Open a review of a version, as after a rejection."""
    return use_cases.open_review(work, version, because=body.because or f"{work.actor.id} asked for it.")


@approvals.operation("POST", "/reviews/{review}/decision", permission=Permission.REVIEW_DECIDE)
def decide_review(work: Work, review: ReviewRef, body: DecideReview) -> Review:
    """Decide a review. It is refused when the facts have changed since you looked, or when you may not decide it."""
    return use_cases.decide_review(work, review, verdict=body.verdict, note=body.note, seen=body.seen)


@approvals.operation("POST", "/reviews/{review}/withdrawal", permission=Permission.REVIEW_REQUEST)
def withdraw_review(work: Work, review: ReviewRef, body: WithdrawReview) -> Review:
    """Close a review without a verdict."""
    return use_cases.withdraw_review(work, review, reason=body.reason)


@approvals.operation("GET", "/policy", permission=Permission.POLICY_READ)
def get_policy(work: Work) -> PolicyInForce:
    """Get the approval policy in force."""
    return use_cases.get_policy(work)
