"""Endpoints over REST, and the gateway: it asks the model, keeps what went in and came out, and only then answers."""

import asyncio
import random
from typing import TypeVar

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.governance.monitoring import captures
from modelward.governance.monitoring import rules as capture_rules
from modelward.governance.monitoring.entities import CaptureRecord
from modelward.governance.registry import use_cases as registry
from modelward.governance.serving import rules, use_cases
from modelward.governance.serving.entities import Endpoint
from modelward.interfaces.http import header, read_body, respond
from modelward.interfaces.rest.dispatch import RawRequest
from modelward.interfaces.rest.operations import Operations
from modelward.kernel.errors import Conflict, Invalid, ModelwardError, Unavailable
from modelward.kernel.ids import new_id
from modelward.kernel.pages import PAGE_SIZE_DEFAULT, Page, PageRequest
from modelward.kernel.refs import EndpointRef, VersionRef
from modelward.outbound import Answer
from modelward.storage.work import Work

T = TypeVar("T")
serving = Operations("serving")
INVOCATION_BYTES_MAX = 6 << 20
ID_HEADER = b"x-modelward-inference-id"
CAPTURED_HEADER = b"x-modelward-captured"
ID_CHARACTERS_MAX = 150


class ServedElsewhere(Conflict):
    """Modelward does not know where the model of this endpoint answers."""


class NotCaptured(Unavailable):
    """This call could not be captured, and its endpoint demands it."""


class CreateEndpoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An endpoint to create. Without a url the version is served elsewhere, and its records are sent in."""

    name: str
    version: VersionRef
    url: str = ""
    capture_share: float = 1.0
    capture_required: bool = True


class ChangeEndpoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change of an endpoint; what is left out stays."""

    version: VersionRef | msgspec.UnsetType = msgspec.UNSET
    url: str | msgspec.UnsetType = msgspec.UNSET
    capture_share: float | msgspec.UnsetType = msgspec.UNSET
    capture_required: bool | msgspec.UnsetType = msgspec.UNSET
    reason: str = ""


class ListEndpoints(msgspec.Struct, frozen=True, kw_only=True):
    """Which endpoints to list."""

    version: VersionRef | None = None
    removed: bool = False
    limit: int = PAGE_SIZE_DEFAULT
    cursor: str | None = None


class RemoveEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Why an endpoint is removed."""

    reason: str = ""


@serving.operation("POST", "/endpoints", permission=Permission.ENDPOINT_MANAGE, status=201)
def create_endpoint(work: Work, body: CreateEndpoint) -> Endpoint:
    """Create an endpoint for a version; one that is not approved is shown as such."""
    version = registry.get_version(work, body.version)
    return use_cases.create_endpoint(
        work,
        name=body.name,
        version=version.ref,
        version_status=version.status.value,
        approved_until=version.approved_until,
        url=body.url,
        capture_share=body.capture_share,
        capture_required=body.capture_required,
    )


@serving.operation("GET", "/endpoints", permission=Permission.ENDPOINT_READ)
def list_endpoints(work: Work, query: ListEndpoints) -> Page[Endpoint]:
    """List endpoints in the order of their names."""
    page = PageRequest(limit=query.limit, cursor=query.cursor)
    return use_cases.list_endpoints(work, page=page, version=query.version, removed=query.removed)


@serving.operation("GET", "/endpoints/{endpoint}", permission=Permission.ENDPOINT_READ)
def get_endpoint(work: Work, endpoint: EndpointRef) -> Endpoint:
    """Get an endpoint."""
    return use_cases.get_endpoint(work, endpoint)


@serving.operation("PATCH", "/endpoints/{endpoint}", permission=Permission.ENDPOINT_MANAGE)
def change_endpoint(work: Work, endpoint: EndpointRef, body: ChangeEndpoint) -> Endpoint:
    """Let an endpoint serve another version, or change its address and what is captured."""
    changed = use_cases.change_endpoint(
        work,
        endpoint,
        url=body.url,
        capture_share=body.capture_share,
        capture_required=body.capture_required,
        reason=body.reason,
    )
    if not isinstance(body.version, VersionRef):
        return changed
    version = registry.get_version(work, body.version)
    return use_cases.change_version(
        work,
        endpoint,
        version=version.ref,
        version_status=version.status.value,
        approved_until=version.approved_until,
        reason=body.reason,
    )


@serving.operation("DELETE", "/endpoints/{endpoint}", permission=Permission.ENDPOINT_MANAGE)
def remove_endpoint(work: Work, endpoint: EndpointRef, query: RemoveEndpoint) -> Endpoint:
    """Remove an endpoint; its records and its history stay, and its monitors are paused."""
    return use_cases.remove_endpoint(work, endpoint, reason=query.reason)


@serving.operation("POST", "/endpoints/{endpoint}/invocations", permission=Permission.ENDPOINT_INVOKE, raw=True)
async def invoke_endpoint(request: RawRequest, endpoint: EndpointRef) -> None:
    """Ask the model of an endpoint; its answer comes back unchanged, after the call was captured.

    The header ``x-modelward-inference-id`` names the captured record: the caller's, or a new one. With several rows in
    one call ``/0``, ``/1`` and so on are added. Where capturing is required and impossible, the answer is 503.
    """
    body = await read_body(request.receive, bytes_max=INVOCATION_BYTES_MAX)
    found = await _read(request, endpoint)
    if not found.url:
        raise ServedElsewhere(
            f"The endpoint {endpoint} has no url: its model is called elsewhere.", field="endpoint",
            hint="Set its url, or send its records to /endpoints/{endpoint}/captures.",
        )  # fmt: skip
    inference_id = _inference_id(request)
    wanted = random.random() < found.capture_share
    rows = _rows(found, body) if wanted else []
    sent = {"content-type": header(request.scope, b"content-type") or "application/json", "accept": "application/json"}
    answer = await request.outbound.post(found.url, body, headers=sent)
    captured = bool(rows) and answer.status < 300 and await _capture(request, found, inference_id, rows, answer)
    await respond(
        request.send,
        answer.status,
        answer.body,
        kind=answer.headers.get("content-type", "application/octet-stream").encode("latin-1"),
        headers=[(ID_HEADER, inference_id.encode()), (CAPTURED_HEADER, b"yes" if captured else b"no")],
    )


async def _read(request: RawRequest, name: EndpointRef) -> Endpoint:
    workshop = request.workshop
    if workshop.database.dialect == "sqlite":
        return workshop.read(request.actor, lambda work: use_cases.endpoint_to_invoke(work, name))
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(
        None, workshop.read, request.actor, lambda work: use_cases.endpoint_to_invoke(work, name)
    )


def _inference_id(request: RawRequest) -> str:
    given = header(request.scope, ID_HEADER)
    if len(given) > ID_CHARACTERS_MAX or not given.isascii() or not (given.isprintable()):
        raise Invalid(f"The id must have at most {ID_CHARACTERS_MAX} plain characters.", field=ID_HEADER.decode())
    return given or new_id("inference")


def _rows(found: Endpoint, body: bytes) -> list[rules.Features]:
    """The rows of a request, checked before the model is asked; none where they need not be kept."""
    try:
        rows = rules.features_of(body)
        for row in rows:
            capture_rules.check_features(row)
    except ModelwardError as problem:
        if found.capture_required:
            raise NotCaptured(
                f"The model was not asked, because the call cannot be captured: {problem.message}",
                field=problem.field,
                hint=f"Mend the request, or set capture_required of {found.name} to false.",
            ) from problem
        return []
    return rows


async def _capture(
    request: RawRequest, found: Endpoint, inference_id: str, rows: list[rules.Features], answer: Answer
) -> bool:
    predictions = rules.predictions_of(answer.body, len(rows))
    at = request.workshop.clock()
    records = [
        CaptureRecord(
            inference_id=inference_id if len(rows) == 1 else f"{inference_id}/{place}",
            at=at,
            features=row,
            prediction=said.prediction,
            probability=said.probability,
        )
        for place, (row, said) in enumerate(zip(rows, predictions, strict=True))
    ]
    try:
        await asyncio.wrap_future(
            request.workshop.submit(request.actor, lambda work: captures.keep_invocation(work, found.name, records))
        )
    except Unavailable as problem:
        if found.capture_required:
            raise NotCaptured(
                f"The call could not be captured, so its answer is held back: {problem.message}"
            ) from problem
        return False
    return True
