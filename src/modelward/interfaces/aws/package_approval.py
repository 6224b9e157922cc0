"""The approval of a model package by an AWS client: the decision of a review, with its gate and its four eyes."""

from modelward.governance.approvals import use_cases as approvals
from modelward.governance.approvals.entities import Verdict
from modelward.governance.registry import use_cases as registry
from modelward.governance.registry.entities import ApprovalStatus, Version
from modelward.interfaces.aws.errors import validation
from modelward.interfaces.aws.operations import Call
from modelward.interfaces.aws.words import APPROVAL
from modelward.kernel.errors import Conflict

NO_REASON = "An AWS client rejected it and gave no reason."
TEST_MODE = "Test mode."
VERDICTS = {"Approved": Verdict.APPROVE, "Rejected": Verdict.REJECT}
STATUSES = {"Approved": ApprovalStatus.APPROVED, "Rejected": ApprovalStatus.REJECTED}


def move_approval(call: Call, version: Version, *, wanted: str, description: str) -> None:
    """Bring a version to an approval status, or refuse as the review would.

    Raises:
        AwsError: ValidationException, the gate or the table of moves refuses.
        NotAllowed: the caller may not decide it.
    """
    if APPROVAL[version.status] == wanted:
        return
    if call.lenient:
        _move_freely(call, version, wanted, description)
    elif wanted in VERDICTS:
        _decide(call, version, wanted, description)
    else:
        _take_back(call, version, description)


def _move_freely(call: Call, version: Version, wanted: str, description: str) -> None:
    # In test mode other people's test suites run: they know of no reviews.
    status = STATUSES.get(wanted, ApprovalStatus.LAPSED)
    if status is ApprovalStatus.LAPSED and version.status is ApprovalStatus.REJECTED:
        registry.change_status(call.work, version.ref, status=ApprovalStatus.APPROVED, reason=TEST_MODE)
    registry.change_status(call.work, version.ref, status=status, reason=f"{TEST_MODE}: {description}")


def _decide(call: Call, version: Version, wanted: str, description: str) -> None:
    note = description or (NO_REASON if wanted == "Rejected" else "")
    try:
        review = approvals.take_up_review(call.work, version.ref, because="An AWS client asked for a decision.")
        seen = approvals.get_review(call.work, review.id).seen
        approvals.decide_review(call.work, review.id, verdict=VERDICTS[wanted], note=note, seen=seen)
    except Conflict as problem:
        raise validation(f"{problem.message} {problem.hint or ''}".strip()) from problem


def _take_back(call: Call, version: Version, description: str) -> None:
    """An approval that is taken back lapses, and a review begins anew."""
    if version.status is not ApprovalStatus.APPROVED:
        raise validation(
            f"{version.ref} is {APPROVAL[version.status]}; only an approval can be taken back to PendingManualApproval."
        )
    approvals.take_back(call.work, version.ref, reason=description or "An AWS client took the approval back.")


def description_of(version: Version) -> str:
    """What was said with the last decision."""
    return version.status_reason.partition(": ")[2]
