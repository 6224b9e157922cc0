"""Model packages for AWS clients: a package in a group is a version of a model, one without a group a single model."""

from typing import Any

from modelward.governance.access.permissions import Permission
from modelward.governance.cards import prefill
from modelward.governance.cards import use_cases as cards
from modelward.governance.registry import life
from modelward.governance.registry import use_cases as registry
from modelward.governance.registry.entities import ApprovalStatus, Stage, Version
from modelward.governance.registry.use_cases import ModelExists
from modelward.interfaces.aws.arns import is_arn, name_in
from modelward.interfaces.aws.card_contents import about_the_same, read_content
from modelward.interfaces.aws.errors import AwsError, validation
from modelward.interfaces.aws.lists import browse_of, token_of
from modelward.interfaces.aws.model_cards import change_status, keep_content, make_card
from modelward.interfaces.aws.model_package_groups import find_group
from modelward.interfaces.aws.operations import Call, Family
from modelward.interfaces.aws.package_approval import move_approval
from modelward.interfaces.aws.package_facts import artifact_in, facts_in, look_for_data, read_data_later
from modelward.interfaces.aws.package_records import package_arn, package_record, package_summary
from modelward.interfaces.aws.words import APPROVAL, APPROVALS_OF, CARD_STATUS, tags_of
from modelward.kernel.errors import Invalid, NotFound
from modelward.kernel.refs import CardRef, ModelRef, VersionRef

family = Family("sagemaker")
# What the registry keeps in words of its own; the other members are kept as they are sent.
OWN = frozenset(
    {
        "ClientToken",
        "CustomerMetadataProperties",
        "ModelApprovalStatus",
        "ModelCard",
        "ModelLifeCycle",
        "ModelPackageDescription",
        "ModelPackageGroupName",
        "ModelPackageName",
        "Tags",
    }
)
REPLACED = ("InferenceSpecification", "ModelPackageRegistrationType", "SourceUri")
# Sent in place of a content where only the status is meant.
NO_CONTENT = "null"


@family.operation("CreateModelPackage", permission=Permission.VERSION_REGISTER, prepare=look_for_data)
def create_model_package(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Register a version of a model, or a single model; its approval waits for a review."""
    if ("ModelPackageGroupName" in request) == ("ModelPackageName" in request):
        raise validation("Exactly one of ModelPackageGroupName and ModelPackageName must be given.")
    told = {key: value for key, value in request.items() if key not in OWN}
    _take_from_source(call, told)
    model = _model_for(call, request)
    version = registry.register_version(
        call.work,
        model,
        artifact=artifact_in(call, told),
        facts=facts_in(request),
        description=request.get("ModelPackageDescription", ""),
        tags=tags_of(request.get("Tags")),
    )
    if version.artifact is None:
        read_data_later(call, version.ref, told)
    life.keep_version_particulars(call.work, version.ref, told, changed=[])
    _change(call, version, request)
    if "ModelPackageGroupName" in request and (wanted := request.get("ModelApprovalStatus")):
        move_approval(call, version, wanted=wanted, description="")
    return {"ModelPackageArn": package_arn(call, version, single="ModelPackageName" in request)}


def _model_for(call: Call, request: dict[str, Any]) -> ModelRef:
    if "ModelPackageGroupName" in request:
        return find_group(call, request["ModelPackageGroupName"]).name
    name = request["ModelPackageName"]
    try:
        model = registry.register_model(call.work, name=name, description=request.get("ModelPackageDescription", ""))
    except ModelExists:
        arn = call.arn("model-package", name)
        raise validation(f"ModelPackage already exists: {arn}") from None
    life.keep_model_particulars(call.work, model.name, {}, single=True)
    return model.name


def _take_from_source(call: Call, told: dict[str, Any]) -> None:
    """A package made from another one serves as that one does, unless it says otherwise."""
    source = told.get("SourceUri", "")
    if "InferenceSpecification" in told or not (is_arn(source) and ":model-package/" in source):
        return
    found = life.read_particulars(call.work, find_package(call, source).ref)
    if "InferenceSpecification" in found:
        told["InferenceSpecification"] = found["InferenceSpecification"]


def _change(call: Call, version: Version, request: dict[str, Any]) -> None:
    """What may be said of a package when it is made and later: metadata, stage, card."""
    put, remove = request.get("CustomerMetadataProperties"), request.get("CustomerMetadataPropertiesToRemove")
    if put or remove:
        life.annotate_version(call.work, version.ref, put=put or {}, remove=remove)
    if stage := request.get("ModelLifeCycle"):
        life.stage_version(
            call.work,
            version.ref,
            stage=Stage(name=stage["Stage"], status=stage["StageStatus"], note=stage.get("StageDescription", "")),
        )
    if card := request.get("ModelCard"):
        _keep_card(call, version.ref, card)


def _keep_card(call: Call, ref: VersionRef, given: dict[str, Any]) -> None:
    """The card in a package is the card of the version."""
    text = given.get("ModelCardContent", NO_CONTENT)
    sent = None if text.strip() == NO_CONTENT else read_content(text, field="modelCard.modelCardContent")
    if sent is not None and "model_package_details" in sent.content:
        raise validation("The content of a card within a package does not know the field 'model_package_details'.")
    card = cards.find_card_of(call.work, ref)
    if card is None and sent is None:
        raise validation(f"{ref} has no model card yet: send its ModelCardContent.")
    if card is None:
        assert sent is not None
        card = make_card(
            call, name=prefill.free_name(ref, is_taken=lambda each: _is_card(call, each)), sent=sent, version=ref
        )
    elif sent is not None:
        if CARD_STATUS[card.status] == "Archived":
            raise validation(f"Model Card is in Archived state: the card {card.name} of {ref} is final.")
        current = cards.get_version(call.work, card.name).content
        card = keep_content(call, card, sent._replace(content=about_the_same(current, sent.content)))
    if "ModelCardStatus" in given:
        change_status(call, card, given["ModelCardStatus"])


def _is_card(call: Call, name: CardRef) -> bool:
    try:
        cards.get_card(call.work, name)
    except NotFound:
        return False
    return True


def find_package(call: Call, name_or_arn: str) -> Version:
    """The version that a package stands for.

    Raises:
        AwsError: ValidationException, there is none.
    """
    name = name_in(name_or_arn, kind="model-package", field="ModelPackageName")
    group, slash, number = name.rpartition("/")
    try:
        found = life.get_known_version(call.work, VersionRef.parse(f"{group}@{number}" if slash else f"{number}@1"))
        if call.is_elsewhere(name_or_arn):
            raise NotFound()
        if slash or life.get_known_model(call.work, found.model).single:
            return found
    except (Invalid, NotFound):
        pass
    told = name_or_arn if is_arn(name_or_arn) else call.arn("model-package", name)
    raise validation(f'Could not find model package "{told}". It does not exist.')


@family.operation("DescribeModelPackage", permission=Permission.MODEL_READ)
def describe_model_package(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Tell of a package, with the card of its version."""
    found = find_package(call, request["ModelPackageName"])
    return package_record(call, found, metadata=request.get("IncludedData") == "MetadataOnly")


@family.operation("UpdateModelPackage", permission=Permission.MODEL_READ, writes=True)
def update_model_package(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Change what may change of a package. Each part asks for its own permission: an approval for that to decide."""
    version = find_package(call, request["ModelPackageArn"])
    _replace(call, version, request)
    _change(call, version, request)
    description = request.get("ApprovalDescription", "")
    version = life.get_known_version(call.work, version.ref)
    if "ModelApprovalStatus" in request:
        move_approval(call, version, wanted=request["ModelApprovalStatus"], description=description)
    return {"ModelPackageArn": request["ModelPackageArn"]}


def _replace(call: Call, version: Version, request: dict[str, Any]) -> None:
    before = life.read_particulars(call.work, version.ref)
    after = {**before, **{key: request[key] for key in REPLACED if key in request}}
    if added := request.get("AdditionalInferenceSpecificationsToAdd"):
        kept = before.get("AdditionalInferenceSpecifications", [])
        names = [each["Name"] for each in [*kept, *added]]
        if len(set(names)) < len(names):
            raise validation("The names of additional inference specifications must be unique within a package.")
        after["AdditionalInferenceSpecifications"] = [*kept, *added]
    # What is said with a decision is kept with that.
    decides = request.get("ModelApprovalStatus", APPROVAL[version.status]) != APPROVAL[version.status]
    if "ApprovalDescription" in request and not decides:
        after["ApprovalDescription"] = request["ApprovalDescription"]
    changed = [key for key in after if after[key] != before.get(key)]
    if not changed:
        return
    if "InferenceSpecification" in changed and version.status is ApprovalStatus.APPROVED and not call.lenient:
        raise AwsError(
            "ConflictException", f"{version.ref} is approved as it is served now: register another version instead."
        )
    life.keep_version_particulars(call.work, version.ref, after, changed=changed)


@family.operation("ListModelPackages", permission=Permission.MODEL_READ)
def list_model_packages(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """List the versions of a model, or packages of all models: the single ones unless another type is asked for."""
    group, single = request.get("ModelPackageGroupName"), {"Versioned": False, "Both": None}
    wanted = request.get("ModelApprovalStatus")
    browse = browse_of(
        request, kind="ModelPackages", sorts={"Name": "number" if group else "name", "CreationTime": "created"}
    )
    if group and call.is_elsewhere(group):
        return {"ModelPackageSummaryList": []}
    found = life.browse_versions(
        call.work,
        browse,
        of=ModelRef(name_in(group, kind="model-package-group", field="ModelPackageGroupName")) if group else None,
        statuses=APPROVALS_OF[wanted] if wanted else None,
        single=False if group else single.get(request.get("ModelPackageType", "Unversioned"), True),
    )
    told = life.list_particulars(call.work, [each.ref for each in found.items])
    return {
        "ModelPackageSummaryList": [package_summary(call, each, told[each.ref]) for each in found.items],
        "NextToken": token_of(request, "ModelPackages", found),
    }


@family.operation("DeleteModelPackage", permission=Permission.VERSION_REGISTER)
def delete_model_package(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Withdraw a version that is not approved; what is known of it stays, and its number is not given again."""
    found = find_package(call, request["ModelPackageName"])
    if call.lenient and found.status is ApprovalStatus.APPROVED:
        registry.change_status(call.work, found.ref, status=ApprovalStatus.LAPSED, reason="Test mode.")
    life.withdraw_version(call.work, found.ref, reason="Deleted by an AWS client.")
    if life.get_known_model(call.work, found.model).single:
        life.withdraw_model(call.work, found.model, reason="Deleted by an AWS client.")
    return {}


@family.operation("BatchDescribeModelPackage", permission=Permission.MODEL_READ)
def batch_describe_model_package(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Tell of several packages, and of each that is not there why not."""
    told: dict[str, Any] = {}
    errors: dict[str, Any] = {}
    for arn in request["ModelPackageArnList"]:
        try:
            told[arn] = _batch_summary(call, find_package(call, arn))
        except AwsError as problem:
            errors[arn] = {"ErrorCode": problem.code, "ErrorResponse": problem.message}
    return {"ModelPackageSummaries": told, "BatchDescribeModelPackageErrorMap": errors}


def _batch_summary(call: Call, version: Version) -> dict[str, Any]:
    record = package_record(call, version, metadata=True)
    names = (
        "ModelPackageGroupName",
        "ModelPackageVersion",
        "ModelPackageArn",
        "ModelPackageDescription",
        "CreationTime",
        "InferenceSpecification",
        "ModelPackageStatus",
        "ModelApprovalStatus",
        "ModelPackageRegistrationType",
    )
    # Required here, though a version that was registered natively may have none.
    asked = {"ModelPackageGroupName": str(version.model), "InferenceSpecification": {"Containers": [{}]}}
    return {**asked, **{name: record[name] for name in names if record.get(name) is not None}}
