"""What is kept of models and versions beside what was registered: stage, metadata, particulars, policy, withdrawal."""

from typing import Any

import msgspec
import sqlalchemy as sa

from modelward.governance.registry.entities import ApprovalStatus, Model, Version
from modelward.governance.registry.store import model, model_of, status_at, version, version_of
from modelward.kernel.browsing import Browse, Found
from modelward.kernel.clock import timestamp
from modelward.kernel.refs import ModelRef, VersionRef
from modelward.storage.browsing import Shelf, look_through
from modelward.storage.work import Work

Particulars = dict[str, Any]

MODELS = Shelf(table=model, name=model.c.name, created=model.c.created_at)
VERSIONS = Shelf(
    table=version,
    name=version.c.ref,
    created=version.c.created_at,
    words=version.c.model,
    sorts={"number": version.c.number},
)
_FIND_VERSION_PARTICULARS = (
    sa.select(version.c.particulars).where(version.c.ref == sa.bindparam("ref")).execution_options(prepared=True)
)


def renew_model(work: Work, again: Model) -> None:
    """Keep a model anew whose name had been withdrawn; its versions keep their numbers."""
    values = {
        "description": again.description,
        "owner": again.owner,
        "tags": _json(again.tags),
        "words": f"{again.name}\n{again.description}".lower(),
        "created_at": timestamp(again.created_at),
        "created_by": again.created_by,
        "particulars": None,
        "policy": None,
        "withdrawn_at": None,
        "single": again.single,
    }
    work.execute(sa.update(model).where(model.c.name == again.name).values(values))


def put_version(work: Work, changed: Version) -> None:
    """Keep the changed stage, metadata, tags and withdrawal of a version."""
    values = {
        "stage": _json(changed.stage) if changed.stage else None,
        "metadata": _json(changed.metadata) if changed.metadata else None,
        "tags": _json(changed.tags),
        "modified_at": timestamp(work.now),
        "modified_by": work.actor.id,
        "withdrawn_at": timestamp(changed.withdrawn_at) if changed.withdrawn_at else None,
    }
    work.execute(sa.update(version).where(version.c.ref == changed.ref).values(values))


def put_version_particulars(work: Work, ref: VersionRef, particulars: Particulars) -> None:
    """Keep what an outside interface tells of a version."""
    work.execute(sa.update(version).where(version.c.ref == ref).values(particulars=_json(particulars)))


def find_version_particulars(work: Work, ref: VersionRef) -> Particulars:
    """What an outside interface told of a version; empty where none did."""
    return _read(work.execute(_FIND_VERSION_PARTICULARS, {"ref": ref}).scalar())


def list_version_particulars(work: Work, refs: list[VersionRef]) -> dict[str, Particulars]:
    """What outside interfaces told of several versions."""
    query = sa.select(version.c.ref, version.c.particulars).where(version.c.ref.in_(refs))
    return {row.ref: _read(row.particulars) for row in work.execute(query)}


def put_model_particulars(work: Work, name: ModelRef, particulars: Particulars, *, single: bool) -> None:
    """Keep what an outside interface tells of a model, and whether it is a single one."""
    values = {"particulars": _json(particulars), "single": single}
    work.execute(sa.update(model).where(model.c.name == name).values(values))


def find_model_particulars(work: Work, name: ModelRef) -> Particulars:
    """What an outside interface told of a model; empty where none did."""
    return _read(work.execute(sa.select(model.c.particulars).where(model.c.name == name)).scalar())


def find_policy(work: Work, name: ModelRef) -> str | None:
    """The resource policy that was put on a model."""
    found: str | None = work.execute(sa.select(model.c.policy).where(model.c.name == name)).scalar()
    return found


def put_policy(work: Work, name: ModelRef, policy: str | None) -> None:
    """Keep the resource policy of a model, or none."""
    work.execute(sa.update(model).where(model.c.name == name).values(policy=policy))


def withdraw_model(work: Work, name: ModelRef) -> None:
    """Take a model out of all lists."""
    work.execute(sa.update(model).where(model.c.name == name).values(withdrawn_at=timestamp(work.now), policy=None))


def has_versions_in_use(work: Work, name: ModelRef) -> bool:
    """Whether a model has a version that was not withdrawn."""
    query = sa.select(version.c.ref).where(version.c.model == name, version.c.withdrawn_at.is_(None)).limit(1)
    return work.execute(query).first() is not None


def browse_models(work: Work, browse: Browse, *, single: bool | None) -> Found[Model]:
    """Models that are not withdrawn; single ones, others, or both."""
    also: list[sa.ColumnElement[bool]] = [model.c.withdrawn_at.is_(None)]
    if single is not None:
        flag = sa.func.coalesce(model.c.single, sa.false())
        also.append(flag if single else sa.not_(flag))
    return look_through(work, MODELS, browse, model_of, *also)


def browse_versions(
    work: Work,
    browse: Browse,
    *,
    of: ModelRef | None,
    statuses: list[ApprovalStatus] | None,
    single: bool | None,
) -> Found[Version]:
    """Versions that are not withdrawn; of one model or of all, by approval status."""
    also: list[sa.ColumnElement[bool]] = [version.c.withdrawn_at.is_(None)]
    if of is not None:
        also.append(version.c.model == of)
    if statuses is not None:
        also.append(status_at(work.now).in_([each.value for each in statuses]))
    if single is not None:
        singles = sa.select(model.c.name).where(sa.func.coalesce(model.c.single, sa.false()))
        also.append(version.c.model.in_(singles) if single else version.c.model.not_in(singles))
    return look_through(work, VERSIONS, browse, lambda row: version_of(row, work.now), *also)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _read(text: str | None) -> Particulars:
    return msgspec.json.decode(text) if text else {}
