"""How an operation is declared: method, path, permission, and a function whose signature is the contract.

An operation without a permission cannot be registered.
"""

import inspect
import re
from collections.abc import Callable
from typing import Any, get_type_hints

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.interfaces.http import Open as Open
from modelward.interfaces.http import PermissionMissing as PermissionMissing
from modelward.storage.work import Work

Handler = Callable[..., Any]
BODY_BYTES_MAX = 1 << 20


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation of the API, read off the signature of its handler."""

    name: str
    method: str
    path: str
    permission: Permission | Open
    status: int
    handler: Handler
    summary: str
    path_types: dict[str, Any]
    query_type: type[msgspec.Struct] | None
    body_type: Any
    returns: Any
    raw: bool
    slow: bool
    secret: bool
    bytes_max: int
    tag: str

    @property
    def writes(self) -> bool:
        """Whether it changes anything."""
        return self.method != "GET"


class Operations:
    """The operations of one capability, gathered by decorator."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.all: list[Operation] = []

    def operation(
        self,
        method: str,
        path: str,
        *,
        permission: Permission | Open,
        status: int = 200,
        raw: bool = False,
        slow: bool = False,
        secret: bool = False,
        bytes_max: int = BODY_BYTES_MAX,
    ) -> Callable[[Handler], Handler]:
        """Declare an operation.

        The handler takes ``work: Work``, the path's parts by name, and where wanted ``body`` and ``query``; it returns
        a value of ours. A raw handler is a coroutine that takes a ``RawRequest`` and answers by itself. ``slow`` reads
        run in a thread of their own. The answer of a ``secret`` operation is never kept for a retry.

        Raises:
            PermissionMissing: no permission was given.
        """
        if not isinstance(permission, Permission | Open):
            raise PermissionMissing(f"{method} {path} has no permission: every operation declares one.")

        def declare(handler: Handler) -> Handler:
            hints = get_type_hints(handler)
            names = re.findall(r"{(\w+)}", path)
            if not raw:
                _check_signature(handler, hints, names)
            self.all.append(
                Operation(
                    name=handler.__name__,
                    method=method,
                    path=path,
                    permission=permission,
                    status=status,
                    handler=handler,
                    summary=inspect.getdoc(handler) or "",
                    path_types={name: hints.get(name, str) for name in names},
                    query_type=hints.get("query"),
                    body_type=hints.get("body"),
                    returns=hints.get("return"),
                    raw=raw,
                    slow=slow,
                    secret=secret,
                    bytes_max=bytes_max,
                    tag=self.tag,
                )
            )
            return handler

        return declare


def _check_signature(handler: Handler, hints: dict[str, Any], names: list[str]) -> None:
    wanted = {"work", *names}
    given = set(inspect.signature(handler).parameters)
    if not wanted <= given or given - wanted - {"body", "query"} or hints.get("work") is not Work:
        raise TypeError(
            f"{handler.__name__} must take work, {', '.join(names)} and at most body and query; it takes {given}."
        )
    if not inspect.getdoc(handler):
        raise TypeError(f"{handler.__name__} needs a docstring: it is the operation's text in the API document.")
