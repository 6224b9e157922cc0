"""The bias report of ours beside smclarify: 20 metrics of counts for three facets, from one Parquet file (goal G6).

    python -m benchmarks.bias_beside_smclarify --rows 5000000 --rounds 3 [--wheel]
    python -m benchmarks.bias_beside_smclarify --rows 50000 --rounds 5 [--wheel]

smclarify runs from its Apache-2.0 source in an environment of its own (benchmarks/environments.py). Where that cannot be had,
``--wheel`` takes version 0.5 from the package index, which is under the Amazon Software License: read it first. Either is a
black box here, asked by its public function. With neither, ours is measured alone and the goals that need both stay
undecided. Reading the file is counted on both sides, imports on neither.
"""

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # So that the file also runs by its path.

from benchmarks.environments import PeerUnavailable, python_of
from benchmarks.figures import Goal, conclude, machine, table
from benchmarks.in_turn import Side, in_turn, middle, quotient

OURS = """
from modelward.analysis.bias.report import Facet
from modelward.analysis.bias.facets import bias_reports

FACETS = [Facet(column="sex", value="f"), Facet(column="race", value="a"), Facet(column="age", threshold=40)]

def work():
    return bias_reports(sys.argv[1], facets=FACETS, label="label", prediction="predicted", group="region")

found, wall, cpu = clocked(work)
values = {
    f"{report.facet}.{metric.name}": metric.value for report in found for metric in report.comparisons[0].metrics
}
told(wall_s=wall, cpu_s=cpu, values=values)
"""

THEIRS = """
import pandas as pd
from smclarify.bias import report as r

FACETS = [("sex", ["f"]), ("race", ["a"]), ("age", [40])]

def work():
    frame = pd.read_parquet(sys.argv[1])
    found = {}
    for name, values in FACETS:
        for stage in (r.StageType.PRE_TRAINING, r.StageType.POST_TRAINING):
            post = stage is r.StageType.POST_TRAINING
            chosen = ["AD", "CDDPL", "DAR", "DCA", "DCR", "DI", "DPPL", "DRR", "GE", "RD", "SD", "TE"] if post else ["all"]
            rows = r.bias_report(
                frame.drop(columns=["region", "predicted"]), r.FacetColumn(name, values),
                r.LabelColumn("label", frame["label"], [1]), stage,
                r.LabelColumn("predicted", frame["predicted"], [1]) if post else None,
                metrics=chosen, group_variable=frame["region"],
            )
            found |= {f"{name}.{one['name']}": one["value"] for one in rows[0]["metrics"]}
    return found

found, wall, cpu = clocked(work)
told(wall_s=wall, cpu_s=cpu, values={name: None if one is None else float(one) for name, one in found.items()})
"""


def main() -> int:
    """Write the file, run the sides in turn, report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="50,000 rows, one round")
    parser.add_argument("--wheel", action="store_true", help="smclarify 0.5 from the package index (its own licence)")
    options = parser.parse_args()
    if options.quick:
        options.rows, options.rounds = 50_000, 1
    sides = [Side("modelward", sys.executable, OURS)]
    try:
        sides.append(Side("smclarify", python_of("smclarify-wheel" if options.wheel else "smclarify"), THEIRS))
    except PeerUnavailable as problem:
        print(problem, file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="modelward-bench-") as name:
        path = Path(name) / "people.parquet"
        write_table(path, options.rows)
        runs = in_turn(sides, options.rounds, lambda side: (path,))
        return concluded(options, runs, machine(Path(name)))


def write_table(path: Path, rows: int) -> None:
    """Three facets, a column to condition on, labels and predictions that depend on them a little."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(0)
    sex, race, region = (rng.integers(0, count, rows) for count in (2, 5, 4))
    age = rng.integers(18, 90, rows)
    share = 0.35 + 0.1 * sex + 0.02 * race + 0.002 * (age - 18)
    label, predicted = rng.random(rows) < share, rng.random(rows) < share + 0.03 * region
    texts = {"sex": ("f", "m"), "race": tuple("abcde"), "region": tuple("wxyz")}
    coded = {"sex": sex, "race": race, "region": region}
    columns = {
        name: pa.DictionaryArray.from_arrays(pa.array(coded[name].astype(np.int32)), pa.array(known)).cast(pa.string())
        for name, known in texts.items()
    }
    # As doubles: smclarify takes whole numbers for categories, and has no threshold for those.
    columns |= {"age": age.astype(np.float64), "label": label.astype(np.int8), "predicted": predicted.astype(np.int8)}
    pq.write_table(pa.table(columns), path, row_group_size=131_072)


def concluded(options: argparse.Namespace, runs: dict, where: dict) -> int:
    """The table, the differences and the goals."""
    ours, theirs = runs["modelward"], runs.get("smclarify", [])
    print(
        table(
            ["side", "wall s", "CPU s"],
            [[name, middle(all_, "wall_s"), middle(all_, "cpu_s")] for name, all_ in runs.items()],
        )
    )
    apart = None
    if theirs:
        mine, other = ours[0]["values"], theirs[0]["values"]
        apart = max(abs(mine[name] - value) for name, value in other.items() if value is not None)
    small = options.rows < 1_000_000
    limits = (10, 15) if small else (100, 300)
    goals = [
        Goal("smclarify over ours, wall", quotient(theirs, ours, "wall_s") if theirs else None, *limits),
        Goal("smclarify over ours, CPU", quotient(theirs, ours, "cpu_s") if theirs else None, *limits),
        Goal("values: largest difference", apart, 1e-12, at_least=False, unit=""),
    ]
    record = {"machine": where, "rows": options.rows, "runs": runs, "difference": apart, "wheel": options.wheel}
    return conclude("bias_small" if small else "bias", record, goals, quick=options.quick)


if __name__ == "__main__":
    sys.exit(main())
