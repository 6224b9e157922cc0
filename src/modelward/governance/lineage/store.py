"""The table of the lineage graph. It is drawn from the event log and can be drawn anew from it."""

from typing import Any

import sqlalchemy as sa

from modelward.governance.lineage.entities import Edge
from modelward.kernel.clock import moment, timestamp
from modelward.storage.upserts import insert_into
from modelward.storage.work import Work

EDGES_READ_MAX = 2000

metadata = sa.MetaData()
edge = sa.Table(
    "edge",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("relation", sa.Text, primary_key=True),
    sa.Column("target", sa.Text, primary_key=True),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
)


def add(work: Work, new: Edge) -> None:
    """Keep an edge; one that is there already stays as it was drawn first."""
    row = {
        "source": new.source,
        "relation": new.relation,
        "target": new.target,
        "event": new.event,
        "at": timestamp(new.at),
    }
    # Past ``work.execute``: an edge repeats what an event has told, so it needs no event of its own.
    work.connection.execute(insert_into(edge, work.connection.dialect.name).on_conflict_do_nothing(), row)


def replace(work: Work, new: Edge, *, instead_of: str) -> None:
    """Keep an edge in the place of one of another relation between the same things, unless that was drawn later."""
    same = (edge.c.source == new.source, edge.c.target == new.target, edge.c.relation == instead_of)
    later = sa.select(edge.c.at).where(*same, edge.c.at > timestamp(new.at))
    if work.execute(later).first() is not None:
        return
    work.connection.execute(sa.delete(edge).where(*same))
    add(work, new)


def edges_at(work: Work, ids: list[str]) -> list[Edge]:
    """The edges that begin or end at one of these nodes, the newest first."""
    touching = sa.or_(edge.c.source.in_(ids), edge.c.target.in_(ids))
    query = sa.select(edge).where(touching).order_by(edge.c.at.desc(), edge.c.source, edge.c.target)
    return [_edge(row) for row in work.execute(query.limit(EDGES_READ_MAX))]


def _edge(row: sa.Row[Any]) -> Edge:
    return Edge(source=row.source, relation=row.relation, target=row.target, event=row.event, at=moment(row.at))
