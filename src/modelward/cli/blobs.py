"""`modelward blobs`: stored bytes that nothing refers to."""

from typing import Any

import click

from modelward.cli.showing import as_json_option, client, show_json


@click.group()
def blobs() -> None:
    """The stored bytes: files, reports, documents, by their digests."""


@blobs.command()
@as_json_option
def look(as_json: bool) -> None:
    """Count the bytes that nothing refers to; nothing is deleted."""
    with client() as modelward:
        found = modelward.blobs.unreferenced()
    if as_json:
        show_json(found)
        return
    click.echo(
        f"{_told(found.blobs, found.bytes)} are stored; nothing refers to {_told(found.blobs_unreferenced, found.bytes_unreferenced)}."
    )
    click.echo(f"For so long that a collection would delete them now: {_told(found.blobs_due, found.bytes_due)}.")
    if found.refusal:
        click.echo(found.refusal)


@blobs.command()
@click.option(
    "--take-over",
    metavar="REASON",
    default="",
    help="From now on the store is that of this installation alone, and why; nothing is deleted for blob_grace_days more.",
)
@as_json_option
def collect(take_over: str, as_json: bool) -> None:
    """Delete the bytes to which nothing has referred for blob_grace_days.

    A backup of the database that is older than that may then lack some of its bytes in the store.
    """
    with client() as modelward:
        done = modelward.blobs.collect(take_over=take_over)
    if as_json:
        show_json(done)
        return
    click.echo(f"{_told(done.blobs, done.bytes)} were deleted.")
    if done.reason:
        click.echo(done.reason + (f" {done.blobs_left:,} blobs are left." if done.blobs_left else ""))


def _told(count: Any, size: Any) -> str:
    return f"{count:,} {'blob' if count == 1 else 'blobs'} of {size:,} bytes"
