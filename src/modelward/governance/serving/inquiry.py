"""Deployables found by what their fields say, for interfaces that let clients ask freely."""

from modelward.governance.access.permissions import Permission, require
from modelward.governance.serving.deployable import Deployable
from modelward.governance.serving.deployable_store import deployable, deployable_of
from modelward.kernel.browsing import Hits, Inquiry
from modelward.storage.inquiries import Fields, as_is, inquire, tags_beside
from modelward.storage.work import Work

DEPLOYABLES = Fields(
    table=deployable,
    name=deployable.c.name,
    fields={
        "name": as_is(deployable.c.name),
        "created": as_is(deployable.c.created_at),
        **tags_beside(deployable, "deployable"),
    },
    sorts={"name": deployable.c.name, "created": deployable.c.created_at},
)


def find_deployables(work: Work, inquiry: Inquiry, *, counted: bool = True) -> Hits[Deployable]:
    """Deployables that keep a condition.

    Raises:
        Invalid: there is no such field or order.
    """
    require(work, Permission.ENDPOINT_READ)
    return inquire(work, DEPLOYABLES, inquiry, deployable_of, counted=counted)
