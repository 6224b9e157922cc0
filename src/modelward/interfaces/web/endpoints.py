"""Endpoints: what serves where, since when, how much is asked of it, and who watches."""

from datetime import datetime, timedelta

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.governance.alerts import use_cases as alerts
from modelward.governance.alerts.entities import Alert, AlertState
from modelward.governance.monitoring import captures
from modelward.governance.monitoring import use_cases as monitoring
from modelward.governance.serving import use_cases
from modelward.interfaces.web import charts
from modelward.interfaces.web.charts import Chart
from modelward.interfaces.web.history import history_of
from modelward.interfaces.web.views import Shown, Views, show
from modelward.kernel.pages import PageRequest
from modelward.kernel.refs import EndpointRef
from modelward.storage.work import Work

views = Views()
ENDPOINTS_ON_A_PAGE = 50
DAYS_SHOWN = 60


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """Which endpoints to list."""

    removed: bool = False
    cursor: str | None = None


@views.page("GET", "/endpoints", permission=Permission.ENDPOINT_READ)
def list_endpoints(work: Work, query: Listed) -> Shown:
    """Endpoints in the order of their names."""
    page = PageRequest(limit=ENDPOINTS_ON_A_PAGE, cursor=query.cursor)
    found = use_cases.list_endpoints(work, page=page, removed=query.removed)
    watched = {
        each.name: monitoring.list_monitors(work, page=PageRequest(), endpoint=each.name) for each in found.items
    }
    last = {
        monitor.name: next(iter(monitoring.list_runs(work, monitor.name, page=PageRequest(limit=1)).items), None)
        for page in watched.values()
        for monitor in page.items
    }
    return show("endpoints.html", page=found, query=query, watched=watched, last=last)


@views.page("GET", "/endpoints/{endpoint}", permission=Permission.ENDPOINT_READ)
def show_endpoint(work: Work, endpoint: EndpointRef) -> Shown:
    """An endpoint with its traffic, its versions over time, its monitors and alerts."""
    found = use_cases.get_endpoint(work, endpoint)
    monitors = monitoring.list_monitors(work, page=PageRequest(), endpoint=endpoint).items
    recent = {each.name: monitoring.list_runs(work, each.name, page=PageRequest(limit=12)).items for each in monitors}
    files = captures.list_files(work, endpoint, limit=1)
    return show(
        "endpoint.html",
        endpoint=found,
        monitors=monitors,
        recent=recent,
        alerts=_open_alerts(work, endpoint),
        traffic=_traffic(work, endpoint, until=files[0].last_at if files else work.now),
        history=history_of(work, endpoint),
    )


def _open_alerts(work: Work, endpoint: EndpointRef) -> list[Alert]:
    found = alerts.list_alerts(work, page=PageRequest(), endpoint=endpoint).items
    return [each for each in found if each.state is not AlertState.CLOSED]


def _traffic(work: Work, endpoint: EndpointRef, *, until: datetime) -> Chart | None:
    end = until.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    days = captures.traffic(work, endpoint, start=end - timedelta(days=DAYS_SHOWN), end=end, by_day=True)
    if not days:
        return None
    counted = {each.start: each.rows for each in days}
    # Days without any record are part of the picture.
    span = [end - timedelta(days=back) for back in range(DAYS_SHOWN, 0, -1)]
    shown = [(day, counted.get(day, 0)) for day in span if day >= days[0].start]
    return charts.columns_over_days(shown, label="Captured records per day (UTC)", of="records")
