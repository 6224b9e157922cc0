"""Are the verdicts right? Five columns of thirty drift; over many seeds and sizes, which are called drifted?

    python -m benchmarks.verdicts_beside_evidently [--quick] [--keep-evidently]

The tables of watch_beside_evidently.py, a new pair for each seed. Ours by its default settings; Evidently by its own, on
the very same files, with few seeds at a million rows, where each takes it minutes. Nothing is timed. Only columns found
and missed are counted. ``--keep-evidently`` takes the verdicts of Evidently that are kept, since they do not change with ours.
"""

import argparse
import json
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # So that the file also runs by its path.

from benchmarks.environments import PeerUnavailable, python_of
from benchmarks.figures import RESULTS, Goal, conclude, data_folder, machine
from benchmarks.profile_peers import EVIDENTLY, HEAD
from benchmarks.watch_beside_evidently import PLANTED, write_table

Verdicts = list[dict[str, Any]]

FOR_EACH_LINE = """
for line in sys.stdin:
    sys.argv[1:] = line.split()
    print(json.dumps(work()), flush=True)
"""
SEEDS = {10_000: 20, 100_000: 20, 1_000_000: 20}
SEEDS_EVIDENTLY = {10_000: 20, 100_000: 5, 1_000_000: 1}
SEEDS_QUICK = {10_000: 3, 100_000: 2}


def main() -> int:
    """Judge, print, conclude."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few seeds, no million rows")
    parser.add_argument("--keep-evidently", action="store_true", help="run Evidently only where no verdict is kept")
    parser.add_argument("--without-evidently", action="store_true", help="leave Evidently out")
    options = parser.parse_args()
    ours, theirs = SEEDS, SEEDS_EVIDENTLY
    if options.quick:
        ours = theirs = SEEDS_QUICK
    theirs_process = None if options.without_evidently else evidently()
    kept = RESULTS / "verdicts.json"
    found: dict[str, Verdicts] = {"modelward": [], "evidently": []}
    if options.keep_evidently and kept.exists():
        found["evidently"] = json.loads(kept.read_text())["verdicts"]["evidently"]
    known = {(one["rows"], one["seed"]) for one in found["evidently"]}
    with data_folder() as folder:
        about = machine(folder)
        for rows, seeds in ours.items():
            for seed in range(seeds):
                files = pair(folder, rows, seed)
                found["modelward"].append(told("modelward", rows, seed, by_us(files)))
                if theirs_process is not None and seed < theirs[rows] and (rows, seed) not in known:
                    found["evidently"].append(told("evidently", rows, seed, theirs_process.found(files)))
    if theirs_process is not None:
        theirs_process.end()
    goals = [goal for rows in ours for goal in goals_of(found, rows)]
    return conclude("verdicts", {"machine": about, "verdicts": found}, goals, quick=options.quick)


def evidently() -> "Evidently | None":
    """Evidently, if it can be had."""
    try:
        return Evidently(python_of("evidently"))
    except PeerUnavailable as problem:
        print(problem, file=sys.stderr)
        return None


def pair(folder: Path, rows: int, seed: int) -> list[str]:
    """A baseline and a drifted table."""
    paths = [folder / f"verdict-{side}.parquet" for side in (0, 1)]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        made = [
            pool.submit(write_table, path, rows, 100 + 2 * seed + at, drifted=at == 1) for at, path in enumerate(paths)
        ]
        for one in made:
            one.result()
    return [str(path) for path in paths]


def by_us(files: list[str]) -> set[str]:
    """The columns that Modelward calls drifted."""
    from modelward.analysis import check, profile, suggest

    baseline, current = (profile(path) for path in files)
    report = check(current, baseline, suggest(baseline))
    return {verdict.column for verdict in report.drift if verdict.outcome.value == "failed"}


class Evidently:
    """Evidently in one process for all pairs, since its import costs more than a small comparison."""

    def __init__(self, python: Path) -> None:
        """Start it."""
        program = HEAD + EVIDENTLY.replace("told(work)", FOR_EACH_LINE)
        self.process = subprocess.Popen(
            [str(python), "-W", "ignore", "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def found(self, files: list[str]) -> set[str]:
        """The columns that it calls drifted.

        Raises:
            SystemExit: it ended.
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(" ".join(files) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"Evidently ended with {self.process.wait()}.")
        return set(json.loads(answer))

    def end(self) -> None:
        """Let it end."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def told(side: str, rows: int, seed: int, found: set[str]) -> dict[str, Any]:
    """A verdict as a line, and kept."""
    kept = {"rows": rows, "seed": seed, "missed": sorted(PLANTED - found), "false": sorted(found - PLANTED)}
    print(f"{side:10} {rows:9} rows, seed {seed:2}: missed {kept['missed']}, false {kept['false']}", flush=True)
    return kept


def goals_of(found: dict[str, Verdicts], rows: int) -> list[Goal]:
    """The goals at one size, with Evidently's figures in the names."""
    ours, theirs = ([one for one in found[side] if one["rows"] == rows] for side in ("modelward", "evidently"))
    right, most, mean = figures(ours)
    beside = "Evidently was not run"
    if theirs:
        beside = "Evidently {} / {} / {:.2g}, {} seeds".format(*figures(theirs), len(theirs))
    name = f"{rows} rows, {len(ours)} seeds"
    return [
        Goal(f"planted columns found of 5, least, {name} ({beside})", right, 5, unit=""),
        Goal(f"others called drifted of 25, most, {name}", most, 1, at_least=False, unit=""),
        Goal(f"others called drifted of 25, mean, {name}", mean, 0.5, at_least=False, unit=""),
    ]


def figures(verdicts: Verdicts) -> tuple[int, int, float]:
    """The least planted columns found, the most false ones, and their mean."""
    wrong = [len(one["false"]) for one in verdicts]
    return min(5 - len(one["missed"]) for one in verdicts), max(wrong), sum(wrong) / len(wrong)


if __name__ == "__main__":
    sys.exit(main())
