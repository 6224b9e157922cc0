"""The dashboard over REST."""

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.governance.overview import Overview
from modelward.governance.overview import overview as look
from modelward.interfaces.rest.operations import Operations
from modelward.kernel.pages import PAGE_SIZE_DEFAULT, PageRequest
from modelward.storage.work import Work

overview = Operations("overview")


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """Which models to show: by text, and by filter (in-alert, in-production, waiting-review, without-card, without-monitor)."""

    text: str = ""
    show: str = ""
    limit: int = PAGE_SIZE_DEFAULT
    cursor: str | None = None


@overview.operation("GET", "/overview", permission=Permission.MODEL_READ)
def get_overview(work: Work, query: Look) -> Overview:
    """Look at all models at a glance."""
    return look(work, text=query.text, show=query.show, page=PageRequest(limit=query.limit, cursor=query.cursor))
