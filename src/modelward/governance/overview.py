"""The dashboard's read model: every model at a glance, with what is missing and what needs a person. Reads only."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from modelward.governance.access.permissions import Permission, require
from modelward.governance.alerts.store import alert
from modelward.governance.approvals.store import review
from modelward.governance.cards.store import card
from modelward.governance.monitoring.store import monitor, run
from modelward.governance.registry.store import model, status_at, version
from modelward.governance.serving.store import endpoint
from modelward.kernel.errors import Invalid
from modelward.kernel.pages import PageRequest, cursor_after
from modelward.storage.work import Work

RECENT_RUNS = 12


class MonitorGlance(msgspec.Struct, frozen=True, kw_only=True):
    """A monitor: the outcomes of its latest runs by window, the oldest first, and the last of them."""

    name: str
    endpoint: str
    last_outcome: str = ""
    recent: list[str] = []


class ModelGlance(msgspec.Struct, frozen=True, kw_only=True):
    """A model: its latest version, and across all its versions where it runs, how it is watched, what is open."""

    model: str
    description: str
    owner: str
    tags: dict[str, str]
    version: str = ""
    status: str = ""
    card: str = ""
    card_status: str = ""
    risk_rating: str = ""
    endpoints: list[str] = []
    monitors: list[MonitorGlance] = []
    open_alerts: list[str] = []
    waiting_review: str = ""


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """The dashboard: headline counts, and models in the order of their names."""

    counts: dict[str, int]
    rows: list[ModelGlance]
    next_cursor: str | None = None


_SERVED = (
    sa.select(endpoint.c.name).join(version, version.c.ref == endpoint.c.version).where(endpoint.c.removed_at.is_(None))
)
_WATCHED = _SERVED.join(monitor, monitor.c.endpoint == endpoint.c.name).where(monitor.c.removed_at.is_(None))
_ALERTED = _SERVED.join(alert, alert.c.endpoint == endpoint.c.name).where(alert.c.state != "closed")
_REVIEWED = sa.select(review.c.id).join(version, version.c.ref == review.c.version).where(review.c.state == "open")
_CARDED = sa.select(card.c.name).where(card.c.status != "archived")


def _of_model(query: sa.Select[Any]) -> sa.ColumnElement[bool]:
    return query.where(version.c.model == model.c.name).correlate(model).exists()


FILTERS: dict[str, sa.ColumnElement[bool]] = {
    "in-alert": _of_model(_ALERTED),
    "in-production": _of_model(_SERVED),
    "waiting-review": _of_model(_REVIEWED),
    "without-card": ~_CARDED.where(card.c.model == model.c.name).correlate(model).exists(),
    "without-monitor": _of_model(_SERVED) & ~_of_model(_WATCHED),
}


def overview(work: Work, *, text: str = "", show: str = "", page: PageRequest | None = None) -> Overview:
    """Look at all models: those whose name, description or owner holds the text, and that the filter shows.

    Raises:
        Invalid: there is no such filter.
    """
    require(work, Permission.MODEL_READ)
    page = page or PageRequest()
    if show and show not in FILTERS:
        raise Invalid(f"{show!r} is not a filter; there are {', '.join(FILTERS)}.", field="show")
    found = work.execute(_models(text=text, show=show, page=page, at=work.now)).all()
    shown = found[: page.limit]
    next_cursor = cursor_after(shown[-1].name) if len(found) > page.limit else None
    return Overview(counts=count(work), rows=_glances(work, shown), next_cursor=next_cursor)


def count(work: Work) -> dict[str, int]:
    """The headline counts, in one statement."""
    require(work, Permission.MODEL_READ)
    questions = {
        "models": sa.select(sa.func.count()).select_from(model),
        "versions": sa.select(sa.func.count()).select_from(version),
        **{
            name.replace("-", "_"): sa.select(sa.func.count()).select_from(model).where(condition)
            for name, condition in FILTERS.items()
        },
        "open_alerts": sa.select(sa.func.count()).select_from(alert).where(alert.c.state != "closed"),
        "waiting_reviews": sa.select(sa.func.count()).select_from(review).where(review.c.state == "open"),
    }
    row = work.execute(sa.select(*(each.scalar_subquery().label(name) for name, each in questions.items()))).one()
    return {name: int(getattr(row, name)) for name in questions}


def _models(*, text: str, show: str, page: PageRequest, at: datetime) -> sa.Select[Any]:
    latest = sa.and_(version.c.model == model.c.name, version.c.number == model.c.versions)
    query = (
        sa.select(model, version.c.ref, status_at(at).label("status"))
        .select_from(model.outerjoin(version, latest))
        .order_by(model.c.name)
        .limit(page.limit + 1)
    )
    if page.after:
        query = query.where(model.c.name > page.after[0])
    if show:
        query = query.where(FILTERS[show])
    if text:
        held = (model.c.words, sa.func.lower(model.c.owner))
        query = query.where(sa.or_(*(each.contains(text.lower(), autoescape=True) for each in held)))
    return query


def _glances(work: Work, shown: Sequence[sa.Row[Any]]) -> list[ModelGlance]:
    names = [row.name for row in shown]
    cards = _cards(work, [row.ref for row in shown if row.ref])
    endpoints = _endpoints(work, names)
    served = [name for each in endpoints.values() for name in each]
    monitors = _monitors(work, served)
    alerts = _grouped(
        work,
        sa.select(alert.c.endpoint, alert.c.id)
        .where(alert.c.endpoint.in_(served), alert.c.state != "closed")
        .order_by(alert.c.opened_at),
    )
    reviews = _grouped(
        work,
        sa.select(version.c.model, review.c.id)
        .join(version, version.c.ref == review.c.version)
        .where(version.c.model.in_(names), review.c.state == "open"),
    )
    return [
        ModelGlance(
            model=row.name,
            description=row.description,
            owner=row.owner,
            tags=msgspec.json.decode(row.tags),
            version=row.ref or "",
            status=row.status or "",
            **cards.get(row.ref, {}),
            endpoints=endpoints[row.name],
            monitors=[each for name in endpoints[row.name] for each in monitors[name]],
            open_alerts=[each for name in endpoints[row.name] for each in alerts[name]],
            waiting_review=reviews[row.name][-1] if reviews[row.name] else "",
        )
        for row in shown
    ]


def _grouped(work: Work, query: sa.Select[Any]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    pairs: list[Any] = list(work.execute(query))
    for key, value in pairs:
        groups[key].append(value)
    return groups


def _cards(work: Work, refs: list[str]) -> dict[str, dict[str, str]]:
    rows = work.execute(sa.select(card).where(card.c.version.in_(refs), card.c.status != "archived"))
    return {row.version: {"card": row.name, "card_status": row.status, "risk_rating": row.risk_rating} for row in rows}


def _endpoints(work: Work, names: list[str]) -> dict[str, list[str]]:
    query = (
        sa.select(version.c.model, endpoint.c.name)
        .join(version, version.c.ref == endpoint.c.version)
        .where(version.c.model.in_(names), endpoint.c.removed_at.is_(None))
        .order_by(endpoint.c.name)
    )
    return _grouped(work, query)


def _monitors(work: Work, endpoints: list[str]) -> dict[str, list[MonitorGlance]]:
    watching = work.execute(
        sa.select(monitor.c.name, monitor.c.endpoint)
        .where(monitor.c.endpoint.in_(endpoints), monitor.c.removed_at.is_(None))
        .order_by(monitor.c.name)
    ).all()
    # The place is counted in the database, so that a monitor with years of runs costs no more than a new one.
    place = sa.func.row_number().over(partition_by=run.c.monitor, order_by=run.c.window_end.desc()).label("place")
    ranked = (
        sa.select(run.c.monitor, run.c.window_end, sa.func.coalesce(run.c.outcome, run.c.state).label("outcome"), place)
        .where(run.c.monitor.in_([row.name for row in watching]), run.c.state.in_(["finished", "failed"]))
        .subquery()
    )
    recent = _grouped(
        work,
        sa.select(ranked.c.monitor, ranked.c.outcome)
        .where(ranked.c.place <= RECENT_RUNS)
        .order_by(ranked.c.window_end),
    )
    glances: dict[str, list[MonitorGlance]] = defaultdict(list)
    for row in watching:
        outcomes = recent[row.name]
        glances[row.endpoint].append(
            MonitorGlance(
                name=row.name, endpoint=row.endpoint, last_outcome=outcomes[-1] if outcomes else "", recent=outcomes
            )
        )
    return glances
