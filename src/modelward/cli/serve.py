"""`modelward serve` and `modelward worker`."""

import contextlib
import gc
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from modelward.kernel.errors import Conflict, Invalid

if TYPE_CHECKING:
    from modelward.app import House

BACKLOG = 1024
# Of garbage that refers to itself there is little, and a look for it holds everybody up.
COLLECT_AFTER_OBJECTS = 5_000


def _storage_options(command: Any) -> Any:
    for option in (
        click.option("--home", type=click.Path(path_type=Path), help="The data folder [MODELWARD_HOME]."),
        click.option("--database-url", help="A PostgreSQL database; default SQLite in the data folder."),
        click.option("--store", help="Where blobs are kept: a folder or s3://bucket/prefix."),
        click.option("--worker-slots", type=int, help="How many jobs run at the same time."),
    ):
        command = option(command)
    return command


@click.command()
@_storage_options
@click.option("--host", help="The address to listen on [MODELWARD_HOST].")
@click.option("--port", type=int, help="The port to listen on [MODELWARD_PORT].")
@click.option("--no-work", is_flag=True, help="Serve only; jobs run in `modelward worker` (PostgreSQL).")
def serve(**given: Any) -> None:
    """Serve the pages and the API, and run jobs."""
    from modelward import settings
    from modelward.app import open_house

    # What is loaded now stays; looks for garbage meanwhile would find none. ``keep_what_is_loaded`` begins them.
    gc.disable()
    work = False if given.pop("no_work") else None
    chosen = settings.load(**given, work=work)
    if not chosen.work and not chosen.uses_postgres:
        raise Invalid(
            "With SQLite the server itself runs the jobs.",
            field="--no-work",
            hint="Use --database-url with PostgreSQL.",
        )
    listening = listen(chosen.host, chosen.port)
    house = open_house(chosen, works=chosen.work)
    run_server(
        house, listening, on_ready=lambda url: click.echo(f"Modelward serves {house.home.folder} at {url}", err=True)
    )


def listen(host: str, port: int) -> socket.socket:
    """Open the listening socket.

    Raises:
        Conflict: the port is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Responses are small and must not wait for an acknowledgement; accepted connections inherit this.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listening.bind((host, port))
        # Only a socket that listens keeps others from the port.
        listening.listen(BACKLOG)
    except OSError as problem:
        listening.close()
        raise Conflict(
            f"{host}:{port} cannot be used: {problem.strerror}.",
            field="port",
            hint="Set MODELWARD_PORT to another one.",
        ) from problem
    return listening


def run_server(house: "House", listening: socket.socket, *, on_ready: Any = None) -> None:
    """Serve until SIGTERM or SIGINT, then finish what runs and close."""
    import uvicorn

    host, port = listening.getsockname()[:2]
    url = f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else host}:{port}"
    config = uvicorn.Config(
        house.asgi, loop="uvloop", http="httptools", lifespan="off", log_config=None, access_log=False,
        server_header=False, date_header=True, proxy_headers=False, timeout_graceful_shutdown=10, backlog=BACKLOG,
    )  # fmt: skip
    server = _Server(config, on_started=lambda: _started(house, url, on_ready))
    try:
        server.run(sockets=[listening])
    finally:
        house.close()
        # What was kept from the collector is given back, so that libraries can take leave of their objects in order.
        gc.unfreeze()


def _started(house: "House", url: str, on_ready: Any) -> None:
    house.home.announce(url)
    house.start()
    keep_what_is_loaded()
    if on_ready:
        on_ready(url)


def keep_what_is_loaded() -> None:
    """Spare what is there by now, code above all, from each later look for garbage: 30 ms in which nobody is served."""
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER_OBJECTS, 10, 10)
    gc.enable()


def _make_server_class() -> Any:
    import uvicorn

    class Server(uvicorn.Server):
        """Says when it has started."""

        def __init__(self, config: uvicorn.Config, *, on_started: Any) -> None:
            super().__init__(config)
            self._on_started = on_started

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            """Stop on SIGTERM and SIGINT, and let this process end in order instead of by the signal."""
            before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGTERM, signal.SIGINT)}
            try:
                yield
            finally:
                for number, handler in before.items():
                    signal.signal(number, handler)

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            """Start, then tell."""
            await super().startup(sockets=sockets)
            if self.started:
                self._on_started()

    return Server


def _Server(*arguments: Any, **options: Any) -> Any:
    return _make_server_class()(*arguments, **options)


@click.command()
@_storage_options
def worker(**given: Any) -> None:
    """Run jobs only, beside servers on the same PostgreSQL database."""
    from modelward import settings
    from modelward.app import open_house

    chosen = settings.load(**given)
    if not chosen.uses_postgres:
        raise Invalid(
            "With SQLite the server itself runs the jobs.",
            field="--database-url",
            hint="A separate worker needs PostgreSQL.",
        )
    house = open_house(chosen)
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    house.start()
    click.echo(f"Modelward works on {chosen.database_url.rpartition('@')[2]}", err=True)
    stop.wait()
    house.close()
    sys.exit(0)
