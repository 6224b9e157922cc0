"""Every permission there is, and the personas that carry them. Deny by default: what is not listed is refused.

A name is ``thing.verb``; the list is kept in the order of the alphabet. The sentence under a name is its entry in
docs/PERMISSIONS.md.
"""

from enum import StrEnum

from modelward.kernel.actors import Actor
from modelward.kernel.errors import NotAllowed, NotSignedIn
from modelward.storage.work import Work


class Permission(StrEnum):
    """Something that can be allowed."""

    ACCESS_MANAGE = "access.manage"
    """Add and disable people and services, change personas, make and revoke anybody's tokens."""
    ALERT_READ = "alert.read"
    """See alerts, their history and the rules that open them."""
    ALERT_TRIAGE = "alert.triage"
    """Acknowledge, mute, assign and close alerts."""
    ARTIFACT_READ = "artifact.read"
    """See and download the stored bytes of models."""
    ARTIFACT_WRITE = "artifact.write"
    """Store the bytes of a model."""
    AUDIT_READ = "audit.read"
    """Read the event log and verify that it is whole."""
    BLOB_COLLECT = "blob.collect"
    """See which stored bytes nothing has referred to for some days, have them deleted, and take over a store of bytes."""
    CAPTURE_READ = "capture.read"
    """Read captured predictions and ground truth; they may hold personal data."""
    CAPTURE_WRITE = "capture.write"
    """Send captured predictions and ground truth."""
    CARD_APPROVE = "card.approve"
    """Change the status of a model card, such as to approved."""
    CARD_COMMENT = "card.comment"
    """Comment on model cards, ask others to look at a section, and answer them."""
    CARD_EXPORT = "card.export"
    """Write model cards as documents, such as PDF; who may read a card may fetch what was written."""
    CARD_GOVERN = "card.govern"
    """Say what model cards must have (templates, control packs) and which controls apply to a card."""
    CARD_READ = "card.read"
    """Read model cards and their versions."""
    CARD_WRITE = "card.write"
    """Write model cards."""
    ENDPOINT_INVOKE = "endpoint.invoke"
    """Ask an endpoint for a prediction through the gateway."""
    ENDPOINT_MANAGE = "endpoint.manage"
    """Make, change and remove endpoints and say where their models answer."""
    ENDPOINT_READ = "endpoint.read"
    """See endpoints and which versions they serve."""
    EVALUATION_READ = "evaluation.read"
    """Read evaluations of versions: bias, explainability, quality."""
    EVALUATION_WRITE = "evaluation.write"
    """Run or submit an evaluation of a version."""
    JOB_READ = "job.read"
    """See the jobs that wait, run, are done or were given up."""
    LINEAGE_READ = "lineage.read"
    """See the graph of what was made from what."""
    MODEL_READ = "model.read"
    """See models and their versions."""
    MODEL_WRITE = "model.write"
    """Register models and describe them."""
    MONITOR_MANAGE = "monitor.manage"
    """Make, change, pause, run and remove monitors and baselines."""
    MONITOR_READ = "monitor.read"
    """See monitors, baselines, runs and violations."""
    OBJECT_READ = "object.read"
    """List buckets and read the objects in them."""
    OBJECT_WRITE = "object.write"
    """Make and remove buckets; store, copy and remove objects."""
    POLICY_READ = "policy.read"
    """Read the approval policy and its gates."""
    REVIEW_DECIDE = "review.decide"
    """Approve or reject a version at the end of its review."""
    REVIEW_READ = "review.read"
    """See reviews, their checks and their evidence."""
    REVIEW_REQUEST = "review.request"
    """Ask for a review of a version."""
    SELF_READ = "self.read"
    """See who one is, and manage one's own tokens and sessions; every signed-in actor has it."""
    VERSION_REGISTER = "version.register"
    """Register a version of a model."""
    VERSION_STAGE = "version.stage"
    """Say which stage of its life a version has reached."""
    WEBHOOK_MANAGE = "webhook.manage"
    """Make, change and remove webhooks, which send events to addresses outside, and see what they delivered."""


class Persona(StrEnum):
    """A ready-made set of permissions, named after a job."""

    OWNER = "owner"
    DATA_SCIENTIST = "data-scientist"
    RISK_MANAGER = "risk-manager"
    AUDITOR = "auditor"
    CAPTURE_AGENT = "capture-agent"


READ_ALL = frozenset(each for each in Permission if each.value.endswith(".read"))
PERSONAS: dict[Persona, frozenset[Permission]] = {
    Persona.OWNER: frozenset(Permission),
    Persona.DATA_SCIENTIST: READ_ALL
    | {
        Permission.ALERT_TRIAGE,
        Permission.ARTIFACT_WRITE,
        Permission.CAPTURE_WRITE,
        Permission.CARD_COMMENT,
        Permission.CARD_EXPORT,
        Permission.CARD_WRITE,
        Permission.ENDPOINT_INVOKE,
        Permission.ENDPOINT_MANAGE,
        Permission.EVALUATION_WRITE,
        Permission.MODEL_WRITE,
        Permission.MONITOR_MANAGE,
        Permission.OBJECT_WRITE,
        Permission.REVIEW_REQUEST,
        Permission.VERSION_REGISTER,
        Permission.VERSION_STAGE,
    },
    Persona.RISK_MANAGER: READ_ALL
    | {
        Permission.ALERT_TRIAGE,
        Permission.CARD_APPROVE,
        Permission.CARD_COMMENT,
        Permission.CARD_EXPORT,
        Permission.CARD_GOVERN,
        Permission.CARD_WRITE,
        Permission.REVIEW_DECIDE,
        Permission.VERSION_STAGE,
    },
    # A document of what they may read anyway.
    Persona.AUDITOR: READ_ALL | {Permission.CARD_EXPORT},
    Persona.CAPTURE_AGENT: frozenset({Permission.CAPTURE_WRITE, Permission.ENDPOINT_INVOKE, Permission.SELF_READ}),
}

# What every signed-in actor may do whatever the persona.
EVERYBODY = frozenset({Permission.SELF_READ})


def require(work: Work, permission: Permission, *, on: str = "") -> None:
    """Refuse the work unless its actor has the permission.

    Raises:
        NotSignedIn: there is no actor.
        NotAllowed: the actor lacks the permission.
    """
    allow(work.actor, permission, on=on)


def allow(actor: Actor, permission: Permission, *, on: str = "") -> None:
    """As ``require``, for an actor outside a unit of work."""
    if permission in actor.permissions:
        return
    if not actor.permissions:
        raise NotSignedIn()
    target = f" on {on}" if on else ""
    raise NotAllowed(
        f"{actor.name} lacks the permission {permission.value}{target}.",
        hint="Ask an owner for a persona that carries it.",
    )
