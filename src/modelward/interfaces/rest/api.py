"""All operations of the native API, gathered."""

import msgspec

from modelward.interfaces.http import respond
from modelward.interfaces.identity import Identity
from modelward.interfaces.rest import (
    access,
    alerts,
    approvals,
    audit,
    captures,
    card_attachments,
    card_comments,
    card_evidence,
    card_exports,
    card_life,
    card_packs,
    card_tags,
    cards,
    deployables,
    evaluations,
    jobs,
    key_pairs,
    lineage,
    monitoring,
    overview,
    registry,
    serving,
    upkeep,
    version_life,
    webhooks,
)
from modelward.interfaces.rest.dispatch import RawRequest, Rest
from modelward.interfaces.rest.openapi import document
from modelward.interfaces.rest.operations import Open, Operation, Operations
from modelward.outbound import Outbound
from modelward.storage.work import Workshop

CAPABILITIES: list[Operations] = [
    access.access,
    key_pairs.key_pairs,
    registry.registry,
    version_life.version_life,
    deployables.deployables,
    audit.audit,
    jobs.jobs,
    cards.cards,
    card_evidence.card_evidence,
    card_life.card_life,
    card_packs.card_packs,
    card_tags.card_tags,
    card_comments.card_comments,
    card_exports.card_exports,
    card_attachments.card_attachments,
    evaluations.evaluations,
    approvals.approvals,
    lineage.lineage,
    overview.overview,
    serving.serving,
    captures.captures,
    monitoring.monitoring,
    alerts.alerts,
    webhooks.webhooks,
    upkeep.upkeep,
]


def all_operations() -> list[Operation]:
    """Every operation of the API."""
    return [operation for capability in CAPABILITIES for operation in capability.all]


def build_api(workshop: Workshop, identity: Identity, *, outbound: Outbound, version: str) -> Rest:
    """Build the API with its own description at /api/v1/openapi.json."""
    operations = all_operations()
    about = Operations("about")
    drawn: list[bytes] = []

    @about.operation("GET", "/openapi.json", permission=Open("the contract tells nothing of what is stored"), raw=True)
    async def openapi(request: RawRequest) -> None:
        """Get this document."""
        if not drawn:
            drawn.append(msgspec.json.encode(document(operations, version=version)))
        await respond(request.send, 200, drawn[0])

    operations = [*operations, *about.all]
    return Rest(operations, workshop=workshop, identity=identity, outbound=outbound)
