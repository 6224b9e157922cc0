"""64-bit hashes of texts, computed over whole columns at once; the distinct sketches are fed with them."""

from typing import Any

import numpy as np
import pyarrow as pa

from modelward.analysis.buffers import fixed_width, large_strings
from modelward.analysis.sketches import Bits, mixed_bits

_ONE = np.uint64(1)


def text_hashes(texts: list[str]) -> Bits:
    """64-bit hashes of texts: a polynomial over the UTF-8 bytes, then mixed."""
    return arrow_text_hashes(large_strings(texts))


def arrow_text_hashes(texts: Any) -> Bits:
    """The same over an Arrow array of large strings without nulls."""
    offsets = fixed_width(
        pa.Array.from_buffers(pa.int64(), len(texts) + 1, [None, texts.buffers()[1]], offset=texts.offset), np.int64
    )
    data = texts.buffers()[2]
    raw = np.frombuffer(data, np.uint8)[offsets[0] : offsets[-1]] if data is not None else np.zeros(0, np.uint8)
    lengths = np.diff(offsets)
    starts = offsets[:-1] - offsets[0]
    result = mixed_bits(lengths.view(np.uint64).copy())
    filled = lengths > 0
    if raw.size:
        places = np.arange(raw.size, dtype=np.int64) - np.repeat(starts, lengths)
        words = (raw.astype(np.uint64) + _ONE) * mixed_bits(places.view(np.uint64))
        result[filled] += np.add.reduceat(words, starts[filled])
    return mixed_bits(result)
