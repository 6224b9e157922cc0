"""What happened to some things, read from the event log for the pages. Only for those who may read the audit trail."""

from functools import lru_cache
from typing import get_type_hints

from modelward.governance.access.permissions import Permission, require
from modelward.kernel.events import Event, Happening
from modelward.kernel.refs import Ref
from modelward.storage import event_log
from modelward.storage.work import Work

EVENTS_MAX = 40


def history_of(work: Work, *refs: Ref | None, limit: int = EVENTS_MAX) -> list[Event] | None:
    """The last events about these things, the newest first; None for one who may not read them.

    A model and an endpoint may bear the same name, so the kind of each reference chooses the events too.
    """
    if Permission.AUDIT_READ not in work.actor.permissions:
        return None
    require(work, Permission.AUDIT_READ)
    wanted = [ref for ref in refs if ref is not None]
    names = sorted({name for ref in wanted for name in _names_about(type(ref), len(Happening.known))})
    if not names:
        return []
    return event_log.read(work.connection, subjects=[str(ref) for ref in wanted], names=names, limit=limit)


@lru_cache
def _names_about(kind: type[Ref], known: int) -> frozenset[str]:
    return frozenset(
        name for name, event in Happening.known.items() if get_type_hints(event)[event.__struct_fields__[0]] is kind
    )
