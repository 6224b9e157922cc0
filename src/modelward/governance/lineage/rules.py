"""Which event draws which edges, as one table, and how far to look from a node. Pure."""

import hashlib
import re
from collections.abc import Callable
from typing import Any

import msgspec

from modelward.governance.lineage.entities import Edge, Graph, Node, NodeKind
from modelward.kernel.errors import Invalid
from modelward.kernel.events import Event

NAME_CHARACTERS_MAX = 200


class Draw(msgspec.Struct, frozen=True):
    """An edge that an event draws: kind and field of the source, the relation, kind and field of the target.

    Without a kind the source is a piece of evidence, whose id tells what it is. ``unless`` names a field that must be empty.
    """

    source: NodeKind | None
    source_field: str
    relation: str
    target: NodeKind
    target_field: str
    unless: str = ""


K = NodeKind
IS_EVIDENCE, WAS_EVIDENCE = "is evidence for", "was evidence for"
# An edge takes the place of the other one of its pair between the same things.
REPLACES = {IS_EVIDENCE: WAS_EVIDENCE, WAS_EVIDENCE: IS_EVIDENCE}
EVIDENCE = {kind.value: kind for kind in (K.EVALUATION, K.RUN, K.REPORT)}
DRAWS: dict[str, list[Draw]] = {
    "VersionRegistered": [
        Draw(K.VERSION, "version", "is a version of", K.MODEL, "model"),
        Draw(K.ARTIFACT, "artifact", "is the content of", K.VERSION, "version"),
        Draw(K.DATASET, "training_datasets", "trained", K.VERSION, "version"),
    ],
    "VersionArtifactRead": [Draw(K.ARTIFACT, "artifact", "is the content of", K.VERSION, "version")],
    "CardCreated": [
        Draw(K.CARD, "card", "describes", K.VERSION, "version"),
        Draw(K.CARD, "card", "describes", K.MODEL, "model", unless="version"),
    ],
    "CardGroundsChanged": [
        Draw(None, "stands_on", IS_EVIDENCE, K.CARD, "card"),
        Draw(None, "left", WAS_EVIDENCE, K.CARD, "card"),
    ],
    "EvaluationFinished": [
        Draw(K.DATASET, "dataset", "was read by", K.EVALUATION, "evaluation"),
        Draw(K.EVALUATION, "evaluation", "is evidence on", K.VERSION, "version"),
    ],
    "ReviewOpened": [Draw(K.REVIEW, "review", "reviews", K.VERSION, "version")],
    "EndpointCreated": [Draw(K.ENDPOINT, "endpoint", "serves", K.VERSION, "version")],
    "EndpointChanged": [Draw(K.ENDPOINT, "endpoint", "serves", K.VERSION, "version")],
    "BaselineCreated": [
        Draw(K.DATASET, "dataset", "was profiled as", K.BASELINE, "baseline"),
        Draw(K.BASELINE, "baseline", "is a baseline of", K.VERSION, "version"),
    ],
    "MonitorCreated": [
        Draw(K.MONITOR, "monitor", "watches", K.ENDPOINT, "endpoint"),
        Draw(K.MONITOR, "monitor", "compares with", K.BASELINE, "baseline"),
    ],
    "RunFinished": [Draw(K.RUN, "run", "is a run of", K.MONITOR, "monitor")],
    "RunFailed": [Draw(K.RUN, "run", "is a run of", K.MONITOR, "monitor")],
    "AlertOpened": [
        Draw(K.ALERT, "alert", "was raised by", K.RUN, "runs"),
        Draw(K.ALERT, "alert", "concerns", K.ENDPOINT, "endpoint"),
    ],
    "AlertContinued": [Draw(K.ALERT, "alert", "was raised by", K.RUN, "run")],
}


def edges_of(event: Event) -> list[Edge]:
    """The edges that an event draws; a field that is absent or empty draws none, a list draws one for each item."""
    return [
        Edge(
            source=_id(draw.source or _kind_of(source), source),
            relation=draw.relation,
            target=_id(draw.target, target),
            event=event.id,
            at=event.at,
        )
        for draw in DRAWS.get(event.name, [])
        if not event.detail.get(draw.unless)
        for source in _names(event.detail, draw.source_field)
        for target in _names(event.detail, draw.target_field)
    ]


def _names(detail: dict[str, Any], field: str) -> list[str]:
    if field == "model" and field not in detail:
        of = str(detail["version"]).rpartition("@")[0]
        return [of] if of else []
    value = detail.get(field)
    return [str(each) for each in value if each] if isinstance(value, list) else [str(value)] if value else []


def _kind_of(evidence: str) -> NodeKind:
    return EVIDENCE.get(evidence.partition("-")[0], NodeKind.REPORT)


def _id(kind: NodeKind, name: str) -> str:
    if len(name) > NAME_CHARACTERS_MAX:
        # A data set may be named by anything; an index holds only so much of it.
        name = f"{name[:NAME_CHARACTERS_MAX]}~{hashlib.sha256(name.encode()).hexdigest()[:16]}"
    return f"{kind.value}:{name}"


def node(id: str) -> Node:
    """A node by its id."""
    kind, _, name = id.partition(":")
    return Node(id=id, kind=NodeKind(kind), name=name)


_SELF_EVIDENT = {
    NodeKind.VERSION: re.compile(r"[^:]+@\d+"),
    NodeKind.ARTIFACT: re.compile(r"sha256:[0-9a-f]{64}"),
    NodeKind.EVALUATION: re.compile(r"evaluation-[0-9a-z]{26}"),
    NodeKind.REVIEW: re.compile(r"review-[0-9a-z]{26}"),
    NodeKind.RUN: re.compile(r"run-[0-9a-z]{26}"),
    NodeKind.REPORT: re.compile(r"report-[0-9a-z]{26}"),
    NodeKind.ALERT: re.compile(r"alert-[0-9a-z]{26}"),
}


def node_id(text: str) -> str:
    """The id of a node from ``kind:name``, or from a reference that tells its kind by its form, such as ``fraud@3``.

    Raises:
        Invalid: neither.
    """
    for kind, form in _SELF_EVIDENT.items():
        if form.fullmatch(text):
            return _id(kind, text)
    kind_text, colon, name = text.partition(":")
    known = [each.value for each in NodeKind]
    if not colon or not name or kind_text not in known:
        raise Invalid(
            f"{text[:100]!r} does not say what it is: write kind:name, with a kind of {', '.join(known)}.", field="node"
        )
    return _id(NodeKind(kind_text), name)


def neighbourhood(center: str, depth: int, *, edges_at: Callable[[list[str]], list[Edge]], nodes_max: int) -> Graph:
    """Walk from a node along edges in both directions, up to a depth and a number of nodes."""
    seen, border = {center}, [center]
    edges: dict[tuple[str, str, str], Edge] = {}
    cut = False
    for _ in range(depth):
        reached: list[str] = []
        for edge in edges_at(border):
            ends = [end for end in (edge.source, edge.target) if end not in seen]
            if len(seen) + len(ends) > nodes_max:
                cut = True
                continue
            seen.update(ends)
            reached += ends
            edges[edge.source, edge.relation, edge.target] = edge
        border = reached
        if not border:
            break
    return Graph(
        center=center,
        depth=depth,
        nodes=sorted(node(each) for each in seen),
        edges=sorted(edges.values(), key=lambda each: (each.at, each.source, each.relation, each.target)),
        cut=cut,
    )
