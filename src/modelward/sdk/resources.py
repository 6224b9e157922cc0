"""What the groups of requests (models, cards, monitors ...) have in common: they send through the client."""

from collections.abc import Iterable, Iterator
from typing import Any, Protocol


class Sender(Protocol):
    """The client as a group of requests sees it."""

    def get(self, path: str, **query: Any) -> Any:
        """Ask."""
        ...

    def post(self, path: str, body: Any = None, **query: Any) -> Any:
        """Do once."""
        ...

    def put(self, path: str, body: Any = None, **query: Any) -> Any:
        """Set."""
        ...

    def patch(self, path: str, body: Any = None, **query: Any) -> Any:
        """Change."""
        ...

    def delete(self, path: str, **query: Any) -> Any:
        """Remove."""
        ...

    def upload(self, path: str, content: bytes | Iterable[bytes], *, method: str = "PUT", **query: Any) -> Any:
        """Send bytes."""
        ...

    def download(self, path: str, **query: Any) -> bytes:
        """Fetch bytes."""
        ...

    def each(self, path: str, **query: Any) -> Iterator[Any]:
        """All items of a paged list."""
        ...


class Resource:
    """A group of requests."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
