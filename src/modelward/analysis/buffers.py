"""Arrow arrays as numpy views, buffer by buffer. Arrow's own conversions import pandas, which costs a second."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

PIECE_ROWS = 16_384

_NUMPY_NAMES = {"float": "float32", "double": "float64"}


def pieces(rows: int) -> Iterator[slice]:
    """Slices that stay in the cache of a processor."""
    for start in range(0, rows, PIECE_ROWS):
        yield slice(start, min(rows, start + PIECE_ROWS))


def is_text(kind: Any) -> bool:
    """Whether an Arrow type holds texts."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def valid_mask(array: Any) -> npt.NDArray[np.bool_] | None:
    """Which slots of an Arrow array hold a value; None when all do."""
    if array.null_count == 0:
        return None
    if pa.types.is_null(array.type):
        return np.zeros(len(array), bool)
    bitmap = np.frombuffer(array.buffers()[0], np.uint8)
    start = array.offset
    bits = np.unpackbits(bitmap[start // 8 : (start + len(array) + 7) // 8], bitorder="little")
    return bits[start % 8 : start % 8 + len(array)].view(bool)


def width_of(kind: Any) -> Any:
    """The numpy type of an Arrow number type (Arrow's own to_pandas_dtype imports pandas)."""
    return np.dtype(_NUMPY_NAMES.get(str(kind), str(kind)))


def fixed_width(array: Any, dtype: Any) -> npt.NDArray[Any]:
    """The slots of a fixed-width Arrow array as a view, nulls included."""
    data = array.buffers()[1]
    if data is None or len(array) == 0:
        return np.zeros(len(array), dtype)
    return np.frombuffer(data, dtype)[array.offset : array.offset + len(array)]


def indices(places: npt.NDArray[np.int64]) -> Any:
    """An Arrow array of places, without a copy."""
    return pa.Array.from_buffers(pa.int64(), places.size, [None, pa.py_buffer(places)])


def valid_bits(array: Any) -> npt.NDArray[np.bool_]:
    """The slots of an Arrow boolean array."""
    start = array.offset
    bits = np.unpackbits(np.frombuffer(array.buffers()[1], np.uint8), bitorder="little")
    return bits[start : start + len(array)].view(bool)


def re2_matches(texts: list[str], pattern: str) -> list[bool]:
    """Which texts a regular expression finds (RE2: linear time)."""
    return (
        [bool(found) for found in valid_bits(pc.match_substring_regex(large_strings(texts), pattern))] if texts else []
    )


def large_strings(texts: list[str]) -> Any:
    """An Arrow array of texts (pa.array imports pandas to look at what it is given)."""
    raw = [text.encode() for text in texts]
    ends = np.cumsum([0, *(len(text) for text in raw)], dtype=np.int64)
    return pa.Array.from_buffers(pa.large_string(), len(raw), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(raw))])
