"""The table of formats that a card can be read from. Pure."""

from collections.abc import Callable

from modelward.governance.cards import rules
from modelward.governance.cards.documents import cyclonedx, hugging_face, json_files, toolkit
from modelward.governance.cards.documents.dropping import DOCUMENT_BYTES_MAX, Imported
from modelward.governance.cards.documents.entities import ImportFormat
from modelward.kernel.errors import Invalid

READERS: dict[ImportFormat, Callable[[bytes], Imported]] = {
    ImportFormat.JSON: json_files.read,
    ImportFormat.AWS_JSON: json_files.read_content,
    ImportFormat.HUGGING_FACE: hugging_face.read,
    ImportFormat.MODEL_CARD_TOOLKIT: toolkit.read,
    ImportFormat.CYCLONEDX: cyclonedx.read,
}


def import_card(format: ImportFormat, data: bytes) -> Imported:
    """Read a card from a document of another format.

    Raises:
        Invalid: the document is too large, cannot be read, or what it says breaks a rule of cards.
    """
    if len(data) > DOCUMENT_BYTES_MAX:
        raise Invalid(f"The document has {len(data)} bytes; at most {DOCUMENT_BYTES_MAX} are read.", field="document")
    imported = READERS[format](data)
    rules.check_content(imported.content)
    return imported
