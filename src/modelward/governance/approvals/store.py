"""The tables of the approvals: review, policy."""

from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from modelward.governance.approvals.entities import Binding, CheckResult, Review, ReviewState
from modelward.kernel import codec
from modelward.kernel.clock import moment, timestamp
from modelward.kernel.pages import Page, PageRequest, cursor_after
from modelward.kernel.refs import Digest, ReviewRef, VersionRef
from modelward.storage.work import Work

metadata = sa.MetaData()
review = sa.Table(
    "review",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("because", sa.Text, nullable=False),
    sa.Column("checks", sa.Text, nullable=False),
    sa.Column("dossier", sa.Text, nullable=False),
    sa.Column("opened_at", sa.Text, nullable=False),
    sa.Column("checked_at", sa.Text, nullable=False),
    sa.Column("decided_at", sa.Text),
    sa.Column("decided_by", sa.Text),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("bound", sa.Text),
)
policy = sa.Table(
    "policy",
    metadata,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
)
_FIND = sa.select(review).where(review.c.id == sa.bindparam("id"))
_FIND_OPEN = sa.select(review).where(
    review.c.version == sa.bindparam("version"), review.c.state == ReviewState.OPEN.value
)
_FIND_POLICY = sa.select(policy).order_by(policy.c.sequence.desc()).limit(1)


def add(work: Work, new: Review) -> None:
    """Keep a new review."""
    row = {
        "id": new.id,
        "version": new.version,
        "because": new.because,
        "opened_at": timestamp(new.opened_at),
        **_changing(new),
    }
    work.execute(sa.insert(review), row)


def put(work: Work, changed: Review) -> None:
    """Keep a review's checks and how it was decided."""
    work.execute(sa.update(review).where(review.c.id == changed.id).values(_changing(changed)))


def _changing(each: Review) -> dict[str, Any]:
    return {
        "state": each.state.value,
        "checks": codec.encode(each.checks).decode(),
        "dossier": each.dossier,
        "checked_at": timestamp(each.checked_at),
        "decided_at": timestamp(each.decided_at) if each.decided_at else None,
        "decided_by": each.decided_by,
        "note": each.note,
        "bound": codec.encode(each.bound).decode() if each.bound else None,
    }


def find(work: Work, ref: ReviewRef) -> Review | None:
    """Find a review."""
    row = work.execute(_FIND, {"id": ref}).first()
    return _review(row) if row else None


def find_open(work: Work, version: VersionRef) -> Review | None:
    """Find the open review of a version."""
    row = work.execute(_FIND_OPEN, {"version": version}).first()
    return _review(row) if row else None


def find_approval(work: Work, version: VersionRef) -> Review | None:
    """Find the review that approved a version last."""
    query = (
        sa.select(review)
        .where(review.c.version == version, review.c.state == ReviewState.APPROVED.value)
        .order_by(review.c.decided_at.desc(), review.c.id.desc())
        .limit(1)
    )
    row = work.execute(query).first()
    return _review(row) if row else None


def list_reviews(
    work: Work, *, page: PageRequest, state: ReviewState | None, version: VersionRef | None
) -> Page[Review]:
    """Reviews, the newest first."""
    query = sa.select(review).order_by(review.c.id.desc()).limit(page.limit + 1)
    if page.after:
        query = query.where(review.c.id < page.after[0])
    if state:
        query = query.where(review.c.state == state.value)
    if version:
        query = query.where(review.c.version == version)
    found = [_review(row) for row in work.execute(query)]
    items = found[: page.limit]
    return Page(items=items, next_cursor=cursor_after(items[-1].id) if len(found) > page.limit else None)


def list_open_versions(work: Work) -> list[VersionRef]:
    """The versions that are under review."""
    query = sa.select(review.c.version).where(review.c.state == ReviewState.OPEN.value).order_by(review.c.id)
    return [VersionRef(row.version) for row in work.execute(query)]


def list_approved_versions(work: Work) -> list[VersionRef]:
    """The versions that a review has ever approved."""
    query = sa.select(review.c.version).where(review.c.state == ReviewState.APPROVED.value).distinct()
    return [VersionRef(row.version) for row in work.execute(query.order_by(review.c.version))]


def find_policy(work: Work) -> tuple[Digest, str, str, datetime] | None:
    """Find the policy adopted last: digest, source, text and when."""
    row = work.execute(_FIND_POLICY).first()
    return (Digest(row.digest), row.source, row.text, moment(row.at)) if row else None


def add_policy(work: Work, *, digest: Digest, source: str, text: str) -> None:
    """Keep a policy as the one adopted last."""
    last = work.execute(sa.select(sa.func.max(policy.c.sequence))).scalar() or 0
    row = {"sequence": last + 1, "digest": digest, "source": source, "text": text, "at": timestamp(work.now)}
    work.execute(sa.insert(policy), row)


def _review(row: sa.Row[Any]) -> Review:
    return Review(
        id=ReviewRef(row.id),
        version=VersionRef(row.version),
        state=ReviewState(row.state),
        because=row.because,
        checks=msgspec.json.decode(row.checks, type=list[CheckResult]),
        dossier=Digest(row.dossier),
        opened_at=moment(row.opened_at),
        checked_at=moment(row.checked_at),
        decided_at=moment(row.decided_at) if row.decided_at else None,
        decided_by=row.decided_by,
        note=row.note,
        bound=codec.decode(row.bound, Binding) if row.bound else None,
    )
