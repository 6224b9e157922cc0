"""Profile and drift of two Parquet files, beside the limit and beside peers.

    python -m benchmarks.profile_beside_peers [--quick] [--rows 1000000] [--without evidently ...]

Interleaved rounds, each side a process of its own that times itself after its imports (benchmarks/profile_peers.py). The
limit is pyarrow reading the same files, texts kept as dictionaries. 20 numeric columns (3 % nulls) and 10 categorical ones,
drift planted in five. Peers that take minutes run once. Memory at fifty times the rows is profile_at_scale.py, right and
wrong verdicts verdicts_beside_evidently.py, captures captures_beside_peers.py. Quote the ratios, never the seconds.
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
from benchmarks.figures import Goal, conclude, data_folder, machine, median, ratio
from benchmarks.in_turn import quotient
from benchmarks.watch_beside_evidently import write_table

Figures = dict[str, Any]
Runs = dict[str, list[Figures]]

PEERS = {"evidently": programs.EVIDENTLY, "whylogs": programs.WHYLOGS, "nannyml": programs.NANNYML}
# Minutes at a million rows, and CPU time of theirs hardly varies: once is enough.
SLOW = frozenset(PEERS)


def main() -> int:
    """Measure, print, conclude."""
    options = arguments()
    with data_folder() as folder:
        about = machine(folder)
        files = tables(folder, options.rows)
        sides = {"modelward": (Path(sys.executable), programs.OURS), "decode": (Path(sys.executable), programs.DECODE)}
        sides |= {name: (python, PEERS[name]) for name, python in pythons(options.without).items()}
        runs = rounds(sides, files, options.rounds)
    for name, found in runs.items():
        told = {key: round(value(found, key) or 0, 3) for key in ("wall_s", "cpu_s", "peak_mb")}
        print(f"{name:20} {told}  {found[0]['found'] if len(str(found[0]['found'])) < 120 else ''}")
    record = {"machine": about, "rows": options.rows, "runs": runs}
    return conclude("profile", record, profile_goals(runs), quick=options.quick)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows and two rounds")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--without", nargs="*", default=[], choices=[*PEERS], help="leave peers out")
    options = parser.parse_args()
    options.rounds = 5
    if options.quick:
        options.rows, options.rounds = options.rows // 10, 2
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


def profile_goals(runs: Runs) -> list[Goal]:
    """The goals of profile and drift. Against decoding, which is as short as ours, round by round."""
    beside = quotient(runs.get("modelward", []), runs.get("decode", []), "cpu_s")
    memory = over(runs, "modelward", "evidently", "peak_mb")
    return [
        Goal("CPU over pyarrow decoding", beside, 5, 2.6, at_least=False),
        Goal("Evidently's CPU over ours", over(runs, "evidently", "modelward", "cpu_s"), 60, 150),
        Goal("whylogs' CPU over ours", over(runs, "whylogs", "modelward", "cpu_s"), 25, 50),
        Goal("NannyML's CPU over ours", over(runs, "nannyml", "modelward", "cpu_s"), 10, 20),
        Goal("our peak memory over Evidently's", memory, 0.2, 0.125, at_least=False),
    ]


if __name__ == "__main__":
    sys.exit(main())
