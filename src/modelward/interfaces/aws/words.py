"""Our words and those of AWS clients, side by side; and how a person, tags and moments are told."""

from collections.abc import Iterable
from typing import Any

from modelward.governance.cards.entities import CardStatus
from modelward.governance.registry.entities import ApprovalStatus
from modelward.interfaces.aws.errors import validation
from modelward.interfaces.aws.operations import Call, user_arn

AUTOMATIC = "aws:"
CARD_STATUS = {
    CardStatus.DRAFT: "Draft",
    CardStatus.PENDING_REVIEW: "PendingReview",
    CardStatus.APPROVED: "Approved",
    CardStatus.ARCHIVED: "Archived",
}
CARD_STATUS_OF = {theirs: ours for ours, theirs in CARD_STATUS.items()}
# An approval that lapsed waits for somebody to decide anew.
APPROVAL = {
    ApprovalStatus.PENDING: "PendingManualApproval",
    ApprovalStatus.LAPSED: "PendingManualApproval",
    ApprovalStatus.APPROVED: "Approved",
    ApprovalStatus.REJECTED: "Rejected",
}
APPROVALS_OF = {
    theirs: [ours for ours, told in APPROVAL.items() if told == theirs] for theirs in dict.fromkeys(APPROVAL.values())
}


def user(call: Call, who: str) -> dict[str, Any]:
    """A person as clients see one."""
    return {"UserProfileName": who, "IamIdentity": {"Arn": user_arn(call.account, who), "PrincipalId": who}}


def tags_of(given: Iterable[dict[str, str]] | None) -> dict[str, str]:
    """Tags from a list of keys and values; the last of one key stands.

    Raises:
        AwsError: ValidationException, a key begins as only AWS's own do.
    """
    for each in given or ():
        if each["Key"].lower().startswith(AUTOMATIC):
            raise validation(f"The tag key {each['Key']!r} begins with {AUTOMATIC}, which is reserved.")
    return {each["Key"]: each["Value"] for each in given or ()}


def tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    """Tags as a list of keys and values."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
