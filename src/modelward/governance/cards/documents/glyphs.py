"""Which characters the fonts of the PDF can show, and how the others are told. Pure; the table is read once.

``templates/covered.txt`` lists what the fonts that come with typst show by themselves; a test compares it with typst.
"""

import re
import unicodedata
from collections import Counter
from functools import cache
from importlib import resources

MISSING = "\N{WHITE SQUARE}"
RUN_CHARACTERS_MAX = 32
# No break before a sign that belongs to the one before it: marks above and below, joiners, shades of an emoji.
_JOINED = "\u0300-\u036f\u0900-\u0903\u093a-\u094f\u200c\u200d\ufe00-\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f"
_RUN = re.compile(rf"[^\s\u200b]{{{RUN_CHARACTERS_MAX}}}(?=[^\s\u200b{_JOINED}])(?<!\u200d)")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_PLAIN = re.compile(r"[ -~\n]*")
# Arabic: of the fonts of typst only the one of fixed width has it, in which its letters do not join as they should.
_POORLY_SET = re.compile("[\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc]")
_LOOKS = "\ufe0e\ufe0f"
_HANDS = "\u200c\u200d"


@cache
def covered() -> frozenset[str]:
    """All characters that can be shown by the fonts that come with typst."""
    text = resources.files("modelward.governance.cards.documents.templates").joinpath("covered.txt").read_text("ascii")
    found: set[str] = set()
    for piece in text.split():
        first, _, last = piece.partition("-")
        found.update(map(chr, range(int(first, 16), int(last or first, 16) + 1)))
    return frozenset(found)


class Glyphs:
    """Makes texts showable and counts the characters that cannot be shown."""

    def __init__(
        self, *, plain: bool = False, also: frozenset[str] = frozenset(), refused: frozenset[str] = frozenset()
    ) -> None:
        """Show what the fonts of typst have and what is ``also`` at hand; ``plain``: only what is printable in ASCII.

        ``refused`` are characters that could not be set though a font has them.
        """
        self.lacking: Counter[str] = Counter()
        self.poor: set[str] = set()
        self._also = frozenset() if plain else also - refused
        known = frozenset(map(chr, range(32, 127))) | {MISSING} if plain else covered()
        self._covered = (known - refused) if refused else known

    @property
    def wanted(self) -> frozenset[str]:
        """The characters for which other fonts are asked."""
        return frozenset(self.lacking) | self.poor

    @property
    def missing(self) -> int:
        """How many characters became squares."""
        return self.lacking.total()

    def show(self, text: str) -> str:
        """A text of covered characters and line breaks; long runs may be broken.

        Characters that steer (the turning of direction among them) are told by their numbers, so that they steer
        nothing; a character without a glyph becomes a white square.
        """
        if not _PLAIN.fullmatch(text):
            text = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
            self.poor.update(_POORLY_SET.findall(text))
            text = "".join(
                sign if sign in _HANDS and self._joins(text, place) else self._one(sign)
                for place, sign in enumerate(text)
            )
        if _DIGEST.fullmatch(text):
            return text
        return _RUN.sub(lambda run: run.group() + "\u200b", text)

    def _joins(self, text: str, place: int) -> bool:
        """Whether a joiner stands between two signs of fonts that know how to join them."""
        before, after = text[place - 1 : place] if place else "", text[place + 1 : place + 2]
        return (before in self._also or (before != "" and before in _LOOKS)) and after in self._also

    def _one(self, sign: str) -> str:
        if sign in self._covered or sign == "\n":
            return sign
        if sign in "\t\v\f\r\x85\u2028\u2029" or unicodedata.category(sign) == "Zs":
            return "\n" if sign in "\r\x85\u2028\u2029" else " "
        if sign in _LOOKS:
            # They choose between two looks of the sign before; without fonts for both there is nothing to choose.
            return sign if sign in self._also else ""
        if unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Cn"):
            return f"[U+{ord(sign):04X}]"
        if sign in self._also:
            return sign
        self.lacking[sign] += 1
        return MISSING
