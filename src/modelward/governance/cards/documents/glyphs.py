"""Which characters the fonts of the PDF can show, and how the others are told. Pure; the table is read once.

``templates/covered.txt`` lists what the fonts that come with typst show by themselves; a test compares it with typst.
"""

import re
import unicodedata
from functools import cache
from importlib import resources

MISSING = "\N{WHITE SQUARE}"
RUN_CHARACTERS_MAX = 32
_RUN = re.compile(rf"[^\s\u200b]{{{RUN_CHARACTERS_MAX}}}(?=[^\s\u200b])")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_PLAIN = re.compile(r"[ -~\n]*")


@cache
def covered() -> frozenset[str]:
    """All characters that can be shown."""
    text = resources.files("modelward.governance.cards.documents.templates").joinpath("covered.txt").read_text("ascii")
    found: set[str] = set()
    for piece in text.split():
        first, _, last = piece.partition("-")
        found.update(map(chr, range(int(first, 16), int(last or first, 16) + 1)))
    return frozenset(found)


class Glyphs:
    """Makes texts showable and counts the characters that cannot be shown."""

    def __init__(self, *, plain: bool = False) -> None:
        """Show what the fonts have; ``plain``: only what is printable in ASCII."""
        self.missing = 0
        self._covered = frozenset(map(chr, range(32, 127))) | {MISSING} if plain else covered()

    def show(self, text: str) -> str:
        """A text of covered characters and line breaks; long runs may be broken.

        Characters that steer (the turning of direction among them) are told by their numbers, so that they steer
        nothing; a character without a glyph becomes a white square.
        """
        if not _PLAIN.fullmatch(text):
            text = "".join(map(self._one, unicodedata.normalize("NFC", text.replace("\r\n", "\n"))))
        if _DIGEST.fullmatch(text):
            return text
        return _RUN.sub(lambda run: run.group() + "\u200b", text)

    def _one(self, sign: str) -> str:
        if sign in self._covered or sign == "\n":
            return sign
        if sign in "\t\v\f\r\x85\u2028\u2029" or unicodedata.category(sign) == "Zs":
            return "\n" if sign in "\r\x85\u2028\u2029" else " "
        if unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Cn"):
            return f"[U+{ord(sign):04X}]"
        self.missing += 1
        return MISSING
