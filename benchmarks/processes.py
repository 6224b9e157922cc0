"""What a server costs: its whole tree of processes, read from /proc. Linux only."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

TICKS = os.sysconf("SC_CLK_TCK")


class Memory(NamedTuple):
    """Memory of a tree of processes in bytes; shared pages count once in ``pss`` and in each process in ``rss``."""

    pss: int
    rss: int
    processes: int


class _Stat(NamedTuple):
    pid: int
    parent: int
    session: int
    ticks: int
    started: int
    state: str


class Tree:
    """A process, all that came from it, and all of its session (what was orphaned stays in the session)."""

    def __init__(self, root: int) -> None:
        self.root = root
        # A process once seen belongs here for good, told from a later one of the same number by its start.
        self._seen: set[tuple[int, int]] = set()

    def members(self) -> list[_Stat]:
        """The processes that live now."""
        every = {each.pid: each for each in _all_processes()}
        mine = {each.pid for each in every.values() if each.session == self.root or each.pid == self.root}
        mine |= {pid for pid, each in every.items() if (pid, each.started) in self._seen}
        grown = True
        while grown:
            found = {each.pid for each in every.values() if each.parent in mine} - mine
            mine |= found
            grown = bool(found)
        living = [every[pid] for pid in mine if every[pid].state != "Z"]
        self._seen |= {(each.pid, each.started) for each in living}
        return living

    def cpu_seconds(self) -> float:
        """CPU used so far by those that live and by their children that ended and were waited for."""
        return sum(each.ticks for each in self.members()) / TICKS

    def memory(self) -> Memory:
        """Memory held now."""
        pss = rss = count = 0
        for each in self.members():
            found = _rollup(each.pid)
            if found:
                pss, rss, count = pss + found[0], rss + found[1], count + 1
        return Memory(pss, rss, count)

    def end(self, *, seconds_max: float = 15.0) -> None:
        """Ask the root to end, wait, then kill what is left: each by its own number."""
        _signal(self.root, signal.SIGTERM)
        until = time.monotonic() + seconds_max
        while time.monotonic() < until and self.members():
            time.sleep(0.05)
        for each in self.members():
            _signal(each.pid, signal.SIGKILL)


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _all_processes() -> Iterator[_Stat]:
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            found = _stat(int(entry))
            if found:
                yield found


def _stat(pid: int) -> _Stat | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name in brackets may hold anything; the fields after it are numbers (see proc(5)).
    rest = text.rpartition(")")[2].split()
    ticks = sum(int(value) for value in rest[11:15])
    return _Stat(pid, int(rest[1]), int(rest[3]), ticks, int(rest[19]), rest[0])


def _rollup(pid: int) -> tuple[int, int] | None:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines[1:] if line.endswith("kB")}
    return sizes.get("Pss", 0), sizes.get("Rss", 0)
