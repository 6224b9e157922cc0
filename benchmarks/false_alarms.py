"""Does the budget of false drift alarms hold over 10,000 runs in which nothing changed, and what does it cost in sharpness?

    python -m benchmarks.false_alarms [--quick]

Every world is one baseline and a row of runs drawn from the same distribution (five numeric columns of four shapes, two of
them correlated, and three categorical ones), judged by ``check_run`` with its history. Counted are runs that raise an alarm.
All thresholds are 0 here, so that every significant change would count: the hardest case for the budget. The rows with
"usual thresholds" are what a user meets. Then one column is shifted by 0.1, 0.2 and 0.5 standard deviations: how many runs
pass before the first alarm? Nothing is timed, so a busy machine does no harm.
"""

import argparse
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # So that the file also runs by its path.

from benchmarks.figures import Goal, conclude, median

ROWS, BASELINE_ROWS = 1_000, 20_000
THRESHOLDS = {"thresholds 0": 0.0, "usual thresholds": None}
BUDGETS = {"1 a month, daily": (1.0, 30.0), "1 a month, hourly": (1.0, 720.0)}
SHIFTS = (0.1, 0.2, 0.5)


def main() -> int:
    """Run the worlds, print the tables, conclude."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="1,000 runs instead of 10,000")
    options = parser.parse_args()
    worlds, runs = (10, 100) if options.quick else (40, 250)
    rows = {}
    for name, (alarms_a_month, runs_a_month) in BUDGETS.items():
        allowed = worlds * runs * alarms_a_month / runs_a_month
        for threshold in THRESHOLDS:
            found = null_runs(worlds, runs, alarms_a_month, runs_a_month, threshold)
            rows[f"{name}, {threshold}"] = {"alarms": found, "allowed": allowed, "runs": worlds * runs}
            print(
                f"{name:20} {threshold:18} {found:5} alarms in {worlds * runs} runs; the budget is {allowed:.1f}",
                flush=True,
            )
    power = {}
    for shift in SHIFTS:
        for threshold in THRESHOLDS:
            waits = first_alarms(worlds // 2, shift, threshold)
            caught = sum(wait is not None for wait in waits)
            power[f"{shift} sd, {threshold}"] = {
                "caught": caught,
                "worlds": len(waits),
                "median_runs": median(filter(None, waits)),
            }
            told = power[f"{shift} sd, {threshold}"]
            print(
                f"shift {shift} sd, {threshold:18}: {caught} of {len(waits)} caught within 64 runs, median run {told['median_runs']}"
            )
    goals = [
        # Three standard deviations of a Poisson number above the budget would show a broken promise.
        Goal(f"alarms over budget: {name}", row["alarms"] / most(row["allowed"]), 1.0, at_least=False)
        for name, row in rows.items()
    ]
    caught = power["0.5 sd, usual thresholds"]
    goals.append(Goal("0.5 sd caught, share", caught["caught"] / caught["worlds"], 1.0))
    return conclude("false_alarms", {"null": rows, "power": power}, goals, quick=options.quick)


def most(allowed: float) -> float:
    """The largest number of alarms that still agrees with an expected number."""
    return allowed + 3 * math.sqrt(max(1.0, allowed))


def null_runs(worlds: int, runs: int, alarms: float, runs_a_month: float, threshold: str) -> int:
    """How many runs raise an alarm where nothing changes."""
    return sum(
        alarmed for world in range(worlds) for alarmed in alarms_of(world, runs, (alarms, runs_a_month), threshold, 0.0)
    )


def first_alarms(worlds: int, shift: float, threshold: str) -> list[int | None]:
    """In each world the number of the first run that raises an alarm, where one column is shifted from the start."""
    waits: list[int | None] = []
    for world in range(worlds):
        judged = alarms_of(1_000 + world, 64, BUDGETS["1 a month, daily"], threshold, shift)
        waits.append(next((number for number, alarmed in enumerate(judged, 1) if alarmed), None))
    return waits


def alarms_of(world: int, runs: int, budget: tuple[float, float], threshold: str, shift: float) -> Iterator[bool]:
    """Whether each run of a world raises a drift alarm."""
    from modelward.analysis import ColumnConstraints, Constraints, DriftSettings, Plan, profile
    from modelward.analysis.budget import RunHistory, check_run

    rng = np.random.default_rng(world)
    least = THRESHOLDS[threshold]
    limits = (
        {} if least is None else dict.fromkeys(("numeric_threshold", "shift_threshold", "categorical_threshold"), least)
    )
    settings = DriftSettings(false_alarms_a_month=budget[0], runs_a_month=budget[1], **limits)
    plan = Plan(threads=1)
    baseline = profile(table_of(rng, BASELINE_ROWS, 0.0), plan)
    rules = Constraints(columns=tuple(ColumnConstraints(name=name) for name in baseline.columns), drift=settings)
    history = RunHistory()
    for _ in range(runs):
        report, history = check_run(profile(table_of(rng, ROWS, shift), plan), baseline, rules, history)
        yield bool(report.over_runs) or any(verdict.outcome.value == "failed" for verdict in report.drift)


def table_of(rng: np.random.Generator, rows: int, shift: float) -> Any:
    """A table of eight columns."""
    import pyarrow as pa

    first = rng.normal(size=rows)
    columns: dict[str, Any] = {
        "normal": first + shift,
        "correlated": 0.7 * first + 0.7 * rng.normal(size=rows),
        "lognormal": rng.lognormal(size=rows),
        "uniform": rng.random(rows),
        "counts": rng.poisson(3, rows).astype(float),
    }
    for name, size in (("two", 2), ("ten", 10), ("hundred", 100)):
        weights = 1 / np.arange(1, size + 1)
        codes = pa.array(rng.choice(size, rows, p=weights / weights.sum()).astype(np.int32))
        columns[name] = pa.DictionaryArray.from_arrays(codes, pa.array([f"v{place}" for place in range(size)]))
    return pa.table(columns)


if __name__ == "__main__":
    sys.exit(main())
