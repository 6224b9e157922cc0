"""How a version of the registry is told to AWS clients as a model package."""

from typing import Any

from modelward.governance.cards import use_cases as cards
from modelward.governance.registry import life
from modelward.governance.registry.entities import ApprovalStatus, Version
from modelward.interfaces.aws.model_cards import content_text
from modelward.interfaces.aws.operations import Call
from modelward.interfaces.aws.package_approval import description_of
from modelward.interfaces.aws.words import APPROVAL, CARD_STATUS, user

DECIDED = (ApprovalStatus.APPROVED, ApprovalStatus.REJECTED)


def package_arn(call: Call, version: Version, *, single: bool) -> str:
    """The ARN of the package that a version is."""
    return call.arn("model-package", str(version.model) if single else f"{version.model}/{version.number}")


def _is_single(call: Call, version: Version) -> bool:
    return version.number == 1 and life.get_known_model(call.work, version.model).single


def package_summary(call: Call, version: Version, told: dict[str, Any]) -> dict[str, Any]:
    """A package in a list; ``told`` are its particulars."""
    single = _is_single(call, version)
    stage = version.stage
    return {
        # With a name the newer SDK would ask for that instead of the ARN, and a group is no package.
        "ModelPackageName": str(version.model) if single else None,
        "ModelPackageGroupName": None if single else str(version.model),
        "ModelPackageVersion": None if single else version.number,
        "ModelPackageArn": package_arn(call, version, single=single),
        "ModelPackageDescription": version.description or None,
        "CreationTime": version.created_at,
        "ModelPackageStatus": "Completed",
        "ModelApprovalStatus": None if single else APPROVAL[version.status],
        "ModelLifeCycle": {
            "Stage": stage.name,
            "StageStatus": stage.status,
            "StageDescription": stage.note or None,
        }
        if stage
        else None,
        "ModelPackageRegistrationType": told.get("ModelPackageRegistrationType"),
    }


def package_record(call: Call, version: Version, *, metadata: bool = False) -> dict[str, Any]:
    """All that is told of a package; of its card the whole content, or the metadata only."""
    told = life.read_particulars(call.work, version.ref)
    if "InferenceSpecification" not in told and version.facts.inference_environment:
        images = version.facts.inference_environment
        told = {**told, "InferenceSpecification": {"Containers": [{"Image": each} for each in images[:15]]}}
    decided = description_of(version) if version.status in DECIDED else ""
    return {
        **told,
        **package_summary(call, version, told),
        "ModelPackageName": str(version.model),
        "ModelPackageStatusDetails": {"ValidationStatuses": []},
        "ApprovalDescription": decided or told.get("ApprovalDescription"),
        "CustomerMetadataProperties": version.metadata or None,
        "CreatedBy": user(call, version.created_by),
        "LastModifiedTime": version.modified_at,
        "LastModifiedBy": user(call, version.modified_by) if version.modified_by else None,
        "ModelCard": _card(call, version, metadata=metadata),
    }


def _card(call: Call, version: Version, *, metadata: bool) -> dict[str, Any] | None:
    card = cards.find_card_of(call.work, version.ref)
    if card is None:
        return None
    content = content_text(call, cards.get_version(call.work, card.name), metadata=metadata)
    return {"ModelCardContent": content, "ModelCardStatus": CARD_STATUS[card.status]}
