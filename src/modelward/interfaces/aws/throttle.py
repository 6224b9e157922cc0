"""How often somebody may call: a bucket of tokens for each, filled at a steady rate. No I/O but the clock."""

import time

CALLERS_MAX = 10_000


class Throttle:
    """Lets each caller make so many calls a second in the long run, and twice as many at once."""

    def __init__(self, *, calls_per_second: int) -> None:
        self._rate, self._most = calls_per_second, calls_per_second * 2
        self._left: dict[str, tuple[float, float]] = {}

    def admits(self, caller: str) -> bool:
        """Whether a caller may make one more call now."""
        if not self._rate:
            return True
        now = time.monotonic()
        left, since = self._left.get(caller, (float(self._most), now))
        left = min(float(self._most), left + (now - since) * self._rate)
        if len(self._left) >= CALLERS_MAX:
            self._left.clear()
        self._left[caller] = (left - 1 if left >= 1 else left, now)
        return left >= 1
