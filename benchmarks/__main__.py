"""All benchmarks one after another: `python -m benchmarks [--quick] [name ...]`. Exit code 1: a must was missed."""

import argparse
import subprocess
import sys

# name: (module, arguments of a quick run, arguments of a full run)
BENCHMARKS: dict[str, tuple[str, list[str], list[str]]] = {
    "startup": ("startup_beside_peers", ["--quick"], []),
    "registry": ("registry_beside_mlflow", ["--quick"], []),
    "aws": ("aws_beside_moto", ["--quick"], []),
    "processes": ("processes_on_postgres", ["--quick"], []),
    "cards": ("cards_at_scale", ["--quick"], []),
    "watch": ("watch_beside_evidently", ["--quick"], []),
    "profile": ("profile_beside_peers", ["--quick"], []),
    "scale": ("profile_at_scale", ["--quick"], []),
    "verdicts": ("verdicts_beside_evidently", ["--quick"], []),
    "captures": ("captures_beside_peers", ["--quick"], []),
    "false_alarms": ("false_alarms", ["--quick"], []),
    "drift_power": ("drift_power", ["--quick"], []),
    "drift_chances": ("drift_chances", ["--quick"], []),
    "shap": ("shap_beside_shap", ["--quick"], []),
    "bias": ("bias_beside_smclarify", ["--quick"], []),
    "quality": ("quality_beside_sklearn", ["--quick"], []),
}


def main() -> int:
    """Run what is asked for, each in a process of its own, and say how each ended."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="minutes instead of an hour; the figures are rough")
    parser.add_argument("names", nargs="*", metavar="name", help=f"which ones: {', '.join(BENCHMARKS)} (all)")
    options = parser.parse_args()
    unknown = sorted(set(options.names) - set(BENCHMARKS))
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}")
    ended = {}
    for name in options.names or BENCHMARKS:
        module, quick, full = BENCHMARKS[name]
        print(f"\n== {name}: benchmarks/{module}.py", flush=True)
        command = [sys.executable, "-m", f"benchmarks.{module}", *(quick if options.quick else full)]
        ended[name] = subprocess.run(command).returncode
    print("\n" + "\n".join(f"{name}: {'done' if code == 0 else f'exit code {code}'}" for name, code in ended.items()))
    return 1 if any(ended.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
