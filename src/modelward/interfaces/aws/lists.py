"""Lists as AWS clients ask for them: order, filters by name and age, and a token that leads to the next page."""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from modelward.interfaces.aws.errors import AwsError, validation
from modelward.kernel import codec
from modelward.kernel.browsing import Browse, Found

# Clients that do not ask for the next page still see all of a small installation.
RESULTS_DEFAULT = 100
TIMES = {
    "CreationTimeAfter": "created_after",
    "CreationTimeBefore": "created_before",
    "LastModifiedTimeAfter": "modified_after",
    "LastModifiedTimeBefore": "modified_before",
}
SORTS = {"Name": "name", "CreationTime": "created"}
_PAGING = ("NextToken", "MaxResults")


class Order(NamedTuple):
    """How a list is sorted where the request does not say."""

    sort: str = "CreationTime"
    descending: bool = False


def browse_of(
    request: Mapping[str, Any],
    *,
    kind: str,
    sorts: Mapping[str, str] = SORTS,
    order: Order = Order(),
    text: str = "NameContains",
) -> Browse:
    """What a list request asks for. ``kind`` goes into the token, so that no other list takes it.

    Raises:
        AwsError: ValidationException, the token is not one of this very list.
    """
    wanted = request.get("SortOrder")
    times = {ours: request[theirs] for theirs, ours in TIMES.items() if theirs in request}
    return Browse(
        text=request.get(text, ""),
        sort=sorts[request.get("SortBy", order.sort)],
        descending=order.descending if wanted is None else wanted == "Descending",
        limit=request.get("MaxResults", RESULTS_DEFAULT),
        after=_after(request, kind),
        **times,
    )


def token_of(request: Mapping[str, Any], kind: str, found: Found[Any]) -> str | None:
    """The token that leads to the next page; None after the last one."""
    return token_after(request, kind, found.next_after)


def token_after(request: Mapping[str, Any], kind: str, after: tuple[str, str] | None) -> str | None:
    """The token that leads to what comes after a sort key and a name."""
    if after is None:
        return None
    return base64.urlsafe_b64encode(msgspec.json.encode([_mark(request, kind), *after])).decode()


def _after(request: Mapping[str, Any], kind: str) -> tuple[str, str] | None:
    token = request.get("NextToken")
    if not token:
        return None
    try:
        mark, key, name = msgspec.json.decode(base64.urlsafe_b64decode(token.encode()), type=tuple[str, str, str])
    except (binascii.Error, UnicodeError, ValueError) as problem:
        raise _bad_token() from problem
    if mark != _mark(request, kind):
        raise _bad_token()
    return key, name


def after_of(request: Mapping[str, Any], kind: str) -> tuple[str, str] | None:
    """Where the page begins that a request asks for; None for the first.

    Raises:
        AwsError: ValidationException, the token is not one of this very list.
    """
    return _after(request, kind)


def _mark(request: Mapping[str, Any], kind: str) -> str:
    asked = {key: value for key, value in request.items() if key not in _PAGING}
    return hashlib.sha256(kind.encode() + codec.canonical(asked)).hexdigest()[:16]


def _bad_token() -> AwsError:
    return validation("Invalid NextToken: it is not one that this list gave out, or the list was asked otherwise.")
