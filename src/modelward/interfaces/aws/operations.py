"""How an operation of the AWS interface is declared: service, name, permission and a function. Shapes come from botocore.

An operation without a permission cannot be registered.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.interfaces.aws.arns import Arn, is_arn, make_arn
from modelward.interfaces.http import Open, PermissionMissing
from modelward.kernel.actors import Actor
from modelward.storage.work import Work, Workshop

READS = ("Describe", "List", "Get", "Search", "BatchDescribe", "BatchGet", "Query", "Head")


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One call that has been let in: its unit of work, and where the caller believes to be."""

    work: Work
    account: str
    region: str
    request_id: str
    prepared: Any = None
    """What was gathered before the transaction, for operations that look outside."""
    lenient: bool = False
    """In test mode: references to what lies outside (roles, images, objects) are not looked up."""

    def arn(self, kind: str, name: str, *, service: str = "sagemaker") -> str:
        """The ARN of a thing in the caller's account and region."""
        return make_arn(service, self.region, self.account, kind, name)

    def is_elsewhere(self, name_or_arn: str) -> bool:
        """Whether a text is the ARN of something in another account: nothing of ours then, whatever its name."""
        return not self.lenient and is_arn(name_or_arn) and Arn.parse(name_or_arn).account != self.account

    @property
    def caller_arn(self) -> str:
        """The ARN of who calls."""
        return user_arn(self.account, self.work.actor.id)


def user_arn(account: str, actor: str) -> str:
    """The ARN of a person or a service."""
    return f"arn:aws:iam::{account}:user/{actor}"


Handler = Callable[[Call, dict[str, Any]], dict[str, Any] | None]
Prepare = Callable[[Workshop, Actor, dict[str, Any]], Any]


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation of a service."""

    service: str
    name: str
    permission: Permission | Open
    handler: Handler
    writes: bool
    prepare: Prepare | None = None

    @property
    def action(self) -> str:
        """What permission messages call it: ``sagemaker:CreateModelCard``."""
        return f"{self.service}:{self.name}"


class Family:
    """Operations that belong together, gathered by decorator."""

    def __init__(self, service: str) -> None:
        """Begin a family of a service, by botocore's name of it (``sagemaker``, ``sts``, ``iam``, ``events``)."""
        self.service = service
        self.all: list[Operation] = []

    def operation(
        self,
        name: str,
        *,
        permission: Permission | Open,
        writes: bool | None = None,
        prepare: Prepare | None = None,
    ) -> Callable[[Handler], Handler]:
        """Declare an operation by its name in the service model.

        The handler takes a ``Call`` and the request as the service model describes it (names, types, lengths, patterns
        and enums are checked already; timestamps are datetimes in UTC, blobs bytes) and returns the answer likewise:
        a datetime for a timestamp, None for a member that is absent, at any depth. ``writes`` defaults to what the name
        says; a write runs on the one writer and is answered from memory when it is sent again. ``prepare`` runs before
        the transaction, in a thread, where something takes longer than others may wait; its result is ``call.prepared``.

        Raises:
            PermissionMissing: no permission was given.
        """
        if not isinstance(permission, Permission | Open):
            raise PermissionMissing(f"{self.service} {name} has no permission: every operation declares one.")
        changes = not name.startswith(READS) if writes is None else writes

        def declare(handler: Handler) -> Handler:
            if not handler.__doc__:
                raise TypeError(f"{name} needs a docstring: it is the operation's line in the docs.")
            self.all.append(
                Operation(
                    service=self.service,
                    name=name,
                    permission=permission,
                    handler=handler,
                    writes=changes,
                    prepare=prepare,
                )
            )
            return handler

        return declare
