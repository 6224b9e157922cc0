"""Exports of cards, and what happens to them. Frozen; no I/O."""

from datetime import datetime
from enum import StrEnum

import msgspec

from modelward.governance.cards.documents.dropping import Dropped
from modelward.governance.cards.entities import Card
from modelward.kernel.events import Happening
from modelward.kernel.refs import CardRef, Digest, Ref


class ExportRef(Ref):
    """One export of a card, by its id."""

    __slots__ = ()


class ExportFormat(StrEnum):
    """What a card can be written as."""

    PDF = "pdf"
    HTML = "html"
    MARKDOWN = "markdown"
    JSON = "json"
    AWS_JSON = "aws-json"
    HUGGING_FACE = "hugging-face"
    MODEL_CARD_TOOLKIT = "model-card-toolkit"
    CYCLONEDX = "cyclonedx"
    SPDX = "spdx"


# Format: the kind of its bytes, and the ending of its file's name.
FILES: dict[ExportFormat, tuple[str, str]] = {
    ExportFormat.PDF: ("application/pdf", ".pdf"),
    ExportFormat.HTML: ("text/html; charset=utf-8", ".html"),
    ExportFormat.MARKDOWN: ("text/markdown; charset=utf-8", ".md"),
    ExportFormat.JSON: ("application/json", ".json"),
    ExportFormat.AWS_JSON: ("application/json", ".content.json"),
    ExportFormat.HUGGING_FACE: ("text/markdown; charset=utf-8", ".README.md"),
    ExportFormat.MODEL_CARD_TOOLKIT: ("application/json", ".mct.json"),
    ExportFormat.CYCLONEDX: ("application/vnd.cyclonedx+json", ".cdx.json"),
    ExportFormat.SPDX: ("application/spdx+json", ".spdx.json"),
}
# Those with a place for the controls of a pack.
WITH_CONTROLS = frozenset({ExportFormat.PDF, ExportFormat.HTML, ExportFormat.MARKDOWN, ExportFormat.JSON})


class ImportFormat(StrEnum):
    """What a card can be read from."""

    JSON = "json"
    AWS_JSON = "aws-json"
    HUGGING_FACE = "hugging-face"
    MODEL_CARD_TOOLKIT = "model-card-toolkit"
    CYCLONEDX = "cyclonedx"


class ExportState(StrEnum):
    """How far an export is."""

    WAITING = "waiting"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """A document of one version of a card, or the wish for one.

    ``progress`` is in [0, 1]. ``document`` is the digest of the bytes, which are kept for good; ``dropped`` says what
    the format has no place for. ``pack`` names the control pack whose order is added to a PDF, HTML or Markdown.
    """

    id: ExportRef
    card: CardRef
    number: int
    format: ExportFormat
    name: str
    pack: str = ""
    state: ExportState = ExportState.WAITING
    progress: float = 0.0
    reason: str = ""
    document: Digest | None = None
    size: int = 0
    file_name: str = ""
    media_type: str = ""
    dropped: list[Dropped] = []
    created_at: datetime
    created_by: str
    finished_at: datetime | None = None


def download_headers(export: Export) -> list[tuple[bytes, bytes]]:
    """The headers with which a document is sent: always to be kept, never to be shown in our own name."""
    return [
        (b"content-disposition", f'attachment; filename="{export.file_name}"'.encode("ascii")),
        (b"x-content-type-options", b"nosniff"),
        (b"etag", f'"{export.document}"'.encode("ascii")),
    ]


class ImportedCard(Card, frozen=True, kw_only=True):
    """A card made from a document of another format, and what was dropped."""

    dropped: list[Dropped]


class CardExportRequested(Happening, frozen=True, kw_only=True):
    """Somebody asked for a version of a card as a document."""

    card: CardRef
    export: ExportRef
    number: int
    format: ExportFormat


class CardExported(Happening, frozen=True, kw_only=True):
    """A version of a card was written as a document and kept."""

    card: CardRef
    export: ExportRef
    number: int
    format: ExportFormat
    document: Digest


class CardExportFailed(Happening, frozen=True, kw_only=True):
    """A version of a card could not be written as a document."""

    card: CardRef
    export: ExportRef
    number: int
    format: ExportFormat
    reason: str


class CardExportsRemoved(Happening, frozen=True, kw_only=True):
    """The exports of a deleted card were taken from the list."""

    card: CardRef
    exports: int
