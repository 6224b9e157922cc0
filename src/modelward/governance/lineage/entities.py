"""The graph of what was made from what: nodes are references, edges say what follows from which event. Frozen; no I/O."""

from datetime import datetime
from enum import StrEnum

import msgspec


class NodeKind(StrEnum):
    """What sort of thing a node is."""

    MODEL = "model"
    VERSION = "version"
    ARTIFACT = "artifact"
    DATASET = "dataset"
    CARD = "card"
    EVALUATION = "evaluation"
    REPORT = "report"
    REVIEW = "review"
    ENDPOINT = "endpoint"
    BASELINE = "baseline"
    MONITOR = "monitor"
    RUN = "run"
    ALERT = "alert"


class Node(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """A thing in the graph: ``id`` is ``kind:name``, such as ``version:fraud@3``."""

    id: str
    kind: NodeKind
    name: str


class Edge(msgspec.Struct, frozen=True, kw_only=True):
    """``source`` relation ``target``, such as ``dataset:flights trained version:delay@1``; drawn from an event."""

    source: str
    relation: str
    target: str
    event: str
    at: datetime


class Graph(msgspec.Struct, frozen=True, kw_only=True):
    """The neighbourhood of a node: nodes and edges up to a depth. ``cut`` says that more lies beyond the limit."""

    center: str
    depth: int
    nodes: list[Node]
    edges: list[Edge]
    cut: bool = False
