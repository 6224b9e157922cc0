"""Lineage over REST."""

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.governance.lineage import use_cases
from modelward.governance.lineage.entities import Graph
from modelward.interfaces.rest.operations import Operations
from modelward.storage.work import Work

lineage = Operations("lineage")


class HowFar(msgspec.Struct, frozen=True, kw_only=True):
    """How many steps to go from the node."""

    depth: int = 3


@lineage.operation("GET", "/lineage/{node}", permission=Permission.LINEAGE_READ)
def get_lineage(work: Work, node: str, query: HowFar) -> Graph:
    """Get what a thing was made from and what was made from it: fraud@3, endpoint:fraud, dataset:flights ..."""
    return use_cases.graph(work, node, depth=query.depth)
