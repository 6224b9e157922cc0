"""JSON and back for every type of ours: references are strings, moments are RFC 3339 in UTC, unknown fields are errors."""

from datetime import datetime
from typing import Any, TypeVar

import msgspec

from modelward.kernel.clock import timestamp
from modelward.kernel.errors import Invalid
from modelward.kernel.refs import Digest, Ref

T = TypeVar("T")


def _to_plain(value: object) -> object:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, datetime):
        return timestamp(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _from_plain(kind: type, value: object) -> object:
    if issubclass(kind, Ref | Digest) and isinstance(value, str):
        return kind.parse(value)
    raise TypeError(f"{kind!r} cannot be read from JSON")


_encoder = msgspec.json.Encoder(enc_hook=_to_plain)
_canonical = msgspec.json.Encoder(enc_hook=_to_plain, order="sorted")
_decoders: dict[object, msgspec.json.Decoder[Any]] = {}


def encode(value: object) -> bytes:
    """Write a value as compact JSON."""
    return _encoder.encode(value)


def canonical(value: object) -> bytes:
    """Write a value as JSON with sorted keys, so that equal values have equal bytes and digests."""
    return _canonical.encode(value)


def plain(value: object) -> Any:
    """Turn a value of ours into dicts, lists and texts."""
    return msgspec.to_builtins(value, enc_hook=_to_plain)


def decode(data: bytes | str, kind: type[T], *, field: str = "body") -> T:
    """Read JSON as the given type.

    Raises:
        Invalid: the bytes are not JSON, or not of this type; the message names the field and the rule.
    """
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.json.Decoder(kind, dec_hook=_from_plain)
    try:
        return decoder.decode(data)  # type: ignore[no-any-return]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise Invalid(f"{field} is not valid: {problem}", field=field) from problem


def convert(value: object, kind: type[T], *, field: str = "body", strict: bool = True) -> T:
    """Turn dicts and lists into a value of ours; not strict: texts may stand for numbers (query strings).

    Raises:
        Invalid: the value is not of this type.
    """
    try:
        return msgspec.convert(value, kind, dec_hook=_from_plain, strict=strict)
    except msgspec.ValidationError as problem:
        raise Invalid(f"{field} is not valid: {problem}", field=field) from problem
