"""The life around a card, from Python: comments, requests to look at it, files; and one's inbox."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from modelward.kernel.errors import NotFound
from modelward.sdk.resources import Resource

CHUNK_BYTES = 1 << 20


class Comments(Resource):
    """What people say about cards, in threads."""

    def write(
        self, card: str, text: str, *, path: str = "$", number: int | None = None, reply_to: str | None = None
    ) -> Any:
        """Comment on a card or a section of it, or answer; ``@id`` in the text tells a person of it."""
        body = {"text": text, "path": path, "number": number, "reply_to": reply_to}
        return self._sender.post(f"{_card(card)}/comments", body)

    def list(self, card: str, *, section: str | None = None, resolved: bool | None = None) -> Iterator[Any]:
        """The comments of a card, thread by thread; of one path (``section``) where asked for."""
        return self._sender.each(f"{_card(card)}/comments", section=section, resolved=resolved)

    def edit(self, comment: str, text: str) -> Any:
        """Change what a comment of one's own says; what it said before is kept."""
        return self._sender.put(f"/comments/{quote(comment, safe='')}", {"text": text})

    def history(self, comment: str) -> Any:
        """All that a comment has said, the oldest first."""
        return self._sender.get(f"/comments/{quote(comment, safe='')}/history")

    def resolve(self, comment: str) -> Any:
        """Mark the thread of a comment as dealt with."""
        return self._sender.post(f"/comments/{quote(comment, safe='')}/resolve")

    def reopen(self, comment: str) -> Any:
        """Open the thread of a comment again."""
        return self._sender.post(f"/comments/{quote(comment, safe='')}/reopen")


class ReviewRequests(Resource):
    """Requests to look at a card or a section of it."""

    def ask(self, card: str, reviewer: str, *, path: str = "$", note: str = "") -> Any:
        """Ask somebody to look."""
        body = {"reviewer": reviewer, "path": path, "note": note}
        return self._sender.post(f"{_card(card)}/review-requests", body)

    def list(self, *, card: str | None = None, reviewer: str | None = None, state: str | None = None) -> Iterator[Any]:
        """Requests, the newest first; ``state`` is open, done, declined or withdrawn."""
        return self._sender.each("/card-review-requests", card=card, reviewer=reviewer, state=state)

    def answer(self, request: str, *, done: bool, text: str = "") -> Any:
        """Answer as the one who was asked: done, or declined, which needs a text."""
        return self._sender.post(
            f"/card-review-requests/{quote(request, safe='')}/answer", {"done": done, "text": text}
        )

    def withdraw(self, request: str) -> Any:
        """Take a request back."""
        return self._sender.post(f"/card-review-requests/{quote(request, safe='')}/withdraw")


class Attachments(Resource):
    """The files of cards."""

    def add(self, card: str, file: bytes | str | Path, *, name: str = "") -> Any:
        """Attach bytes or a file to a card."""
        if isinstance(file, bytes):
            return self._sender.upload(f"{_card(card)}/attachments", file, name=name or None)
        path = Path(file)
        if not path.is_file():
            raise NotFound(f"There is no file {path}.", field="file")
        return self._sender.upload(f"{_card(card)}/attachments", _pieces(path), name=name or path.name)

    def list(self, card: str, *, number: int | None = None) -> Any:
        """The files of a card as it is now, or as it was last in one of its versions."""
        return self._sender.get(f"{_card(card)}/attachments", number=number)

    def get(self, attachment: str) -> Any:
        """What is known of an attachment."""
        return self._sender.get(f"/attachments/{quote(attachment, safe='')}")

    def read(self, attachment: str) -> bytes:
        """The bytes of an attachment."""
        return self._sender.download(f"/attachments/{quote(attachment, safe='')}/content")

    def remove(self, attachment: str, *, reason: str = "") -> Any:
        """Take a file off its card; that it was there stays on record."""
        return self._sender.delete(f"/attachments/{quote(attachment, safe='')}", reason=reason or None)


class Inbox(Resource):
    """One's own notices: mentions, answers, and what one is asked to look at."""

    def list(self, *, unread: bool = False) -> Iterator[Any]:
        """Notices, the newest first."""
        return self._sender.each("/inbox", unread=unread)

    def count_unread(self) -> int:
        """How many notices are unread."""
        return int(self._sender.get("/inbox/summary")["unread"])

    def read(self, notice: str) -> Any:
        """Mark a notice as read."""
        return self._sender.post(f"/inbox/{quote(notice, safe='')}/read")


def _card(name: str) -> str:
    return f"/cards/{quote(name, safe='')}"


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(CHUNK_BYTES):
            yield piece
