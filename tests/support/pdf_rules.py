"""Rules of PDF/A-3a and PDF/UA-1 that can be read off a file: metadata, tags, fonts, attachments. No full validator.

Where veraPDF is at hand it knows far more; these are the rules whose breach would be ours.
"""

import io
from collections.abc import Iterator
from typing import Any

import pikepdf

STRUCTURE = frozenset(
    [
        "Document",
        "Part",
        "Div",
        "Sect",
        "P",
        "H1",
        "H2",
        "H3",
        "H4",
        "H5",
        "H6",
        "L",
        "LI",
        "Lbl",
        "LBody",
        "Table",
        "TR",
        "TH",
        "TD",
        "THead",
        "TBody",
        "TFoot",
        "Span",
        "Link",
        "Figure",
        "Caption",
        "TOC",
        "TOCI",
        "Reference",
        "Note",
        "Code",
        "Quote",
        "BlockQuote",
        "NonStruct",
        "Title",
        "Em",
        "Strong",
    ]
)
PAINTING = frozenset(
    ["Tj", "TJ", "'", '"', "S", "s", "f", "F", "f*", "B", "B*", "b", "b*", "sh", "Do", "BI", "INLINE", "IMAGE"]
)
FORBIDDEN = ("/JavaScript", "/JS", "/Launch", "/Movie", "/Sound", "/XFA", "/Encrypt", "/LZWDecode")


def faults_of(data: bytes) -> list[str]:
    """Every breach that is found, in words."""
    with pikepdf.open(io.BytesIO(data)) as document:
        checks = (_catalog, _metadata, _intents, _attached, _marked, _tree, _fonts, _actions)
        return [fault for check in checks for fault in check(document)]


def _catalog(document: pikepdf.Pdf) -> Iterator[str]:
    root = document.Root
    if not root.get("/Lang"):
        yield "the document names no language"
    if not bool(root.get("/MarkInfo", {}).get("/Marked", False)):
        yield "the document is not marked as tagged"
    if not bool(root.get("/ViewerPreferences", {}).get("/DisplayDocTitle", False)):
        yield "the title is not what a window shows"
    if "/ID" not in document.trailer:
        yield "the file has no id"
    for page in document.pages:
        if page.obj.get("/Annots") and page.obj.get("/Tabs") != "/S":
            yield "the order of tabs is not that of the structure"


def _metadata(document: pikepdf.Pdf) -> Iterator[str]:
    with document.open_metadata() as told:
        wanted = {"pdfaid:part": "3", "pdfaid:conformance": "A", "pdfuaid:part": "1"}
        for name, value in wanted.items():
            if told.get(name) != value:
                yield f"the metadata say {name} = {told.get(name)}"
        if not told.get("dc:title"):
            yield "the metadata have no title"
        if not told.get("dc:language"):
            yield "the metadata have no language"


def _intents(document: pikepdf.Pdf) -> Iterator[str]:
    found = [each for each in document.Root.get("/OutputIntents", []) if each.get("/S") == "/GTS_PDFA1"]
    if len(found) != 1 or "/DestOutputProfile" not in found[0]:
        yield "there is not one output intent with a colour profile"


def _attached(document: pikepdf.Pdf) -> Iterator[str]:
    named = {str(each.get("/UF")) for each in document.Root.get("/AF", [])}
    for name, file in document.attachments.items():
        held = file.obj
        if name not in named:
            yield f"{name} is not associated with the document"
        if held.get("/AFRelationship") not in ("/Source", "/Data", "/Supplement"):
            yield f"{name} has no relationship"
        if not held.get("/Desc") or "/F" not in held or "/UF" not in held:
            yield f"{name} is not described"
        stream = held.EF.F
        if not stream.get("/Subtype") or "/ModDate" not in stream.get("/Params", {}):
            yield f"{name} lacks its kind or its date"


def _marked(document: pikepdf.Pdf) -> Iterator[str]:
    for number, page in enumerate(document.pages, start=1):
        depth, seen = 0, set[int]()
        for operands, operator in pikepdf.parse_content_stream(page):
            name = str(operator)
            if name in ("BDC", "BMC"):
                depth += 1
                given = operands[1] if len(operands) > 1 else None
                mark = given.get("/MCID") if isinstance(given, pikepdf.Dictionary) else None
                if mark is not None:
                    if int(mark) in seen:
                        yield f"page {number} uses the mark {mark} twice"
                    seen.add(int(mark))
            elif name == "EMC":
                depth -= 1
            elif name in PAINTING and not depth:
                yield f"page {number} paints ({name}) outside of marked content"
        if depth:
            yield f"page {number} leaves marked content open"


def _tree(document: pikepdf.Pdf) -> Iterator[str]:
    tree = document.Root.get("/StructTreeRoot")
    if tree is None or "/ParentTree" not in tree:
        yield "there is no tree of structure"
        return
    roles = {str(name)[1:]: str(to)[1:] for name, to in tree.get("/RoleMap", {}).items()}
    level = 0
    for element in _elements(tree.K):
        kind = str(element.get("/S"))[1:]
        kind = roles.get(kind, kind)
        if kind not in STRUCTURE:
            yield f"the structure has {kind}, which is no standard type"
        if kind == "Figure" and not element.get("/Alt"):
            yield "a figure has no words for who cannot see it"
        if kind == "TH" and "/Scope" not in str(element.get("/A", "")):
            yield "the head of a table does not say what it heads"
        if kind[:1] == "H" and kind[1:].isdigit():
            if int(kind[1:]) > level + 1:
                yield f"a heading of level {kind[1:]} follows one of level {level}"
            level = int(kind[1:])


def _elements(kids: Any) -> Iterator[pikepdf.Dictionary]:
    if isinstance(kids, pikepdf.Array):
        for each in kids:
            yield from _elements(each)
    elif isinstance(kids, pikepdf.Dictionary) and "/S" in kids:
        yield kids
        if "/K" in kids:
            yield from _elements(kids.K)


def _fonts(document: pikepdf.Pdf) -> Iterator[str]:
    for each in document.objects:
        if not isinstance(each, pikepdf.Dictionary) or each.get("/Type") != "/Font":
            continue
        kind = each.get("/Subtype")
        if kind in ("/Type0", "/Type3", "/TrueType", "/Type1") and "/ToUnicode" not in each:
            yield f"the font {each.get('/BaseFont', kind)} does not say which characters its glyphs are"
        if kind in ("/CIDFontType0", "/CIDFontType2", "/TrueType", "/Type1"):
            kept = each.get("/FontDescriptor", {})
            if not any(name in kept for name in ("/FontFile", "/FontFile2", "/FontFile3")):
                yield f"the font {each.get('/BaseFont')} is not in the file"


def _actions(document: pikepdf.Pdf) -> Iterator[str]:
    for each in document.objects:
        if isinstance(each, pikepdf.Dictionary | pikepdf.Stream):
            told = {str(name) for name in each} | {str(each.get("/S")), str(each.get("/Filter"))}
            yield from (f"the file holds {name}" for name in FORBIDDEN if name in told)
