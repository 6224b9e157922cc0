"""Profile and drift of two Parquet files, and capture records into columns, beside the limit and beside peers.

    python -m benchmarks.profile_beside_peers [--quick] [--rows 1000000] [--without evidently ...]

Interleaved rounds, each side a process of its own that times itself after its imports (benchmarks/profile_peers.py). The
limit is pyarrow reading the same files, texts kept as dictionaries. 20 numeric columns (3 % nulls) and 10 categorical ones,
drift planted in five. Then the same with five times the rows, for ours alone: does memory stay flat? Then captured
requests of 20 numbers as JSON lines. Last the verdicts: over some seeds, were just the five planted columns found?
Quote the ratios, never the seconds.
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

from benchmarks import profile_peers as programs
from benchmarks.environments import PeerUnavailable, python_of
from benchmarks.figures import Goal, conclude, data_folder, median, ratio
from benchmarks.watch_beside_evidently import PLANTED, write_table

Figures = dict[str, Any]
Runs = dict[str, list[Figures]]

PEERS = {"evidently": programs.EVIDENTLY, "whylogs": programs.WHYLOGS, "nannyml": programs.NANNYML}
# Minutes at a million rows, and CPU time of theirs hardly varies: once is enough.
SLOW = frozenset(PEERS)


def main() -> int:
    """Measure, print, conclude."""
    options = arguments()
    with data_folder() as folder:
        files = tables(folder, options.rows)
        sides = {"modelward": (Path(sys.executable), programs.OURS), "decode": (Path(sys.executable), programs.DECODE)}
        sides |= {name: (python, PEERS[name]) for name, python in pythons(options.without).items()}
        runs = rounds(sides, files, options.rounds)
        larger = rounds({"modelward": sides["modelward"]}, tables(folder, 5 * options.rows), 1)
        captured = captures(folder, options)
        verdicts = [
            right_and_wrong(folder, rows, seed) for rows in options.verdict_rows for seed in range(options.seeds)
        ]
    goals = [*profile_goals(runs, larger), *capture_goals(captured), *verdict_goals(verdicts)]
    for name, found in (runs | captured).items():
        told = {key: round(value(found, key) or 0, 3) for key in ("wall_s", "cpu_s", "peak_mb")}
        print(f"{name:20} {told}  {found[0]['found'] if len(str(found[0]['found'])) < 120 else ''}")
    record = {"rows": options.rows, "runs": runs, "five_times": larger, "captures": captured, "verdicts": verdicts}
    return conclude("profile", record, goals, quick=options.quick)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows and two rounds")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--without", nargs="*", default=[], choices=[*PEERS, "pandas"], help="leave peers out")
    options = parser.parse_args()
    options.rounds, options.seeds, options.verdict_rows = 5, 5, (10_000, 100_000, 1_000_000)
    if options.quick:
        options.rows, options.rounds, options.seeds, options.verdict_rows = options.rows // 10, 2, 2, (10_000, 100_000)
    return options


def pythons(without: list[str]) -> dict[str, Path]:
    """The interpreters of the peers that can be had."""
    found = {}
    for name in PEERS:
        if name in without:
            continue
        try:
            found[name] = python_of(name)
        except PeerUnavailable as problem:
            print(problem, file=sys.stderr)
    return found


def tables(folder: Path, rows: int) -> list[str]:
    """Two tables, the second with drift."""
    made = []
    # In a process of its own: what it holds would count as the peak of our children.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        for seed, drifted in ((1, False), (2, True)):
            path = folder / f"{rows}-{seed}.parquet"
            pool.submit(write_table, path, rows, seed, drifted=drifted).result()
            made.append(str(path))
    return made


def rounds(sides: dict[str, tuple[Path, str]], files: list[str], number: int) -> Runs:
    """Run all sides in turn, every second time backwards."""
    runs: Runs = {}
    for each in range(number):
        for name, (python, program) in sides.items() if each % 2 == 0 else reversed(sides.items()):
            if name in SLOW and each > 0:
                continue
            done = subprocess.run([str(python), "-c", programs.HEAD + program, *files], capture_output=True, text=True)
            if done.returncode:
                print(f"{name} failed: {done.stderr.strip()[-400:]}", file=sys.stderr)
                continue
            runs.setdefault(name, []).append(json.loads(done.stdout.splitlines()[-1]))
            print(f"round {each + 1}: {name} {runs[name][-1]['cpu_s']:.2f} CPU s", file=sys.stderr, flush=True)
    return runs


def value(found: list[Figures], key: str) -> float | None:
    """The median of a figure."""
    return median(each[key] for each in found)


def over(runs: Runs, above: str, below: str, key: str) -> float | None:
    """The median of one side over that of another."""
    return ratio(value(runs.get(above, []), key), value(runs.get(below, []), key))


def profile_goals(runs: Runs, larger: Runs) -> list[Goal]:
    """The goals of profile and drift."""
    return [
        Goal("CPU over pyarrow decoding", over(runs, "modelward", "decode", "cpu_s"), 5, 2.6, at_least=False),
        Goal("Evidently's CPU over ours", over(runs, "evidently", "modelward", "cpu_s"), 60, 150),
        Goal("whylogs' CPU over ours", over(runs, "whylogs", "modelward", "cpu_s"), 25, 50),
        Goal("NannyML's CPU over ours", over(runs, "nannyml", "modelward", "cpu_s"), 10, 20),
        Goal(
            "our peak memory over Evidently's",
            over(runs, "modelward", "evidently", "peak_mb"),
            0.2,
            0.125,
            at_least=False,
        ),
        Goal(
            "our peak memory with five times the rows",
            ratio(value(larger.get("modelward", []), "peak_mb"), value(runs["modelward"], "peak_mb")),
            1.5,
            1.2,
            at_least=False,
        ),
    ]


def captures(folder: Path, options: argparse.Namespace) -> Runs:
    """Capture records into columns: ours, DuckDB asked for just this, and json with pandas."""
    path = folder / "captures.jsonl"
    write_captures(path, options.rows)
    here = Path(sys.executable)
    sides = {"captures": (here, programs.CAPTURES_OURS), "captures duckdb": (here, programs.CAPTURES_DUCKDB)}
    runs = rounds(sides, [str(path)], options.rounds)
    python = pythons([name for name in PEERS if name != "evidently" or "pandas" in options.without]).get("evidently")
    if python is not None:
        runs |= rounds({"captures pandas": (python, programs.CAPTURES_PANDAS)}, [str(path)], 1)
    return runs


def write_captures(path: Path, rows: int) -> None:
    """Records as the hosted service writes them, 20 numbers in and one out."""
    import numpy as np

    rng = np.random.default_rng(1)
    side = '{{"observedContentType":"text/csv","mode":"{}","data":"{}","encoding":"CSV"}}'
    with open(path, "w") as out:
        for number in range(rows):
            given = side.format("INPUT", ",".join(map(repr, rng.normal(size=20).tolist())))
            answered = side.format("OUTPUT", repr(float(rng.random())))
            out.write(
                f'{{"captureData":{{"endpointInput":{given},"endpointOutput":{answered}}},"eventMetadata":{{"eventId":'
                f'"406ab9ed-93a8-41db-ba13-{number:012d}","inferenceTime":"2026-10-21T19:28:39Z"}},"eventVersion":"0"}}\n'
            )


def capture_goals(runs: Runs) -> list[Goal]:
    """The goals of reading captures: records a second over those of the others."""
    return [
        Goal("capture records/s over DuckDB's", over(runs, "captures duckdb", "captures", "wall_s"), 0.9, 2),
        Goal("capture records/s over json and pandas", over(runs, "captures pandas", "captures", "wall_s"), 20, 50),
    ]


def right_and_wrong(folder: Path, rows: int, seed: int) -> Figures:
    """How many planted columns were found, and how many others."""
    from modelward.analysis import check, profile, suggest

    paths = [folder / f"verdict-{side}.parquet" for side in (0, 1)]
    for side, path in enumerate(paths):
        write_table(path, rows, 100 + 2 * seed + side, drifted=side == 1)
    baseline, current = (profile(str(path)) for path in paths)
    report = check(current, baseline, suggest(baseline))
    found = {verdict.column for verdict in report.drift if verdict.outcome.value == "failed"}
    return {"rows": rows, "seed": seed, "right": len(found & PLANTED), "wrong": len(found - PLANTED)}


def verdict_goals(verdicts: list[Figures]) -> list[Goal]:
    """The goals of the verdicts, for each number of rows."""
    goals = []
    for rows in dict.fromkeys(each["rows"] for each in verdicts):
        some = [each for each in verdicts if each["rows"] == rows]
        goals.append(Goal(f"planted columns found of 5, {rows} rows", min(each["right"] for each in some), 5, unit=""))
        wrong = sum(each["wrong"] for each in some) / len(some)
        goals.append(Goal(f"others called drifted of 25, mean, {rows} rows", wrong, 1, 0.5, at_least=False, unit=""))
    return goals


if __name__ == "__main__":
    sys.exit(main())
