"""Alerts, from Python."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from modelward.sdk.resources import Resource


class Alerts(Resource):
    """What monitors have seen."""

    def list(
        self, *, state: str | None = None, monitor: str | None = None, endpoint: str | None = None
    ) -> Iterator[Any]:
        """Alerts, the newest first; ``state`` is open, acknowledged or closed."""
        return self._sender.each("/alerts", state=state, monitor=monitor, endpoint=endpoint)

    def get(self, alert: str) -> Any:
        """An alert by its id."""
        return self._sender.get(f"/alerts/{quote(alert, safe='')}")

    def acknowledge(self, alert: str, *, note: str = "") -> Any:
        """Take an alert on."""
        return self._sender.post(f"/alerts/{quote(alert, safe='')}/acknowledge", {"note": note})

    def close(self, alert: str, *, reason: str) -> Any:
        """Close an alert and say why."""
        return self._sender.post(f"/alerts/{quote(alert, safe='')}/close", {"reason": reason})
