"""Roles, as far as clients look at them. Permissions live elsewhere, so a role is only a name that may be used."""

import hashlib
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.interfaces.aws.arns import partition_of
from modelward.interfaces.aws.operations import Call, Family

family = Family("iam")
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
}
SINCE = datetime(2024, 1, 1, tzinfo=UTC)


@family.operation("GetRole", permission=Permission.SELF_READ)
def get_role(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Describe a role: every name stands for one that jobs may take. It gives nobody any permission here."""
    name = request["RoleName"]
    return {
        "Role": {
            "Path": "/",
            "RoleName": name,
            "RoleId": "AROA" + hashlib.sha256(name.encode()).hexdigest()[:16].upper(),
            "Arn": f"arn:{partition_of(call.region)}:iam::{call.account}:role/{name}",
            "CreateDate": SINCE,
            "AssumeRolePolicyDocument": quote(msgspec.json.encode(TRUST).decode(), safe=""),
        }
    }
