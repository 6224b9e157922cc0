"""Tags for AWS clients, on everything that has an ARN."""

from collections.abc import Callable
from typing import Any, NamedTuple

from modelward.governance.access.permissions import Permission
from modelward.governance.cards import use_cases as cards
from modelward.governance.registry import life, training
from modelward.governance.registry import use_cases as registry
from modelward.governance.serving import deployables
from modelward.governance.tags import use_cases as tags
from modelward.interfaces.aws.arns import Arn
from modelward.interfaces.aws.errors import validation
from modelward.interfaces.aws.lists import after_of, token_after
from modelward.interfaces.aws.model_package_groups import find_group
from modelward.interfaces.aws.model_packages import find_package
from modelward.interfaces.aws.operations import Call, Family
from modelward.interfaces.aws.words import tag_list, tags_of
from modelward.kernel.errors import NotFound
from modelward.kernel.refs import CardRef

family = Family("sagemaker")
TAGS_MAX = 50


class Kind(NamedTuple):
    """What carries tags: what it is called natively, what finds it, and what one must be allowed to change it."""

    thing: str
    find: Callable[[Call, str], object]
    read: Permission
    write: Permission


# Kinds of other families are added by them.
KINDS: dict[str, Kind] = {
    "model": Kind(
        "deployable",
        lambda call, name: deployables.get_deployable(call.work, name),
        Permission.ENDPOINT_READ,
        Permission.ENDPOINT_MANAGE,
    ),
    "model-card": Kind(
        "card", lambda call, name: cards.get_card(call.work, CardRef(name)), Permission.CARD_READ, Permission.CARD_WRITE
    ),
    "training-job": Kind(
        "training",
        lambda call, name: training.get_training(call.work, name),
        Permission.MODEL_READ,
        Permission.VERSION_REGISTER,
    ),
}


def _resource(call: Call, request: dict[str, Any]) -> Arn:
    arn = Arn.parse(request["ResourceArn"], field="resourceArn")
    if arn.service != "sagemaker" or call.is_elsewhere(request["ResourceArn"]):
        raise validation(f"Could not find {str(arn)!r}: it is not in the account {call.account}.")
    return arn


def _get(call: Call, arn: Arn) -> dict[str, str]:
    if arn.kind == "model-package-group":
        return find_group(call, arn.name).tags
    if arn.kind == "model-package":
        return find_package(call, str(arn)).tags
    kind = _kind(call, arn)
    return tags.list_tags(call.work, f"{kind.thing}/{arn.name}", permission=kind.read)


def _put(call: Call, arn: Arn, given: dict[str, str], *, gone: list[str]) -> dict[str, str]:
    """Put tags on a thing, or take some off; models and versions carry theirs themselves."""
    if arn.kind in ("model-package-group", "model-package"):
        before = _get(call, arn)
        after = {key: value for key, value in {**before, **given}.items() if key not in gone}
        _check_number(str(arn), after)
        if arn.kind == "model-package":
            return life.tag_version(call.work, find_package(call, str(arn)).ref, tags=after).tags
        return registry.describe_model(call.work, find_group(call, arn.name).name, tags=after).tags
    kind = _kind(call, arn)
    thing = f"{kind.thing}/{arn.name}"
    if gone:
        return tags.take_tags_off(call.work, thing, gone, permission=kind.write)
    return tags.put_tags(call.work, thing, given, permission=kind.write)


def _kind(call: Call, arn: Arn) -> Kind:
    kind = KINDS.get(arn.kind)
    if kind is None:
        raise validation(f"{arn} cannot be tagged here.")
    try:
        kind.find(call, arn.name)
    except NotFound:
        raise validation(f"Could not find {arn.kind} {str(arn)!r}.") from None
    return kind


def _check_number(thing: str, given: dict[str, str]) -> None:
    if len(given) > TAGS_MAX:
        raise validation(f"{thing} would have {len(given)} tags; at most {TAGS_MAX} are kept.")


@family.operation("AddTags", permission=Permission.MODEL_READ, writes=True)
def add_tags(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Put tags on a thing; whoever may change the thing may tag it."""
    given = tags_of(request["Tags"])
    after = _put(call, _resource(call, request), given, gone=[])
    return {"Tags": tag_list(after)}


@family.operation("ListTags", permission=Permission.MODEL_READ)
def list_tags(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """List the tags of a thing by key."""
    found = sorted(_get(call, _resource(call, request)).items())
    after, limit = after_of(request, "Tags"), request.get("MaxResults", TAGS_MAX)
    rest = [each for each in found if after is None or each[0] > after[0]]
    more = (rest[limit - 1][0], "") if len(rest) > limit else None
    return {"Tags": tag_list(dict(rest[:limit])), "NextToken": token_after(request, "Tags", more)}


@family.operation("DeleteTags", permission=Permission.MODEL_READ, writes=True)
def delete_tags(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Take tags off a thing; keys that it does not have are passed over."""
    _put(call, _resource(call, request), {}, gone=request["TagKeys"])
    return {}
