"""Capture records (JSON lines with a body as a text inside) into columns, beside DuckDB and beside json with pandas.

    python -m benchmarks.captures_beside_peers [--quick] [--rows 1000000] [--rounds 5]

Interleaved rounds, each side a process of its own that times itself after its imports. 20 numbers in and one out, about
530 bytes a record. DuckDB is asked for just these columns by name, without looking for kinds; ours finds out what there is,
compares everything that is no value, and counts what is no record. json with pandas is `json.loads` of each line,
`json_normalize`, `str.split(expand=True)` and `astype(float)`; the leanest loop of Python with `float()` is told beside it.
The sum of every column must be the same to the last bit on all sides. Then the other kinds of bodies, for ours and
json with pandas: JSON, base64 of both, several rows in a record. Quote the ratios, never the seconds.
"""

import argparse
import base64
import json
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # So that the file also runs by its path.

from benchmarks.figures import Goal, conclude, machine, table
from benchmarks.in_turn import Side, in_turn, middle, quotient

OURS = """
import math, resource, tempfile
from modelward.analysis.captures.files import read_captures
import numpy as np

def work():
    rows, kept = 0, {}
    with tempfile.TemporaryDirectory() as folder:
        with read_captures([sys.argv[1]], folder, decimal=".", sure=False) as (schema, batches, *_):
            for batch in batches:
                rows += batch.num_rows
                if sys.argv[2] == "values":
                    for name, column in zip(schema.names, batch.columns):
                        kept.setdefault(name, []).append(np.frombuffer(column.buffers()[1], np.float64, len(column)))
    return rows, [np.concatenate(parts) for parts in kept.values()]

(rows, columns), wall, cpu = clocked(work)
sums = [math.fsum(column) for column in columns]
told(rows=rows, sums=sums, wall_s=wall, cpu_s=cpu, peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""

DUCKDB = """
import math, resource
import duckdb
import numpy as np

def work():
    connection = duckdb.connect()
    cells = ", ".join(f"CAST(v[{place + 1}] AS DOUBLE) AS c{place}" for place in range(20))
    reader = connection.sql(
        f"SELECT CAST(o AS DOUBLE) AS o, {cells} FROM (SELECT captureData.endpointOutput.data AS o, "
        f"string_split(captureData.endpointInput.data, ',') AS v FROM read_json('{sys.argv[1]}'))").to_arrow_reader(65536)
    rows, kept = 0, {}
    for batch in reader:
        rows += batch.num_rows
        if sys.argv[2] == "values":
            for name, column in zip(batch.schema.names, batch.columns):
                kept.setdefault(name, []).append(np.frombuffer(column.buffers()[1], np.float64, len(column)))
    return rows, [np.concatenate(parts) for parts in kept.values()]

(rows, columns), wall, cpu = clocked(work)
sums = [math.fsum(column) for column in columns]
told(rows=rows, sums=sums, wall_s=wall, cpu_s=cpu, peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""

PANDAS = """
import base64, math, resource
import pandas as pd

def text_of(side):
    return base64.b64decode(side["data"]).decode() if side["encoding"] == "BASE64" else side["data"]

def normalized():
    with open(sys.argv[1]) as lines:
        frame = pd.json_normalize([json.loads(line) for line in lines])
    outputs = frame["captureData.endpointOutput.data"].astype(float)
    inputs = frame["captureData.endpointInput.data"].str.split(",", expand=True).astype(float)
    return pd.concat([outputs, inputs], axis=1)

def lean():
    rows = []
    with open(sys.argv[1]) as lines:
        for line in lines:
            sides = json.loads(line)["captureData"]
            texts = (sides["endpointOutput"]["data"], sides["endpointInput"]["data"])
            rows.append([float(value) for value in ",".join(texts).split(",")])
    return pd.DataFrame(rows)

def bodies():
    rows = []
    with open(sys.argv[1]) as lines:
        for line in lines:
            sides = json.loads(line)["captureData"]
            output, given = text_of(sides["endpointOutput"]), text_of(sides["endpointInput"])
            if given[:1] == "{":
                rows.append({**json.loads(output), **json.loads(given)})
            else:
                for out, row in zip(output.split("\\n"), given.split("\\n")):
                    rows.append([float(value) for value in f"{out},{row}".split(",")])
    return pd.json_normalize(rows) if isinstance(rows[0], dict) else pd.DataFrame(rows)

work = {"values": normalized, "lean": lean, "bodies": bodies}[sys.argv[2]]
frame, wall, cpu = clocked(work)
sums = [math.fsum(frame.iloc[:, place]) for place in range(frame.shape[1])] if sys.argv[2] == "values" else []
told(rows=len(frame), sums=sums, wall_s=wall, cpu_s=cpu, peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""

KINDS = ("json", "base64-csv", "base64-json", "rows")
BODY = '{{"observedContentType":"text/csv","mode":"{}","data":{},"encoding":"{}"}}'


def main() -> int:
    """Write the records, run the sides in turn, conclude."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="a tenth of the records and two rounds")
    options = parser.parse_args()
    if options.quick:
        options.rows, options.rounds = options.rows // 10, 2
    ours, duck, pandas = (
        Side(name, sys.executable, script)
        for name, script in (("modelward", OURS), ("duckdb", DUCKDB), ("pandas", PANDAS))
    )
    with tempfile.TemporaryDirectory(prefix="modelward-bench-") as name:
        folder = Path(name)
        path = write(folder, "csv", options.rows)
        runs = in_turn([ours, duck], options.rounds, lambda _: (path, "rows"))
        slow = max(1, (options.rounds + 1) // 2)
        # Ours hands the columns on batch by batch, as DuckDB does; a frame of pandas holds them whole.
        beside = in_turn([ours, pandas], slow, lambda side: (path, "rows" if side is ours else "values"))
        lean = in_turn([ours, Side("lean", sys.executable, PANDAS)], slow, lambda _: (path, "lean"))
        sums = [side.run(path, "values")["sums"] for side in (ours, duck, pandas)]
        kinds = {}
        for kind in KINDS:
            given = write(folder, kind, options.rows // 4)
            kinds[kind] = in_turn([ours, pandas], slow, lambda _, given=given: (given, "bodies"))
        where = machine(folder)
    return concluded(options, {"duckdb": runs, "pandas": beside, "lean": lean, **kinds}, sums, where)


def write(folder: Path, kind: str, rows: int) -> Path:
    """Records as the hosted service writes them, with one kind of body."""
    path, rng = folder / f"{kind}.jsonl", random.Random(1)
    with open(path, "w") as out:
        for number in range(rows):
            values = [round(rng.gauss(0, 1), 6) for _ in range(20)]
            given, answered, encoding = bodies(kind, values, round(rng.random(), 6), 1 + number % 4)
            sides = [
                BODY.format(mode, json.dumps(text), encoding) for mode, text in (("INPUT", given), ("OUTPUT", answered))
            ]
            out.write(
                f'{{"captureData":{{"endpointInput":{sides[0]},"endpointOutput":{sides[1]}}},"eventMetadata":{{"eventId":'
                f'"406ab9ed-93a8-41db-ba13-{number:012d}","inferenceTime":"2026-10-21T19:28:39Z"}},"eventVersion":"0"}}\n'
            )
    return path


def bodies(kind: str, values: list[float], answer: float, rows: int) -> tuple[str, str, str]:
    """The input, the output and the encoding of one record."""
    if kind == "rows":
        parts = [values[5 * row : 5 * row + 5] for row in range(rows)]
        return "\n".join(",".join(map(repr, part)) for part in parts), "\n".join([repr(answer)] * rows), "CSV"
    if kind in ("csv", "base64-csv"):
        given, answered = ",".join(map(repr, values)), repr(answer)
    else:
        given = json.dumps({f"f{place}": value for place, value in enumerate(values)} | {"city": "Rome"})
        answered = json.dumps({"score": answer})
    if not kind.startswith("base64"):
        return given, answered, kind.upper()
    return base64.b64encode(given.encode()).decode(), base64.b64encode(answered.encode()).decode(), "BASE64"


def concluded(options: argparse.Namespace, runs: dict[str, Any], sums: list[list[float]], where: dict) -> int:
    """The table and the goals."""
    rows, goals = [], []
    musts = {"duckdb": (0.9, 1.5), "pandas": (20, 50), "lean": (5, 10)}
    for name, both in runs.items():
        ours, theirs = both["modelward"], next(found for side, found in both.items() if side != "modelward")
        ratios = {key: quotient(theirs, ours, key) for key in ("wall_s", "cpu_s")}
        figures = [middle(side, key) for side in (ours, theirs) for key in ("wall_s", "cpu_s", "peak_mb")]
        rows.append([name, *figures, ratios["wall_s"], ratios["cpu_s"]])
        # Nobody set a goal for the other kinds of bodies but that they are read no slower.
        must, reach = musts.get(name, (1, 5))
        goals.append(Goal(f"records/s over {name} (wall)", ratios["wall_s"], must, reach))
        goals.append(Goal(f"CPU of {name} over ours", ratios["cpu_s"], must, reach))
    equal = float(all(found == sums[0] for found in sums))
    goals.append(Goal("sums of all columns equal to the last bit", equal, 1, unit=""))
    head = ("beside", "wall s", "CPU s", "peak MB", "their wall s", "their CPU s", "their peak MB", "wall", "CPU")
    print(table(head, rows))
    record = {"rows": options.rows, "machine": where, "runs": runs}
    for both in runs.values():
        for found in both.values():
            for run in found:
                run.pop("sums", None)
    return conclude("captures", record, goals, quick=options.quick)


if __name__ == "__main__":
    sys.exit(main())
