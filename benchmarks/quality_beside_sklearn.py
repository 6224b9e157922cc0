"""Model quality of ours beside the same metrics by scikit-learn, from one Parquet file (goal G7).

    python -m benchmarks.quality_beside_sklearn --rows 10000000 --rounds 5

scikit-learn comes from the extra ``demo`` and runs in the same environment, each side in processes of its own. Reading the
file is counted on both sides, imports on neither. Quote the ratios, never the seconds.
"""

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # So that the file also runs by its path.

from benchmarks.figures import Goal, conclude, machine, table
from benchmarks.in_turn import Side, in_turn, middle, quotient

OURS = """
from modelward.analysis.quality.report import quality_report

def work():
    return quality_report(sys.argv[1], problem_type="binary", label="y", prediction="g", probability="p", exact=EXACT)

found, wall, cpu = clocked(work)
told(wall_s=wall, cpu_s=cpu, values={name: one.value for name, one in found.metrics.items()})
"""

THEIRS = """
import numpy as np
import pyarrow.parquet as pq
from sklearn import metrics as m

def work():
    columns = pq.read_table(sys.argv[1])
    y, g, p = (columns[name].to_numpy() for name in "ygp")
    found = {
        "accuracy": m.accuracy_score(y, g), "precision": m.precision_score(y, g), "recall": m.recall_score(y, g),
        "specificity": m.recall_score(y, g, pos_label=0), "f1": m.f1_score(y, g), "f0_5": m.fbeta_score(y, g, beta=0.5),
        "f2": m.fbeta_score(y, g, beta=2), "balanced_accuracy": m.balanced_accuracy_score(y, g),
        "matthews": m.matthews_corrcoef(y, g), "auc": m.roc_auc_score(y, p),
        "average_precision": m.average_precision_score(y, p), "brier": m.brier_score_loss(y, p), "log_loss": m.log_loss(y, p),
    }
    m.confusion_matrix(y, g), m.roc_curve(y, p), m.precision_recall_curve(y, p)
    return found

found, wall, cpu = clocked(work)
told(wall_s=wall, cpu_s=cpu, values={name: float(one) for name, one in found.items()})
"""


def main() -> int:
    """Write the file, run the sides in turn, report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="two million rows, one round")
    options = parser.parse_args()
    if options.quick:
        options.rows, options.rounds = 2_000_000, 1
    with tempfile.TemporaryDirectory(prefix="modelward-bench-") as name:
        path = Path(name) / "scores.parquet"
        write_table(path, options.rows)
        sides = [
            Side("modelward", sys.executable, OURS.replace("EXACT", "False")),
            Side("modelward exact", sys.executable, OURS.replace("EXACT", "True")),
            Side("scikit-learn", sys.executable, THEIRS),
        ]
        runs = in_turn(sides, options.rounds, lambda side: (path,))
        return concluded(options, runs, machine(Path(name)))


def write_table(path: Path, rows: int) -> None:
    """Labels, decisions and calibrated probabilities."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(0)
    p = 1 / (1 + np.exp(-1.5 * rng.normal(size=rows) - 0.3))
    y = (rng.random(rows) < p).astype(np.int8)
    pq.write_table(pa.table({"y": y, "p": p, "g": (p > 0.5).astype(np.int8)}), path, row_group_size=131_072)


def concluded(options: argparse.Namespace, runs: dict, where: dict) -> int:
    """The table, the differences and the goals."""
    theirs = runs["scikit-learn"]
    rows = [[name, middle(found, "wall_s"), middle(found, "cpu_s")] for name, found in runs.items()]
    print(table(["side", "wall s", "CPU s"], rows))
    truth = theirs[0]["values"]
    apart = {
        name: {key: abs(found[0]["values"][key] - value) for key, value in truth.items()}
        for name, found in runs.items()
    }
    counted = [key for key in truth if key not in ("auc", "average_precision", "log_loss", "brier")]
    goals = [
        Goal("scikit-learn over ours, wall", quotient(theirs, runs["modelward"], "wall_s"), 25, 75),
        Goal("scikit-learn over ours, CPU", quotient(theirs, runs["modelward"], "cpu_s"), 25, 75),
        Goal("AUC of bins: difference", apart["modelward"]["auc"], 1e-6, at_least=False, unit=""),
        Goal("scikit-learn over ours in exact mode, wall", quotient(theirs, runs["modelward exact"], "wall_s"), 5, 8),
        Goal("scikit-learn over ours in exact mode, CPU", quotient(theirs, runs["modelward exact"], "cpu_s"), 5, 8),
        Goal("AUC in exact mode: difference", apart["modelward exact"]["auc"], 1e-9, at_least=False, unit=""),
        Goal("metrics of counts: largest difference", max(apart["modelward"][key] for key in counted), 1e-12,
             at_least=False, unit=""),
    ]  # fmt: skip
    record = {"machine": where, "rows": options.rows, "rounds": options.rounds, "runs": runs, "differences": apart}
    return conclude("quality", record, goals, quick=options.quick)


if __name__ == "__main__":
    sys.exit(main())
