"""How the files look to the byte: Java's way to write a double, and the two ways to lay JSON out.

Sources: JLS 20.10.15 (``Double.toString``); Jackson's default pretty printer (statistics and constraints); four blanks of
indentation as Python's ``json.dumps(indent=4)`` (``analysis.json``). Both seen in the golden files.
"""

import json
import math
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from modelward.kernel.errors import Invalid, NotFound

T = TypeVar("T")

PLAIN_MIN, PLAIN_BELOW = 1e-3, 1e7


def java_double(value: float) -> str:
    """Write a double as Java does: shortest digits, always a fraction, ``E`` from 1e7 on and below 1e-3."""
    if PLAIN_MIN <= abs(value) < PLAIN_BELOW:
        return repr(float(value))
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "-0.0" if math.copysign(1, value) < 0 else "0.0"
    sign, digits, exponent = _shortest(float(value)).as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, digits))
    place = len(text) + exponent
    minus = "-" if sign else ""
    return f"{minus}{text[0]}.{text[1:] or '0'}E{place - 1}"


def _shortest(value: float) -> Decimal:
    """The shortest digits that give the double back; where one would do, Java takes the nearest two (4.9E-324)."""
    shortest = Decimal(repr(value)).normalize()
    if len(shortest.as_tuple().digits) > 1:
        return shortest
    two = f"{value:.1e}"
    return Decimal(two).normalize() if float(two) == value else shortest


def spread(value: Any) -> bytes:
    """Lay a value out as the statistics and constraints files are: `` "key" : value``, two blanks, arrays in a line."""
    return _spread(msgspec.to_builtins(value), 0).encode()


def _spread(value: Any, depth: int) -> str:
    if isinstance(value, dict):
        if not value:
            return "{ }"
        inner, outer = "  " * (depth + 1), "  " * depth
        lines = [f"{inner}{_text(str(key))} : {_spread(one, depth + 1)}" for key, one in value.items()]
        return "{\n" + ",\n".join(lines) + f"\n{outer}}}"
    if isinstance(value, list | tuple):
        return "[ " + ", ".join(_spread(one, depth) for one in value) + " ]" if value else "[ ]"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float):
        return java_double(value) if math.isfinite(value) else _text(java_double(value))
    return "null" if value is None else json.dumps(value)


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def indented(value: Any) -> bytes:
    """Lay a value out as the analysis files are: four blanks, infinities as texts."""
    return json.dumps(_without_infinities(msgspec.to_builtins(value)), indent=4, ensure_ascii=False).encode()


def _without_infinities(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_infinities(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_infinities(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return java_double(value)
    return value


def parsed(content: bytes, name: str) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        Invalid: the bytes are no JSON object; the message names the file.
    """
    try:
        return msgspec.json.decode(content, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise Invalid(f"{name} is not a JSON object: {problem}.", field=name) from problem


def shaped(value: Any, kind: type[T], name: str) -> T:
    """Turn dictionaries and lists into a type of ours.

    Raises:
        Invalid: a key is missing or of the wrong kind; the message names the file and the key.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as problem:
        raise Invalid(f"{name} is not what it should be: {problem}.", field=name) from problem


def content_of(path: Path) -> bytes:
    """The bytes of a file.

    Raises:
        NotFound: there is no such file, or it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as problem:
        raise NotFound(f"The file {str(path)!r} cannot be read: {problem.strerror}.") from problem
