"""The table of the writers: adding a format is a file, a line here and a line in ``entities.FILES``."""

from collections.abc import Callable

from modelward.governance.cards.documents import (
    cyclonedx,
    html_page,
    hugging_face,
    json_files,
    markdown,
    pdf,
    spdx,
    toolkit,
)
from modelward.governance.cards.documents.dropping import Written
from modelward.governance.cards.documents.entities import ExportFormat
from modelward.governance.cards.documents.facts import CardFacts
from modelward.governance.cards.documents.fonts import FontChoice


def _whole(render: Callable[[CardFacts], bytes]) -> Callable[[CardFacts], Written]:
    return lambda facts: Written(data=render(facts))


WRITERS: dict[ExportFormat, Callable[[CardFacts], Written]] = {
    ExportFormat.PDF: pdf.write,
    ExportFormat.HTML: _whole(html_page.render),
    ExportFormat.MARKDOWN: _whole(markdown.render),
    ExportFormat.JSON: _whole(json_files.render),
    ExportFormat.AWS_JSON: _whole(json_files.render_content),
    ExportFormat.HUGGING_FACE: hugging_face.write,
    ExportFormat.MODEL_CARD_TOOLKIT: toolkit.write,
    ExportFormat.CYCLONEDX: cyclonedx.write,
    ExportFormat.SPDX: spdx.write,
}


def write(format: ExportFormat, facts: CardFacts, fonts: FontChoice = FontChoice()) -> Written:
    """Write a card in a format; ``fonts`` are those that a PDF may use.

    Raises:
        DocumentNotDrawn: the PDF could not be set.
    """
    return pdf.write(facts, fonts) if format is ExportFormat.PDF else WRITERS[format](facts)
