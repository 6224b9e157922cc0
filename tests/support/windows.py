"""A window of captured records, whole."""

from datetime import datetime
from typing import Any

from modelward.governance.access.entities import SYSTEM
from modelward.governance.monitoring.windows import open_window
from modelward.kernel.refs import EndpointRef
from modelward.storage.work import Workshop


def rows_of_window(workshop: Workshop, endpoint: str, *, start: datetime, end: datetime) -> list[dict[str, Any]]:
    """The records of an endpoint from a moment up to another, as the system reads them."""
    with open_window(workshop, SYSTEM, EndpointRef(endpoint), start=start, end=end) as window:
        rows: list[dict[str, Any]] = window.reader().read_all().to_pylist()
        return rows
