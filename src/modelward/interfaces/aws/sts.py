"""Who one is: the security token service."""

from typing import Any

from modelward.governance.access.permissions import Permission
from modelward.interfaces.aws.operations import Call, Family

family = Family("sts")


@family.operation("GetCallerIdentity", permission=Permission.SELF_READ)
def get_caller_identity(call: Call, _request: dict[str, Any]) -> dict[str, Any]:
    """Tell who one is and in which account."""
    return {"UserId": call.work.actor.id, "Account": call.account, "Arn": call.caller_arn}
