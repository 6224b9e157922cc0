"""The table of endpoints."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from modelward.governance.serving import rules
from modelward.governance.serving.entities import Endpoint
from modelward.kernel.clock import moment, timestamp
from modelward.kernel.pages import Page, PageRequest, cursor_after
from modelward.kernel.refs import EndpointRef, VersionRef
from modelward.storage.work import Work

metadata = sa.MetaData()
endpoint = sa.Table(
    "endpoint",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("version_status", sa.Text, nullable=False),
    sa.Column("unapproved", sa.Boolean, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("capture_share", sa.Double, nullable=False),
    sa.Column("capture_required", sa.Boolean, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("removed_at", sa.Text),
    sa.Column("approved_until", sa.Text),
    sa.Index("endpoint_by_version", "version"),
)

# Made once: an invocation looks its endpoint up, and composing the statement costs more than running it.
_FIND = sa.select(endpoint).where(endpoint.c.name == sa.bindparam("name"))


def find(work: Work, name: EndpointRef) -> Endpoint | None:
    """Find an endpoint, removed or not."""
    row = work.execute(_FIND, {"name": name}).first()
    return _endpoint(row, work.now) if row else None


def add(work: Work, new: Endpoint) -> None:
    """Keep a new endpoint."""
    work.execute(sa.insert(endpoint), _row(new))


def put(work: Work, changed: Endpoint) -> None:
    """Keep a changed endpoint."""
    work.execute(sa.update(endpoint).where(endpoint.c.name == changed.name).values(_row(changed)))


def list_endpoints(work: Work, *, page: PageRequest, version: VersionRef | None, removed: bool) -> Page[Endpoint]:
    """Endpoints in the order of their names."""
    query = sa.select(endpoint).order_by(endpoint.c.name).limit(page.limit + 1)
    if page.after:
        query = query.where(endpoint.c.name > page.after[0])
    if version:
        query = query.where(endpoint.c.version == version)
    if not removed:
        query = query.where(endpoint.c.removed_at.is_(None))
    found = [_endpoint(row, work.now) for row in work.execute(query)]
    items = found[: page.limit]
    return Page(items=items, next_cursor=cursor_after(items[-1].name) if len(found) > page.limit else None)


def serving(work: Work, version: VersionRef) -> list[Endpoint]:
    """The endpoints that serve a version now."""
    query = sa.select(endpoint).where(endpoint.c.version == version, endpoint.c.removed_at.is_(None))
    return [_endpoint(row, work.now) for row in work.execute(query.order_by(endpoint.c.name))]


def _row(one: Endpoint) -> dict[str, Any]:
    return {
        "name": one.name,
        "version": one.version,
        "version_status": one.version_status,
        "unapproved": one.unapproved,
        "url": one.url,
        "capture_share": one.capture_share,
        "capture_required": one.capture_required,
        "created_at": timestamp(one.created_at),
        "created_by": one.created_by,
        "removed_at": timestamp(one.removed_at) if one.removed_at else None,
        "approved_until": timestamp(one.approved_until) if one.approved_until else None,
    }


def _endpoint(row: sa.Row[Any], at: datetime) -> Endpoint:
    until = moment(row.approved_until) if row.approved_until else None
    status = rules.status_at(row.version_status, until, at=at)
    return Endpoint(
        name=EndpointRef(row.name),
        version=VersionRef(row.version),
        version_status=status,
        unapproved=status != rules.APPROVED,
        url=row.url,
        capture_share=row.capture_share,
        capture_required=bool(row.capture_required),
        created_at=moment(row.created_at),
        created_by=row.created_by,
        removed_at=moment(row.removed_at) if row.removed_at else None,
        approved_until=until,
    )
