"""Which fonts a PDF may use besides those that come with typst: folders that an organisation names, then the system's.

They are asked only for the characters that the fonts of typst lack, so a document that needs none of them has the same
bytes on every machine. Coverage is read from the font files once for each process.
"""

import logging
import tempfile
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from modelward.kernel.errors import Invalid

if TYPE_CHECKING:
    from typst import FontInfo

log = logging.getLogger("modelward.fonts")
REGULAR = 400
# Where one file holds a family for each region, the signs of the text tell which.
REGIONS = {"HIRAGANA": "JP", "KATAKANA": "JP", "HANGUL": "KR"}
REGION_OTHERWISE = "SC"
# Characters that join others or choose how one looks; they say nothing by themselves.
JOINERS = frozenset("\u200c\u200d\ufe0e\ufe0f")


class FontChoice(msgspec.Struct, frozen=True, kw_only=True):
    """The folders of fonts in the order in which they are asked, and whether those of the system are asked after them."""

    folders: tuple[str, ...] = ()
    system: bool = True


class Lettering(msgspec.Struct, frozen=True, kw_only=True):
    """What a document needs besides the fonts of typst: families in order, their files, and the characters they show."""

    families: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    shows: frozenset[str] = frozenset()


class _Face(msgspec.Struct, frozen=True, kw_only=True):
    family: str
    path: str
    index: int
    tier: int


def choice_of(folders: str, *, system: bool) -> FontChoice:
    """The choice that the settings make; folders have commas between them.

    Raises:
        Invalid: one of them is no folder.
    """
    named = tuple(str(Path(each.strip()).expanduser()) for each in folders.split(",") if each.strip())
    for each in named:
        if not Path(each).is_dir():
            raise Invalid(f"font_folders names {each}, which is no folder.", field="font_folders")
    return FontChoice(folders=named, system=system)


def lettering(choice: FontChoice, wanted: frozenset[str]) -> Lettering:
    """The families that show as many as possible of the wanted characters: in each tier the one that shows most first."""
    faces = _faces(choice)
    left, shown, families = set(wanted), set[str](), list[str]()
    region, scripts = _region(wanted), scripts_of(wanted)
    for tier in sorted({each.tier for each in faces}):
        here = [each for each in faces if each.tier == tier]
        while left:
            best = max(
                here, key=lambda each: (len(left & _coverage(each)), _fitness(each, region, scripts)), default=None
            )
            if best is None or not left & _coverage(best):
                break
            families.append(best.family)
            shown |= _coverage(best)
            left -= shown
    files = {each.path for each in faces if each.family in families}
    kept = frozenset(each for each in shown if each in JOINERS or not unicodedata.category(each).startswith("C"))
    return Lettering(families=tuple(families), files=tuple(sorted(files)), shows=kept)


def scripts_of(signs: Iterable[str]) -> list[str]:
    """The scripts that some characters belong to, as their Unicode names begin: Arabic, CJK, Devanagari; or symbols."""
    return sorted({_script_of(each) for each in signs})


def _script_of(sign: str) -> str:
    if unicodedata.category(sign) in ("So", "Sk", "Sm", "Sc", "Po"):
        return "symbols"
    name = unicodedata.name(sign, "others").split()[0].split("-")[0]
    return name if name == "CJK" else name.capitalize()


def _region(wanted: Iterable[str]) -> str:
    names = {unicodedata.name(each, "").partition(" ")[0] for each in wanted}
    return next((REGIONS[each] for each in REGIONS if each in names), REGION_OTHERWISE)


def _fitness(face: _Face, region: str, scripts: list[str]) -> tuple[bool, ...]:
    """Of families that show equally many: made for the script and the region, no narrow cut, with serifs as all else."""
    words = face.family.split()
    narrow = any(word in words for word in ("Mono", "UI", "Display", "Condensed", "Kufi", "Rashi"))
    return any(word in scripts for word in words), words[-1] == region, not narrow, "Serif" in words


@cache
def _faces(choice: FontChoice) -> list[_Face]:
    from typst import Fonts

    known = Fonts(
        include_system_fonts=choice.system,
        include_embedded_fonts=False,
        font_paths=list(choice.folders),
    )
    carried = set(Fonts(include_system_fonts=False).families())
    found = [
        _Face(family=each.family, path=each.path, index=each.index, tier=_tier(each.path, choice))
        for each in known.fonts()
        if each.path and each.family not in carried and _is_plain(each)
    ]
    return sorted(found, key=lambda each: (each.tier, each.family, each.path, each.index))


def _is_plain(info: "FontInfo") -> bool:
    return info.style == "normal" and info.weight == REGULAR and info.stretch == 1.0


def _tier(path: str, choice: FontChoice) -> int:
    return next(
        (place for place, folder in enumerate(choice.folders) if Path(path).is_relative_to(folder)),
        len(choice.folders),
    )


@cache
def _coverage(face: _Face) -> frozenset[str]:
    """What a face shows; the faces of one collection share their characters, so that only its first is read."""
    return _coverage_of(face.path)


@cache
def _coverage_of(path: str) -> frozenset[str]:
    from fontTools.ttLib import TTFont, TTLibError

    try:
        with TTFont(path, fontNumber=0, lazy=True) as font:
            return frozenset(map(chr, font.getBestCmap() or ()))
    except (TTLibError, OSError, ValueError, KeyError, AssertionError) as problem:
        log.warning("The font %s cannot be read: %s", path, problem)
        return frozenset()


@cache
def folder_of(files: tuple[str, ...]) -> str:
    """A folder that holds links to some fonts and nothing else; it lasts as long as the process."""
    folder = tempfile.TemporaryDirectory(prefix="modelward-fonts-")
    _folders.append(folder)
    for place, file in enumerate(files):
        (Path(folder.name) / f"{place}-{Path(file).name}").symlink_to(file)
    return folder.name


_folders: list[tempfile.TemporaryDirectory[str]] = []
