"""Deployables over REST: what is ready to be served."""

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.governance.registry import life
from modelward.governance.registry.rules import standing
from modelward.governance.serving import deployables as use_cases
from modelward.governance.serving.deployable import Container, Deployable
from modelward.governance.serving.deployables import VersionFact
from modelward.interfaces.rest.browsing import browse_of, page_of
from modelward.interfaces.rest.operations import Operations
from modelward.kernel.outcome import Outcome
from modelward.kernel.pages import PAGE_SIZE_DEFAULT, Page
from modelward.storage.work import Work

deployables = Operations("deployables")


class MakeDeployable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A deployable to make, of 1 to 15 containers; a version that one names must be approved."""

    name: str
    containers: list[Container]


class ListDeployables(msgspec.Struct, frozen=True, kw_only=True):
    """Which deployables to list: by a text in the name."""

    text: str = ""
    limit: int = PAGE_SIZE_DEFAULT
    cursor: str | None = None


@deployables.operation("POST", "/deployables", permission=Permission.ENDPOINT_MANAGE, status=201)
def make_deployable(work: Work, body: MakeDeployable) -> Deployable:
    """Make a deployable."""
    named = dict.fromkeys(each.version for each in body.containers if each.version)
    known = [life.get_known_version(work, each) for each in named]
    judged = {each.ref: standing(each) for each in known}
    facts = [
        VersionFact(ref=ref, approved=each.outcome is Outcome.PASSED, reason=each.reason)
        for ref, each in judged.items()
    ]
    return use_cases.make_deployable(work, name=body.name, containers=body.containers, versions=facts)


@deployables.operation("GET", "/deployables", permission=Permission.ENDPOINT_READ)
def list_deployables(work: Work, query: ListDeployables) -> Page[Deployable]:
    """List deployables, the newest first."""
    return page_of(use_cases.browse_deployables(work, browse_of(query.limit, query.cursor, text=query.text)))


@deployables.operation("GET", "/deployables/{deployable}", permission=Permission.ENDPOINT_READ)
def get_deployable(work: Work, deployable: str) -> Deployable:
    """Get a deployable."""
    return use_cases.get_deployable(work, deployable)


@deployables.operation("DELETE", "/deployables/{deployable}", permission=Permission.ENDPOINT_MANAGE)
def remove_deployable(work: Work, deployable: str) -> Deployable:
    """Remove a deployable."""
    return use_cases.remove_deployable(work, deployable)
