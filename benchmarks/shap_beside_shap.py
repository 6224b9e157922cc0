"""Kernel SHAP of ours beside shap.KernelExplainer: time per row, equality, error at equal budget (goal G5).

    python -m benchmarks.shap_beside_shap --rows 200 --rounds 5

Both sides train the same models on the same data with the same version of scikit-learn, and their predictions are compared
first. shap runs in an environment of its own (benchmarks/environments.py); ours needs scikit-learn (the extra ``demo``).
"""

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # So that the file also runs by its path.

from benchmarks.environments import PeerUnavailable, python_of
from benchmarks.figures import Goal, conclude, machine, table
from benchmarks.in_turn import Side, in_turn, middle, quotient

CASES = (
    *((kind, features, 1) for kind in ("gb", "lr", "mlp") for features in (12, 30)),
    ("gb", 30, 100),
    ("lr", 30, 100),
)
BUDGETS = (256, 512, 1024, 2048)
SAMPLES = 2048

MODELS = """
import warnings

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

def data(features, rows, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(4000, features))
    y = (x[:, 0] * x[:, 1] + x[:, 2] + x[:, 3] ** 2 + 0.3 * rng.normal(size=4000) > 1).astype(int)
    return x, y, rng.normal(size=(rows, features)), rng

def model(kind, features):
    x, y, _, _ = data(features, 1)
    kinds = {
        "gb": lambda: GradientBoostingClassifier(random_state=0),
        "lr": lambda: LogisticRegression(),
        "mlp": lambda: MLPClassifier((32, 16), max_iter=60, random_state=0),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # The network need not be trained to the end to be explained.
        return kinds[kind]().fit(x, y)

def probability(fitted):
    return lambda rows: fitted.predict_proba(rows)[:, 1]
"""

TIME = """
kind, features, behind, rows, samples, out = sys.argv[1], *map(int, sys.argv[2:6]), sys.argv[6]
fitted = model(kind, features)
x, _, explained, _ = data(features, rows)
background = x[:behind]
predict = probability(fitted)
spent = []

def asked(given):
    answers, _, cpu = clocked(lambda: predict(given))
    spent.append(cpu)
    return answers

values, wall, cpu = clocked(lambda: explain(asked, explained, background, samples))
np.savez(out, values=values, predicted=predict(explained))
told(wall_ms=wall / rows * 1000, cpu_ms=cpu / rows * 1000, predictor_ms=sum(spent) / rows * 1000)
"""

EXACT = """
features, rows, out = *map(int, sys.argv[1:3]), sys.argv[3]
fitted = model("gb", features)
_, _, explained, _ = data(features, rows)
background = data(features, 1)[0][:20]
found = {}
for behind in (1, 20):
    found[f"exhaustive_{behind}"] = explain(probability(fitted), explained, background[:behind], 2 ** features)
np.savez(out, **found)
told(rows=rows)
"""

ERROR = """
features, rows, seeds, out = *map(int, sys.argv[1:4]), sys.argv[4]
fitted = model("gb", features)
_, _, explained, _ = data(features, rows)
background = data(features, 1)[0][:1]
exact = tree(fitted, explained, background)
many = data(features, 1000, 1)[2]
_, _, spent = clocked(lambda: tree(fitted, many, background))
errors = {}
for budget in map(int, sys.argv[5:]):
    runs = [explain(fitted.decision_function, explained, background, budget, seed) for seed in range(seeds)]
    errors[str(budget)] = float(np.sqrt(np.mean([(one - exact) ** 2 for one in runs])))
np.savez(out, exact=exact)
told(tree_ms=spent / len(many) * 1000, **errors)
"""

OURS = """
from modelward.analysis.attribution.explain import kernel_shap
from modelward.analysis.attribution.trees import tree_shap, trees_of

def explain(predict, rows, background, samples, seed=0):
    return kernel_shap(predict, rows, background, samples=samples, seed=seed).values[:, :, 0]

def tree(fitted, rows, background):
    return tree_shap(trees_of(fitted), rows, background)[0][:, :, 0]
"""

THEIRS = """
import shap

def explain(predict, rows, background, samples, seed=0):
    np.random.seed(seed)
    explainer = shap.KernelExplainer(predict, background)
    return np.asarray(explainer.shap_values(rows, nsamples=samples, l1_reg=0, silent=True))

def tree(fitted, rows, background):
    explainer = shap.TreeExplainer(fitted, background, feature_perturbation="interventional", model_output="raw")
    return np.asarray(explainer.shap_values(rows))
"""


def main() -> int:
    """Run everything and report."""
    options = arguments()
    try:
        python = python_of("shap")
    except PeerUnavailable as problem:
        print(problem, file=sys.stderr)
        python = None
    with tempfile.TemporaryDirectory(prefix="modelward-bench-") as name:
        return measure(options, Path(name), python)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="30 rows, one round, the small background alone")
    options = parser.parse_args()
    if options.quick:
        options.rows, options.rounds = 30, 1
    return options


def sides_of(python: Path | None, script: str) -> list[Side]:
    """Both sides with the same task."""
    ours = Side("modelward", sys.executable, MODELS + OURS + script)
    return [ours] if python is None else [ours, Side("shap", python, MODELS + THEIRS + script)]


def measure(options: argparse.Namespace, folder: Path, python: Path | None) -> int:
    """Time, equality, error."""
    import numpy as np

    def differ(key: str) -> float | None:
        files = [folder / f"{side}.npz" for side in ("modelward", "shap")]
        return float(np.abs(np.load(files[0])[key] - np.load(files[1])[key]).max()) if python else None

    rows, timed = [], {}
    for kind, features, behind in CASES:
        if options.quick and behind > 1:
            continue
        count = options.rows if behind == 1 else max(5, options.rows // 20)
        runs = in_turn(
            sides_of(python, TIME),
            options.rounds,
            lambda side, task=(kind, features, behind, count): (*task, SAMPLES, folder / f"{side.name}.npz"),
        )
        assert python is None or differ("predicted") < 1e-12, "the two sides do not explain the same model"
        ours, theirs = runs["modelward"], runs.get("shap", [])
        timed[kind, features, behind] = (quotient(theirs, ours, "wall_ms"), quotient(theirs, ours, "cpu_ms"))
        rows.append(
            [kind, features, behind, middle(ours, "wall_ms"), middle(theirs, "wall_ms"), middle(theirs, "cpu_ms"),
             *timed[kind, features, behind], quotient(ours, [{"cpu_ms": run["predictor_ms"]} for run in ours], "cpu_ms")]
        )  # fmt: skip
    head = [
        "model",
        "features",
        "background",
        "ours ms/row",
        "shap ms/row",
        "shap CPU ms/row",
        "wall x",
        "CPU x",
        "over predictor",
    ]
    print(table(head, rows))
    for side in sides_of(python, EXACT):
        side.run(10, 5 if options.quick else 20, folder / f"{side.name}.npz")
    same = [differ(f"exhaustive_{behind}") for behind in (1, 20)]
    print(f"exhaustive masks, 10 features: largest difference {same}")
    errors = {}
    for features in (12, 30):
        found = {
            side.name: side.run(features, 20 if options.quick else 40, 1 if options.quick else 5,
                                folder / f"{side.name}.npz", *BUDGETS)
            for side in sides_of(python, ERROR)
        }  # fmt: skip
        errors[features] = found
        print(f"{features} features, RMSE to exact by budget: {found}; exact values differ by {differ('exact')}")
    return concluded(options, folder, rows, timed, same, errors)


def concluded(options, folder, rows, timed, same, errors) -> int:
    """The goals."""
    ratios = [
        errors[features]["modelward"][str(budget)] / errors[features]["shap"][str(budget)]
        for features in errors
        for budget in BUDGETS
        if "shap" in errors[features]
    ]
    one = [timed[case] for case in timed if case[2] == 1]
    many = [timed[case][0] for case in timed if case[2] > 1 and timed[case][0]]
    wall = min((pair[0] for pair in one if pair[0]), default=None)
    over = max((row[-1] for row in rows if row[0] == "gb" and row[2] == 1 and row[-1]), default=None)
    slow = next((row[5] for row in rows if row[:3] == ["gb", 30, 1]), None)
    goals = [
        Goal("single background row, shap over ours, wall, worst case", wall, 10, 15),
        Goal("ours over the predictor alone, CPU, GB", over, 1.5, 1.2, at_least=False),
        Goal("exhaustive masks: largest difference", max((one for one in same if one is not None), default=None),
             1e-9, 1e-12, at_least=False, unit=""),
        Goal("RMSE to exact at equal budget, ours over shap, worst", max(ratios, default=None), 1.0, 0.7, at_least=False),
        Goal("100 background rows, ours over shap, wall, worst", 1 / min(many) if many else None, 1.0, 0.5, at_least=False),
        Goal("trees: shap.KernelExplainer over our TreeSHAP, CPU", slow / errors[30]["modelward"]["tree_ms"] if slow else None,
             100, 500),
    ]  # fmt: skip
    record = {"machine": machine(folder), "rows": rows, "errors": errors, "differences": same}
    return conclude("shap", record, goals, quick=options.quick)


if __name__ == "__main__":
    sys.exit(main())
