"""Exports of model cards for AWS clients: a PDF is written by a job and put into the bucket that was named."""

from typing import Any

from modelward.governance.access.permissions import Permission
from modelward.governance.cards.documents import delivery
from modelward.governance.cards.documents import use_cases as documents
from modelward.governance.cards.documents.delivery import Delivery, DeliveryState
from modelward.governance.cards.documents.entities import ExportState
from modelward.governance.objects import use_cases as objects
from modelward.interfaces.aws.arns import Arn, S3Uri
from modelward.interfaces.aws.errors import AwsError, access_denied, not_found, validation
from modelward.interfaces.aws.lists import SORTS, browse_of, token_of
from modelward.interfaces.aws.model_cards import find_card
from modelward.interfaces.aws.operations import Call, Family
from modelward.kernel.errors import NotFound
from modelward.kernel.refs import CardRef
from modelward.storage.object_store import BucketNotListed

family = Family("sagemaker")
STATUS = {
    DeliveryState.WAITING: "InProgress",
    DeliveryState.DELIVERED: "Completed",
    DeliveryState.FAILED: "Failed",
}
NUMBER_LONGEST = 999_999_999
STATUS_OF = {theirs: ours for ours, theirs in STATUS.items()}


@family.operation("CreateModelCardExportJob", permission=Permission.CARD_EXPORT)
def create_model_card_export_job(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Ask for a version of a card as a PDF in a bucket."""
    card = find_card(call, request["ModelCardName"])
    name, path = request["ModelCardExportJobName"], request["OutputConfig"]["S3OutputPath"]
    where = S3Uri.parse(path, field="outputConfig.s3OutputPath")
    _check_place(call, where, f"{card.name}/{NUMBER_LONGEST}/{name}.pdf")
    if delivery.find_delivery_named(call.work, card.name, name):
        raise AwsError("ConflictException", f"Modelcard export job {name} of {card.name} already exists")
    try:
        # A name that an export of ours has may be another's here.
        export = documents.request_export(call.work, card.name, number=request.get("ModelCardVersion"))
    except NotFound as problem:
        raise not_found(problem.message) from None
    delivery.ask_delivery(call.work, export.id, card=card.name, name=name, address=path)
    return {"ModelCardExportJobArn": _arn(call, card.name, name)}


def _check_place(call: Call, where: S3Uri, below: str) -> None:
    """A document goes into a bucket of ours, or into one of the object store outside that is listed."""
    outside, told = call.work.object_store, f"The bucket {where.bucket[:80]!r} of 'outputConfig.s3OutputPath'"
    if outside and outside.lists(where.bucket):
        try:
            outside.check_place(where.bucket, f"{where.key.rstrip('/')}/{below}", write=True)
        except BucketNotListed as problem:
            raise access_denied(problem.message) from None
        return
    try:
        objects.get_bucket(call.work, where.bucket)
    except NotFound:
        reason = "is not listed in s3_buckets, and Modelward keeps none of that name" if outside else "does not exist"
        raise validation(f"{told} {reason}.") from None


def _arn(call: Call, card: str, name: str) -> str:
    return call.arn("model-card", f"{card}/export-job/{name}")


@family.operation("DescribeModelCardExportJob", permission=Permission.CARD_READ)
def describe_model_card_export_job(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Tell how far an export is and where its PDF lies."""
    text = request["ModelCardExportJobArn"]
    card, _, name = Arn.parse(text, field="modelCardExportJobArn").name.partition("/export-job/")
    found = delivery.find_delivery_named(call.work, CardRef(card), name)
    if found is None:
        raise not_found(f"Modelcard export job {text} does not exist.")
    state, reason = _state(call, found)
    told = {
        "ModelCardExportJobName": found.name,
        "ModelCardExportJobArn": _arn(call, found.card, found.name),
        "Status": STATUS[state],
        "ModelCardName": str(found.card),
        "ModelCardVersion": found.number,
        "OutputConfig": {"S3OutputPath": found.address},
        "CreatedAt": found.created_at,
        "LastModifiedAt": found.at,
    }
    if state is DeliveryState.DELIVERED:
        told["ExportArtifacts"] = {"S3ExportArtifacts": found.artifact}
    elif state is DeliveryState.FAILED:
        told["FailureReason"] = reason
    return told


def _state(call: Call, found: Delivery) -> tuple[DeliveryState, str]:
    """An export that failed will never be delivered."""
    if found.state is DeliveryState.WAITING:
        export = documents.get_export(call.work, found.export)
        if export.state is ExportState.FAILED:
            return DeliveryState.FAILED, export.reason
    return found.state, found.reason


@family.operation("ListModelCardExportJobs", permission=Permission.CARD_READ)
def list_model_card_export_jobs(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """List the exports of a card that went into a bucket."""
    card = find_card(call, request["ModelCardName"])
    wanted = request.get("StatusEquals")
    browse = browse_of(
        request,
        kind="ModelCardExportJobs",
        sorts={**SORTS, "Status": "state"},
        text="ModelCardExportJobNameContains",
    )
    found = delivery.browse_deliveries(
        call.work,
        card.name,
        browse,
        state=STATUS_OF[wanted] if wanted else None,
        number=request.get("ModelCardVersion"),
    )
    return {
        "ModelCardExportJobSummaries": [
            {
                "ModelCardExportJobName": each.name,
                "ModelCardExportJobArn": _arn(call, each.card, each.name),
                "Status": STATUS[_state(call, each)[0]],
                "ModelCardName": str(each.card),
                "ModelCardVersion": each.number,
                "CreatedAt": each.created_at,
                "LastModifiedAt": each.at,
            }
            for each in found.items
        ],
        "NextToken": token_of(request, "ModelCardExportJobs", found),
    }
