"""How a version of the registry is told to AWS clients as a model package."""

from typing import Any, NamedTuple

from modelward.governance.cards import inquiry as card_inquiry
from modelward.governance.cards import use_cases as cards
from modelward.governance.cards.entities import Card
from modelward.governance.registry import inquiry, life
from modelward.governance.registry.entities import ApprovalStatus, Version
from modelward.interfaces.aws.card_contents import plain_text
from modelward.interfaces.aws.model_cards import content_text
from modelward.interfaces.aws.operations import Call
from modelward.interfaces.aws.package_approval import description_of
from modelward.interfaces.aws.words import APPROVAL, CARD_STATUS, user
from modelward.kernel.refs import CardRef

DECIDED = (ApprovalStatus.APPROVED, ApprovalStatus.REJECTED)


def package_arn(call: Call, version: Version, *, single: bool) -> str:
    """The ARN of the package that a version is."""
    return call.arn("model-package", str(version.model) if single else f"{version.model}/{version.number}")


def package_name(version: Version, *, single: bool) -> str:
    """The name by which a package can be described and deleted, as the service model takes it: ``fraud/3``.

    The newer SDK asks for a package anew by the name that it was told, so the name of the group alone would not do.
    """
    return str(version.model) if single else f"{version.model}/{version.number}"


def _is_single(call: Call, version: Version) -> bool:
    return version.number == 1 and life.get_known_model(call.work, version.model).single


def package_summary(call: Call, version: Version, told: dict[str, Any]) -> dict[str, Any]:
    """A package in a list; ``told`` are its particulars."""
    return _summary(call, version, told, single=_is_single(call, version))


def _summary(call: Call, version: Version, told: dict[str, Any], *, single: bool) -> dict[str, Any]:
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


class Beside(NamedTuple):
    """What is told of a package beside its version: what was sent with it, whether it is a single one, and its card."""

    told: dict[str, Any]
    single: bool
    card: dict[str, Any] | None


def package_record(call: Call, version: Version, *, metadata: bool = False) -> dict[str, Any]:
    """All that is told of a package; of its card the whole content, or the metadata only."""
    told = life.read_particulars(call.work, version.ref)
    return told_package(call, version, Beside(told, _is_single(call, version), _card(call, version, metadata=metadata)))


def told_package(call: Call, version: Version, beside: Beside) -> dict[str, Any]:
    """A package as clients see one."""
    told, single = beside.told, beside.single
    if "InferenceSpecification" not in told and version.facts.inference_environment:
        images = version.facts.inference_environment
        told = {**told, "InferenceSpecification": {"Containers": [{"Image": each} for each in images[:15]]}}
    decided = description_of(version) if version.status in DECIDED else ""
    return {
        **told,
        **_summary(call, version, told, single=single),
        "ModelPackageName": package_name(version, single=single),
        "ModelPackageStatusDetails": {"ValidationStatuses": []},
        "ApprovalDescription": decided or told.get("ApprovalDescription"),
        "CustomerMetadataProperties": version.metadata or None,
        "CreatedBy": user(call, version.created_by),
        "LastModifiedTime": version.modified_at,
        "LastModifiedBy": user(call, version.modified_by) if version.modified_by else None,
        "ModelCard": beside.card,
    }


def _card(call: Call, version: Version, *, metadata: bool) -> dict[str, Any] | None:
    card = cards.find_card_of(call.work, version.ref)
    if card is None:
        return None
    content = content_text(call, cards.get_version(call.work, card.name), metadata=metadata)
    return {"ModelCardContent": content, "ModelCardStatus": CARD_STATUS[card.status]}


def many_packages(call: Call, versions: list[Version]) -> list[dict[str, Any]]:
    """Several packages as clients see them, read at once."""
    refs = [each.ref for each in versions]
    told = life.list_particulars(call.work, refs)
    single = inquiry.list_single(call.work, list({each.model for each in versions}))
    found = card_inquiry.cards_of(call.work, refs)
    texts = card_inquiry.tell_cards(call.work, [each.name for each in found.values()])
    return [
        told_package(call, each, Beside(told[each.ref], each.model in single, _inline(found.get(each.ref), texts)))
        for each in versions
    ]


def _inline(card: Card | None, texts: dict[CardRef, card_inquiry.Told]) -> dict[str, Any] | None:
    if card is None:
        return None
    text = texts[card.name]
    return {"ModelCardContent": text.text or plain_text(text.kept), "ModelCardStatus": CARD_STATUS[card.status]}
