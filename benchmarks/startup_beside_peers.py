"""Cold start, idle memory and idle CPU of `modelward serve` beside `mlflow server` and `evidently ui`. G4."""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import servers
from benchmarks.environments import PeerUnavailable
from benchmarks.figures import Goal, conclude, data_folder, machine, median, ratio, table
from benchmarks.servers import Recipe, Server, ServerFailed

OURS, DEFAULT, ONE_WORKER, EVIDENTLY = "modelward", "mlflow", "mlflow, 1 worker", "evidently ui"
MEGABYTE = 1e6


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, keep."""
    options = _options(arguments)
    recipes = _recipes()
    rounds: dict[str, list[dict[str, float]]] = {recipe.name: [] for recipe in recipes}
    with data_folder() as folder:
        where = machine(folder)
        if not options.cold_code:
            _once(recipes[0], folder / "warm", idle_seconds=0)  # compiles our sources; the peers' were compiled by pip
        for turn in range(options.rounds):
            for recipe in recipes:
                idle = options.idle_seconds if turn == 0 else 0
                measured = _once(recipe, folder / f"{turn}-{recipe.name.replace(', ', '-')}", idle_seconds=idle)
                rounds[recipe.name].append(measured)
                print(
                    f"round {turn + 1}, {recipe.name}: " + ", ".join(f"{k} {v:.3g}" for k, v in measured.items()),
                    flush=True,
                )
    middle = {name: _medians(each) for name, each in rounds.items() if each}
    print("\n" + _table(middle))
    record = {"machine": where, "rounds": rounds, "medians": middle}
    return conclude("startup", record, _goals(middle), quick=options.quick)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round, 5 seconds of idling")
    parser.add_argument("--rounds", type=int, help="interleaved rounds (5; quick: 1)")
    parser.add_argument("--idle-seconds", type=float, help="how long to watch the servers doing nothing (60; quick: 5)")
    parser.add_argument("--cold-code", action="store_true", help="do not compile our sources before the first round")
    options = parser.parse_args(arguments)
    options.rounds = options.rounds or (1 if options.quick else 5)
    options.idle_seconds = (5.0 if options.quick else 60.0) if options.idle_seconds is None else options.idle_seconds
    return options


def _recipes() -> list[Recipe]:
    makers: list[Callable[[], Recipe]] = [
        lambda: servers.mlflow(),
        lambda: servers.mlflow(workers=1),
        servers.evidently,
    ]
    found = [servers.modelward()]
    for make in makers:
        try:
            found.append(make())
        except PeerUnavailable as problem:
            print(problem, file=sys.stderr)
    return found


def _once(recipe: Recipe, folder: Path, *, idle_seconds: float) -> dict[str, float]:
    server = Server(recipe, folder)
    try:
        wall = server.wait_ready()
        cpu_first = server.tree.cpu_seconds()
        server.wait_calm()
        cpu_calm, memory = server.tree.cpu_seconds(), server.tree.memory()
        measured = {
            "wall_s": wall,
            "cpu_s": cpu_first,
            "cpu_until_calm_s": cpu_calm,
            "pss_mb": memory.pss / MEGABYTE,
            "rss_mb": memory.rss / MEGABYTE,
            "processes": memory.processes,
        }
        if idle_seconds:
            before = server.tree.cpu_seconds()
            time.sleep(idle_seconds)
            measured["idle_cpu_s_per_minute"] = (server.tree.cpu_seconds() - before) * 60 / idle_seconds
        return measured
    except ServerFailed as problem:
        raise SystemExit(f"{problem}\nNothing is concluded from a server that does not start.") from problem
    finally:
        server.stop()


def _medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    names = {name: None for each in rounds for name in each}
    return {name: median(each[name] for each in rounds if name in each) or 0.0 for name in names}


def _table(middle: dict[str, dict[str, float]]) -> str:
    ours = middle[OURS]
    columns = {
        "wall_s": "start to 200, s",
        "cpu_s": "CPU s",
        "cpu_until_calm_s": "CPU s until calm",
        "pss_mb": "PSS MB",
        "rss_mb": "RSS MB",
        "processes": "processes",
        "idle_cpu_s_per_minute": "CPU s in an idle minute",
    }
    head = ["server", *columns.values(), "start, x ours", "PSS, x ours"]
    rows: list[list[Any]] = [
        [
            name,
            *[each.get(column) for column in columns],
            each["wall_s"] / ours["wall_s"],
            each["pss_mb"] / ours["pss_mb"],
        ]
        for name, each in middle.items()
    ]
    return table(head, rows)


def _goals(middle: dict[str, dict[str, float]]) -> list[Goal]:
    ours, default, one = middle[OURS], middle.get(DEFAULT, {}), middle.get(ONE_WORKER, {})

    def beside(peer: dict[str, float], what: str) -> float | None:
        return ratio(peer.get(what), ours[what])

    return [
        Goal("cold start, wall, MLflow default over ours", beside(default, "wall_s"), 10, 20),
        # With one worker MLflow starts fewer processes than it is shipped to start: told, and held to half.
        Goal("cold start, wall, MLflow 1 worker over ours", beside(one, "wall_s"), 5, 10),
        Goal("cold start, CPU until calm, MLflow default over ours", beside(default, "cpu_until_calm_s"), 10, 20),
        Goal("idle memory (PSS), MLflow default over ours", beside(default, "pss_mb"), 10, 15),
        Goal("idle memory (PSS), MLflow 1 worker over ours", beside(one, "pss_mb"), 10, 15),
        Goal("our cold start, CPU until calm", ours["cpu_until_calm_s"], 2, at_least=False, unit=" s"),
        Goal("our idle memory (RSS, the stricter reading)", ours["rss_mb"], 150, at_least=False, unit=" MB"),
        Goal("our CPU in an idle minute", ours.get("idle_cpu_s_per_minute"), 0.3, 0.05, at_least=False, unit=" s"),
    ]


if __name__ == "__main__":
    sys.exit(main())
