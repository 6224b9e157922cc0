"""Reviews: the dossier, its checks, and the form of the decision with what the signature means."""

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.governance.approvals import use_cases
from modelward.governance.approvals.entities import FullReview, ReviewState, Verdict
from modelward.governance.evaluations import use_cases as evaluations
from modelward.interfaces.web import reports
from modelward.interfaces.web.charts import Chart
from modelward.interfaces.web.history import history_of
from modelward.interfaces.web.views import Redirect, Shown, Views, show
from modelward.kernel.errors import ModelwardError
from modelward.kernel.pages import PageRequest
from modelward.kernel.refs import Digest, ReviewRef
from modelward.storage.work import Work

views = Views()
REVIEWS_ON_A_PAGE = 50


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """Which reviews to list."""

    state: ReviewState | None = None
    cursor: str | None = None


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What was just done."""

    done: str = ""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict, why, and the digest of what the decider saw."""

    verdict: Verdict
    note: str = ""
    seen: str = ""


@views.page("GET", "/reviews", permission=Permission.REVIEW_READ)
def list_reviews(work: Work, query: Listed) -> Shown:
    """Reviews, the newest first."""
    page = PageRequest(limit=REVIEWS_ON_A_PAGE, cursor=query.cursor)
    found = use_cases.list_reviews(work, page=page, state=query.state)
    return show("reviews.html", page=found, query=query, states=list(ReviewState))


@views.page("GET", "/reviews/{review}", permission=Permission.REVIEW_READ)
def show_review(work: Work, review: ReviewRef, query: Done) -> Shown:
    """A review with its dossier."""
    return _review(work, review, done=query.done, form={}, problem=None)


def decide_again(work: Work, review: ReviewRef, form: dict[str, str], problem: ModelwardError) -> Shown:
    """The review with the refused decision."""
    return _review(work, review, done="", form=form, problem=problem)


def _review(work: Work, ref: ReviewRef, *, done: str, form: dict[str, str], problem: ModelwardError | None) -> Shown:
    found = use_cases.get_review(work, ref)
    policy = use_cases.get_policy(work) if Permission.POLICY_READ in work.actor.permissions else None
    return show(
        "review.html",
        review=found,
        policy=policy,
        drawings=_drawings(work, found),
        history=history_of(work, ref, found.version),
        done=done,
        form=form,
        problem=problem,
    )


def _drawings(work: Work, review: FullReview) -> dict[str, list[Chart]]:
    """The rates of groups, for each bias report of the dossier."""
    found: dict[str, list[Chart]] = {}
    for each in review.facts.evidence:
        if each.report and each.kind == "bias" and Permission.EVALUATION_READ in work.actor.permissions:
            report = reports.read(evaluations.read_report(work, each.evaluation))
            found[each.evaluation] = [chart for part in report.reports if (chart := reports.group_rates(part))]
    return found


@views.page("POST", "/reviews/{review}/decision", permission=Permission.REVIEW_DECIDE, again=decide_again)
def decide(work: Work, review: ReviewRef, form: Decision) -> Redirect:
    """Close a review with a verdict."""
    seen = Digest.parse(form.seen, field="seen")
    decided = use_cases.decide_review(work, review, verdict=form.verdict, note=form.note.strip(), seen=seen)
    return Redirect(to=f"/reviews/{review}?done={decided.state.value}")
