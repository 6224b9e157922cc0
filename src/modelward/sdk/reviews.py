"""Reviews and the approval policy, from Python."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from modelward.sdk.resources import Resource


class Reviews(Resource):
    """Reviews of versions."""

    def list(self, *, state: str | None = None, version: str | None = None) -> Iterator[Any]:
        """Reviews, the newest first; by state (open, approved, rejected, withdrawn) and version."""
        return self._sender.each("/reviews", state=state, version=version)

    def get(self, ref: str) -> Any:
        """A review with the facts, the checks, and what stands against an approval by you."""
        return self._sender.get(_path(ref))

    def of(self, version: str) -> Any:
        """The newest review of a version with all its facts; None when it has none."""
        newest = self._sender.get("/reviews", version=version, limit=1)["items"]
        return self.get(newest[0]["id"]) if newest else None

    def open(self, version: str, *, because: str = "") -> Any:
        """Open a review of a version, as after a rejection."""
        return self._sender.post(f"/versions/{quote(version, safe='@')}/reviews", {"because": because})

    def approve(self, ref: str, *, note: str = "", seen: str | None = None) -> Any:
        """Approve. ``seen`` is the ``seen`` of the review you looked at; without it, the facts are taken as they are now."""
        return self._decide(ref, "approve", note, seen)

    def reject(self, ref: str, *, note: str, seen: str | None = None) -> Any:
        """Reject, and say why."""
        return self._decide(ref, "reject", note, seen)

    def _decide(self, ref: str, verdict: str, note: str, seen: str | None) -> Any:
        body = {"verdict": verdict, "note": note, "seen": seen or self.get(ref)["seen"]}
        return self._sender.post(f"{_path(ref)}/decision", body)

    def withdraw(self, ref: str, *, reason: str = "") -> Any:
        """Close a review without a verdict."""
        return self._sender.post(f"{_path(ref)}/withdrawal", {"reason": reason})

    def policy(self) -> Any:
        """The approval policy in force."""
        return self._sender.get("/policy")


def _path(ref: str) -> str:
    return f"/reviews/{quote(ref, safe='')}"
