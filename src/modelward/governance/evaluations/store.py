"""The table of the evaluations."""

from typing import Any

import msgspec
import sqlalchemy as sa

from modelward.governance.evaluations.entities import (
    Evaluation,
    EvaluationKind,
    EvaluationSettings,
    EvaluationState,
    Summary,
)
from modelward.kernel import codec
from modelward.kernel.clock import moment, timestamp
from modelward.kernel.errors import NotFound
from modelward.kernel.outcome import Outcome
from modelward.kernel.pages import Page, PageRequest, cursor_after
from modelward.kernel.refs import Digest, EvaluationRef, VersionRef
from modelward.storage.work import Work

metadata = sa.MetaData()
evaluation = sa.Table(
    "evaluation",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("dataset", sa.Text, nullable=False),
    sa.Column("settings", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("report", sa.Text),
    sa.Column("summary", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("finished_at", sa.Text),
)
_FIND = sa.select(evaluation).where(evaluation.c.id == sa.bindparam("id"))
_UNFINISHED = (EvaluationState.WAITING.value, EvaluationState.RUNNING.value)


def add(work: Work, new: Evaluation) -> None:
    """Keep a new evaluation.

    Raises:
        NotFound: the version is not registered or the table is not stored.
    """
    row = {
        "id": new.id,
        "version": new.version,
        "kind": new.kind.value,
        "dataset": new.dataset,
        "settings": codec.encode(new.settings).decode(),
        "created_at": timestamp(new.created_at),
        "created_by": new.created_by,
        **_changing(new),
    }
    try:
        work.execute(sa.insert(evaluation), row)
    except sa.exc.IntegrityError as problem:
        raise NotFound(
            f"{new.version} is not registered, or the table {new.dataset} is not stored.",
            field="dataset",
            hint="Upload the table first: PUT /api/v1/artifacts.",
        ) from problem


def put(work: Work, changed: Evaluation) -> None:
    """Keep how far an evaluation is and what came out."""
    work.execute(sa.update(evaluation).where(evaluation.c.id == changed.id).values(_changing(changed)))


def _changing(each: Evaluation) -> dict[str, Any]:
    return {
        "state": each.state.value,
        "outcome": each.outcome.value if each.outcome else None,
        "reason": each.reason,
        "report": each.report,
        "summary": codec.encode(each.summary).decode(),
        "finished_at": timestamp(each.finished_at) if each.finished_at else None,
    }


def find(work: Work, ref: EvaluationRef) -> Evaluation | None:
    """Find an evaluation."""
    row = work.execute(_FIND, {"id": ref}).first()
    return _evaluation(row) if row else None


def list_of(work: Work, version: VersionRef, *, page: PageRequest) -> Page[Evaluation]:
    """The evaluations of a version, the newest first."""
    query = sa.select(evaluation).where(evaluation.c.version == version)
    query = query.order_by(evaluation.c.id.desc()).limit(page.limit + 1)
    if page.after:
        query = query.where(evaluation.c.id < page.after[0])
    found = [_evaluation(row) for row in work.execute(query)]
    items = found[: page.limit]
    return Page(items=items, next_cursor=cursor_after(items[-1].id) if len(found) > page.limit else None)


def newest_of_each_kind(work: Work, version: VersionRef) -> list[Evaluation]:
    """Of each kind the newest that finished; of a kind where none did, the newest that failed."""
    found = []
    for kind in EvaluationKind:
        of_kind = sa.select(evaluation).where(evaluation.c.version == version, evaluation.c.kind == kind.value)
        for state in (EvaluationState.FINISHED, EvaluationState.FAILED):
            newest = (evaluation.c.finished_at.desc(), evaluation.c.id.desc())
            row = work.execute(of_kind.where(evaluation.c.state == state.value).order_by(*newest).limit(1)).first()
            if row:
                found.append(_evaluation(row))
                break
    return found


def list_unfinished(work: Work, version: VersionRef) -> list[EvaluationRef]:
    """The evaluations of a version that wait or run."""
    query = sa.select(evaluation.c.id).where(evaluation.c.version == version, evaluation.c.state.in_(_UNFINISHED))
    return [EvaluationRef(row.id) for row in work.execute(query.order_by(evaluation.c.id))]


def _evaluation(row: sa.Row[Any]) -> Evaluation:
    return Evaluation(
        id=EvaluationRef(row.id),
        version=VersionRef(row.version),
        kind=EvaluationKind(row.kind),
        dataset=Digest(row.dataset),
        settings=msgspec.json.decode(row.settings, type=EvaluationSettings),
        state=EvaluationState(row.state),
        outcome=Outcome(row.outcome) if row.outcome else None,
        reason=row.reason,
        report=Digest(row.report) if row.report else None,
        summary=msgspec.json.decode(row.summary, type=Summary),
        created_at=moment(row.created_at),
        created_by=row.created_by,
        finished_at=moment(row.finished_at) if row.finished_at else None,
    )
