"""The picture of what came from what: the neighbourhood of a thing, laid out in columns from data to alerts."""

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.governance.lineage import use_cases
from modelward.governance.lineage.entities import Edge, Graph, Node, NodeKind
from modelward.interfaces.web import words
from modelward.storage.work import Work

COLUMNS: dict[NodeKind, int] = {
    NodeKind.DATASET: 0,
    NodeKind.ARTIFACT: 0,
    NodeKind.MODEL: 0,
    NodeKind.VERSION: 1,
    NodeKind.EVALUATION: 2,
    NodeKind.REPORT: 2,
    NodeKind.REVIEW: 2,
    NodeKind.BASELINE: 2,
    NodeKind.ENDPOINT: 2,
    NodeKind.CARD: 3,
    NodeKind.MONITOR: 3,
    NodeKind.RUN: 4,
    NodeKind.ALERT: 4,
}
PAGES: dict[NodeKind, str] = {
    NodeKind.MODEL: "/models/",
    NodeKind.VERSION: "/versions/",
    NodeKind.CARD: "/cards/",
    NodeKind.EVALUATION: "/evaluations/",
    NodeKind.REVIEW: "/reviews/",
    NodeKind.ENDPOINT: "/endpoints/",
    NodeKind.MONITOR: "/monitors/",
    NodeKind.RUN: "/runs/",
    NodeKind.ALERT: "/alerts/",
}
IN_A_COLUMN_MAX = 7
OF_A_KIND_MAX = 4
DEPTH = 2
BOX_WIDTH, BOX_HEIGHT, GAP_X, GAP_Y = 168, 40, 62, 16
NAME_CHARACTERS_MAX = 22


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """A thing in the picture."""

    x: int
    y: int
    kind: str
    name: str
    full_name: str
    href: str
    is_center: bool


class Arrow(msgspec.Struct, frozen=True, kw_only=True):
    """How one thing follows from another, as a curve."""

    path: str
    words: str


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """A drawn neighbourhood; ``told`` says the same in sentences, ``left_out`` counts what is not drawn."""

    width: int
    height: int
    boxes: list[Box]
    arrows: list[Arrow]
    told: list[str]
    left_out: int


def picture_of(work: Work, node: str) -> Picture | None:
    """The neighbourhood of a thing; None where nothing is known, or for one who may not see it."""
    if Permission.LINEAGE_READ not in work.actor.permissions:
        return None
    graph = use_cases.graph(work, node, depth=DEPTH)
    return draw(graph) if graph.edges else None


def draw(graph: Graph) -> Picture:
    """Lay out a graph. Of many things of one kind the newest are drawn, and the center always."""
    chosen = _chosen(graph)
    columns = sorted({COLUMNS[node.kind] for node in chosen})
    stacks = [[node for node in chosen if COLUMNS[node.kind] == column] for column in columns]
    tallest = max(len(stack) for stack in stacks)
    height = tallest * (BOX_HEIGHT + GAP_Y) + GAP_Y
    boxes: dict[str, Box] = {}
    for place, stack in enumerate(stacks):
        top = (height - len(stack) * (BOX_HEIGHT + GAP_Y) + GAP_Y) // 2
        for row, node in enumerate(stack):
            boxes[node.id] = Box(
                x=4 + place * (BOX_WIDTH + GAP_X),
                y=top + row * (BOX_HEIGHT + GAP_Y),
                kind=node.kind.value,
                name=_short(node.name),
                full_name=node.name,
                href=PAGES[node.kind] + node.name if node.kind in PAGES else "",
                is_center=node.id == graph.center,
            )
    edges = [edge for edge in graph.edges if edge.source in boxes and edge.target in boxes]
    return Picture(
        width=8 + len(stacks) * (BOX_WIDTH + GAP_X) - GAP_X,
        height=height,
        boxes=list(boxes.values()),
        arrows=[_arrow(boxes[edge.source], boxes[edge.target], edge) for edge in edges],
        told=list(dict.fromkeys(f"{_told(edge.source)} {edge.relation} {_told(edge.target)}" for edge in graph.edges)),
        left_out=sum(1 for node in graph.nodes if node.kind in COLUMNS) - len(boxes),
    )


def _chosen(graph: Graph) -> list[Node]:
    newest = {name: edge.at for edge in sorted(graph.edges, key=_time) for name in (edge.source, edge.target)}
    nodes = [node for node in graph.nodes if node.kind in COLUMNS]
    nodes.sort(key=lambda node: (node.id != graph.center, -newest[node.id].timestamp() if node.id in newest else 0))
    kept: list[Node] = []
    for node in nodes:
        in_kind = sum(1 for each in kept if each.kind is node.kind)
        in_column = sum(1 for each in kept if COLUMNS[each.kind] == COLUMNS[node.kind])
        if node.id == graph.center or (in_kind < OF_A_KIND_MAX and in_column < IN_A_COLUMN_MAX):
            kept.append(node)
    return sorted(kept, key=lambda node: (COLUMNS[node.kind], node.kind.value, node.name))


def _time(edge: Edge) -> float:
    return edge.at.timestamp()


def _arrow(source: Box, target: Box, edge: Edge) -> Arrow:
    y1, y2 = source.y + BOX_HEIGHT // 2, target.y + BOX_HEIGHT // 2
    if source.x == target.x:
        side = source.x + BOX_WIDTH
        return Arrow(path=f"M{side} {y1} C{side + 34} {y1} {side + 34} {y2} {side + 3} {y2}", words=edge.relation)
    onward = source.x < target.x
    x1 = source.x + (BOX_WIDTH if onward else 0)
    x2 = target.x + (-4 if onward else BOX_WIDTH + 4)
    middle = (x1 + x2) // 2
    return Arrow(path=f"M{x1} {y1} C{middle} {y1} {middle} {y2} {x2} {y2}", words=edge.relation)


def _short(name: str) -> str:
    name = words.short_digest(name) + "…" if name.startswith("sha256:") else words.short_name(name)
    return name if len(name) <= NAME_CHARACTERS_MAX else name[: NAME_CHARACTERS_MAX - 1] + "…"


def _told(node: str) -> str:
    kind, _, name = node.partition(":")
    return f"{kind} {_short(name)}"
