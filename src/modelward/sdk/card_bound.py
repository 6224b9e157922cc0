"""What a card rests on and must have, on the card itself; part of ``ModelCard``."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from modelward.sdk.resources import Sender


class BoundCard:
    """Binding, controls and history of one card. What you changed must be saved before a field is bound."""

    _sender: Sender

    if TYPE_CHECKING:
        # What the card itself brings along.
        @property
        def _at(self) -> str: ...

        def reload(self) -> Self:
            """Read the card again."""

        def _must_be_saved(self) -> None:
            """Refuse what would drop changes."""

    def bind(self, path: str, evidence: str, *, measure: str = "", days_max: int | None = None) -> Self:
        """Bind a field to a piece of evidence: a single measure, or without one its metric groups."""
        self._must_be_saved()
        body = {"path": path, "evidence": evidence, "measure": measure, "days_max": days_max}
        self._sender.put(f"{self._at}/bindings", body)
        return self.reload()

    def unbind(self, path: str) -> Self:
        """Let a bound field go; its value stays."""
        self._must_be_saved()
        self._sender.delete(f"{self._at}/bindings", field=path)
        return self.reload()

    def refresh(self, path: str | None = None) -> Self:
        """Let bound fields (one, or all) say what the newest evidence says."""
        self._must_be_saved()
        self._sender.post(f"{self._at}/bindings/refresh", {"path": path})
        return self.reload()

    def import_report(self, report: dict[str, Any], *, title: str = "", dataset: str = "") -> Self:
        """Take up the JSON of a report as an evaluation, bound to the report."""
        self._must_be_saved()
        self._sender.post(f"{self._at}/reports", {"report": report, "title": title, "dataset": dataset})
        return self.reload()

    def controls(self, pack: str) -> Any:
        """How the card answers the controls of a pack."""
        return self._sender.get(f"{self._at}/controls/{pack}")

    def at_moment(self, at: str | datetime) -> Any:
        """The card as it stood at a moment."""
        return self._sender.get(f"{self._at}/as-of", at=at if isinstance(at, str) else at.isoformat())

    def since_approval(self) -> Any:
        """What changed since the card was approved last."""
        return self._sender.get(f"{self._at}/since-approval")
