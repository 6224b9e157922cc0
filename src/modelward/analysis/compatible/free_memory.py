"""Whether a table of texts that must be held whole fits into the memory that is free: told before it is read."""

import os

from modelward.kernel.errors import Invalid

TEXTS_OVER_FILE = 6
"""How much more memory a table of texts takes than its file, for numbers that hardly repeat."""


def free_bytes() -> int:
    """Memory that is free."""
    with open("/proc/meminfo") as lines:
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable"))


def too_large(what: str, needed: float, free: int) -> Invalid:
    """The error of columns that would take more than is free."""
    return Invalid(
        f"{what}: the columns that are asked about would take about {needed / 1e9:.1f} GB of memory, held whole, and "
        f"{free / 1e9:.1f} GB are free.",
        hint="Give fewer rows. `modelward baseline`, `check` and `watch` hold none.",
    )


def must_fit_whole(path: str) -> None:
    """Refuse a file that would not fit as a whole.

    Raises:
        Invalid: it would not.
    """
    needed, free = os.path.getsize(path) * TEXTS_OVER_FILE, free_bytes()
    if needed > free:
        raise Invalid(
            f"{path} is one JSON list, which is read whole: it would take about {needed / 1e9:.1f} GB of memory, and "
            f"{free / 1e9:.1f} GB are free.",
            hint="Write one JSON object on each line.",
        )
