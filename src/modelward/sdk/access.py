"""People, tokens and the event log, from Python."""

from typing import Any
from urllib.parse import quote

from modelward.sdk.resources import Resource


class People(Resource):
    """People and services that have access."""

    def add(self, id: str, *, persona: str, name: str = "", kind: str = "person") -> Any:
        """Give a person or service access."""
        return self._sender.post("/people", {"id": id, "name": name, "persona": persona, "kind": kind})

    def list(self) -> Any:
        """Everybody who has or had access."""
        return self._sender.get("/people")

    def disable(self, id: str) -> Any:
        """End all access of a person at once."""
        return self._sender.post(f"{_path(id)}/disable")

    def change_persona(self, id: str, persona: str) -> Any:
        """Give a person another persona."""
        return self._sender.put(f"{_path(id)}/persona", {"persona": persona})

    def make_token(self, id: str, *, label: str = "", days_valid: int | None = None) -> Any:
        """Make a token; its ``secret`` is in the answer and never shown again."""
        return self._sender.post(f"{_path(id)}/tokens", {"label": label, "days_valid": days_valid})

    def revoke_token(self, token: str) -> Any:
        """End a token."""
        return self._sender.post(f"/tokens/{quote(token, safe='')}/revoke")

    def make_key(self, id: str, *, label: str = "", days_valid: int | None = None) -> Any:
        """Make a key pair for AWS clients; its ``secret`` is in the answer and never shown again."""
        return self._sender.post(f"{_path(id)}/keys", {"label": label, "days_valid": days_valid})

    def keys(self, id: str) -> Any:
        """The key pairs of somebody, without their secrets."""
        return self._sender.get(f"{_path(id)}/keys")

    def revoke_key(self, key: str) -> Any:
        """End a key pair."""
        return self._sender.post(f"/keys/{quote(key, safe='')}/revoke")


class Events(Resource):
    """The event log."""

    def list(self, **which: Any) -> Any:
        """Events, the newest first; by ``subject``, ``name``, ``actor``, ``before``, ``after``, ``limit``."""
        return self._sender.get("/events", **which)

    def verify(self) -> Any:
        """Whether the chain of the whole log holds; ``breaks`` lists where not."""
        return self._sender.get("/events/verify")


def _path(id: str) -> str:
    return f"/people/{quote(id, safe='')}"
