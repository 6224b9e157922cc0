"""CRC-64/NVME, which newer clients of the object store send: many stretches of the bytes are taken at once by numpy.

A checksum of this kind is linear: that of bytes followed by n more is the first one, moved on by n zero bytes, and that of
the n bytes. So stretches of one length are computed side by side and then put together in pairs.
"""

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Words = NDArray[np.uint64]

POLYNOMIAL = 0x9A6C9329AC4BC9B5
ALL_ONES = (1 << 64) - 1
STRETCH_BYTES = 512
BLOCK_BYTES = 1 << 20


@cache
def _by_byte() -> tuple[int, ...]:
    """What one byte does to a checksum."""
    found = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (POLYNOMIAL if value & 1 else 0)
        found.append(value)
    return tuple(found)


def _plainly(value: int, data: bytes) -> int:
    table = _by_byte()
    for byte in data:
        value = table[(value ^ byte) & 255] ^ (value >> 8)
    return value


@cache
def _moving(zeros: int) -> Any:
    """Eight tables that move a checksum on by so many zero bytes (a power of two of them), one for each of its bytes."""
    import numpy as np

    if zeros == 1:
        table = np.array(_by_byte(), np.uint64)
        rest = [np.arange(256, dtype=np.uint64) << np.uint64(8 * (place - 1)) for place in range(1, 8)]
        return np.stack([table, *rest])
    half = _moving(zeros // 2)
    return np.stack([_moved(each, half) for each in half])


def _moved(values: "Words", tables: Any) -> "Words":
    import numpy as np

    low = np.uint64(255)
    found: Words = tables[0][values & low]
    for place in range(1, 8):
        found = found ^ tables[place][(values >> np.uint64(8 * place)) & low]
    return found


def _together(value: int, data: bytes) -> int:
    """The checksum of whole stretches that follow what had the checksum ``value``."""
    import numpy as np

    words = np.frombuffer(data, np.dtype("<u8")).reshape(-1, STRETCH_BYTES // 8)
    values = np.zeros(len(words), np.uint64)
    values[0] = value
    for place in range(words.shape[1]):
        values = _moved(values ^ words[:, place], _moving(8))
    length = STRETCH_BYTES
    while len(values) > 1:
        if len(values) % 2:
            # Zeros in front of everything change nothing.
            values = np.concatenate([np.zeros(1, np.uint64), values])
        values = _moved(values[::2], _moving(length)) ^ values[1::2]
        length *= 2
    return int(values[0])


class Crc64Nvme:
    """The checksum of bytes that come in pieces."""

    def __init__(self) -> None:
        self._value, self._held = ALL_ONES, bytearray()

    def update(self, data: bytes, /) -> None:
        """Take the next bytes."""
        self._held += data
        if len(self._held) >= BLOCK_BYTES:
            whole = len(self._held) // STRETCH_BYTES * STRETCH_BYTES
            self._value = _together(self._value, bytes(self._held[:whole]))
            del self._held[:whole]

    def digest(self) -> bytes:
        """The checksum so far, as it is sent."""
        value, whole = self._value, len(self._held) // STRETCH_BYTES * STRETCH_BYTES
        if whole:
            value = _together(value, bytes(self._held[:whole]))
        return (_plainly(value, bytes(self._held[whole:])) ^ ALL_ONES).to_bytes(8, "big")
