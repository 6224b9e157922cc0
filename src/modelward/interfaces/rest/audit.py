"""The event log over REST: read it, and verify that it is whole."""

import msgspec

from modelward.governance.access.permissions import Permission, require
from modelward.interfaces.rest.operations import Operations
from modelward.kernel.errors import Invalid
from modelward.kernel.events import Event
from modelward.kernel.pages import PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX
from modelward.storage import event_log
from modelward.storage.event_log import LogReport
from modelward.storage.work import Work

audit = Operations("audit")


class ListEvents(msgspec.Struct, frozen=True, kw_only=True):
    """Which events to list: about a subject, of a name, by an actor; older than ``before`` or newer than ``after``."""

    subject: str = ""
    name: str = ""
    actor: str = ""
    before: int | None = None
    after: int | None = None
    limit: int = PAGE_SIZE_DEFAULT


@audit.operation("GET", "/events", permission=Permission.AUDIT_READ)
def list_events(work: Work, query: ListEvents) -> list[Event]:
    """List events, the newest first; with ``after``, the oldest first from there on."""
    require(work, Permission.AUDIT_READ)
    if not 1 <= query.limit <= PAGE_SIZE_MAX:
        raise Invalid(f"limit is {query.limit}; it must be from 1 to {PAGE_SIZE_MAX}.", field="query.limit")
    return event_log.read(
        work.connection,
        subjects=[query.subject] if query.subject else None,
        names=[query.name] if query.name else None,
        actor=query.actor or None,
        before=query.before,
        after=query.after,
        limit=query.limit,
    )


@audit.operation("GET", "/events/verify", permission=Permission.AUDIT_READ, slow=True)
def verify_events(work: Work) -> LogReport:
    """Recompute the hash chain of the whole log and report each break."""
    require(work, Permission.AUDIT_READ)
    return event_log.verify(work.connection)
