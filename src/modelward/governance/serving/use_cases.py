"""What one can do with endpoints: create, change the version, read, remove. The gateway stands in interfaces/rest/serving.

Versions live in the registry: who calls hands in the version it found there, with its approval status.
"""

from datetime import datetime

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from modelward.governance.access.permissions import Permission, require
from modelward.governance.serving import rules, store
from modelward.governance.serving.entities import (
    Endpoint,
    EndpointApprovalNoted,
    EndpointChanged,
    EndpointCreated,
    EndpointRemoved,
)
from modelward.kernel.errors import Conflict, NotFound
from modelward.kernel.pages import Page, PageRequest
from modelward.kernel.refs import EndpointRef, VersionRef, checked_name
from modelward.storage.work import Work


class EndpointExists(Conflict):
    """An endpoint of this name exists already."""


class EndpointGone(Conflict):
    """This endpoint was removed."""


def create_endpoint(
    work: Work,
    *,
    name: str,
    version: VersionRef,
    version_status: str,
    approved_until: datetime | None = None,
    url: str = "",
    capture_share: float = 1.0,
    capture_required: bool = True,
) -> Endpoint:
    """Let a version serve under a name. One that is not approved may serve too; the endpoint shows it.

    Raises:
        EndpointExists: the name is taken, also where that endpoint was removed: its records are kept under it.
        Invalid: the name, url or share breaks its rule.
    """
    require(work, Permission.ENDPOINT_MANAGE, on=name)
    ref = EndpointRef(checked_name(name))
    rules.check_url(url)
    rules.check_share(capture_share)
    known = store.find(work, ref)
    if known:
        gone = " It was removed, and its records are kept under that name." if known.removed_at else ""
        raise EndpointExists(
            f"An endpoint named {name} exists already.{gone}",
            field="name",
            hint="Change its version, or take another name.",
        )
    new = Endpoint(
        name=ref,
        version=version,
        version_status=version_status,
        unapproved=version_status != rules.APPROVED,
        approved_until=approved_until,
        url=url,
        capture_share=capture_share,
        capture_required=capture_required,
        created_at=work.now,
        created_by=work.actor.id,
    )
    store.add(work, new)
    work.record(
        EndpointCreated(endpoint=ref, version=version, version_status=version_status, unapproved=new.unapproved)
    )
    return new


def change_version(
    work: Work,
    name: EndpointRef,
    *,
    version: VersionRef,
    version_status: str,
    approved_until: datetime | None = None,
    reason: str = "",
) -> Endpoint:
    """Let another version serve under the name. What served before stays in the event log."""
    require(work, Permission.ENDPOINT_MANAGE, on=name)
    found = _present(work, name)
    if found.version == version and found.version_status == version_status:
        return found
    unapproved = version_status != rules.APPROVED
    changed = replace(
        found,
        version=version,
        version_status=version_status,
        unapproved=unapproved,
        approved_until=approved_until,
    )
    return _keep(work, found, changed, reason)


def change_endpoint(
    work: Work,
    name: EndpointRef,
    *,
    url: str | UnsetType = UNSET,
    capture_share: float | UnsetType = UNSET,
    capture_required: bool | UnsetType = UNSET,
    reason: str = "",
) -> Endpoint:
    """Change where an endpoint's model answers and what is captured; what is not given stays."""
    require(work, Permission.ENDPOINT_MANAGE, on=name)
    found = _present(work, name)
    if isinstance(url, str):
        rules.check_url(url)
    if isinstance(capture_share, int | float):
        rules.check_share(capture_share)
    wanted = {"url": url, "capture_share": capture_share, "capture_required": capture_required}
    changed = replace(found, **{key: value for key, value in wanted.items() if value is not UNSET})
    return found if changed == found else _keep(work, found, changed, reason)


def _keep(work: Work, found: Endpoint, changed: Endpoint, reason: str) -> Endpoint:
    store.put(work, changed)
    fields = ("version", "url", "capture_share", "capture_required")
    work.record(
        EndpointChanged(
            endpoint=changed.name,
            version_before=found.version,
            version=changed.version,
            version_status=changed.version_status,
            changed=[name for name in fields if getattr(changed, name) != getattr(found, name)],
            reason=reason,
        )
    )
    return changed


def get_endpoint(work: Work, name: EndpointRef) -> Endpoint:
    """An endpoint, removed or not.

    Raises:
        NotFound: there is none.
    """
    require(work, Permission.ENDPOINT_READ, on=name)
    return _found(work, name)


def endpoint_to_invoke(work: Work, name: EndpointRef) -> Endpoint:
    """The endpoint for one who may call its model.

    Raises:
        EndpointGone: it was removed.
    """
    require(work, Permission.ENDPOINT_INVOKE, on=name)
    return _present(work, name)


def endpoint_to_capture(work: Work, name: EndpointRef) -> Endpoint:
    """The endpoint for one who may send its records.

    Raises:
        EndpointGone: it was removed.
    """
    require(work, Permission.CAPTURE_WRITE, on=name)
    return _present(work, name)


def list_endpoints(
    work: Work, *, page: PageRequest, version: VersionRef | None = None, removed: bool = False
) -> Page[Endpoint]:
    """Endpoints in the order of their names; of one version, and removed ones too, where asked for."""
    require(work, Permission.ENDPOINT_READ)
    return store.list_endpoints(work, page=page, version=version, removed=removed)


def remove_endpoint(work: Work, name: EndpointRef, *, reason: str = "") -> Endpoint:
    """End an endpoint: it takes no calls and no records any more. What it captured stays."""
    require(work, Permission.ENDPOINT_MANAGE, on=name)
    found = _present(work, name)
    removed = replace(found, removed_at=work.now)
    store.put(work, removed)
    work.record(EndpointRemoved(endpoint=name, version=found.version, reason=reason))
    return removed


def note_approval(work: Work, version: VersionRef, *, status: str, until: datetime | None = None) -> list[Endpoint]:
    """Show on the endpoints of a version that its approval has changed; called when the registry says so.

    ``until`` is when evidence under the approval becomes too old.
    """
    require(work, Permission.ENDPOINT_MANAGE, on=version)
    noted = []
    for found in store.serving(work, version):
        # One whose evidence is too old reads as lapsed before the registry has said so.
        before = rules.APPROVED if found.approved_until is not None else found.version_status
        if (before, found.approved_until) == (status, until):
            continue
        changed = replace(found, version_status=status, unapproved=status != rules.APPROVED, approved_until=until)
        store.put(work, changed)
        work.record(EndpointApprovalNoted(endpoint=found.name, version=version, before=before, after=status))
        noted.append(changed)
    return noted


def _present(work: Work, name: EndpointRef) -> Endpoint:
    found = _found(work, name)
    if found.removed_at:
        raise EndpointGone(f"The endpoint {name} was removed on {found.removed_at:%Y-%m-%d}.", field="endpoint")
    return found


def _found(work: Work, name: EndpointRef) -> Endpoint:
    found = store.find(work, name)
    if found is None:
        raise NotFound(
            f"There is no endpoint {name}.", field="endpoint", hint="List them with `modelward endpoint list`."
        )
    return found
