"""Registry operations of Modelward beside MLflow at 1, 8 and 32 keep-alive clients, ten thousand models in place. G4."""

import argparse
import shutil
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from benchmarks import environments, servers
from benchmarks.clients import Clients, Load, Reading, ask_once
from benchmarks.environments import PeerUnavailable
from benchmarks.figures import Goal, conclude, data_folder, machine, median, percentile, ratio, table
from benchmarks.filling import fill_mlflow, fill_modelward
from benchmarks.registry_requests import MLFLOW, MODELWARD, OPERATIONS, WRITES, Request
from benchmarks.servers import Recipe, Server

OURS, DEFAULT, ONE_WORKER = "modelward", "mlflow", "mlflow, 1 worker"


class Peer(NamedTuple):
    """Somebody to measure: how its requests look, and the server under load or the folder to start one on."""

    recipe: Recipe
    requests: dict[str, Request]
    headers: dict[str, str]
    server: Server | None = None
    filled: Path | None = None

    @contextmanager
    def serving(self) -> Iterator[Server]:
        """The server that runs already, or a new one on a copy of the filled folder.

        Modelward goes on working for a while after a version was registered (card, review, lineage). A copy for each cell
        keeps that out of the next one; what it costs is measured apart (``_with_what_follows``).
        """
        if self.server or self.filled is None:
            assert self.server
            yield self.server
            return
        with TemporaryDirectory(prefix="cell-", dir=self.filled.parent) as made:
            shutil.copytree(self.filled, made, dirs_exist_ok=True)
            with servers.running(self.recipe, Path(made)) as server:
                yield server


class Cell(NamedTuple):
    """One operation at one number of clients at one peer, over all rounds; p99 is of all rounds together."""

    per_second: float
    p50_ms: float
    p99_ms: float
    answers: int
    server_cpu_ms: float
    client_cpu_ms: float


Cells = dict[tuple[str, int, str], Cell]


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, keep."""
    options = _options(arguments)
    with data_folder() as folder, ExitStack() as stack:
        where = machine(folder)
        peers = _peers(folder, options, stack)
        clients = stack.enter_context(Clients())
        cells = _rounds(peers, clients, options)
        follows = {name: _with_what_follows(peer, clients, options) for name, peer in peers.items()}
        memory = {name: peer.server.tree.memory()._asdict() for name, peer in peers.items() if peer.server}
    print("\n" + _table(cells, options))
    for name, (per_second, cpu) in follows.items():
        print(f"{name}: with all that follows {per_second:.0f} versions are registered a second, {cpu:.1f} ms CPU each")
    kept = [{"operation": o, "clients": c, "peer": p, **cell._asdict()} for (o, c, p), cell in cells.items()]
    record = {
        "machine": where, "models": options.models, "rounds": options.rounds, "seconds": options.seconds, "cells": kept,
        "versions_per_second_with_what_follows": follows, "memory_after": memory,
    }  # fmt: skip
    return conclude("registry", record, _goals(cells, options), quick=options.quick)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="8 clients only, two rounds of one second, 2,000 models")
    parser.add_argument("--rounds", type=int, help="interleaved rounds (5; quick: 2)")
    parser.add_argument("--seconds", type=float, help="length of a cell in a round (3; quick: 1)")
    parser.add_argument("--models", type=int, help="models in place (10000; quick: 2000)")
    parser.add_argument("--clients", type=int, nargs="+", help="numbers of clients (1 8 32; quick: 8)")
    parser.add_argument("--operations", nargs="+", choices=OPERATIONS, default=list(OPERATIONS))
    parser.add_argument("--alone", action="store_true", help="only Modelward, for work on its speed")
    options = parser.parse_args(arguments)
    quick = options.quick
    options.rounds = options.rounds or (2 if quick else 5)
    options.seconds = options.seconds or (1.0 if quick else 3.0)
    options.models = options.models or (2000 if quick else 10_000)
    options.clients = options.clients or ([8] if quick else [1, 8, 32])
    return options


def _peers(folder: Path, options: argparse.Namespace, stack: ExitStack) -> dict[str, Peer]:
    """Everybody filled and calm. MLflow's servers, slow to start, run all the time; one server is under load at a time."""
    recipe, filled = servers.modelward(), folder / "modelward"
    with servers.running(recipe, filled) as ours:
        secret = (filled / "home" / "owner-token").read_text().strip()
        headers = {"Authorization": f"Bearer {secret}"}
        seconds = fill_modelward(ours.port, headers, models=options.models)
        ours.wait_calm(seconds_max=600)
    print(f"modelward has {options.models} models, through its API, after {seconds:.1f} s", flush=True)
    peers = {OURS: Peer(recipe, MODELWARD, headers, filled=filled)}
    if options.alone:
        return peers
    try:
        database = folder / "filled.db"
        seconds = fill_mlflow(environments.python_of("mlflow"), database, models=options.models)
        print(
            f"mlflow has the same, written straight into its store by its own classes, after {seconds:.1f} s",
            flush=True,
        )
        for recipe in (servers.mlflow(), servers.mlflow(workers=1)):
            home = folder / recipe.name.replace(", ", "-").replace(" ", "-")
            home.mkdir()
            shutil.copy(database, home / "mlflow.db")
            server = stack.enter_context(servers.running(recipe, home))
            server.wait_calm()
            peers[recipe.name] = Peer(recipe, MLFLOW, {}, server=server)
            print(f"{recipe.name} serves", flush=True)
    except PeerUnavailable as problem:
        print(problem, file=sys.stderr)
    return peers


def _rounds(peers: dict[str, Peer], clients: Clients, options: argparse.Namespace) -> Cells:
    readings: dict[tuple[str, int, str], list[tuple[Reading, float]]] = defaultdict(list)
    for turn in range(options.rounds):
        for operation in options.operations:
            for count in options.clients:
                for name, peer in peers.items():
                    found = _cell(peer, operation, count, clients, options)
                    readings[operation, count, name].append(found)
        print(f"round {turn + 1} of {options.rounds} is done", flush=True)
    return {key: _pooled(found) for key, found in readings.items()}


def _cell(
    peer: Peer, operation: str, count: int, clients: Clients, options: argparse.Namespace
) -> tuple[Reading, float]:
    with peer.serving() as server:
        load = _load(peer, server, operation, count, options)
        ask_once(load, operation)
        before = server.tree.cpu_seconds()
        reading = clients.run(load)
        return reading, server.tree.cpu_seconds() - before


def _load(peer: Peer, server: Server, operation: str, count: int, options: argparse.Namespace) -> Load:
    return Load(
        peer.requests[operation], ports=[server.port], clients=count, seconds=options.seconds, models=options.models,
        prefix=f"{time.time_ns() // 1_000_000}-", headers=peer.headers,
    )  # fmt: skip


def _pooled(found: list[tuple[Reading, float]]) -> Cell:
    waits = [each for reading, _ in found for each in reading.latencies]
    answers = sum(reading.answers for reading, _ in found)
    return Cell(
        per_second=median(reading.per_second for reading, _ in found) or 0.0,
        p50_ms=percentile(waits, 0.5) or 0.0,
        p99_ms=percentile(waits, 0.99) or 0.0,
        answers=len(waits),
        server_cpu_ms=_each(sum(cpu for _, cpu in found), answers),
        client_cpu_ms=_each(sum(reading.client_cpu_seconds for reading, _ in found), answers),
    )


def _with_what_follows(peer: Peer, clients: Clients, options: argparse.Namespace) -> tuple[float, float]:
    """Versions per second from the first request until the server has nothing left to do, and CPU ms of each."""
    with peer.serving() as server:
        server.wait_calm(seconds_max=10)
        began, before = time.perf_counter(), server.tree.cpu_seconds()
        load = _load(peer, server, "create version", 8, options)._replace(seconds=0.5, warm_seconds=0.0)
        answers = clients.run(load).answers
        server.wait_calm(seconds_max=600)
        seconds = max(time.perf_counter() - began - servers.CALM_SECONDS, 0.5)
        return answers / seconds, _each(server.tree.cpu_seconds() - before, answers)


def _each(seconds: float, answers: int) -> float:
    return 1000 * seconds / answers if answers else 0.0


def _better(cells: Cells, operation: str, count: int, *, what: str = "per_second") -> float | None:
    """The better of MLflow's two configurations in this cell."""
    known = [getattr(cells[key], what) for name in (DEFAULT, ONE_WORKER) if (key := (operation, count, name)) in cells]
    if not known:
        return None
    return max(known) if what == "per_second" else min(known)


def _table(cells: Cells, options: argparse.Namespace) -> str:
    one = ["ops/s", "p50 ms", "p99 ms", "CPU ms"]
    head = ["operation", "clients", "x MLflow", *one, "(client CPU)"]
    head += [f"{name} {label}" for name in (DEFAULT, "1 worker") for label in one]
    rows: list[list[Any]] = []
    for operation in options.operations:
        for count in options.clients:
            ours = cells[operation, count, OURS]
            row: list[Any] = [operation, count, ratio(ours.per_second, _better(cells, operation, count))]
            row += [ours.per_second, ours.p50_ms, ours.p99_ms, ours.server_cpu_ms, ours.client_cpu_ms]
            for name in (DEFAULT, ONE_WORKER):
                cell = cells.get((operation, count, name))
                row += [cell.per_second, cell.p50_ms, cell.p99_ms, cell.server_cpu_ms] if cell else [None] * 4
            rows.append(row)
    return table(head, rows)


def _goals(cells: Cells, options: argparse.Namespace) -> list[Goal]:
    goals = []
    for count, must, reach in ((8, 10, 25), (1, 3, 6)):
        for operation in options.operations if count in options.clients else ():
            figure = ratio(cells[operation, count, OURS].per_second, _better(cells, operation, count))
            goals.append(
                Goal(f"{operation}, {count} client{'s' if count > 1 else ''}, ops/s over MLflow's", figure, must, reach)
            )
    for operation in WRITES if 32 in options.clients else ():
        if operation in options.operations:
            peer = cells.get((operation, 32, DEFAULT))
            figure = ratio(peer.p99_ms if peer else None, cells[operation, 32, OURS].p99_ms)
            goals.append(Goal(f"{operation}, 32 clients, p99 of MLflow's default server over ours", figure, 20, 50))
    return goals


if __name__ == "__main__":
    sys.exit(main())
