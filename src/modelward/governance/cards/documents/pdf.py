"""A card as PDF: for a screen reader (PDF/UA-1) and for the archive (PDF/A-3), its JSON attached.

Equal facts give equal bytes: the fonts come with typst, and the date of the document is that of the card version.
"""

import threading
from functools import cache
from importlib import resources
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from modelward.governance.cards.documents import drawing, json_files
from modelward.governance.cards.documents.facts import CardFacts
from modelward.governance.cards.documents.glyphs import Glyphs
from modelward.governance.cards.documents.outline import Drawing, Field, Group, Outline, Told, outline
from modelward.governance.cards.documents.telling import days_before, identity, state_words, status_words, when
from modelward.kernel import codec
from modelward.kernel.errors import ModelwardError, Unavailable

if TYPE_CHECKING:
    from typst import Compiler

STANDARDS = ["ua-1", "a-3a"]


class DocumentNotDrawn(ModelwardError):
    """The PDF of this card could not be drawn."""


def check_can_draw() -> None:
    """Refuse where the packages that set a PDF are not installed.

    Raises:
        Unavailable: they are not.
    """
    if not (find_spec("typst") and find_spec("segno")):
        raise Unavailable("PDF documents need packages that are not installed.", hint="pip install 'modelward[pdf]'")


def render(facts: CardFacts) -> bytes:
    """Draw the PDF.

    Raises:
        DocumentNotDrawn: not even the plainest form of the text could be set.
    """
    problem = ""
    # A rare sequence of signs that the fonts have one by one may still fail together: then only plain signs are shown.
    for plain in (False, True):
        data, problem = _compile(_content(facts, Glyphs(plain=plain)), facts)
        if data is not None:
            return data
    raise DocumentNotDrawn(f"The PDF of {facts.name} version {facts.number} could not be drawn: {problem}")


def _content(facts: CardFacts, glyphs: Glyphs) -> dict[str, Any]:
    show = glyphs.show
    drawn: Outline = outline(facts.content, facts.origins)
    content: dict[str, Any] = {
        "title": show(str(facts.name)),
        "author": show(facts.by),
        "date": [facts.at.year, facts.at.month, facts.at.day],
        "identity": [[name, show(value)] for name, value in identity(facts)],
        "version": f"Version {facts.number}",
        "status": status_words(facts),
        "tone": facts.status if facts.number == facts.current else "archived",
        "digest": str(facts.digest),
        "link": facts.link,
        "qr": _qr(facts.link) if facts.link else "",
        "note": show(facts.note),
        "missing": [show(path) for path in facts.missing],
        "signatures": [
            [show(each.by), when(each.at), show(each.meaning), show(each.note)] for each in facts.signatures
        ],
        "evidence": [
            [
                show(each.path),
                show(each.value),
                show(each.source),
                days_before(facts.as_of, each.at),
                show(state_words(each.state)),
            ]
            for each in facts.evidence
        ],
        "pack": None
        if facts.pack is None
        else {
            "name": show(facts.pack.name),
            "source": show(facts.pack.source),
            "controls": [
                [show(one.clause), show(one.title), show(state_words(one.result)), show(one.told)]
                for one in facts.pack.controls
            ],
        },
        "sections": [
            {"title": each.title, "fields": [_field(one, show) for one in each.fields]} for each in drawn.sections
        ],
        "evaluations": [_told(each, show) for each in drawn.evaluations],
    }
    content["squares"] = glyphs.missing
    return content


def _field(field: Field, show: Any) -> dict[str, Any]:
    return {
        "title": show(field.title),
        "lines": [show(line) for line in field.lines],
        "rows": [[show(cell) for cell in row] for row in field.rows],
        "origin": show(field.origin),
    }


def _told(told: Told, show: Any) -> dict[str, Any]:
    return {
        "name": show(told.name),
        "outcome": show(told.outcome),
        "observation": show(told.observation),
        "origin": show(told.origin),
        "rows": [[show(name), show(value)] for name, value in told.rows],
        "groups": [_group(each, show) for each in told.groups],
    }


def _group(group: Group, show: Any) -> dict[str, Any]:
    return {
        "name": show(group.name),
        "rows": [[show(cell) for cell in row] for row in group.rows],
        "drawings": [_drawing(each, show) for each in group.drawings],
    }


def _drawing(each: Drawing, show: Any) -> dict[str, str]:
    note = " ".join(part for part in (each.spec["description"], each.note) if part)
    # The zero-width spaces that let long words break are of no use inside a drawing.
    svg = drawing.svg_of(each.spec, show=lambda text: show(text).replace("\u200b", "").replace("\n", " "))
    return {"name": show(each.name), "alt": show(each.alt), "note": show(note), "svg": svg}


def _qr(link: str) -> str:
    import segno

    return segno.make(link, error="m", micro=False).svg_inline(border=0, dark="#16211f", omitsize=True)


_lock = threading.Lock()
_compilers: list["Compiler"] = []


@cache
def _template() -> bytes:
    return resources.files("modelward.governance.cards.documents.templates").joinpath("card.typ").read_bytes()


def _compile(content: dict[str, Any], facts: CardFacts) -> tuple[bytes | None, str]:
    from typst import TypstError

    inputs = {"card": codec.encode(content).decode(), "attached": json_files.render(facts).decode()}
    with _lock:
        compiler = _compilers.pop() if _compilers else _new_compiler()
        try:
            data = compiler.compile(
                input=_template(),
                format="pdf",
                sys_inputs=inputs,
                pdf_standards=STANDARDS,  # type: ignore[arg-type]
                timestamp=int(facts.at.timestamp()),
            )
        except TypstError as problem:
            _compilers.append(compiler)
            return None, problem.message
        except BaseException as problem:
            # A panic of the setter is no Exception; the compiler that panicked is not used again.
            if type(problem).__name__ != "PanicException":
                raise
            return None, "the setter stopped on this text"
        _compilers.append(compiler)
    assert isinstance(data, bytes)
    return data, ""


def _new_compiler() -> "Compiler":
    from typst import Compiler, Fonts

    return Compiler(font_paths=Fonts(include_system_fonts=False))
