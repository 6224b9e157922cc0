"""Names that machines give: a kind, a time and chance, so that text order is the order of making."""

import random
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [high + low for high in _ALPHABET for low in _ALPHABET]


def new_id(kind: str) -> str:
    """Make an id such as ``run-01k9x...``: 48 bits of milliseconds, then 80 random bits, in Crockford's base 32."""
    number = (time.time_ns() // 1_000_000 << 80) | random.getrandbits(80)
    pairs = [_PAIRS[number >> shift & 1023] for shift in range(120, -10, -10)]
    return f"{kind}-{''.join(pairs)}"
