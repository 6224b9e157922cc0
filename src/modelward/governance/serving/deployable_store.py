"""The table of the deployables."""

from typing import Any

import msgspec
import sqlalchemy as sa

from modelward.governance.serving.deployable import Container, Deployable
from modelward.kernel import codec
from modelward.kernel.browsing import Browse, Found
from modelward.kernel.clock import moment, timestamp
from modelward.storage.browsing import Shelf, look_through
from modelward.storage.work import Work

metadata = sa.MetaData()
deployable = sa.Table(
    "deployable",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("containers", sa.Text, nullable=False),
    sa.Column("particulars", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Index("deployable_by_age", "created_at", "name"),
)
SHELF = Shelf(table=deployable, name=deployable.c.name, created=deployable.c.created_at)
_FIND = sa.select(deployable).where(deployable.c.name == sa.bindparam("name")).execution_options(prepared=True)


def add(work: Work, new: Deployable, particulars: dict[str, Any]) -> None:
    """Keep a new deployable, and what an outside interface told of it."""
    row = {
        "name": new.name,
        "containers": codec.encode(new.containers).decode(),
        "particulars": msgspec.json.encode(particulars).decode(),
        "created_at": timestamp(new.created_at),
        "created_by": new.created_by,
    }
    work.execute(sa.insert(deployable), row)


def find(work: Work, name: str) -> Deployable | None:
    """Find a deployable by name."""
    row = work.execute(_FIND, {"name": name}).first()
    return deployable_of(row) if row else None


def list_particulars(work: Work, names: list[str]) -> dict[str, dict[str, Any]]:
    """What an outside interface told of some deployables."""
    query = sa.select(deployable.c.name, deployable.c.particulars).where(deployable.c.name.in_(names))
    return {row.name: msgspec.json.decode(row.particulars) for row in work.execute(query)}


def browse(work: Work, wanted: Browse) -> Found[Deployable]:
    """Deployables by name and age."""
    return look_through(work, SHELF, wanted, deployable_of)


def remove(work: Work, name: str) -> None:
    """Forget a deployable."""
    work.execute(sa.delete(deployable).where(deployable.c.name == name))


def deployable_of(row: sa.Row[Any]) -> Deployable:
    """The deployable that a row tells of."""
    return Deployable(
        name=row.name,
        containers=codec.decode(row.containers, list[Container]),
        created_at=moment(row.created_at),
        created_by=row.created_by,
    )
