"""Models, versions and training runs found by what their fields say, for interfaces that let clients ask freely."""

import sqlalchemy as sa

from modelward.governance.access.permissions import Permission, require
from modelward.governance.registry.entities import Model, Version
from modelward.governance.registry.store import model, model_of, status_at, version, version_of
from modelward.governance.registry.training_run import TrainingRun
from modelward.governance.registry.training_store import run_of, training_run
from modelward.kernel.browsing import Hits, Inquiry
from modelward.kernel.refs import ModelRef
from modelward.storage.inquiries import Column, Fields, as_is, inquire, plain, tags_beside, tags_inside, within
from modelward.storage.work import Work

_single = sa.func.coalesce(model.c.single, sa.false())
# A single model has one version, and no line of them.
_IN_LINE = version.c.model.not_in(sa.select(model.c.name).where(_single))


def _if_in_line(column: Column) -> Column:
    return sa.case((_IN_LINE, column))


MODELS = Fields(
    table=model,
    name=model.c.name,
    fields={
        "name": as_is(model.c.name),
        "description": plain(model.c.description),
        "created": as_is(model.c.created_at),
        "created_by": as_is(model.c.created_by),
        **tags_inside(model.c.tags),
    },
    sorts={"name": model.c.name, "created": model.c.created_at},
)
VERSIONS = Fields(
    table=version,
    name=version.c.ref,
    fields={
        "ref": as_is(version.c.ref),
        "model": lambda _work, _key: _if_in_line(version.c.model),
        "any_model": as_is(version.c.model),
        "number": lambda _work, _key: _if_in_line(version.c.number),
        "status": lambda work, _key: _if_in_line(status_at(work.now)),
        "description": plain(version.c.description),
        "created": as_is(version.c.created_at),
        "created_by": as_is(version.c.created_by),
        "modified": as_is(version.c.modified_at),
        "modified_by": plain(version.c.modified_by),
        "stage": within(version.c.stage, "name"),
        "stage_status": within(version.c.stage, "status"),
        "metadata": within(version.c.metadata),
        "told": within(version.c.particulars),
        **tags_inside(version.c.tags),
    },
    sorts={
        "ref": version.c.ref,
        "model": version.c.model,
        "created": version.c.created_at,
        "modified": sa.func.coalesce(version.c.modified_at, version.c.created_at),
        "number": version.c.number,
    },
)
TRAININGS = Fields(
    table=training_run,
    name=training_run.c.name,
    fields={
        "name": as_is(training_run.c.name),
        "state": as_is(training_run.c.state),
        "artifact": as_is(training_run.c.artifact_uri),
        "created": as_is(training_run.c.created_at),
        "modified": as_is(training_run.c.modified_at),
        "hyperparameter": within(training_run.c.facts, "hyperparameters"),
        **tags_beside(training_run, "training"),
    },
    sorts={
        "name": training_run.c.name,
        "created": training_run.c.created_at,
        "modified": training_run.c.modified_at,
        "state": training_run.c.state,
    },
)


def find_models(work: Work, inquiry: Inquiry, *, counted: bool = True) -> Hits[Model]:
    """Models with a line of versions that keep a condition.

    Raises:
        Invalid: there is no such field or order.
    """
    require(work, Permission.MODEL_READ)
    alive = model.c.withdrawn_at.is_(None), sa.not_(_single)
    return inquire(work, MODELS, inquiry, model_of, *alive, counted=counted)


def find_versions(work: Work, inquiry: Inquiry, *, counted: bool = True) -> Hits[Version]:
    """Versions that keep a condition, of all models, single ones too.

    Raises:
        Invalid: there is no such field or order.
    """
    require(work, Permission.MODEL_READ)
    alive = version.c.withdrawn_at.is_(None)
    return inquire(work, VERSIONS, inquiry, lambda row: version_of(row, work.now), alive, counted=counted)


def find_trainings(work: Work, inquiry: Inquiry, *, counted: bool = True) -> Hits[TrainingRun]:
    """Training runs that keep a condition.

    Raises:
        Invalid: there is no such field or order.
    """
    require(work, Permission.MODEL_READ)
    return inquire(work, TRAININGS, inquiry, run_of, counted=counted)


def list_single(work: Work, names: list[ModelRef]) -> set[ModelRef]:
    """Which of some models are single ones."""
    require(work, Permission.MODEL_READ)
    query = sa.select(model.c.name).where(model.c.name.in_(names), _single)
    return {ModelRef(name) for name in work.execute(query).scalars()}
