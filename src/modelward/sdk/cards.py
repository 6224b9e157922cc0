"""Model cards, from Python."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from modelward.sdk.card_documents import CardDocuments
from modelward.sdk.card_evidence import CardEvidence
from modelward.sdk.card_life import Attachments, Comments, ReviewRequests
from modelward.sdk.card_object import ModelCard
from modelward.sdk.resources import Sender


class Cards(CardDocuments, CardEvidence):
    """Model cards and their versions."""

    def __init__(self, sender: Sender) -> None:
        super().__init__(sender)
        self._known_schema: Any = None
        self.comments = Comments(sender)
        self.review_requests = ReviewRequests(sender)
        self.attachments = Attachments(sender)

    def create(
        self,
        name: str,
        *,
        content: dict[str, Any] | None = None,
        model: str | None = None,
        version: str | None = None,
        note: str = "",
    ) -> ModelCard:
        """Create a card as a draft, for a version, a model, or neither."""
        body = {"name": name, "content": content or {}, "model": model, "version": version, "note": note}
        self._sender.post("/cards", body)
        return self.get(name)

    def get(self, name: str) -> ModelCard:
        """A card with its current content, the origins of its fields and its completeness."""
        if self._known_schema is None:
            self._known_schema = self.schema().to_dict()
        return ModelCard(self._sender.get(_path(name)).to_dict(), sender=self._sender, schema=self._known_schema)

    def list(
        self,
        text: str = "",
        *,
        status: str | None = None,
        risk_rating: str | None = None,
        model: str | None = None,
        owner: str | None = None,
        modified_after: str | None = None,
        modified_before: str | None = None,
        debt_min: int | None = None,
        sort: str | None = None,
    ) -> Iterator[Any]:
        """All cards, by text anywhere in them, status, risk rating, model, owner, day of the last change and debt.

        ``sort`` is name, modified, debt (each with a dash before it: turned round) or risk.
        """
        return self._sender.each(
            "/cards",
            text=text or None,
            status=status,
            risk_rating=risk_rating,
            model=model,
            owner=owner,
            modified_after=modified_after,
            modified_before=modified_before,
            debt_min=debt_min,
            sort=sort,
        )

    def edit(
        self,
        name: str,
        *,
        content: dict[str, Any] | None = None,
        patch: dict[str, Any] | None = None,
        note: str = "",
        number: int | None = None,
    ) -> Any:
        """Give a card a new content, whole or as a merge patch; ``number`` is the version that you saw."""
        body = {"content": content, "patch": patch, "note": note, "number": number}
        return self._sender.put(f"{_path(name)}/content", body)

    def apply(self, cards: Sequence[Mapping[str, Any]], *, dry_run: bool = False) -> Any:
        """Bring many cards to what is wanted, all of them or none.

        Each has ``card`` and, where wanted, ``model``, ``version``, ``content`` (a merge patch), ``owner``, ``status``,
        ``note`` and ``number``, the version that you saw (0: none). ``dry_run`` only says what would become of them.
        """
        return self._sender.post("/card-apply", {"cards": list(cards), "dry_run": dry_run})

    def change_status(self, name: str, status: str, *, reason: str = "", number: int | None = None) -> Any:
        """Move a card to draft, pending-review, approved or archived; ``number`` is the version that you read."""
        body = {"status": status, "reason": reason, "number": number}
        return self._sender.put(f"{_path(name)}/status", body)

    def clone(
        self,
        source: str,
        name: str,
        *,
        version: str | None = None,
        model: str | None = None,
        number: int | None = None,
        note: str = "",
    ) -> Any:
        """Create a card as a draft with the content of another one, for a version, a model, or neither."""
        body = {"name": name, "version": version, "model": model, "number": number, "note": note}
        return self._sender.post(f"{_path(source)}/clone", body)

    def delete(self, name: str, *, reason: str = "") -> Any:
        """Delete a draft that was never approved, for good."""
        return self._sender.delete(_path(name), reason=reason or None)

    def assign_owner(self, name: str, owner: str) -> Any:
        """Make somebody the owner of a card."""
        return self._sender.put(f"{_path(name)}/owner", {"owner": owner})

    def versions(self, name: str) -> Iterator[Any]:
        """The versions of a card, the newest first, without their contents."""
        return self._sender.each(f"{_path(name)}/versions")

    def version(self, name: str, number: int) -> Any:
        """A version of a card with its content."""
        return self._sender.get(f"{_path(name)}/versions/{number}")

    def as_of(self, name: str, at: str | datetime) -> Any:
        """The version of a card that was current at a moment (RFC 3339)."""
        return self._sender.get(f"{_path(name)}/content", at=at if isinstance(at, str) else at.isoformat())

    def difference(self, name: str, *, before: int, after: int | None = None) -> Any:
        """What changed between two versions, path by path."""
        return self._sender.get(f"{_path(name)}/difference", before=before, after=after)

    def schema(self) -> Any:
        """The JSON schema of a card's content."""
        return self._sender.get("/cards/schema")


def _path(name: str) -> str:
    return f"/cards/{quote(name, safe='')}"
