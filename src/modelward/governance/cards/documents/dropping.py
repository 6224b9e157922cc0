"""What reading and writing the formats of others have in common: what came over, and what was dropped and why."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from modelward.governance.cards.entities import Content
from modelward.kernel.errors import Invalid

DEPTH_MAX = 64
DOCUMENT_BYTES_MAX = 4 << 20


class Dropped(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the other format has no place for, by its path, and why."""

    path: str
    why: str


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """A content read from another format, what was dropped, and a name for the card where the document tells one."""

    content: Content
    dropped: list[Dropped]
    name: str = ""


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A document written in another format, and what was dropped."""

    data: bytes
    dropped: list[Dropped] = []


def parsed_object(data: bytes, *, nan: bool = False) -> dict[str, Any]:
    """Read a JSON object; no name twice, not nested too deep. ``nan``: let NaN and Infinity pass.

    Raises:
        Invalid: it is none.
    """
    try:
        found = json.loads(
            data, object_pairs_hook=_named_once, parse_constant=None if nan else _no_constant, parse_int=_whole
        )
    except (ValueError, RecursionError) as problem:
        raise Invalid(f"The document cannot be read as JSON: {problem}.", field="document") from problem
    if not isinstance(found, dict):
        raise Invalid("The document does not hold a JSON object.", field="document")
    return found


def _whole(text: str) -> int | float:
    return int(text) if len(text) < 300 else float(text)


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is no number in JSON")


class Source:
    """A document being read: what has been taken from it, so that what is left can be told as dropped."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._taken: set[str] = set()
        self.dropped: list[Dropped] = []

    def take(self, path: str, kind: type | tuple[type, ...] = str) -> Any:
        """The value at a dotted path where it is of this kind, else None; it counts as taken."""
        here: Any = self._document
        for step in path.split("."):
            here = here.get(step) if isinstance(here, dict) else None
        if isinstance(here, bool) and kind is not bool:
            return None
        if here is None or not isinstance(here, kind):
            return None
        self._taken.add(path)
        return here

    def drop(self, path: str, why: str) -> None:
        """Say that something was dropped."""
        self.dropped.append(Dropped(path=f"$.{path}", why=why))

    def leave(self, why: str) -> list[Dropped]:
        """All that was not taken, and what was dropped before."""
        rest = [Dropped(path=f"$.{path}", why=why) for path in self._untaken(self._document, "")]
        return [*self.dropped, *rest]

    def _untaken(self, value: Any, path: str) -> Iterator[str]:
        if path and path in self._taken:
            return
        if (
            isinstance(value, dict)
            and value
            and (not path or any(taken.startswith(f"{path}.") for taken in self._taken))
        ):
            for key, each in value.items():
                yield from self._untaken(each, f"{path}.{key}" if path else key)
        elif value not in (None, "", [], {}):
            yield path


def fitting(text: Any, most: int, path: str, dropped: list[Dropped]) -> str:
    """A text cut to the length that the card allows; what is cut off is told."""
    given = str(text)
    if len(given) > most:
        dropped.append(Dropped(path=path, why=f"Cut to {most} of its {len(given)} characters."))
    return given[:most]


def first(items: list[Any], most: int, path: str, dropped: list[Dropped]) -> list[Any]:
    """The first items of a list, as many as the card allows; the others are told."""
    if len(items) > most:
        dropped.append(
            Dropped(path=f"{path}[{most}:]", why=f"The card keeps {most} of these; {len(items)} were given.")
        )
    return items[:most]


def without_empty(value: Any) -> Any:
    """A value without the empty texts, lists and objects inside it."""
    if isinstance(value, dict):
        kept = {key: without_empty(each) for key, each in value.items()}
        return {key: each for key, each in kept.items() if each not in ("", None, {}, [])}
    return value
