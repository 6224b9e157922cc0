"""What the values in captured bodies are: the kind of one, of several together, and columns of a kind."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, TypeAlias

import numpy as np
import pyarrow as pa

from modelward.analysis.buffers import large_strings

Kind: TypeAlias = Literal["none", "whole", "number", "boolean", "moment", "zoned", "text"]
"""``moment``: a date, or a time without a zone; ``zoned``: a time with one. ``none``: no value was seen."""

ARROW: dict[Kind, Any] = {
    "none": pa.string(),
    "whole": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "moment": pa.timestamp("us"),
    "zoned": pa.timestamp("us", "UTC"),
    "text": pa.string(),
}

WHOLE_MAX = (1 << 63) - 1
_WHOLE = re.compile(r"-?\d{1,19}", re.ASCII)
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?:nan|inf|infinity)", re.ASCII | re.IGNORECASE)
_MOMENT = re.compile(
    r"\d{4}-(?:0\d|1[0-2])-(?:[0-2]\d|3[01])(?:[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?(Z|[-+]\d\d:?\d\d)?)?",
    re.ASCII,
)
_TRUTHS = {"true": True, "false": False}


class Raw(str):
    """A value of a CSV body as it was written."""

    __slots__ = ()


def kind_of(value: Any) -> Kind:
    """The kind of one value: of a written one by its look, of a JSON one by its type."""
    if value is None:
        return "none"
    if isinstance(value, str):
        return _written_kind(value.strip()) if isinstance(value, Raw) else _text_kind(value)
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "whole" if abs(value) <= WHOLE_MAX else "number"
    return "number"


def _written_kind(text: str) -> Kind:
    if not text:
        return "none"
    if _WHOLE.fullmatch(text):
        return "whole" if abs(int(text)) <= WHOLE_MAX else "number"
    if _NUMBER.fullmatch(text):
        return "number"
    return "boolean" if text.lower() in _TRUTHS else _text_kind(text)


def _text_kind(text: str) -> Kind:
    found = _MOMENT.fullmatch(text) if text[:4].isdigit() else None
    if found is None:
        return "text"
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return "text"
    return "zoned" if found[1] else "moment"


def together(one: Kind, other: Kind) -> Kind:
    """The kind of a column with values of both."""
    if one == other or other == "none":
        return one
    if one == "none":
        return other
    return "number" if {one, other} == {"whole", "number"} else "text"


def token_value(token: str) -> Any:
    """A written value as Python's; texts as they are, blanks around them left out."""
    text = token.strip()
    kind = _written_kind(text)
    if kind == "none":
        return None
    if kind == "boolean":
        return _TRUTHS[text.lower()]
    return int(text) if kind == "whole" else float(text) if kind == "number" else text


def column(values: Sequence[Any], kind: Kind) -> Any:
    """An Arrow array of a kind, from values which all are of that kind or no values."""
    known = [value.strip() or None if isinstance(value, Raw) else value for value in values]
    there = np.array([value is not None for value in known], bool)
    if kind in ("whole", "number", "boolean"):
        kept = [0 if value is None else token_value(value) if isinstance(value, Raw) else value for value in known]
        return _fixed(kept, there, kind)
    array = large_strings(["" if value is None else _text(value) for value in known]).cast(pa.string())
    bitmap = pa.py_buffer(np.packbits(there, bitorder="little"))
    return as_kind(pa.Array.from_buffers(pa.string(), len(known), [bitmap, *array.buffers()[1:]]), kind)


def _fixed(values: list[Any], there: Any, kind: Kind) -> Any:
    numbers = np.array([float(value) for value in values] if kind == "number" else values, _WIDTHS[kind])
    data = np.packbits(numbers, bitorder="little") if kind == "boolean" else numbers
    bitmap = np.packbits(there, bitorder="little")
    return pa.Array.from_buffers(ARROW[kind], len(values), [pa.py_buffer(bitmap), pa.py_buffer(data)])


_WIDTHS: dict[Kind, Any] = {"whole": np.int64, "number": np.float64, "boolean": np.bool_}


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)


def as_kind(texts: Any, kind: Kind) -> Any:
    """Texts as an Arrow array of a kind.

    Raises:
        ValueError: a text is not of that kind.
    """
    if kind == "none" and texts.null_count < len(texts):
        raise ValueError("a value where none was seen before")
    return texts if kind in ("text", "none") else texts.cast(ARROW[kind])
