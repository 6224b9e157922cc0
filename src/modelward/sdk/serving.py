"""Endpoints and their models, from Python."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import quote

from modelward.sdk.resources import Resource


def endpoint_path(name: str) -> str:
    """The address of an endpoint."""
    return f"/endpoints/{quote(name, safe='')}"


class Endpoints(Resource):
    """Names under which versions serve."""

    def create(
        self, name: str, version: str, *, url: str = "", capture_share: float = 1.0, capture_required: bool = True
    ) -> Any:
        """Let a version serve under a name; ``url`` is where its model answers (empty: it is called elsewhere)."""
        body = {"name": name, "version": version, "url": url}
        return self._sender.post(
            "/endpoints", {**body, "capture_share": capture_share, "capture_required": capture_required}
        )

    def get(self, name: str) -> Any:
        """An endpoint by name."""
        return self._sender.get(endpoint_path(name))

    def list(self, *, version: str | None = None, removed: bool = False) -> Iterator[Any]:
        """All endpoints, or those of a version; ``removed`` ones too where asked for."""
        return self._sender.each("/endpoints", version=version, removed=removed or None)

    def change_version(self, name: str, version: str, *, reason: str = "") -> Any:
        """Let another version serve."""
        return self._sender.patch(endpoint_path(name), {"version": version, "reason": reason})

    def change(self, name: str, **changes: Any) -> Any:
        """Change ``url``, ``capture_share`` or ``capture_required``."""
        return self._sender.patch(endpoint_path(name), changes)

    def remove(self, name: str, *, reason: str = "") -> Any:
        """End an endpoint; its records stay."""
        return self._sender.delete(endpoint_path(name), reason=reason or None)

    def invoke(self, name: str, body: Any) -> Any:
        """Ask the model through the gateway, which captures the call."""
        return self._sender.post(f"{endpoint_path(name)}/invocations", body)

    def traffic(self, name: str, start: datetime, end: datetime, *, by_day: bool = False) -> Any:
        """How many records each hour or day holds."""
        query = {"start": start.isoformat(), "end": end.isoformat(), "by_day": by_day or None}
        return self._sender.get(f"{endpoint_path(name)}/traffic", **query)
