"""Deployables found by what their fields say, for interfaces that let clients ask freely."""

import sqlalchemy as sa

from modelward.governance.access.permissions import Permission, require
from modelward.governance.serving.deployable import Deployable
from modelward.governance.serving.deployable_store import deployable, deployable_of
from modelward.kernel.browsing import Hits, Inquiry
from modelward.storage.inquiries import Elements, Fields, as_is, inquire
from modelward.storage.work import Work

_tag = sa.table("tag", sa.column("thing"), sa.column("key"), sa.column("value"))
_OWN = _tag.c.thing == sa.literal("deployable/") + deployable.c.name


DEPLOYABLES = Fields(
    table=deployable,
    name=deployable.c.name,
    fields={
        "name": as_is(deployable.c.name),
        "created": as_is(deployable.c.created_at),
        "tag": lambda _work, key: (
            sa.select(_tag.c.value).where(_OWN, _tag.c.key == key).correlate(deployable).scalar_subquery()
        ),
        "tag_keys": lambda _work, _key: Elements(
            _tag.c.key, sa.select(sa.literal(1)).where(_OWN).correlate(deployable)
        ),
        "tag_values": lambda _work, _key: Elements(
            _tag.c.value, sa.select(sa.literal(1)).where(_OWN).correlate(deployable)
        ),
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
