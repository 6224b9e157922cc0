"""`modelward demo`: build the story in a data folder, serve it, and say how to come in."""

import contextlib
import fcntl
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modelward.kernel.errors import Conflict, Invalid

if TYPE_CHECKING:
    from modelward.cli.demo.serving import ModelServer
    from modelward.settings import Settings

MARKER = "demo.json"
UNFINISHED = "demo-unfinished"


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
    _check_alone(chosen)
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


def _check_alone(chosen: "Settings") -> None:
    for name in ("database_url", "store"):
        if getattr(chosen, name):
            raise Conflict(
                f"MODELWARD_{name.upper()} is set, and the demo's models and people do not belong there.",
                field=name,
                hint=f"Run `env -u MODELWARD_{name.upper()} modelward demo`: the demo keeps all in its own folder.",
            )


def forget(folder: Path) -> None:
    """Delete a demo's data folder.

    Raises:
        Conflict: the folder holds something that the demo did not build, or a process uses it.
    """
    if not _content(folder):
        return
    if not (folder / MARKER).exists() and not (folder / UNFINISHED).exists():
        raise Conflict(
            f"{folder} was not built by the demo, so it is not deleted.",
            hint="Give another folder with MODELWARD_HOME.",
        )
    with _alone(folder):
        _empty(folder)
    shutil.rmtree(folder)


def build(folder: Path) -> None:
    """Build the story in an empty data folder; an unfinished one of an earlier try is started over.

    Raises:
        Conflict: the folder holds something else, or another demo builds it at this moment.
    """
    # Threads that spin while they wait would take the processor from each other on a busy laptop.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # A token for a server elsewhere opens nothing here.
    os.environ.pop("MODELWARD_TOKEN", None)
    from modelward.cli.demo.story import tell

    if _content(folder) and not (folder / UNFINISHED).exists():
        raise Conflict(
            f"{folder} holds data that the demo did not build.",
            hint="Serve it with `modelward serve`, or give the demo another folder with MODELWARD_HOME.",
        )
    with _alone(folder):
        if (folder / MARKER).exists():
            return
        _empty(folder)
        started = time.perf_counter()
        told = tell(folder)
        # It holds a secret, so nobody else may read it.
        (folder / MARKER).touch(mode=0o600)
        (folder / MARKER).write_text(json.dumps({**told, "built_at": datetime.now(UTC).isoformat()}))
        (folder / UNFINISHED).unlink()
    click.echo(f"Built in {time.perf_counter() - started:.0f} s: {folder}", err=True)


def _content(folder: Path) -> list[Path]:
    """What is in the folder; nothing where there is none."""
    try:
        return list(folder.iterdir()) if folder.exists() else []
    except OSError as problem:
        raise Invalid(
            f"{folder} cannot be used as a data folder: {problem.strerror}.",
            field="home",
            hint="Give another folder with MODELWARD_HOME.",
        ) from problem


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the mark of an unfinished folder, so that no second demo builds or clears it meanwhile; no server either."""
    from modelward.home import Home

    home = Home(folder)
    home.take()
    home.release()
    with (folder / UNFINISHED).open("a") as mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            raise Conflict(
                f"Another `modelward demo` builds {folder} at this moment.",
                hint="Wait for it, or give this one another folder with MODELWARD_HOME.",
            ) from problem
        yield


def _empty(folder: Path) -> None:
    for each in _content(folder):
        if each.name == UNFINISHED:
            continue
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each)
        else:
            each.unlink()


def _serve(folder: Path, chosen: Any, listening: Any) -> None:
    import msgspec

    from modelward.app import open_house
    from modelward.cli.serve import run_server

    told = json.loads((folder / MARKER).read_text())
    house = open_house(msgspec.structs.replace(chosen, home=folder))
    secret = house.home.owner_secret()
    pair = (told.get("aws_key", ""), told.get("aws_secret", ""))
    with _model_server(folder, told):
        run_server(house, listening, on_ready=lambda url: click.echo(banner(url, secret, folder, pair)))


def _model_server(folder: Path, told: dict[str, Any]) -> "ModelServer":
    from modelward.cli.demo.story import delay_server

    return delay_server(folder, port=int(told["model_server_port"]))


def banner(url: str, secret: str, folder: Path, pair: tuple[str, str]) -> str:
    """What the demo prints when it is ready: where, how to sign in, and lines that work as they stand.

    ``pair`` is the id and the secret of the key pair with which an AWS client signs.
    """
    python = sys.executable
    keys = f"AWS_ACCESS_KEY_ID={pair[0]} AWS_SECRET_ACCESS_KEY={pair[1]}"
    client = f'boto3.client("sagemaker", endpoint_url="{url}", region_name="us-east-1")'
    command = Path(python).with_name("modelward")
    return f"""
  Modelward is ready.

  Pages      {url}
  Sign in    {url}/sign-in#token={secret}
             (the link signs you in as the owner; or paste the token {secret})

  Python     {python} -c 'import modelward; print(modelward.connect("{folder}").overview().counts)'
  CLI        MODELWARD_HOME={folder} {command} alert list
  boto3      {keys} {python} -c 'import boto3; print({client}.list_model_cards(MaxResults=3)["ModelCardSummaries"])'
  REST       curl -s -H "Authorization: Bearer {secret}" {url}/api/v1/models

  Begin with the "Start here" panel on the first page. Ctrl-C ends everything; `modelward demo --reset` starts over.
"""
