"""Profiles where size or place changes: fifty times the rows, the service's statistics, many files by processes and Spark.

    python -m benchmarks.profile_at_scale [--quick] [--without memory compatible engines]

Memory: profile and drift of one Parquet file of 1 and of 50 million rows (10 GB, written piece by piece, deleted after),
peak of the whole process, and that of the service's statistics of ten times the rows. Compatible: the two files of a baseline
by the service's arithmetic (its exact quantile sketch included) over our profile of the same file, interleaved. Engines: ten
files by a pool of two processes and by Spark local[2], its session started within and told apart; the bytes of the profiles
must be equal.
"""

import argparse
import shutil
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # So that the file also runs by its path.

from benchmarks.figures import Goal, conclude, data_folder, machine, ratio
from benchmarks.in_turn import Side, in_turn, middle, quotient
from benchmarks.profile_beside_peers import tables

PARTS = ("memory", "compatible", "engines")
FILES = 10
SEVERAL = 10
BYTES_A_ROW = 220

PROFILE = """
import resource
from modelward.analysis import check, profile, suggest
def work():
    baseline, current = profile(sys.argv[1]), profile(sys.argv[1])
    return check(current, baseline, suggest(baseline)).outcome.value
found, wall, cpu = clocked(work)
told(wall_s=wall, cpu_s=cpu, peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, found=found)
"""

DEFAULT = """
from modelward.analysis import profile, suggest
def work():
    found = profile(sys.argv[1])
    return len(found.to_bytes()) + len(suggest(found).columns)
found, wall, cpu = clocked(work)
told(wall_s=wall, cpu_s=cpu, found=found)
"""

COMPATIBLE = """
import resource
from modelward.analysis.compatible.job_files import baseline_files
found, wall, cpu = clocked(lambda: baseline_files(sys.argv[1], compatible=True))
told(wall_s=wall, cpu_s=cpu, peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
     found={name: len(content) for name, content in found.files.items()})
"""

POOL = """
import hashlib
from modelward.analysis import profile
from modelward.analysis.engines.processes import Processes
if __name__ == "__main__":
    found, wall, cpu = clocked(lambda: profile(sys.argv[1:], engine=Processes(2)))
    told(wall_s=wall, digest=hashlib.sha256(found.to_bytes()).hexdigest())
"""

SPARK = """
import hashlib
from modelward.analysis import profile
from modelward.analysis.engines.spark import Spark, _started
found, wall, cpu = clocked(lambda: profile(sys.argv[1:], engine=Spark(master="local[2]")))
session, start, _ = clocked(lambda: _started("local[2]"))
again, running, _ = clocked(lambda: profile(sys.argv[1:], engine=Spark(session)))
digests = {hashlib.sha256(each.to_bytes()).hexdigest() for each in (found, again)}
told(wall_s=wall, wall_running_s=running, start_again_s=start, digest=" ".join(digests))
session.stop()
"""


def main() -> int:
    """Measure, print, conclude."""
    options = arguments()
    goals: list[Goal] = []
    with data_folder() as folder:
        record: dict[str, Any] = {"machine": machine(folder), "rows": options.rows}
        small = tables(folder, options.rows)[0]
        for part in PARTS:
            if part not in options.without:
                record[part], found = MEASURES[part](folder, small, options)
                goals += found
    return conclude("scale", record, goals, quick=options.quick)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--quick", action="store_true", help="a tenth of the rows, ten times instead of fifty, two rounds"
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--without", nargs="*", default=[], choices=PARTS, help="leave parts out")
    options = parser.parse_args()
    options.times = 50
    if options.quick:
        options.rows, options.rounds, options.times = options.rows // 10, 2, 10
    return options


def memory(folder: Path, small: str, options: argparse.Namespace) -> tuple[dict, list[Goal]]:
    """Peak memory of many times the rows over that of the small file."""
    name = f"peak memory, {options.times} times {options.rows} rows"
    needed = options.rows * options.times * BYTES_A_ROW
    if shutil.disk_usage(folder).free < 2 * needed:
        print(f"memory is left out: {2 * needed >> 30} GB of disk are wanted in {folder}", file=sys.stderr)
        return {}, [Goal(name, None, 1.5, 1.2, at_least=False)]
    large = folder / "large.parquet"
    # In a process of its own: what it holds would count as the peak of our children.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        pool.submit(write_repeated, small, large, options.times).result()
    side = Side("modelward", sys.executable, PROFILE)
    runs = {"small": [side.run(small) for _ in range(options.rounds)], "large": [side.run(large)]}
    large.unlink()
    beside, baselines = compatible_memory(folder, small, options)
    runs |= baselines
    for key, found in runs.items():
        print(f"{key:16} " + ", ".join(f"{name} {middle(found, name):.1f}" for name in ("wall_s", "cpu_s", "peak_mb")))
    figure = ratio(middle(runs["large"], "peak_mb"), middle(runs["small"], "peak_mb"))
    return {"times": options.times, "runs": runs}, [Goal(name, figure, 1.5, 1.2, at_least=False), beside]


def compatible_memory(folder: Path, small: str, options: argparse.Namespace) -> tuple[Goal, dict[str, list[dict]]]:
    """Peak memory of the compatible baseline of ten times the rows over that of the small file."""
    several = folder / "several.parquet"
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        pool.submit(write_repeated, small, several, SEVERAL).result()
    side = Side("compatible", sys.executable, COMPATIBLE)
    runs = {
        "compatible small": [side.run(small) for _ in range(options.rounds)],
        "compatible large": [side.run(str(several))],
    }
    several.unlink()
    figure = ratio(middle(runs["compatible large"], "peak_mb"), middle(runs["compatible small"], "peak_mb"))
    return Goal(
        f"peak memory of the compatible baseline, {SEVERAL} times the rows", figure, 1.5, 1.2, at_least=False
    ), runs


def write_repeated(small: str, large: Path, times: int) -> None:
    """Write the rows of a file many times, each time with other numbers, a row group at a time."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    file = pq.ParquetFile(small)
    with pq.ParquetWriter(large, file.schema_arrow) as out:
        for time in range(times):
            for group in range(file.num_row_groups):
                table = file.read_row_group(group)
                columns = []
                for column in table.columns:
                    if pa.types.is_floating(column.type):
                        column = pc.multiply(column, np.float64(1 + time * 1e-7))
                    columns.append(column)
                out.write_table(pa.table(columns, schema=file.schema_arrow))


def compatible(folder: Path, small: str, options: argparse.Namespace) -> tuple[dict, list[Goal]]:
    """CPU time of the service's statistics over that of ours."""
    sides = [Side("default", sys.executable, DEFAULT), Side("compatible", sys.executable, COMPATIBLE)]
    runs = in_turn(sides, options.rounds, lambda side: (small,))
    for key, found in runs.items():
        print(f"{key:10} wall {middle(found, 'wall_s'):.2f} s, CPU {middle(found, 'cpu_s'):.2f} s")
    figure = quotient(runs["compatible"], runs["default"], "cpu_s")
    return {"runs": runs}, [Goal("CPU of the compatible baseline over ours", figure, 6, at_least=False)]


def engines(folder: Path, small: str, options: argparse.Namespace) -> tuple[dict, list[Goal]]:
    """Wall time of Spark over that of the process pool, and whether the profiles are equal."""
    files = [str(folder / f"part-{place}.parquet") for place in range(FILES)]
    pair = tables(folder, options.rows)
    for place, file in enumerate(files):
        shutil.copyfile(pair[place % 2], file)
    sides = [Side("processes", sys.executable, POOL), Side("spark", sys.executable, SPARK)]
    runs = in_turn(sides, options.rounds, lambda side: tuple(files))
    started = quotient(runs["spark"], runs["processes"], "wall_s")
    running = quotient([{"wall_s": each["wall_running_s"]} for each in runs["spark"]], runs["processes"], "wall_s")
    equal = len({each["digest"] for found in runs.values() for each in found}) == 1
    for file in files:
        Path(file).unlink()
    return {"files": FILES, "runs": runs}, [
        Goal(f"wall of Spark local[2] over a pool of 2, {FILES} files, session running", running, 2, at_least=False),
        Goal(f"the same with the start of the session and its Java ({FILES} files)", started, 2, at_least=False),
        Goal("profiles of Spark and of the pool equal to the last byte", float(equal), 1, unit=""),
    ]


MEASURES = {"memory": memory, "compatible": compatible, "engines": engines}


if __name__ == "__main__":
    sys.exit(main())
