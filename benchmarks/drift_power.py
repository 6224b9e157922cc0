"""How many runs pass before a change is found, beside Evidently's default verdicts and those of the compatible dialect?

    python -m benchmarks.drift_power [--quick] [--workers 2]

Of 100 columns one changes and stays changed: its mean by 0.1, 0.2 or 0.5 standard deviations, its spread by a fifth, a share
of a category or of missing rows by ten points. Windows of 500, 1,000 and 10,000 rows are compared with a baseline of 20,000.
Ours: ``check_run`` with a budget of 1 false alarm a month over hourly runs, usual thresholds, all 100 columns. Evidently
0.7.23: its drift preset as it comes, in its own environment. Compatible: statistics and constraints as the hosted service
suggests and checks them, rebuilt. Both peers see the changed column alone, in the same rows; they keep no memory of runs, so
"within 7" is the chance that one of 7 verdicts names it. How often each names a column that did not change stands beside: a
verdict that is often wrong finds everything. Nothing is timed.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # So that the file also runs by its path.

from benchmarks.drift_worlds import CHANGES, FEATURES, STABLE, Change, column_of, table_of
from benchmarks.environments import PeerUnavailable, python_of
from benchmarks.figures import Goal, conclude, machine, median, table

WINDOWS = (500, 1_000, 10_000)
BASELINE_ROWS = 20_000
WITHIN = (1, 7, 30)
STABLE_COLUMNS = ("normal 0", "lognormal 1", "counts 3", "zeros 4", "few 5", "many 6", "holes 7")

EVIDENTLY = """
import json, sys, warnings
import numpy as np
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset
warnings.filterwarnings("ignore")
def drifts(before, now, kind):
    definition = DataDefinition(**{kind: list(before.columns)})
    sets = [Dataset.from_pandas(frame, data_definition=definition) for frame in (before, now)]
    for metric in json.loads(Report([DataDriftPreset()]).run(current_data=sets[1], reference_data=sets[0]).json())["metrics"]:
        config = metric.get("config", {})
        if "ValueDrift" in str(metric.get("metric_name", metric.get("metric_id", ""))):
            value, method = float(metric["value"]), str(config.get("method", ""))
            limit = float(config.get("threshold") or (0.05 if "p_value" in method else 0.1))
            return bool(value < limit if "p_value" in method else value >= limit)
for job in json.load(open(sys.argv[1])):
    before, later = pd.read_parquet(job["before"]), pd.read_parquet(job["now"])
    column = before.columns[0]
    kind = "categorical_columns" if str(before[column].dtype) in ("category", "object") else "numerical_columns"
    verdicts = []
    for start in range(0, len(later), job["rows"]):
        verdicts.append(drifts(before, later.iloc[start:start + job["rows"]].reset_index(drop=True), kind))
        if job["until_found"] and verdicts[-1]:
            break
    print(json.dumps(verdicts), flush=True)
"""


class Job(NamedTuple):
    """One world: a change, a size of window, and how many runs are looked at."""

    change: Change
    rows: int
    number: int
    runs: int
    column: str = ""


def main() -> int:
    """Run ours and the peers on the same rows, print the table, conclude."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few worlds only")
    parser.add_argument("--workers", type=int, default=2, help="processes side by side")
    parser.add_argument("--alone", action="store_true", help="without Evidently")
    options = parser.parse_args()
    began = time.monotonic()
    worlds, of_peers, runs = (3, 1, 7) if options.quick else (20, 3, max(WITHIN))
    jobs = [Job(change, rows, number, runs) for change in CHANGES for rows in WINDOWS for number in range(worlds)]
    fewer = [job for job in jobs if job.number < of_peers]
    stable = [Job(STABLE, rows, 0, min(10, runs), column) for rows in WINDOWS for column in STABLE_COLUMNS]
    with ProcessPoolExecutor(options.workers) as pool:
        waits = {"ours": dict(zip(jobs, pool.map(first_alarm, jobs, chunksize=4), strict=True))}
        compatible = list(pool.map(compatible_verdicts, [*fewer, *stable], chunksize=4))
    verdicts = {"compatible": dict(zip([*fewer, *stable], compatible, strict=True))}
    if not options.alone:
        try:
            verdicts["evidently"] = evidently_verdicts([*fewer, *stable])
        except PeerUnavailable as problem:
            print(problem)
    for peer, said in verdicts.items():
        waits[peer] = {job: next((n for n, each in enumerate(said[job], 1) if each), None) for job in fewer}
    cells = {f"{change.name}, {rows} rows": found_within(waits, change, rows) for change in CHANGES for rows in WINDOWS}
    wrong = {peer: {rows: share_named(said, stable, rows) for rows in WINDOWS} for peer, said in verdicts.items()}
    shown(cells, wrong)
    facts = {"machine": machine(Path(__file__).parent), "wall_s": time.monotonic() - began, "features": FEATURES}
    facts |= {"baseline_rows": BASELINE_ROWS, "worlds": worlds, "worlds_of_peers": of_peers}
    record = {**facts, "found": cells, "named_though_stable": wrong}
    return conclude("drift_power", record, goals_of(cells), quick=options.quick)


def goals_of(cells: dict[str, Any]) -> list[Goal]:
    """What must be found, and how soon."""

    def share(cell: str, within: int) -> float | None:
        return cells[cell]["ours"]["within"].get(str(within))

    return [
        Goal("0.5 sd, 500 rows, found in the first run", share("mean + 0.5 sd, 500 rows", 1), 0.95, unit=""),
        Goal("0.2 sd, 1000 rows, found in the first run", share("mean + 0.2 sd, 1000 rows", 1), 0.5, 0.8, unit=""),
        Goal("0.2 sd, 1000 rows, found within 7 runs", share("mean + 0.2 sd, 1000 rows", 7), 1.0, unit=""),
        Goal("0.2 sd, 500 rows, found within 7 runs", share("mean + 0.2 sd, 500 rows", 7), 0.9, 1.0, unit=""),
        Goal("a share by ten points, 1000 rows, first run", share("a share 55 % -> 65 %, 1000 rows", 1), 0.8, unit=""),
        Goal("missing by ten points, 1000 rows, first run", share("missing 10 % -> 20 %, 1000 rows", 1), 0.8, unit=""),
    ]


def found_within(waits: dict[str, dict[Job, int | None]], change: Change, rows: int) -> dict[str, Any]:
    """For each side: the share of worlds in which the change was found within so many runs, and the middle wait."""
    told = {}
    for side, found in waits.items():
        own = [wait for job, wait in found.items() if (job.change, job.rows) == (change, rows)]
        shares = {str(most): sum(w is not None and w <= most for w in own) / len(own) for most in WITHIN}
        told[side] = {"within": shares, "median_runs": median([w for w in own if w is not None]), "worlds": len(own)}
    return told


def share_named(said: dict[Job, list[bool]], stable: list[Job], rows: int) -> float:
    """The share of verdicts that name a column that did not change."""
    own = [each for job in stable if job.rows == rows for each in said[job]]
    return sum(own) / len(own)


def shown(cells: dict[str, Any], wrong: dict[str, dict[int, float]]) -> None:
    """Print both tables."""
    sides = ["ours", *wrong]
    rows = [
        [cell, *(" ".join(f"{told[side]['within'][str(most)]:.0%}" for most in WITHIN) for side in sides)]
        for cell, told in cells.items()
    ]
    print(table(["found within 1, 7, 30 runs", *sides], rows))
    stable = [[f"{size} rows", *(f"{wrong[side][size]:.1%}" for side in wrong)] for size in WINDOWS]
    print("\n" + table(["stable columns named, a verdict", *wrong], stable))


def first_alarm(job: Job) -> int | None:
    """The number of the first run in which ours names the changed column."""
    from msgspec.structs import replace

    from modelward.analysis import DriftSettings, Plan, profile, suggest
    from modelward.analysis.checking.budget import RunHistory, check_run

    plan, history = Plan(threads=1), RunHistory()
    baseline = profile(table_of(_seeded(job, 0), BASELINE_ROWS), plan)
    rules = replace(suggest(baseline), drift=DriftSettings(false_alarms_a_month=1, runs_a_month=720))
    for number in range(1, job.runs + 1):
        current = table_of(_seeded(job, number), job.rows)
        drawn = column_of(_changing(job, number), job.change.column, job.rows, job.change)
        current = current.set_column(current.column_names.index(job.change.column), job.change.column, drawn)
        report, history = check_run(profile(current, plan), baseline, rules, history)
        named = {verdict.column for verdict in report.drift if verdict.outcome.value == "failed"}
        named |= {verdict.column for several in report.over_runs for verdict in several.drift}
        named |= {violation.column for violation in report.violations}
        if job.change.column in named:
            return number
    return None


def _seeded(job: Job, number: int) -> Any:
    return np.random.default_rng((1, job.number, job.rows, number))


def _changing(job: Job, number: int) -> Any:
    # The changed column is drawn apart, so that the peers see the same rows of it.
    names = [change.name for change in (STABLE, *CHANGES)]
    return np.random.default_rng((2, names.index(job.change.name), job.number, job.rows, number))


def _column(job: Job) -> str:
    return job.column or job.change.column


def compatible_verdicts(job: Job) -> list[bool]:
    """Whether each run violates a constraint on the column, by the compatible dialect; up to the first of a change."""
    import pyarrow as pa

    from modelward.analysis.compatible.job_files import baseline_files, check_files

    name, verdicts = _column(job), []
    with tempfile.TemporaryDirectory() as folder:
        baseline_files(_table(pa, name, _before(job)), compatible=True).write(folder)
        for number in range(1, job.runs + 1):
            drawn = column_of(_changing(job, number), name, job.rows, job.change)
            found = check_files(_table(pa, name, drawn), folder, compatible=True)
            verdicts.append(bool(found.violations))
            if verdicts[-1] and job.change is not STABLE:
                break
    return verdicts


def _table(pa: Any, name: str, column: Any) -> Any:
    # Texts are read as texts.
    return pa.table({name: column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column})


def _before(job: Job) -> Any:
    return column_of(_changing(job, 0), _column(job), BASELINE_ROWS)


def evidently_verdicts(jobs: list[Job]) -> dict[Job, list[bool]]:
    """Evidently's verdicts on each run, up to the first that names a changed column.

    Raises:
        PeerUnavailable: its environment cannot be made.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    python = python_of("evidently")
    with tempfile.TemporaryDirectory() as made:
        told = []
        for place, job in enumerate(jobs):
            name = _column(job)
            later = [column_of(_changing(job, number), name, job.rows, job.change) for number in range(1, job.runs + 1)]
            files = {"before": f"{made}/{place}-before.parquet", "now": f"{made}/{place}-now.parquet"}
            pq.write_table(_table(pa, name, _before(job)), files["before"])
            pq.write_table(pa.concat_tables([_table(pa, name, each) for each in later]), files["now"])
            told.append({**files, "rows": job.rows, "until_found": job.change is not STABLE})
        (Path(made) / "jobs.json").write_text(json.dumps(told))
        command = [str(python), "-c", EVIDENTLY, f"{made}/jobs.json"]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"Evidently failed: {done.stderr[-2000:]}")
    return dict(zip(jobs, map(json.loads, done.stdout.splitlines()), strict=True))


if __name__ == "__main__":
    sys.exit(main())
