"""Model cards for AWS clients: the same cards as on the pages, by the same use cases."""

from typing import Any

import msgspec
from msgspec.structs import replace

from modelward.governance.access.entities import SYSTEM
from modelward.governance.access.permissions import Permission
from modelward.governance.cards import deletion, keeping, linking, wording
from modelward.governance.cards import use_cases as cards
from modelward.governance.cards.entities import Card, CardStatus, CardVersion, Content
from modelward.governance.registry import life
from modelward.governance.tags import use_cases as tags
from modelward.interfaces.aws.arns import Arn, is_arn, name_in
from modelward.interfaces.aws.card_contents import Sent, metadata_only, read_content
from modelward.interfaces.aws.errors import AwsError, not_found, validation
from modelward.interfaces.aws.lists import Order, browse_of, token_of
from modelward.interfaces.aws.operations import Call, Family
from modelward.interfaces.aws.words import CARD_STATUS, CARD_STATUS_OF, tags_of, user
from modelward.kernel import codec
from modelward.kernel.errors import Invalid, NotFound
from modelward.kernel.refs import CardRef, VersionRef

family = Family("sagemaker")
REASON = "Changed through the AWS interface."


@family.operation("CreateModelCard", permission=Permission.CARD_WRITE)
def create_model_card(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Make a model card with its first version, in the status that is asked for."""
    name = request["ModelCardName"]
    sent = read_content(request["Content"], lenient=call.lenient)
    try:
        cards.get_card(call.work, CardRef(name))
    except NotFound:
        pass
    else:
        raise AwsError("ConflictException", f"Modelcard {name} already exists")
    version = _room_for(call, version_in(call, sent.content))
    card = make_card(call, name=name, sent=sent, version=version)
    if config := request.get("SecurityConfig"):
        wording.keep_particulars(call.work, card.name, {"SecurityConfig": config})
    if given := tags_of(request.get("Tags")):
        tags.put_tags(call.work, f"card/{name}", given, permission=Permission.CARD_WRITE)
    change_status(call, card, request["ModelCardStatus"])
    return {"ModelCardArn": call.arn("model-card", name)}


def make_card(call: Call, *, name: str, sent: Sent, version: VersionRef | None) -> Card:
    """Make a card that says what was sent, and keep the words."""
    card = cards.create_card(
        call.work, name=name, content=sent.content, version=version, note=_note(sent, "Sent by an AWS client.")
    )
    wording.keep_text(call.work, card.name, card.number, sent.text)
    return card


def _note(sent: Sent, told: str) -> str:
    odd = f" Not a number, so changed or left out: {', '.join(sent.changed[:20])}." if sent.changed else ""
    return told + odd


def version_in(call: Call, content: Content) -> VersionRef | None:
    """The version of ours whose package a content is about; None where it is about something else."""
    arn = content.get("model_package_details", {}).get("model_package_arn")
    if not isinstance(arn, str) or not is_arn(arn):
        return None
    if call.is_elsewhere(arn):
        return None
    group, slash, number = Arn.parse(arn, field="model_package_arn").name.rpartition("/")
    try:
        ref = VersionRef.parse(f"{group}@{number}" if slash else f"{number}@1")
        return life.get_known_version(call.work, ref).ref
    except (Invalid, NotFound):
        return None


def _room_for(call: Call, version: VersionRef | None) -> VersionRef | None:
    """A version's card that only the house drafted gives way to one that somebody sends. Where somebody wrote one, as
    with the package itself, the new card stands beside it and is about the package by its content.
    """
    if version is None:
        return None
    drafted = cards.find_card_of(call.work, version)
    if drafted is None or drafted.status is CardStatus.ARCHIVED:
        return version
    if drafted.created_by != SYSTEM.id or cards.list_authors(call.work, drafted.name):
        return None
    deletion.delete_card(call.work, drafted.name, reason="An AWS client sent a card of its own.")
    return version


def change_status(call: Call, card: Card, wanted: str) -> Card:
    """Move a card to a status by the rules of the house; in test mode to any."""
    status = CARD_STATUS_OF[wanted]
    if status is card.status:
        return card
    if call.lenient:
        return keeping.keep_status(call.work, card, status, reason="Test mode.")
    return cards.change_status(call.work, card.name, status=status, reason=REASON)


def keep_content(call: Call, card: Card, sent: Sent) -> Card:
    """Give a card the content that was sent; the same content makes no version."""
    edited = cards.edit_card(call.work, card.name, content=sent.content, note=_note(sent, REASON))
    if edited.number != card.number:
        wording.keep_text(call.work, card.name, edited.number, sent.text)
    if edited.version is None and (version := _room_for(call, version_in(call, sent.content))):
        return linking.link_card(call.work, card.name, version)
    return edited


@family.operation("DescribeModelCard", permission=Permission.CARD_READ)
def describe_model_card(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Tell of a card and one of its versions, the newest unless another is named."""
    name = card_name(call, request["ModelCardName"])
    found = wording.describe_card(call.work, CardRef(name), request.get("ModelCardVersion"))
    if found is None:
        raise _no_version(find_card(call, name), request["ModelCardVersion"])
    card, number = found.card, found.number
    return {
        "ModelCardArn": call.arn("model-card", card.name),
        "ModelCardName": str(card.name),
        "ModelCardVersion": number,
        "Content": _told_content(found, metadata=request.get("IncludedData") == "MetadataOnly"),
        "ModelCardStatus": CARD_STATUS[wording.status_of(call.work, card, number)],
        "SecurityConfig": found.particulars.get("SecurityConfig"),
        "CreationTime": card.created_at,
        "CreatedBy": user(call, card.created_by),
        "LastModifiedTime": card.modified_at if number == card.number else found.at,
        "LastModifiedBy": user(call, card.modified_by if number == card.number else found.by),
    }


def _told_content(found: wording.Described, *, metadata: bool) -> str:
    if found.text is not None and not metadata:
        return found.text
    content = msgspec.json.decode(found.kept)
    return codec.encode(metadata_only(content) if metadata else content).decode()


def content_text(call: Call, version: CardVersion, *, metadata: bool = False) -> str:
    """The content of a version as it was sent, or what of it is metadata."""
    if metadata:
        return codec.encode(metadata_only(version.content)).decode()
    return wording.text_of(call.work, version.card, version.number, version.content)


def find_card(call: Call, name_or_arn: str) -> Card:
    """A card by name or ARN.

    Raises:
        AwsError: ResourceNotFound, there is none.
    """
    name = card_name(call, name_or_arn)
    try:
        return cards.get_card(call.work, CardRef(name))
    except NotFound:
        raise not_found(f"Modelcard {name} does not exist.") from None


def card_name(call: Call, name_or_arn: str) -> str:
    """The name of a card that is told by name or ARN.

    Raises:
        AwsError: ResourceNotFound, it is a card of another account; ValidationException, it is no card.
    """
    name = name_in(name_or_arn, kind="model-card", field="ModelCardName")
    if call.is_elsewhere(name_or_arn):
        raise not_found(f"Modelcard {name_or_arn} does not exist.")
    return name


def _version(call: Call, card: Card, number: int) -> CardVersion:
    try:
        return cards.get_version(call.work, card.name, number=number)
    except NotFound:
        raise _no_version(card, number) from None


def _no_version(card: Card, number: int) -> AwsError:
    return not_found(f"Modelcard with name {card.name} and version: {number} does not exist")


@family.operation("UpdateModelCard", permission=Permission.CARD_WRITE)
def update_model_card(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Give a card a new content, which makes a version, or another status; never both at once."""
    card = find_card(call, request["ModelCardName"])
    current = _version(call, card, card.number)
    sent = read_content(request["Content"], lenient=call.lenient) if "Content" in request else None
    if sent is not None and sent.content == current.content:
        sent = None
    status = request.get("ModelCardStatus", CARD_STATUS[card.status])
    if sent is not None and status != CARD_STATUS[card.status]:
        raise validation("You cannot update both model card content and model card status in a single call.")
    if sent is not None:
        edited = keep_content(call, card, sent)
        if call.lenient and edited.status is not card.status:
            keeping.keep_status(call.work, edited, card.status, reason="Test mode.")
    else:
        change_status(call, card, status)
    return {"ModelCardArn": call.arn("model-card", card.name)}


@family.operation("DeleteModelCard", permission=Permission.CARD_WRITE)
def delete_model_card(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a card with its versions. Only a draft that was never approved goes; others are archived."""
    card = find_card(call, request["ModelCardName"])
    deletion.delete_card(call.work, card.name, reason=REASON, regardless=call.lenient)
    tags.forget_tags(call.work, f"card/{card.name}", permission=Permission.CARD_WRITE)
    return {}


@family.operation("ListModelCards", permission=Permission.CARD_READ)
def list_model_cards(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """List cards, by name, age and status."""
    wanted = request.get("ModelCardStatus")
    browse = browse_of(request, kind="ModelCards")
    found = wording.browse_cards(call.work, browse, status=CARD_STATUS_OF[wanted] if wanted else None)
    return {
        "ModelCardSummaries": [
            {
                "ModelCardName": str(each.name),
                "ModelCardArn": call.arn("model-card", each.name),
                "ModelCardStatus": CARD_STATUS[each.status],
                "CreationTime": each.created_at,
                "LastModifiedTime": each.modified_at,
            }
            for each in found.items
        ],
        "NextToken": token_of(request, "ModelCards", found),
    }


@family.operation("ListModelCardVersions", permission=Permission.CARD_READ)
def list_model_card_versions(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """List the versions of a card, each with the last status that the card had with it."""
    card = find_card(call, request["ModelCardName"])
    wanted = request.get("ModelCardStatus")
    browse = browse_of(request, kind="ModelCardVersions", sorts={"Version": "number"}, order=Order("Version"))
    found = wording.browse_versions(
        call.work, card.name, replace(browse, text=""), status=CARD_STATUS_OF[wanted] if wanted else None
    )
    return {
        "ModelCardVersionSummaryList": [
            {
                "ModelCardName": str(card.name),
                "ModelCardArn": call.arn("model-card", card.name),
                "ModelCardStatus": CARD_STATUS[each.status],
                "ModelCardVersion": each.number,
                "CreationTime": each.at,
                "LastModifiedTime": card.modified_at if each.number == card.number else each.at,
            }
            for each in found.items
        ],
        "NextToken": token_of(request, "ModelCardVersions", found),
    }
