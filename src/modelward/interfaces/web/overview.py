"""The overview: every model at a glance, what is missing, what needs a person, and where to start."""

import msgspec

from modelward.governance import overview as glances
from modelward.governance.access.permissions import Permission
from modelward.governance.overview import ModelGlance, Overview
from modelward.interfaces.web.views import Shown, Views, show
from modelward.kernel.pages import PageRequest
from modelward.storage.work import Work

views = Views()
DEMO_TAG = "demo"
MODELS_ON_A_PAGE = 100
COUNTS = (
    ("models", "Models", "", False),
    ("in_production", "In production", "in-production", False),
    ("open_alerts", "Open alerts", "in-alert", True),
    ("waiting_reviews", "Reviews waiting", "waiting-review", True),
    ("without_monitor", "Running without a monitor", "without-monitor", True),
    ("without_card", "Without a card", "without-card", True),
)
FILTER_WORDS = {
    "": "All models",
    "in-alert": "With an open alert",
    "in-production": "In production",
    "waiting-review": "Waiting for a review",
    "without-card": "Without a card",
    "without-monitor": "Running without a monitor",
}


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """Which models to show."""

    text: str = ""
    show: str = ""
    cursor: str | None = None


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """The five steps of the demo story, each with its address, as far as the house holds them."""

    alert: str = ""
    monitor: str = ""
    card: str = ""
    review: str = ""
    reviewed: str = ""


@views.page("GET", "/", permission=Permission.MODEL_READ)
def overview(work: Work, query: Filters) -> Shown:
    """The dashboard."""
    page = PageRequest(limit=MODELS_ON_A_PAGE, cursor=query.cursor)
    seen = glances.overview(work, text=query.text.strip(), show=query.show, page=page)
    return show(
        "overview.html",
        seen=seen,
        query=query,
        counts=[(title, seen.counts.get(key, 0), name, calls) for key, title, name, calls in COUNTS],
        filters=FILTER_WORDS,
        story=_story(seen) if not (query.text or query.show or query.cursor) else None,
        is_empty=seen.counts.get("models", 0) == 0,
    )


def _story(seen: Overview) -> Story | None:
    """Where the demo's story begins and ends; None when this house does not hold it."""
    told = [row for row in seen.rows if DEMO_TAG in row.tags]
    if not told:
        return None
    alerted = next((row for row in told if row.open_alerts), None)
    waiting = next((row for row in told if row.waiting_review), None)
    return Story(
        alert=alerted.open_alerts[0] if alerted else "",
        monitor=_failing(alerted),
        card=(waiting or alerted or told[0]).card,
        review=waiting.waiting_review if waiting else "",
        reviewed=waiting.version if waiting else "",
    )


def _failing(row: ModelGlance | None) -> str:
    return next((each.name for each in row.monitors if each.last_outcome == "failed"), "") if row else ""
