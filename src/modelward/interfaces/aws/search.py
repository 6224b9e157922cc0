"""Search for AWS clients, over what is kept at this moment: cards, packages, groups, models and training jobs."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar

from modelward.governance.access.permissions import Permission, require
from modelward.governance.cards import use_cases as cards
from modelward.governance.cards import wording
from modelward.governance.cards.entities import Card
from modelward.governance.registry import life, training
from modelward.governance.serving import deployables
from modelward.governance.tags import use_cases as tags
from modelward.interfaces.aws import search_rules as rules
from modelward.interfaces.aws.card_contents import indexed
from modelward.interfaces.aws.errors import validation
from modelward.interfaces.aws.lists import after_of, token_after
from modelward.interfaces.aws.model_cards import content_text
from modelward.interfaces.aws.model_package_groups import group_record
from modelward.interfaces.aws.models import model_record
from modelward.interfaces.aws.operations import Call, Family
from modelward.interfaces.aws.package_records import package_record
from modelward.interfaces.aws.training_jobs import training_record
from modelward.interfaces.aws.words import CARD_STATUS, tag_list, user
from modelward.kernel.browsing import Browse, Found
from modelward.kernel.errors import NotFound
from modelward.kernel.refs import CardRef, ModelRef

family = Family("sagemaker")
RESULTS_DEFAULT = 100
READ_AT_ONCE = 500
SUGGESTIONS_MAX = 50

T = TypeVar("T")
Expression = Mapping[str, Any]


class Kind(NamedTuple):
    """What can be searched: its records, the ARN by which they are told apart, and who may see them."""

    records: Callable[[Call, Expression], Iterator[dict[str, Any]]]
    arn: str
    permission: Permission


def _all(read: Callable[[Browse], Found[T]]) -> Iterator[T]:
    """Everything that a list holds, page after page."""
    browse = Browse(limit=READ_AT_ONCE)
    while True:
        found = read(browse)
        yield from found.items
        if found.next_after is None:
            return
        browse = Browse(limit=READ_AT_ONCE, after=found.next_after)


def card_records(call: Call, expression: Expression) -> Iterator[dict[str, Any]]:
    """The cards; where the model or the group is told, only those that may be of it are read."""
    model, group = rules.demanded(expression, "ModelId"), rules.demanded(expression, "ModelPackageGroupName")
    subjects = [f"package {model}", f"model {model}"] if model else None
    name = rules.demanded(expression, "ModelCardName")
    if name is not None:
        found = _known_card(call, name)
    else:
        found = _all(lambda browse: wording.browse_cards(call.work, browse, subjects=subjects, saying=group or ""))
    for card in found:
        yield card_record(call, card)


def _known_card(call: Call, name: str) -> Iterator[Card]:
    with suppress(NotFound):
        yield cards.get_card(call.work, CardRef(name))


def card_record(call: Call, card: Card, *, content: bool = True) -> dict[str, Any]:
    """A card as a search tells of it: the newest version."""
    version = cards.get_version(call.work, card.name)
    carried = tags.list_tags(call.work, f"card/{card.name}", permission=Permission.CARD_READ)
    return {
        "ModelCardArn": call.arn("model-card", card.name),
        "ModelCardName": str(card.name),
        "ModelCardVersion": card.number,
        "Content": content_text(call, version) if content else None,
        "ModelCardStatus": CARD_STATUS[card.status],
        "SecurityConfig": wording.read_particulars(call.work, card.name).get("SecurityConfig"),
        "CreationTime": card.created_at,
        "CreatedBy": user(call, card.created_by),
        "LastModifiedTime": card.modified_at,
        "LastModifiedBy": user(call, card.modified_by),
        "Tags": tag_list(carried) or None,
        **indexed(version.content),
    }


def package_records(call: Call, expression: Expression) -> Iterator[dict[str, Any]]:
    """The packages, with a group and without."""
    group = rules.demanded(expression, "ModelPackageGroupName")
    of = ModelRef(group) if group else None
    for version in _all(lambda browse: life.browse_versions(call.work, browse, of=of)):
        record = package_record(call, version, metadata=False)
        yield {**record, "Tags": tag_list(version.tags) or None}


def group_records(call: Call, expression: Expression) -> Iterator[dict[str, Any]]:
    """The groups."""
    name = rules.demanded(expression, "ModelPackageGroupName") or ""
    for model in _all(lambda browse: life.browse_models(call.work, _of(browse, name), single=False)):
        record = group_record(call, model)
        # Only a description has it; the record of a search does not know it.
        record.pop("ManagedConfiguration", None)
        yield {**record, "Tags": tag_list(model.tags) or None}


def _of(browse: Browse, name: str) -> Browse:
    return Browse(limit=browse.limit, after=browse.after, text=name)


def training_records(call: Call, expression: Expression) -> Iterator[dict[str, Any]]:
    """The recorded training runs."""
    artifact = rules.demanded(expression, "ModelArtifacts.S3ModelArtifacts")
    name = rules.demanded(expression, "TrainingJobName") or ""
    for run in _all(
        lambda browse: training.browse_trainings(call.work, _of(browse, name), artifact_uri=artifact or None)
    ):
        told = training.read_particulars(call.work, [run.name])[run.name]
        carried = tags.list_tags(call.work, f"training/{run.name}", permission=Permission.MODEL_READ)
        yield {**training_record(call, run, told), "Tags": tag_list(carried) or None}


def model_records(call: Call, expression: Expression) -> Iterator[dict[str, Any]]:
    """The models as the dashboard shows them, each with its card."""
    name = rules.demanded(expression, "Model.ModelName") or rules.demanded(expression, "ModelName") or ""
    for found in _all(lambda browse: deployables.browse_deployables(call.work, _of(browse, name))):
        told = deployables.read_particulars(call.work, [found.name])[found.name]
        carried = tags.list_tags(call.work, f"deployable/{found.name}", permission=Permission.ENDPOINT_READ)
        record = {**model_record(call, found, told), "Tags": tag_list(carried) or None}
        versions = [each.version for each in found.containers if each.version]
        subjects = [f"model {record['ModelArn']}"]
        subjects += [f"package {call.arn('model-package', f'{each.model}/{each.number}')}" for each in versions]
        told_by = wording.browse_cards(call.work, Browse(limit=1, descending=True), subjects=subjects).items
        yield {"Model": record, "ModelCard": card_record(call, told_by[0], content=False) if told_by else None}


KINDS = {
    "Model": Kind(model_records, "Model.ModelArn", Permission.ENDPOINT_READ),
    "ModelCard": Kind(card_records, "ModelCardArn", Permission.CARD_READ),
    "ModelPackage": Kind(package_records, "ModelPackageArn", Permission.MODEL_READ),
    "ModelPackageGroup": Kind(group_records, "ModelPackageGroupArn", Permission.MODEL_READ),
    "TrainingJob": Kind(training_records, "TrainingJobArn", Permission.MODEL_READ),
}
# What other tools ask for that has nothing of the kind here yet: no results, rather than an error.
EMPTY = frozenset({"Experiment", "ExperimentTrial", "ExperimentTrialComponent", "Project"})


@family.operation("Search", permission=Permission.MODEL_READ)
def search(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Find records by what they say, sorted, page after page."""
    resource, expression = request["Resource"], request.get("SearchExpression", {})
    rules.check(expression)
    after = after_of(request, "Search")
    if resource in EMPTY or request.get("CrossAccountFilterOption") == "CrossAccount":
        return {"Results": [], "TotalHits": {"Value": 0, "Relation": "EqualTo"}}
    kind = _kind(call, resource)
    path, descending = request.get("SortBy", "LastModifiedTime"), request.get("SortOrder") != "Ascending"
    if resource == "Model" and "." not in path:
        path = f"Model.{'CreationTime' if path == 'LastModifiedTime' else path}"
    found = [
        (_key(record, path, kind), record)
        for record in kind.records(call, expression)
        if rules.holds(_searched(resource, record), expression)
    ]
    found.sort(key=lambda each: each[0], reverse=descending)
    rest = [each for each in found if after is None or (each[0] < after if descending else each[0] > after)]
    limit = request.get("MaxResults", RESULTS_DEFAULT)
    more = rest[limit - 1][0] if len(rest) > limit else None
    return {
        "Results": [{resource: record} for _, record in rest[:limit]],
        "NextToken": token_after(request, "Search", more),
        "TotalHits": {"Value": len(found), "Relation": "EqualTo"},
    }


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
    by_key: dict[str, Any] = {f"Tags.{each['Key']}": each["Value"] for each in carrier.get("Tags") or []}
    return {**by_key, **(model if isinstance(model, dict) else {}), **record}


@family.operation("GetSearchSuggestions", permission=Permission.MODEL_READ)
def get_search_suggestions(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Tell which properties the records have whose names begin as is asked."""
    kind = _kind(call, request["Resource"])
    hint = request.get("SuggestionQuery", {}).get("PropertyNameQuery", {}).get("PropertyNameHint", "").lower()
    names: set[str] = set()
    for place, record in enumerate(kind.records(call, {})):
        if place >= READ_AT_ONCE:
            break
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
