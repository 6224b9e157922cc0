"""Are the chances and intervals of the distances what they say? P-values where nothing differs, intervals where something does.

    python -m benchmarks.drift_chances [--quick]

Columns of seven shapes, discrete ones among them, are drawn, profiled (so that values go through histograms and sketches) and
compared by ``distances_of``; ``drift`` is the chance that the verdict on a column uses. Told are the shares of p-values up to
5 %, 1 % and 0.1 %: the limit itself where p-values are even, less where they err on the side of no alarm. Then columns that
do differ, by a known distance: how many 95 % intervals hold it. Nothing is timed.
"""

import argparse
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # So that the file also runs by its path.

from benchmarks.drift_worlds import column_of
from benchmarks.figures import Goal, conclude, table

SHAPES = ("normal", "lognormal", "uniform", "counts", "zeros", "few", "many")
SIZES = ((20_000, 500), (5_000, 200), (2_000, 2_000))
LEVELS = (0.05, 0.01, 0.001)
BEFORE, AFTER = np.array([0.4, 0.3, 0.2, 0.1]), np.array([0.3, 0.35, 0.2, 0.15])
SHIFT = 0.3


def main() -> int:
    """Draw, compare, print the tables, conclude."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the draws")
    parser.add_argument("--draws", type=int, default=2_000)
    options = parser.parse_args()
    draws = options.draws // 10 if options.quick else options.draws
    null: dict[str, dict[str, Any]] = {}
    for shape in SHAPES:
        for sizes in SIZES:
            for measure, chances in null_chances(shape, sizes, draws).items():
                cell = {"draws": len(chances), **{str(level): float(np.mean(chances <= level)) for level in LEVELS}}
                null[f"{measure}, {shape}, {sizes[0]} and {sizes[1]} rows"] = cell
    worst = {
        measure: {
            str(level): max(cell[str(level)] for name, cell in null.items() if name.startswith(measure + ","))
            for level in LEVELS
        }
        for measure in dict.fromkeys(name.split(",")[0] for name in null)
    }
    rows = [[measure, *(f"{told[str(level)]:.2%}" for level in LEVELS)] for measure, told in worst.items()]
    print(table(["chance of, worst shape and size", "up to 5 %", "1 %", "0.1 %"], rows))
    held = {f"{size[0]} and {size[1]} rows": coverage(size, draws) for size in SIZES}
    rows = [[size, *(f"{share:.1%}" for share in told.values())] for size, told in held.items()]
    print("\n" + table(["95 % intervals that hold the truth", *next(iter(held.values()))], rows))
    spread = 4 * math.sqrt(0.05 * 0.95 / draws)
    goals = [
        Goal(f"p <= 5 % of {name}", told["0.05"], 0.055 + spread, at_least=False, unit="")
        for name, told in worst.items()
    ]
    least = {name: min(told[name] for told in held.values()) for name in next(iter(held.values()))}
    goals += [Goal(f"interval of {name}", share, 0.94 - spread, unit="") for name, share in least.items()]
    return conclude("drift_chances", {"null": null, "held": held, "draws": draws}, goals, quick=options.quick)


def null_chances(shape: str, sizes: tuple[int, int], draws: int) -> dict[str, Any]:
    """The chances of each distance, and of the verdict, where both columns are drawn alike."""
    from modelward.analysis import Constraints, DriftSettings
    from modelward.analysis.checking.drift import distances_of, verdicts
    from modelward.analysis.profiles import Profile

    rng = np.random.default_rng((3, SHAPES.index(shape), *sizes))
    found: dict[str, list[float]] = {}
    for _ in range(draws):
        before, now = (_profiled(column_of(rng, f"{shape} 0", rows)) for rows in sizes)
        for each in distances_of(before, now):
            found.setdefault(each.measure, []).append(each.p_value)
        tables = [Profile(rows=each.rows, columns={"x": each}) for each in (before, now)]
        judged, _ = verdicts(*tables, DriftSettings(), {rule.name: rule for rule in Constraints(columns=()).columns})
        found.setdefault("drift", []).extend(each.p_value for each in judged if each.p_value is not None)
    return {measure: np.array(chances) for measure, chances in found.items()}


def coverage(sizes: tuple[int, int], draws: int) -> dict[str, float]:
    """The share of intervals that hold the true distance, for a shifted bell and for changed shares of four texts."""
    rng = np.random.default_rng((4, *sizes))
    truth = true_distances()
    held: dict[str, list[bool]] = {}
    for _ in range(draws):
        for kind in ("numbers", "texts", "numbers alike", "texts alike"):
            alike = kind.endswith("alike")
            for each in _compared(rng, sizes, kind.split()[0], alike):
                if each.low is not None and each.high is not None:
                    true = 0.0 if alike else truth[kind].get(each.measure)
                    if true is not None:
                        told = f"{each.measure}{', alike' if alike else ''} ({kind.split()[0]})"
                        held.setdefault(told, []).append(each.low <= true <= each.high)
    return {name: float(np.mean(each)) for name, each in held.items()}


def _compared(rng: Any, sizes: tuple[int, int], kind: str, alike: bool) -> Any:
    from modelward.analysis.checking.drift import distances_of

    if kind == "numbers":
        drawn = [rng.normal(size=sizes[0]), rng.normal(size=sizes[1]) + (0.0 if alike else SHIFT)]
    else:
        drawn = [
            rng.choice(list("abcd"), size, p=p)
            for size, p in zip(sizes, (BEFORE, BEFORE if alike else AFTER), strict=True)
        ]
    return distances_of(*map(_profiled, drawn))


def true_distances() -> dict[str, dict[str, float]]:
    """The distances between the distributions themselves."""
    middle = (BEFORE + AFTER) / 2
    bits = float((BEFORE * np.log2(BEFORE / middle) + AFTER * np.log2(AFTER / middle)).sum()) / 2
    return {
        "numbers": {"ks": math.erf(SHIFT / 2 / math.sqrt(2)), "wasserstein": SHIFT},
        "texts": {
            "js": math.sqrt(bits),
            "psi": float(((BEFORE - AFTER) * np.log(BEFORE / AFTER)).sum()),
            "hellinger": math.sqrt(1 - float(np.sqrt(BEFORE * AFTER).sum())),
        },
    }


def _profiled(values: Any) -> Any:
    import pyarrow as pa

    from modelward.analysis import Plan, profile

    return profile(pa.table({"x": values}), Plan(threads=1)).columns["x"]


if __name__ == "__main__":
    sys.exit(main())
