"""Does the budget of false alarms hold over 10,000 runs in which nothing changed?

    python -m benchmarks.false_alarms [--quick] [--workers 2]

A world is one baseline and a row of runs drawn from the same distributions: 100 columns of eight kinds (drift_worlds.py),
windows of 200, 500, 1,000 or 2,000 rows, judged by ``check_run`` with its history and the constraints that the baseline
suggests. Counted are runs that raise an alarm: drift alone or over runs together, or a broken limit. A first row has all
thresholds at 0, so that every significant change counts: the hardest case. The row "usual thresholds" is what a user meets;
"daily" has thirty times the chance per run, so it shows small errors of the chances best. "Rows that resemble each other" lie
outside the promise and are told beside it. Nothing is timed, so a busy machine does no harm.
"""

import argparse
import math
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # So that the file also runs by its path.

from benchmarks.drift_worlds import FEATURES, table_of
from benchmarks.figures import Goal, conclude, machine, table

WINDOWS = (200, 500, 1_000, 2_000)
BASELINE_ROWS = 20_000
# The distance that values moved is looked at only where the gap of the running shares is let pass: never at 0.
ZERO = ("numeric_threshold", "categorical_threshold", "missing_threshold")


class Case(NamedTuple):
    """A way of running: what is declared, how the windows are drawn, and how many runs there are."""

    name: str
    alarms_a_month: float
    runs_a_month: float
    thresholds: bool
    memory: float
    runs: int
    promised: bool = True


CASES = (
    Case("hourly, thresholds 0", 1, 720, False, 0.0, 10_000),
    Case("hourly, usual thresholds", 1, 720, True, 0.0, 800),
    Case("daily, thresholds 0", 1, 30, False, 0.0, 800),
    Case("hourly, rows that resemble each other (0.5)", 1, 720, False, 0.5, 200, promised=False),
    Case("the same, usual thresholds", 1, 720, True, 0.5, 200, promised=False),
)
RUNS_A_WORLD = 50


class World(NamedTuple):
    """One baseline and its runs."""

    case: Case
    number: int
    rows: int
    runs: int


class Outcome(NamedTuple):
    """What a world said: runs with an alarm of drift, runs with a broken limit, runs with either, and what was spent."""

    drift: int
    limits: int
    either: int
    earned: float
    spent: float


def main() -> int:
    """Run the worlds, print the table, conclude."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the runs")
    parser.add_argument("--workers", type=int, default=2, help="processes side by side")
    options = parser.parse_args()
    began = time.monotonic()
    worlds = [world for case in CASES for world in worlds_of(case, options.quick)]
    found = []
    with ProcessPoolExecutor(options.workers) as pool:
        for world, outcome in zip(worlds, pool.map(judged, worlds), strict=True):
            found.append((world, outcome))
            own = [(each.runs, said.either) for each, said in found if each.case == world.case]
            runs, alarms = (sum(column) for column in zip(*own, strict=True))
            print(f"\r{world.case.name}: {alarms} alarms in {runs:,} runs   ", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    rows, goals = {}, []
    for case in CASES:
        own = [outcome for world, outcome in found if world.case == case]
        runs = sum(world.runs for world, _ in found if world.case == case)
        allowed = runs * case.alarms_a_month / case.runs_a_month
        sums = {name: sum(getattr(each, name) for each in own) for name in Outcome._fields}
        by_rows = {
            str(rows): sum(each.either for world, each in found if world.case == case and world.rows == rows)
            for rows in WINDOWS
        }
        rows[case.name] = {
            "runs": runs,
            "allowed": allowed,
            "months": runs / case.runs_a_month,
            **sums,
            "by_rows": by_rows,
        }
        if case.promised:
            # Three standard deviations of a Poisson number above the budget would show a broken promise.
            goals.append(Goal(f"alarms over budget: {case.name}", sums["either"] / most(allowed), 1.0, at_least=False))
            goals.append(
                Goal(f"spent over earned: {case.name}", sums["spent"] / sums["earned"], 1.0 + 1e-9, at_least=False)
            )
    head = ("runs of 100 columns, nothing changed", "runs", "months", "alarms", "budget", "of drift", "of limits")
    told = [(n, r["runs"], r["months"], r["either"], r["allowed"], r["drift"], r["limits"]) for n, r in rows.items()]
    print(table(head, told))
    facts = {
        "features": FEATURES,
        "windows": WINDOWS,
        "baseline_rows": BASELINE_ROWS,
        "wall_s": time.monotonic() - began,
    }
    record = {"machine": machine(Path(__file__).parent), **facts, "null": rows}
    return conclude("false_alarms", record, goals, quick=options.quick)


def most(allowed: float) -> float:
    """The largest number of alarms that still agrees with an expected number."""
    return allowed + 3 * math.sqrt(max(1.0, allowed))


def worlds_of(case: Case, quick: bool) -> Iterator[World]:
    """The worlds of a case, of every size of window alike."""
    runs = RUNS_A_WORLD // 10 if quick else RUNS_A_WORLD
    for number in range(case.runs // RUNS_A_WORLD):
        yield World(case, number, WINDOWS[number % len(WINDOWS)], runs)


def judged(world: World) -> Outcome:
    """Judge all runs of a world."""
    import msgspec

    from modelward.analysis import DriftSettings, Plan, profile, suggest
    from modelward.analysis.checking.budget import RunHistory, check_run

    case = world.case
    rng = np.random.default_rng((CASES.index(case), world.number))
    limits = {} if case.thresholds else dict.fromkeys(ZERO, 0.0)
    settings = DriftSettings(false_alarms_a_month=case.alarms_a_month, runs_a_month=case.runs_a_month, **limits)
    plan = Plan(threads=1)
    baseline = profile(table_of(rng, BASELINE_ROWS, memory=case.memory), plan)
    rules = msgspec.structs.replace(suggest(baseline), drift=settings)
    history, drift, broken, either = RunHistory(), 0, 0, 0
    for _ in range(world.runs):
        current = profile(table_of(rng, world.rows, memory=case.memory), plan)
        report, history = check_run(current, baseline, rules, history)
        drifted = bool(report.over_runs) or any(verdict.outcome.value == "failed" for verdict in report.drift)
        drift, broken = drift + drifted, broken + bool(report.violations)
        either += drifted or bool(report.violations)
    return Outcome(drift, broken, either, history.earned, history.spent)


if __name__ == "__main__":
    sys.exit(main())
