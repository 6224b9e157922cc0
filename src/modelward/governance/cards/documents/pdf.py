"""A card as PDF: for a screen reader (PDF/UA-1) and for the archive (PDF/A-3), its JSON attached.

Equal facts give equal bytes: the fonts come with typst, and the date of the document is that of the card version. Only for
characters that these fonts lack are others asked (``fonts``), so such a document depends on the machine that sets it. What
no font shows becomes a white square, and the document and its export say so.
"""

import re
import threading
from functools import cache
from html import unescape
from importlib import resources
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from modelward.governance.cards.documents import drawing, fonts, json_files
from modelward.governance.cards.documents.dropping import Dropped, Written
from modelward.governance.cards.documents.facts import CardFacts
from modelward.governance.cards.documents.fonts import FontChoice, Lettering
from modelward.governance.cards.documents.glyphs import Glyphs
from modelward.governance.cards.documents.outline import Drawing, Field, Group, Outline, Told, outline
from modelward.governance.cards.documents.telling import days_before, identity, state_words, status_words, when
from modelward.kernel import codec
from modelward.kernel.errors import ModelwardError, Unavailable

if TYPE_CHECKING:
    from typst import Compiler

STANDARDS = ["ua-1", "a-3a"]
# How many characters that a font has, and that cannot be set all the same, are found out one after the other.
REFUSALS_MAX = 20
SCRIPTS_TOLD_MAX = 6
_REFUSED = re.compile(r'the text `"(.*?)"` could not be displayed', re.DOTALL)


class DocumentNotDrawn(ModelwardError):
    """The PDF of this card could not be drawn."""


def check_can_draw() -> None:
    """Refuse where the packages that set a PDF are not installed.

    Raises:
        Unavailable: they are not.
    """
    if not all(map(find_spec, ("typst", "segno", "fontTools"))):
        raise Unavailable("PDF documents need packages that are not installed.", hint="pip install 'modelward[pdf]'")


def render(facts: CardFacts, choice: FontChoice = FontChoice()) -> bytes:
    """Draw the PDF; see ``write``."""
    return write(facts, choice).data


def write(facts: CardFacts, choice: FontChoice = FontChoice()) -> Written:
    """Draw the PDF, and tell which characters it could not show.

    Raises:
        DocumentNotDrawn: not even the plainest form of the text could be set.
    """
    with_all = Glyphs()
    content = _content(facts, with_all)
    letters = fonts.lettering(choice, with_all.wanted) if with_all.wanted else Lettering()
    refused, problem = frozenset[str](), ""
    for _ in range(REFUSALS_MAX):
        if letters.families or refused:
            with_all = Glyphs(also=letters.shows, refused=refused)
            content = _content(facts, with_all, families=letters.families)
        data, problem = _compile(content, facts, letters.files)
        if data is not None:
            return _written(data, with_all)
        found = _REFUSED.search(problem)
        if found is None or refused >= set(found[1]):
            break
        refused |= set(found[1])
    # A rare sequence of signs that the fonts have one by one may still fail together: then only plain signs are shown.
    plain = Glyphs(plain=True)
    data, problem = _compile(_content(facts, plain), facts)
    if data is None:
        raise DocumentNotDrawn(f"The PDF of {facts.name} version {facts.number} could not be drawn: {problem}")
    return _written(data, plain)


def _written(data: bytes, glyphs: Glyphs) -> Written:
    why = _lacking(glyphs)
    return Written(data=data, dropped=[Dropped(path="$", why=why)] if why else [])


def _lacking(glyphs: Glyphs) -> str:
    """What the document does not show, and what helps; empty where it shows all."""
    if not glyphs.missing:
        return ""
    scripts = fonts.scripts_of(glyphs.lacking)
    more = " and others" if len(scripts) > SCRIPTS_TOLD_MAX else ""
    count = "1 character has" if glyphs.missing == 1 else f"{glyphs.missing:,} characters have"
    return (
        f"{count} no glyph in the fonts of this document ({', '.join(scripts[:SCRIPTS_TOLD_MAX])}{more}) and became white "
        f"squares; the attached record holds them. Name a folder of fonts that have them in the setting font_folders, or "
        "install them on the server."
    )


def _content(facts: CardFacts, glyphs: Glyphs, *, families: tuple[str, ...] = ()) -> dict[str, Any]:
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
        "evaluations": [_evaluation(each, show) for each in drawn.evaluations],
    }
    content["lacking"] = _lacking(glyphs)
    content["fonts"] = list(families)
    return content


def _field(field: Field, show: Any) -> dict[str, Any]:
    return {
        "title": show(field.title),
        "lines": [show(line) for line in field.lines],
        "rows": [[show(cell) for cell in row] for row in field.rows],
        "origin": show(field.origin),
    }


def _evaluation(told: Told, show: Any) -> dict[str, Any]:
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


# In a drawing the setter loses which characters a glyph stands for where a script reorders them (from Devanagari to Lao,
# Tibetan to Burmese, Khmer), which PDF/A forbids: such words are taken out of it and laid over it as text.
_REORDERED = re.compile("[\u0900-\u0eff\u0f00-\u109f\u1780-\u17ff\u1a20-\u1aaf\ua980-\uaaff\U00011000-\U0001173f]")
_LABEL = re.compile(
    r'<text x="([-\d.]+)" y="([-\d.]+)" text-anchor="(\w+)" fill="(#\w+)"(?: font-size="([\d.]+)")?>([^<>]*)</text>'
)


def _drawing(each: Drawing, show: Any) -> dict[str, Any]:
    note = " ".join(part for part in (each.spec["description"], each.note) if part)
    # The zero-width spaces that let long words break are of no use inside a drawing.
    svg = drawing.svg_of(each.spec, show=lambda text: show(text).replace("\u200b", "").replace("\n", " "))
    labels: list[list[Any]] = []
    if _REORDERED.search(svg):
        labels = [
            [float(x), float(y), anchor, colour, float(size or drawing.SIZE), unescape(text)]
            for x, y, anchor, colour, size, text in _LABEL.findall(svg)
        ]
        svg = _LABEL.sub("", svg)
    return {"name": show(each.name), "alt": show(each.alt), "note": show(note), "svg": svg, "labels": labels}


def _qr(link: str) -> str:
    import segno

    return segno.make(link, error="m", micro=False).svg_inline(border=0, dark="#16211f", omitsize=True)


_lock = threading.Lock()
_compilers: dict[tuple[str, ...], "Compiler"] = {}
# A compiler keeps what it set last; one for each set of fonts, and not too many of them.
COMPILERS_MAX = 4


@cache
def _template() -> bytes:
    return resources.files("modelward.governance.cards.documents.templates").joinpath("card.typ").read_bytes()


def _compile(content: dict[str, Any], facts: CardFacts, files: tuple[str, ...] = ()) -> tuple[bytes | None, str]:
    from typst import TypstError

    inputs = {"card": codec.encode(content).decode(), "attached": json_files.render(facts).decode()}
    with _lock:
        compiler = _compilers.pop(files, None) or _new_compiler(files)
        try:
            data = compiler.compile(
                input=_template(),
                format="pdf",
                sys_inputs=inputs,
                pdf_standards=STANDARDS,  # type: ignore[arg-type]
                timestamp=int(facts.at.timestamp()),
            )
        except TypstError as problem:
            _keep(files, compiler)
            return None, problem.message
        except BaseException as problem:
            # A panic of the setter is no Exception; the compiler that panicked is not used again.
            if type(problem).__name__ != "PanicException":
                raise
            return None, "the setter stopped on this text"
        _keep(files, compiler)
    assert isinstance(data, bytes)
    return data, ""


def _keep(files: tuple[str, ...], compiler: "Compiler") -> None:
    _compilers[files] = compiler
    while len(_compilers) > COMPILERS_MAX:
        _compilers.pop(next(iter(_compilers)))


def _new_compiler(files: tuple[str, ...]) -> "Compiler":
    from typst import Compiler, Fonts

    folders = [fonts.folder_of(files)] if files else []
    return Compiler(font_paths=Fonts(include_system_fonts=False, font_paths=folders))
