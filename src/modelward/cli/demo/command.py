"""`modelward demo`: build the story in a data folder, serve it, and say how to come in."""

import json
import os
import shutil
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modelward.kernel.errors import Conflict

if TYPE_CHECKING:
    from modelward.cli.demo.serving import ModelServer

MARKER = "demo.json"


@click.command()
@click.option("--reset", is_flag=True, help="Start over: forget the demo's data folder and build it anew.")
@click.option("--no-serve", is_flag=True, help="Only build the data folder.")
@click.option("--home", type=click.Path(path_type=Path), help="The data folder [MODELWARD_HOME].")
@click.option("--port", type=int, help="The port to listen on [MODELWARD_PORT].")
def demo(*, reset: bool, no_serve: bool, home: Path | None, port: int | None) -> None:
    """Show a governed model from registration to alert, on real data."""
    from modelward import settings
    from modelward.cli.serve import listen

    chosen = settings.load(home=home, port=port)
    folder = chosen.home.expanduser().absolute()
    # The port is taken first, so that nobody waits for the build only to learn that it cannot be served.
    listening = None if no_serve else listen(chosen.host, chosen.port)
    try:
        if reset:
            forget(folder)
        if not (folder / MARKER).exists():
            build(folder)
        if listening is not None:
            _serve(folder, chosen, listening)
    finally:
        if listening is not None:
            listening.close()


def forget(folder: Path) -> None:
    """Delete a demo's data folder.

    Raises:
        Conflict: the folder holds something that the demo did not build, or a process uses it.
    """
    from modelward.home import Home

    if not folder.exists():
        return
    if not (folder / MARKER).exists() and any(folder.iterdir()) and not (folder / "demo-unfinished").exists():
        raise Conflict(
            f"{folder} was not built by the demo, so it is not deleted.",
            hint="Give another folder with MODELWARD_HOME.",
        )
    home = Home(folder)
    home.take()
    home.release()
    shutil.rmtree(folder)


def build(folder: Path) -> None:
    """Build the story in an empty data folder; an unfinished one of an earlier try is started over.

    Raises:
        Conflict: the folder holds something else.
    """
    # Threads that spin while they wait would take the processor from each other on a busy laptop.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from modelward.cli.demo.story import tell

    if (folder / "demo-unfinished").exists():
        shutil.rmtree(folder)
    if folder.exists() and any(folder.iterdir()):
        raise Conflict(
            f"{folder} holds data that the demo did not build.",
            hint="Serve it with `modelward serve`, or give the demo another folder with MODELWARD_HOME.",
        )
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / "demo-unfinished").touch()
    started = time.perf_counter()
    told = tell(folder)
    (folder / MARKER).write_text(json.dumps({**told, "built_at": datetime.now(UTC).isoformat()}))
    (folder / "demo-unfinished").unlink()
    click.echo(f"Built in {time.perf_counter() - started:.0f} s: {folder}", err=True)


def _serve(folder: Path, chosen: Any, listening: Any) -> None:
    import msgspec

    from modelward.app import open_house
    from modelward.cli.serve import run_server

    told = json.loads((folder / MARKER).read_text())
    house = open_house(msgspec.structs.replace(chosen, home=folder))
    secret = house.home.owner_secret()
    with _model_server(folder, told):
        run_server(house, listening, on_ready=lambda url: click.echo(banner(url, secret, folder)))


def _model_server(folder: Path, told: dict[str, Any]) -> "ModelServer":
    from modelward.cli.demo.story import delay_server

    return delay_server(folder, port=int(told["model_server_port"]))


def banner(url: str, secret: str, folder: Path) -> str:
    """What the demo prints when it is ready: where, how to sign in, and lines that work as they stand."""
    python = sys.executable
    command = Path(python).with_name("modelward")
    return f"""
  Modelward is ready.

  Pages      {url}
  Sign in    {url}/sign-in#token={secret}
             (the link signs you in as the owner; or paste the token {secret})

  Python     {python} -c 'import modelward; print(modelward.connect("{folder}").overview().counts)'
  CLI        MODELWARD_HOME={folder} {command} alert list
  REST       curl -s -H "Authorization: Bearer {secret}" {url}/api/v1/models

  Begin with the "Start here" panel on the first page. Ctrl-C ends everything; `modelward demo --reset` starts over.
"""
