"""A client of one and of two `modelward serve` on the same PostgreSQL: does a second process cost it anything? G4.

Both listen on ports of their own and run all the time; a cell with one process follows at once on the same cell with two, in
which each client takes the processes in turn. Jobs wait meanwhile (`--no-work`), as they would run in a worker of their own.
Two processes on one port (SO_REUSEPORT) are not measured: `modelward serve` does not offer it.
"""

import argparse
import shutil
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import servers
from benchmarks.clients import Clients, Load, Reading, ask_once
from benchmarks.figures import Goal, conclude, data_folder, machine, median, percentile, ratio, table
from benchmarks.filling import fill_modelward
from benchmarks.postgres import PostgresUnavailable, postgres
from benchmarks.processes import Tree
from benchmarks.registry_requests import MODELWARD, OPERATIONS
from benchmarks.servers import Recipe, Server

Key = tuple[str, int, int]


class Found(NamedTuple):
    """A cell of one round: what the clients saw, and CPU seconds of our processes and of PostgreSQL."""

    reading: Reading
    ours_cpu: float
    postgres_cpu: float


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, keep."""
    options = _options(arguments)
    found: dict[Key, list[Found]] = {}
    with data_folder() as folder, ExitStack() as stack:
        where = machine(folder)
        try:
            url, tree = stack.enter_context(postgres(folder))
        except PostgresUnavailable as problem:
            print(f"left out: {problem}")
            return 0
        home = folder / "home"
        recipe = _on_postgres(url, home)
        headers = _fill(recipe, folder, home, options)
        clients = stack.enter_context(Clients())
        extra = () if options.work else ("--no-work",)
        running = [stack.enter_context(servers.running(recipe, folder / f"log-{n}", extra=extra)) for n in (1, 2)]
        for turn in range(options.rounds):
            _round(turn, running, tree, headers, clients, options, found)
            print(f"round {turn + 1} of {options.rounds} is done", flush=True)
    print("\n" + _table(found, options))
    record = {
        "machine": where,
        "models": options.models,
        "works": options.work,
        "cells": [_cell(key, each) for key, each in found.items()],
    }
    return conclude("processes", record, _goals(found, options), quick=options.quick)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three rounds of half a second, 500 models")
    parser.add_argument("--rounds", type=int, help="interleaved rounds (12; quick: 3)")
    parser.add_argument("--seconds", type=float, help="length of a cell in a round (1; quick: 0.5)")
    parser.add_argument("--models", type=int, help="models in place (2000; quick: 500)")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8], help="numbers of clients (1 8)")
    parser.add_argument("--operations", nargs="+", choices=OPERATIONS, default=list(OPERATIONS))
    parser.add_argument("--work", action="store_true", help="let the servers run jobs, too")
    options = parser.parse_args(arguments)
    options.rounds = options.rounds or (3 if options.quick else 12)
    options.seconds = options.seconds or (0.5 if options.quick else 1.0)
    options.models = options.models or (500 if options.quick else 2000)
    return options


def _on_postgres(url: str, home: Path) -> Recipe:
    program = Path(sys.executable).with_name("modelward")

    def command(_folder: Path, port: int) -> list[str]:
        return [str(program), "serve", "--home", str(home), "--database-url", url, "--port", str(port)]

    return Recipe("modelward on PostgreSQL", command, "/healthz")


def _fill(recipe: Recipe, folder: Path, home: Path, options: argparse.Namespace) -> dict[str, str]:
    with servers.running(recipe, folder / "filling") as server:
        headers = {"Authorization": f"Bearer {(home / 'owner-token').read_text().strip()}"}
        seconds = fill_modelward(server.port, headers, models=options.models)
        print(f"{options.models} models are in place after {seconds:.1f} s", flush=True)
        server.wait_calm(seconds_max=600)
    shutil.rmtree(folder / "filling")
    return headers


def _round(
    turn: int, running: list[Server], tree: Tree, headers: dict[str, str], clients: Clients,
    options: argparse.Namespace, found: dict[Key, list[Found]],
) -> None:  # fmt: skip
    for operation in options.operations:
        for count in options.clients:
            # The order changes from round to round, so that neither always comes first.
            for processes in (1, 2) if turn % 2 == 0 else (2, 1):
                load = Load(
                    MODELWARD[operation], ports=[each.port for each in running[:processes]], clients=count,
                    seconds=options.seconds, models=options.models, prefix=_prefix(), headers=headers,
                )  # fmt: skip
                ask_once(load, operation)
                before, postgres_before = _cpu(running), tree.cpu_seconds()
                reading = clients.run(load)
                cell = Found(reading, _cpu(running) - before, tree.cpu_seconds() - postgres_before)
                found.setdefault((operation, count, processes), []).append(cell)


_used = 0


def _prefix() -> str:
    global _used
    _used += 1
    return f"p{_used}-"


def _cpu(running: list[Server]) -> float:
    return sum(each.tree.cpu_seconds() for each in running)


def _cell(key: Key, rounds: list[Found]) -> dict[str, Any]:
    operation, count, processes = key
    waits = [each for found in rounds for each in found.reading.latencies]
    answers = sum(found.reading.answers for found in rounds) or 1
    return {
        "operation": operation,
        "clients": count,
        "processes": processes,
        "per_second": median(found.reading.per_second for found in rounds),
        # The median of the rounds' medians: one disturbed round does not count.
        "p50_ms": median(at for found in rounds if (at := found.reading.at(0.5)) is not None),
        "p99_ms": percentile(waits, 0.99),
        "server_cpu_ms": 1000 * sum(found.ours_cpu for found in rounds) / answers,
        "postgres_cpu_ms": 1000 * sum(found.postgres_cpu for found in rounds) / answers,
    }


def _table(found: dict[Key, list[Found]], options: argparse.Namespace) -> str:
    names = ("per_second", "p50_ms", "p99_ms", "server_cpu_ms", "postgres_cpu_ms")
    head = ["operation", "clients", "p50, 2 over 1"]
    head += [f"{label}, {n}" for n in (1, 2) for label in ("ops/s", "p50 ms", "p99 ms", "CPU ms", "PostgreSQL CPU ms")]
    rows = []
    for operation in options.operations:
        for count in options.clients:
            one, two = (_cell((operation, count, n), found[operation, count, n]) for n in (1, 2))
            row = [operation, count, _paired(found, operation, count)]
            rows.append([*row, *[one[name] for name in names], *[two[name] for name in names]])
    return table(head, rows)


def _goals(found: dict[Key, list[Found]], options: argparse.Namespace) -> list[Goal]:
    return [
        Goal(f"{each}, 1 client, p50 with two processes over one", _paired(found, each, 1), 1.3, 1.1, at_least=False)
        for each in (options.operations if 1 in options.clients else ())
    ]


def _paired(found: dict[Key, list[Found]], operation: str, count: int) -> float | None:
    """Two processes over one: the median of the rounds' ratios, as the two cells of a round are neighbours in time."""
    pairs = zip(found[operation, count, 2], found[operation, count, 1], strict=True)
    ratios = (ratio(two.reading.at(0.5), one.reading.at(0.5)) for two, one in pairs)
    return median(each for each in ratios if each is not None)


if __name__ == "__main__":
    sys.exit(main())
