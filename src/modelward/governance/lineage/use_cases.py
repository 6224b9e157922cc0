"""What one can do with lineage: draw it from events, and look at the neighbourhood of a thing."""

from modelward.governance.access.permissions import Permission, require
from modelward.governance.lineage import rules, store
from modelward.governance.lineage.entities import Edge, Graph
from modelward.kernel.errors import Invalid
from modelward.kernel.events import Event
from modelward.storage.work import Work

DEPTH_MAX = 10
NODES_MAX = 500


def draw_lineage(work: Work, event: Event) -> list[Edge]:
    """Draw the edges that an event tells of; drawn twice they are there once. The graph can be drawn anew from the log."""
    require(work, Permission.LINEAGE_READ, on=event.subject)
    edges = rules.edges_of(event)
    for edge in edges:
        if edge.relation in rules.REPLACES:
            store.replace(work, edge, instead_of=rules.REPLACES[edge.relation])
        else:
            store.add(work, edge)
    return edges


def graph(work: Work, node: str, *, depth: int = 3) -> Graph:
    """The things within ``depth`` steps of a node such as ``fraud@3`` or ``dataset:flights``, and the edges between.

    Raises:
        Invalid: the depth is out of bounds, or the node's kind is unknown.
    """
    require(work, Permission.LINEAGE_READ, on=node)
    if not 1 <= depth <= DEPTH_MAX:
        raise Invalid(f"depth is {depth}; it must be from 1 to {DEPTH_MAX}.", field="depth")
    center = rules.node_id(node)
    return rules.neighbourhood(center, depth, edges_at=lambda ids: store.edges_at(work, ids), nodes_max=NODES_MAX)
