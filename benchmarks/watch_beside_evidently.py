"""`modelward watch` beside Evidently on the same files: whole processes in turn, median of pairs, ratios.

    python -m benchmarks.watch_beside_evidently [--quick] [--rows 10000] [--pairs 5]

Both read two Parquet files (20 numeric columns with 3 % nulls, 10 categorical ones of cardinality 2 to 1000, drift planted
in five), compute statistics per column and drift verdicts, and write them as JSON. Evidently runs in an
environment of its own (benchmarks/environments.py), made once with the package index.
Quote the ratios, never the seconds.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # So that the file also runs by its path.

from benchmarks.environments import python_of
from benchmarks.figures import Goal, conclude, data_folder, machine

ROWS = 10_000
PLANTED = {"n0", "n6", "n10", "c2", "c8"}
CARDINALITIES = (2, 3, 5, 10, 20, 50, 100, 200, 500, 1000)

EVIDENTLY = """
import json, sys
import pandas as pd
from evidently import Dataset, DataDefinition, Report
from evidently.presets import DataDriftPreset, DataSummaryPreset

reference, current, out = sys.argv[1:4]
frames = [pd.read_parquet(path) for path in (reference, current)]
names = list(frames[0].columns)
definition = DataDefinition(
    numerical_columns=[name for name in names if name.startswith("n")],
    categorical_columns=[name for name in names if name.startswith("c")],
)
sets = [Dataset.from_pandas(frame, data_definition=definition) for frame in frames]
snapshot = Report([DataDriftPreset(), DataSummaryPreset()]).run(current_data=sets[1], reference_data=sets[0])
with open(out, "w") as file:
    file.write(snapshot.json())
"""


def main() -> int:
    """Make the files, run the pairs, print a table and the goals."""
    options = arguments()
    python = python_of("evidently")
    with data_folder() as folder:
        about = machine(folder)
        record = compare(options, folder, python)
    # Whole processes, imports and all: with few rows it is the start that counts.
    goals = [
        Goal(f"Evidently's {unit} over ours, whole cold process, {options.rows} rows", record["ratios"][key], 8, 20)
        for unit, key in (("CPU", "cpu_s"), ("wall", "wall_s"))
    ]
    name = "watch" if options.rows == ROWS else f"watch-{options.rows}"
    return conclude(name, {"machine": about, **record}, goals, quick=options.quick)


def compare(options: argparse.Namespace, folder: Path, python: Path) -> dict:
    """Run the pairs in a folder of their own and report."""
    files = [folder / f"{name}.parquet" for name in ("reference", "current")]
    # In a process of its own: a child counts the memory of its parent at the fork as its own peak.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        for seed, path in enumerate(files, 1):
            pool.submit(write_table, path, options.rows, seed, drifted=path.name.startswith("current")).result()
    script = folder / "run_evidently.py"
    script.write_text(EVIDENTLY)
    ours_out, theirs_out = folder / "ours.json", folder / "theirs.json"
    ours = [sys.executable, "-c", "from modelward.cli.watch import watch; watch()", str(files[1]), "-r", str(files[0])]
    ours += ["--json"]
    theirs = [str(python), str(script), str(files[0]), str(files[1]), str(theirs_out)]
    runs: dict[str, list[dict[str, float]]] = {"modelward": [], "evidently": []}
    # Exit code 1 of `watch` says that there is drift, as planted; of Evidently's script, that it failed.
    order = [("modelward", ours, ours_out, 1), ("evidently", theirs, None, 0)]
    for pair in range(options.pairs):
        for name, command, out, expected in order if pair % 2 == 0 else reversed(order):
            runs[name].append(measured(command, out, expected))
            print(f"pair {pair + 1}: {name} {runs[name][-1]}", file=sys.stderr, flush=True)
    return report(options, runs, verdicts_of_ours(ours_out), verdicts_of_evidently(theirs_out))


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one pair")
    options = parser.parse_args()
    options.pairs = 1 if options.quick else options.pairs
    return options


def write_table(path: Path, rows: int, seed: int, *, drifted: bool) -> None:
    """Write the table of the comparison."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(seed)
    draws = (rng.normal, rng.lognormal, rng.exponential, rng.uniform)
    columns = {}
    for number in range(20):
        values = draws[number % 4](size=rows)
        if drifted:
            values = {0: values + 0.2, 6: values * 1.2, 10: values * 1.2}.get(number, values)
        columns[f"n{number}"] = pa.array(values, mask=rng.random(rows) < 0.03)
    for number, size in enumerate(CARDINALITIES):
        weights = 1 / np.arange(1, size + 1)
        if drifted and number == 2:
            weights[0] *= 1.4
        if drifted and number == 8:
            weights = weights**1.2
        codes = rng.choice(size, rows, p=weights / weights.sum()).astype(np.int32)
        texts = pa.array([f"value {code}" for code in range(size)])
        columns[f"c{number}"] = pa.DictionaryArray.from_arrays(pa.array(codes), texts).cast(pa.string())
    pq.write_table(pa.table(columns), path, row_group_size=131_072)


def measured(command: list[str], out: Path | None, expected: int) -> dict[str, float]:
    """Run one whole process: wall and CPU seconds, peak memory in MB."""
    started = time.perf_counter()
    with open(out or os.devnull, "wb") as target:
        process = subprocess.Popen(command, stdout=target, stderr=subprocess.PIPE)
        errors = process.stderr.read().decode(errors="replace")[-2000:]
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stderr.close()
    wall = time.perf_counter() - started
    if process.returncode != expected:
        raise SystemExit(f"{command[0]} failed with {process.returncode}: {errors}")
    peak = usage.ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)
    return {"wall_s": round(wall, 3), "cpu_s": round(usage.ru_utime + usage.ru_stime, 3), "peak_mb": round(peak, 1)}


def verdicts_of_ours(path: Path) -> set[str]:
    """Columns that modelward calls drifted."""
    found = json.loads(path.read_text())["report"]["drift"]
    return {verdict["column"] for verdict in found if verdict["outcome"] == "failed"}


def verdicts_of_evidently(path: Path) -> set[str] | int:
    """Columns that Evidently calls drifted, by its own default thresholds: by name where the report tells, else the count."""
    metrics = json.loads(path.read_text())["metrics"]
    drifted, known = set(), False
    for metric in metrics:
        config = metric.get("config", {})
        if "ValueDrift" in str(metric.get("metric_name", metric.get("metric_id", ""))):
            known = True
            value, method = float(metric["value"]), str(config.get("method", ""))
            threshold = float(config.get("threshold") or (0.05 if "p_value" in method else 0.1))
            if value < threshold if "p_value" in method else value >= threshold:
                drifted.add(config["column"])
    if known:
        return drifted
    counts = [metric["value"]["count"] for metric in metrics if "DriftedColumnsCount" in str(metric)]
    return int(counts[0]) if counts else -1


def report(options: argparse.Namespace, runs: dict, ours: set[str], theirs: set[str] | int) -> dict:
    """Print the table; give what is kept."""
    medians = {
        name: {key: statistics.median(run[key] for run in found) for key in found[0]} for name, found in runs.items()
    }
    ratios = {
        key: round(
            statistics.median(t[key] / o[key] for o, t in zip(runs["modelward"], runs["evidently"], strict=True)), 2
        )
        for key in ("wall_s", "cpu_s", "peak_mb")
    }
    print(f"{options.rows} rows x 30 columns, {options.pairs} pairs, whole processes")
    print(f"{'':12}{'wall s':>10}{'CPU s':>10}{'peak MB':>10}  drifted (planted 5 of 30)")
    for name, found in (("modelward", ours), ("evidently", theirs)):
        told = told_verdicts(found)
        row = medians[name]
        print(f"{name:12}{row['wall_s']:>10.2f}{row['cpu_s']:>10.2f}{row['peak_mb']:>10.0f}  {told}")
    print(f"{'ratio':12}{ratios['wall_s']:>10.1f}{ratios['cpu_s']:>10.1f}{ratios['peak_mb']:>10.1f}")
    verdicts = {"modelward": sorted(ours), "evidently": sorted(theirs) if isinstance(theirs, set) else theirs}
    return {"rows": options.rows, "medians": medians, "ratios": ratios, "runs": runs, "drifted": verdicts}


def told_verdicts(found: set[str] | int) -> str:
    """Verdicts in words."""
    if isinstance(found, int):
        return f"{found} (names not told)"
    return f"{len(found)}: {len(found & PLANTED)} planted, {len(found - PLANTED)} false"


if __name__ == "__main__":
    sys.exit(main())
