"""Two programs on the same data in turn: each prints one JSON object of figures that it took itself, imports left out."""

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

# Stands before every script: a clock around the work alone.
CLOCK = """
import json, sys, time

def clocked(work):
    wall, cpu = time.perf_counter(), time.process_time()
    found = work()
    return found, time.perf_counter() - wall, time.process_time() - cpu

def told(**figures):
    print(json.dumps(figures))
"""


class Side:
    """One of the programs: a name, an interpreter and a script, which may use ``clocked`` and ``told``."""

    def __init__(self, name: str, python: Path | str, script: str) -> None:
        """Name it."""
        self.name, self.python, self.script = name, str(python), CLOCK + script

    def run(self, *arguments: object) -> dict[str, Any]:
        """Run it once.

        Raises:
            SystemExit: it failed.
        """
        command = [self.python, "-c", self.script, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{self.name} failed with {done.returncode}: {done.stderr[-2000:]}")
        return json.loads(done.stdout.splitlines()[-1])


def in_turn(sides: list[Side], rounds: int, arguments: Callable[[Side], tuple[object, ...]]) -> dict[str, list[dict]]:
    """Run the sides in turn, the first of a round last in the next."""
    runs: dict[str, list[dict]] = {side.name: [] for side in sides}
    for turn in range(rounds):
        for side in sides if turn % 2 == 0 else reversed(sides):
            runs[side.name].append(side.run(*arguments(side)))
            print(f"round {turn + 1}: {side.name} {runs[side.name][-1]}", file=sys.stderr, flush=True)
    return runs


def middle(runs: list[Mapping[str, Any]], key: str) -> float | None:
    """The median of a figure; None where it was not taken."""
    known = [run[key] for run in runs if run.get(key) is not None]
    return statistics.median(known) if known else None


def quotient(above: list[Mapping[str, Any]], below: list[Mapping[str, Any]], key: str) -> float | None:
    """The median over the rounds of one side's figure over the other's in the same round."""
    pairs = [a[key] / b[key] for a, b in zip(above, below, strict=True) if a.get(key) and b.get(key)]
    return statistics.median(pairs) if pairs else None
