"""Model cards as documents, from Python: written by the server's worker, saved here."""

import contextlib
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from modelward.kernel.errors import Invalid, Unavailable
from modelward.sdk.resources import Resource, Sender

LOOK_AGAIN_SECONDS = 0.05


def export(
    sender: Sender,
    card: str,
    format: str,
    path: str | Path | None = None,
    *,
    number: int | None = None,
    pack: str = "",
    name: str = "",
    seconds_max: float = 120,
) -> Any:
    """Have a version of a card written, wait for it, and save it where ``path`` is given.

    Returns:
        The export, with what was dropped.

    Raises:
        Invalid: the document could not be written, or the file cannot be.
        Unavailable: it was not written within ``seconds_max``.
    """
    body = {"format": format, "number": number, "pack": pack, "name": name}
    asked = sender.post(f"/cards/{quote(card, safe='')}/exports", body)
    until = time.monotonic() + seconds_max
    while asked.state not in ("finished", "failed"):
        if time.monotonic() > until:
            raise Unavailable(f"{asked.id} is not written after {seconds_max} s.", hint="See `modelward doctor`.")
        time.sleep(LOOK_AGAIN_SECONDS)
        asked = sender.get(f"/exports/{asked.id}")
    if asked.state == "failed":
        raise Invalid(f"{card} could not be written as {format}: {asked.reason}", field="format")
    if path is not None:
        save(read(sender, asked.id), path)
    return asked


def read(sender: Sender, export: str) -> bytes:
    """The document of a finished export."""
    return sender.download(f"/exports/{quote(export, safe='')}/document")


def save(data: bytes, path: str | Path) -> None:
    """Write a file whole or not at all.

    Raises:
        Invalid: it cannot be written.
    """
    target = Path(path)
    beside = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}")
    try:
        beside.write_bytes(data)
        os.replace(beside, target)
    except OSError as problem:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise Invalid(f"{target} cannot be written: {problem.strerror}.", field="path") from problem


class CardDocuments(Resource):
    """Cards as documents: written, listed, read back."""

    def export(
        self,
        name: str,
        format: str,
        path: str | Path | None = None,
        *,
        number: int | None = None,
        pack: str = "",
        seconds_max: float = 120,
    ) -> Any:
        """Have a card written in a format, wait for it, and save it at ``path``; see ``card_documents.export``."""
        return export(self._sender, name, format, path, number=number, pack=pack, seconds_max=seconds_max)

    def exports(self, name: str, *, state: str | None = None, text: str = "") -> Iterator[Any]:
        """The exports of a card, the newest first."""
        return self._sender.each(f"/cards/{quote(name, safe='')}/exports", state=state, text=text or None)

    def read_export(self, export: str) -> bytes:
        """The document of a finished export."""
        return read(self._sender, export)

    def preview_import(self, format: str, document: str | bytes | Path) -> Any:
        """What a card made from a document would say, and what would be dropped; nothing is kept."""
        return self._sender.post("/cards/import/preview", {"format": format, "document": _text(document)})

    def import_card(
        self,
        name: str,
        format: str,
        document: str | bytes | Path,
        *,
        model: str | None = None,
        version: str | None = None,
        note: str = "",
    ) -> Any:
        """Make a card, as a draft, from a document: a text, bytes, or the path of a file.

        Returns:
            The card, with what was dropped.
        """
        body = {"name": name, "format": format, "document": _text(document), "note": note}
        return self._sender.post("/cards/import", {**body, "model": model, "version": version})


def _text(document: str | bytes | Path) -> str:
    try:
        data = document.read_bytes() if isinstance(document, Path) else document
        return data.decode("utf-8") if isinstance(data, bytes) else data
    except OSError as problem:
        raise Invalid(f"{document!s} cannot be read: {problem.strerror}.", field="document") from problem
    except UnicodeDecodeError as problem:
        raise Invalid("The document is not UTF-8.", field="document") from problem
