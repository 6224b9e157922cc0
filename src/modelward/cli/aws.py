"""`modelward aws`: what AWS clients need to reach Modelward, with a profile or through a proxy."""

import asyncio
import contextlib
import os
import shlex
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelward.cli import aws_profile
from modelward.cli.aws_profile import Files, Profile
from modelward.cli.showing import client
from modelward.kernel.errors import Conflict

if TYPE_CHECKING:
    from modelward.interfaces.aws.proxy import Proxy
    from modelward.settings import Settings

BUCKET = "modelward-default"
PROXY_PORT = 8322


@click.group()
def aws() -> None:
    """Let unmodified AWS clients use Modelward."""


@aws.command("connect")
@click.option("--profile", default="modelward", show_default=True, help="The name of the profile.")
@click.option("--person", help="Whose key pair it uses; your own when left out.")
@click.option("--region", help="The region that clients believe to be in [MODELWARD_AWS_REGION].")
@click.option("--bucket", help="The bucket that the Python SDK keeps its files in.")
@click.option("--s3-url", help="The address of the object store that clients use themselves, with this key pair.")
@click.option("--direct", is_flag=True, help="Let clients turn to the store of the listed buckets themselves.")
@click.option("--write", is_flag=True, help="Write the profile into the files of AWS clients.")
def connect(
    profile: str,
    person: str | None,
    region: str | None,
    bucket: str | None,
    s3_url: str | None,
    direct: bool,
    write: bool,
) -> None:
    """Print (or write) a profile, environment lines and settings of the SageMaker Python SDK.

    A new key pair is made for it, unless the profile was written before.
    """
    from modelward import settings

    chosen = settings.load()
    files = Files.of(os.environ, aws_profile.checked_profile(profile))
    store = default_bucket(chosen)
    if store and s3_url is None and direct:
        s3_url = store_address(chosen)
    if write:
        aws_profile.check_free(files, profile)
    known = aws_profile.known_key(files, profile) if write else None
    with client() as modelward:
        url = modelward.url
        if "://" not in url or url.startswith("app:"):
            raise Conflict("No server runs here that clients could reach.", hint="Start `modelward serve` first.")
        holder = person or modelward.who_am_i().id
        alive = {each.id for each in modelward.people.keys(holder) if not each.revoked_at} if known else set()
        if known is None or known[0] not in alive:
            made = modelward.people.make_key(holder, label=f"aws connect, profile {profile}")
            known = made.key.id, made.secret
    told = Profile(
        name=profile, url=url, region=region or chosen.aws_region, bucket=bucket or store or BUCKET,
        key=known[0], secret=known[1], s3_url=s3_url,
    )  # fmt: skip
    if write:
        aws_profile.write(files, told)
        click.echo(f"Written: profile {profile} in {files.config} and {files.credentials}, {files.sagemaker}", err=True)
    else:
        _print_texts(files, told)
    _print_environment(files, told)
    if told.s3_url is not None:
        where = told.s3_url or "AWS"
        click.echo(
            f"Programs turn to {where} for objects themselves, so it must know the key pair {told.key} too. "
            "Where it does not, connect without --direct: Modelward passes on what the holder may do.",
            err=True,
        )


def default_bucket(chosen: "Settings") -> str:
    """The first listed bucket that may be written; empty where none is listed."""
    from modelward.storage.object_store import parse_listed

    return next((name for name, writable in parse_listed(chosen.s3_buckets).items() if writable), "")


def store_address(chosen: "Settings") -> str:
    """Where programs find the object store of the listed buckets; empty for that of AWS, which they know."""
    named = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    return (chosen.s3_endpoint or named or "").rstrip("/")


def _print_texts(files: Files, told: Profile) -> None:
    for file, text in (
        (files.config, aws_profile.config_text(told)),
        (files.credentials, aws_profile.credentials_text(told)),
        (files.sagemaker, aws_profile.sagemaker_text(told)),
    ):
        click.echo(f"# --- {file}\n{text}")


def _print_environment(files: Files, told: Profile) -> None:
    click.echo("# --- for the shell")
    lines = {
        "AWS_PROFILE": told.name,
        "AWS_DEFAULT_REGION": told.region,
        "SAGEMAKER_USER_CONFIG_OVERRIDE": str(files.sagemaker),
    }
    for name, value in lines.items():
        click.echo(f"export {name}={shlex.quote(value)}")


@aws.command("proxy")
@click.option("--port", type=int, default=PROXY_PORT, show_default=True, help="The port to listen on; 0: a free one.")
@click.option("--url", help="The server; the one of MODELWARD_URL or of the data folder when left out.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where the certificate authority is kept.")
def proxy(port: int, url: str | None, folder: Path | None) -> None:
    """Serve AWS hosts on this machine: programs need three environment variables and no other change."""
    from modelward import settings
    from modelward.interfaces.aws.authority import Authority
    from modelward.interfaces.aws.proxy import Proxy, Target

    home = settings.load().home.expanduser().absolute()
    target = Target.of(url or _server_url(home))
    authority = Authority(folder or home / "aws-proxy")
    serving = Proxy(target, authority)
    asyncio.run(_serve(serving, port, authority.file))


def _server_url(folder: Path) -> str:
    from modelward.home import Home

    given = os.environ.get("MODELWARD_URL")
    if given:
        return given
    found = Home(folder).server()
    if found is None:
        raise Conflict(f"No server of {folder} runs.", hint="Start `modelward serve`, or give --url.")
    return str(found["url"])


async def _serve(serving: "Proxy", port: int, authority: Path) -> None:
    try:
        taken = await serving.start("127.0.0.1", port)
    except OSError as problem:
        raise Conflict(
            f"127.0.0.1:{port} cannot be used: {problem.strerror}.", hint="Give another --port."
        ) from problem
    lines = {
        "HTTPS_PROXY": f"http://127.0.0.1:{taken}",
        "NO_PROXY": "127.0.0.1,localhost",
        "AWS_CA_BUNDLE": str(authority),
        "REQUESTS_CA_BUNDLE": str(authority),
    }
    click.echo("# Set these where the programs run, besides a key pair (`modelward key create`):")
    for name, value in lines.items():
        click.echo(f"export {name}={shlex.quote(value)}")
    running = asyncio.ensure_future(serving.run())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await running
