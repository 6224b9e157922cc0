"""What is ready to be served: containers with an image, the model's data and an environment, under a name.

A deployable may be made from a version of the registry; then that version must be approved. Where it serves is told by
endpoints.
"""

from typing import Any

import msgspec

from modelward.governance.access.permissions import Permission, require
from modelward.governance.serving import deployable_store
from modelward.governance.serving.deployable import Container, Deployable, DeployableMade, DeployableRemoved
from modelward.kernel.browsing import Browse, Found
from modelward.kernel.errors import Conflict, Invalid, NotFound
from modelward.kernel.refs import VersionRef, checked_name
from modelward.storage.work import Work

CONTAINERS_MAX = 15


class DeployableExists(Conflict):
    """A deployable of this name exists already."""


class VersionNotApproved(Conflict):
    """A version must be approved before it can be made ready to be served."""


class VersionFact(msgspec.Struct, frozen=True, kw_only=True):
    """What whoever calls found in the registry of a version that a container names."""

    ref: VersionRef
    approved: bool
    reason: str = ""


def make_deployable(
    work: Work,
    *,
    name: str,
    containers: list[Container],
    versions: list[VersionFact],
    particulars: dict[str, Any] | None = None,
) -> Deployable:
    """Make a deployable of 1 to 15 containers; ``versions`` tells of each version that they name.

    Raises:
        DeployableExists: the name is taken.
        VersionNotApproved: a container names a version that is not approved.
        Invalid: the name breaks its rule, or there are no or too many containers.
    """
    require(work, Permission.ENDPOINT_MANAGE, on=name)
    checked_name(name)
    if not 0 < len(containers) <= CONTAINERS_MAX:
        raise Invalid(
            f"{len(containers)} containers are given; a deployable has 1 to {CONTAINERS_MAX}.", field="containers"
        )
    if deployable_store.find(work, name):
        raise DeployableExists(f"A deployable named {name} exists already.", field="name")
    for each in versions:
        if not each.approved:
            raise VersionNotApproved(
                f"{each.ref} is not approved. {each.reason}".rstrip(),
                field="version",
                hint="Have its review decided first.",
            )
    new = Deployable(name=name, containers=containers, created_at=work.now, created_by=work.actor.id)
    deployable_store.add(work, new, particulars or {})
    work.record(DeployableMade(deployable=name, versions=[each.ref for each in versions]))
    return new


def get_deployable(work: Work, name: str) -> Deployable:
    """A deployable by name.

    Raises:
        NotFound: there is none.
    """
    require(work, Permission.ENDPOINT_READ, on=name)
    found = deployable_store.find(work, name)
    if found is None:
        raise NotFound(f"There is no deployable named {name}.", field="deployable")
    return found


def read_particulars(work: Work, names: list[str]) -> dict[str, dict[str, Any]]:
    """What an outside interface told of some deployables, word for word."""
    require(work, Permission.ENDPOINT_READ)
    return deployable_store.list_particulars(work, names)


def browse_deployables(work: Work, browse: Browse) -> Found[Deployable]:
    """Deployables by name and age."""
    require(work, Permission.ENDPOINT_READ)
    return deployable_store.browse(work, browse)


def remove_deployable(work: Work, name: str) -> Deployable:
    """Remove a deployable; the event log keeps that it was there.

    Raises:
        NotFound: there is none.
    """
    require(work, Permission.ENDPOINT_MANAGE, on=name)
    found = get_deployable(work, name)
    deployable_store.remove(work, name)
    work.record(DeployableRemoved(deployable=name))
    return found
