"""What was measured, as a table, as JSON and as a verdict; and on what machine."""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

RESULTS = Path(__file__).resolve().parent / "results"


class Goal(NamedTuple):
    """A goal beside a figure. Undecided (None) when a side of it was not measured."""

    name: str
    figure: float | None
    must: float
    reach: float | None = None
    at_least: bool = True
    unit: str = "x"

    def met(self, limit: float | None) -> bool | None:
        """Whether the figure keeps this limit."""
        if self.figure is None or limit is None:
            return None
        return self.figure >= limit if self.at_least else self.figure <= limit

    def line(self) -> str:
        """The goal in a line."""
        sign = ">=" if self.at_least else "<="
        verdict = {True: "met", False: "MISSED", None: "undecided"}[self.met(self.must)]
        if self.met(self.reach):
            verdict = "reached"
        shown = "not measured" if self.figure is None else f"{self.figure:.3g}{self.unit}"
        reach = "" if self.reach is None else f", reach {sign} {self.reach:g}"
        return f"{verdict:>9}  {self.name}: {shown} (must {sign} {self.must:g}{reach})"

    def record(self) -> dict[str, Any]:
        """The goal for JSON."""
        return {**self._asdict(), "met": self.met(self.must), "reached": self.met(self.reach)}


def median(values: Iterable[float]) -> float | None:
    """The middle value; None of nothing."""
    known = list(values)
    return statistics.median(known) if known else None


def ratio(above: float | None, below: float | None) -> float | None:
    """One figure over another; None when either is missing."""
    return above / below if above is not None and below else None


def percentile(values: Sequence[float], share: float) -> float | None:
    """The value below which this share of the values lies (nearest rank); None of nothing."""
    if not values:
        return None
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, max(0, round(share * len(ranked) + 0.5) - 1))]


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table in Markdown with columns of even width."""
    lines = [[str(cell) for cell in head], *[[_shown(cell) for cell in row] for row in rows]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    drawn = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    return "\n".join([drawn[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *drawn[1:]])


def _shown(cell: Any) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, float):
        return f"{cell:.0f}" if abs(cell) >= 100 else f"{cell:.3g}"
    return str(cell)


def machine(folder: Path) -> dict[str, Any]:
    """Where this was measured: processor, memory, file system of the data, versions, and how busy it was."""
    cpu = next((line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "?")
    memory = next((int(line.split()[1]) >> 20 for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    return {
        "cpu": cpu,
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": memory,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "file_system": _file_system(folder),
        "load_before": round(os.getloadavg()[0], 2),
        "commit": _commit(),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()


def _file_system(folder: Path) -> str:
    mounts = [line.split() for line in _lines("/proc/mounts")]
    above = [each for each in mounts if folder.resolve().is_relative_to(each[1])]
    return max(above, key=lambda each: len(each[1]))[2] if above else "?"


def _commit() -> str:
    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=RESULTS.parent, capture_output=True, text=True).stdout.strip()

    return git("rev-parse", "--short", "HEAD") + ("+changes" if git("status", "--porcelain", "--", "../src") else "")


def conclude(name: str, record: dict[str, Any], goals: Sequence[Goal], *, quick: bool) -> int:
    """Print the goals, keep the record as JSON, and return the exit code: 1 when a must is missed."""
    print("\n" + "\n".join(goal.line() for goal in goals))
    RESULTS.mkdir(exist_ok=True)
    # A quick run must not stand where a full one stood.
    kept = RESULTS / (f"{name}-quick.tmp" if quick else f"{name}.json")
    record = {**record, "quick": quick, "goals": [goal.record() for goal in goals]}
    kept.write_text(json.dumps(record, indent=1) + "\n")
    print(f"kept in {kept.relative_to(RESULTS.parent.parent)}")
    return 1 if any(goal.met(goal.must) is False for goal in goals) else 0


@contextmanager
def data_folder() -> Iterator[Path]:
    """A new folder for the servers' data, on a disk: on a memory file system a flush would cost nothing."""
    with tempfile.TemporaryDirectory(prefix="modelward-bench-") as made:
        folder = Path(made)
        if _file_system(folder) in ("tmpfs", "ramfs"):
            print(
                "the data folder is in memory: writes look cheaper than they are; set TMPDIR to a disk", file=sys.stderr
            )
        yield folder
