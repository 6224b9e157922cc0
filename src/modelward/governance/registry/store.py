"""The tables of the registry: model, version, artifact."""

from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from modelward.governance.registry import rules
from modelward.governance.registry.entities import ApprovalStatus, Artifact, Model, Stage, Version, VersionFacts
from modelward.kernel.clock import moment, timestamp
from modelward.kernel.pages import Page, PageRequest, cursor_after
from modelward.kernel.refs import Digest, ModelRef, VersionRef
from modelward.storage.work import Work

metadata = sa.MetaData()
model = sa.Table(
    "model",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("tags", sa.Text, nullable=False),
    # Name and description in small letters: what a search looks through.
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("versions", sa.Integer, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    # What an outside interface tells of it, kept word for word (JSON).
    sa.Column("particulars", sa.Text),
    sa.Column("policy", sa.Text),
    sa.Column("withdrawn_at", sa.Text),
    sa.Column("single", sa.Boolean),
    sa.Index("model_by_age", "created_at", "name"),
)
version = sa.Table(
    "version",
    metadata,
    sa.Column("ref", sa.Text, primary_key=True),
    sa.Column("model", sa.Text, sa.ForeignKey("model.name"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("facts", sa.Text, nullable=False),
    sa.Column("artifact", sa.Text),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("status_reason", sa.Text, nullable=False),
    sa.Column("tags", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("stage", sa.Text),
    sa.Column("metadata", sa.Text),
    sa.Column("particulars", sa.Text),
    sa.Column("modified_at", sa.Text),
    sa.Column("modified_by", sa.Text),
    sa.Column("withdrawn_at", sa.Text),
    sa.Column("approved_until", sa.Text),
    sa.UniqueConstraint("model", "number", name="version_number"),
    sa.Index("version_by_age", "created_at", "ref"),
)
artifact = sa.Table(
    "artifact",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
)

SEARCH_LETTERS_MIN = 3
SEARCH_HITS_MAX = 1000

# Statements are made once and prepared: composing and compiling them costs more than running them.
_PREPARED = {"prepared": True}
_HAS_SEARCH = sa.text("SELECT 1 FROM sqlite_master WHERE name = 'model_search'")
_SEARCH = sa.text("SELECT name FROM model_search WHERE words MATCH :phrase LIMIT :most")
_FIND_MODEL = sa.select(model).where(model.c.name == sa.bindparam("name")).execution_options(**_PREPARED)
_ADD_MODEL = sa.insert(model).execution_options(**_PREPARED)
_PUT_MODEL = (
    sa.update(model)
    .where(model.c.name == sa.bindparam("of"))
    .values({each: sa.bindparam(f"new_{each}") for each in ("description", "owner", "tags", "words")})
    .execution_options(**_PREPARED)
)
_FIND_VERSION = sa.select(version).where(version.c.ref == sa.bindparam("ref")).execution_options(**_PREPARED)
_ADD_VERSION = sa.insert(version).execution_options(**_PREPARED)
_TAKE_NUMBER = (
    sa.update(model)
    .where(model.c.name == sa.bindparam("of"), model.c.withdrawn_at.is_(None))
    .values(versions=model.c.versions + 1)
    .returning(model.c.versions)
    .execution_options(**_PREPARED)
)


def find_model(work: Work, name: ModelRef) -> Model | None:
    """Find a model by name."""
    row = work.execute(_FIND_MODEL, {"name": name}).first()
    return model_of(row) if row else None


def add_model(work: Work, new: Model) -> None:
    """Keep a new model."""
    work.execute(
        _ADD_MODEL,
        {
            "name": new.name,
            "description": new.description,
            "owner": new.owner,
            "tags": _json(new.tags),
            "words": _words(new),
            "versions": 0,
            "created_at": timestamp(new.created_at),
            "created_by": new.created_by,
        },
    )


def put_model(work: Work, changed: Model) -> None:
    """Keep the changed description, owner and tags of a model."""
    work.execute(
        _PUT_MODEL,
        {
            "of": changed.name,
            "new_description": changed.description,
            "new_owner": changed.owner,
            "new_tags": _json(changed.tags),
            "new_words": _words(changed),
        },
    )


def list_models(work: Work, *, page: PageRequest, text: str = "") -> Page[Model]:
    """Models in the order of their names, those whose name or description holds the text."""
    query = sa.select(model).where(model.c.withdrawn_at.is_(None)).order_by(model.c.name).limit(page.limit + 1)
    if page.after:
        query = query.where(model.c.name > page.after[0])
    if text:
        query = query.where(_holding(work, text.lower()))
    found = [model_of(row) for row in work.execute(query)]
    more = len(found) > page.limit
    items = found[: page.limit]
    return Page(items=items, next_cursor=cursor_after(items[-1].name) if more else None)


def _words(found: Model) -> str:
    return f"{found.name}\n{found.description}".lower()


def _holding(work: Work, text: str) -> sa.ColumnElement[bool]:
    """Which models hold the text. Where few do, the index of letter triples knows them; where many do, reading the models
    in order soon fills a page.
    """
    holds = model.c.words.contains(text, autoescape=True)
    if work.connection.dialect.name != "sqlite":
        return holds
    holds = sa.func.instr(model.c.words, text) > 0
    if len(text) < SEARCH_LETTERS_MIN or "\0" in text or not work.execute(_HAS_SEARCH).first():
        return holds
    phrase = '"' + text.replace('"', '""') + '"'
    hits = list(work.execute(_SEARCH, {"phrase": phrase, "most": SEARCH_HITS_MAX + 1}).scalars())
    return holds if len(hits) > SEARCH_HITS_MAX else sa.and_(holds, model.c.name.in_(hits))


def take_number(work: Work, name: ModelRef) -> int | None:
    """Count one more version of a model and return its number; None when there is no such model."""
    return work.execute(_TAKE_NUMBER, {"of": name}).scalar()


def add_version(work: Work, new: Version) -> None:
    """Keep a new version."""
    work.execute(
        _ADD_VERSION,
        {
            "ref": new.ref,
            "model": new.model,
            "number": new.number,
            "description": new.description,
            "facts": _json(new.facts),
            "artifact": new.artifact,
            "status": new.status,
            "status_reason": new.status_reason,
            "tags": _json(new.tags),
            "created_at": timestamp(new.created_at),
            "created_by": new.created_by,
        },
    )


def put_status(work: Work, changed: Version) -> None:
    """Keep the changed approval status of a version."""
    values = {
        "status": changed.status.value,
        "status_reason": changed.status_reason,
        "approved_until": timestamp(changed.approved_until) if changed.approved_until else None,
        "modified_at": timestamp(work.now),
        "modified_by": work.actor.id,
    }
    work.execute(sa.update(version).where(version.c.ref == changed.ref).values(values))


def put_artifact_of(work: Work, changed: Version) -> None:
    """Keep the artifact of a version that was registered before its bytes were read."""
    work.execute(sa.update(version).where(version.c.ref == changed.ref).values(artifact=changed.artifact))


def find_version(work: Work, ref: VersionRef) -> Version | None:
    """Find a version."""
    row = work.execute(_FIND_VERSION, {"ref": ref}).first()
    return version_of(row, work.now) if row else None


def list_versions(work: Work, name: ModelRef, *, page: PageRequest) -> Page[Version]:
    """The versions of a model, the newest first."""
    query = sa.select(version).where(version.c.model == name, version.c.withdrawn_at.is_(None))
    query = query.order_by(version.c.number.desc()).limit(page.limit + 1)
    if page.after_number is not None:
        query = query.where(version.c.number < page.after_number)
    found = [version_of(row, work.now) for row in work.execute(query)]
    more = len(found) > page.limit
    items = found[: page.limit]
    return Page(items=items, next_cursor=cursor_after(str(items[-1].number)) if more else None)


def find_artifact(work: Work, digest: Digest) -> Artifact | None:
    """Find what is known of an artifact."""
    row = work.execute(sa.select(artifact).where(artifact.c.digest == digest)).first()
    if row is None:
        return None
    return Artifact(
        digest=Digest(row.digest),
        bytes=row.bytes,
        name=row.name,
        created_at=moment(row.created_at),
        created_by=row.created_by,
    )


def add_artifact(work: Work, new: Artifact) -> None:
    """Keep what is known of an artifact."""
    row = {
        "digest": new.digest,
        "bytes": new.bytes,
        "name": new.name,
        "created_at": timestamp(new.created_at),
        "created_by": new.created_by,
    }
    work.execute(sa.insert(artifact), row)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def model_of(row: sa.Row[Any]) -> Model:
    """The model that a row tells of."""
    return Model(
        name=ModelRef(row.name),
        description=row.description,
        owner=row.owner,
        tags=msgspec.json.decode(row.tags),
        versions=row.versions,
        created_at=moment(row.created_at),
        created_by=row.created_by,
        single=bool(row.single),
        withdrawn_at=moment(row.withdrawn_at) if row.withdrawn_at else None,
    )


def status_at(at: datetime) -> sa.ColumnElement[str]:
    """The approval status at a moment, for statements; as ``rules.status_at``."""
    kept = version.c.status
    expired = sa.and_(kept == ApprovalStatus.APPROVED.value, version.c.approved_until < timestamp(at))
    return sa.case((expired, ApprovalStatus.LAPSED.value), else_=kept)


def version_of(row: sa.Row[Any], at: datetime) -> Version:
    """The version that a row tells of, as it stands at a moment."""
    until = moment(row.approved_until) if row.approved_until else None
    kept = ApprovalStatus(row.status)
    status = rules.status_at(kept, until, at=at)
    return Version(
        ref=VersionRef(row.ref),
        model=ModelRef(row.model),
        number=row.number,
        description=row.description,
        facts=msgspec.json.decode(row.facts, type=VersionFacts),
        artifact=Digest(row.artifact) if row.artifact else None,
        status=status,
        status_reason=rules.told_expired(until) if until and status is not kept else row.status_reason,
        tags=msgspec.json.decode(row.tags),
        stage=msgspec.json.decode(row.stage, type=Stage) if row.stage else None,
        metadata=msgspec.json.decode(row.metadata) if row.metadata else {},
        created_at=moment(row.created_at),
        created_by=row.created_by,
        modified_at=moment(row.modified_at) if row.modified_at else None,
        modified_by=row.modified_by or "",
        withdrawn_at=moment(row.withdrawn_at) if row.withdrawn_at else None,
        approved_until=until,
    )
