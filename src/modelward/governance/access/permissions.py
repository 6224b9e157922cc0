"""Every permission there is, and the personas that carry them. Deny by default: what is not listed is refused.

A name is ``thing.verb``; the list is kept in the order of the alphabet.
"""

from enum import StrEnum

from modelward.kernel.actors import Actor
from modelward.kernel.errors import NotAllowed, NotSignedIn
from modelward.storage.work import Work


class Permission(StrEnum):
    """Something that can be allowed."""

    ACCESS_MANAGE = "access.manage"
    ALERT_READ = "alert.read"
    ALERT_TRIAGE = "alert.triage"
    ARTIFACT_READ = "artifact.read"
    ARTIFACT_WRITE = "artifact.write"
    AUDIT_READ = "audit.read"
    CAPTURE_READ = "capture.read"
    CAPTURE_WRITE = "capture.write"
    CARD_APPROVE = "card.approve"
    CARD_READ = "card.read"
    CARD_WRITE = "card.write"
    ENDPOINT_INVOKE = "endpoint.invoke"
    ENDPOINT_MANAGE = "endpoint.manage"
    ENDPOINT_READ = "endpoint.read"
    EVALUATION_READ = "evaluation.read"
    EVALUATION_WRITE = "evaluation.write"
    JOB_READ = "job.read"
    LINEAGE_READ = "lineage.read"
    MODEL_READ = "model.read"
    MODEL_WRITE = "model.write"
    MONITOR_MANAGE = "monitor.manage"
    MONITOR_READ = "monitor.read"
    POLICY_READ = "policy.read"
    REVIEW_DECIDE = "review.decide"
    REVIEW_READ = "review.read"
    REVIEW_REQUEST = "review.request"
    SELF_READ = "self.read"
    VERSION_REGISTER = "version.register"


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
        Permission.CARD_WRITE,
        Permission.ENDPOINT_INVOKE,
        Permission.ENDPOINT_MANAGE,
        Permission.EVALUATION_WRITE,
        Permission.MODEL_WRITE,
        Permission.MONITOR_MANAGE,
        Permission.REVIEW_REQUEST,
        Permission.VERSION_REGISTER,
    },
    Persona.RISK_MANAGER: READ_ALL
    | {Permission.ALERT_TRIAGE, Permission.CARD_APPROVE, Permission.CARD_WRITE, Permission.REVIEW_DECIDE},
    Persona.AUDITOR: READ_ALL,
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
