"""Search for AWS clients, over what is kept at this moment: cards, packages, groups, models and training jobs.

What fields of ours say is asked of the store; where an expression asks for more, whole records are looked at.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from modelward.governance.access.permissions import Permission, require
from modelward.governance.cards import inquiry as cards
from modelward.governance.registry import inquiry as registry
from modelward.governance.serving import inquiry as serving
from modelward.interfaces.aws import search_records as records
from modelward.interfaces.aws import search_rules as rules
from modelward.interfaces.aws.errors import validation
from modelward.interfaces.aws.lists import after_of, token_after
from modelward.interfaces.aws.operations import Call, Family
from modelward.interfaces.aws.search_plans import plan_of
from modelward.interfaces.aws.search_queries import condition_of, sort_of
from modelward.kernel.browsing import Group, Hits, Inquiry

family = Family("sagemaker")
RESULTS_DEFAULT = 100
READ_AT_ONCE = 500
SUGGESTIONS_MAX = 50

Expression = Mapping[str, Any]
Records = list[dict[str, Any]]


class Kind(NamedTuple):
    """What can be searched: what finds it, what tells of it, its ARN by which records are told apart, who may see it."""

    find: Callable[..., Hits[Any]]
    tell: Callable[[Call, list[Any]], Records]
    arn: str
    permission: Permission


KINDS = {
    "Model": Kind(serving.find_deployables, records.model_records, "Model.ModelArn", Permission.ENDPOINT_READ),
    "ModelCard": Kind(cards.find_cards, records.card_records, "ModelCardArn", Permission.CARD_READ),
    "ModelPackage": Kind(registry.find_versions, records.package_records, "ModelPackageArn", Permission.MODEL_READ),
    "ModelPackageGroup": Kind(
        registry.find_models, records.group_records, "ModelPackageGroupArn", Permission.MODEL_READ
    ),
    "TrainingJob": Kind(registry.find_trainings, records.training_records, "TrainingJobArn", Permission.MODEL_READ),
}
# What other tools ask for that has nothing of the kind here yet: no results, rather than an error.
EMPTY = frozenset({"Experiment", "ExperimentTrial", "ExperimentTrialComponent", "Project"})


@family.operation("Search", permission=Permission.MODEL_READ)
def search(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Find records by what they say, sorted, page after page."""
    resource, expression = request["Resource"], request.get("SearchExpression", {})
    rules.check(expression)
    if conditions := request.get("VisibilityConditions"):
        expression = {"SubExpressions": [expression, *(_visible(each) for each in conditions if "Key" in each)]}
    after = after_of(request, "Search")
    if resource in EMPTY or request.get("CrossAccountFilterOption") == "CrossAccount":
        return {"Results": [], "TotalHits": {"Value": 0, "Relation": "EqualTo"}}
    kind = _kind(call, resource)
    plan = plan_of(resource, call.account, call.region)
    path, descending = request.get("SortBy", "LastModifiedTime"), request.get("SortOrder") != "Ascending"
    asked, sort = condition_of(plan, expression), sort_of(plan, path)
    limit = request.get("MaxResults", RESULTS_DEFAULT)
    if asked.exact and sort:
        inquiry = Inquiry(where=asked.where, sort=sort, descending=descending, limit=limit, after=after)
        hits = kind.find(call.work, inquiry)
        told, next_after, count = kind.tell(call, hits.items), hits.next_after, hits.count
    else:
        found = _looked_at(call, kind, resource, asked.where, expression, path)
        found.sort(key=lambda each: each[0], reverse=descending)
        rest = [each for each in found if after is None or (each[0] < after if descending else each[0] > after)]
        next_after = rest[limit - 1][0] if len(rest) > limit else None
        told, count = [record for _, record in rest[:limit]], len(found)
    return {
        "Results": [{resource: record} for record in told],
        "NextToken": token_after(request, "Search", next_after),
        "TotalHits": {"Value": count, "Relation": "EqualTo"},
    }


def _visible(condition: dict[str, str]) -> dict[str, Any]:
    """A record is seen that has no such tag, or has it with this value."""
    absent = {"Name": condition["Key"], "Operator": "NotExists"}
    same = {"Name": condition["Key"], "Operator": "Equals", "Value": condition.get("Value", "")}
    return {"Filters": [absent, same], "Operator": "Or"}


def _looked_at(
    call: Call, kind: Kind, resource: str, where: Group, expression: Expression, path: str
) -> list[tuple[tuple[str, str], dict[str, Any]]]:
    """The records that an expression asks for, each with its sort key, of those that a condition leaves."""
    if resource == "Model" and "." not in path:
        path = f"Model.{'CreationTime' if path == 'LastModifiedTime' else path}"
    return [
        (_key(record, path, kind), record)
        for record in _every(call, kind, where)
        if rules.holds(_searched(resource, record), expression)
    ]


def _every(call: Call, kind: Kind, where: Group) -> Iterator[dict[str, Any]]:
    inquiry = Inquiry(where=where, sort="created", limit=READ_AT_ONCE)
    while True:
        hits = kind.find(call.work, inquiry, counted=False)
        yield from kind.tell(call, hits.items)
        if hits.next_after is None:
            return
        inquiry = Inquiry(where=where, sort="created", limit=READ_AT_ONCE, after=hits.next_after)


def _kind(call: Call, resource: str) -> Kind:
    kind = KINDS.get(resource)
    if kind is None:
        raise validation(f"{resource} cannot be searched here; there are {', '.join(KINDS)}.")
    require(call.work, kind.permission)
    return kind


def _key(record: dict[str, Any], path: str, kind: Kind) -> tuple[str, str]:
    rank, text = rules.sort_key(record, path)
    if not rank and path == "LastModifiedTime":
        rank, text = rules.sort_key(record, "CreationTime")
    return f"{rank}{text}", str(rules.values_at(record, kind.arn)[0])


def _searched(resource: str, record: dict[str, Any]) -> dict[str, Any]:
    """What filters look at: tags are also found by their key, and the members of a model without its name before."""
    model = record.get("Model") if resource == "Model" else None
    carrier = model if isinstance(model, dict) else record
    carried = carrier.get("Tags") or []
    by_key: dict[str, Any] = {f"Tags.{each['Key']}": each["Value"] for each in carried}
    if isinstance(model, dict):
        by_key |= {f"Model.Tags.{each['Key']}": each["Value"] for each in carried}
    return {**by_key, **(model if isinstance(model, dict) else {}), **record}


@family.operation("GetSearchSuggestions", permission=Permission.MODEL_READ)
def get_search_suggestions(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Tell which properties the records have whose names begin as is asked."""
    kind = _kind(call, request["Resource"])
    hint = request.get("SuggestionQuery", {}).get("PropertyNameQuery", {}).get("PropertyNameHint", "").lower()
    names: set[str] = set()
    for record in kind.tell(call, kind.find(call.work, Inquiry(limit=READ_AT_ONCE), counted=False).items):
        names.update(name for name in _names(record) if name.lower().startswith(hint))
    told = [{"PropertyName": name} for name in sorted(names)[:SUGGESTIONS_MAX]]
    return {"PropertyNameSuggestions": told}


def _names(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            if each is not None:
                yield from _names(each, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for each in value:
            yield from _names(each, path)
    elif path:
        yield path
