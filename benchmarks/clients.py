"""Keep-alive clients in a process of their own, cheap enough to leave the cores to the server.

Raw HTTP/1.1 over asyncio protocols: one write and mostly one read per request, the answer's length and status looked at,
nothing parsed. A client sends the next request when the answer to the last one is complete (a closed loop).
"""

import asyncio
import gc
import http.client
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from benchmarks.figures import percentile
from benchmarks.registry_requests import Request, check_answer, written

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Load(NamedTuple):
    """What to send: which request, to which ports, from how many clients, for how long."""

    request: Request
    ports: list[int]
    clients: int
    seconds: float
    models: int
    prefix: str
    headers: dict[str, str]
    warm_seconds: float = 0.3


class Reading(NamedTuple):
    """What came back: answers per second in the time measured, each latency in ms, and all answers with the warm-up's."""

    per_second: float
    latencies: list[float]
    answers: int
    client_cpu_seconds: float

    def at(self, share: float) -> float | None:
        """A percentile of the latencies."""
        return percentile(self.latencies, share)


class ClientFailed(RuntimeError):
    """An answer was not a success, or the connection broke: nothing can be concluded from such a run."""


class Clients:
    """The process of the clients; one for a whole benchmark."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.clients"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> "Clients":
        """Use it until the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait(10)

    def run(self, load: Load) -> Reading:
        """Send a load and wait for the reading.

        Raises:
            ClientFailed: an answer was not a success.
        """
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(load) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline() or '{"failed": "the clients ended"}')
        if "failed" in answer:
            raise ClientFailed(answer["failed"])
        return Reading(**answer)


def ask_once(load: Load, operation: str) -> None:
    """Send one request to each port with an ordinary client and look at the whole answer."""
    for port in load.ports:
        raw = next(written(load.request, models=load.models, prefix=f"{load.prefix}once-{port}-", headers=load.headers))
        head, _, body = raw.partition(b"\r\n\r\n")
        method, path, _ = head.split(b" ", 2)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            headers = {**load.headers, "Content-Type": "application/json"} if body else load.headers
            connection.request(method.decode(), path.decode(), body=body or None, headers=headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status not in (200, 201):
            raise ClientFailed(f"{operation}: {answer.status} {content[:300]!r}")
        check_answer(operation, json.loads(content))


class _Connection(asyncio.Protocol):
    def __init__(self, client: "_Client") -> None:
        self._client, self._buffer, self._end = client, b"", 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def send(self, request: bytes) -> None:
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        if not self._end:
            self._end = self._find_end()
        if not self._end or len(self._buffer) < self._end:
            return
        answer, self._buffer, self._end = self._buffer, b"", 0
        self._client.answered(answer)

    def _find_end(self) -> int:
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return 0
        length = _LENGTH.search(self._buffer, 0, head)
        if length is None:
            self._client.failed(f"an answer without a length: {self._buffer[:300]!r}")
            return 0
        return head + 4 + int(length[1])

    def connection_lost(self, problem: Exception | None) -> None:
        self._client.failed(f"the connection broke: {problem or 'closed by the server'}")


class _Client:
    """One closed loop; with several connections it takes them in turn."""

    def __init__(self, requests: Iterator[bytes], *, since: float, until: float, done: "asyncio.Future[None]") -> None:
        self.requests, self.since, self.until, self.done = requests, since, until, done
        self.connections: list[_Connection] = []
        self.latencies: list[float] = []
        self.answers = self._turn = 0

    def next(self) -> None:
        connection = self.connections[self._turn % len(self.connections)]
        self._turn += 1
        request = next(self.requests)
        self.began = time.perf_counter()
        connection.send(request)

    def answered(self, answer: bytes) -> None:
        now = time.perf_counter()
        self.answers += 1
        if answer[9:11] != b"20":
            self.failed(answer[:400].decode("latin-1"))
            return
        if self.began >= self.since and now <= self.until:
            self.latencies.append((now - self.began) * 1000)
        if now < self.until:
            self.next()
        elif not self.done.done():
            self.done.set_result(None)

    def failed(self, why: str) -> None:
        if not self.done.done():
            self.done.set_exception(ClientFailed(why))


async def _drive(load: Load) -> Reading:
    loop = asyncio.get_running_loop()
    shared = written(load.request, models=load.models, prefix=load.prefix, headers=load.headers)
    since = time.perf_counter() + load.warm_seconds
    clients = [
        _Client(shared, since=since, until=since + load.seconds, done=loop.create_future()) for _ in range(load.clients)
    ]
    for client in clients:
        for port in load.ports:
            _, connection = await loop.create_connection(lambda client=client: _Connection(client), "127.0.0.1", port)
            client.connections.append(connection)
    before = time.process_time()
    for client in clients:
        client.next()
    try:
        await asyncio.wait_for(asyncio.gather(*(client.done for client in clients)), load.seconds + 120)
    finally:
        for client in clients:
            for connection in client.connections:
                connection.transport.abort()
    latencies = [round(each, 4) for client in clients for each in client.latencies]
    return Reading(
        per_second=len(latencies) / load.seconds,
        latencies=latencies,
        answers=sum(client.answers for client in clients),
        client_cpu_seconds=time.process_time() - before,
    )


def _serve_loads() -> None:
    import uvloop

    gc.disable()
    for line in sys.stdin:
        fields = json.loads(line)
        load = Load(Request(*fields[0]), *fields[1:])
        try:
            answer: dict[str, Any] = uvloop.run(_drive(load))._asdict()
        except (ClientFailed, OSError, TimeoutError) as problem:
            answer = {"failed": f"{type(problem).__name__}: {problem}"}
        print(json.dumps(answer), flush=True)
        gc.collect()


if __name__ == "__main__":
    _serve_loads()
