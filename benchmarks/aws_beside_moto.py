"""boto3 clients against Modelward and against moto's server: the same calls in the same run.

moto keeps everything in memory and checks no signature; Modelward checks each, asks for the permission, writes an event
and has it on disk before it answers. A few processes of clients share the machine with the server, so what a call costs the
client limits both; the server's own CPU time a call is printed beside.
"""

import argparse
import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import servers
from benchmarks.environments import PeerUnavailable
from benchmarks.figures import Goal, conclude, data_folder, machine, median, percentile, ratio, table
from benchmarks.servers import Server
from modelward.home import Home
from modelward.sdk import Client
from modelward.sdk.transports import HttpTransport

CALLS = ("describe card", "list cards", "create card", "put object 4 KiB")
OURS, PEER = "modelward", "moto"


class Peer(NamedTuple):
    """A server and the key pair for it."""

    server: Server
    key: str
    secret: str

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server.port}"


class Cell(NamedTuple):
    """One call at one server in one round."""

    per_second: float
    p50_ms: float | None
    p99_ms: float | None
    server_cpu_ms: float | None
    client_cpu_ms: float | None


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.aws_beside_moto", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round; the figures are rough")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each call is measured")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, default=4, help="processes, each with a client of its own")
    parser.add_argument("--threads", type=int, default=2, help="threads in each process of clients")
    options = parser.parse_args(arguments)
    if options.quick:
        options.seconds, options.rounds = 2.0, 1
    with data_folder() as folder, ExitStack() as stack:
        where = machine(folder)
        peers = _peers(folder, stack)
        cells = {(call, name): _rounds(peer, call, options) for call in CALLS for name, peer in peers.items()}
    rows = [
        (call, name, cell.per_second, cell.p50_ms, cell.p99_ms, cell.server_cpu_ms, cell.client_cpu_ms)
        for (call, name), cell in cells.items()
    ]
    print("\n" + table(("call", "server", "a second", "p50 ms", "p99 ms", "server CPU ms", "client CPU ms"), rows))
    record = {"machine": where, "cells": [{"call": call, "server": n, **c._asdict()} for (call, n), c in cells.items()]}
    return conclude("aws_beside_moto", record, _goals(cells), quick=options.quick)


def _peers(folder: Path, stack: ExitStack) -> dict[str, Peer]:
    ours = stack.enter_context(servers.running(servers.modelward(), folder / OURS))
    secret = Home(folder / OURS / "home").owner_secret()
    made = Client(HttpTransport(f"http://127.0.0.1:{ours.port}"), token=secret).people.make_key("owner")
    peers = {OURS: Peer(ours, made.key.id, made.secret)}
    try:
        peers[PEER] = Peer(stack.enter_context(servers.running(servers.moto(), folder / PEER)), "testing", "testing")
    except PeerUnavailable as problem:
        print(problem, file=sys.stderr)
    for peer in peers.values():
        _client(peer, "fill").wait(120)
    return peers


def _client(peer: Peer, call: str, *options: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "benchmarks.aws_calls", peer.url, peer.key, peer.secret, call, *options]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _rounds(peer: Peer, call: str, options: argparse.Namespace) -> Cell:
    cells = [_round(peer, call, options) for _ in range(options.rounds)]
    columns: list[Any] = [[cell[place] for cell in cells if cell[place] is not None] for place in range(len(cells[0]))]
    return Cell(*(median(column) for column in columns))


def _round(peer: Peer, call: str, options: argparse.Namespace) -> Cell:
    crew = [
        _client(peer, call, "--threads", str(options.threads), "--seconds", str(options.seconds))
        for _ in range(options.clients)
    ]
    for each in crew:
        assert each.stdout is not None
        each.stdout.readline()
    peer.server.wait_calm(seconds_max=15)
    before = peer.server.tree.cpu_seconds()
    for each in crew:
        _let_go(each)
    told = [json.loads(each.communicate()[0]) for each in crew]
    spent = peer.server.tree.cpu_seconds() - before
    took = [value for each in told for value in each["took"]]
    failed = [text for each in told for text in each["failed"]]
    if failed:
        print(f"{peer.server.name}: {call}: {len(failed)} failed, such as {failed[0]}", file=sys.stderr)
    return Cell(
        len(took) / options.seconds,
        _ms(percentile(took, 0.5)),
        _ms(percentile(took, 0.99)),
        _ms(ratio(spent, len(took))),
        _ms(ratio(sum(each["cpu"] for each in told), len(took))),
    )


def _let_go(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000


def _goals(cells: dict[tuple[str, str], Cell]) -> list[Goal]:
    def beside(call: str) -> float | None:
        theirs = cells.get((call, PEER))
        return ratio(cells[call, OURS].per_second, theirs.per_second if theirs else None)

    return [
        Goal("Describe calls a second", cells["describe card", OURS].per_second, 1000, unit="/s"),
        Goal("durable Create calls a second", cells["create card", OURS].per_second, 300, unit="/s"),
        Goal("Describe calls beside moto", beside("describe card"), 1.0),
    ]


if __name__ == "__main__":
    sys.exit(main())
