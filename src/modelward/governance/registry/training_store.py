"""The table of the training runs."""

from typing import Any

import msgspec
import sqlalchemy as sa

from modelward.governance.registry.training_run import TrainingFacts, TrainingRun, TrainingState
from modelward.kernel import codec
from modelward.kernel.browsing import Browse, Found
from modelward.kernel.clock import moment, timestamp
from modelward.storage.browsing import Shelf, look_through
from modelward.storage.work import Work

metadata = sa.MetaData()
training_run = sa.Table(
    "training_run",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("artifact_uri", sa.Text, nullable=False),
    sa.Column("facts", sa.Text, nullable=False),
    sa.Column("particulars", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("modified_at", sa.Text, nullable=False),
    sa.Index("training_run_by_age", "created_at", "name"),
    sa.Index("training_run_by_artifact", "artifact_uri", "name"),
)
SHELF = Shelf(
    table=training_run,
    name=training_run.c.name,
    created=training_run.c.created_at,
    modified=training_run.c.modified_at,
    sorts={"state": training_run.c.state},
)
_FIND = sa.select(training_run).where(training_run.c.name == sa.bindparam("name")).execution_options(prepared=True)


def put(work: Work, run: TrainingRun, particulars: dict[str, Any], *, known: bool) -> None:
    """Keep a training run, new or renewed, and what an outside interface told of it."""
    changing = {
        "state": run.facts.state.value,
        "artifact_uri": run.facts.artifact_uri,
        "facts": codec.encode(run.facts).decode(),
        "particulars": msgspec.json.encode(particulars).decode(),
        "modified_at": timestamp(run.modified_at),
    }
    if known:
        work.execute(sa.update(training_run).where(training_run.c.name == run.name).values(changing))
        return
    first = {"name": run.name, "created_at": timestamp(run.created_at), "created_by": run.created_by}
    work.execute(sa.insert(training_run), {**first, **changing})


def find(work: Work, name: str) -> TrainingRun | None:
    """Find a training run by name."""
    row = work.execute(_FIND, {"name": name}).first()
    return run_of(row) if row else None


def list_particulars(work: Work, names: list[str]) -> dict[str, dict[str, Any]]:
    """What an outside interface told of some training runs."""
    query = sa.select(training_run.c.name, training_run.c.particulars).where(training_run.c.name.in_(names))
    return {row.name: msgspec.json.decode(row.particulars) for row in work.execute(query)}


def browse(work: Work, wanted: Browse, *, state: TrainingState | None, artifact_uri: str | None) -> Found[TrainingRun]:
    """Training runs by name, age, state and the artifact they made."""
    also: list[sa.ColumnElement[bool]] = []
    if state is not None:
        also.append(training_run.c.state == state.value)
    if artifact_uri is not None:
        also.append(training_run.c.artifact_uri == artifact_uri)
    return look_through(work, SHELF, wanted, run_of, *also)


def run_of(row: sa.Row[Any]) -> TrainingRun:
    """The training run that a row tells of."""
    return TrainingRun(
        name=row.name,
        facts=codec.decode(row.facts, TrainingFacts),
        created_at=moment(row.created_at),
        created_by=row.created_by,
        modified_at=moment(row.modified_at),
    )
